"""The expert of the household: one short thought with what the next decision needs, then one action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acgym.envs.world.household.house import House
from acgym.envs.world.household.words import STATES, TOOLS

Goal = Mapping[str, Any]


def expert(house: House, goals: Sequence[Goal]) -> str:
    """Return what an expert would say now, in any state; she knows only what has been shown.

    The thought names what is left to visit while searching (the place to visit now first) and what is left to do
    afterwards (the thing to do now first), so each action follows from the thought and the last observation.
    """
    goal = _next(house, goals)
    if house.hand is not None:
        mine = next((goal for goal in goals if house.hand in goal["things"] and not _is_full(house, goal)), None)
        return _carry(house, mine) if mine else _put_away(house)
    if goal is None:
        return _say("all is done", "look")
    if _is_full(house, goal):  # only closing is left
        return _reach(house, goal["to"], f"all is in place; then {goal['to']}, close", f"close {goal['to']}")
    return _search(house, goal)


def _next(house: House, goals: Sequence[Goal]) -> Goal | None:
    """Return the first goal that is not met; a place is not closed while something for another goal lies in it."""
    left = [goal for goal in goals if not is_met(house, goal)]
    if left and _is_full(house, left[0]):
        return next((goal for goal in left[1:] if _wants_from(house, goal, left[0]["to"])), left[0])
    return left[0] if left else None


def _wants_from(house: House, goal: Goal, place: str) -> bool:
    """Say whether a thing that ``goal`` still wants is known to lie in ``place``."""
    here = [thing for thing in goal["things"] if house.where[thing] == place and house.knows(thing)]
    return bool(here) and not _is_full(house, goal)


def is_met(house: House, goal: Goal) -> bool:
    """Say whether a goal is reached now."""
    return _is_full(house, goal) and not (goal["close"] and house.accessible(goal["to"]))


def _is_full(house: House, goal: Goal) -> bool:
    done = sum(house.done(thing, goal["to"], goal["needs"]) for thing in goal["things"])
    return done >= int(goal["count"])


def _search(house: House, goal: Goal) -> str:
    """Look for a thing of the goal, or take it where it was seen."""
    wanted = [thing for thing in goal["things"] if not house.done(thing, goal["to"], goal["needs"])]
    known = [thing for thing in wanted if house.knows(thing)]
    plan = ", ".join(_plan(house, goal, None))
    if known:
        here = next((thing for thing in known if house.where[thing] == house.at), None)
        if here and house.at and house.accessible(house.at):
            return _say(f"found {here}; then {plan}", f"take {here}")
        place = str(house.where[known[0]])
        closed = house.at == place
        start = f"{place} is closed; " if closed else ""
        return _reach(house, place, f"{start}{known[0]} is in {place}; then {plan}", f"open {place}")
    left = [place for place in house.places_in(house.room) if place not in house.seen and place != goal["to"]]
    rooms = [room for room in house.rooms if room != house.room and _is_unsearched(house, room, goal["to"])]
    thought = f"find {wanted[0]}; left {', '.join(left + rooms)}"
    if not left:
        return _say(thought, f"go to {rooms[0]}")
    if house.at == left[0]:
        return _say(f"{left[0]} is closed; {thought}", f"open {left[0]}")
    return _say(thought, f"go to {left[0]}")


def _is_unsearched(house: House, room: str, destination: str) -> bool:
    return any(place not in house.seen and place != destination for place in house.places_in(room))


def _plan(house: House, goal: Goal, thing: str | None) -> list[str]:
    """Return what is left to do with ``thing`` (None: one that was not touched yet): treatments, place, closing."""
    needs = list(goal["needs"])
    while thing and needs and house.is_treated(thing, needs[0]):
        needs.pop(0)
    return [*needs, goal["to"], *(["close"] if goal["close"] else [])]


def _carry(house: House, goal: Goal) -> str:
    """Treat what is held, then bring it to its place."""
    thing = str(house.hand)
    plan = _plan(house, goal, thing)
    then = f"then {', '.join(plan)}"
    have = f"have {thing}"
    done = len(goal["needs"]) - sum(step in TOOLS for step in plan)
    if done:
        have = f"{thing} is {' and '.join(STATES[need] for need in goal['needs'][:done])}"
    if plan[0] in TOOLS:
        tool = TOOLS[plan[0]]
        thought = f"{have} at {tool}; {then}" if house.at == tool else f"{have}; {then}"
        return _reach(house, tool, thought, f"{plan[0]} {thing}")
    place = plan[0]
    if house.at != place:
        return _reach(house, place, f"{have}; {then}", "")
    if not house.accessible(place):
        return _say(f"{have}, {place} is closed; {then}", f"open {place}")
    return _say(f"{have} at {place}; {then}", f"put {thing} in {place}")


def _put_away(house: House) -> str:
    """Put down what is not needed: here if possible, else in the first place of the room."""
    thing, place = house.hand, house.at
    thought = f"have {thing}, not needed"
    if place is None or place in house.tools:
        return _say(thought, f"go to {house.places_in(house.room)[0]}")
    if not house.accessible(place):
        return _say(thought, f"open {place}")
    return _say(thought, f"put {thing} in {place}")


def _reach(house: House, place: str, thought: str, action: str) -> str:
    """Do ``action`` at ``place``: go to its room, then to it, then act."""
    if house.at == place:
        return _say(thought, action)
    room = house.room_of[place]
    return _say(thought, f"go to {place}" if room == house.room else f"go to {room}")


def _say(thought: str, action: str) -> str:
    return f"Thought: {thought}.\nAction: {action}"
