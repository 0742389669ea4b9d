"""The closed word lists of the tool-calling environment, and the tool specs made of them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from acgym.envs.names import in_split, words
from acgym.types import Json, Split, ToolSpec

VERBS = words("book order open close move paint clean rent pack sell wash fix")
"""Verbs of level-1 tools that change something."""
FINDERS = words("find check read show view get")
"""Verbs of level-1 tools that only read."""
NOUNS = words(
    "room table ticket car boat bike desk lamp door box gate train hall tent garden shop house ship truck bag chair "
    "bed piano barn"
)
STRINGS = words("guest owner driver buyer teacher seller painter doctor writer singer farmer pilot")
"""Parameters whose value is a generated name."""
SLOTS = ("day", "hour", "week")
"""Integer parameters whose value can be taken already."""
INTEGERS = (*SLOTS, *words("page price weight size height length width age rank floor seat"))
"""Parameters whose value is an integer from 1 to 99."""
CHOICES: dict[str, tuple[str, ...]] = {
    "color": ("red", "green", "blue", "white"),
    "speed": ("slow", "fast"),
    "side": ("left", "right"),
    "meal": ("bread", "soup", "rice", "fish"),
    "shape": ("round", "square", "flat"),
    "metal": ("gold", "iron", "tin"),
}
"""Parameters whose value is one of a few words."""

_SCALARS: dict[str, dict[str, Json]] = {
    **{name: {"type": "string"} for name in STRINGS},
    **{name: {"type": "integer"} for name in INTEGERS},
    **{name: {"type": "string", "enum": list(words)} for name, words in CHOICES.items()},
}


class Verbed(NamedTuple):
    """A level-1 tool before it has parameters."""

    verb: str
    noun: str
    name: str
    """``verb_noun``."""


@cache
def verbed(split: Split, reads: bool) -> tuple[Verbed, ...]:
    """All pairs of verb and noun of a split; no pair is in both splits."""
    pairs = ((verb, noun) for verb in (FINDERS if reads else VERBS) for noun in NOUNS)
    return tuple(Verbed(v, n, f"{v}_{n}") for v, n in pairs if in_split(f"tool {v}_{n}", split))


@cache
def integers(split: Split, parameter: str, high: int = 99) -> tuple[int, ...]:
    """The integers from 1 to ``high`` that ``parameter`` takes in a split; day 3 and hour 3 need not share theirs."""
    return tuple(n for n in range(1, high + 1) if in_split(f"{parameter} {n}", split))


@cache
def floats(split: Split, field: str) -> tuple[float, ...]:
    """The numbers from 1.25 to 99.75 in quarters, none of them whole, that ``field`` takes in a split."""
    quarters = [n + part for n in range(1, 100) for part in (0.25, 0.5, 0.75)]
    return tuple(number for number in quarters if in_split(f"{field} {number}", split))


@cache
def dates(split: Split) -> tuple[str, ...]:
    """The dates of a split, written YYYY-MM-DD, from 2031 to 2049; days 29 to 31 are left out."""
    days = [f"20{y}-{m:02}-{d:02}" for y in range(31, 50) for m in range(1, 13) for d in range(1, 29)]
    return tuple(day for day in days if in_split(f"date {day}", split))


def _copied(schema: dict[str, Json]) -> dict[str, Json]:
    """Copy a schema (``copy.deepcopy`` takes ten times as long): what an episode hands out is its own."""
    return {
        key: _copied(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value
        for key, value in schema.items()
    }


def simple_tool(name: str, description: str, parameters: list[str]) -> ToolSpec:
    """Return the spec of a level-1 tool: all parameters required, no others allowed."""
    return _tool(name, description, {parameter: _copied(_SCALARS[parameter]) for parameter in parameters}, parameters)


def _tool(name: str, description: str, properties: dict[str, Json], required: list[str]) -> ToolSpec:
    """Return the spec of a tool that takes no other parameters."""
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            },
        },
    }


QUALIFIERS = words("north south east west old new small large public private upper lower")
"""Tell near-duplicate kinds of thing apart from level 2 on: the north room, the south room."""
ADDERS = {"book": "reserve", "order": "buy", "rent": "hire"}
"""Verbs of tools that create a record, with the word that the user says instead."""
FLOATS = words("cost fee tax score")
"""Fields whose value is a number between 1 and 100 that is not whole."""
DATES = words("start deadline birthday")
"""Fields whose value is a date, written YYYY-MM-DD."""
CODED = words("permit badge license invoice")
"""Fields whose value is a generated code of four digits."""
NESTED = {"contact": ("name", "phone"), "period": ("from", "to")}
"""Fields whose value is an object with these two parts."""
SPOKEN = {
    "guest": "visitor",
    "buyer": "customer",
    "doctor": "physician",
    "teacher": "instructor",
    "cost": "price",
    "fee": "charge",
    "score": "rating",
    "weight": "mass",
    "size": "area",
    "start": "opening date",
    "deadline": "due date",
    "birthday": "date of birth",
    "permit": "permission",
    "invoice": "bill",
    "color": "paint",
    "meal": "food",
}
"""What the user says instead of the field's name; the tool's description gives both."""

ASK = "ask_user"
"""The tool that asks the user, from level 2 on."""

_TEXT = {"type": "string"}
_DATE = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_RICH: dict[str, dict[str, Json]] = {
    **dict.fromkeys(STRINGS + CODED, _TEXT),
    **{name: {"type": "integer", "minimum": 1, "maximum": 99} for name in INTEGERS},
    **{name: {"type": "number", "minimum": 0, "maximum": 1000} for name in FLOATS},
    **{name: {**_DATE, "description": "YYYY-MM-DD"} for name in DATES},
    **{name: {"type": "string", "enum": list(words)} for name, words in CHOICES.items()},
    "fresh": {"type": "boolean", "description": "True: read the record itself, not a copy"},
    "page": {"type": "integer", "minimum": 1, "description": "From 1, the default"},
    "contact": {
        "type": "object",
        "properties": {"name": _TEXT, "phone": _TEXT},
        "required": ["name", "phone"],
        "additionalProperties": False,
    },
    "period": {
        "type": "object",
        "properties": {"from": _DATE, "to": _DATE},
        "required": ["from", "to"],
        "additionalProperties": False,
        "description": "Dates as YYYY-MM-DD",
    },
}


def rich_tool(name: str, description: str, required: list[str], optional: list[str]) -> ToolSpec:
    """Return the spec of a tool from level 2 on; a parameter that is no field of a record is a plain string."""
    properties = {parameter: _described(parameter) for parameter in [*required, *optional]}
    return _tool(name, description, properties, required)


def _described(parameter: str) -> dict[str, Json]:
    """Return a parameter's schema, with the user's word for it where that differs."""
    schema = _copied(_RICH.get(parameter, _TEXT))
    if parameter not in SPOKEN:
        return schema
    said = SPOKEN[parameter].capitalize()
    return {**schema, "description": f"{said}, {schema['description']}" if "description" in schema else said}
