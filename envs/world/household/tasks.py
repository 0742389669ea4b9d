"""Draws the tasks of level 1, and names what belongs to one split: who is where, what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from acgym.draw import Draw
from acgym.envs.names import in_split
from acgym.envs.world.household.house import subgoals
from acgym.envs.world.household.words import FITS, INSIDE, OBJECTS, PLACES, STATES, TOOLS, kind_of, within
from acgym.types import Split, Task


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
