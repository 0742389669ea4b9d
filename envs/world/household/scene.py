"""A large house as it is furnished: people and their habits, things where they left them, and goals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from acgym.draw import Draw
from acgym.envs.names import in_split
from acgym.envs.spoken import FIRST_NAMES
from acgym.envs.world.household.furniture import HOME_OF, INSIDES_OF, LAMPS, LOOKS, SURFACES_OF
from acgym.envs.world.household.people import Line, lines
from acgym.envs.world.household.tasks import goal_key, layout_key
from acgym.envs.world.household.wordings import (
    DO_THERE,
    KEEP_THERE,
    Said,
    name_thing,
    say_condition,
    say_goal,
    say_light,
    upper,
)
from acgym.envs.world.household.words import DISHES, FITS, FOOD, OBJECTS, kind_of, within
from acgym.types import Split

_TO_CLEAN = (*FITS["clean"], "comb", "toothbrush", "razor", "ruler", "hammer", "wrench", "screwdriver")
_FITS = {"": tuple(dict.fromkeys((*OBJECTS, *HOME_OF))), "clean": _TO_CLEAN, "heat": (*DISHES, *FOOD)}
_FITS["cool"] = _FITS["heat"]
_BY_NAME = {2: 1.0, 3: 0.35, 4: 0.25, 5: 0.2}
"""Level -> how often a task calls a person by name, and not by trade."""
_LIKE = {2: (1, 0), 3: (3, 1), 4: (3, 2), 5: (4, 2)}
"""Level -> how many look-alikes lie at other places of the same person and at those of others."""


class Ask(NamedTuple):
    """The shape of one goal."""

    of: str
    """``"home"`` (a thing that lies where everybody would look first), ``"left"`` (one that is told by where somebody
    left or keeps it), ``"both"`` (two such of a kind) or ``"any two"`` (of a kind, at home)."""
    needs: int = 0
    """How many treatments."""
    where: bool = False
    """Whether the destination is told by what somebody does or keeps there."""
    close: bool = False
    """Whether the place must be closed in the end."""
    condition: bool = False
    """Whether treatment and destination depend on the state in which the thing is found."""
    lamp: bool = False
    """Whether the thing is to be examined in the light of a lamp; with ``where``, then put somewhere."""
    twin: bool = False
    """Whether another thing of the kind lies in the same place and looks tell which is meant."""


class Person(NamedTuple):
    """Somebody who lives here."""

    name: str
    trade: Line


class Habit(NamedTuple):
    """What somebody does or keeps at one place, which nobody else uses."""

    person: Person
    sort: str
    line: Line
    place: str


class Scene:
    """A house that is being furnished for one task; all choices come from ``draw``."""

    def __init__(self, draw: Draw, split: Split, level: int, rooms: Sequence[str], places: int) -> None:
        self.draw, self.split, self.level, self.rooms = draw, split, level, rooms
        self.places: list[list[str]] = []
        for room in rooms:
            on = draw.sample(SURFACES_OF[room], (places + 1) // 2 if room != "hall" else places // 2)
            inside = draw.sample(INSIDES_OF[room], places - len(on))
            rows = [[name, room, "surface"] for name in on]
            rows += [[name, room, "open" if draw.chance(0.25) else "closed"] for name in inside]
            self.places += draw.shuffled(rows)
        self.room_of = {name: room for name, room, _ in self.places}
        self.inside = {name for name, _, state in self.places if state != "surface"}
        self.habits: list[Habit] = []
        self.facts: list[str] = []
        self.objects: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.goals: list[dict[str, Any]] = []
        self.kinds: set[str] = set()
        self.taken: set[str] = set()
        """Places that are destinations."""

    def move_in(self, people: int, does: int, keeps: int) -> None:
        """Let people move in: trades, habits, and the sentences that state them."""
        draw = self.draw
        names, trades = draw.sample(FIRST_NAMES, people), draw.sample(lines("is", self.split), people)
        free = {
            "does": draw.shuffled([name for name in self.room_of if name not in self.inside]),
            "keeps": draw.shuffled(sorted(self.inside)),
        }
        habits = {sort: draw.sample(lines(sort, self.split), len(lines(sort, self.split))) for sort in free}
        for name, trade in zip(names, trades, strict=True):
            person = Person(name, trade)
            if self.level > 2:
                self.facts.append(f"{name} is {trade.facts[0]}.")
            for sort in ["does"] * does + ["keeps"] * keeps:
                habit = Habit(person, sort, habits[sort].pop(), free[sort].pop())
                self.habits.append(habit)
                self.facts.append(self._fact(habit))

    def _fact(self, habit: Habit) -> str:
        what, name = self.draw.pick(habit.line.facts), habit.person.name
        if habit.sort == "keeps":
            what = f"keeps {what}"
        if self.draw.chance(0.6):
            return f"{name} {what} {self.at(habit.place)}."
        return f"{upper(self.at(habit.place).partition(' ')[2])} is where {name} {what}."

    def at(self, place: str) -> str:
        """Say where, with the room unless the name says it."""
        room = self.room_of[place]
        return within(place) if room in place else f"{within(place)} in the {room}"

    def ask(self, ask: Ask) -> str | None:
        """Add a goal and what it needs; return its sentences, or None where the house does not have the room."""
        about = self.draw.pick(("dirty", "warm")) if ask.condition else ""
        needs = self._needs(ask, about)
        found = self._find(ask, needs or (["clean"] if about == "dirty" else ["cool"] if about else []))
        if found is None:
            return None
        things, said, kind = found
        goal: dict[str, Any] = {"things": things, "count": 1, "needs": needs, "close": ask.close, "home": ""}
        if ask.of in ("both", "any two"):
            goal["count"] = 2
        if ask.of in ("home", "any two"):
            goal["home"] = HOME_OF[kind]
        if about:
            return self._say_condition(goal, said[0], kind, about)
        first = ""
        if ask.lamp:
            lamp = self.draw.pick([lamp for lamp, room in LAMPS.items() if room in self.rooms])
            self.goals.append({**goal, "to": lamp, "lamp": True, "close": False})
            first = say_light(self.draw, said[0], lamp)
            if not ask.where:
                return first
            said = [Said("", "it")]
        to = self._destination(kind, needs, ask)
        if to is None:
            return None
        self.goals.append({**goal, "to": to[0]})
        closing = " Close that place in the end." if ask.where else f" Leave the {to[0]} closed."
        if ask.lamp:
            return f"{first} Then put it {to[1]}.{closing if ask.close else ''}"
        return say_goal(self.draw, said, kind, needs, to[1], ask.of == "any two") + (closing if ask.close else "")

    def _needs(self, ask: Ask, about: str) -> list[str]:
        """Draw treatments in the order that works; with a condition, those of the state that is found."""
        if about:
            return self.draw.pick(([], ["clean"] if about == "dirty" else ["cool"]))
        if ask.needs == 2:
            return ["clean", self.draw.pick(("heat", "cool"))]
        return [self.draw.pick(("clean", "heat", "cool"))] if ask.needs else []

    def _say_condition(self, goal: dict[str, Any], said: Said, kind: str, about: str) -> str | None:
        """Add a goal whose treatment and destination hang on the state of the thing, and word it."""
        right = self._destination(kind, goal["needs"], Ask("left", where=self.draw.chance(0.5)))
        wrong = self._destination(kind, [], Ask("left", where=self.draw.chance(0.5)))
        if right is None or wrong is None:
            return None
        states = ("dirty", "clean") if about == "dirty" else ("warm", "cold")
        for thing in self.objects:
            if kind_of(thing) == kind:
                self.states[thing] = self.draw.pick(states)
        self.states[goal["things"][0]] = states[0 if goal["needs"] else 1]
        self.goals.append({**goal, "to": right[0], "look": True})
        to, other = (right, wrong) if goal["needs"] else (wrong, right)
        return say_condition(self.draw, said, about, to[1], other[1])

    def _find(self, ask: Ask, needs: Sequence[str]) -> tuple[list[str], list[Said], str] | None:
        """Place what a goal is about, and things that resemble it; return things, their words and kind."""
        kinds = [kind for kind in _FITS[needs[-1] if needs else ""] if kind not in self.kinds]
        kinds = [kind for kind in kinds if all(kind in _FITS[need] for need in needs)]
        at_home = ask.of in ("home", "any two")
        if at_home:
            kinds = [kind for kind in kinds if HOME_OF.get(kind) in self.rooms]
        if not kinds:
            return None
        kind = self.draw.pick(kinds)
        self.kinds.add(kind)
        looks = self.draw.shuffled(tuple(LOOKS))
        return self._at_home(ask, kind, looks) if at_home else self._left(ask, kind, looks)

    def _at_home(self, ask: Ask, kind: str, looks: list[str]) -> tuple[list[str], list[Said], str]:
        """Put things of a kind where they are at home."""
        spots = [place for place, room in self.room_of.items() if room == HOME_OF[kind] and place not in self.taken]
        count = 3 if ask.of == "any two" else 2
        things = [f"{looks.pop()} {kind}" for _ in range(count)]
        spots = spots[1:] or spots  # one is left free
        for thing in things:
            self.objects[thing] = self.draw.pick(spots)
        if ask.of == "any two":
            return things, [], kind
        look = things[0].partition(" ")[0]
        name = f"the {things[0]}" if self.level == 2 else f"the {kind} {LOOKS[look]}"
        return things[:1], [Said("", name)], kind

    def _left(self, ask: Ask, kind: str, looks: list[str]) -> tuple[list[str], list[Said], str] | None:
        """Put things of a kind at the places of people: one or two that are meant, and others."""
        own, others = _LIKE[self.level]
        free = [habit for habit in self.habits if habit.place not in self.taken]
        if not free:
            return None
        person = self.draw.pick(free).person
        same = self.draw.shuffled([habit for habit in free if habit.person is person])
        rest = self.draw.shuffled([habit for habit in free if habit.person is not person])
        chosen = [*same[: own + 1], *rest[:others]]
        if len(chosen) < min(own + others + 1, 3):
            return None
        meant = [chosen[0], *([chosen[-1]] if ask.of == "both" else [])]
        things = [f"{looks.pop()} {kind}" for _ in chosen]
        for thing, habit in zip(things, chosen, strict=True):
            self.objects[thing] = habit.place
        wanted = [things[0], *([things[-1]] if ask.of == "both" else [])]
        look = ""
        if ask.twin:
            look = LOOKS[wanted[0].partition(" ")[0]]
            self.objects[f"{looks.pop()} {kind}"] = meant[0].place
        said = [
            name_thing(
                self.draw,
                kind,
                self._who(habit.person),
                self.draw.pick(habit.line.references),
                habit.sort == "keeps",
                look if i == 0 else "",
                len(meant) == 1,
            )
            for i, habit in enumerate(meant)
        ]
        return wanted, said, kind

    def _who(self, person: Person) -> str:
        by_name = self.draw.chance(_BY_NAME[self.level])
        return person.name if by_name else self.draw.pick(person.trade.references)

    def _destination(self, kind: str, needs: Sequence[str], ask: Ask) -> tuple[str, str] | None:
        """Draw a place without things of the kind; return it, and how it is told."""
        used = {place for thing, place in self.objects.items() if kind_of(thing) == kind} | self.taken
        fits = [
            place
            for place in self.room_of
            if place not in used
            and (place in self.inside or not ask.close)
            and in_split(goal_key(needs, kind, place), self.split)
        ]
        habits = {habit.place: habit for habit in self.habits if habit.place in fits}
        choices = [place for place in fits if (place in habits) == ask.where]
        if not choices:
            return None
        place = self.draw.pick(choices)
        self.taken.add(place)
        if not ask.where:
            return place, self.at(place)
        habit = habits[place]
        form = self.draw.pick(KEEP_THERE if habit.sort == "keeps" else DO_THERE)
        return place, form.format(who=self._who(habit.person), ref=self.draw.pick(habit.line.references))

    def fill(self, count: int) -> bool:
        """Add things that nobody asks for, mostly where they are at home, until the layout belongs to the split.

        Returns:
            Whether no place is overfull.
        """
        while len(self.objects) < count or not in_split(layout_key(list(self.objects.items())), self.split):
            kind = self.draw.pick(_FITS[""])
            thing = f"{self.draw.pick(tuple(LOOKS))} {kind}"
            if kind in self.kinds or thing in self.objects:
                continue
            home = [place for place, room in self.room_of.items() if room == HOME_OF.get(kind)]
            self.objects[thing] = self.draw.pick(home if home and self.draw.chance(0.7) else list(self.room_of))
        filled = list(self.objects.values())
        return all(filled.count(place) <= 6 for place in set(filled))

    def rows(self) -> list[list[str]]:
        """Return who is where, in random order."""
        return self.draw.shuffled([[thing, place] for thing, place in self.objects.items()])
