"""One house in motion: where everything is, what an action does to it, and which subgoals hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acgym.envs.world.household.actions import Action
from acgym.envs.world.household.words import STATES, TOOLS, a, is_object, kind_of, listing, the, within
from acgym.text import excerpt
from acgym.types import Json


class Effect(NamedTuple):
    """What one action did to the house."""

    sentence: str
    error: str | None = None
    """None when the action was carried out, else the kind of mistake; then nothing has changed."""


class House:
    """The state of one task; all of it, so that an expert can go on from anywhere.

    Args:
        data: ``rooms`` (list of names, the first is where one starts), ``places`` (rows ``[name, room, state]`` with
            state ``"surface"``, ``"open"`` or ``"closed"``, in the order they are listed), ``tools`` (appliance ->
            room), ``objects`` (rows ``[name, place]``). Large houses also have ``doors`` (pairs of rooms; without them
            one can go from each room to each other), ``lamps`` (lamp -> room) and ``states`` (thing -> ``"dirty"``,
            ``"clean"``, ``"warm"`` or ``"cold"``).
    """

    def __init__(self, data: Mapping[str, Json]) -> None:
        self.rooms: list[str] = data["rooms"]
        self.room = self.rooms[0]
        self.tools: Mapping[str, str] = data["tools"]
        self.lamps: Mapping[str, str] = data.get("lamps", {})
        self.doors: dict[str, list[str]] | None = None
        if "doors" in data:
            self.doors = {room: [] for room in self.rooms}
            for one, other in data["doors"]:
                self.doors[one].append(other)
                self.doors[other].append(one)
        self.room_of = {**self.tools, **self.lamps}
        self.open: dict[str, bool] = {}
        """Whether a place that opens and closes is open; surfaces are not in it."""
        self.contents: dict[str, list[str]] = {}
        for name, room, state in data["places"]:
            self.room_of[name] = room
            self.contents[name] = []
            if state != "surface":
                self.open[name] = state == "open"
        self.where: dict[str, str | None] = {}
        """Thing -> its place; None while it is held."""
        for name, place in data["objects"]:
            self.where[name] = place
            self.contents[place].append(name)
        self.at: str | None = None
        """The place or appliance one stands at; None after entering a room."""
        self.hand: str | None = None
        self.clean: set[str] = set()
        self.temperature: dict[str, str] = {}
        """Thing -> ``"hot"`` or ``"cold"``, once it was treated."""
        self.dirty: set[str] = set()
        self.warm: set[str] = set()
        self.shining: set[str] = set()
        """Lamps that are on."""
        self.lit: set[str] = set()
        """Things that have been examined in the light of a lamp."""
        self.examined: set[str] = set()
        for thing, state in data.get("states", {}).items():
            if state == "cold":
                self.temperature[thing] = "cold"
            else:
                {"clean": self.clean, "dirty": self.dirty, "warm": self.warm}[state].add(thing)
        self.was_held: set[str] = set()
        self.seen: set[str] = set()
        """Places whose contents have been seen."""

    def accessible(self, place: str) -> bool:
        """Say whether the contents of a place can be seen and reached from beside it."""
        return self.open.get(place, True)

    def knows(self, thing: str) -> bool:
        """Say whether someone who has seen what was shown so far knows where ``thing`` is."""
        place = self.where[thing]
        return place is None or place in self.seen

    def places_in(self, room: str) -> list[str]:
        """Return the places of a room, in the order they are listed."""
        return [place for place in self.contents if self.room_of[place] == room]

    def is_treated(self, thing: str, treatment: str) -> bool:
        """Say whether a thing is clean now, hot now or cold now."""
        return thing in self.clean if treatment == "clean" else self.temperature.get(thing) == STATES[treatment]

    def holds(self, subgoal: Sequence[Json]) -> bool:
        """Say whether a subgoal holds now: a row ``[state, things, count, place, treatments]``.

        ``held``: so many of the things have been held. A treatment: so many are in its state. ``in``: so many are in
        the place with all treatments done. ``closed``: that, and the place is closed. ``lit``: so many have been
        examined in the light of a lamp.
        """
        state, things, count, place, needs = subgoal
        if state == "held":
            reached = sum(thing in self.was_held for thing in things)
        elif state == "lit":
            reached = sum(thing in self.lit for thing in things)
        elif state in STATES:
            reached = sum(self.is_treated(thing, state) for thing in things)
        elif state == "closed" and self.accessible(place):
            return False
        else:
            reached = 0 if self.foreign(things, place) else sum(self.done(thing, place, needs) for thing in things)
        return reached >= int(count)

    def done(self, thing: str, place: str, needs: Sequence[str]) -> bool:
        """Say whether a thing is where it should be and as it should be."""
        return self.where[thing] == place and all(self.is_treated(thing, need) for need in needs)

    def foreign(self, things: Sequence[str], place: str) -> list[str]:
        """List what spoils a place of a large house: things of the kind that is asked for which are not asked for."""
        if self.doors is None:
            return []
        return [one for one in self.contents[place] if kind_of(one) == kind_of(things[0]) and one not in things]

    def describe_room(self) -> str:
        """Say the room and what one sees in it."""
        text = f"You are in the {self.room}. You see {listing(self.places_in(self.room))}."
        if len(self.rooms) > 1:
            tools = [tool for tool, room in {**self.tools, **self.lamps}.items() if room == self.room]
            text += f" You can use {listing(tools)}." if tools else ""
        if self.doors is not None:
            text += f" From here you can go to {', '.join([the(room) for room in self.doors[self.room]])}."
        return text

    def describe_place(self, place: str) -> str:
        """Say what one sees of a place or appliance when standing at it; remembers that it was seen."""
        if place in self.lamps:
            return f" It is {'on' if place in self.shining else 'off'}."
        if place in self.tools:
            return ""
        if not self.accessible(place):
            return f" {_first_upper(the(place))} is closed."
        self.seen.add(place)
        return f" {_first_upper(within(place))}: {listing(self.contents[place])}."

    def act(self, action: Action) -> Effect:
        """Carry out one action, or say why it cannot be."""
        if action.verb in TOOLS:
            return self._treat(action)
        if action.verb == "take":
            return self._take(action)
        if action.verb == "put":
            return self._put(action)
        if action.verb == "go":
            return self._go(action.place)
        if action.verb in ("open", "close"):
            return self._turn(action.verb, action.place)
        if action.verb == "examine":
            return self._examine(action.thing)
        if action.verb in ("turn on", "turn off"):
            return self._switch(action.verb, action.place)
        if action.verb == "look":
            here = "" if self.at is None else f" You are at {the(self.at)}.{self.describe_place(self.at)}"
            return Effect(self.describe_room() + here)
        return Effect(f"You hold {listing([self.hand] if self.hand else [])}.")

    def _go(self, place: str) -> Effect:
        if place in self.rooms:
            if self.doors is not None and place != self.room and place not in self.doors[self.room]:
                return Effect(f"No door leads from the {self.room} to the {place}.", "not_here")
            self.room, self.at = place, None
            return Effect(self.describe_room())
        missing = self._missing(place)
        if missing:
            return missing
        self.at = place
        return Effect(f"You are at {the(place)}.{self.describe_place(place)}")

    def _turn(self, verb: str, place: str) -> Effect:
        if self._missing(place) or place != self.at:
            return self._missing(place) or Effect(f"You are not at {the(place)}. Go there first.", "not_here")
        if place not in self.open:
            return Effect(f"You cannot {verb} {the(place)}.", "cannot_open")
        if self.open[place] == (verb == "open"):
            return Effect(f"{_first_upper(the(place))} is {'open' if verb == 'open' else 'closed'} already.", "already")
        self.open[place] = verb == "open"
        seen = self.describe_place(place) if verb == "open" else ""
        return Effect(f"You {verb} {the(place)}.{seen}")

    def _take(self, action: Action) -> Effect:
        thing, place = action.thing, self.at
        if not is_object(thing):
            return _unknown(thing)
        if self.hand is not None:
            return Effect(f"Your hand is full: you hold {a(self.hand)}. Put it somewhere first.", "hands_full")
        if action.place and action.place != place:
            return self._missing(action.place) or Effect(f"You are not at {the(action.place)}.", "not_here")
        if place is not None and not self.accessible(place):
            return Effect(f"{_first_upper(the(place))} is closed. Open it first.", "closed")
        if place is None or self.where.get(thing) != place:
            return Effect(f"You see no {thing} here.", "not_here")
        self.contents[place].remove(thing)
        self.where[thing] = None
        self.hand = thing
        self.was_held.add(thing)
        return Effect(f"You take the {thing}.")

    def _put(self, action: Action) -> Effect:
        thing, place = action.thing, action.place
        if not is_object(thing):
            return _unknown(thing)
        if self.hand != thing:
            return Effect(f"You do not hold a {thing}.", "not_holding")
        if self._missing(place) or place != self.at:
            return self._missing(place) or Effect(f"You are not at {the(place)}. Go there first.", "not_here")
        if place in self.tools or place in self.lamps:
            return Effect(f"Nothing can be kept {'in' if place in self.tools else 'at'} {the(place)}.", "wrong_place")
        if not self.accessible(place):
            return Effect(f"{_first_upper(the(place))} is closed. Open it first.", "closed")
        self.contents[place].append(thing)
        self.where[thing] = place
        self.hand = None
        return Effect(f"You put the {thing} {within(place)}.")

    def _treat(self, action: Action) -> Effect:
        verb, thing, place = action
        tool = TOOLS[verb]
        if not is_object(thing):
            return _unknown(thing)
        if self.hand != thing:
            return Effect(f"You do not hold a {thing}. Take it first.", "not_holding")
        if self.at != tool or place not in ("", tool):
            return Effect(f"You can {verb} things at the {tool} only.", "wrong_place")
        self.warm.discard(thing)
        if verb == "clean":
            self.clean.add(thing)
            self.temperature.pop(thing, None)
        else:
            self.temperature[thing] = STATES[verb]
        return Effect(f"You {verb} the {thing}.")

    def _examine(self, thing: str) -> Effect:
        if not is_object(thing):
            return _unknown(thing)
        place = self.at
        if self.hand != thing and (place is None or self.where.get(thing) != place or not self.accessible(place)):
            return Effect(f"You see no {thing} here.", "not_here")
        self.examined.add(thing)
        if place in self.shining and self.hand == thing:
            self.lit.add(thing)
            return Effect(f"You see every detail of the {thing} in the light of the {place}.")
        warmth = "warm" if thing in self.warm else self.temperature.get(thing, "")
        dirt = "clean" if thing in self.clean else "dirty" if thing in self.dirty else ""
        told = " and ".join([state for state in (dirt, warmth) if state])
        return Effect(f"The {thing} is {told}." if told else f"There is nothing special about the {thing}.")

    def _switch(self, verb: str, lamp: str) -> Effect:
        if self._missing(lamp) or lamp != self.at:
            return self._missing(lamp) or Effect(f"You are not at {the(lamp)}. Go there first.", "not_here")
        if lamp not in self.lamps:
            return Effect(f"You cannot {verb} {the(lamp)}.", "cannot_open")
        if (lamp in self.shining) == (verb == "turn on"):
            return Effect(f"{_first_upper(the(lamp))} is {verb.removeprefix('turn ')} already.", "already")
        (self.shining.add if verb == "turn on" else self.shining.remove)(lamp)
        return Effect(f"You {verb} {the(lamp)}.")

    def _missing(self, place: str) -> Effect | None:
        """Say that a place is not in this room, if it is not; the words do not tell whether another room has it."""
        if self.room_of.get(place) == self.room:
            return None
        kind = "not_here" if place in self.room_of or place in self.rooms else "unknown_place"
        return Effect(f"You see no {excerpt(place, 30)} in the {self.room}.", kind)


def subgoals(goals: Sequence[Mapping[str, Json]]) -> list[list[Json]]:
    """Spell the subgoals of a task out, as rows for :meth:`House.holds`; the task is solved when all hold.

    Args:
        goals: mappings with ``things`` (any of them will do), ``count`` (how many), ``needs`` (treatments, in order),
            ``to`` (the place) and ``close`` (whether it must be closed in the end). Where ``lamp`` is true, ``to`` is
            a lamp in whose light the things are to be examined.
    """
    rows: list[list[Json]] = []
    for goal in goals:
        for count in range(1, goal["count"] + 1):
            for state in ("held", *goal["needs"], "lit" if goal.get("lamp") else "in"):
                rows.append([state, goal["things"], count, goal["to"], goal["needs"]])
        if goal["close"]:
            rows.append(["closed", goal["things"], goal["count"], goal["to"], goal["needs"]])
    return rows


def _unknown(thing: str) -> Effect:
    return Effect(f"There is no thing called {excerpt(thing, 30)}.", "unknown_object")


def _first_upper(text: str) -> str:
    return text[0].upper() + text[1:]
