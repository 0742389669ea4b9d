"""The in-memory world behind the tools: tables of records, and what each tool call does to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acgym.envs.tools.call.user import answer, asked_for
from acgym.text import excerpt
from acgym.types import Json, canonical_json

Tables = dict[str, dict[str, dict[str, Json]]]
"""Table name -> record id -> field -> value."""

LOCKED = "locked"
"""Field that bars a record from being changed or removed while it is true; never shown by a read tool."""
_ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Result:
    """What one executed call gave back."""

    value: Json
    """What the agent is told, as JSON; ``{"error": sentence}`` when the call failed."""
    failed: bool = False
    record: tuple[str, str] | None = None
    """(table, id) of the record that the call created, changed or removed; None for a read or a failed call."""
    before: Mapping[str, Json] | None = None
    """That record's cells before the call; see :func:`cells_of`."""


class World:
    """Tables of records and the tools that act on them; a call is data, nothing in it is ever run.

    A tool is described by a mapping with ``op`` and ``table``:

    * ``find``: read the record whose id is argument ``key``; gives all of its fields but ``locked``;
    * ``add``: create a record that holds exactly the arguments; gives ``done`` and, if ``gives`` is set, a new code;
    * ``change``: write all other arguments into the record whose id is argument ``key``;
    * ``remove``: delete the record whose id is argument ``key``;
    * ``unlock``: set ``locked`` to false;
    * ``list``: read the records of the table in their order, ``size`` a page;
    * ``ask``: ask the user, who tells what of ``missing`` the question is about.

    A look-up of a record that has a stamp shows a copy: its values as they were when it was copied, and the days on
    which it was copied and changed. With argument ``fresh`` it shows the record itself.

    Three things make a call fail with advice: a record that is now listed under another id (``moved``), a value that
    is taken (``full``), and a locked record.

    Args:
        data: ``tables`` (initial records), ``tools`` (as above), and optionally ``moved`` (table -> id -> new id),
            ``full`` (table -> field -> value as text -> next free value), ``made`` (canonical call -> id of the record
            it creates), ``spare`` (ids for other created records), ``stamps`` (table -> id -> days of copy and change),
            ``stale`` (table -> id -> field -> value in the copy), ``missing`` and ``no_idea`` (what the user says; see
            :func:`~acgym.envs.tools.call.user.answer`). Not written to.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        # Records are copied, their values are not: a call replaces values and never writes into one.
        self.tables: Tables = {
            table: {key: dict(row) for key, row in records.items()} for table, records in data["tables"].items()
        }
        self._tools: Mapping[str, Mapping[str, Any]] = data["tools"]
        self._moved: Mapping[str, Mapping[str, str]] = data.get("moved", {})
        self._full: Mapping[str, Mapping[str, Mapping[str, Json]]] = data.get("full", {})
        self._made: Mapping[str, str] = data.get("made", {})
        self._spare = list(data.get("spare", ()))
        self._data = data
        self.touched: set[tuple[str, str]] = set()

    def call(self, name: str, arguments: Mapping[str, Json]) -> Result:
        """Run one call whose tool exists and whose arguments fit its schema."""
        tool = self._tools[name]
        if tool["op"] == "ask":
            return Result({"user": answer(self._data, arguments["question"])})
        if tool["op"] == "list":
            return self._list(tool, arguments.get("page", 1))
        result = self._add(name, tool, arguments) if tool["op"] == "add" else self._on_record(tool, arguments)
        if result.record is not None:
            self.touched.add(result.record)
        return result

    def _add(self, name: str, tool: Mapping[str, Any], arguments: Mapping[str, Json]) -> Result:
        table = tool["table"]
        for field, taken in self._full.get(table, {}).items():
            free = taken.get(str(arguments.get(field)))
            if free is not None:
                return _failure(f"{field} {arguments[field]} is full; the next free {field} is {free}")
        call = canonical_json([name, arguments])
        records = self.tables.setdefault(table, {})
        record_id = self._made.get(call) if tool.get("gives") else call
        if record_id is None or record_id in records:
            record_id = self._spare.pop(0) if self._spare else f"new {len(self.touched) + 1}"
        records[record_id] = dict(arguments)
        told = {"done": True, "code": record_id} if tool.get("gives") else {"done": True}
        return Result(told, record=(table, record_id), before={})

    def _list(self, tool: Mapping[str, Any], page: int) -> Result:
        records = list(self.tables.get(tool["table"], {}).items())
        size = self._data.get("page_size", 10)
        pages = max(1, -(-len(records) // size))
        if page > pages:
            return _failure(f"there is no page {page}; the last page is {pages}")
        shown = records[(page - 1) * size : page * size]
        rows = [{tool["key"]: key, **{f: v for f, v in row.items() if f != LOCKED}} for key, row in shown]
        return Result({"page": page, "pages": pages, "records": rows})

    def _on_record(self, tool: Mapping[str, Any], arguments: Mapping[str, Json]) -> Result:
        table, key, op = tool["table"], tool["key"], tool["op"]
        record_id = arguments[key]
        noun = tool.get("noun", table)
        if record_id in self._moved.get(table, {}):
            new = self._moved[table][record_id]
            return _failure(f'{noun} "{record_id}" is now listed as {noun} "{new}"')
        records = self.tables.get(table, {})
        record = records.get(record_id)
        if record is None:
            return _failure(f"there is no {noun} {excerpt(record_id)}")
        if op == "find":
            shown = {field: value for field, value in record.items() if field != LOCKED}
            stamp = self._data.get("stamps", {}).get(table, {}).get(record_id)
            if stamp is None:
                return Result(shown)
            if arguments.get("fresh"):
                return Result({**shown, "changed": stamp[1]})
            old = self._data.get("stale", {}).get(table, {}).get(record_id, {})
            return Result({**shown, **old, "copied": stamp[0], "changed": stamp[1]})
        before = cells_of(self.tables, (table, record_id))
        if op == "unlock":
            record[LOCKED] = False
        elif record.get(LOCKED):
            return _failure(f'{noun} "{record_id}" is locked; unlock it first')
        elif op == "remove":
            del records[record_id]
        else:
            record.update({field: value for field, value in arguments.items() if field != key})
        return Result({"done": True}, record=(table, record_id), before=before)


def keys_of(data: Mapping[str, Any], name: str, arguments: Mapping[str, Json]) -> tuple[str, ...]:
    """Return what names a call, so that calls that come to the same have one name; a question has one for each thing.

    Page 1 is what a list shows without an argument, and reading the record itself is another call only where the copy
    is stale.
    """
    tool = data["tools"][name]
    if tool["op"] == "ask":
        return tuple(f"ask {i}" for i in asked_for(data, str(arguments.get("question", ""))))
    if tool["op"] == "list":
        arguments = {"page": arguments.get("page", 1)}
    elif "fresh" in arguments:
        stale = data.get("stale", {}).get(tool["table"], {})
        if not arguments["fresh"] or arguments[tool["key"]] not in stale:
            arguments = {field: value for field, value in arguments.items() if field != "fresh"}
    return (canonical_json([name, arguments]),)


def _failure(sentence: str) -> Result:
    return Result({"error": sentence}, failed=True)


@dataclass(frozen=True, slots=True)
class Step:
    """One required call, as the gold run saw it."""

    name: str
    arguments: Mapping[str, Json]
    key: str
    """What names the call; see :func:`keys_of`."""
    needs: tuple[int, ...]
    """Positions of the required calls that must come before it."""
    cells: Mapping[tuple[str, str, str], Json]
    """(table, id, field) -> value after the call, for each value that it changes; empty for a read or a failed call."""


class Gold:
    """The required calls run once on a fresh world: what each changes, and the state that all of them leave.

    Args:
        data: the task's ``data``; see :class:`World`.
        calls: the required calls in order, each with ``name``, ``arguments`` and ``needs``.
    """

    def __init__(self, data: Mapping[str, Any], calls: list[dict[str, Any]]) -> None:
        world = World(data)
        self._opened: Tables = data["tables"]
        self._path: dict[tuple[str, str], list[Mapping[str, Json]]] = {}
        steps = []
        for row in calls:
            result = world.call(row["name"], row["arguments"])
            cells: dict[tuple[str, str, str], Json] = {}
            key = keys_of(data, row["name"], row["arguments"])[0]
            if result.record is not None and result.before is not None:
                table, record_id = result.record
                old, new = result.before, cells_of(world.tables, result.record)
                self._path.setdefault(result.record, [old]).append(new)
                changed = [field for field in {**old, **new} if old.get(field, _ABSENT) != new.get(field, _ABSENT)]
                cells = {(table, record_id, field): new.get(field, _ABSENT) for field in changed}
            steps.append(Step(row["name"], row["arguments"], key, tuple(row["needs"]), cells))
        self.steps = tuple(steps)
        self._tools: Mapping[str, Mapping[str, Any]] = data["tools"]
        self._names = {step.name for step in steps}
        self._tables: dict[str, set[str]] = {}
        self._aimed = {""}  # what a question to the user aims at
        for step in steps:
            aimed, named = self._aim(step.name, step.arguments)
            self._aimed.add(aimed)
            if named is not None:
                self._tables.setdefault(named, set()).add(aimed)
        for opened_table, opened in self._path:
            self._tables.setdefault(opened, set()).add(opened_table)

    def _aim(self, name: str, arguments: Mapping[str, Json]) -> tuple[str, str | None]:
        """Return the table that a call acts on and the id that it was given; None where it creates a record."""
        tool = self._tools[name]
        if tool["op"] == "ask":
            return "", None
        return tool["table"], None if tool["op"] in ("add", "list") else str(arguments[tool["key"]])

    def is_wrong_tool(self, name: str, arguments: Mapping[str, Json]) -> bool:
        """Say whether a call is made with the wrong tool, whatever its arguments.

        It is where the id that the call names belongs, in the gold run, to records of other tables only; and where no
        required call names that id, or the call creates a record or lists them, and no required call uses the tool;
        unless it only looks at things of a kind that the task is about.
        """
        table, record_id = self._aim(name, arguments)
        tables = self._tables.get(record_id) if record_id is not None else None
        if tables is not None:
            return table not in tables
        looks = self._tools[name]["op"] in ("ask", "find", "list")
        return name not in self._names and not (looks and table in self._aimed)

    def reached(self, step: Step, world: World) -> bool:
        """Say whether ``world`` holds everything that ``step`` changes; False for a step that changes nothing."""
        if not step.cells:
            return False
        return all(
            cells_of(world.tables, (table, record_id)).get(field, _ABSENT) == value
            for (table, record_id, field), value in step.cells.items()
        )

    def wrong(self, world: World) -> int:
        """Count the touched records that hold a value which no step of the gold run ever leaves there."""
        count = 0
        for record in world.touched:
            now = cells_of(world.tables, record)
            path = self._path.get(record) or [cells_of(self._opened, record)]
            if now in path:
                continue
            fields = set(now).union(*path)
            count += not all(
                any(now.get(field, _ABSENT) == seen.get(field, _ABSENT) for seen in path) for field in fields
            )
        return count


def cells_of(tables: Tables, record: tuple[str, str]) -> dict[str, Json]:
    """Return the fields of a record and ``exists``; an empty dict when there is no such record."""
    fields = tables.get(record[0], {}).get(record[1])
    return {} if fields is None else {"exists": True, **fields}
