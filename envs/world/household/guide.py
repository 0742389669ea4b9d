"""The expert of large houses: she draws from what is told where a thing is, and goes there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acgym.envs.world.household.house import House
from acgym.envs.world.household.words import TOOLS

Goal = Mapping[str, Any]


def guide(house: House, goals: Sequence[Goal]) -> str:
    """Return what an expert would say now, in any state.

    She knows where things are that the task tells by somebody's habits, and what she was shown; others she looks for in
    the room where they are at home, place by place. She examines a thing before she acts on its state.
    """
    left = [goal for goal in goals if not _is_met(house, goal)]
    if house.hand is not None:
        mine = next((goal for goal in left if _wants(house, goal, house.hand)), None)
        return _carry(house, mine) if mine else _put_away(house, goals)
    if not left:
        return _say("all is done", "look")
    goal = left[0]
    if _is_full(house, goal):
        waiting = (other for other in left[1:] if not _is_full(house, other))
        goal = next(waiting, goal)
    if _is_full(house, goal):
        return _at(house, goal["to"], f"close {goal['to']}", "all is in place")
    foreign = [] if goal.get("lamp") else house.foreign(goal["things"], goal["to"])
    if foreign:
        return _take(house, foreign[0], goal["to"])
    return _fetch(house, goal)


def _is_met(house: House, goal: Goal) -> bool:
    return _is_full(house, goal) and not (goal["close"] and house.accessible(goal["to"]))


def _is_full(house: House, goal: Goal) -> bool:
    if goal.get("lamp"):
        return all(thing in house.lit for thing in goal["things"])
    if house.foreign(goal["things"], goal["to"]):
        return False
    return sum(house.done(thing, goal["to"], goal["needs"]) for thing in goal["things"]) >= int(goal["count"])


def _wants(house: House, goal: Goal, thing: str) -> bool:
    """Say whether a goal still wants something done with a thing."""
    if thing not in goal["things"]:
        return False
    if goal.get("lamp"):
        return thing not in house.lit
    others = sum(house.done(one, goal["to"], goal["needs"]) for one in goal["things"] if one != thing)
    return others < int(goal["count"])


def _fetch(house: House, goal: Goal) -> str:
    """Go to a thing of the goal and take it, or look for one."""
    wanted = [thing for thing in goal["things"] if _wants(house, goal, thing) and not _lies_done(house, goal, thing)]
    known = [thing for thing in wanted if not goal.get("home") or house.knows(thing)]
    if known:
        return _take(house, known[0], str(house.where[known[0]]))
    home = [place for place in house.places_in(goal["home"]) if place not in house.seen]
    return _at(house, home[0], f"open {home[0]}", f"the {goal['home']} is where to look")


def _lies_done(house: House, goal: Goal, thing: str) -> bool:
    return not goal.get("lamp") and house.done(thing, goal["to"], goal["needs"])


def _take(house: House, thing: str, place: str) -> str:
    return _at(house, place, f"take {thing}", f"the {thing} should be there", opened=True)


def _carry(house: House, goal: Goal) -> str:
    """Do what is left to do with what is held."""
    thing, to = str(house.hand), str(goal["to"])
    if goal.get("look") and thing not in house.examined:
        return _say(f"what to do depends on the {thing}", f"examine {thing}")
    if goal.get("lamp"):
        return _at(house, to, f"examine {thing}" if to in house.shining else f"turn on {to}", "light is needed")
    todo = [i for i, need in enumerate(goal["needs"]) if not house.is_treated(thing, need)]
    if todo:
        need = goal["needs"][todo[0]]
        return _at(house, TOOLS[need], f"{need} {thing}", f"first {need} it")
    return _at(house, to, f"put {thing} in {to}", f"it belongs in {to}", opened=True)


def _put_away(house: House, goals: Sequence[Goal]) -> str:
    """Put down what is not needed, at no place that a goal is about."""
    thing = house.hand
    free = [place for place in house.places_in(house.room) if all(place != goal["to"] for goal in goals)]
    place = house.at if house.at in free else free[0]
    return _at(house, str(place), f"put {thing} in {place}", f"the {thing} is not needed", opened=True)


def _at(house: House, place: str, action: str, thought: str, opened: bool = False) -> str:
    """Do an action at a place: go there, open the place where that is needed, act."""
    if house.at == place:
        return _say(thought, f"open {place}" if opened and not house.accessible(place) else action)
    room = house.room_of[place]
    return _say(thought, f"go to {place if room == house.room else _next_room(house, room)}")


def _next_room(house: House, goal: str) -> str:
    """Return the next room on the way; doors form a tree, in which the way is unique."""
    if house.doors is None:
        return goal
    came: dict[str, str] = {goal: goal}
    queue = [goal]
    for room in queue:
        for other in house.doors[room]:
            if other not in came:
                came[other] = room
                queue.append(other)
    return came[house.room]


def _say(thought: str, action: str) -> str:
    return f"Thought: {thought}.\nAction: {action}"
