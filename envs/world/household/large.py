"""Draws the tasks of levels 2 to 5: a house of several rooms, its people, what lies where, and what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from acgym.draw import Draw
from acgym.envs.world.household.actions import read_action
from acgym.envs.world.household.furniture import HUB, LAMPS, LARGE_ROOMS
from acgym.envs.world.household.guide import guide
from acgym.envs.world.household.house import House, subgoals
from acgym.envs.world.household.scene import Ask, Scene
from acgym.types import Json, Split, Task

MAX_EXPERT_STEPS = 28
"""No task is drawn that takes the expert more steps: two thirds of the steps that an episode has."""


class Size(NamedTuple):
    """How large the houses of a level are."""

    rooms: int
    places: int
    """In each room, half of them closed."""
    people: int
    does: int
    """How many places each person is known to do something at."""
    keeps: int
    things: int
    families: tuple[tuple[str, tuple[Ask, ...]], ...]
    """Families of task, each with its goals; equally likely."""


_PUT, _TREAT = Ask("home"), Ask("home", 1)
SIZES = {
    2: Size(4, 3, 1, 2, 1, 8, (
        ("put", (_PUT,)),
        ("treat", (_TREAT,)),
        ("two", (Ask("any two"),)),
        ("light", (Ask("home", lamp=True),)),
        ("put what was left", (Ask("left"),)),
        ("treat what was left", (Ask("left", 1),)),
    )),
    3: Size(5, 4, 2, 3, 1, 14, (
        ("two that were left", (Ask("both"),)),
        ("condition", (Ask("left", condition=True),)),
        ("treat and put where", (Ask("left", 1, where=True),)),
        ("treat twice and close", (Ask("left", 2, where=True, close=True),)),
        ("light and put where", (Ask("left", lamp=True, where=True),)),
    )),
    4: Size(6, 4, 3, 3, 1, 18, (
        ("two that were left, treated", (Ask("both", 1, where=True),)),
        ("condition and put", (Ask("left", condition=True), Ask("home"))),
        ("treat and close, light", (Ask("left", 1, close=True), Ask("left", lamp=True))),
        ("treat twice, put", (Ask("left", 2, where=True), Ask("left"))),
    )),
    5: Size(7, 4, 3, 3, 2, 24, (
        ("condition and treat", (Ask("left", condition=True, twin=True), Ask("left", 1, where=True))),
        ("two treated, put", (Ask("both", 1, where=True), Ask("left", twin=True))),
        ("light and put where, condition", (
            Ask("left", lamp=True, where=True, twin=True), Ask("left", condition=True))),
        ("treat both", (Ask("left", 2, where=True, twin=True), Ask("left", 1, close=True))),
    )),
}  # fmt: skip
"""Levels 2 to 5; level 1 has its own small draw."""


def draw_large(draw: Draw, split: Split, level: int) -> Task:
    """Draw a task of levels 2 to 5."""
    size = SIZES[level]
    while True:
        family, asks = draw.pick(size.families)
        rooms, doors = _plan(draw, size.rooms, any(ask.lamp for ask in asks))
        scene = Scene(draw, split, level, rooms, size.places)
        scene.move_in(size.people, size.does, size.keeps)
        said = [scene.ask(ask) for ask in asks]
        if None in said or not scene.fill(size.things):
            continue
        data = {
            "level": level,
            "rooms": rooms,
            "doors": doors,
            "places": scene.places,
            "tools": _tools(draw, rooms),
            "lamps": {lamp: room for lamp, room in LAMPS.items() if room in rooms},
            "people": draw.shuffled(scene.facts),
            "objects": scene.rows(),
            "states": dict(sorted(scene.states.items())),
            "goals": scene.goals,
        }
        if level <= 3 or expert_steps(data) <= MAX_EXPERT_STEPS:  # to level 3 she needs at most 24
            return Task(family, " ".join([text for text in said if text]), data, subgoals(scene.goals))


def _plan(draw: Draw, count: int, lamp: bool) -> tuple[list[str], list[list[str]]]:
    """Draw rooms, the one to start in first, and the doors between them: a tree whose trunk is the hall."""
    others = [room for room in LARGE_ROOMS if room not in (HUB, "kitchen")]
    lit = [draw.pick(sorted(set(LAMPS.values())))] if lamp else []
    rest = [*lit, *[room for room in draw.shuffled(others) if room not in lit]][: count - 2]
    rooms = draw.shuffled(["kitchen", *rest])
    near = max(2, (count + 1) // 2)
    doors = [[HUB if i < near else draw.pick(rooms[:near]), room] for i, room in enumerate(rooms)]
    return draw.shuffled([HUB, *rooms]), doors


def _tools(draw: Draw, rooms: Sequence[str]) -> dict[str, str]:
    """Say where the appliances are: in the kitchen, but for a sink in the bathroom or a fridge in the cellar."""
    sink = "bathroom" if "bathroom" in rooms and draw.chance(0.5) else "kitchen"
    fridge = "cellar" if "cellar" in rooms and draw.chance(0.3) else "kitchen"
    return {"sink": sink, "microwave": "kitchen", "fridge": fridge}


def expert_steps(data: Mapping[str, Json]) -> int:
    """Count the steps that the expert takes; one more than allowed if she does not finish in time."""
    house = House(data)
    rows = subgoals(data["goals"])
    for step in range(1, MAX_EXPERT_STEPS + 1):
        action = read_action(guide(house, data["goals"]))
        if action is None or house.act(action).error:
            return MAX_EXPERT_STEPS + 1
        if action.verb in ("put", "close", "examine") and all(map(house.holds, rows)):
            return step
    return MAX_EXPERT_STEPS + 1


def say_large(data: Mapping[str, Any]) -> str:
    """Say the doors of a house, where appliances and lamps are, and what is known of its people."""
    leads: dict[str, list[str]] = {}
    for one, other in data["doors"]:
        leads.setdefault(one, []).append(f"the {other}")
    doors = "; ".join(f"from the {one} doors lead to {_and(rooms)}" for one, rooms in leads.items())
    at: dict[str, list[str]] = {}
    for tool, room in {**data["tools"], **data["lamps"]}.items():
        at.setdefault(room, []).append(f"the {tool}")
    found = "; ".join(f"{_and(names)} {'is' if len(names) == 1 else 'are'} in the {room}" for room, names in at.items())
    people = f"{' '.join(data['people'])}\n"
    return f"{doors[0].upper()}{doors[1:]}. {found[0].upper()}{found[1:]}.\n{people}"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
