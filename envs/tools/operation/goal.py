"""The state that an office should end in, made from what is wanted, and how far another state is from it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from acgym.envs.tools.operation.world import State, blank, copied
from acgym.types import Json, canonical_json

_EARLY = re.compile(r"\d:\d\d")


def norm(value: Json) -> Json:
    """Write a cell so that cells which mean the same are equal.

    Case, spaces and a final period do not count in texts; ``12`` is 12; ``9:00`` is ``09:00``; an empty text is none;
    lists have no order.
    """
    if isinstance(value, list):
        return sorted((norm(item) for item in value), key=canonical_json)
    if isinstance(value, str):
        return _known(value) if len(value) <= _SHORT else _text(value)
    return value if isinstance(value, bool) or value is None else str(value)


def _text(value: str) -> str | None:
    text = " ".join(value.casefold().split()).rstrip(".!")
    return (f"0{text}" if _EARLY.fullmatch(text) else text) or None


_SHORT = 200
_known = lru_cache(4096)(_text)
"""Cells are compared after every call; most are the same short ones."""


def _normal(row: Mapping[str, Json]) -> dict[str, Json]:
    return {column: norm(value) for column, value in row.items()}


def _mark(row: Mapping[str, Json]) -> str:
    return canonical_json(_normal(row))


class Goal:
    """What an office should become.

    Args:
        state: the office at the beginning.
        wants: changes, see :class:`acgym.envs.tools.operation.job.Job`.
        today: ISO date.
    """

    def __init__(self, state: State, wants: list[dict[str, Json]], today: str) -> None:
        self._first, self._wants = state, wants
        self.state: State = copied(state)
        self.made: dict[str, list[dict[str, Json]]] = {table: [] for table in state}
        """Rows that should be new, by table."""
        for want in wants:
            self._apply(want, today)
        self._wanted = {table: Counter(_mark(row) for row in rows) for table, rows in self.made.items()}

    def _apply(self, want: Mapping[str, Any], today: str) -> None:
        table = want["table"]
        if "new" in want:
            self.made[table].append({**blank(table, today), **want["new"]})
        elif want.get("gone"):
            del self.state[table][want["id"]]
        else:
            row = self.state[table][want["id"]]
            row |= want.get("set", {})
            for column, value in want.get("push", {}).items():
                row[column] = [*row[column], value]
            for column, value in want.get("pull", {}).items():
                row[column] = [item for item in row[column] if item != value]

    def held(self, state: State) -> list[bool]:
        """Say which wants hold in a state."""
        spare = {table: Counter(_mark(row) for row in self._new(state, table)) for table in state}
        return [self._holds(want, state, spare) for want in self._wants]

    def _new(self, state: State, table: str) -> list[dict[str, Json]]:
        return [row for key, row in state[table].items() if key not in self._first[table]]

    def _holds(self, want: Mapping[str, Any], state: State, spare: dict[str, Counter[str]]) -> bool:
        table = want["table"]
        if "new" in want:
            wanted = next(_mark(row) for row in self.made[table] if want["new"].items() <= row.items())
            spare[table][wanted] -= 1
            return spare[table][wanted] >= 0
        if want.get("gone"):
            return want["id"] not in state[table]
        row, goal = state[table].get(want["id"]), self.state[table][want["id"]]
        columns = [column for way in ("set", "push", "pull") for column in want.get(way, ())]
        return row is not None and all(_alike(row[column], goal[column]) for column in columns)

    def wrong(self, state: State) -> int:
        """Count the rows that a state has changed, removed or added and that should not be so."""
        count = 0
        for table, rows in self._first.items():
            for key, before in rows.items():
                goal, now = self.state[table].get(key), state[table].get(key)
                if now is before or now == before:
                    continue
                if goal is None:
                    count += now is not None
                else:
                    count += now is None or not _between(before, now, goal)
            new = self._new(state, table)
            if new:
                count += (Counter(_mark(row) for row in new) - self._wanted[table]).total()
        return count


def _between(before: Mapping[str, Json], now: Mapping[str, Json], goal: Mapping[str, Json]) -> bool:
    """Say whether each cell is as it was, or as it should become."""
    return all(_alike(cell, before[column]) or _alike(cell, goal[column]) for column, cell in now.items())


def _alike(one: Json, other: Json) -> bool:
    return one is other or norm(one) == norm(other)
