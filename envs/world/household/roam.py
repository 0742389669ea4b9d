"""The simple heuristic of large houses: keywords for goals, shared words for places, the first of a kind."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from functools import lru_cache
from typing import NamedTuple

from acgym.envs.world.household.furniture import HOME_OF, INSIDES_OF, LAMPS, LOOKS, SURFACES_OF
from acgym.envs.world.household.words import OBJECTS, TOOLS, kind_of, plural

_WORDS = {
    "clean": ("wash", "rins", "clean", "spotless", "free of dirt"),
    "heat": ("warm ", "warmed", "heat", " hot"),
    "cool": ("chill", "cool", "cold", "ice-cold"),
}
_SEEN = re.compile(r"(?:In|On) the (?P<place>[a-z -]+): (?P<things>[^.]+)\.")
_ROOM = re.compile(r"You are in the (?P<room>[a-z ]+)\. You see (?P<places>[^.]+)\.")
_DOORS = re.compile(r"from the ([a-z ]+) doors lead to ([a-z, ]+)", re.IGNORECASE)
_TOOLS = re.compile(r"([a-z, ]+?) (?:is|are) in the ([a-z ]+)", re.IGNORECASE)
_KINDS = tuple(dict.fromkeys((*OBJECTS, *HOME_OF)))
_ROOM_OF = {place: room for rows in (SURFACES_OF, INSIDES_OF) for room, names in rows.items() for place in names}

_PLACE = re.compile(rf"\b(?:{'|'.join(sorted(_ROOM_OF, key=len, reverse=True))})\b")
_KIND = re.compile(rf"\b({'|'.join(_KINDS)})(?:s|es)?\b")
_WORD = re.compile(r"[a-z]{4,}")
_SENTENCE = re.compile(r"(?<=\.) ")

Play = Generator[str, str, None]


class _Opening(NamedTuple):
    """What the first observation says."""

    task: str
    facts: tuple[tuple[str, frozenset[str]], ...]
    """Place -> the stems of the words in its sentence."""
    ways: dict[str, list[str]]
    tools: dict[str, str]
    now: str


@lru_cache(64)
def _read(first: str) -> _Opening:
    _, _, rest = first.partition("Action: go to X\n")
    head, _, task = rest.partition("\nTask: ")
    lines = head.split("\n")
    asked, _, now = task.partition("\nYou are in")
    plan = lines[-2] if len(lines) > 1 else ""
    facts = []
    for fact in _SENTENCE.split(lines[-1].lower()):
        place = _PLACE.search(fact)
        if place:
            facts.append((place[0], _stems(fact)))
    ways: dict[str, list[str]] = {}
    for one, others in _DOORS.findall(plan):
        for other in re.split(r", | and ", others):
            name = other.removeprefix("the ")
            ways.setdefault(one, []).append(name)
            ways.setdefault(name, []).append(one)
    tools = {
        name.strip().removeprefix("the "): room
        for names, room in _TOOLS.findall(plan.rpartition(". ")[2])
        for name in re.split(r", | and ", names.lower())
    }
    return _Opening(asked.lower(), tuple(facts), ways, tools, f"You are in{now}")


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:5] for word in _WORD.findall(text))


def roam(told: Sequence[str]) -> str:
    """Return the next action, from all observations so far.

    Each kind of thing that the task names is looked for where the sentence about the house stands that has most words
    in common with the task, then at all other places that sentences name, then elsewhere. The first thing of the kind
    is taken, unless the task says a whole name; treated as keywords say; and put at the last place that the task names,
    or at the place of the second best sentence.
    """
    walk = _Walk(told[0])
    play = walk.play()
    action = next(play)
    for observation in told[1:]:
        walk.notice(observation)
        action = play.send(observation)
    return f"Action: {action}"


class _Walk:
    """A walk under way: what was told, and where one stands."""

    def __init__(self, first: str) -> None:
        self.task, self.facts, self.ways, self.tools, now = _read(first)
        self.room = self.at = ""
        self.seen: dict[str, list[str]] = {}
        self.places: dict[str, list[str]] = {}
        self.notice(now)

    def notice(self, observation: str) -> None:
        """Remember the places and things that an observation tells."""
        room = _ROOM.search(observation)
        if room:
            self.room, self.at = room["room"], ""
            self.places[self.room] = [name.partition(" ")[2] for name in room["places"].split(", ")]
        place = _SEEN.search(observation)
        if place:
            names = [name.partition(" ")[2] for name in place["things"].split(", ")]
            self.seen[place["place"]] = [name for name in names if name]

    def play(self) -> Play:
        """Yield actions, receive observations."""
        parts = [(part, set(_KIND.findall(part))) for part in _SENTENCE.split(self.task)]
        for kind in dict.fromkeys(_KIND.findall(self.task)):
            said = " ".join([part for part, kinds in parts if kind in kinds or " it " in part])
            needs = [need for need, marks in _WORDS.items() if any(mark in said for mark in marks)]
            named = _PLACE.findall(said)
            lamp = next((lamp for lamp in LAMPS if lamp in said), "")
            order = self._order(said)
            twice = " both " in said or re.search(rf"\b{plural(kind)}\b", said) or said.count(f"the {kind} ") > 1
            to = named[-1] if named else order[1] if len(order) > 1 else ""
            for _ in range(2 if twice else 1):
                thing = yield from self._find(kind, said, [place for place in order if place != to], to)
                yield from self._use(thing, needs, lamp, to if named or not lamp or "then put" in said else "")
            if "close" in said and to:
                yield f"close {to}"
        while True:
            yield "look"

    def _order(self, said: str) -> list[str]:
        """List the places that sentences about the house name, the one that shares most words with ``said`` first."""
        stems = _stems(said)
        return [place for place, words in sorted(self.facts, key=lambda fact: -len(fact[1] & stems))]

    def _find(self, kind: str, said: str, order: list[str], to: str) -> Generator[str, str, str]:
        """Visit places until a thing of the kind is seen; take it."""
        rooms = dict.fromkeys([HOME_OF.get(kind, ""), self.room, *self.ways])
        exact = next((f"{look} {kind}" for look in LOOKS if f"{look} {kind}" in said), kind)
        while True:
            for place, things in self.seen.items():
                fit = next((one for one in things if place != to and (one == exact or kind_of(one) == exact)), "")
                if fit:
                    yield from self._go(place)
                    self.seen[place] = [one for one in self.seen[place] if one != fit]
                    yield f"take {fit}"
                    return fit
            goal = next((place for place in order if place not in self.seen), "")
            if exact != kind or not goal:
                here = [one for room in rooms for one in self.places.get(room, []) if one not in self.seen]
                goal = next((one for one in here if one != to), "")
            if goal:
                yield from self._go(goal)
                self.seen.setdefault(goal, [])
                continue
            new = next((room for room in rooms if room in self.ways and room not in self.places), "")
            yield from self._walk_to(new) if new else self._say("look")

    def _use(self, thing: str, needs: Sequence[str], lamp: str, to: str) -> Play:
        """Treat what is held, show it to the lamp, put it down."""
        if lamp:
            yield from self._go(lamp)
            yield f"turn on {lamp}"
            yield f"examine {thing}"
        for need in needs:
            yield from self._go(TOOLS[need])
            yield f"{need} {thing}"
        if to:
            yield from self._go(to)
            yield f"put {thing} in {to}"

    def _say(self, action: str) -> Play:
        yield action

    def _go(self, place: str) -> Play:
        """Go to a place, through rooms, and open it if it is closed."""
        room = self.tools.get(place) or LAMPS.get(place) or _ROOM_OF.get(place, self.room)
        yield from self._walk_to(room)
        heard = yield f"go to {place}"
        if heard.endswith("is closed."):
            yield f"open {place}"

    def _walk_to(self, room: str) -> Play:
        """Take the way to a room, door by door."""
        came, queue = {room: room}, [room]
        for one in queue:
            for other in self.ways.get(one, []):
                if other not in came:
                    came[other] = one
                    queue.append(other)
        for _ in range(len(came)):
            if self.room == room:
                return
            if self.room not in came:
                yield "look"
                return
            yield f"go to {came[self.room]}"
