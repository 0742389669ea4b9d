"""The cells that an answer rests on, and which of them results have shown."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.envs.tools.query.evaluate import Rows, answer_of
from acgym.envs.tools.query.functions import shown
from acgym.envs.tools.query.schema import Domain, Ref, Tool
from acgym.envs.tools.query.stock import Stored
from acgym.envs.tools.query.tasks import tables_of
from acgym.types import Json


class Evidence:
    """What the answer to a question rests on.

    Args:
        domain: the domain.
        tables: the database.
        tree: the meaning of the question.
    """

    def __init__(self, domain: Domain, tables: Mapping[str, Rows], tree: Json) -> None:
        traced = _Traced(tables)
        answer_of(tree, traced)
        self._domain = domain
        self._needed = traced.touched
        self._seen: set[tuple[str, str]] = set()
        about = tables_of(domain, tree)
        through = {
            column.table for name in about for column in domain.tables[name].columns.values() if isinstance(column, Ref)
        }  # fmt: skip
        self.tables = about | through
        """Tables that have a part in the question, or that its rows can be reached through."""

    @property
    def share(self) -> float:
        """Share of the needed cells that have been seen, in [0, 1]."""
        return len(self._seen) / len(self._needed)

    def see(self, tool: Tool, args: Mapping[str, Json], result: Json) -> None:
        """Note the cells that a result shows; what was asked for by an id or a word is known of each row too."""
        columns = [*shown(self._domain, tool), *[tool.args[name][0] for name in args if name in tool.args]]
        for row in [result] if tool.one else result["rows"]:
            self._seen.update({(row["id"], column) for column in columns} & self._needed)


class _Traced(Stored):
    """The database as a source that notes which cells are read."""

    def __init__(self, tables: Mapping[str, Rows]) -> None:
        super().__init__(tables)
        self.touched: set[tuple[str, str]] = set()

    def every(self, table: str, column: str | None = None, value: Json = None) -> list[str]:
        """Return ids of rows; the column of those found was read."""
        found = super().every(table, column, value)
        if column is not None:
            self.touched |= {(key, column) for key in found}
        return found

    def pointing(self, ids: list[str], table: str, column: str) -> list[list[str]]:
        """Return rows that point at each id."""
        found = super().pointing(ids, table, column)
        self.touched |= {(key, column) for group in found for key in group}
        return found

    def cells(self, ids: list[str], column: str) -> list[Json]:
        """Return values of a column."""
        self.touched |= {(key, column) for key in ids}
        return super().cells(ids, column)
