"""The library of goals: everyday work and how it is taken apart into steps, read once for each scenario.

``library/SCENARIO.json`` holds ``{"goals": [...]}``. A goal has a ``name``; a ``field`` of life; ``goal``, what is
wanted, in three wordings; ``steps``, each with ``says`` (three wordings or more that mean the same) and ``after`` (the
numbers, from 0, of the steps without which it cannot be done; an edge that could be disputed is not there); ``near``,
steps that look as if they belonged and do not; ``failures``, what may go wrong at a step (``at``), which steps must be
done anew (``redo``), and the words for it (``says``); in rooms also ``room``, a ``place`` and its ``things``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from acgym.envs.names import in_split
from acgym.types import Json, Split

SCENARIOS = ("function_call", "problem_solving", "embodied", "open_grounded")
"""WorfBench's four scenarios (Qiao et al. 2025, arXiv 2410.07869, section 3)."""

_FOLDER = Path(__file__).parent / "library"


class Step(NamedTuple):
    """One step of a goal."""

    says: tuple[str, ...]
    """Wordings that mean the same."""
    after: tuple[int, ...]
    """Steps that must come before it; only those that no other of them implies."""


class Failure(NamedTuple):
    """What may go wrong."""

    at: int
    """The step that fails when it is tried."""
    redo: tuple[int, ...]
    """The steps before it that have to be done anew, and all that lies between."""
    says: str
    """What is seen, and what must be done."""


class Goal(NamedTuple):
    """A goal and its decomposition."""

    name: str
    field: str
    says: tuple[str, ...]
    """Wordings of what is wanted."""
    steps: tuple[Step, ...]
    """In an order in which they can be done."""
    near: tuple[str, ...]
    """Steps that do not belong."""
    failures: tuple[Failure, ...]
    place: str
    """The room of an embodied goal, else empty."""
    things: tuple[str, ...]
    """What the room holds."""


@cache
def goals(scenario: str, split: Split) -> tuple[Goal, ...]:
    """Return the goals of a scenario that belong to a split, about four in nine to evaluation; no goal is in both."""
    return tuple(goal for goal in _read(scenario) if _belongs(goal.name, split))


def _belongs(name: str, split: Split) -> bool:
    """Say whether a goal is in ``split``: one that either of two keys puts into the evaluation split is there."""
    kept = in_split(f"goal {name}", "eval") or in_split(f"plan {name}", "eval")
    return kept == (split == "eval")


@cache
def _read(scenario: str) -> tuple[Goal, ...]:
    rows = json.loads((_FOLDER / f"{scenario}.json").read_text(encoding="utf-8"))["goals"]
    return tuple(_goal(row) for row in rows)


def _goal(row: Mapping[str, Json]) -> Goal:
    room = row.get("room", {})
    return Goal(
        row["name"],
        row["field"],
        tuple(row["goal"]),
        tuple(Step(tuple(step["says"]), tuple(step["after"])) for step in row["steps"]),
        tuple(row["near"]),
        tuple(Failure(each["at"], tuple(each["redo"]), each["says"]) for each in row["failures"]),
        room.get("place", ""),
        tuple(room.get("things", ())),
    )
