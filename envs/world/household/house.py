"""One house in motion: where everything is, what an action does to it, and which subgoals hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acgym.envs.world.household.words import STATES, TOOLS, Action, a, is_object, listing, the, within
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
            room), ``objects`` (rows ``[name, place]``).
    """

    def __init__(self, data: Mapping[str, Json]) -> None:
        self.rooms: list[str] = data["rooms"]
        self.room = self.rooms[0]
        self.tools: Mapping[str, str] = data["tools"]
        self.room_of = dict(self.tools)
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
        the place with all treatments done. ``closed``: that, and the place is closed.
        """
        state, things, count, place, needs = subgoal
        if state == "held":
            reached = sum(thing in self.was_held for thing in things)
        elif state in STATES:
            reached = sum(self.is_treated(thing, state) for thing in things)
        elif state == "closed" and self.accessible(place):
            return False
        else:
            reached = sum(self.done(thing, place, needs) for thing in things)
        return reached >= int(count)

    def done(self, thing: str, place: str, needs: Sequence[str]) -> bool:
        """Say whether a thing is where it should be and as it should be."""
        return self.where[thing] == place and all(self.is_treated(thing, need) for need in needs)

    def describe_room(self) -> str:
        """Say the room and what one sees in it."""
        text = f"You are in the {self.room}. You see {listing(self.places_in(self.room))}."
        if len(self.rooms) > 1:
            tools = [tool for tool, room in self.tools.items() if room == self.room]
            text += f" You can use {listing(tools)}." if tools else ""
        return text

    def describe_place(self, place: str) -> str:
        """Say what one sees of a place or appliance when standing at it; remembers that it was seen."""
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
        if action.verb == "look":
            here = "" if self.at is None else f" You are at {the(self.at)}.{self.describe_place(self.at)}"
            return Effect(self.describe_room() + here)
        return Effect(f"You hold {listing([self.hand] if self.hand else [])}.")

    def _go(self, place: str) -> Effect:
        if place in self.rooms:
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
        if place in self.tools:
            return Effect(f"Nothing can be kept in {the(place)}.", "wrong_place")
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
        if verb == "clean":
            self.clean.add(thing)
            self.temperature.pop(thing, None)
        else:
            self.temperature[thing] = STATES[verb]
        return Effect(f"You {verb} the {thing}.")

    def _missing(self, place: str) -> Effect | None:
        """Say that a place is not in this room, if it is not; the words do not tell whether another room has it."""
        if self.room_of.get(place) == self.room:
            return None
        known = place in self.room_of or place in self.rooms
        return Effect(f"You see no {excerpt(place, 30)} in the {self.room}.", "not_here" if known else "unknown_place")


def subgoals(goals: Sequence[Mapping[str, Json]]) -> list[list[Json]]:
    """Spell the subgoals of a task out, as rows for :meth:`House.holds`; the task is solved when all hold.

    Args:
        goals: mappings with ``things`` (any of them will do), ``count`` (how many), ``needs`` (treatments, in order),
            ``to`` (the place) and ``close`` (whether it must be closed in the end).
    """
    rows: list[list[Json]] = []
    for goal in goals:
        for count in range(1, goal["count"] + 1):
            for state in ("held", *goal["needs"], "in"):
                rows.append([state, goal["things"], count, goal["to"], goal["needs"]])
        if goal["close"]:
            rows.append(["closed", goal["things"], goal["count"], goal["to"], goal["needs"]])
    return rows


def _unknown(thing: str) -> Effect:
    return Effect(f"There is no thing called {excerpt(thing, 30)}.", "unknown_object")


def _first_upper(text: str) -> str:
    return text[0].upper() + text[1:]
