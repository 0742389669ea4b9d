"""Tables of records that calls change: all episodes share the data's state, each holds its own changes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from acgym.envs.tools.tau2_refused import Refused

Record = dict[str, Any]


class Tables(dict[str, dict[str, Record]]):
    """The state that every task begins in: table -> id -> record. Never changed, and so never copied."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Tables:
        """Return the tables themselves."""
        return self


class Records:
    """The tables as an episode sees them.

    Args:
        tables: the state that it begins in.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._own: dict[tuple[str, str], Record] = {}

    def find(self, table: str, key: str) -> Record | None:
        """Return a record to be read, not changed; None if there is none."""
        own = self._own.get((table, key))
        return own if own is not None else self._tables[table].get(key)

    def get(self, table: str, key: str) -> Record:
        """Return a record to be read, not changed.

        Raises:
            Refused: if there is none.
        """
        found = self.find(table, key)
        if found is None:
            raise Refused(f"there is no {table.removesuffix('s')} {key[:60]!r}")
        return found

    def edit(self, table: str, key: str) -> Record:
        """Return a record to be changed.

        Raises:
            Refused: if there is none.
        """
        if (table, key) not in self._own:
            self._own[table, key] = deepcopy(self.get(table, key))
        return self._own[table, key]

    def put(self, table: str, key: str, record: Record) -> None:
        """Add a record."""
        self._own[table, key] = record

    def rows(self, table: str) -> Iterator[tuple[str, Record]]:
        """Yield id and record of a table, those of the data first."""
        for key, record in self._tables[table].items():
            yield key, self._own.get((table, key), record)
        for (name, key), record in self._own.items():
            if name == table and key not in self._tables[table]:
                yield key, record

    def changes(self) -> Mapping[tuple[str, str], Record]:
        """Return what differs from the beginning: (table, id) -> record."""
        return {
            (table, key): record for (table, key), record in self._own.items() if self._tables[table].get(key) != record
        }
