"""The laboratory's state: rooms, things with a place each, time, and the facts that have been observed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from acgym.types import Json

YOU = "you"
"""The place of what is carried."""
FIXED = frozenset(("heater", "holder", "balance", "bench", "chart"))
"""Kinds of thing that stay in their room."""


@dataclass(slots=True)
class Thing:
    """A thing: its name, kind, place (a room, ``you``, or the name of what it is in or on), and what its kind has."""

    name: str
    kind: str
    at: str
    more: dict[str, Any] = field(default_factory=dict)


def the(name: str, capital: bool = False) -> str:
    """Put an article before a name, unless it ends in a letter or number of its own ("pot 1", "cell A")."""
    last = name.rpartition(" ")[2]
    if len(last) == 1 or last.isdecimal():
        return name[0].upper() + name[1:] if capital else name
    return f"The {name}" if capital else f"the {name}"


class Lab:
    """State of one task, made from its data and changed by actions.

    Every thing has one place; what is poured moves from one vessel to another. Time passes only by waiting.
    """

    def __init__(self, data: Mapping[str, Json]) -> None:
        self.rooms: list[str] = list(data["rooms"])
        self.here: str = data["start"]
        self.things: dict[str, Thing] = {}
        self.names: dict[str, str] = {}
        """Names of rooms and things in small letters -> as they are written."""
        self.starts: dict[str, int] = {}
        """First word of a name -> how many words the longest name has that begins with it."""
        for room in self.rooms:
            self._index(room)
        for row in data["things"]:
            more = {key: _copied(value) for key, value in row.items() if key not in ("name", "kind", "at")}
            self.add(Thing(row["name"], row["kind"], row["at"], more))
        self.minutes = 0.0
        self.seen: dict[str, float] = {}
        """Facts that the agent has observed -> the value read, or 1."""
        self.joins: list[tuple[tuple[str, str], tuple[str, str]]] = []
        """Ends of electric parts that are connected: (part, end) with (part, end)."""
        self.air: dict[str, float] = {}
        """Grams of each substance that have gone into the air."""
        self.salt: int = data["salt"]
        """What chance in crosses is drawn from."""
        self.crosses = 0

    def add(self, thing: Thing) -> None:
        """Bring a new thing into the laboratory."""
        self.things[thing.name] = thing
        self._index(thing.name)

    def _index(self, name: str) -> None:
        small = name.lower()
        self.names[small] = name
        words = small.split()
        self.starts[words[0]] = max(len(words), self.starts.get(words[0], 0))

    def of_kind(self, kind: str) -> list[Thing]:
        """Return all things of a kind."""
        return [thing for thing in self.things.values() if thing.kind == kind]

    def room_of(self, name: str) -> str:
        """Return the room in which a thing is; the room where you are if it is carried."""
        at = self.things[name].at
        while at in self.things:
            at = self.things[at].at
        return self.here if at == YOU else at

    def hidden_in(self, name: str) -> str | None:
        """Return the closed holder in which a thing is, if it is in one."""
        at = self.things[name].at
        while at in self.things:
            if self.things[at].more.get("closed"):
                return at
            at = self.things[at].at
        return None

    def at_hand(self, name: str) -> bool:
        """Say whether a thing is in this room or carried, and not shut away."""
        return self.room_of(name) == self.here and self.hidden_in(name) is None

    def on(self, name: str) -> list[Thing]:
        """Return what lies in or on a thing or a room, or what is carried."""
        return [thing for thing in self.things.values() if thing.at == name]

    def near(self) -> Iterator[Thing]:
        """Yield the things that are at hand."""
        return (thing for thing in self.things.values() if self.at_hand(thing.name))

    def instrument(self, kind: str) -> Thing | None:
        """Return an instrument or tool of a kind that is at hand."""
        return next((thing for thing in self.near() if thing.kind == kind), None)

    def observe(self, fact: str, value: float = 1.0) -> None:
        """Note that the agent has observed a fact."""
        self.seen[fact] = value

    def describe(self) -> str:
        """Say where one is and what is here."""
        names = [self._shown(thing) for thing in self.on(self.here)]
        held = [self._shown(thing) for thing in self.on(YOU)]
        others = [room for room in self.rooms if room != self.here]
        text = f"You are in the {self.here}. Here: {', '.join(names) if names else 'nothing'}."
        if others:
            text += f" Doors lead to: {', '.join(others)}."
        return f"{text} You carry: {', '.join(held)}." if held else text

    def _shown(self, thing: Thing) -> str:
        more = thing.more
        if thing.kind == "heater":
            inside = self._inside(thing.name, "empty")
            if more["low"] == more["high"]:
                return f"{thing.name} ({more['low']:g} °C, {inside})"
            return f"{thing.name} ({more['low']:g} to {more['high']:g} °C, set to {more['set']:g} °C, {inside})"
        if thing.kind == "holder":
            return f"{thing.name} ({'closed' if more.get('closed') else self._inside(thing.name, 'empty')})"
        inside = self._inside(thing.name, "")
        return f"{thing.name} ({inside})" if inside else thing.name

    def _inside(self, name: str, empty: str) -> str:
        held = [self._shown(thing) for thing in self.on(name)]
        return f"with {', '.join(held)}" if held else empty


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
