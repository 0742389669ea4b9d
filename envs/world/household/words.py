"""The closed words of the household, and how things are named in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from acgym.envs.world.household.furniture import ALL_SURFACES, HOME_OF, LOOKS

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

_KINDS = frozenset(OBJECTS) | frozenset(HOME_OF)
_KNOWN = _KINDS | frozenset(f"{look} {kind}" for look in (*COLOURS, *LOOKS) for kind in _KINDS)
_AN = frozenset("aeiou")


def is_object(name: str) -> bool:
    """Say whether ``name`` could name a thing in some house."""
    return name in _KNOWN


@lru_cache(4096)
def kind_of(name: str) -> str:
    """Return the kind of a thing or place: ``"red mug"`` and ``"mug"`` are mugs, ``"drawer 2"`` is a drawer."""
    words = name.split()
    return words[0] if words[-1].isdigit() else words[-1]


def a(name: str) -> str:
    """Mention a thing or place for the first time: ``a mug``, ``an armchair``, but ``drawer 2``."""
    return name if name[-1].isdigit() else f"{'an' if name[0] in _AN else 'a'} {name}"


def the(name: str) -> str:
    """Mention it again: ``the mug``, but ``drawer 2``."""
    return name if name[-1].isdigit() else f"the {name}"


def within(place: str) -> str:
    """Say where: ``in the drawer``, ``on shelf 2``."""
    on = place in ALL_SURFACES or kind_of(place) in SURFACES
    return f"{'on' if on and place != 'hammock' else 'in'} {the(place)}"


def plural(kind: str) -> str:
    """Return the plural of a kind of thing: ``mugs``, ``glasses``, ``potatoes``."""
    return kind + ("es" if kind[-1] in "sox" or kind.endswith(("sh", "ch")) else "s")


def listing(names: Iterable[str]) -> str:
    """Write names as one list: ``a mug, a plate``; ``nothing`` for none."""
    return ", ".join([a(name) for name in names]) or "nothing"
