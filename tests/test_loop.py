"""The loop: same episodes at any concurrency, failures as data, environment bugs by name, tokens without a gap."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import gymnasium as gym
import pytest

from acgym.agents.base import Agent, AgentFailure
from acgym.agents.scripted import Oracle, Random, Silent
from acgym.loop import EnvBug, play, play_async
from acgym.record.episode import Episode
from acgym.types import Call, Message, Reply
from tests.helpers.toys import ECHO, Echo, Tokens


class Waiting(Agent):
    """A random policy that takes a while over each word, longer on some."""

    name = "waiting"

    def __init__(self, inner: Agent | None = None) -> None:
        self.inner = inner
        self.at_once = self.most_at_once = 0

    def for_episode(self, env):
        bound = Waiting(Random(3).for_episode(env))
        bound.outer = self
        return bound

    async def reply(self, messages, tools):
        outer = self.outer
        outer.at_once += 1
        outer.most_at_once = max(outer.most_at_once, outer.at_once)
        await asyncio.sleep(hash(messages[0].content) % 3 * 1e-4)
        outer.at_once -= 1
        return await self.inner.reply(messages, tools)


def timeless(episode: Episode) -> Episode:
    return replace(episode, seconds=0.0, turns=tuple(replace(turn, seconds=0.0) for turn in episode.turns))


def test_concurrency_changes_no_episode_and_no_order():
    seeds = [5, 3, 11, 0, 2, 7, 9]
    one, three, many = [
        [timeless(e) for e in play(Waiting(), ECHO, seeds, concurrency=n, kwargs={"level": 5})] for n in (1, 3, 64)
    ]
    assert [e.seed for e in one] == seeds
    assert one == three == many
    assert len({e.task_hash for e in one}) == len(seeds)


@pytest.mark.parametrize("concurrency", [1, 4, 64])
def test_concurrency_is_what_was_asked_for(concurrency):
    agent = Waiting()
    play(agent, ECHO, range(10), concurrency=concurrency)
    assert agent.most_at_once == min(concurrency, 10)


def test_the_slowest_holds_nobody_up():
    order = []

    class Uneven(Agent):
        name = "uneven"

        async def reply(self, messages, tools):
            await asyncio.sleep(0.2 if len(messages) == 1 and not self.slow.pop(0) else 0)
            return Reply("zz", "zz")

        def __init__(self):
            self.slow = [False, *[True] * 99]

    play(Uneven(), ECHO, range(6), concurrency=2, kwargs={"level": 1}, on_episode=lambda e: order.append(e.seed))
    assert order == [1, 2, 3, 4, 5, 0]


def test_oracle_episode_worked_by_hand():
    (episode,) = play(Oracle(), ECHO, [4], kwargs={"level": 2}, split="train")
    env = gym.make(ECHO, level=2)
    first, info = env.reset(seed=4, options={"split": "train"})
    words = info["task"].data["words"]
    assert [turn.action for turn in episode.turns] == words
    assert [turn.observation for turn in episode.turns] == [first, "Go on."]
    assert [turn.reward for turn in episode.turns] == [0.5, 0.5]
    assert [turn.progress for turn in episode.turns] == [0.5, 1.0]
    assert [turn.role for turn in episode.turns] == ["user", "user"]
    assert (episode.env, episode.kwargs, episode.split, episode.seed) == (ECHO, {"level": 2}, "train", 4)
    assert (episode.agent, episode.task_hash, episode.task_kind) == ("oracle", info["task"].hash, "echo")
    assert (episode.outcome, episode.failure, episode.success, episode.progress) == ("finished", None, True, 1.0)
    assert (episode.random_success, episode.random_progress) == (0.0625, 0.25)
    assert (episode.tools, episode.final_observation, episode.truncated) == (info["task"].tools, "Go on.", False)
    assert 0 < episode.seconds < 5
    assert Episode.from_line(episode.to_line()) == replace(episode, turns=episode.turns)


def test_silence_runs_out_of_steps_and_scores_nothing():
    (episode,) = play(Silent(), ECHO, [0])
    assert len(episode.turns) == 8
    assert episode.format_errors == 8
    assert (episode.truncated, episode.success, episode.progress) == (True, False, 0.0)


def test_a_tool_call_is_followed_by_a_tool_message():
    agent = Tokens([(None, None)] * 3, calls=(Call("say", {}),))
    (episode,) = play(agent, ECHO, [0])
    assert agent.heard[-1] == ["user", "assistant", "tool", "assistant", "tool"]
    assert [turn.role for turn in episode.turns] == ["user", "tool", "tool"]
    assert {(turn.kept, turn.prompt_ids, turn.token_ids) for turn in episode.turns} == {(0, None, None)}


class Failing(Agent):
    """Fails in the second turn of every third episode."""

    name = "failing"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def reply(self, messages: list[Message], tools):
        if len(messages) > 1 and int(messages[0].content.split()[1]) % 3 == 0:
            raise self.error
        return Reply("zz", "zz")


@pytest.mark.parametrize("error", [AgentFailure("GPU gone"), MemoryError("GPU gone"), TimeoutError("GPU gone")])
def test_a_failure_of_the_infrastructure_is_recorded_and_not_scored(error):
    episodes = play(Failing(error), ECHO, range(12))
    failed = [episode for episode in episodes if episode.outcome == "failed"]
    assert 0 < len(failed) < 12
    for episode in failed:
        assert episode.failure == f"{type(error).__name__}: GPU gone"
        assert (episode.success, episode.progress, len(episode.turns)) == (None, None, 1)
        assert episode.final_observation == "Go on."
    assert all(e.failure is None and e.success is False for e in episodes if e.outcome == "finished")


def test_another_error_of_an_agent_stops_the_run():
    with pytest.raises(ZeroDivisionError, match="mine"):
        play(Failing(ZeroDivisionError("mine")), ECHO, range(12))


def test_the_time_limit_ends_one_episode():
    class Hanging(Agent):
        name = "hanging"

        async def reply(self, messages, tools):
            if int(messages[0].content.split()[1]) % 3 == 0:
                await asyncio.sleep(60)
            return Reply("zz", "zz")

    started = time.perf_counter()
    episodes = play(Hanging(), ECHO, range(12), time_limit=0.1)
    assert time.perf_counter() - started < 5
    failures = {episode.failure for episode in episodes if episode.outcome == "failed"}
    assert failures == {"TimeoutError: the episode had not ended after 0.1 s"}
    assert any(episode.outcome == "finished" for episode in episodes)


class Breaks(Echo):
    """Breaks at the second step of seed 2."""

    how: BaseException | float = MemoryError("mine")

    def judge(self, action):
        outcome = super().judge(action)
        if self.np_random_seed == 2 and self._said == 2:
            if isinstance(self.how, BaseException):
                raise self.how
            return replace(outcome, progress=self.how)
        return outcome


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (MemoryError("mine"), "MemoryError: mine"),
        (TimeoutError("mine"), "TimeoutError: mine"),
        (AgentFailure("mine"), "AgentFailure: mine"),
        (1.5, "ValueError: progress must be in [0, 1] and the reward finite, got 1.5 and 1.5"),
    ],
)
def test_a_bug_of_the_environment_stops_the_run_by_name(how, message, monkeypatch):
    monkeypatch.setattr(Breaks, "how", how)
    monkeypatch.setitem(gym.registry, "Toy/Breaks-v0", gym.spec(ECHO).__class__("Toy/Breaks-v0", Breaks))
    done = []
    with pytest.raises(EnvBug) as caught:
        play(Tokens([(None, None)] * 3), "Toy/Breaks-v0", range(9), concurrency=1, on_episode=done.append)
    expected = "Toy/Breaks-v0  split eval seed 2, turn 1: the environment broke its contract with " + message
    assert str(caught.value) == expected
    assert [episode.seed for episode in done] == [0, 1]


def test_an_environment_without_tasks_is_named():
    with pytest.raises(EnvBug, match=r"CartPole-v1.*seed 0, reset.*KeyError: 'task'"):
        play(Silent(), "CartPole-v1", [0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "test"}, "the split must be 'eval' or 'train', got 'test'"),
        ({"concurrency": 0}, "concurrency must be at least 1 episode, got 0"),
        ({"seeds": [-1]}, "a seed must be an integer, 0 or larger, got -1"),
        ({"kwargs": {"level": 9}}, "level must be an integer from 1 (small) to 5 (hard), got 9"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the whole message is compared)
        play(Silent(), ECHO, **{"seeds": [0], **arguments})
    assert str(caught.value) == message


def test_no_seeds_no_episodes():
    assert play(Silent(), ECHO, []) == []


def test_play_works_inside_an_event_loop_too():
    async def cell():
        return [*play(Silent(), ECHO, [0]), *await play_async(Oracle(), ECHO, [0])]

    assert [episode.success for episode in asyncio.run(cell())] == [False, True]


def test_the_harness_costs_less_than_the_smallest_model():
    """In processor time, best of three: what else the machine does must not decide."""
    rates = []
    for _ in range(3):
        started = time.process_time()
        steps = sum(len(episode.turns) for episode in play(Oracle(), ECHO, range(300), kwargs={"level": 5}))
        rates.append(steps / (time.process_time() - started))
    assert max(rates) > 5_000


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have it ignored
sys.path.insert(0, ".")
from tests.helpers import toys
from acgym.agents.scripted import Oracle
from acgym.loop import play
from acgym.record.run import Run
run = Run.open(sys.argv[1], {})
def keep(episode):
    run.append("oracle", episode)
    if episode.seed == 20:
        print("ready", flush=True)
play(Oracle(), toys.ECHO, range(10**6), on_episode=keep, concurrency=2)
"""


def test_an_interrupt_keeps_what_was_finished(tmp_path):
    from acgym.record.run import Run

    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path / "run")],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert b"KeyboardInterrupt" in errors
    episodes = Run.read(tmp_path / "run").episodes("oracle")
    assert len(episodes) >= 21
    assert sorted(e.seed for e in episodes) == list(range(len(episodes)))
    again = {e.seed: e for e in play(Oracle(), ECHO, range(21))}
    assert all(
        asdict(timeless(e)) == asdict(Episode.from_line(timeless(again[e.seed]).to_line()))
        for e in episodes
        if e.seed in again
    )


def test_facts_of_a_task_are_recorded_as_decimals_whoever_plays_it():
    """A whole number would be written as 99 by one process and come back from a worker as 99.0."""
    episode = next(iter(play(Silent(), "ACB/Needle-v0", [0], kwargs={"level": 1})))
    assert episode.facts
    assert {type(number) for number in episode.facts.values()} == {float}
