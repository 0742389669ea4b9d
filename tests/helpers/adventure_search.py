"""A solver of adventures that knows no plan: breadth-first search over the whole state, by written commands."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from acgym.envs.world.adventure.acts import act
from acgym.envs.world.adventure.parse import read_command
from acgym.envs.world.adventure.world import World


def clone(world: World) -> World:
    """Copy what changes; the game itself is shared."""
    twin = copy.copy(world)
    twin.at, twin.flags = dict(world.at), set(world.flags)
    twin.pulled, twin.seen = list(world.pulled), set(world.seen)
    return twin


def told_first(plan: list[Any]) -> dict[str, set[str]]:
    """Return what must have been read before a number is set, a word is said or levers are pulled: step -> flags."""
    found: dict[str, set[str]] = {}
    clues: set[str] = set()
    for step in plan:
        flags = {flag for flag in step["done"] if flag.startswith("clue:")}
        clues |= flags
        if step["do"].startswith(("set ", "say ")) or step.get("special") == "levers":
            found[step["do"]] = set(clues)
        if not flags:
            clues = set()
    return found


def commands(world: World, needed: dict[str, set[str]]) -> Iterator[str]:
    """List what can be tried now: ways, what lies here, and every verb that some rule of the game knows."""
    for way, exit_ in world.rooms[world.here]["exits"].items():
        if world.passable(exit_):
            yield f"go {way}"
    seen = world.visible()
    useful = {name for pair in world.rules for name in pair} | {*world.data["marks"], world.data["tool"]}
    for name in seen:
        thing = world.things[name]
        if thing.get("take") and not world.holds(name) and (name in useful or "weight" in thing or "dress" in thing):
            yield f"take {name}"
        if thing.get("closed") and not world.is_open(name):
            yield f"open {name}"
        for topic in thing.get("topics", {}):
            yield f"ask {name} about {topic}"
        if thing.get("scale"):
            yield from (
                f"put {item} in {name}" for item in seen if "weight" in world.things[item] and world.holds(item)
            )
        if thing.get("dress") and world.holds(name):
            yield f"wear {name}"
        if thing.get("lever") and needed[thing["lever"]] <= world.flags:
            yield f"pull {name}"
    if world.data["tool"] and world.holds(world.data["tool"]):
        yield "dig"
    if world.data["lamp"] and world.holds(world.data["lamp"]["name"]) and world.fuel:
        yield f"light {world.data['lamp']['name']}"
    shown = set(seen)
    for (first, second), rules in world.rules.items():
        if first in shown and (not second or second in shown):
            for rule in rules:
                yield f"use {first} on {second}" if second else f"{rule['verbs'][0]} {first}"
    for step, flags in needed.items():
        if step.startswith(("set ", "say ")) and flags <= world.flags:
            yield step


def search(data: Any, plan: list[Any], forbidden: str = "", limit: int = 60_000) -> tuple[list[str], World] | None:
    """Find a shortest list of commands that wins, and the world then.

    Args:
        data: the game.
        plan: the expert's, of which nothing is used but which clues tell which number, word or order.
        forbidden: a flag that must not come true.
        limit: how many states may be looked at.

    Returns:
        None if the game cannot be won so.

    Raises:
        RuntimeError: if there are more states.
    """
    needed = told_first(plan)
    start = World(data)
    queue: list[tuple[World, list[str]]] = [(start, [])]
    known = {start.state()}
    for world, path in queue:
        for command in commands(world, needed):
            twin = clone(world)
            read = read_command(command)
            assert read is not None, command
            if act(twin, read)[1] is not None:
                continue
            twin.tick()
            twin.look_around()
            if forbidden and forbidden in twin.flags:
                continue
            if twin.holds(data["goal"]):
                return [*path, command], twin
            state = twin.state()
            if state not in known:
                known.add(state)
                queue.append((twin, [*path, command]))
                if len(queue) > limit:
                    raise RuntimeError(f"more than {limit} states")
    return None
