"""Hand-made episodes whose rewards and progress agree, and agents with a known fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from acgym.agents.base import Agent
from acgym.agents.scripted import Oracle
from acgym.record.episode import Episode, Turn
from acgym.suites import environment_class
from acgym.tool_calls import read_calls
from acgym.types import Message, Reply, ToolSpec
from tests.helpers.registry import PLAYED

CLASSES_OF: list[Any] = [environment_class(env_id) for env_id in PLAYED]
KINDS = {kind: name for one in CLASSES_OF for kind, name in one.error_kinds.items()}
"""Kinds of error that acgym's environments state, with their failure classes."""
UNCLEAR = tuple(sorted(kind for one in CLASSES_OF for kind in one.unclear_errors))


def turn(action: str = "go", progress: float = 0.0, **fields: Any) -> Turn:
    """Make a turn; its reward is set by ``episode``."""
    made = Turn("user", "now?", action, action, 0.0, progress, False, None, "stop", 0.1)
    return replace(made, **fields)


def bad(action: str = "?", progress: float = 0.0, **fields: Any) -> Turn:
    """Make a turn with a format error."""
    return turn(action, progress, malformed=True, **fields)


def episode(turns: Sequence[Turn] = (), *, success: bool = False, seed: int = 0, **fields: Any) -> Episode:
    """Make a finished episode; rewards are the increases of progress."""
    before = [0.0, *(one.progress for one in turns)]
    rewarded = tuple(replace(one, reward=one.progress - old) for one, old in zip(turns, before, strict=False))
    made = Episode(
        env=PLAYED[0], kwargs={"level": 1}, split="eval", seed=seed, agent="dense", task_hash=f"task{seed}",
        task_kind="kind", tools=(), random_success=0.0, random_progress=0.0, turns=rewarded, final_observation="bye",
        outcome="finished", failure=None, success=success, progress=before[-1], truncated=False, seconds=1.0,
        error_kinds=KINDS, unclear_errors=UNCLEAR,
    )  # fmt: skip
    return replace(made, **fields)


def broken(made: Episode) -> Episode:
    """Return the episode as if an infrastructure failure had ended it."""
    return replace(made, outcome="failed", failure="out of memory", success=None, progress=None)


class Faulty(Agent):
    """The oracle, except where ``slip`` gives other words for a turn (from 0); None leaves the oracle's."""

    def __init__(self, name: str, slip: Callable[[int], str | None], expert: Agent | None = None) -> None:
        self.name, self.slip, self.expert = name, slip, expert

    def for_episode(self, env: Any) -> Agent:
        """Bind the oracle to ``env``."""
        return Faulty(self.name, self.slip, Oracle().for_episode(env))

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say what the oracle would, or the slip."""
        said = self.slip(len(messages) // 2)
        assert self.expert is not None
        return await self.expert.reply(messages, tools) if said is None else Reply(said, said, read_calls(said))
