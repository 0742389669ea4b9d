"""Reads an action of the laboratory in a reply, as people and models write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from acgym.envs.names import words as listed
from acgym.envs.world.lab.amounts import Amount, amount_in, minutes_in, split
from acgym.envs.world.lab.units import NUMBER, number_of

MAX_LINE = 300
"""A longer line is no action."""
_EDGES = " \t\r\n*_`\"'“”‘’«»[](){}<>.,;:!?"
_INNER = '*`"“”«»[](){}<>,;:!?'
_VERBS = {
    "go": "go", "walk": "go", "enter": "go", "move": "put", "head": "go",
    "look": "look", "observe": "look", "inventory": "look",
    "take": "take", "grab": "take", "get": "take", "pick": "take", "fetch": "take", "hold": "take",
    "put": "put", "place": "put", "drop": "put", "lay": "put", "set": "set", "insert": "put", "immerse": "put",
    "turn": "set", "adjust": "set", "switch": "set", "heat": "set", "cool": "set", "melt": "set", "boil": "set",
    "freeze": "set", "warm": "set", "chill": "set",
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
_TO_DEVICE = frozenset(("heat", "cool", "melt", "boil", "freeze", "warm", "chill"))
"""Verbs that put a thing into a device where two are named and no temperature is."""
_ADDED = {"weigh": "mass", "self": "itself", "self-pollinate": "itself", "fill": "fill"}
"""Words that a verb says without saying them."""
_SMALL = frozenset(
    listed(
        "the a an of from into in on onto to with my your some and at up out inside using by it its this that then now "
        "again for off back down over all both label display text level reading value amount temperature mass weight "
        "volume height length voltage current terminal end contents measure minutes free through"
    )
)
"""Words that name nothing."""
_COUNTED = frozenset(("pour", "wait"))
"""Verbs whose amounts :mod:`acgym.envs.world.lab.amounts` reads."""
_DIGITS = "0123456789-−–."
_ANSWER_IS = re.compile(r"(?:the |my )?(?:final )?answer(?: is|:)? ")
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
    """Unit of the number: ``g``, ``ml``, ``C``, ``share`` (a part of all there is), or ``min`` for lengths of time."""
    ends: tuple[str, ...] = ()
    """``+`` or ``-`` for each end of an electric part that was named."""
    text: str = ""
    """What follows the verb, as it was said."""
    unread: str = ""
    """Words that stand where an amount or a length of time would, and cannot be read."""


def line_of(reply: str) -> str:
    """Return the line that holds the action: behind the last ``Action:`` or ``Answer:``, else the last line."""
    small = reply.lower()
    mark, answer = small.rfind("action:"), small.rfind("answer:")
    if max(mark, answer) >= 0:
        start = max(mark, answer) + 7
        said = reply[start:].lstrip(" \t\r\n*_`").partition("\n")[0].strip(_EDGES)
        return f"answer {said}" if answer > mark and said else said
    return reply.rstrip().rpartition("\n")[2].strip(_EDGES)


class Names(NamedTuple):
    """What may be named."""

    full: Mapping[str, str]
    """All things and rooms in small letters -> as they are written."""
    starts: Mapping[str, int]
    """First word of a name -> how many words the longest one has that begins with it."""
    near: Callable[[], Sequence[str]]
    """Returns the things at hand in small letters, for names said in part ("beaker" where there is one)."""


def read_action(reply: str, names: Names) -> Action | None:
    """Read an action; None when there is none.

    Args:
        reply: any text; linear in its length.
        names: what may be named.
    """
    line = line_of(reply)
    if not line or len(line) > MAX_LINE:
        return None
    words = [word if word.isalnum() else word.strip(_INNER).rstrip(".") for word in line.lower().split()]
    first, second = words[0], words[1] if len(words) > 1 else ""
    pair = f"{first} {second}"
    verb = _PAIRS.get(pair) or _PAIRS.get(first) or _VERBS.get(first)
    if verb is None:
        spoken = _ANSWER_IS.match(line.lower())
        return None if spoken is None else Action("answer", text=line[spoken.end() :].strip(_EDGES))
    if verb == "answer":
        said = line[len(line.split()[0]) :].strip(_EDGES + "=")
        return Action(verb, text=said.removeprefix("is ")) if said else None
    return _meant(_parts(verb, words[2 if pair in _PAIRS and verb != "pour" else 1 :], names), first)


def _parts(verb: str, words: list[str], names: Names) -> Action:
    """Find names, a number with its unit, and ends among words."""
    words = split(words) if verb in _COUNTED else words
    spots: list[str | None] = list(words)
    found: list[tuple[int, str]] = []
    left: list[tuple[int, str]] = []
    ends: list[str] = []
    number: float | None = None
    unit, i = "", 0
    while i < len(words):
        word = words[i]
        size = min(names.starts.get(word, 0), len(words) - i)
        while size and " ".join(words[i : i + size]) not in names.full:
            size -= 1
        counted = None if size or verb in _COUNTED or word[:1] not in _DIGITS else _NUMBER_UNIT.fullmatch(word)
        if size:
            found.append((i, names.full[" ".join(words[i : i + size])]))
            spots[i : i + size] = [None] * size
        elif counted and number is None:
            number = number_of(counted[1])
            behind = [word for word in words[i + 1 : i + 3] if word not in ("°", "degrees", "deg")]
            unit = counted[2] or (behind[0] if behind else "")
        elif word in _ENDS:
            ends.append(_ENDS[word])
        else:
            left.append((i, word))
        i += size or 1
    amount = _amount(verb, spots, names) if verb in _COUNTED else Amount(number, unit)
    left = [(i, word) for i, word in left if i not in amount.taken]
    if len(found) < 2 and left and verb not in ("wait", "look"):
        found = _in_part(left, names, found)
    named = tuple(name for _, name in found)
    return Action(verb, named, amount.number, amount.unit, tuple(ends), " ".join(words), amount.unread)


def _amount(verb: str, spots: list[str | None], names: Names) -> Amount:
    """Read an amount or a length of time; words with letters that are part of a name at hand are none."""
    if verb == "wait":
        return minutes_in(spots)
    parts = {word for name in names.near() for word in name.split() if len(word) > 2 and not word.isdigit()}
    return amount_in(spots, parts.__contains__)


def _in_part(left: list[tuple[int, str]], names: Names, found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Add, in their order, things at hand that words beside one another name without a doubt, in part."""
    near = [name.split() for name in names.near()]
    more = list(found)
    for i, words in _phrases(left):
        meant = [name for name in near if all(word in name for word in words)]
        if len(meant) == 1:
            name = names.full[" ".join(meant[0])]
            if all(name != other for _, other in more):
                more.append((i, name))
    return sorted(more)


def _phrases(left: list[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    """Put words that stand beside one another together; small words divide them, but for "of"."""
    phrases: list[tuple[int, list[str]]] = []
    last = -2
    for i, word in left:
        if word == "of" and last == i - 1:
            last = i
        elif word not in _SMALL and len(word) > 2:
            if last == i - 1:
                phrases[-1][1].append(word)
            else:
                phrases.append((i, [word]))
            last = i
    return phrases


def _meant(action: Action, first: str) -> Action | None:
    """Settle the unit, and what a verb of several meanings means here."""
    verb, names, number, unit, ends, text, unread = action
    if verb == "set" and number is None and (first == "set" or (first in _TO_DEVICE and len(names) > 1)):
        verb = "put"
    elif verb == "read" and not names:
        verb = "look"
    elif verb == "set":
        unit = _DEGREES.get(unit, "C")
    if first in _ADDED:
        text = f"{_ADDED[first]} {text}"
    return Action(verb, names, number, unit, ends, text, unread)
