"""Hears how far a job is: the one thing that the job and whoever shows its progress have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int, str], None]
"""Hears of compression: layers done, layers in all (over all steps of a recipe), and what was just done."""


class Listener:
    """Hears of a comparison's progress; this one says nothing."""

    def stage(self, agent: str, what: str) -> None:
        """Hear that an agent enters a stage: ``"loading"``, ``"calibrating"``, ``"compressing"``, ``"probing"``."""

    def playing(self, agent: str, env: str, done: int, total: int) -> None:
        """Hear how many of an agent's episodes in an environment are done, those of earlier sessions included."""
