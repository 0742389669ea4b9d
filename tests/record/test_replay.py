"""Replays: what was recorded is played bit-equal, and nothing that was changed goes unseen."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.agents.base import AgentFailure
from acgym.agents.scripted import Oracle, Random, Scripted
from acgym.loop import play
from acgym.record.episode import Episode
from acgym.record.intact import faults, refuse_edited
from acgym.record.lines import RecordDamaged
from acgym.record.replay import replay, replay_episode
from tests.helpers.recorded import broken, episode, turn
from tests.helpers.toys import ECHO

ENVS = ("ACB/ToolCall-v0", "ACB/Workflow-v0", "ACB/Needle-v0", "ACB/Household-v0")


@pytest.mark.parametrize("env", ENVS)
@pytest.mark.parametrize("level", [1, 4])
def test_recorded_episodes_replay_bit_equal(env, level):
    made = [
        one for agent in (Oracle(), Random(), Random(1)) for one in play(agent, env, range(5), kwargs={"level": level})
    ]
    read = [Episode.from_line(one.to_line()) for one in made]
    report = replay(read)
    assert (report.episodes, report.turns, report.mismatches) == (15, sum(len(one.turns) for one in made), ())


def changed(one, at, **fields):
    turns = list(one.turns)
    turns[at] = replace(turns[at], **fields)
    return replace(one, turns=tuple(turns))


RECORDED = play(Oracle(), ECHO, [0], kwargs={"level": 3})[0]
UP = RECORDED.turns[0].progress


@pytest.mark.parametrize(
    ("made", "turn_", "what"),
    [
        (changed(RECORDED, 1, observation="Go on!"), 1, "observation"),
        (changed(RECORDED, 1, observation="Go on.\n"), 1, "observation"),
        (changed(RECORDED, 1, action="zz"), 1, "reward"),
        (changed(RECORDED, 1, error="wrong_word"), 1, "decision error"),
        (changed(RECORDED, 1, malformed=True), 1, "format error"),
        (changed(RECORDED, 0, reward=UP + 2**-53), 0, "reward"),
        (changed(RECORDED, 0, progress=UP + 2**-53), 0, "progress"),
        (changed(RECORDED, 0, reward=1.0), None, "the record, which contradicts itself:"),
        (replace(RECORDED, success=False), 2, "success"),
        (replace(RECORDED, truncated=True), 2, "truncation"),
        (replace(RECORDED, final_observation="Well done."), 2, "the last observation"),
        (replace(RECORDED, turns=RECORDED.turns[:2], progress=RECORDED.turns[1].progress), 1, "the end of the episode"),
        (replace(RECORDED, turns=(*RECORDED.turns, turn("ea", 1.0))), 2, "the end of the episode"),
        (replace(RECORDED, task_hash="0" * 16), None, "the task"),
        (replace(RECORDED, seed=1), None, "the task"),
        (replace(RECORDED, split="train"), None, "the task"),
        (replace(RECORDED, tools=()), None, "the list of tools"),
    ],
)  # fmt: skip
def test_every_change_is_seen(made, turn_, what):
    found = replay_episode(made)
    assert found is not None
    assert (found.what, found.turn if what != "the end of the episode" else turn_) == (what, turn_)
    assert f"{ECHO} seed" in str(found)
    assert len(str(found)) < 400


def test_a_failed_episode_replays_up_to_its_failure():
    said = iter(["ea", "eb"])

    def say():
        try:
            return next(said)
        except StopIteration:
            raise AgentFailure("gone") from None

    [made] = play(Scripted("dies", say), ECHO, [0], kwargs={"level": 5})
    assert (made.outcome, len(made.turns)) == ("failed", 2)
    assert replay_episode(made) is None
    assert replay_episode(changed(made, 1, observation="?")).what == "observation"


def test_an_environment_that_changed_is_seen(monkeypatch):
    monkeypatch.setattr("tests.helpers.toys.Echo.capability", "x")
    assert replay_episode(RECORDED) is None
    from tests.helpers.toys import Echo

    monkeypatch.setattr(Echo, "oracle", lambda self: "zz")
    assert replay_episode(RECORDED) is None
    judged = Echo.judge
    monkeypatch.setattr(Echo, "judge", lambda self, action: replace(judged(self, action), observation="Next."))
    found = replay_episode(RECORDED)
    assert (found.turn, found.what, found.recorded, found.replayed) == (1, "observation", "Go on.", "Next.")


def test_what_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match=r"'Gone/Env-v0' is not known here; .* --env module:Gone/Env-v0"):
        replay_episode(replace(RECORDED, env="Gone/Env-v0"))
    with pytest.raises(ValueError, match=r"Toy/Echo-v0 cannot be made with \{'level': 9\}"):
        replay_episode(replace(RECORDED, kwargs={"level": 9}))
    with pytest.raises(ValueError, match="cannot be made with"):
        replay_episode(replace(RECORDED, kwargs={"colour": "red"}))


def test_a_record_cannot_name_a_module_to_import(tmp_path, monkeypatch):
    (tmp_path / "hostile_env.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="is not known here"):
        replay_episode(replace(RECORDED, env="hostile_env:Toy/Echo-v0"))


def test_environments_are_made_once_and_closed(monkeypatch):
    opened, closed = [], []
    make = gym.make

    def counted(*args, **kwargs):
        env = make(*args, **kwargs)
        opened.append(env)
        monkeypatch.setattr(env, "close", lambda: closed.append(env))
        return env

    monkeypatch.setattr(gym, "make", counted)
    replay(play(Oracle(), ECHO, range(5), kwargs={"level": 2}, concurrency=1) * 2)
    assert len(opened) == 1 + 1
    assert closed == [opened[0], opened[1]]


# --- what contradicts itself


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (replace(episode([turn("a", 0.5)]), progress=1.0), "its final progress is 1, but that of its last turn 0.5"),
        (replace(episode(), turns=(turn("a", 0.5),)), "turn 1 the rewards sum to 0, but the progress is 0.5"),
        (replace(episode(), turns=(turn("a", 2.0, reward=2.0),)), "turn 1 has reward 2.0 and progress 2.0"),
        (replace(episode(), turns=(turn("a", reward=float("nan")),)), "reward nan"),
        (replace(episode(), success=None), "it finished, but has no success"),
        (replace(broken(episode()), success=True), "it failed, but has a success"),
        (replace(episode(), outcome="won"), "its outcome must be 'finished' or 'failed', not 'won'"),
    ],
)  # fmt: skip
def test_a_contradiction_is_named(made, words):
    assert [words in why for why in faults(made)] == [True]
    with pytest.raises(RecordDamaged, match=r"here: the episode of ACB/ToolCall-v0 with seed 0 was changed"):
        refuse_edited([episode(), made], "here")


def test_several_are_counted():
    bad_one = replace(episode(), progress=1.0)
    with pytest.raises(RecordDamaged, match=r"\(and 2 more such episodes\)"):
        refuse_edited([bad_one] * 3, "here")


@given(st.lists(st.floats(0, 1), max_size=30))
def test_what_a_loop_writes_never_contradicts_itself(progress):
    made = episode([turn("a", value) for value in progress])
    assert faults(made) == []
    assert faults(broken(made)) == []
