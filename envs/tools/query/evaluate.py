"""What a question means: a tree is evaluated over rows, wherever they come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from acgym.types import Json

Rows = Mapping[str, Mapping[str, Json]]
"""Id -> column -> value."""


class Unfit(Exception):
    """The tree has no single answer over these rows: no row or several where one is meant, a tie, no value."""


class Source(ABC):
    """Where an evaluation gets rows and cells from."""

    @abstractmethod
    def every(self, table: str, column: str | None = None, value: Json = None) -> list[str]:
        """Return the ids of a table's rows; only those whose column has the value, if one is named."""

    @abstractmethod
    def pointing(self, ids: list[str], table: str, column: str) -> list[list[str]]:
        """Return, for each id, the ids of the table's rows whose column holds it."""

    @abstractmethod
    def cells(self, ids: list[str], column: str) -> list[Json]:
        """Return the values of a column."""


def compared(value: Json, how: str, wanted: Json) -> bool:
    """Say whether a cell is as wanted; an empty cell only equals nothing (``is`` None).

    Comparisons: ``is``, ``not``, ``over``, ``under``, ``min``, ``max``, ``has``, ``in`` (a date in a month or year).
    """
    if how == "is":
        return bool(value == wanted)
    if value is None:
        return False
    if how == "has":
        return str(wanted).casefold() in str(value).casefold()
    if how == "in":
        return str(value).startswith(f"{wanted}-")
    tests: dict[str, Callable[[], bool]] = {
        "not": lambda: value != wanted,
        "over": lambda: value > wanted,
        "under": lambda: value < wanted,
        "min": lambda: value >= wanted,
        "max": lambda: value <= wanted,
    }
    return tests[how]()


def rows_of(tree: Json, source: Source) -> list[str]:
    """Return the ids of the rows that a tree of rows means, without repetition.

    Raises:
        Unfit: if a superlative has no row, or a tie.
    """
    kind = tree[0]
    if kind == "all":
        return source.every(tree[1])
    if kind == "where":
        _, inner, column, how, wanted = tree
        if inner[0] == "all" and how == "is":
            return source.every(inner[1], column, wanted)
        ids = rows_of(inner, source)
        cells = source.cells(ids, column)
        return [key for key, value in zip(ids, cells, strict=True) if compared(value, how, wanted)]
    if kind == "of":
        _, inner, table, column = tree
        return _once(key for found in source.pointing(rows_of(inner, source), table, column) for key in found)
    if kind == "to":
        return _once(key for key in source.cells(rows_of(tree[1], source), tree[2]) if key is not None)
    if kind in ("minus", "both"):
        first, second = rows_of(tree[1], source), rows_of(tree[2], source)
        return [key for key in first if (key in second) == (kind == "both")]
    if kind == "top":
        ids = rows_of(tree[1], source)
        return [_best(ids, source.cells(ids, tree[2]), tree[3])]
    assert kind == "most", kind
    return [_most(tree, source)]


def answer_of(tree: Json, source: Source) -> Json:
    """Return the value that a tree of values means.

    Raises:
        Unfit: if it has no value, or more than one.
    """
    kind = tree[0]
    if kind == "count":
        return len(rows_of(tree[1], source))
    if kind == "sum":
        ids = rows_of(tree[1], source)
        return sum(_given(source.cells(ids, tree[2])))
    if kind == "value":
        return _single(tree[1], source, tree[2])
    if kind == "span":
        key = _one(rows_of(tree[1], source))
        first, last = _given([*source.cells([key], tree[2]), *source.cells([key], tree[3])])
        return _days(first, last)
    assert kind == "gap", kind
    first, last = _single(tree[1], source, tree[3]), _single(tree[2], source, tree[3])
    return _days(first, last) if isinstance(first, str) else abs(first - last)


def _most(tree: Json, source: Source) -> str:
    """Return the row that the most (or fewest) rows of another table point at, of those that meet conditions."""
    _, inner, table, column, conditions, way = tree
    ids = rows_of(inner, source)
    groups = source.pointing(ids, table, column)
    every = _once(key for group in groups for key in group)
    held = set(every)
    for name, how, wanted in conditions:
        cells = source.cells(every, name)
        held &= {key for key, value in zip(every, cells, strict=True) if compared(value, how, wanted)}
    return _best(ids, [sum(key in held for key in group) for group in groups], way)


def _best(ids: list[str], values: list[Any], way: str) -> str:
    pairs = [(value, key) for key, value in zip(ids, values, strict=True) if value is not None]
    if not pairs:
        raise Unfit("no row has a value")
    best = max(value for value, _ in pairs) if way == "max" else min(value for value, _ in pairs)
    return _one([key for value, key in pairs if value == best])


def _single(tree: Json, source: Source, column: str) -> Any:
    return _given(source.cells([_one(rows_of(tree, source))], column))[0]


def _one(ids: list[str]) -> str:
    if len(ids) != 1:
        raise Unfit(f"{len(ids)} rows where one is meant")
    return ids[0]


def _given(values: list[Json]) -> list[Any]:
    if any(value is None for value in values):
        raise Unfit("an empty cell")
    return values


def _days(first: str, last: str) -> int:
    return abs((date.fromisoformat(last) - date.fromisoformat(first)).days)


def _once(keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(keys))
