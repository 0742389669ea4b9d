"""The forms in which a domain is written: tables, read-only functions over them, and families of questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from acgym.types import Json


class Names(NamedTuple):
    """A column of names, no two rows alike; the pool is divided between evaluation and training."""

    pool: tuple[str, ...]


class People(NamedTuple):
    """A column of names of people, no two rows alike."""


class Pick(NamedTuple):
    """A column that holds one of a few words."""

    options: tuple[str, ...]


class Whole(NamedTuple):
    """A column of whole numbers, both ends included."""

    low: int
    high: int
    step: int = 1


class Day(NamedTuple):
    """A column of dates (ISO), both ends included; ``empty`` is the share of rows that have none."""

    first: str
    last: str
    empty: float = 0.0


class Ref(NamedTuple):
    """A column that holds the id of a row of another table; ``empty`` is the share of rows that have none."""

    table: str
    empty: float = 0.0


Column = Names | People | Pick | Whole | Day | Ref


@dataclass(frozen=True)
class Table:
    """One kind of thing in a database."""

    prefix: str
    """What its ids begin with; no two tables of a domain share it."""
    rows: int
    """How many there are at level 3; other levels have more or fewer."""
    columns: dict[str, Column]
    label: str | None = None
    """The column of names by which people know a row; None where rows have no name."""
    unique: tuple[str, ...] = ()
    """Columns that no two rows share all values of."""
    differ: tuple[str, str] | None = None
    """Two columns that never hold the same."""


@dataclass(frozen=True)
class Tool:
    """One read-only function: the rows of a table that its arguments choose."""

    name: str
    says: str
    """What its description says."""
    table: str
    args: dict[str, tuple[str, str, str]]
    """Argument -> (column, how it is compared, what the description says). Comparisons: ``is``, ``has`` (a part of a
    text, any case), ``min``, ``max`` (numbers and dates, the bound included)."""
    shows: tuple[str, ...]
    """Columns of the rows that it gives, besides the id; ``*`` for all."""
    needs: tuple[str, ...] = ()
    """Arguments that must be given."""
    one: bool = False
    """Whether it gives one record, and not a list."""


@dataclass(frozen=True)
class Family:
    """One kind of question: its meaning as a tree, and the ways to ask it.

    Trees of rows: ``["all", table]``, ``["where", rows, column, comparison, value]``, ``["of", rows, table, column]``
    (rows of the table whose column holds one of the rows), ``["to", rows, column]`` (what the rows' column points at),
    ``["minus", rows, rows]``, ``["both", rows, rows]``, ``["top", rows, column, "max" | "min"]``,
    ``["most", rows, table, column, conditions, "max" | "min"]`` (the row that most rows of the table point at).
    Trees of values: ``["count", rows]``, ``["value", row, column]``, ``["sum", rows, column]``,
    ``["gap", row, row, column]`` (how far apart two numbers or dates, in days, are), ``["span", row, column, column]``
    (days from one date to another).
    """

    level: int
    tree: Json
    params: dict[str, str]
    """Parameter -> where its value comes from: ``table`` (the name of a row), ``table.column`` (a value of a row),
    ``table.column month`` or ``year`` (of a date). ``$name`` in the tree stands for it, ``{name}`` in the wordings."""
    wordings: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """A database with its functions and its questions."""

    name: str
    tables: dict[str, Table]
    tools: tuple[Tool, ...]
    families: tuple[Family, ...]
    words: dict[str, str] = field(default_factory=dict)
    """Value -> how people say it, where that differs from what is stored."""


def named(table: str, column: str, parameter: str) -> Json:
    """Return the tree of the one row of that name."""
    return ["where", ["all", table], column, "is", parameter]


def where(rows: Json, column: str, how: str, wanted: Json) -> Json:
    """Return the tree of those rows whose cell is as wanted."""
    return ["where", rows, column, how, wanted]


def of(rows: Json, table: str, column: str) -> Json:
    """Return the tree of the table's rows that point at one of the rows."""
    return ["of", rows, table, column]


def to(rows: Json, column: str) -> Json:
    """Return the tree of what the rows point at."""
    return ["to", rows, column]


def top(rows: Json, column: str, way: str) -> Json:
    """Return the tree of the one row with the largest or the smallest value."""
    return ["top", rows, column, way]


def count(rows: Json) -> Json:
    """Return the tree of how many rows there are."""
    return ["count", rows]


def value(row: Json, column: str) -> Json:
    """Return the tree of a cell."""
    return ["value", row, column]


def words(text: str, mark: str | None = None) -> tuple[str, ...]:
    """Return the words of a text, or what stands between marks."""
    return tuple(text.split(mark))
