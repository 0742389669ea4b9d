"""Draws the tasks of the household: who is where, what is asked, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from acgym.draw import Draw
from acgym.envs.names import in_split
from acgym.envs.world.household.house import House, subgoals
from acgym.envs.world.household.oracle import expert
from acgym.envs.world.household.words import (
    COLOURS,
    FITS,
    INSIDE,
    OBJECTS,
    PLACES,
    ROOMS,
    STATES,
    TOOLS,
    a,
    is_object,
    kind_of,
    listing,
    plural,
    read_action,
    within,
)
from acgym.types import Json, Split, Task

MAX_EXPERT_STEPS = 28
"""No task is drawn that takes the expert more steps: two thirds of the steps that an episode has."""


class Ask(NamedTuple):
    """The shape of one goal."""

    needs: int = 0
    """How many treatments."""
    number: int = 1
    """How many things of one kind."""
    close: bool = False
    """Whether the place must be closed in the end."""


class Size(NamedTuple):
    """How large the houses of a level are."""

    rooms: int
    places: int
    things: int
    families: tuple[tuple[str, tuple[Ask, ...]], ...]
    """Families of task, each with its goals; equally likely, so one that stands twice is twice as likely."""


SIZES = {
    2: Size(1, 7, 6, (("put", (Ask(),)), ("treat", (Ask(1),)), ("treat", (Ask(1),)))),
    3: Size(
        2,
        8,
        8,
        (
            ("treat twice", (Ask(2),)),
            ("treat and close", (Ask(1, close=True),)),
            ("two", (Ask(1, 2),)),
        ),
    ),
    4: Size(
        3,
        10,
        10,
        (
            ("treat twice and close", (Ask(2, close=True),)),
            ("two goals", (Ask(1), Ask(close=True))),
            ("two and close", (Ask(1, 2, close=True),)),
        ),
    ),
    5: Size(
        4,
        12,
        12,
        (
            ("two goals, treat twice", (Ask(2, close=True), Ask())),
            ("two goals, treat both", (Ask(1, close=True), Ask(1))),
            ("two, treat twice", (Ask(2, 2),)),
        ),
    ),
}
"""Levels 2 to 5; level 1 has its own small draw."""


def goal_key(needs: Sequence[str], thing: str, place: str) -> str:
    """Name the combination that belongs to one split only: treatments, kind of thing, kind of place."""
    return f"{'+'.join(needs) or 'put'} {kind_of(thing)} {kind_of(place)}"


def layout_key(objects: Sequence[Sequence[str]]) -> str:
    """Name the layout that belongs to one split only: who is where; ``objects`` are rows ``[thing, place]``."""
    return ", ".join(sorted([f"{thing} {place}" for thing, place in objects]))


@cache
def _small_goals(split: Split) -> tuple[tuple[tuple[str, str, str], ...], ...]:
    """For each of put, clean, heat, cool: the (treatment, thing, place) of a split."""
    return tuple(
        tuple(
            (need, thing, place)
            for thing in FITS[need]
            for place in PLACES
            if in_split(goal_key([need] if need else [], thing, place), split)
        )
        for need in FITS
    )


def draw_small(draw: Draw, split: Split) -> Task:
    """Draw a task of level 1: one room, every kind of place and thing at most once, one thing asked for."""
    need, thing, to = draw.pick(draw.pick(_small_goals(split)))
    others = [place for place in draw.sample(PLACES, draw.between(4, 5)) if place != to][:4]
    things = [thing, *[name for name in draw.sample(OBJECTS, draw.between(3, 4)) if name != thing][:3]]
    places = draw.shuffled([to, *others])
    while True:
        objects = [[thing, draw.pick(others)], *[[name, draw.pick(places)] for name in things[1:]]]
        if in_split(layout_key(objects), split):
            break
        things[-1] = draw.pick([name for name in OBJECTS if name not in things])
    goal = {"things": [thing], "count": 1, "needs": [need] if need else [], "to": to, "close": False}
    data = {
        "level": 1,
        "rooms": ["kitchen"],
        "places": [[place, "kitchen", "closed" if place in INSIDE else "surface"] for place in places],
        "tools": dict.fromkeys(TOOLS.values(), "kitchen"),
        "objects": draw.shuffled(objects),
        "goals": [goal],
    }
    adjective = f"{STATES[need]} " if need else ""
    text = f"put a {adjective}{thing} {within(to)}"
    return Task(f"{need} and put" if need else "put", text, data, subgoals([goal]))


def draw_large(draw: Draw, split: Split, level: int) -> Task:
    """Draw a task of levels 2 to 5: numbered places, coloured things, rooms, several goals."""
    size = SIZES[level]
    while True:
        family, asks = draw.pick(size.families)
        rooms = draw.sample(ROOMS, size.rooms) if size.rooms > 1 else ["kitchen"]
        places = _draw_places(draw, rooms, size.places)
        goals = _draw_goals(draw, split, asks, [row[0] for row in places])
        objects = _draw_objects(draw, split, goals, [row[0] for row in places], size.things)
        data = {
            "level": level,
            "rooms": rooms,
            "places": places,
            "tools": {tool: draw.pick(rooms) for tool in TOOLS.values()},
            "objects": objects,
            "goals": goals,
        }
        if level == 2 or expert_steps(data) <= MAX_EXPERT_STEPS:  # level 2 needs at most 18: six places, then six steps
            return Task(family, _say_goals(data), data, subgoals(goals))


def expert_steps(data: Mapping[str, Json]) -> int:
    """Count the steps that the expert takes; one more than allowed if she does not finish in time."""
    house = House(data)
    rows = subgoals(data["goals"])
    for step in range(1, MAX_EXPERT_STEPS + 1):
        action = read_action(expert(house, data["goals"]))
        if action is None:
            continue
        house.act(action)
        if action.verb in ("put", "close") and all(map(house.holds, rows)):
            return step
    return MAX_EXPERT_STEPS + 1


def _draw_places(draw: Draw, rooms: list[str], count: int) -> list[list[str]]:
    """Draw rows ``[name, room, state]``: about two places of each kind, at least two places in each room."""
    kinds = draw.sample(INSIDE, count // 4 + 1) + draw.sample(PLACES[len(INSIDE) :], count // 4)
    seen: dict[str, int] = {}
    rows = []
    for i in range(count):
        kind = kinds[i] if i < len(kinds) else draw.pick(kinds)
        seen[kind] = seen.get(kind, 0) + 1
        state = "surface" if kind not in INSIDE else "open" if draw.chance(0.25) else "closed"
        rows.append([f"{kind} {seen[kind]}", "", state])
    rows = draw.shuffled(rows)
    for i, row in enumerate(rows):
        row[1] = rooms[i // 2] if i < 2 * len(rooms) else draw.pick(rooms)
    return draw.shuffled(rows)


def _draw_goals(draw: Draw, split: Split, asks: Sequence[Ask], places: list[str]) -> list[dict[str, Any]]:
    """Draw goals about things of different kinds, for different places, each combination from the split."""
    goals: list[dict[str, Any]] = []
    kinds: set[str] = set()
    taken: set[str] = set()
    for ask in asks:
        while True:
            needs = _draw_needs(draw, ask.needs)
            kind = draw.pick(FITS[needs[-1] if needs else ""])
            to = draw.pick(places)
            fits = all(kind in FITS[need] for need in needs) and (not ask.close or kind_of(to) in INSIDE)
            if fits and kind not in kinds and to not in taken and in_split(goal_key(needs, kind, to), split):
                break
        kinds.add(kind)
        taken.add(to)
        colours = draw.sample(COLOURS, draw.between(ask.number, ask.number + 1) if ask.number > 1 else 1)
        things = [f"{colour} {kind}" for colour in colours]
        goals.append({"things": things, "count": ask.number, "needs": needs, "to": to, "close": ask.close})
    return goals


def _draw_needs(draw: Draw, count: int) -> list[str]:
    """Draw treatments in the order that works: cleaning a thing makes it neither hot nor cold."""
    if count == 0:
        return []
    return [draw.pick(list(TOOLS))] if count == 1 else ["clean", draw.pick(("heat", "cool"))]


def _draw_objects(
    draw: Draw, split: Split, goals: Sequence[dict[str, Any]], places: list[str], count: int
) -> list[list[str]]:
    """Draw rows ``[thing, place]``: the wanted things elsewhere than asked, and others that resemble them."""
    wanted = {thing: goal["to"] for goal in goals for thing in goal["things"]}
    single = [kind_of(goal["things"][0]) for goal in goals if goal["count"] == 1]
    exact = {kind_of(goal["things"][0]) for goal in goals if goal["count"] > 1}
    others = {f"{draw.pick(COLOURS)} {kind}" for kind in single} - set(wanted)
    near = sorted(others)
    while len(wanted) + len(near) < count:
        colour = draw.pick(list(wanted)).split()[0] if draw.chance(0.5) else draw.pick(COLOURS)
        name = f"{colour} {draw.pick(single if single and draw.chance(0.3) else OBJECTS)}"
        if name not in wanted and name not in near and kind_of(name) not in exact and is_object(name):
            near.append(name)
    things = draw.shuffled([*wanted, *near])
    rows = [[name, draw.pick([place for place in places if place != wanted.get(name)])] for name in things]
    while not in_split(layout_key(rows), split):
        moved = draw.pick(rows)
        moved[1] = draw.pick([place for place in places if place != wanted.get(moved[0])])
    return rows


def _say_goals(data: Mapping[str, Json]) -> str:
    """Write the goals of a large house as one sentence without its period."""
    room_of = {name: room for name, room, _ in data["places"]}
    parts = []
    for goal in data["goals"]:
        adjectives = " and ".join(STATES[need] for need in goal["needs"])
        thing = goal["things"][0] if goal["count"] == 1 else plural(kind_of(goal["things"][0]))
        named = f"{adjectives} {thing}".strip()
        room = f" of the {room_of[goal['to']]}" if len(data["rooms"]) > 1 else ""
        text = f"put {a(named) if goal['count'] == 1 else f'two {named}'} {within(goal['to'])}{room}"
        parts.append(text + (f" and close {goal['to']}" if goal["close"] else ""))
    return "; also ".join(parts)


def say_house(data: Mapping[str, Json]) -> str:
    """Say which rooms a house has and where its appliances are; empty for a house of one room."""
    if len(data["rooms"]) == 1:
        return ""
    tools = " ".join(f"The {tool} is in the {room}." for tool, room in data["tools"].items())
    return f"The house has {listing(data['rooms'])}. {tools}\n"
