"""What an action does to the laboratory: a sentence in return, and the kind of error if it did nothing."""

from __future__ import annotations

from collections.abc import Callable

from acgym.envs.world.lab import breeding, circuit, growing, mixing
from acgym.envs.world.lab.heat import IN_AIR, ON_DEVICE, ROOM, advance, phase
from acgym.envs.world.lab.instruments import read, use
from acgym.envs.world.lab.library import substances
from acgym.envs.world.lab.state import FIXED, YOU, Lab, Thing, the
from acgym.envs.world.lab.units import to_celsius
from acgym.envs.world.lab.words import Action

Did = tuple[str, str | None]
LONGEST = 86_400.0
"""Longest wait: 60 days in minutes."""


def act(lab: Lab, action: Action) -> Did:
    """Carry out one action; what cannot be done is answered, and changes nothing."""
    for name in action.names:
        if name in lab.things and not lab.at_hand(name) and action.verb != "go":
            return _absent(lab, name)
    return _ACTS[action.verb](lab, action)


def _absent(lab: Lab, name: str) -> Did:
    return f"There is no {name} at hand here. What is shut away or in another room is not at hand.", "not_here"


def _things(lab: Lab, action: Action, *kinds: str) -> list[Thing]:
    """Return the things that were named, of some kinds where kinds are given."""
    named = [lab.things[name] for name in action.names if name in lab.things]
    return [thing for thing in named if thing.kind in kinds] if kinds else named


def _say_what(verb: str, example: str) -> Did:
    return f"Say what to {verb} by the names that are listed, such as: {example}", "not_here"


def _go(lab: Lab, action: Action) -> Did:
    room = next((name for name in action.names if name in lab.rooms), None)
    if room is None:
        return f"There is no door to there. Rooms: {', '.join(lab.rooms)}.", "not_here"
    if room == lab.here:
        return f"You are in the {room} already.", "already"
    lab.here = room
    return lab.describe(), None


def _look(lab: Lab, action: Action) -> Did:
    return lab.describe(), None


def _take(lab: Lab, action: Action) -> Did:
    things = _things(lab, action)
    if not things:
        return _say_what("take", "take thermometer")
    thing = things[0]
    if thing.kind in FIXED or thing.kind == "sown seed":
        return f"{the(thing.name, True)} cannot be carried.", "wrong_thing"
    if thing.at == YOU:
        return f"You carry {the(thing.name)} already.", "already"
    freed = circuit.disconnect(lab, thing)
    thing.at = YOU
    return f"You take {the(thing.name)}{' out of the circuit' if freed else ''}.", None


def _put(lab: Lab, action: Action) -> Did:
    things = _things(lab, action)
    if not things:
        room = next((name for name in action.names if name in lab.rooms), None)
        return _go(lab, action) if room else _say_what("put", "put beaker on hot plate")
    thing = things[0]
    if thing.kind in FIXED or thing.kind == "sown seed":
        return f"{the(thing.name, True)} stays where it is. Say what to put there by its name.", "wrong_thing"
    if len(things) == 1:
        circuit.disconnect(lab, thing)
        thing.at = lab.here
        return f"You lay {the(thing.name)} down in the {lab.here}.", None
    place = things[1]
    if place.kind == "pot" and thing.kind in ("seed", "soil"):
        return growing.sow(lab, thing, place) if thing.kind == "seed" else growing.soil(place, thing)
    if place.kind == "balance":
        return use(lab, place, [thing])
    if place.kind == "cylinder" and thing.kind != "object":
        return f"{the(thing.name, True)} does not fit into {the(place.name)}.", "wrong_thing"
    if place.kind not in ("holder", "heater", "cylinder"):
        return f"{the(thing.name, True)} cannot be put into or on {the(place.name)}.", "wrong_thing"
    if place.more.get("closed"):
        return f"{the(place.name, True)} is closed.", "wrong_order"
    if place.kind == "heater" and thing.kind not in ("sample", "vessel", "seed"):
        return f"Only samples, vessels and seeds go into or on {the(place.name)}.", "wrong_thing"
    circuit.disconnect(lab, thing)
    thing.at = place.name
    return f"You put {the(thing.name)} {'on' if place.more.get('top') else 'into'} {the(place.name)}.", None


def _set(lab: Lab, action: Action) -> Did:
    things = _things(lab, action)
    device = next((thing for thing in things if thing.kind == "heater"), None)
    if device is None and things and things[0].at in lab.things and lab.things[things[0].at].kind == "heater":
        device = lab.things[things[0].at]
    if device is None:
        return "Put it into or on a device, and set the device: set hot plate to 150.", "wrong_thing"
    low, high = device.more["low"], device.more["high"]
    if action.number is None:
        return f"Say to what temperature: set {device.name} to {high:g}.", "wrong_amount"
    degrees = to_celsius(action.number, action.unit or "C")
    if low == high:
        return f"{the(device.name, True)} is always at {low:g} °C.", "out_of_range"
    if not low - 1e-9 <= degrees <= high + 1e-9:
        return f"{the(device.name, True)} can be set from {low:g} to {high:g} °C.", "out_of_range"
    device.more["set"] = degrees
    return f"You set {the(device.name)} to {degrees:.5g} °C.", None


def _off(lab: Lab, action: Action) -> Did:
    device = next(iter(_things(lab, action, "heater")), None)
    if device is None or device.more["low"] == device.more["high"]:
        return "That cannot be turned off.", "wrong_thing"
    device.more["set"] = ROOM
    return f"You turn {the(device.name)} off; it is at {ROOM:g} °C again.", None


def _open(lab: Lab, action: Action) -> Did:
    thing = next(iter(_things(lab, action, "holder")), None)
    if thing is None or "closed" not in thing.more:
        return "That cannot be opened or closed.", "wrong_thing"
    closed = action.verb == "close"
    if thing.more["closed"] == closed:
        return f"{the(thing.name, True)} is {'closed' if closed else 'open'} already.", "already"
    thing.more["closed"] = closed
    if closed:
        return f"You close {the(thing.name)}.", None
    inside = ", ".join(inner.name for inner in lab.on(thing.name)) or "nothing"
    return f"You open {the(thing.name)}. In it: {inside}.", None


def _read(lab: Lab, action: Action) -> Did:
    things = _things(lab, action)
    return read(lab, things[0]) if things else _look(lab, action)


_PROPERTIES = (
    ("mass", "balance"), ("weigh", "balance"), ("weight", "balance"), ("temperature", "thermometer"),
    ("height", "ruler"), ("length", "ruler"), ("voltage", "voltmeter"), ("ph", "ph meter"), ("volume", "cylinder"),
)  # fmt: skip


def _use(lab: Lab, action: Action) -> Did:
    things = _things(lab, action)
    tools = [thing for thing in things if thing.kind in _TOOLS]
    if tools:
        others = [thing for thing in things if thing is not tools[0]]
        if tools[0].kind == "funnel" and len(others) >= 2:
            return mixing.filtered(lab, others[0], others[1])
        return use(lab, tools[0], others)
    words = action.text.split()
    kind = next((kind for word, kind in _PROPERTIES if word in words), None)
    tool = lab.instrument(kind) if kind else None
    if tool is not None and things:
        return read(lab, tool) if kind == "cylinder" else use(lab, tool, things)
    return "Say which instrument to use on what, such as: use thermometer on beaker", "wrong_thing"


_TOOLS = frozenset((
    "balance", "thermometer", "ruler", "ph meter", "voltmeter", "magnet", "brush", "can", "fertiliser", "funnel",
))  # fmt: skip


def _wait(lab: Lab, action: Action) -> Did:
    minutes = action.number or 0.0
    if action.unread or not 1 - 1e-9 <= minutes <= LONGEST:
        return "Wait 1 minute to 60 days, such as: wait 10 minutes", "wrong_amount"
    before = lab.minutes
    lab.minutes += minutes
    for thing in lab.things.values():
        if thing.kind not in ("sample", "vessel"):
            continue
        place = lab.things.get(thing.at)
        on_device = place is not None and place.kind == "heater"
        around = float(place.more["set"]) if place is not None and on_device else ROOM
        if thing.kind == "sample":
            of = substances()[thing.more["of"]]
            flow = ON_DEVICE if on_device else IN_AIR
            thing.more["enthalpy"] = advance(of, thing.more["enthalpy"], around, minutes, flow)
        elif on_device:
            mixing.dry(lab, thing, around, minutes)
    growing.pass_days(lab, int(lab.minutes // growing.DAY - before // growing.DAY))
    said = [_waited(minutes), *(line for thing in lab.near() if (line := _changed(lab, thing)))]
    return " ".join(said), None


def _waited(minutes: float) -> str:
    for size, name in ((growing.DAY, "day"), (60.0, "hour"), (1.0, "minute")):
        if minutes >= size and minutes % size == 0:
            n = minutes / size
            return f"You wait {n:g} {name}{'' if n == 1 else 's'}."
    return f"You wait {minutes:g} minutes."


def _changed(lab: Lab, thing: Thing) -> str | None:
    """Say what one sees of a thing after waiting."""
    if thing.kind == "sample":
        return f"What is in {the(thing.name)} is {phase(substances()[thing.more['of']], thing.more['enthalpy'])}."
    if thing.kind == "vessel" and thing.at in lab.things and lab.things[thing.at].kind == "heater":
        return mixing.look(thing)
    if thing.kind == "pot" and thing.more.get("sown"):
        return growing.look(lab, thing)
    return None


def _pour(lab: Lab, action: Action) -> Did:
    things = _things(lab, action)
    pot = next((thing for thing in things if thing.kind == "pot"), None)
    if pot is not None:
        bag = next((thing for thing in things if thing.kind == "soil"), None)
        return growing.soil(pot, bag) if bag else growing.water(lab, pot)
    vessels = [thing for thing in things if "contents" in thing.more]
    if len(vessels) < 2:
        return "Say what to pour into what, such as: pour 20 g from jar into beaker", "wrong_thing"
    if action.text.startswith("fill "):
        vessels.reverse()
    if vessels[1].more.get("stock"):
        return f"Keep {the(vessels[1].name)} clean: pour into another vessel.", "wrong_thing"
    if action.unread:
        how = "Pour an amount in g, kg, mg, oz, ml or l, such as: pour 20 g from jar into beaker"
        return f'"{action.unread}" cannot be read as an amount. {how}', "wrong_amount"
    return mixing.pour(lab, vessels[0], vessels[1], action.number, action.unit)


def _filter(lab: Lab, action: Action) -> Did:
    vessels = _things(lab, action, "vessel")
    if len(vessels) < 2:
        return "Say what to filter into what, such as: filter beaker A into beaker B", "wrong_thing"
    return mixing.filtered(lab, vessels[0], vessels[1])


def _with_pot(lab: Lab, action: Action) -> Did:
    things = _things(lab, action)
    pot = next((thing for thing in things if thing.kind == "pot"), None)
    if pot is None and action.verb == "pollinate" and _things(lab, action, "creature"):
        return _cross(lab, action)
    if pot is None:
        return "Say which pot.", "wrong_thing"
    if action.verb == "sow":
        seed = next((thing for thing in things if thing.kind == "seed"), None)
        return growing.sow(lab, seed, pot) if seed else ("Say which seeds, and in which pot.", "wrong_thing")
    return growing.water(lab, pot) if action.verb == "water" else growing.pollinate(lab, pot)


def _connect(lab: Lab, action: Action) -> Did:
    parts = _things(lab, action, "part")
    if len(parts) != 2:
        return "Connect two electric parts, such as: connect cell A to lamp", "wrong_thing"
    return circuit.connect(lab, parts[0], parts[1], action.ends)


def _disconnect(lab: Lab, action: Action) -> Did:
    parts = _things(lab, action, "part")
    if not parts:
        return "Say which electric part.", "wrong_thing"
    if not circuit.disconnect(lab, parts[0]):
        return f"{the(parts[0].name, True)} is connected to nothing.", "already"
    return f"You disconnect {the(parts[0].name)}.", None


def _cross(lab: Lab, action: Action) -> Did:
    pair = _things(lab, action, "creature")
    if not pair:
        return "Say which two to cross.", "wrong_thing"
    if len(pair) == 1 and "self" not in action.text and "own" not in action.text:
        return f"Say with which to cross {the(pair[0].name)} (or: with itself).", "wrong_pair"
    return breeding.cross(lab, pair[0], pair[-1])


_ACTS: dict[str, Callable[[Lab, Action], Did]] = {
    "go": _go, "look": _look, "take": _take, "put": _put, "set": _set, "off": _off, "open": _open, "close": _open,
    "read": _read, "use": _use, "wait": _wait, "pour": _pour, "filter": _filter, "water": _with_pot,
    "sow": _with_pot, "pollinate": _with_pot, "connect": _connect, "disconnect": _disconnect, "cross": _cross,
}  # fmt: skip
