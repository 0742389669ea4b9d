"""The suite ``acbench``: ACBench's tasks, on official rows where a user has them, else on generated stand-ins."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

import gymnasium as gym

from acgym.acbench import SUITE, TASKS, PaperTask, Play
from acgym.data.cache import folder_of
from acgym.suites import environment_class, register_suite
from acgym.types import Json


def register_tasks() -> None:
    """Register an id for each way to play a task whose environment plays several, and the suite."""
    for task in TASKS:
        for play in (task.native, task.official):
            if play is not None and play.name and play.env in gym.registry and play.name not in gym.registry:
                spec = gym.spec(play.env)
                gym.register(
                    play.name, spec.entry_point, max_episode_steps=spec.max_episode_steps, kwargs=dict(play.kwargs)
                )
    register_suite(SUITE, _entries)


def _entries() -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Yield what the suite plays now, each id once."""
    seen = set()
    for task in TASKS:
        found = _official(task) or _native(task)
        if found is not None and found[0] not in seen:
            seen.add(found[0])
            yield found


def _native(task: PaperTask) -> tuple[str, Mapping[str, Json]] | None:
    play = task.native
    return (play.id, {}) if play is not None and _playable(play) else None


def _official(task: PaperTask) -> tuple[str, Mapping[str, Json]] | None:
    play = task.official
    if play is None or not _playable(play):
        return None
    folder = folder_of(task.data)
    files = [] if folder is None else _files(folder, play.files)
    if folder is None or not files:
        return None
    return play.id, {"path": str(files[0] if play.one_file else folder)}


def _files(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    return [file for pattern in patterns for file in sorted(folder.glob(pattern))]


def _playable(play: Play) -> bool:
    """Say whether the environment is registered and knows the arguments that the task sets."""
    if play.id not in gym.registry:
        return False
    known = inspect.signature(environment_class(play.env).__init__).parameters
    return all(name in known for name in play.kwargs)
