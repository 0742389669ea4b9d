"""Agents without a model of their own: oracle, random policy, silence, replay of a run, one agent after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from acgym.agents.base import Agent, AgentFailure
from acgym.record.episode import Episode
from acgym.record.lines import read_episodes
from acgym.tool_calls import read_calls
from acgym.types import Json, Message, Reply, ToolSpec, canonical_json

_OF_MAKE = ("max_episode_steps", "disable_env_checker", "render_mode")
"""Arguments of ``gym.make`` that change no task."""


class Scripted(Agent):
    """An agent whose next words come from a function that is called once a turn."""

    def __init__(self, name: str, say: Callable[[], str]) -> None:
        self.name = name
        self._say = say

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say what the function returns; its tool calls, if it is canonical call JSON, ride on the reply."""
        action = self._say()
        return Reply(text=action, action=action, calls=read_calls(action))


class Silent(Scripted):
    """Says nothing, every turn: the zero of every scale."""

    def __init__(self) -> None:
        super().__init__("silent", str)


class _Insider(Agent):
    """An agent that must look inside the environment, and so plays only when it is bound to one."""

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Refuse: the words depend on the environment.

        Raises:
            RuntimeError: always; ``for_episode(env)`` returns the agent that can reply.
        """
        raise RuntimeError(
            f"the agent {self.name!r} looks inside the environment and is not bound to one; "
            "after env.reset(), use agent.for_episode(env) (acgym.play does)"
        )


class Oracle(_Insider):
    """Says what the environment's expert would say; scores 1.0 on every task."""

    name = "oracle"

    def for_episode(self, env: Any) -> Agent:
        """Return the expert for one episode of ``env``."""
        return Scripted(self.name, _inside(env, self.name).oracle)


class Random(_Insider):
    """Says legal replies that know nothing of the answer; the anchor of the scores.

    Args:
        seed: 0 or larger. The replies of an episode depend on it and on the task's content alone, so they are the same
            whatever the order and number of episodes.
    """

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"the seed of the random agent must be 0 or larger, got {seed}")
        self.name = "random" if seed == 0 else f"random:{seed}"
        self._seed = seed

    def for_episode(self, env: Any) -> Agent:
        """Return the random policy for the episode that ``env`` was reset to."""
        inside = _inside(env, self.name)
        rng = np.random.default_rng([self._seed, int(inside.task.hash, 16)])
        return Scripted(self.name, lambda: inside.random_reply(rng))


class Replay(_Insider):
    """Says again what a recorded agent said, with the tokens it said it with.

    Args:
        file: an ``episodes.jsonl`` of a run.

    Raises:
        OSError: if the file cannot be read.
        acgym.record.run.RecordDamaged: if a line of it is not an episode.
    """

    def __init__(self, file: str | Path) -> None:
        self._hold(f"replay:{file}", read_episodes(Path(file)))

    @classmethod
    def of(cls, episodes: Iterable[Episode], name: str) -> Replay:
        """Return an agent of this name that says again what the episodes hold; of one task, the last counts."""
        made = cls.__new__(cls)
        made._hold(name, episodes)
        return made

    def _hold(self, name: str, episodes: Iterable[Episode]) -> None:
        self.name = name
        self._episodes = {_replay_key(e.env, e.kwargs, e.task_hash, e.seed): e for e in episodes}

    def for_episode(self, env: Any) -> Agent:
        """Return the recorded agent of the episode that ``env`` was reset to.

        Raises:
            LookupError: if the episode was not recorded.
        """
        inside = _inside(env, self.name)
        key = _replay_key(env.spec.id, env.spec.kwargs, inside.task.hash, inside.np_random_seed)
        if key not in self._episodes:
            raise LookupError(
                f"{self.name} holds no episode of {key[0]} {key[1]} with seed {key[3]} and task {key[2]}; "
                f"it holds {len(self._episodes)} others. Play the seeds, split and arguments that were recorded"
            )
        return _Replayed(self.name, self._episodes[key])


class _Replayed(Agent):
    """One recorded episode, said again turn by turn."""

    def __init__(self, name: str, episode: Episode) -> None:
        self.name = name
        self._episode = episode
        self._ids: tuple[int, ...] = ()

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say the recorded words of the turn.

        Raises:
            AgentFailure: where the recorded agent failed.
            RuntimeError: if the environment does not say what it said when it was recorded.
        """
        number = len(messages) // 2
        episode = self._episode
        if number == len(episode.turns) and episode.outcome == "failed":
            raise AgentFailure(f"as recorded: {episode.failure}")
        if number >= len(episode.turns) or messages[-1].content != episode.turns[number].observation:
            raise RuntimeError(
                f"{self.name}: turn {number} of {episode.env} seed {episode.seed} is not the one recorded; "
                "the environment has changed since, so that the record cannot be replayed"
            )
        turn = episode.turns[number]
        prompt_ids = None if turn.prompt_ids is None else self._ids[: turn.kept] + turn.prompt_ids
        if prompt_ids is not None and turn.token_ids is not None:
            self._ids = prompt_ids + turn.token_ids
        return Reply(
            text=turn.text,
            action=turn.action,
            calls=read_calls(turn.action),
            prompt_ids=prompt_ids,
            token_ids=turn.token_ids,
            finish_reason="length" if turn.finish_reason == "length" else "stop",
            seconds=turn.seconds,
        )


def _replay_key(env: str, kwargs: Mapping[str, Json], task_hash: str, seed: int) -> tuple[str, str, str, int]:
    """Identify an episode by what an environment knows of itself; the task's hash tells the splits apart."""
    own = {name: value for name, value in kwargs.items() if name not in _OF_MAKE}
    return env, canonical_json(own), task_hash, seed


def _inside(env: Any, agent: str) -> Any:
    """Return the environment behind the wrappers, if it is one that a scripted agent can play.

    Raises:
        TypeError: if it lacks what :class:`acgym.env.TextEnv` asks for.
    """
    inside = env.unwrapped
    for name in ("oracle", "random_reply", "task"):
        if not hasattr(inside, name):
            raise TypeError(f"the agent {agent!r} needs an environment with {name!r}; {type(inside).__name__} has none")
    return inside


class Relay(Agent):
    """Plays the first turns as one agent and the rest as another, which reads the whole conversation.

    Args:
        first: plays turns 0 to ``turns`` - 1; a :class:`Replay` to start from a recorded state.
        turns: how many turns that is, 0 or more.
        then: plays all later turns.
        same_tokens: whether both have one vocabulary and chat template, so that ``then`` may take the tokens of the
            replies before it as they are. If not, it reads the words alone: token numbers of another vocabulary would
            be other words to it.
        name: the agent's name in records.

    Raises:
        ValueError: if ``turns`` is below 0.
    """

    def __init__(self, first: Agent, turns: int, then: Agent, *, same_tokens: bool, name: str | None = None) -> None:
        if turns < 0:
            raise ValueError(f"an agent can play 0 or more first turns, got {turns}")
        self.first, self.turns, self.then, self.same_tokens = first, turns, then, same_tokens
        self.name = name or f"{first.name} for {turns} turns, then {then.name}"

    def for_episode(self, env: Any) -> Agent:
        """Return the agent for one episode, both of its players bound to ``env``."""
        first, then = self.first.for_episode(env), self.then.for_episode(env)
        return Relay(first, self.turns, then, same_tokens=self.same_tokens, name=self.name)

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say what the player of this turn says; errors are the player's."""
        played = sum(message.role == "assistant" for message in messages)
        if played < self.turns:
            return await self.first.reply(messages, tools)
        heard = messages if self.same_tokens else _without_tokens(messages, self.turns)
        return await self.then.reply(heard, tools)


def _without_tokens(messages: Sequence[Message], turns: int) -> list[Message]:
    """Take the token ids off the first ``turns`` replies."""
    heard: list[Message] = []
    for message in messages:
        if message.reply is not None and turns > 0:
            turns -= 1
            message = replace(message, reply=replace(message.reply, prompt_ids=None, token_ids=None))
        heard.append(message)
    return heard
