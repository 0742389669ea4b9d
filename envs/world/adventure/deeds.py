"""What can be done to any one thing of a game, or to none: examine, take, open, wear, light, look and the like."""

from __future__ import annotations

from collections.abc import Callable

from acgym.envs.world.adventure.world import WORN, YOU, World, article

Done = tuple[str, str | None]
"""A sentence, and the kind of error."""

HELP = (
    "Verbs: go, look, examine (also reads and searches), take, drop, inventory, open, close, unlock X with Y, "
    "put X in Y, give X to Y, talk to X, ask X about Y, say W to X, set X to N, push, pull, turn, light, "
    "fill X from Y, pour X on Y, tie X to Y, dig, wear, remove, wait."
)


def contents(world: World, name: str) -> str:
    """Name what is in a container, or nothing."""
    inside = [article(other) for other, place in world.at.items() if place == name]
    return ", ".join(inside) or "nothing"


def _examine(world: World, name: str) -> Done:
    thing = world.things[name]
    text = thing["done_text"] if thing.get("done_text") and thing.get("flag") in world.flags else thing["text"]
    if thing.get("box"):
        if not world.is_open(name):
            return f"{text} It is closed.", None
        return f"{text} In it: {contents(world, name)}.", None
    return text, None


def _take(world: World, name: str) -> Done:
    thing = world.things[name]
    if world.holds(name):
        return f"You have the {name}.", "already"
    if not thing.get("take"):
        return f"The {name} cannot be taken.", "cannot"
    world.at[name] = YOU
    world.note()
    return f"You take the {name}.", None


def _drop(world: World, name: str) -> Done:
    if not world.holds(name):
        return f"You do not hold the {name}.", "not_holding"
    if not world.lit:
        return "You would not find it again in the dark.", "dark"
    world.at[name] = world.here
    return f"You drop the {name}.", None


def _open(world: World, name: str) -> Done:
    thing = world.things[name]
    if thing.get("lock"):
        if thing["flag"] in world.flags:
            return f"The {name} is open.", "already"
        return thing["lock"], "locked"
    if not thing.get("closed"):
        return f"The {name} cannot be opened.", "cannot"
    if world.is_open(name):
        return f"The {name} is open.", "already"
    world.flags.add(f"open:{name}")
    return f"You open the {name}. In it: {contents(world, name)}.", None


def _close(world: World, name: str) -> Done:
    if not world.things[name].get("closed") or not world.is_open(name) or world.things[name].get("lock"):
        return f"The {name} cannot be closed.", "cannot"
    world.flags.discard(f"open:{name}")
    return f"You close the {name}.", None


def _wear(world: World, name: str) -> Done:
    if not world.things[name].get("dress"):
        return f"The {name} cannot be worn.", "cannot"
    if not world.holds(name):
        return f"You do not hold the {name}.", "not_holding"
    for other, place in world.at.items():
        if place == WORN:
            world.at[other] = YOU
    world.at[name] = WORN
    return f"You put on the {name}.", None


def _remove(world: World, name: str) -> Done:
    if world.at[name] != WORN:
        return f"You do not wear the {name}.", "cannot"
    world.at[name] = YOU
    return f"You take off the {name}.", None


def _light(world: World, name: str) -> Done:
    lamp = world.data["lamp"]
    if lamp is None or name != lamp["name"]:
        return f"The {name} does not burn.", "cannot"
    if not world.holds(name):
        return f"You do not hold the {name}.", "not_holding"
    if "lit" in world.flags:
        return f"The {name} burns.", "already"
    if not world.fuel:
        return f"The {name} is empty: there is nothing in it to burn.", "cannot"
    world.flags.add("lit")
    world.seen.add(world.here)
    return (
        f"You light the {name}. It will burn for {world.fuel} moves.\n{world.describe()}"
        if world.rooms[world.here]["dark"]
        else f"You light the {name}. It will burn for {world.fuel} moves."
    ), None


def _douse(world: World, name: str) -> Done:
    lamp = world.data["lamp"]
    if lamp is None or name != lamp["name"] or "lit" not in world.flags:
        return f"The {name} does not burn.", "cannot"
    world.flags.discard("lit")
    return f"You put the {name} out.", None


def _talk(world: World, name: str) -> Done:
    thing = world.things[name]
    if not thing.get("person"):
        return f"The {name} does not answer.", "cannot"
    return thing["talk"], None


def _look(world: World) -> Done:
    return world.describe(), None


def _inventory(world: World) -> Done:
    return world.carried(), None


def _wait(world: World) -> Done:
    return "Time passes.", None


def _help(world: World) -> Done:
    return HELP, None


ALONE: dict[str, Callable[[World], Done]] = {"look": _look, "inventory": _inventory, "wait": _wait, "help": _help}
"""Verbs without an object."""
BASIC: dict[str, Callable[[World, str], Done]] = {
    "examine": _examine,
    "take": _take,
    "drop": _drop,
    "open": _open,
    "close": _close,
    "wear": _wear,
    "remove": _remove,
    "light": _light,
    "douse": _douse,
    "talk": _talk,
}
"""Verbs that can be tried on anything."""
