"""What the reference agent is expected to say: the oracle's words, in its own tokens."""

from __future__ import annotations

import gymnasium as gym
import pytest

import acgym
from acgym.assemble.agent import CAPABILITIES
from acgym.loop import play
from acgym.train.expected import expect_oracle, spoken


@pytest.mark.parametrize(
    ("targets", "spans"),
    [
        ([], []),
        ([-100, -100], []),
        ([-100, 7, 8, -100, 9], [(2, 4), (5, 6)]),
        ([0, -100], [(1, 2)]),
    ],
)
def test_spans_are_the_tokens_that_training_asks_for(targets, spans):
    assert spoken(targets) == spans
    ids = [-1, *targets]
    assert [ids[a:b] for a, b in spans] == [targets[a - 1 : b - 1] for a, b in spans]
    assert sum(b - a for a, b in spans) == sum(target >= 0 for target in targets)


@pytest.mark.parametrize("env", CAPABILITIES)
def test_most_replies_are_known_beforehand_and_none_is_changed(env):
    plain, told = acgym.agent("reference"), acgym.agent("reference")
    expect_oracle(told, env, range(6), {"level": 1}, "eval")
    episodes = [play(agent, env, range(6), kwargs={"level": 1}) for agent in (plain, told)]
    plain.rest()
    told.rest()
    first, second = ([[turn.token_ids for turn in episode.turns] for episode in each] for each in episodes)
    assert first == second
    known = [
        told.drafts.reply_to(ids[:start])[: end - start] == tuple(ids[start:end])
        for episode in episodes[0]
        for ids, spans in episode.sequences()
        for start, end in spans
    ]
    assert sum(known) > 0.8 * len(known)


@pytest.mark.parametrize(("name", "env"), [("other", "ACB/Needle-v0"), ("reference", "Toy/Bare-v0")])
def test_who_is_another_and_what_has_no_oracle_is_left_alone(name, env):
    class Strict:
        """An agent that may be asked for its name alone."""

    agent = Strict()
    agent.name = name
    if env not in gym.registry:
        gym.register(env, gym.Env)
    expect_oracle(agent, env, range(2), {}, "eval")
