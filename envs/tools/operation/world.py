"""The state of the four applications, and what a call does to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acgym.envs.tools.operation.functions import FUNCTIONS, Function
from acgym.text import excerpt
from acgym.types import Json

State = dict[str, dict[str, dict[str, Json]]]
"""Table (``mail``, ``event``, ``row``, ``ticket``) -> id -> column -> value."""

MOST_ROWS = 400
"""A table takes no more rows than this."""


class Refused(Exception):
    """An application could not do what a call says; the message says why, in words for the agent."""


def copied(state: Mapping[str, Mapping[str, Mapping[str, Json]]]) -> State:
    """Return a copy that may be changed; values are replaced and never written into."""
    return {table: {key: dict(row) for key, row in rows.items()} for table, rows in state.items()}


def matches(value: Json, wanted: Json) -> bool:
    """Say whether a cell is what a search asks for: texts by a part in any case, lists by a member, others if equal."""
    if isinstance(value, list):
        return any(matches(item, wanted) for item in value)
    if isinstance(value, str) and isinstance(wanted, str):
        return wanted.casefold() in value.casefold()
    return bool(value == wanted)


def clock(start: str) -> int:
    """Return a time of day in minutes.

    Raises:
        Refused: if it is none.
    """
    hours, _, minutes = start.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and int(hours) < 24 and int(minutes) < 60):
        raise Refused(f"{excerpt(start, 20)} is no time of day; write HH:MM")
    return int(hours) * 60 + int(minutes)


def blank(table: str, today: str) -> dict[str, Json]:
    """Return what a new row holds where a call says nothing."""
    cells: dict[str, dict[str, Json]] = {
        "mail": {"date": today},
        "ticket": {"assignee": None, "due": None, "notes": [], "answers": []},
        "event": {"people": []},
        "row": {},
    }
    return cells[table]


class World:
    """The applications of one episode.

    Args:
        state: the tables; copied.
        sheets: sheet -> its columns.
        today: ISO date.
    """

    def __init__(self, state: State, sheets: Mapping[str, list[str]], today: str) -> None:
        self.state = copied(state)
        self._columns_of = sheets
        self._today = today
        self._made = 0
        self.changes = 0
        """How many calls may have changed the state."""

    def call(self, name: str, args: Mapping[str, Any]) -> Json:
        """Run one call whose arguments fit the schema; return JSON, ``{"error": sentence}`` if it was refused."""
        function = FUNCTIONS[name]
        self.changes += not function.reads
        try:
            return getattr(self, f"_{function.op}")(function, dict(args))
        except Refused as why:
            return {"error": str(why)}

    def _key(self, function: Function, args: dict[str, Any]) -> str:
        """Take the row's id out of the arguments, and see that there is one."""
        key = str(args.pop(f"{function.table}_id"))
        if key not in self.state[function.table]:
            raise Refused(f"there is no {function.table} with the id {excerpt(key)}")
        return key

    def _find(self, function: Function, args: dict[str, Any]) -> Json:
        if "sheet" in args:
            self._columns(args["sheet"])
        found = {
            key: row
            for key, row in self.state[function.table].items()
            if all(matches(row.get(column), wanted) for column, wanted in args.items())
        }
        if function.shows == ("*",):
            return [
                {"id": key, **{column: row[column] for column in row if column != "sheet"}}
                for key, row in found.items()
            ]
        return [{"id": key, **{column: row[column] for column in function.shows}} for key, row in found.items()]

    def _read(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        return {"id": key, **self.state[function.table][key]}

    def _set(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        self.state[function.table][key] |= {**args, **function.fixed}
        return {"done": key}

    def _remove(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        del self.state[function.table][key]
        return {"done": key}

    def _push(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        row = self.state[function.table][key]
        for column, value in args.items():
            if column == "people" and value in row[column]:
                raise Refused(f"{excerpt(value)} is invited already")
            row[column] = [*row[column], value]
        return {"done": key}

    def _pull(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        row = self.state[function.table][key]
        for column, value in args.items():
            if value not in row[column]:
                raise Refused(f"{excerpt(value)} is not invited")
            row[column] = [item for item in row[column] if item != value]
        return {"done": key}

    def _add(self, function: Function, args: dict[str, Any]) -> Json:
        rows = self.state[function.table]
        if len(rows) >= MOST_ROWS:
            raise Refused("there is no room for more")
        self._made += 1
        key = f"{function.table[0].upper()}{900 + self._made}"
        rows[key] = {**blank(function.table, self._today), **args, **function.fixed}
        return {"done": key}

    def _reply(self, function: Function, args: dict[str, Any]) -> Json:
        mail = self.state["mail"][self._key(function, args)]
        letter = {"to": mail["from"], "subject": f"Re: {mail['subject']}", "text": args["text"]}
        return self._add(FUNCTIONS["send_mail"], letter)

    def _forward(self, function: Function, args: dict[str, Any]) -> Json:
        mail = self.state["mail"][self._key(function, args)]
        letter = {"to": args["to"], "subject": f"Fwd: {mail['subject']}", "text": mail["text"]}
        return self._add(FUNCTIONS["send_mail"], letter)

    def _new_event(self, function: Function, args: dict[str, Any]) -> Json:
        self._see_room(None, args)
        return self._add(function, args)

    def _move_event(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        self._see_room(key, {**self.state["event"][key], **args})
        self.state["event"][key] |= args
        return {"done": key}

    def _copy_event(self, function: Function, args: dict[str, Any]) -> Json:
        event = {**self.state["event"][self._key(function, args)], **args}
        self._see_room(None, event)
        return self._add(function, event)

    def _see_room(self, own: str | None, event: Mapping[str, Any]) -> None:
        """Refuse what would put two events into one room at one time."""
        start = clock(event["start"])
        for key, other in self.state["event"].items():
            if key != own and (other["day"], other["room"]) == (event["day"], event["room"]):
                begins = clock(other["start"])
                if start < begins + other["minutes"] and begins < start + event["minutes"]:
                    raise Refused(f"the room {other['room']} is taken at that time by {key}")

    def _columns(self, sheet: str) -> list[str]:
        if sheet not in self._columns_of:
            raise Refused(f"there is no sheet {excerpt(sheet)}; there are {', '.join(self._columns_of)}")
        return self._columns_of[sheet]

    def _sheets(self, function: Function, args: dict[str, Any]) -> Json:
        return {sheet: list(columns) for sheet, columns in self._columns_of.items()}

    def _column(self, sheet: str, column: str) -> str:
        if column not in self._columns(sheet):
            raise Refused(
                f"the sheet {sheet} has no column {excerpt(column)}; it has {', '.join(self._columns(sheet))}"
            )
        return column

    def _cell(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        row = self.state["row"][key]
        row[self._column(row["sheet"], args["column"])] = args["value"]
        return {"done": key}

    def _new_row(self, function: Function, args: dict[str, Any]) -> Json:
        columns = self._columns(args["sheet"])
        cells = {self._column(args["sheet"], column): value for column, value in args["cells"].items()}
        return self._add(function, {"sheet": args["sheet"], **dict.fromkeys(columns), **cells})

    def _clear(self, function: Function, args: dict[str, Any]) -> Json:
        key = self._key(function, args)
        row = self.state["row"][key]
        row |= dict.fromkeys(self._columns(row["sheet"]))
        return {"done": key}

    def _sum(self, function: Function, args: dict[str, Any]) -> Json:
        column = self._column(args["sheet"], args["column"])
        cells = [row[column] for row in self.state["row"].values() if row["sheet"] == args["sheet"]]
        return {"sum": sum(cell for cell in cells if isinstance(cell, int))}
