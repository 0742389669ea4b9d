"""The read-only functions of a domain: how they are described to an agent, and what a call gives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from acgym.envs.tools.query import conference, films, hospital, parks, shipping, weather
from acgym.envs.tools.query.evaluate import compared
from acgym.envs.tools.query.schema import Day, Domain, Pick, Ref, Tool, Whole
from acgym.text import excerpt
from acgym.types import Json, ToolSpec

DOMAINS: dict[str, Domain] = {
    module.DOMAIN.name: module.DOMAIN for module in (conference, films, hospital, parks, shipping, weather)
}  # fmt: skip
"""Every domain by its name."""

PAGE = "page"
"""Argument of every function that gives a list: which page of it."""


def specs(name: str, wanted: Sequence[str]) -> tuple[ToolSpec, ...]:
    """Return the specs of those functions of a domain, as new objects."""
    written = _written(name)
    return tuple(json.loads(written[tool]) for tool in wanted)


@cache
def _written(name: str) -> dict[str, str]:
    return {tool.name: json.dumps(_spec(DOMAINS[name], tool)) for tool in DOMAINS[name].tools}


@cache
def tools(name: str) -> dict[str, Tool]:
    """Return a domain's functions by name."""
    return {tool.name: tool for tool in DOMAINS[name].tools}


def _spec(domain: Domain, tool: Tool) -> ToolSpec:
    columns = domain.tables[tool.table].columns
    properties: dict[str, Json] = {}
    for name, (column, _, says) in tool.args.items():
        kind = columns.get(column)
        form: dict[str, Json] = {"type": "integer" if isinstance(kind, Whole) else "string", "description": says}
        if isinstance(kind, Pick):
            form["enum"] = list(dict.fromkeys(kind.options))
        elif isinstance(kind, Day):
            form["pattern"] = r"^\d{4}-\d{2}-\d{2}$"
        properties[name] = form
    if not tool.one:
        properties[PAGE] = {"type": "integer", "minimum": 1, "description": "page of the list, the first if left out"}
    parameters = {
        "type": "object", "properties": properties, "required": list(tool.needs), "additionalProperties": False,
    }  # fmt: skip
    return {"type": "function", "function": {"name": tool.name, "description": tool.says, "parameters": parameters}}


def shown(domain: Domain, tool: Tool) -> tuple[str, ...]:
    """Return the columns that a function shows of each row."""
    return tuple(domain.tables[tool.table].columns) if tool.shows == ("*",) else tool.shows


def field(domain: Domain, table: str, column: str) -> str:
    """Return what a column is called in results."""
    return f"{column}_id" if isinstance(domain.tables[table].columns[column], Ref) else column


def run(
    domain: Domain,
    tool: Tool,
    tables: Mapping[str, Mapping[str, Mapping[str, Json]]],
    args: Mapping[str, Any],
    size: int,
) -> Json:
    """Return what a call gives: a record, or ``{"rows": [...]}`` with ``page`` and ``pages`` if there are several.

    Args:
        domain: whose function it is.
        tool: which function.
        tables: the database.
        args: arguments that fit its schema.
        size: rows on a page.

    Returns:
        JSON; ``{"error": sentence}`` for an id that does not exist there, or a page that does not.
    """
    rows = tables[tool.table]
    columns = domain.tables[tool.table].columns
    tests = []
    for name, value in args.items():
        if name == PAGE:
            continue
        column, how, _ = tool.args[name]
        kind = columns.get(column)
        target = tool.table if column == "id" else kind.table if isinstance(kind, Ref) else None
        if target is not None and value not in tables[target]:
            return {"error": f"there is no {target} with the id {excerpt(str(value))}"}
        tests.append((column, how, value))
    if tool.one:
        key = next(value for column, _, value in tests if column == "id")
        return {"id": key, **_record(domain, tool, rows[key])}
    found = [key for key, row in rows.items() if all(compared(row[c], how, value) for c, how, value in tests)]
    page, pages = args.get(PAGE, 1), max(1, -(-len(found) // size))
    if page > pages:
        return {"error": f"there is no page {page}: the list has {pages}"}
    part = found[(page - 1) * size : page * size]
    told = {"rows": [{"id": key, **_record(domain, tool, rows[key])} for key in part]}
    return told if pages == 1 else {**told, "page": page, "pages": pages}


def _record(domain: Domain, tool: Tool, row: Mapping[str, Json]) -> dict[str, Json]:
    return {field(domain, tool.table, column): row[column] for column in shown(domain, tool)}
