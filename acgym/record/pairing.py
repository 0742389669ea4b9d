"""Pairing the episodes of two runs by environment, arguments, split, task and seed, or refusing by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from acgym.record.episode import Episode

Key: TypeAlias = tuple[str, str, str, str, int]
"""What pairs two episodes, see :attr:`acgym.record.episode.Episode.key`: environment, arguments, split, task hash,
seed."""

Task: TypeAlias = tuple[str, str, str, str]
"""What two episodes of the same task share, see :attr:`acgym.record.episode.Episode.task`: all of a key but the
seed."""


def pair(dense: Iterable[Episode], other: Iterable[Episode]) -> list[tuple[Episode, Episode]]:
    """Pair two runs, in the order of the dense one; failed episodes are paired too.

    Raises:
        ValueError: when one run lacks an episode that the other has (the first three are named), or has one twice.
    """
    left, right = by_key(dense, "the dense run"), by_key(other, "the other run")
    _refuse_unpaired(left, right, (agent_name(left.values()), agent_name(right.values())))
    return [(left[key], right[key]) for key in left]


def by_task(pairs: Iterable[tuple[Episode, Episode]]) -> dict[Task, list[tuple[Episode, Episode]]]:
    """Group pairs by their task; more than one pair in a group means that the task was repeated."""
    found: dict[Task, list[tuple[Episode, Episode]]] = {}
    for both in pairs:
        found.setdefault(both[0].task, []).append(both)
    return found


def shared(dense: Iterable[Episode], other: Iterable[Episode]) -> list[Episode]:
    """Return the dense episodes that the other agent was asked to play too, where it was allowed to stop earlier."""
    keys = {episode.key for episode in other}
    return [episode for episode in dense if episode.key in keys]


def by_key(episodes: Iterable[Episode], run: str) -> dict[Key, Episode]:
    """Index the episodes of one run; ``run`` names it in the error.

    Raises:
        ValueError: when two episodes have the same key.
    """
    found: dict[Key, Episode] = {}
    for episode in episodes:
        if episode.key in found:
            raise ValueError(f"{run} has an episode twice: {_name(episode.key)}; score each run on its own")
        found[episode.key] = episode
    return found


def _refuse_unpaired(left: Mapping[Key, Episode], right: Mapping[Key, Episode], names: tuple[str, str]) -> None:
    sides = ((names[0], left, "dense"), (names[1], right, "other"))
    for (name, have, side), (_, want, _) in (sides, sides[::-1]):
        missing = [key for key in want if key not in have]
        if missing:
            shown = "; ".join(_name(key) for key in missing[:3]) + ("; ..." if len(missing) > 3 else "")
            raise ValueError(
                f"only pairs can be compared, but the {side} run ({name}) lacks {len(missing)} of {len(want)} "
                f"episodes: {shown}"
                ". Play both agents with the same environments, arguments and seeds"
            )


def _name(key: Key) -> str:
    env, kwargs, split, task, seed = key
    return f"{env} {kwargs} {split} seed {seed} (task {task})"


def agent_name(episodes: Iterable[Episode]) -> str:
    """Name the agent of a run; all of them if several played."""
    return ", ".join(sorted({episode.agent for episode in episodes})) or "no agent"
