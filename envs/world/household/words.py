"""The closed words of the household, how things are named in sentences, and the grammar of its actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from acgym.scorers.final_word import says_done

INSIDE = ("drawer", "cabinet", "box", "closet", "chest", "locker", "trunk", "safe")
"""Kinds of place that open and close; things are in them."""
SURFACES = ("table", "shelf", "counter", "desk", "bench", "sofa", "bed", "rack")
"""Kinds of place that are always open; things are on them."""
PLACES = (*INSIDE, *SURFACES)

TOOLS = {"clean": "sink", "heat": "microwave", "cool": "fridge"}
"""Treatment -> the appliance that does it. Appliances store nothing."""
STATES = {"clean": "clean", "heat": "hot", "cool": "cold"}
"""Treatment -> the state it leaves a thing in."""

DISHES = ("mug", "cup", "bowl", "plate", "pan", "pot", "glass", "jar")
FOOD = ("potato", "tomato", "pear", "lemon", "carrot", "bun", "cake", "pie")
OTHERS = ("fork", "spoon", "towel", "sponge", "vase", "book", "candle", "key")
OBJECTS = (*DISHES, *FOOD, *OTHERS)
FITS = {
    "": OBJECTS,
    "clean": (*DISHES, *FOOD[:5], *OTHERS[:5]),
    "heat": (*DISHES, *FOOD),
    "cool": (*DISHES, *FOOD),
}
"""Treatment (or none) -> the kinds of thing it is asked for."""
COLOURS = ("red", "blue", "green", "white", "black", "yellow", "brown", "pink")
ROOMS = ("kitchen", "bedroom", "bathroom", "hall", "study", "garage", "cellar", "porch")

_KNOWN = frozenset(OBJECTS) | frozenset(f"{colour} {kind}" for colour in COLOURS for kind in OBJECTS)
_ARTICLES = frozenset(("the", "a", "an"))
_INTO = frozenset(("in", "on", "into", "onto", "inside"))
_WITH = frozenset(("with", "in", "at", "using"))
_FROM = frozenset(("from",))
_EDGES = " \t\r.!`*\"'"


def is_object(name: str) -> bool:
    """Say whether ``name`` could name a thing in some house."""
    return name in _KNOWN


def kind_of(name: str) -> str:
    """Return the kind of a thing or place: ``"red mug"`` and ``"mug"`` are mugs, ``"drawer 2"`` is a drawer."""
    words = name.split()
    return words[0] if words[-1].isdigit() else words[-1]


def a(name: str) -> str:
    """Mention a thing or place for the first time: ``a mug``, but ``drawer 2``. No word here begins with a vowel."""
    return name if name[-1].isdigit() else f"a {name}"


def the(name: str) -> str:
    """Mention it again: ``the mug``, but ``drawer 2``."""
    return name if name[-1].isdigit() else f"the {name}"


def within(place: str) -> str:
    """Say where: ``in the drawer``, ``on shelf 2``."""
    return f"{'on' if kind_of(place) in SURFACES else 'in'} {the(place)}"


def plural(kind: str) -> str:
    """Return the plural of a kind of thing: ``mugs``, ``glasses``, ``potatoes``."""
    return kind + ("es" if kind[-1] in "sox" else "s")


def listing(names: Iterable[str]) -> str:
    """Write names as one list: ``a mug, a plate``; ``nothing`` for none."""
    return ", ".join([a(name) for name in names]) or "nothing"


DONE = "done"
"""The verb of the final word."""


class Action(NamedTuple):
    """One action that was read; empty strings where the verb takes no such argument."""

    verb: str
    """``go``, ``open``, ``close``, ``take``, ``put``, ``clean``, ``heat``, ``cool``, ``look``, ``inventory``, DONE."""
    thing: str = ""
    place: str = ""


def read_action(reply: str) -> Action | None:
    """Read the action in a reply; None when there is none.

    The action is the line after the last ``Action:``; without that mark, the whole reply. Case, articles and a final
    period do not matter. Names are not checked. What is no action but says that all is done
    (:func:`acgym.scorers.final_word.says_done`) is the final word.
    """
    text = reply.lower()
    mark = text.rfind("action:")
    if mark >= 0:
        text = text[mark + 7 :].lstrip(" \t\r\n*`").partition("\n")[0]
    words = text.strip(_EDGES + "\n").split() if len(text) <= 200 else []
    read = _READERS[words[0]] if words and words[0] in _READERS else None
    action = None if read is None else read([word for word in words if word not in _ARTICLES])
    return Action(DONE) if action is None and says_done(text) else action


def _read_go(words: list[str]) -> Action | None:
    if len(words) < 3 or words[1] != "to":
        return None
    return Action("go", place=" ".join(words[2:]))


def _read_door(words: list[str]) -> Action | None:
    return Action(words[0], place=" ".join(words[1:])) if len(words) > 1 else None


def _read_take(words: list[str]) -> Action | None:
    thing, place = _divide(words[1:], _FROM)
    return Action("take", thing, place) if thing else None


def _read_put(words: list[str]) -> Action | None:
    thing, place = _divide(words[1:], _INTO)
    return Action("put", thing, place) if thing and place else None


def _read_treat(words: list[str]) -> Action | None:
    thing, place = _divide(words[1:], _WITH)
    return Action(words[0], thing, place) if thing else None


def _read_alone(words: list[str]) -> Action | None:
    return Action(words[0]) if len(words) == 1 or words == ["look", "around"] else None


def _divide(words: list[str], at: frozenset[str]) -> tuple[str, str]:
    """Split at the first word of ``at``; without one, all words are the first part."""
    for i, word in enumerate(words):
        if word in at:
            return " ".join(words[:i]), " ".join(words[i + 1 :])
    return " ".join(words), ""


_READERS = {
    "go": _read_go,
    "open": _read_door,
    "close": _read_door,
    "take": _read_take,
    "put": _read_put,
    "clean": _read_treat,
    "heat": _read_treat,
    "cool": _read_treat,
    "look": _read_alone,
    "inventory": _read_alone,
}
