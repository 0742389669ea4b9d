"""Hand-offs between agents with known faults: the fatal turn is the one made fatal, and nothing is played twice."""

from __future__ import annotations

import asyncio
import gc
import json
from dataclasses import replace

import gymnasium as gym
import pytest

from acgym.agents.base import Agent, AgentFailure
from acgym.agents.scripted import Oracle, Relay, Replay, Scripted, Silent
from acgym.analysis.comparison import assemble_result
from acgym.analysis.handoff import (
    DIRECTIONS,
    EPISODES,
    Limits,
    Pair,
    attribute,
    choose,
    fatal_turn,
    outcomes,
    relay_name,
)
from acgym.experiment.handoff import play_handoffs
from acgym.loop import EnvBug, play
from acgym.record.lines import by_agent_and_task, read_episodes
from acgym.record.replay import replay
from acgym.record.run import Run
from acgym.types import Message, Reply
from tests.helpers.recorded import Faulty, episode, turn
from tests.helpers.toys import ECHO, Echo

HOUSE = "ACB/Household-v0"
LEVEL = {"level": 5}


class Heard(Agent):
    """Notes what it was told."""

    name = "heard"

    def __init__(self):
        self.prompts = []

    async def reply(self, messages, tools):
        self.prompts.append([None if m.reply is None else m.reply.token_ids for m in messages])
        return Reply("zz", "zz", prompt_ids=(1,), token_ids=(2,))


def made(folder, env, kwargs, agents, seeds):
    """Write a run of some agents as a comparison would."""
    settings = {"agents": [agent.name for agent in agents], "envs": {env: kwargs}, "episodes": len(seeds)}
    with Run.open(folder, settings) as run:
        for agent in agents:
            for one in play(agent, env, seeds, kwargs=kwargs):
                run.append(agent.name, one)
    return Run.read(folder)


def wrong_at(*turns):
    """An agent that says a wrong word in some turns of Echo, where each wrong word is fatal."""
    return Faulty("slips", lambda at: "xx" if at in turns else None)


def handed(run, agent):
    return read_episodes(run.folder(agent) / EPISODES, by_agent_and_task)


# --- the agent that hands over


def test_a_relay_lets_each_speak_in_its_turns():
    first, then = Scripted("a", lambda: "xx"), Scripted("b", lambda: "yy")
    for turns in range(6):
        [played] = play(Relay(first, turns, then, same_tokens=True), ECHO, [0], kwargs=LEVEL)
        assert [one.action for one in played.turns] == ["xx"] * turns + ["yy"] * (5 - turns)
        assert played.agent == relay_name("a", turns, "b") == f"a for {turns} turns, then b"
    with pytest.raises(ValueError, match="0 or more first turns, got -1"):
        Relay(first, -1, then, same_tokens=True)


@pytest.mark.parametrize(("same", "seen"), [(True, (5, 6)), (False, None)])
def test_tokens_of_another_vocabulary_are_not_handed_over(same, seen):
    then = Heard()
    messages = [
        Message("user", "a"), Message("assistant", "x", Reply("x", "x", prompt_ids=(4,), token_ids=(5, 6))),
        Message("user", "b"), Message("assistant", "zz", Reply("zz", "zz", prompt_ids=(1,), token_ids=(2,))),
        Message("user", "c"),
    ]  # fmt: skip
    asyncio.run(Relay(Silent(), 1, then, same_tokens=same).reply(messages, []))
    assert then.prompts == [[None, seen, None, (2,), None]]
    assert messages[1].reply.token_ids == (5, 6)


def test_a_replay_hands_over_in_the_recorded_state():
    [recorded] = play(wrong_at(1), ECHO, [3], kwargs=LEVEL)
    relay = Relay(Replay.of([recorded], "slips"), 2, Oracle(), same_tokens=False)
    [played] = play(relay, ECHO, [3], kwargs=LEVEL)
    told = [(t.observation, t.action, t.reward) for t in recorded.turns]
    assert [(t.observation, t.action, t.reward) for t in played.turns][:2] == told[:2]
    assert (played.progress, recorded.progress, played.success) == (0.8, 0.8, False)


# --- attribution


def test_fatal_turn_by_hand():
    assert fatal_turn([True, True, False, False]) == 1
    assert fatal_turn([True, False, True, False]) == 0
    assert fatal_turn([True, True, True, False]) == 2
    assert fatal_turn([True, None, False]) is None
    assert fatal_turn([True, False, None, False]) == 0
    assert fatal_turn([False, False]) is None


def test_outcomes_and_curves_by_hand():
    words = [turn(word, progress) for word, progress in zip("abcd", (0.25, 0.5, 0.75, 1.0), strict=True)]
    dense = episode(words, success=True)
    other = episode([words[0], *(turn(word, 0.25) for word in "xyz")], agent="q")
    [pair] = choose([dense], [other], Limits())
    assert [list(pair.to_play(first)) for first in DIRECTIONS] == [[2, 3], [2, 3]]
    assert outcomes(pair, "other", {}) == [True, True, None, None, False]
    assert outcomes(pair, "dense", {}) == [False, False, None, None, True]
    played = [
        replace(dense, agent="q for 2 turns, then dense"), replace(other, agent="q for 3 turns, then dense"),
        replace(other, agent="dense for 2 turns, then q"), replace(dense, agent="dense for 3 turns, then q"),
    ]  # fmt: skip
    told = attribute([pair], played)
    assert told["lost"]["fatal_turns"] == [{"turn": 2, "lost": 1}]
    assert (told["lost"]["pairs"], told["lost"]["unknown"], told["lost"]["fatal_at_difference"]) == (1, 0, 0)
    assert [row["success"] for row in told["lost"]["curves"]["other"]] == [1, 1, 1, 0, 0]
    assert [row["success"] for row in told["lost"]["curves"]["dense"]] == [0, 0, 0, 1, 1]
    assert told["kept"] == {"pairs": 0, "curves": {"other": [], "dense": []}}
    short = attribute([pair, Pair(dense, replace(other, turns=other.turns[:2]), pair.difference)], played[:1])["lost"]
    assert [(row["k"], row["n"], row["success"]) for row in short["curves"]["other"]] == [
        (0, 2, 1), (1, 2, 1), (2, 2, 0.5), (3, 1, 0), (4, 2, 0),
    ]  # fmt: skip
    assert (short["unknown"], short["fatal_at_difference"]) == (1, 1)


@pytest.mark.parametrize("slips", [(0,), (2,), (4,), (1, 3)])
def test_the_fatal_turn_is_the_one_that_was_made_fatal(slips, tmp_path):
    run = made(tmp_path, ECHO, LEVEL, [Oracle(), wrong_at(*slips)], range(6))
    agents = {"oracle": Oracle(), "slips": wrong_at(*slips)}
    assert play_handoffs(run, "slips", agents.__getitem__) == 6 * 2 * (4 - slips[0])
    told = assemble_row(run, slips)
    assert told["fatal_turns"] == [{"turn": slips[0], "lost": 6}]
    assert (told["pairs"], told["unknown"], told["fatal_at_difference"]) == (6, 0, 6)
    assert [row["success"] for row in told["curves"]["other"]] == [float(k <= slips[0]) for k in range(6)]
    assert [row["success"] for row in told["curves"]["dense"]] == [float(k > slips[-1]) for k in range(6)]


def assemble_row(run, slips):
    pairs = choose(run.episodes("oracle"), run.episodes("slips"), Limits())
    return attribute(pairs, handed(run, "slips"))["lost"]


def test_steps_wasted_in_the_household_are_fatal_when_too_few_are_left(tmp_path):
    """The expert needs s of the n steps: silence is fatal in the turn that leaves fewer, turn n - s."""
    idle = Faulty("idle", lambda at: "")
    run = made(tmp_path, HOUSE, {"level": 1}, [Oracle(), idle], range(3))
    play_handoffs(run, "idle", {"oracle": Oracle(), "idle": idle}.__getitem__)
    pairs = choose(run.episodes("oracle"), run.episodes("idle"), Limits())
    table = {(one.agent, one.key): one for one in handed(run, "idle")}
    for pair in pairs:
        assert fatal_turn(outcomes(pair, "other", table)) == gym.spec(HOUSE).max_episode_steps - len(pair.dense.turns)
        assert outcomes(pair, "dense", table) == [False] * len(pair.dense.turns) + [True]


def test_hand_offs_start_bit_equal_and_replay(tmp_path):
    run = made(tmp_path, "ACB/ToolCall-v0", {"level": 3}, [Oracle(), wrong_at(1)], range(4))
    play_handoffs(run, "slips", {"oracle": Oracle(), "slips": wrong_at(1)}.__getitem__)
    own = {(one.agent, one.seed): one for name in ("oracle", "slips") for one in run.episodes(name)}
    played = handed(run, "slips")
    for one in played:
        first, _, rest = one.agent.partition(" for ")
        turns = int(rest.split()[0])
        told = [[(t.observation, t.action, t.reward) for t in made.turns] for made in (own[first, one.seed], one)]
        assert told[0][:turns] == told[1][:turns]
    assert played
    assert replay(played).mismatches == ()


def test_the_hand_offs_that_are_played_are_those_that_are_told_of(tmp_path):
    """Episodes are written down as they end: here the last seed first, and more are lost than are looked at."""
    run = made(tmp_path, ECHO, LEVEL, [Oracle(), wrong_at(2)], range(5, -1, -1))
    agents = {"oracle": Oracle(), "slips": wrong_at(2)}
    assert play_handoffs(run, "slips", agents.__getitem__, Limits(lost=2, kept=0)) == 8
    assert {one.seed for one in handed(run, "slips")} == {0, 1}
    told = assemble_result(run).to_json()["agents"][1]["handoff"]["all"]["lost"]
    assert (told["pairs"], told["unknown"], told["fatal_turns"]) == (2, 0, [{"turn": 2, "lost": 2}])


def test_a_stopped_hand_off_goes_on_and_plays_nothing_twice(tmp_path):
    run = made(tmp_path, ECHO, LEVEL, [Oracle(), wrong_at(0)], range(4))
    calls = []

    class Dies(Oracle):
        """Breaks down after a while."""

        def for_episode(self, env):
            calls.append(env)
            if len(calls) > 5:
                raise KeyboardInterrupt
            return super().for_episode(env)

    with pytest.raises(KeyboardInterrupt):
        play_handoffs(run, "slips", {"oracle": Dies(), "slips": wrong_at(0)}.__getitem__)
    gc.collect()  # the finalisers of what was interrupted run here, not in the middle of another test
    before = handed(run, "slips")
    assert 0 < len(before) < 32
    asked = []

    def make(name):
        asked.append(name)
        return {"oracle": Oracle(), "slips": wrong_at(0)}[name]

    assert play_handoffs(run, "slips", make) == 32
    lines = (run.folder("slips") / EPISODES).read_text().splitlines()
    assert lines[: len(before)] == [one.to_line() for one in before]
    assert len(lines) == len({(one.agent, one.key) for one in handed(run, "slips")}) == 32
    assert asked == ["oracle", "slips"]
    assert play_handoffs(run, "slips", make) == 32
    assert asked == ["oracle", "slips"]


def test_a_failed_hand_off_is_not_known_and_played_again(tmp_path):
    run = made(tmp_path, ECHO, LEVEL, [Oracle(), wrong_at(0)], range(1))

    class Down(Agent):
        """Has no connection."""

        name = "oracle"

        async def reply(self, messages, tools):
            raise AgentFailure("no connection")

    agents = {"oracle": Down(), "slips": wrong_at(0)}
    play_handoffs(run, "slips", agents.__getitem__)
    assert assemble_row(run, ())["unknown"] == 1
    agents["oracle"] = Oracle()
    play_handoffs(run, "slips", agents.__getitem__)
    assert assemble_row(run, ())["unknown"] == 0


def test_pairs_are_chosen_by_environment_in_order():
    dense = [episode([turn("a", 1.0)], success=True, seed=i, env=env) for env in ("A-v0", "B-v0") for i in range(5)]
    other = [
        replace(one, agent="q", turns=(turn("b"),), success=one.seed == 3, progress=float(one.seed == 3))
        for one in dense
    ]
    other[0] = replace(dense[0], agent="q")
    chosen = choose(dense[::-1], other[2:] + other[:2], Limits(lost=2, kept=1))
    assert [(p.dense.env, p.dense.seed, p.difference.lost) for p in chosen] == [
        ("A-v0", 1, True), ("A-v0", 2, True), ("A-v0", 3, False),
        ("B-v0", 0, True), ("B-v0", 1, True), ("B-v0", 3, False),
    ]  # fmt: skip
    assert choose(dense, other, Limits(0, 0)) == []


def test_what_cannot_be_handed_over_is_refused(tmp_path):
    run = made(tmp_path, ECHO, LEVEL, [Oracle(), wrong_at(0)], range(2))
    with pytest.raises(ValueError, match="compares oracle with slips; there is no 'nobody'"):
        play_handoffs(run, "nobody", {}.__getitem__)
    with pytest.raises(ValueError, match="there is no 'oracle'"):
        play_handoffs(run, "oracle", {}.__getitem__)
    file = run.folder("slips") / "episodes.jsonl"
    row = json.loads(file.read_text().splitlines()[0])
    row["turns"][2]["observation"] = "Other words."
    file.write_text(json.dumps(row) + "\n" + file.read_text().split("\n", 1)[1])
    with pytest.raises(ValueError, match=r"cannot be replayed.*turn 3: observation was 'Other words.'"):
        play_handoffs(run, "slips", {}.__getitem__)


def test_an_environment_that_changes_on_the_way_stops_the_hand_off(tmp_path, monkeypatch):
    """The recorded episodes replay when it begins; while it plays, the environment gives other rewards."""
    run = made(tmp_path, ECHO, LEVEL, [Oracle(), wrong_at(2)], range(2))

    def make(name):
        judged = Echo.judge
        monkeypatch.setattr(Echo, "judge", lambda self, action: replace(judged(self, action), progress=0.0))
        return Oracle()

    with pytest.raises(EnvBug, match="seed 0, turn 0: the replayed turn is not the recorded one"):
        play_handoffs(run, "slips", make)
    assert handed(run, "slips") == []


def test_a_comparison_holds_the_hand_offs(tmp_path):
    run = made(tmp_path, ECHO, LEVEL, [Oracle(), wrong_at(1)], range(3))
    assert [row["handoff"] for row in assemble_result(run).to_json()["agents"]] == [None, None]
    play_handoffs(run, "slips", {"oracle": Oracle(), "slips": wrong_at(1)}.__getitem__, Limits(2, 0))
    told = assemble_result(run).to_json()["agents"][1]["handoff"]
    assert told[ECHO]["lost"]["pairs"] == told["all"]["lost"]["pairs"] == 2
    assert told["all"]["lost"]["fatal_turns"] == [{"turn": 1, "lost": 2}]


@pytest.mark.slow
def test_the_reference_agent_under_two_bits(tmp_path):
    from acgym.assemble.models import Models
    from acgym.assemble.spec import parse_spec
    from acgym.experiment.run import prepare, run_comparison
    from acgym.listener import Listener

    dense, coarse = "reference", "reference+rtn-w2"
    settings = prepare([dense, coarse], ["ACB/ToolCall-v0", "ACB/Needle-v0"], episodes=8)
    run_comparison(settings, tmp_path / "run")
    run = Run.read(tmp_path / "run")
    models = Models.of(run.settings, Listener())
    total = play_handoffs(run, settings.agents[1], lambda name: models.make(parse_spec(name))[0], Limits(3, 1))
    played = handed(run, settings.agents[1])
    assert len(played) == total > 0
    assert replay(played).mismatches == ()
    told = assemble_result(run).to_json()["agents"][1]["handoff"]["all"]["lost"]
    assert told["pairs"] > 0 and told["unknown"] == 0  # noqa: PT018
    for first, ends in (("other", (1.0, 0.0)), ("dense", (0.0, 1.0))):
        curve = told["curves"][first]
        assert (curve[0]["success"], curve[-1]["success"]) == ends
