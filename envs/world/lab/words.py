"""Reads an action of the laboratory in a reply, as people and models write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from acgym.envs.world.lab.units import NUMBER, number_of

MAX_LINE = 300
"""A longer line is no action."""
_EDGES = " \t\r\n*_`\"'“”‘’«»[](){}<>.,;:!?"
_INNER = "*`\"“”«»[](){}<>,;:!?"
_VERBS = {
    "go": "go", "walk": "go", "enter": "go", "move": "put", "head": "go",
    "look": "look", "observe": "look", "inventory": "look",
    "take": "take", "grab": "take", "get": "take", "pick": "take", "fetch": "take", "hold": "take",
    "put": "put", "place": "put", "drop": "put", "lay": "put", "set": "set", "insert": "put", "immerse": "put",
    "turn": "set", "adjust": "set", "switch": "set", "heat": "set", "cool": "set",
    "open": "open", "close": "close", "shut": "close",
    "read": "read", "examine": "read", "inspect": "read", "check": "read",
    "use": "use", "measure": "use", "weigh": "use", "apply": "use",
    "wait": "wait", "sleep": "wait",
    "pour": "pour", "add": "pour", "transfer": "pour", "fill": "pour", "filter": "filter",
    "water": "water", "pollinate": "pollinate", "sow": "sow", "plant": "sow",
    "connect": "connect", "join": "connect", "wire": "connect", "attach": "connect", "disconnect": "disconnect",
    "unplug": "disconnect", "cross": "cross", "breed": "cross", "mate": "cross", "self": "cross",
    "answer": "answer", "report": "answer", "conclude": "answer",
}  # fmt: skip
"""First word of an action -> its verb."""
_PAIRS = {
    "go to": "go", "move to": "go", "walk to": "go", "look around": "look", "look at": "read", "pick up": "take",
    "put down": "put", "set down": "put", "set up": "put", "turn on": "set", "turn off": "off", "switch off": "off",
    "switch on": "set", "look in": "read", "look inside": "read", "go into": "go", "plug in": "connect",
    "pour water": "pour", "cross-pollinate": "cross", "self-pollinate": "cross",
}  # fmt: skip
_ANSWER_IS = re.compile(r"(?:the |my )?(?:final )?answer(?: is|:)? ")
_MINUTES = {
    "minute": 1.0, "minutes": 1.0, "min": 1.0, "mins": 1.0, "hour": 60.0, "hours": 60.0, "h": 60.0, "day": 1440.0,
    "days": 1440.0, "week": 10080.0, "weeks": 10080.0,
}  # fmt: skip
_AMOUNTS = {
    "g": "g", "gram": "g", "grams": "g", "ml": "ml", "mls": "ml", "millilitres": "ml", "milliliters": "ml", "kg": "kg",
    "millilitre": "ml", "milliliter": "ml", "l": "l", "litre": "l", "liter": "l", "litres": "l", "liters": "l",
    "mg": "mg", "cc": "ml", "cm3": "ml", "cm³": "ml", "oz": "oz",
}  # fmt: skip
_DEGREES = {"°c": "C", "c": "C", "celsius": "C", "°f": "F", "f": "F", "fahrenheit": "F", "k": "K", "kelvin": "K"}
_ENDS = {"+": "+", "-": "-", "plus": "+", "minus": "-", "positive": "+", "negative": "-", "−": "-", "–": "-"}
_NUMBER_UNIT = re.compile(rf"({NUMBER.pattern})(\S{{0,12}})", re.IGNORECASE)


class Action(NamedTuple):
    """What was read."""

    verb: str
    names: tuple[str, ...] = ()
    """Things and rooms that were named, in their order."""
    number: float | None = None
    unit: str = ""
    """Unit behind the number: ``g``, ``ml``, ``C``, or ``min`` after lengths of time were turned into minutes."""
    ends: tuple[str, ...] = ()
    """``+`` or ``-`` for each end of an electric part that was named."""
    text: str = ""
    """What follows the verb, as it was said."""


def line_of(reply: str) -> str:
    """Return the line that holds the action: behind the last ``Action:`` or ``Answer:``, else the last line."""
    small = reply.lower()
    mark, answer = small.rfind("action:"), small.rfind("answer:")
    if max(mark, answer) >= 0:
        start = max(mark, answer) + 7
        said = reply[start:].lstrip(" \t\r\n*_`").partition("\n")[0].strip(_EDGES)
        return f"answer {said}" if answer > mark and said else said
    return reply.rstrip().rpartition("\n")[2].strip(_EDGES)


def read_action(reply: str, names: Mapping[str, str], near: Callable[[], Sequence[str]]) -> Action | None:
    """Read an action; None when there is none.

    Args:
        reply: any text; linear in its length.
        names: all things and rooms that may be named, in small letters -> as they are written.
        near: returns those at hand in small letters, for names said in part ("beaker" where there is one).
    """
    line = line_of(reply)
    if not line or len(line) > MAX_LINE:
        return None
    words = line.split()
    first = words[0].lower().strip(_INNER + ".")
    second = words[1].lower().strip(_INNER) if len(words) > 1 else ""
    pair = f"{first} {second}"
    verb = _PAIRS.get(pair) or _PAIRS.get(first) or _VERBS.get(first)
    if verb is None:
        spoken = _ANSWER_IS.match(line.lower())
        if spoken is None:
            return None
        return Action("answer", text=line[spoken.end() :].strip(_EDGES))
    if verb == "answer":
        said = line[len(words[0]) :].strip(_EDGES + "=")
        return Action(verb, text=said.removeprefix("is ")) if said else None
    used = 2 if pair in _PAIRS else 1
    rest = [word.lower().strip(_INNER).rstrip(".") for word in words[used if verb != "pour" else 1 :]]
    action = _parts(verb, rest, names, near)
    return _meant(action, first, line)


def _parts(verb: str, words: list[str], names: Mapping[str, str], near: Callable[[], Sequence[str]]) -> Action:
    """Find names, a number with its unit, and ends among words."""
    found: list[str] = []
    ends: list[str] = []
    number: float | None = None
    unit, i = "", 0
    left: list[str] = []
    while i < len(words):
        size = next((n for n in (4, 3, 2, 1) if " ".join(words[i : i + n]) in names and i + n <= len(words)), 0)
        if size:
            found.append(names[" ".join(words[i : i + size])])
            i += size
            continue
        word = words[i]
        counted = _NUMBER_UNIT.fullmatch(word) if word[:1] in "0123456789-−–." else None
        if counted and number is None:
            number = number_of(counted[1])
            unit = counted[2] or (words[i + 1] if i + 1 < len(words) else "")
            if unit in ("°", "degrees") and i + 2 < len(words):
                unit = words[i + 2]
        elif word in _ENDS:
            ends.append(_ENDS[word])
        else:
            left.append(word)
        i += 1
    if len(found) < 2 and left:
        found += [names[name] for name in _in_part(left, near(), [name.lower() for name in found])]
    return Action(verb, tuple(found), number, unit, tuple(ends), " ".join(words))


def _in_part(words: Sequence[str], near: Sequence[str], found: Sequence[str]) -> list[str]:
    """Return things at hand that a word of their own names without a doubt."""
    more: list[str] = []
    for word in words:
        if len(word) < 3:
            continue
        meant = [name for name in near if word in name.split()]
        if len(meant) == 1 and meant[0] not in more and meant[0] not in found:
            more.append(meant[0])
    return more


def _meant(action: Action, first: str, line: str) -> Action | None:
    """Settle the unit, and what a verb of several meanings means here."""
    verb, names, number, unit, ends, text = action
    if verb == "wait":
        if number is None:
            return Action("wait", names, 1.0, "")
        return Action("wait", names, number * _MINUTES.get(unit, 1.0), "min" if unit in _MINUTES else "")
    if verb == "set" and number is None and first in ("set", "turn"):
        verb = "put" if first == "set" else "set"
    if verb == "read" and not names:
        verb = "look"
    if first in ("weigh", "measure") and not names:
        return None
    if verb == "pour":
        unit = _AMOUNTS.get(unit, "")
    elif verb == "set":
        unit = _DEGREES.get(unit, "C")
    return Action(verb, names, number, unit, ends, text if first not in ("weigh",) else f"mass {text}")
