"""Draws the rows of a database, and the rows themselves as a source of answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

from acgym.draw import Draw
from acgym.envs.tools.query.evaluate import Rows, Source
from acgym.envs.tools.query.pools import FIRST_NAMES, LAST_NAMES
from acgym.envs.tools.query.schema import Column, Day, Domain, Names, People, Pick, Ref, Table, Whole
from acgym.types import Json, Split

SIZE = {1: 0.6, 2: 0.8, 3: 1.0, 4: 1.5, 5: 1.75}
"""Rows of a table without names, as a multiple of what the domain states; the square root of it for one with names."""


@cache
def share(pool: tuple[str, ...], split: Split) -> tuple[str, ...]:
    """Return the names of a pool that belong to a split: every second one."""
    return pool[0::2] if split == "eval" else pool[1::2]


def draw_rows(draw: Draw, split: Split, domain: Domain, level: int) -> dict[str, dict[str, dict[str, Json]]]:
    """Draw a database: table -> id -> column -> value. Ids are drawn too, so that no id tells an order."""
    sizes = {
        name: max(3, round(table.rows * (SIZE[level] if table.label is None else SIZE[level] ** 0.5)))
        for name, table in domain.tables.items()
    }
    ids = {name: _ids(draw, domain.tables[name].prefix, count) for name, count in sizes.items()}
    return {name: _table(draw, split, table, ids[name], ids) for name, table in domain.tables.items()}


def _ids(draw: Draw, prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in draw.sample(range(100, 1000), count)]


def _table(
    draw: Draw, split: Split, table: Table, keys: list[str], ids: dict[str, list[str]]
) -> dict[str, dict[str, Json]]:
    columns = {name: _column(draw, split, column, len(keys), ids) for name, column in table.columns.items()}
    rows: dict[str, dict[str, Json]] = {}
    seen: set[tuple[Json, ...]] = set()
    for i, key in enumerate(keys):
        row = {name: values[i] for name, values in columns.items()}
        if table.differ and row[table.differ[0]] == row[table.differ[1]]:
            continue
        if table.unique:
            mark = tuple(row[name] for name in table.unique)
            if mark in seen:
                continue
            seen.add(mark)
        rows[key] = row
    return rows


def _column(draw: Draw, split: Split, column: Column, count: int, ids: dict[str, list[str]]) -> list[Json]:
    if isinstance(column, Names):
        return list(draw.sample(share(column.pool, split), count))
    if isinstance(column, People):
        lasts = draw.sample(share(LAST_NAMES, split), count)
        return [f"{draw.pick(FIRST_NAMES)} {last}" for last in lasts]
    if isinstance(column, Pick):
        return [draw.pick(column.options) for _ in range(count)]
    if isinstance(column, Whole):
        steps = (column.high - column.low) // column.step
        return [column.low + column.step * draw.between(0, steps) for _ in range(count)]
    if isinstance(column, Ref):
        pool = ids[column.table]
        return [None if column.empty and draw.chance(column.empty) else draw.pick(pool) for _ in range(count)]
    days = _days(column)
    return [None if column.empty and draw.chance(column.empty) else draw.pick(days) for _ in range(count)]


@cache
def _days(column: Day) -> tuple[str, ...]:
    first, last = date.fromisoformat(column.first).toordinal(), date.fromisoformat(column.last).toordinal()
    return tuple(date.fromordinal(day).isoformat() for day in range(first, last + 1))


class Stored(Source):
    """The whole database as a source: what the answers are made from."""

    def __init__(self, tables: Mapping[str, Rows]) -> None:
        self._tables = tables
        self._row = {key: row for rows in tables.values() for key, row in rows.items()}
        self._index: dict[tuple[str, str], dict[Json, list[str]]] = {}

    def every(self, table: str, column: str | None = None, value: Json = None) -> list[str]:
        """Return ids of rows."""
        rows = self._tables[table]
        return [key for key, row in rows.items() if column is None or row[column] == value]

    def pointing(self, ids: list[str], table: str, column: str) -> list[list[str]]:
        """Return rows that point at each id."""
        index = self._index.get((table, column))
        if index is None:
            index = self._index[table, column] = {}
            for key, row in self._tables[table].items():
                index.setdefault(row[column], []).append(key)
        return [index.get(key, []) for key in ids]

    def cells(self, ids: list[str], column: str) -> list[Json]:
        """Return values of a column."""
        return [self._row[key][column] for key in ids]
