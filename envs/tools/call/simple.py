"""Draws the tool-calling tasks of level 1: three tools with nothing in common, and one or two calls."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.draw import Draw
from acgym.envs.names import distinct_names
from acgym.envs.tools.call.words import CHOICES, INTEGERS, STRINGS, Verbed, integers, simple_tool, verbed
from acgym.types import Json, Split, Task, ToolSpec

KINDS = ("operate", "look_up", "look_up_then_operate")

_ENUMS = tuple(CHOICES)


def draw_simple(draw: Draw, split: Split) -> Task:
    """Draw a level-1 task.

    Returns:
        A task of one of KINDS. ``data`` opens a :class:`~acgym.envs.tools.call.world.World`; ``reference`` holds
        ``calls`` (in order, with the positions of the calls that each one needs) and ``answer`` (None when nothing is
        asked).
    """
    kind = draw.pick(KINDS)
    changer = draw.pick(verbed(split, False))
    reader = _other(draw, verbed(split, True), (changer,))
    idle_reads = draw.chance(0.4)
    idle = _other(draw, verbed(split, idle_reads), (changer, reader))
    strings = draw.sample(STRINGS, 3)
    numbers = draw.sample(INTEGERS, 6)
    enums = draw.sample(_ENUMS, 2)
    people = distinct_names(draw, split, 2)
    values = _values(draw, split, numbers, enums)
    values[strings[0]], values[strings[1]] = people
    wanted = _parameters(draw, strings[1], numbers[2], enums[0])
    shown = numbers[:2]
    field = draw.pick(shown)
    if kind == "look_up_then_operate":
        wanted = [field, *wanted[:1]] if draw.chance(0.6) else [field]
    if idle_reads:
        idle_spec = _reader(idle, strings[2], numbers[4:])
    else:
        idle_spec = _changer(idle, _parameters(draw, strings[2], numbers[3], enums[1]))
    data = {
        "tables": {reader.noun: {people[0]: {name: values[name] for name in shown}}},
        "tools": {
            changer.name: {"op": "add", "table": changer.noun},
            reader.name: {"op": "find", "table": reader.noun, "key": strings[0]},
            idle.name: {"op": "find" if idle_reads else "add", "table": idle.noun, "key": strings[2]},
        },
    }
    goal, reference = _ask(kind, changer, reader, (strings[0], people[0]), wanted, field, values)
    tools = draw.shuffled((_changer(changer, wanted), _reader(reader, strings[0], shown), idle_spec))
    return Task(kind, goal, data, reference, tuple(tools))


def _ask(
    kind: str,
    changer: Verbed,
    reader: Verbed,
    person: tuple[str, str],
    wanted: list[str],
    field: str,
    values: Mapping[str, Json],
) -> tuple[str, dict[str, Json]]:
    """Say the request in words, with the calls and the answer that it takes.

    Args:
        kind: one of KINDS.
        changer: the tool that changes something.
        reader: the tool that looks something up.
        person: parameter and value of the look-up.
        wanted: parameters of ``changer``; the first is ``field`` when it comes from the look-up.
        field: the field to look up.
        values: every value, by its parameter.
    """
    look: dict[str, Json] = {"name": reader.name, "arguments": {person[0]: person[1]}, "needs": []}
    act: dict[str, Json] = {"name": changer.name, "arguments": {name: values[name] for name in wanted}, "needs": []}
    find = f'Please {reader.verb} the {field} of the {reader.noun} with {person[0]} "{person[1]}"'
    if kind == "look_up":
        return f"{find}.", {"calls": [look], "answer": str(values[field]), "answer_needs": [0]}
    if kind == "operate":
        said = " and ".join([_said(name, values[name]) for name in wanted])
        goal = f"Please {changer.verb} a {changer.noun} with {said}."
        return goal, {"calls": [act], "answer": None, "answer_needs": []}
    act["needs"] = [0]
    said = " and ".join([f"this {field}", *[_said(name, values[name]) for name in wanted[1:]]])
    return f"{find}, then {changer.verb} a {changer.noun} with {said}.", {
        "calls": [look, act],
        "answer": None,
        "answer_needs": [],
    }


def _said(name: str, value: Json) -> str:
    """Say a parameter with its value; generated names stand in quotes."""
    return f'{name} "{value}"' if name in _NAMED else f"{name} {value}"


_NAMED = frozenset(STRINGS)


def _other(draw: Draw, among: tuple[Verbed, ...], taken: tuple[Verbed, ...]) -> Verbed:
    """Draw a tool that shares neither verb nor noun with those taken."""
    while True:
        drawn = draw.pick(among)
        if all(drawn.verb != old.verb and drawn.noun != old.noun for old in taken):
            return drawn


def _values(draw: Draw, split: Split, numbers: list[str], enums: list[str]) -> dict[str, Json]:
    """Draw a value for every parameter; the integers differ from one another."""
    values: dict[str, Json] = {name: draw.pick(CHOICES[name]) for name in enums}
    used = set()
    for name in numbers:
        value = draw.pick(integers(split, name))
        while value in used:
            value = draw.pick(integers(split, name))
        used.add(value)
        values[name] = value
    return values


def _parameters(draw: Draw, string: str, number: str, enum: str) -> list[str]:
    """Draw one or two of three parameters, in random order; never the enum alone, which could be guessed."""
    pick, swapped = (
        draw.pick(((string,), (number,), (string, number), (string, enum), (number, enum))),
        draw.chance(0.5),
    )
    return list(reversed(pick)) if swapped else list(pick)


def _changer(tool: Verbed, parameters: list[str]) -> ToolSpec:
    return simple_tool(tool.name, f"{tool.verb.capitalize()} a {tool.noun}.", parameters)


def _reader(tool: Verbed, key: str, shown: list[str]) -> ToolSpec:
    return simple_tool(tool.name, f"{tool.verb.capitalize()} the {shown[0]} and {shown[1]} of a {tool.noun}.", [key])
