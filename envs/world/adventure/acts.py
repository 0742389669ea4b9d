"""What a command does to a game, in a sentence, and the kind of error if it does nothing."""

from __future__ import annotations

from acgym.envs.world.adventure.deeds import ALONE, BASIC, Done
from acgym.envs.world.adventure.parse import Command
from acgym.envs.world.adventure.verbs import TWO_WAYS
from acgym.envs.world.adventure.world import World, plain

_LIQUIDS = (("water",), ("hot", "water"), ("boiling", "water"), ("oil",), ("fuel",), ("lamp", "oil"))
_FILLING = frozenset(("word", "password", "number", "code", "is", "to", "figures"))


def act(world: World, command: Command) -> Done:
    """Carry a command out. One that is an error changes nothing."""
    verb, command = command.verb, _water(world, command)
    if verb in ALONE:
        return ALONE[verb](world)
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
        return BASIC["take"](world, first)
    if command.second and verb not in ("take", "push", "pull"):
        second = world.resolve(command.second)
        if not isinstance(second, str):
            return _unclear(world, command.second, second)
        return _pair(world, verb, first, second, command.preposition)
    return _one(world, verb, first)


def _water(world: World, command: Command) -> Command:
    """Take "pour water on X" for the full vessel that is carried, and "fill X with water" for "fill X"."""
    if command.verb == "fill" and command.second in _LIQUIDS:
        return Command("fill", command.first)
    if command.verb in ("pour", "put", "water") and command.first in _LIQUIDS:
        for name in world.at:
            if f"full:{name}" in world.flags and world.holds(name):
                return command._replace(first=tuple(plain(name)))
    return command


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
    return f"You work here and there at the floor with the {tool}, and find nothing.", "nothing_happens"


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
    if verb in BASIC and not (
        (verb == "light" and not world.things[first].get("take")) or _implied(world, verb, first)
    ):
        return BASIC[verb](world, first)
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
