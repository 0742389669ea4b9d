"""The files of tau2's retail and airline domains: which tasks can be played without a customer, state and policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from acgym.envs.tools.desk.records import Records, Tables
from acgym.envs.tools.desk.tools import Tool
from acgym.envs.tools.schema import fault
from acgym.envs.tools.tau2_files import read_json, read_text
from acgym.envs.tools.tau2_refused import Refused
from acgym.rows import BadRow, Row

BASES = ("DB", "COMMUNICATE", "ACTION")
"""What a reward may rest on here: the records at the end, what the customer is told, calls that are asked for."""
DEFAULT_BASIS = ("DB", "COMMUNICATE")
"""Of a task that names none, as in the files that inspect-evals carries and its scorer counts them."""
_PARTS = ("reason_for_call", "known_info", "unknown_info", "task_instructions")
_WORDS = r"agent|representative|service|asked|asks|offers?|says?|tells?|refuses?|denies|insists?|they"
ON_THE_AGENT = re.compile(
    rf"\b(?:if|when|whenever|unless|until|once|before|after|only)\b[^.;\n]{{0,200}}\b(?:{_WORDS})\b", re.IGNORECASE
)
"""A customer's instruction that rests on what the agent says or asks: it takes a customer to play it."""


class Domain(NamedTuple):
    """A domain: the folder of its files, its tables and tools."""

    name: str
    tables: Mapping[str, tuple[str, ...]]
    """Table -> fields that each record must have."""
    tools: Mapping[str, Tool]


class Tasks(NamedTuple):
    """The tasks of a subset."""

    played: tuple[Row, ...]
    not_played: Mapping[str, str]
    """Id of each other task -> why it is not."""


def domain_folder(folder: Path, name: str) -> Path:
    """Return the folder of a domain's files: the one given, or the domain's in it."""
    return folder / name if (folder / name).is_dir() else folder


def read_tasks(folder: Path, subset: str) -> Tasks:
    """Read the tasks whose ids the data's split file lists, those that can be played apart from the others.

    Raises:
        FileNotFoundError: if a file is not there.
        ValueError: for a name that is not in the split file; BadRow for a file that is malformed.
    """
    splits, file = folder / "split_tasks.json", folder / "tasks.json"
    named, values = read_json(splits), read_json(file)
    if not isinstance(named, dict):
        raise BadRow(f"{splits}: it must be an object of lists of ids")
    if not isinstance(subset, str) or subset not in named:
        raise ValueError(f"subset must be one of {', '.join(named)}, got {subset!r}")
    if not isinstance(values, list) or not isinstance(named[subset], list):
        raise BadRow(f"{file if isinstance(named[subset], list) else splits}: it must be a list")
    rows: dict[str, Row] = {}
    for place, value in enumerate(values, 1):
        if not isinstance(value, dict) or not isinstance(value.get("id"), str):
            raise BadRow(f"{file}, row {place} of the list: a task must be an object with an 'id' that is a text")
        row = Row(file, place, value["id"], value, listed=True)
        if row.id in rows:
            raise row.bad(f"{rows[row.id].place} has the same id")
        rows[row.id] = row
    if not all(isinstance(one, str) for one in named[subset]):
        raise BadRow(f"{splits}: {subset!r} must be a list of ids that are texts")
    missing = [one for one in named[subset] if one not in rows]
    if missing:
        raise BadRow(f"{splits}: {subset!r} lists {missing[0]!r}, which tasks.json does not have")
    why = {one: reason for one in named[subset] if (reason := not_playable(rows[one])) is not None}
    return Tasks(tuple(rows[one] for one in named[subset] if one not in why), why)


def not_playable(row: Row) -> str | None:
    """Say why a task needs a judge or a simulated customer; None if it needs neither.

    Raises:
        BadRow: if it has no instructions or criteria.
    """
    rests = basis(row)
    odd = [one for one in rests if one not in BASES]
    if odd:
        return f"its reward rests on {', '.join(odd)}, which a judge model gives"
    found = ON_THE_AGENT.search(ticket(row))
    return None if found is None else f"what the customer wants rests on the agent's words: {found[0]!r}"


def ticket(row: Row) -> str:
    """Return what the customer wants and knows, part by part, in the data's words."""
    scenario = row.need("user_scenario", dict)
    told = row.need("instructions", dict, scenario)
    parts = [str(told[name]).strip() for name in _PARTS if isinstance(told.get(name), str)]
    if not any(parts):
        raise row.bad("its instructions say nothing")
    return "\n\n".join(part for part in parts if part.strip("."))


def basis(row: Row) -> tuple[str, ...]:
    """Return what a task's reward rests on."""
    criteria = row.need("evaluation_criteria", dict)
    named = criteria.get("reward_basis") or list(DEFAULT_BASIS)
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise row.bad("'reward_basis' must be a list of texts")
    return tuple(named)


def said(row: Row) -> list[str]:
    """Return the texts that the customer must be told."""
    criteria = row.need("evaluation_criteria", dict)
    found = row.need("communicate_info", (list, type(None)), criteria) if "communicate_info" in criteria else None
    if not all(isinstance(one, str) for one in found or ()):
        raise row.bad("'communicate_info' must be a list of texts")
    return list(found or ())


def gold(row: Row, domain: Domain, tables: Tables) -> tuple[list[list[Any]], Records]:
    """Return the gold calls of a task, and the records after them; a call that the tools refuse changes nothing.

    Raises:
        BadRow: for a call of no tool, or arguments that do not fit it.
    """
    records, calls = Records(tables), []
    for action in row.need("actions", (list, type(None)), row.need("evaluation_criteria", dict)) or []:
        if not isinstance(action, dict) or not isinstance(action.get("name"), str):
            raise row.bad("each gold action must be an object with a 'name'")
        if action["name"] not in domain.tools:
            raise row.bad(f"a gold action calls {action['name'][:60]!r}, which is no tool of {domain.name}")
        arguments = row.need("arguments", dict, action)
        tool = domain.tools[action["name"]]
        reason = fault(tool.schema, arguments)
        if reason:
            raise row.bad(f"a gold action is no call of {action['name']}: {reason}")
        try:
            with suppress(Refused):
                tool.run(records, **arguments)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise row.bad(f"its gold call of {action['name']} meets a malformed record: {error!r}") from None
        calls.append([action["name"], arguments])
    return calls, records


def read_policy(folder: Path) -> str:
    """Return the policy, ``policy.md`` or ``policy.txt``."""
    for name in ("policy.md", "policy.txt"):
        if (folder / name).is_file():
            return read_text(folder / name).strip()
    raise FileNotFoundError(f"{folder} has neither policy.md nor policy.txt")


def read_tables(folder: Path, domain: Domain) -> Tables:
    """Return the state that every task begins in; a file is read once for as long as it stays the same."""
    for name in ("db.json", "db.json.gz"):
        if (folder / name).is_file():
            state = (folder / name).stat()
            return _tables(folder / name, domain.name, tuple(domain.tables.items()), state.st_size, state.st_mtime_ns)
    raise FileNotFoundError(f"{folder} has neither db.json nor db.json.gz")


@lru_cache(maxsize=4)
def _tables(file: Path, name: str, tables: tuple[tuple[str, tuple[str, ...]], ...], size: int, changed: int) -> Tables:
    value = read_json(file)
    for table, needed in tables:
        rows = value.get(table) if isinstance(value, dict) else None
        if not isinstance(rows, dict):
            raise BadRow(f"{file}: it must be an object with a table {table!r} of {name}")
        for key, row in rows.items():
            missing = [one for one in needed if not isinstance(row, dict) or one not in row]
            if missing:
                raise BadRow(f"{file}, {table} {key!r}: it has no {missing[0]!r}")
    return Tables({table: value[table] for table, _ in tables})
