"""Draws the questions: a database, a family of questions, what it asks about, and the words of somebody who asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from acgym.draw import Draw
from acgym.envs.spoken import MONTHS
from acgym.envs.tools.query.evaluate import Unfit, answer_of, rows_of
from acgym.envs.tools.query.functions import DOMAINS, specs
from acgym.envs.tools.query.schema import Domain, Family, Ref
from acgym.envs.tools.query.stock import Stored, draw_rows
from acgym.envs.tools.voices import VOICES, dress, kept
from acgym.types import Json, Split, Task

TOOLS = {1: 6, 2: 7, 3: 8, 4: 9, 5: 10}
"""Functions that the agent has; all of those that the question may need are among them."""
PAGE_SIZE = {1: 20, 2: 20, 3: 10, 4: 8, 5: 8}
"""Rows on a page of a list."""
_KEPT = {0: 0.06, 1: 0.15, 2: 0.3, 3: 0.6}
"""Share of the counts of that size that are kept; if all were, a small number would be a good guess."""


def draw_question(draw: Draw, split: Split, level: int) -> Task:
    """Draw a task.

    Returns:
        A task whose ``data`` holds ``domain``, ``tables`` and ``page`` (rows on a page), whose ``reference`` holds
        ``tree`` (the meaning, see :class:`~acgym.envs.tools.query.schema.Family`) and ``answer``.
    """
    domain = DOMAINS[draw.pick(_NAMES)]
    number, family = draw.pick(_families(domain.name, level))
    while True:
        tables = draw_rows(draw, split, domain, level)
        stored = Stored(tables)
        for _ in range(12):
            values = _values(draw, domain, family, tables)
            if values is None:
                continue
            tree = _filled(family.tree, values)
            answer = _fitting(draw, tree, stored)
            if answer is not None:
                goal = _words(draw, domain, family, tables, values)
                data = {"domain": domain.name, "tables": tables, "page": PAGE_SIZE[level]}
                reference = {"tree": tree, "answer": answer}
                offered = specs(domain.name, _offered(draw, domain, tree, level))
                return Task(f"{domain.name} {number}", goal, data, reference, offered)


_NAMES = tuple(DOMAINS)


@cache
def _families(name: str, level: int) -> tuple[tuple[int, Family], ...]:
    return tuple((i, family) for i, family in enumerate(DOMAINS[name].families) if family.level == level)


def _values(draw: Draw, domain: Domain, family: Family, tables: Mapping[str, Any]) -> dict[str, Json] | None:
    """Draw what the question is about; None if two names are the same, or a cell is empty."""
    values: dict[str, Json] = {}
    for name, where in family.params.items():
        table, _, rest = where.partition(".")
        column, _, part = rest.partition(" ")
        row = draw.pick(list(tables[table].values()))
        value = row[column or str(domain.tables[table].label)]
        if value is None or value in values.values():
            return None
        values[name] = value[: {"month": 7, "year": 4}[part]] if part else value
    return values


def _filled(tree: Json, values: Mapping[str, Json]) -> Json:
    """Put values in the places of a tree."""
    if isinstance(tree, (list, tuple)):
        return [_filled(item, values) for item in tree]
    return values[tree[1:]] if isinstance(tree, str) and tree.startswith("$") else tree


def _fitting(draw: Draw, tree: Json, stored: Stored) -> Json:
    """Return the answer if the question is a fair one and every part of it matters, else None."""
    try:
        answer = answer_of(tree, stored)
        if tree[0] in ("count", "sum"):
            if not draw.chance(_KEPT.get(answer, 1.0)):
                return None
            if not _matters(tree[1], stored):
                return None
        elif tree[0] == "gap" and not answer:
            return None
    except Unfit:
        return None
    return answer


def _matters(tree: Json, stored: Stored) -> bool:
    """Say whether leaving out the last condition would change which rows are meant."""
    if tree[0] in ("minus", "where", "both") and not (tree[0] == "where" and tree[1][0] == "all"):
        return len(rows_of(tree, stored)) < len(rows_of(tree[1], stored))
    return tree[0] not in ("of", "to") or _matters(tree[1], stored) or tree[1][0] == "where"


def _offered(draw: Draw, domain: Domain, tree: Json, level: int) -> list[str]:
    """Choose the functions that the agent has, in random order."""
    touched = tables_of(domain, tree)
    needed = [tool.name for tool in domain.tools if tool.table in touched]
    others = [tool.name for tool in domain.tools if tool.table not in touched]
    more = max(0, min(len(others), TOOLS[level] - len(needed)))
    return draw.shuffled([*needed, *draw.sample(others, more)])


def tables_of(domain: Domain, tree: Json) -> set[str]:
    """Return the tables whose rows a tree is about."""
    found: set[str] = set()

    def visit(node: Json) -> str:
        if node[0] == "all":
            found.add(node[1])
            return str(node[1])
        inner = visit(node[1])
        if node[0] in ("minus", "both", "gap"):
            visit(node[2])
        if node[0] == "of":
            inner = str(node[2])
        elif node[0] == "most":
            found.add(node[2])
        elif node[0] == "to":
            kind = domain.tables[inner].columns[node[2]]
            assert isinstance(kind, Ref)
            inner = kind.table
        found.add(inner)
        return inner

    visit(tree)
    return found


def _words(draw: Draw, domain: Domain, family: Family, tables: Mapping[str, Any], values: Mapping[str, Json]) -> str:
    """Write the question as somebody asks it."""
    voice = draw.pick(VOICES)
    wording = draw.pick(family.wordings)
    taken_back = None
    if voice.corrects:
        for _ in range(4):
            others = _values(draw, domain, family, tables)
            if others is not None and not set(map(str, others.values())) & set(map(str, values.values())):
                taken_back = _asked(wording, others)
                break
    return dress(draw, voice, [_asked(wording, values)], taken_back)


def _asked(wording: str, values: Mapping[str, Json]) -> str:
    return wording.format(**{name: kept(in_words(value)) for name, value in values.items()})


def in_words(value: Json) -> str:
    """Say a value as people do: a date as ``14 March 2030``, a month as ``March 2030``, all else as it is."""
    if isinstance(value, str) and value[:4].isdigit() and value.count("-") == 2:
        day = date.fromisoformat(value)
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    if isinstance(value, str) and value[:4].isdigit() and value.count("-") == 1:
        return f"{MONTHS[int(value[5:]) - 1]} {value[:4]}"
    return str(value)
