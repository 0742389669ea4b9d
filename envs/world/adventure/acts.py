"""What a command does to a game, in a sentence, and the kind of error if it does nothing."""

from __future__ import annotations

from collections.abc import Callable

from acgym.envs.world.adventure.parse import Command
from acgym.envs.world.adventure.verbs import TWO_WAYS
from acgym.envs.world.adventure.world import WORN, YOU, World, article, plain

Done = tuple[str, str | None]
"""A sentence, and the kind of error."""


def act(world: World, command: Command) -> Done:
    """Carry a command out. One that is an error changes nothing."""
    verb = command.verb
    if verb in _ALONE:
        return _ALONE[verb](world)
    if verb in ("go", "climb"):
        return _go(world, command)
    if verb == "dig":
        return _dig(world, command)
    if verb in ("say", "set") and not command.second and command.first:
        return _speak(world, None, command.first)
    if verb == "fill" and not command.first:
        return "Fill what?", "incomplete"
    if not command.first:
        return f"What do you want to {verb}?", "incomplete"
    if verb in ("say", "set"):
        return _spoken(world, command)
    first = world.resolve(command.first)
    if verb == "give" and not command.second:
        return _give(world, command.first)
    if not isinstance(first, str):
        return _unclear(world, command.first, first)
    if verb == "ask":
        return _ask(world, first, command.second)
    if verb == "take" and world.at[first] in world.things:
        return _take(world, first)
    if command.second and verb not in ("take", "push", "pull"):
        second = world.resolve(command.second)
        if not isinstance(second, str):
            return _unclear(world, command.second, second)
        return _pair(world, verb, first, second, command.preposition)
    return _one(world, verb, first)


def _unclear(world: World, words: tuple[str, ...], found: list[str]) -> Done:
    if found:
        return f"Which do you mean: {' or '.join(f'the {name}' for name in found[:5])}?", "ambiguous"
    if not world.lit:
        return "It is too dark to see that.", "dark"
    return f"You see no {' '.join(words)[:40]} here.", "not_here"


def _give(world: World, words: tuple[str, ...]) -> Done:
    """Read "give the cook the apple", where no preposition says what is what."""
    for i in range(1, len(words)):
        person, item = world.resolve(words[:i]), world.resolve(words[i:])
        if isinstance(person, str) and isinstance(item, str) and world.things[person].get("person"):
            return _pair(world, "give", item, person, "to")
    return "Say to whom: give X to Y.", "incomplete"


def _go(world: World, command: Command) -> Done:
    way = command.first[0] if command.first else ("up" if command.verb == "climb" else "")
    exits = world.rooms[world.here]["exits"]
    if way not in exits:
        way = _named_way(world, command) or way
    if way == "out" and len(exits) == 1:
        way = next(iter(exits))
    exit_ = exits.get(way)
    if exit_ is None:
        return f"There is no way {way or 'there'} from here. Name a direction of the exits.", "no_way"
    if not world.passable(exit_):
        return exit_[2], "barred"
    world.here = exit_[0]
    if exit_[3]:
        world.flags.add(exit_[3])
    first = world.here not in world.seen
    if world.lit:
        world.seen.add(world.here)
    return world.describe(whole=first), None


def _named_way(world: World, command: Command) -> str:
    """Find the exit that leads to a room that is named, or that a named thing bars."""
    asked = frozenset(command.first)
    if not asked:
        return ""
    for way, exit_ in world.rooms[world.here]["exits"].items():
        if exit_[0] in world.seen and asked <= frozenset(plain(exit_[0])):
            return str(way)
    found = world.resolve(command.first)
    if isinstance(found, str):
        for way, exit_ in world.rooms[world.here]["exits"].items():
            if world.things[found].get("flag") in exit_[1]:
                return str(way)
        if command.verb == "climb":
            return "up" if "up" in world.rooms[world.here]["exits"] else "down"
    return ""


def _dig(world: World, command: Command) -> Done:
    rules = world.rules.get((f"@{world.here}", ""), [])
    tool = world.data["tool"]
    if tool is None or not world.holds(tool):
        return "You have nothing to dig or pry with.", "cannot"
    for rule in rules:
        if all(world.true(condition) for condition in rule["if"]):
            return rule["say"] + world.apply(rule["do"]), None
    return f"You work at the floor with the {tool} for a while. Nothing is hidden in this place.", "nothing_happens"


def _spoken(world: World, command: Command) -> Done:
    """Say a word to somebody, or set a thing to a value; either may come first."""
    for target, value in ((command.second, command.first), (command.first, command.second)):
        found = world.resolve(target)
        if isinstance(found, str) and (world.things[found].get("hears") or world.things[found].get("person")):
            return _speak(world, found, value)
    return _speak(world, None, (*command.first, *command.second))


def _speak(world: World, target: str | None, value: tuple[str, ...]) -> Done:
    heard = [name for name in world.visible() if world.things[name].get("hears")]
    name = target if target is not None and world.things[target].get("hears") else None
    if name is None and target is None and heard:
        name = heard[0]
    if name is None:
        return "Nothing happens.", "nothing_happens"
    thing = world.things[name]
    said = "".join(word for word in value if word not in _FILLING)
    if thing["hears"]["kind"] == "code":
        said = "".join(letter for letter in said if letter.isdigit())
    if not said:
        return f"Set the {name} to what?", "incomplete"
    if thing["flag"] in world.flags:
        return "That has been done.", "already"
    if said != thing["hears"]["value"]:
        return thing["hears"]["wrong"], "refused"
    return thing["hears"]["right"] + world.apply(thing["hears"]["do"]), None


def _ask(world: World, person: str, topic: tuple[str, ...]) -> Done:
    thing = world.things[person]
    if not thing.get("person"):
        return f"The {person} does not answer.", "cannot"
    for key, row in thing.get("topics", {}).items():
        if not topic or set(plain(key)) & set(topic):
            return row["say"] + world.apply(row["do"]), None
    return f"The {person} knows nothing about that.", None


def _pair(world: World, verb: str, first: str, second: str, preposition: str) -> Done:
    """Use one thing on another, in either order; the rule says which verbs do it."""
    if first == second:
        return "That makes no sense.", "cannot"
    persons = [name for name in (first, second) if world.things[name].get("person")]
    for one, other in ((first, second), (second, first)):
        for rule in world.rules.get((one, other), ()):
            if verb != "use" and verb not in rule["verbs"]:
                continue
            if world.things[one].get("take") and not world.holds(one):
                return f"You do not hold the {one}.", "not_holding"
            if all(world.true(condition) for condition in rule["if"]):
                return rule["say"] + world.apply(rule["do"]), rule["error"]
    if verb == "give" or (persons and verb == "use"):
        item = second if first in persons else first
        if not persons or item in persons:
            return "Give things to people.", "cannot"
        if not world.holds(item):
            return f"You do not hold the {item}.", "not_holding"
        return world.things[persons[0]].get("refuses") or f"The {persons[0]} does not want it.", "refused"
    if verb == "put" and preposition != "under":
        return _put(world, first, second)
    if verb in ("unlock", "open"):
        return f"The {second} does not open the {first}.", "refused"
    return "Nothing happens.", "nothing_happens"


def _put(world: World, item: str, box: str) -> Done:
    if not world.holds(item):
        return f"You do not hold the {item}.", "not_holding"
    if not world.things[box].get("box"):
        fits = world.things[box].get("refuses")
        return (fits, "refused") if fits else (f"You cannot put things in the {box}.", "cannot")
    if not world.is_open(box):
        return f"The {box} is closed.", "closed"
    world.at[item] = box
    scale = world.things[box].get("scale")
    if scale is None:
        return f"You put the {item} in the {box}.", None
    weight = sum(world.things[name].get("weight", 0) for name, place in world.at.items() if place == box)
    if weight == scale["target"] and world.things[box]["flag"] not in world.flags:
        return f"You put the {item} in the {box}. {scale['say']}{world.apply(scale['do'])}", None
    side = "too light" if weight < scale["target"] else "too heavy"
    return f"You put the {item} in the {box}. The {box} trembles: it is {side}.", None


def _one(world: World, verb: str, first: str) -> Done:
    """Do something to one thing: a rule of its own, else what the verb does to anything."""
    for rule in world.rules.get((first, ""), ()):
        if verb in rule["verbs"] and all(world.true(condition) for condition in rule["if"]):
            return rule["say"] + world.apply(rule["do"]), rule["error"]
    if world.things[first].get("lever") and verb in ("pull", "push", "turn", "use"):
        return _pull(world, first)
    if verb in _BASIC:
        return _BASIC[verb](world, first)
    other = _implied(world, verb, first)
    if other:
        return _pair(world, verb, first, other, "")
    if verb in TWO_WAYS:
        return f"Say with or on what: {TWO_WAYS[verb]}.", "incomplete"
    return "Nothing happens.", "nothing_happens"


def _pull(world: World, lever: str) -> Done:
    """Pull one of several levers; the last one shows whether the order was right."""
    device = world.things[lever]["lever"]
    order, flag = world.things[device]["order"], world.things[device]["flag"]
    if flag in world.flags:
        return f"The {lever} moves freely: the {device} is open.", "already"
    if lever in world.pulled:
        return f"The {lever} has been pulled.", "already"
    world.pulled.append(lever)
    if len(world.pulled) < len(order):
        return f"The {lever} stays down with a click.", None
    right, world.pulled = world.pulled == order, []
    if not right:
        return f"The {lever} goes down, and all of them spring back. The {device} does not move.", "refused"
    world.flags.add(flag)
    return f"The {lever} goes down, something rumbles, and the {device} opens.", None


def _implied(world: World, verb: str, first: str) -> str:
    """Name the only thing that can be meant by "fill the lamp" or "water the plant", else nothing."""
    if verb not in ("fill", "pour", "water", "light", "tie"):
        return ""
    seen = set(world.visible())
    found = [
        one if other == first else other
        for (one, other), rules in world.rules.items()
        if first in (one, other) and one in seen and other in seen and any(verb in rule["verbs"] for rule in rules)
    ]
    return found[0] if len(found) == 1 else ""


def _examine(world: World, name: str) -> Done:
    thing = world.things[name]
    text = thing["done_text"] if thing.get("done_text") and thing.get("flag") in world.flags else thing["text"]
    if thing.get("box") and world.things[name].get("closed"):
        if not world.is_open(name):
            return f"{text} It is closed.", None
        inside = [article(other) for other, place in world.at.items() if place == name]
        return f"{text} In it: {', '.join(inside) if inside else 'nothing'}.", None
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
    inside = [article(other) for other, place in world.at.items() if place == name]
    return f"You open the {name}. In it: {', '.join(inside) if inside else 'nothing'}.", None


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
        other = _implied(world, "light", name)
        return _pair(world, "light", name, other, "") if other else (f"The {name} does not burn.", "cannot")
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


HELP = (
    "Verbs: go, look, examine (also reads and searches), take, drop, inventory, open, close, unlock X with Y, put X in Y, "
    "give X to Y, talk to X, ask X about Y, say W to X, set X to N, push, pull, turn, light, fill X from Y, pour X on Y, "
    "tie X to Y, dig, wear, remove, wait."
)


def _help(world: World) -> Done:
    return HELP, None


_ALONE: dict[str, Callable[[World], Done]] = {"look": _look, "inventory": _inventory, "wait": _wait, "help": _help}
_BASIC: dict[str, Callable[[World, str], Done]] = {
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
_FILLING = frozenset(("word", "password", "number", "code", "is", "to", "figures"))
