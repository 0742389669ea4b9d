"""Drives recorded episodes through their environments again and proves every observation and reward bit-equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from acgym.record.episode import Episode
from acgym.record.intact import faults
from acgym.types import Json, canonical_json


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first thing in which an episode and its replay differ."""

    episode: Episode
    turn: int | None
    """Turn, from 0; None for what is no turn's: the task, or the record's own sums."""
    what: str
    """Such as ``observation``, ``reward``, ``success``."""
    recorded: Json
    replayed: Json

    def __str__(self) -> str:
        """Say it in a sentence."""
        where = "" if self.turn is None else f", turn {self.turn + 1}"
        episode = self.episode
        return (
            f"{episode.agent}, {episode.env} seed {episode.seed}{where}: {self.what} was "
            f"{_shown(self.recorded)} and is now {_shown(self.replayed)}"
        )


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay of many episodes found."""

    episodes: int
    turns: int
    mismatches: tuple[Mismatch, ...]
    """At most one for each episode."""


def replay(episodes: Iterable[Episode]) -> ReplayReport:
    """Replay episodes one after the other; see :func:`replay_episode`.

    Raises:
        ValueError: if an environment is not known here or does not take the recorded arguments.
    """
    count, turns, found = 0, 0, []
    with _stage() as stage:
        for episode in episodes:
            mismatch = _replayed(episode, stage.env(episode))
            found += [mismatch] if mismatch is not None else []
            count, turns = count + 1, turns + len(episode.turns)
    return ReplayReport(count, turns, tuple(found))


def replay_episode(episode: Episode) -> Mismatch | None:
    """Hand the recorded actions to a fresh environment with the recorded seed and compare everything it says.

    Task hash and tools, every observation, reward, progress, format error and decision error, and the end (success,
    truncation, last observation) must be equal, floats to the last bit. Of an episode that an infrastructure failure
    ended, the turns before it are compared. No agent and no model takes part.

    Returns:
        The first difference; None if there is none.

    Raises:
        ValueError: if the environment is not known here or does not take the recorded arguments.
    """
    with _stage() as stage:
        return _replayed(episode, stage.env(episode))


def _replayed(episode: Episode, env: gym.Env[Any, Any]) -> Mismatch | None:
    """Return the first difference between a record and what the environment says now."""
    own = faults(episode)
    if own:
        return Mismatch(episode, None, "the record, which contradicts itself:", "written whole", own[0])
    for turn, what, recorded, replayed in _played(episode, env):
        if type(recorded) is not type(replayed) or recorded != replayed:
            return Mismatch(episode, turn, what, recorded, replayed)
    return None


def _played(episode: Episode, env: gym.Env[Any, Any]) -> Iterator[tuple[int | None, str, Json, Json]]:
    """Play the recorded actions; yield (turn, what, recorded, replayed) for everything there is to compare."""
    told, info = env.reset(seed=episode.seed, options={"split": episode.split})
    yield None, "the task", episode.task_hash, info["task"].hash
    yield None, "the list of tools", canonical_json(list(episode.tools)), canonical_json(list(info["task"].tools))
    over, truncated, success = False, False, False
    for i, turn in enumerate(episode.turns):
        yield i, "the end of the episode", False, over
        yield i, "observation", turn.observation, told
        told, reward, terminated, truncated, info = env.step(turn.action)
        yield i, "reward", turn.reward, float(reward)
        yield i, "progress", turn.progress, float(info["progress"])
        yield i, "format error", turn.malformed, bool(info["malformed"])
        yield i, "decision error", turn.error, info["error"]
        over, success = bool(terminated or truncated), bool(info["success"])
    last = len(episode.turns) - 1 if episode.turns else None
    yield last, "the last observation", episode.final_observation, told
    if episode.outcome == "finished":
        early = not over and _may_end_early(episode)
        yield last, "the end of the episode", True, over or early
        yield last, "truncation", episode.truncated, bool(truncated) or early
        yield last, "success", episode.success, success


def _may_end_early(episode: Episode) -> bool:
    """Whether the loop may have ended it before the environment did: the same malformed reply, over and over."""
    last = episode.turns[-2:]
    return episode.truncated and len(last) == 2 and all(t.malformed and t.action == last[0].action for t in last)


class _Stage:
    """The environments in use, one for each id and arguments: the same seed gives the same episode in any of them."""

    def __init__(self) -> None:
        self.envs: dict[str, gym.Env[Any, Any]] = {}

    def env(self, episode: Episode) -> gym.Env[Any, Any]:
        """Return the environment of an episode; made at its first use."""
        key = canonical_json([episode.env, episode.kwargs])
        if key not in self.envs:
            self.envs[key] = _make(episode)
        return self.envs[key]


@contextmanager
def _stage() -> Iterator[_Stage]:
    stage = _Stage()
    try:
        yield stage
    finally:
        for env in stage.envs.values():
            env.close()


def _make(episode: Episode) -> gym.Env[Any, Any]:
    if episode.env not in gym.registry:  # also an id with a module in it: a record must not say what to import
        raise ValueError(
            f"the environment {episode.env!r} is not known here; for one of your own give --env module:{episode.env}, "
            "with the module that registers it"
        )
    try:
        return gym.make(episode.env, **{"disable_env_checker": True, **episode.kwargs})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{episode.env} cannot be made with {dict(episode.kwargs)} as recorded: {error}") from None


def _shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:38]} ... {text[-38:]}"
