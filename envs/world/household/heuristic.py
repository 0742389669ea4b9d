"""The simple heuristic of the household: parse the goals, look through all places in a fixed order, do the steps."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from acgym.envs.world.household.words import STATES, TOOLS, is_object, plural

_GOAL = re.compile(r"put (?:an? |two )?(?P<thing>.+?) (?:in|on) (?:the )?(?P<to>[^;]+?)(?: of the (?P<room>\w+))?$")
_SEEN = re.compile(r"(?:In|On) (?:the )?(?P<place>[a-z]+(?: \d+)?): (?P<things>[^.]+)\.")
_ROOM = re.compile(r"You are in the (?P<room>\w+)\. You see (?P<places>[^.]+)\.")

Play = Generator[str, str, None]


class _Goal(NamedTuple):
    """One goal, as its sentence says it."""

    kind: str
    things: int
    needs: tuple[str, ...]
    to: str
    room: str
    close: bool


def search(told: Sequence[str]) -> str:
    """Return the next action of a search, from all observations so far.

    Places are visited in the order in which rooms list them; what was seen is remembered. A thing is taken where it is
    seen, treated in the order in which its adjectives stand, and put. When all is done or nothing is left to look at,
    it looks around.
    """
    play = _Search(told[0]).play()
    action = next(play)
    for observation in told[1:]:
        action = play.send(observation)
    return f"Action: {action}"


@dataclass
class _Search:
    """A search under way: what was told, and where one stands."""

    first: str
    room: str = ""
    at: str = ""
    places: dict[str, list[str]] = field(default_factory=dict)
    """Room -> its places, for each room that was seen."""
    seen: dict[str, list[str]] = field(default_factory=dict)
    """Place -> what was in it when it was looked into."""
    done: list[str] = field(default_factory=list)
    """Things that were put where they belong."""

    def play(self) -> Play:
        """Yield actions, receive observations."""
        self._notice(self.first)
        named = re.search(r"^The house has (.+?)\. ", self.first, re.MULTILINE)
        rooms = [name.removeprefix("a ") for name in named[1].split(", ")] if named else [self.room]
        tools = dict(re.findall(r"The (sink|microwave|fridge) is in the (\w+)\.", self.first))
        task = re.search(r"^Task: (.+)\.$", self.first, re.MULTILINE)
        for goal in _goals(task[1] if task else ""):
            for _ in range(goal.things):
                thing = yield from self._find(goal, rooms)
                yield from self._say(f"take {thing}")
                for need in goal.needs:
                    yield from self._go(TOOLS[need], tools.get(TOOLS[need], self.room))
                    yield from self._say(f"{need} {thing}")
                yield from self._go(goal.to, goal.room or self.room)
                yield from self._say(f"put {thing} in {goal.to}")
                self.done.append(thing)
            if goal.close:
                yield from self._go(goal.to, goal.room or self.room)
                yield from self._say(f"close {goal.to}")
        while True:
            yield "look"

    def _find(self, goal: _Goal, rooms: Sequence[str]) -> Generator[str, str, str]:
        """Visit places until a thing of the goal is seen; return it, standing where it is."""
        while True:
            for place, things in self.seen.items():
                thing = next((one for one in things if _is(one, goal) and one not in self.done), None)
                if thing is not None:
                    room = next(room for room, places in self.places.items() if place in places)
                    yield from self._go(place, room)
                    things.remove(thing)
                    return thing
            place = next((one for one in self.places[self.room] if one not in self.seen and one != goal.to), "")
            if place:
                yield from self._go(place, self.room)
                self.seen.setdefault(place, [])
                continue
            unseen = (room for room in rooms if any(one not in self.seen for one in self.places.get(room, [""])))
            room = next((one for one in unseen if one != self.room), "")
            yield from self._say(f"go to {room}" if room else "look")

    def _go(self, place: str, room: str) -> Play:
        """Go to a place and open it if it is closed."""
        if room != self.room:
            yield from self._say(f"go to {room}")
        heard = yield from self._say(f"go to {place}")
        if heard.endswith("is closed."):
            yield from self._say(f"open {place}")

    def _say(self, action: str) -> Generator[str, str, str]:
        heard = yield action
        self._notice(heard)
        return heard

    def _notice(self, observation: str) -> None:
        """Remember the places and things that an observation tells."""
        room = _ROOM.search(observation)
        if room:
            self.room = room["room"]
            self.places[self.room] = _names(room["places"])
        place = _SEEN.search(observation)
        if place:
            self.seen[place["place"]] = [thing for thing in _names(place["things"]) if is_object(thing)]


def _names(listed: str) -> list[str]:
    return [name.removeprefix("a ") for name in listed.split(", ")]


def _is(thing: str, goal: _Goal) -> bool:
    """Say whether a thing is one that the goal names, by its whole name or by its kind alone."""
    return thing == goal.kind or (goal.things > 1 and plural(thing.split()[-1]) == goal.kind)


def _goals(task: str) -> list[_Goal]:
    """Take the sentence of the task apart."""
    treatment = {state: need for need, state in STATES.items()}
    goals = []
    for part in task.split("; also "):
        asked, close, _ = part.partition(" and close ")
        found = _GOAL.fullmatch(asked)
        if found is None:
            continue
        words = [word for word in found["thing"].split() if word != "and"]
        needs = tuple(treatment[word] for word in words if word in treatment)
        kind = " ".join(word for word in words if word not in treatment)
        things = 2 if asked.startswith("put two ") else 1
        goals.append(_Goal(kind, things, needs, found["to"], found["room"] or "", bool(close)))
    return goals
