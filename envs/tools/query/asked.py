"""The database as an agent sees it: rows that calls have shown, and what has to be called next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from acgym.envs.tools.query.evaluate import Source
from acgym.envs.tools.query.functions import PAGE, field, shown
from acgym.envs.tools.query.schema import Domain, Ref, Tool
from acgym.types import Call, Json, canonical_json


class Missing(Exception):
    """The evaluation cannot go on before these calls are made."""

    def __init__(self, calls: list[Call]) -> None:
        super().__init__(f"{len(calls)} calls")
        self.calls = calls


def call_key(name: str, args: Mapping[str, Json]) -> str:
    """Return the canonical text of a call; the first page is the list without one."""
    return canonical_json([name, {key: value for key, value in args.items() if key != PAGE or value != 1}])


class Asked(Source):
    """Rows that calls have shown.

    Args:
        domain: the domain.
        offered: names of the functions that the agent has.
        heard: canonical call -> its result, see :func:`call_key`.
    """

    def __init__(self, domain: Domain, offered: Collection[str], heard: Mapping[str, Json]) -> None:
        self._domain = domain
        self._tools = [tool for tool in domain.tools if tool.name in offered]
        self._heard = heard
        self._known: dict[str, dict[str, Json]] = {}
        self._missing: list[Call] = []

    def every(self, table: str, column: str | None = None, value: Json = None) -> list[str]:
        """Return ids of rows, through the narrowest function that lists them."""
        if column is not None:
            for tool in self._lists(table):
                arg = self._arg(tool, column)
                if arg is not None and set(tool.needs) <= {arg}:
                    ids = self._call(tool, {arg: value})
                    self._settle()
                    return [key for key in ids if self._known[key].get(column, value) == value]
            ids = self.every(table)
            cells = self.cells(ids, column)
            return [key for key, cell in zip(ids, cells, strict=True) if cell == value]
        for tool in self._lists(table):
            if not tool.needs:
                ids = self._call(tool, {})
                self._settle()
                return ids
        tool, arg, other = self._through(table)
        found = [self._call(tool, {arg: key}) for key in self.every(other)]
        self._settle()
        return list(dict.fromkeys(key for ids in found for key in ids))

    def pointing(self, ids: list[str], table: str, column: str) -> list[list[str]]:
        """Return rows that point at each id."""
        for tool in self._lists(table):
            arg = self._arg(tool, column)
            if arg is not None and set(tool.needs) <= {arg}:
                found = [self._call(tool, {arg: key}) for key in ids]
                self._settle()
                return found
        every = self.every(table)
        cells = self.cells(every, column)
        return [[key for key, cell in zip(every, cells, strict=True) if cell == wanted] for wanted in ids]

    def cells(self, ids: list[str], column: str) -> list[Json]:
        """Return values of a column; rows of which it is not known are looked up."""
        for key in ids:
            if column not in self._known.get(key, ()):
                self._look_up(key, column)
        self._settle()
        return [self._known[key][column] for key in ids]

    def _look_up(self, key: str, column: str) -> None:
        table = next(name for name, table in self._domain.tables.items() if key.startswith(table.prefix))
        for tool in self._tools:
            if tool.table == table and tool.one:
                self._call(tool, {next(iter(tool.args)): key})
                return
        for tool in self._lists(table):
            if not tool.needs and column in shown(self._domain, tool):
                self._call(tool, {})
                return
        raise LookupError(f"no function shows {column} of {table}")

    def _lists(self, table: str) -> list[Tool]:
        return [tool for tool in self._tools if tool.table == table and not tool.one]

    def _arg(self, tool: Tool, column: str) -> str | None:
        """Return the argument that chooses rows by a column; a part of a text does too, since the column is shown."""
        return next((name for name, (at, how, _) in tool.args.items() if at == column and how in ("is", "has")), None)

    def _through(self, table: str) -> tuple[Tool, str, str]:
        """Return a function that lists rows of one other thing, its argument, and that thing's table."""
        columns = self._domain.tables[table].columns
        for tool in self._lists(table):
            kind = columns.get(tool.args[tool.needs[0]][0])
            if len(tool.needs) == 1 and isinstance(kind, Ref):
                return tool, tool.needs[0], kind.table
        raise LookupError(f"no function lists {table}")

    def _call(self, tool: Tool, args: dict[str, Any]) -> list[str]:
        """Return the ids that a call gives, over all pages; what has not been heard is noted as missing."""
        ids: list[str] = []
        page, pages = 1, 1
        while page <= pages:
            given = args if page == 1 else {**args, PAGE: page}
            result = self._heard.get(call_key(tool.name, given))
            if result is None:
                self._missing.append(Call(tool.name, given))
            else:
                pages = result.get("pages", 1)
                ids += [self._note(tool, args, row) for row in ([result] if tool.one else result["rows"])]
            page += 1
        return ids

    def _note(self, tool: Tool, args: Mapping[str, Json], row: Mapping[str, Json]) -> str:
        known = self._known.setdefault(row["id"], {})
        for column in shown(self._domain, tool):
            known[column] = row[field(self._domain, tool.table, column)]
        for name, value in args.items():
            column, how, _ = tool.args[name]
            if how == "is" and column != "id":
                known[column] = value
        return str(row["id"])

    def _settle(self) -> None:
        """Stop if calls are missing."""
        if self._missing:
            keys = {call_key(call.name, call.arguments): call for call in self._missing}
            raise Missing(list(keys.values()))
