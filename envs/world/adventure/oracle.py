"""The expert: follows the plan of the puzzles from whatever state the game is in."""

from __future__ import annotations

from typing import Any

from acgym.envs.world.adventure.world import WORN, YOU, World


def expert(world: World, plan: list[Any]) -> str:
    """Return the next command of a player who knows the game."""
    for step in plan:
        for flag in step["done"]:
            if world.true(flag):
                break
        else:
            return _step(world, step)
    return "look"


def _step(world: World, step: Any) -> str:
    if step.get("special") == "scale":
        return _balance(world, step)
    for name in step["needs"]:
        if not world.holds(name):
            return _fetch(world, name)
    if step["room"] is not None:
        way = _reach(world, step["room"])
        if way:
            return way
    if step.get("special") == "levers":
        return _lever(world, world.things[step["do"]]["order"])
    return str(step["do"])


def _reach(world: World, room: str) -> str:
    """Return the next command on the way to a room with light in it; empty when one is there."""
    if world.here == room:
        return "" if world.lit else _lighten(world)
    if world.rooms[room]["dark"] and not world.fuel:
        return _lighten(world)
    ways: dict[str, str] = {world.here: ""}
    queue = [world.here]
    for at in queue:
        for way, exit_ in world.rooms[at]["exits"].items():
            if exit_[0] not in ways and world.passable(exit_):
                ways[exit_[0]] = ways[at] or way
                queue.append(exit_[0])
    return f"go {ways[room]}" if room in ways else "wait"


def _lighten(world: World) -> str:
    lamp = world.data["lamp"]["name"]
    if not world.holds(lamp):
        return _fetch(world, lamp)
    if world.fuel and "lit" not in world.flags:
        return f"light {lamp}"
    fuel = next(rule["second"] for rule in world.data["rules"] if rule["first"] == lamp and "fill" in rule["verbs"])
    return _reach(world, world.at[fuel]) or f"fill {lamp} from {fuel}"


def _fetch(world: World, name: str) -> str:
    place = world.at[name]
    box = place if place in world.things else ""
    if box:
        if world.at[box] not in (YOU, WORN):
            way = _reach(world, world.at[box])
            if way:
                return way
        if not world.is_open(box):
            return f"open {box}"
    elif place in world.rooms:
        way = _reach(world, place)
        if way:
            return way
    return f"take {name}"


def _lever(world: World, order: list[str]) -> str:
    return f"pull {next(lever for lever in order if lever not in world.pulled)}"


def _balance(world: World, step: Any) -> str:
    """Take out of the pan what is too much, then put in what is missing; weights are fetched first."""
    pan, wanted = step["do"], step["items"]
    for name in wanted:
        if world.at[name] != pan and not world.holds(name):
            return _fetch(world, name)
    way = _reach(world, step["room"])
    if way:
        return way
    for name, place in world.at.items():
        if place == pan and name not in wanted:
            return f"take {name}"
    return f"put {next(name for name in wanted if world.at[name] != pan)} in {pan}"
