"""The scripted agents: one right, one random, one silent, one that says again what was said."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import gymnasium as gym
import pytest

from acgym.agents.base import Agent, AgentFailure, Chat
from acgym.agents.scripted import Oracle, Random, Replay, Scripted, Silent
from acgym.loop import play
from acgym.record.episode import Episode
from acgym.record.lines import RecordDamaged
from acgym.record.run import Run
from acgym.types import Call, Reply
from tests.helpers.toys import ECHO, Echo

CALL = '{"name": "say", "arguments": {"word": "ea"}}'


def written(episode: Episode, agent: str = "") -> Episode:
    """Return the episode as a record gives it back, without what differs between runs."""
    return Episode.from_line(replace(episode, seconds=0.0, agent=agent or episode.agent).to_line())


def test_the_oracle_is_right_and_silence_is_worth_nothing():
    assert all(episode.success and episode.progress == 1.0 for episode in play(Oracle(), ECHO, range(20)))
    assert all(episode.progress == 0.0 and not episode.success for episode in play(Silent(), ECHO, range(20)))


def test_the_random_agent_depends_on_task_and_seed_alone():
    seeds = list(range(12))
    words = {e.seed: [t.action for t in e.turns] for e in play(Random(), ECHO, seeds, kwargs={"level": 5})}
    again = {e.seed: [t.action for t in e.turns] for e in play(Random(), ECHO, seeds[::-2], kwargs={"level": 5})}
    other = {e.seed: [t.action for t in e.turns] for e in play(Random(1), ECHO, seeds, kwargs={"level": 5})}
    assert again == {seed: words[seed] for seed in seeds[::-2]}
    assert sum(words[seed] != other[seed] for seed in seeds) > 9
    assert len({tuple(said) for said in words.values()}) > 9


def test_the_random_agent_is_named_by_its_seed():
    assert (Random().name, Random(7).name) == ("random", "random:7")
    with pytest.raises(ValueError, match="0 or larger, got -1"):
        Random(-1)


@pytest.mark.parametrize("agent", [Oracle(), Random()])
def test_an_agent_that_must_look_inside_says_so(agent):
    with pytest.raises(RuntimeError, match="is not bound to one"):
        asyncio.run(agent.reply([], []))
    with pytest.raises(TypeError, match="needs an environment with 'oracle'; CartPoleEnv has none"):
        agent.for_episode(gym.make("CartPole-v1"))


@pytest.mark.parametrize(("words", "calls"), [(CALL, (Call("say", {"word": "ea"}),)), ("ea", ()), ('{"name"', ())])
def test_calls_ride_on_the_reply(words, calls):
    reply = asyncio.run(Scripted("mine", lambda: words).reply([], []))
    assert reply == Reply(words, words, calls)


def test_a_bound_agent_plays_a_raw_loop():
    env = gym.make(ECHO, level=2)
    observation, info = env.reset(seed=1)
    chat = Oracle().for_episode(env).chat(info)
    assert isinstance(chat, Chat)
    total, done = 0.0, False
    while not done:
        observation, reward, terminated, truncated, info = env.step(chat(observation))
        total, done = total + reward, terminated or truncated
    assert (total, info["success"], len(chat.messages)) == (1.0, True, 4)


class Tokens(Agent):
    """Says random words with tokens, and fails in the second turn when the task's number ends in 3."""

    name = "tokens"

    def for_episode(self, env):
        self.inner = Random().for_episode(env)
        return self

    async def reply(self, messages, tools):
        if len(messages) > 1 and messages[0].content.split()[1].endswith("3"):
            raise AgentFailure("GPU gone")
        action = (await self.inner.reply(messages, tools)).action
        n = len(messages)
        return Reply(f"I say {action}", action, (), (1, *range(n * 2), n), (n, 7), "length" if n > 1 else "stop", 0.25)


@pytest.fixture
def record(tmp_path):
    run = Run.open(tmp_path / "run", {})
    for split in ("eval", "train"):
        for level in (2, 3):
            kwargs = {"level": level, "max_episode_steps": 7}
            for episode in play(Tokens(), ECHO, range(20), kwargs=kwargs, split=split, concurrency=1):
                run.append("tokens", episode)
    run.close()
    return run


def test_a_replay_says_again_what_was_said(record):
    file = record.folder("tokens") / "episodes.jsonl"
    agent = Replay(file)
    assert agent.name == f"replay:{file}"
    episodes = record.episodes("tokens")
    assert len(episodes) == 80
    assert 0 < sum(episode.outcome == "failed" for episode in episodes) < 30
    for recorded in episodes:
        kwargs = {**recorded.kwargs, "render_mode": "ansi"}  # changes no task
        (again,) = play(agent, ECHO, [recorded.seed], kwargs=kwargs, split=recorded.split)
        if recorded.outcome == "failed":
            recorded = replace(recorded, failure="AgentFailure: as recorded: AgentFailure: GPU gone")
        assert written(again) == written(replace(recorded, kwargs=kwargs), agent.name)


def test_a_replay_of_what_was_not_recorded_is_refused(record):
    agent = Replay(record.folder("tokens") / "episodes.jsonl")
    for case in ({"seeds": [99]}, {"seeds": [0], "kwargs": {"level": 4}}):
        with pytest.raises(LookupError, match="holds no episode of Toy/Echo-v0"):
            play(agent, ECHO, **case)


def test_a_replay_notices_a_changed_environment(record, monkeypatch):
    agent = Replay(record.folder("tokens") / "episodes.jsonl")
    (seed,) = [e.seed for e in record.episodes("tokens") if e.outcome == "finished"][:1]
    monkeypatch.setattr(Echo, "tell", lambda self, tell=Echo.tell: tell(self) + "!")
    with pytest.raises(RuntimeError, match=f"turn 0 of Toy/Echo-v0 seed {seed} is not the one recorded"):
        play(agent, ECHO, [seed], kwargs={"level": 2})


def test_a_replay_of_no_record_is_refused(tmp_path):
    (tmp_path / "x.jsonl").write_text("no episode\n")
    with pytest.raises(RecordDamaged, match=r"x\.jsonl, line 1"):
        Replay(tmp_path / "x.jsonl")
    with pytest.raises(FileNotFoundError):
        Replay(tmp_path / "y.jsonl")


def test_a_chat_works_inside_a_running_event_loop_too():
    """A notebook has one."""

    async def cell():
        env = gym.make("ACB/Needle-v0", level=1)
        _, info = env.reset(seed=0)
        return Oracle().for_episode(env).chat(info)("whatever")

    assert "Answer:" in asyncio.run(cell())
