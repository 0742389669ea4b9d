"""The functions of the four applications: what they are called, what they take, and what they do to the state."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache

from acgym.types import Json, ToolSpec

FOLDERS = ("inbox", "archive", "contracts", "travel", "sent", "drafts", "trash")
PRIORITIES = ("low", "normal", "high", "urgent")
STATUSES = ("open", "waiting", "solved", "closed")

_DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "description": "day, YYYY-MM-DD"}
_HOUR = {"type": "string", "description": "time of day, 24 hours, HH:MM"}


def _text(says: str) -> Json:
    return {"type": "string", "description": says}


def _word(options: tuple[str, ...], says: str) -> Json:
    return {"type": "string", "enum": list(options), "description": says}


@dataclass(frozen=True)
class Function:
    """One function of an application.

    ``op`` says what it does: ``find`` rows, ``read`` one row; ``set`` its cells to arguments and ``fixed`` values,
    ``push`` arguments onto its lists, ``pull`` them from there, ``add`` a row, ``remove`` one; or the name of a special
    operation of :class:`~acgym.envs.tools.operation.world.World`.
    """

    name: str
    says: str
    table: str
    op: str
    args: dict[str, Json]
    """Argument -> its JSON Schema. One is the column of its name; one that ends in ``_id`` is the row's."""
    needs: tuple[str, ...] = ()
    fixed: dict[str, Json] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    """Columns that ``find`` shows besides the id."""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.op in ("find", "read", "sheets", "sum")


_MAIL, _EVENT = {"mail_id": _text("id of the message")}, {"event_id": _text("id of the event")}
_ROW, _TICKET = {"row_id": _text("id of the row")}, {"ticket_id": _text("id of the ticket")}
_SHEET = {"sheet": _text("name of the sheet")}
_LETTER = {"to": _text("name of the person"), "subject": _text("subject"), "text": _text("what it says")}

MAIL = (
    Function("search_mail", "Searches all folders for messages.", "mail", "find", {
        "folder": _word(FOLDERS, "only this folder"), "from": _text("sender, or a part of the name"),
        "subject": _text("subject, or a part of it"), "unread": {"type": "boolean", "description": "only unread ones"},
    }, shows=("folder", "from", "subject", "date")),
    Function("read_mail", "Shows one message in full.", "mail", "read", _MAIL, ("mail_id",)),
    Function("send_mail", "Sends a new message.", "mail", "add", _LETTER, ("to", "subject", "text"),
             {"folder": "sent", "from": "me", "unread": False, "starred": False}),
    Function("save_draft", "Saves a new message as a draft; it is not sent.", "mail", "add", _LETTER,
             ("to", "subject", "text"), {"folder": "drafts", "from": "me", "unread": False, "starred": False}),
    Function("reply_to_mail", "Sends an answer to whoever sent a message.", "mail", "reply",
             {**_MAIL, "text": _text("what it says")}, ("mail_id", "text")),
    Function("forward_mail", "Sends a message on to somebody else, as it is.", "mail", "forward",
             {**_MAIL, "to": _text("name of the person")}, ("mail_id", "to")),
    Function("move_mail", "Puts a message into a folder.", "mail", "set",
             {**_MAIL, "folder": _word(FOLDERS[:4] + FOLDERS[6:], "where it goes")}, ("mail_id", "folder")),
    Function("delete_mail", "Deletes a message for good; it does not go to the trash.", "mail", "remove", _MAIL,
             ("mail_id",)),
    Function("star_mail", "Puts a star on a message.", "mail", "set", _MAIL, ("mail_id",), {"starred": True}),
    Function("mark_mail_unread", "Shows a message as unread.", "mail", "set", _MAIL, ("mail_id",), {"unread": True}),
)  # fmt: skip

CALENDAR = (
    Function("search_events", "Searches the calendar.", "event", "find", {
        "title": _text("title, or a part of it"), "day": _DAY, "people": _text("somebody who is invited"),
    }, shows=("title", "day", "start")),
    Function("read_event", "Shows one event in full.", "event", "read", _EVENT, ("event_id",)),
    Function("create_event", "Puts a new event into the calendar.", "event", "new_event", {
        "title": _text("title"), "day": _DAY, "start": _HOUR, "minutes": {"type": "integer", "minimum": 5},
        "room": _text("name of the room"),
        "people": {"type": "array", "items": {"type": "string"}, "description": "names of those who are invited"},
    }, ("title", "day", "start", "minutes", "room")),
    Function("move_event", "Moves an event to another day, another time, or both; all else stays.", "event",
        "move_event",
             {**_EVENT, "day": _DAY, "start": _HOUR}, ("event_id",)),
    Function("copy_event", "Puts a copy of an event on another day, and leaves the event where it is.", "event",
             "copy_event", {**_EVENT, "day": _DAY}, ("event_id", "day")),
    Function("cancel_event", "Takes an event out of the calendar.", "event", "remove", _EVENT, ("event_id",)),
    Function("invite_person", "Invites one more person to an event.", "event", "push",
             {**_EVENT, "people": _text("name of the person")}, ("event_id", "people")),
    Function("uninvite_person", "Takes a person off the list of those invited.", "event", "pull",
             {**_EVENT, "people": _text("name of the person")}, ("event_id", "people")),
    Function("change_room", "Puts an event into another room.", "event", "move_event",
             {**_EVENT, "room": _text("name of the room")}, ("event_id", "room")),
)  # fmt: skip

SHEETS = (
    Function("list_sheets", "Names all sheets and their columns.", "row", "sheets", {}),
    Function("read_sheet", "Shows all rows of a sheet.", "row", "find", _SHEET, ("sheet",), shows=("*",)),
    Function("set_cell", "Writes a value into one cell of a row.", "row", "cell", {
        **_ROW, "column": _text("name of the column"),
        "value": {"type": ["string", "integer"], "description": "what the cell will hold"},
    }, ("row_id", "column", "value")),
    Function("add_row", "Adds a row at the end of a sheet.", "row", "new_row", {
        **_SHEET, "cells": {
            "type": "object", "description": "column name -> value", "properties": {}, "required": [],
            "additionalProperties": {"type": ["string", "integer"]},
        },
    }, ("sheet", "cells")),
    Function("delete_row", "Takes a row out of a sheet.", "row", "remove", _ROW, ("row_id",)),
    Function("clear_row", "Empties all cells of a row; the empty row stays.", "row", "clear", _ROW, ("row_id",)),
    Function("sum_column", "Adds up a column of numbers.", "row", "sum",
             {**_SHEET, "column": _text("name of the column")}, ("sheet", "column")),
)  # fmt: skip

TICKETS = (
    Function("search_tickets", "Searches the tickets.", "ticket", "find", {
        "title": _text("title, or a part of it"), "customer": _text("customer, or a part of the name"),
        "status": _word(STATUSES, "status"), "priority": _word(PRIORITIES, "priority"),
        "assignee": _text("who works on it"),
    }, shows=("title", "customer", "status")),
    Function("read_ticket", "Shows one ticket in full.", "ticket", "read", _TICKET, ("ticket_id",)),
    Function("open_ticket", "Opens a new ticket.", "ticket", "add", {
        "title": _text("title"), "customer": _text("customer"), "priority": _word(PRIORITIES, "priority"),
        "assignee": _text("who will work on it"),
    }, ("title", "customer", "priority"), {"status": "open"}),
    Function("assign_ticket", "Gives a ticket to somebody.", "ticket", "set",
             {**_TICKET, "assignee": _text("who will work on it")}, ("ticket_id", "assignee")),
    Function("set_priority", "Sets how urgent a ticket is.", "ticket", "set",
             {**_TICKET, "priority": _word(PRIORITIES, "priority")}, ("ticket_id", "priority")),
    Function("set_due_date", "Sets the day by which a ticket has to be dealt with.", "ticket", "set",
             {**_TICKET, "due": _DAY}, ("ticket_id", "due")),
    Function("solve_ticket", "Marks a ticket as solved: the problem is gone.", "ticket", "set", _TICKET, ("ticket_id",),
             {"status": "solved"}),
    Function("close_ticket", "Closes a ticket without a solution.", "ticket", "set", _TICKET, ("ticket_id",),
             {"status": "closed"}),
    Function("hold_ticket", "Sets a ticket to waiting, until somebody else has done something.", "ticket", "set",
        _TICKET,
             ("ticket_id",), {"status": "waiting"}),
    Function("add_note", "Adds a note to a ticket that only colleagues see.", "ticket", "push",
             {**_TICKET, "notes": _text("the note")}, ("ticket_id", "notes")),
    Function("answer_customer", "Adds an answer to a ticket that goes to the customer.", "ticket", "push",
             {**_TICKET, "answers": _text("the answer")}, ("ticket_id", "answers")),
)  # fmt: skip

APPS = {"mail": MAIL, "calendar": CALENDAR, "sheets": SHEETS, "tickets": TICKETS}
FUNCTIONS = {function.name: function for app in APPS.values() for function in app}
"""Every function by its name."""

TWINS = (
    ("send_mail", "save_draft"), ("reply_to_mail", "forward_mail"), ("delete_mail", "move_mail"),
    ("star_mail", "mark_mail_unread"), ("move_event", "copy_event"), ("invite_person", "uninvite_person"),
    ("move_event", "change_room"), ("delete_row", "clear_row"), ("set_cell", "add_row"), ("solve_ticket",
        "close_ticket"),
    ("close_ticket", "hold_ticket"), ("add_note", "answer_customer"), ("set_priority", "set_due_date"),
)  # fmt: skip
"""Functions that are taken for one another; where one is offered, the other one comes along."""


def spec(name: str) -> ToolSpec:
    """Return a function in OpenAI form, as a new object."""
    made: ToolSpec = json.loads(_written(name))
    return made


@cache
def _written(name: str) -> str:
    function = FUNCTIONS[name]
    parameters = {
        "type": "object", "properties": function.args, "required": function.needs, "additionalProperties": False,
    }  # fmt: skip
    described = {"name": name, "description": function.says, "parameters": parameters}
    return json.dumps({"type": "function", "function": described})
