"""Plans for tasks with matter: heat, circuits, mixtures, measurement. Each returns the next step, or None when done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from acgym.envs.world.lab import mixing
from acgym.envs.world.lab.carrying import bring, first_of_kind, put
from acgym.envs.world.lab.heat import ON_DEVICE, advance, phase, temperature
from acgym.envs.world.lab.library import Substance, substances
from acgym.envs.world.lab.state import Lab, Thing
from acgym.types import Json

Plan = Mapping[str, Json]
_WAITS = (*range(1, 21), *range(22, 61, 2), *range(65, 241, 5), *range(260, 1441, 20), *range(1500, 6001, 100))
"""Minutes that the expert tries for a wait."""


def _device(lab: Lab, degrees: float) -> Thing | None:
    """Return the device that can be at a temperature: one to be set for more than room temperature, else a cold one."""
    able = [thing for thing in lab.of_kind("heater") if thing.more["low"] <= degrees <= thing.more["high"]]
    able += [thing for thing in lab.of_kind("heater") if degrees < 20 and thing.more["high"] <= degrees]
    return min(able, key=lambda thing: abs(thing.more["high"] - degrees), default=None)


def _held_at(lab: Lab, name: str, degrees: float, done: Callable[[Substance, float], bool]) -> str | None:
    """Return the next step that brings a sample to a device at a temperature and waits; None when ``done`` holds."""
    sample = lab.things[name]
    of, enthalpy = substances()[sample.more["of"]], sample.more["enthalpy"]
    device = _device(lab, degrees)
    if done(of, enthalpy) or device is None:
        return None
    step = put(lab, name, device.name)
    if step is not None:
        return step
    settable = device.more["low"] != device.more["high"]
    if settable and abs(device.more["set"] - degrees) > 0.01:
        return f"set {device.name} to {degrees:.1f}"
    around = device.more["set"]
    for minutes in _WAITS:
        if done(of, advance(of, enthalpy, around, minutes, ON_DEVICE)):
            return f"wait {minutes} minutes"
    return "wait 1 day"


def change(lab: Lab, plan: Plan) -> str | None:
    """Melt, boil, freeze, or bring to a temperature."""
    of = substances()[lab.things[plan["sample"]].more["of"]]
    if plan["kind"] == "freeze":
        degrees = of.melts - 3
    elif plan["kind"] == "boil":
        degrees = (of.boils or 0.0) + 40
    elif plan["kind"] == "melt":
        degrees = of.melts + 12
    else:
        degrees = (plan["low"] + plan["high"]) / 2

    def done(one: Substance, enthalpy: float) -> bool:
        right = phase(one, enthalpy) in plan["phases"]
        return right and plan["low"] + 0.2 <= temperature(one, enthalpy) <= plan["high"] - 0.2

    return _held_at(lab, plan["sample"], degrees, done)


def melting(lab: Lab, plan: Plan) -> str | None:
    """Read the temperature of a sample while it melts; try the thermometer in ice water where there is some."""
    meter = first_of_kind(lab, "thermometer")
    for name in plan["samples"]:
        if f"melting:{name}" in lab.seen:
            continue
        of, enthalpy = substances()[lab.things[name].more["of"]], lab.things[name].more["enthalpy"]
        degrees = of.melts + (12 if phase(of, enthalpy) in ("solid", "partly molten") else -12)
        step = _held_at(lab, name, degrees, lambda one, h: phase(one, h) == "partly molten")
        step = step or bring(lab, [name, meter], lab.room_of(name))
        return step or f"use {meter} on {name}"
    if "ice water" in lab.things and f"zero:{meter}" not in lab.seen:
        return bring(lab, [meter, "ice water"], lab.room_of("ice water")) or f"use {meter} on ice water"
    return None


def _ring(lab: Lab, ring: Sequence[str]) -> str | None:
    """Return the next step that joins parts to a ring in their order; None when it is closed."""
    step = bring(lab, ring, lab.rooms[0])
    if step is not None:
        return step
    pairs = [(name, ring[(i + 1) % len(ring)]) for i, name in enumerate(ring)]
    for one, other in lab.joins:
        if (one[0], other[0]) not in pairs and (other[0], one[0]) not in pairs and {one[0], other[0]} & set(ring):
            return f"disconnect {one[0] if one[0] not in ring else other[0]}"
    for one_name, other_name in pairs:
        if not any({a[0], b[0]} == {one_name, other_name} for a, b in lab.joins):
            return f"connect {one_name} to {other_name}"
    return None


def light(lab: Lab, plan: Plan) -> str | None:
    """Build the ring; the last join closes it."""
    return _ring(lab, plan["ring"])


def conductors(lab: Lab, plan: Plan) -> str | None:
    """Put each rod into the ring, then each into its box."""
    for rod, _ in plan["tests"]:
        if f"tested:{rod}" not in lab.seen:
            return _ring(lab, [part or rod for part in plan["ring"]])
    for rod, box in plan["tests"]:
        step = None if lab.things[rod].at == box else put(lab, rod, box)
        if step is not None:
            return step
    return None


def resistance(lab: Lab, plan: Plan) -> str | None:
    """Build the ring, read the ammeter and the voltmeter."""
    part, meter = plan["part"], plan["meter"]
    if f"current:{part}" in lab.seen and f"voltage:{part}" in lab.seen:
        return None
    step = bring(lab, [*plan["ring"], "voltmeter"], lab.rooms[0]) or _ring(lab, plan["ring"])
    if step is not None:
        return step
    return f"use voltmeter on {part}" if f"current:{part}" in lab.seen else f"read {meter}"


def pours(lab: Lab, plan: Plan) -> str | None:
    """Pour the amounts in their order; what is in the vessel tells how far one is."""
    vessel = plan["vessel"]
    held, level = mixing.grams(lab.things[vessel]), float(plan.get("start", 0.0))
    for source, amount in plan["steps"]:
        level += amount
        if held < level - 1e-4:
            unit = "ml" if mixing.has_liquid(lab.things[source]) else "g"
            step = bring(lab, [source, vessel], lab.rooms[0])
            return step or f"pour {level - held:.4f} {unit} from {source} into {vessel}"
    return None


def apart(lab: Lab, plan: Plan) -> str | None:
    """Draw out what the magnet draws, dissolve the salt, filter, dry both."""
    bowl, salt = lab.things[plan["bowl"]], plan["salt"]
    if plan["iron"]:
        magnet = first_of_kind(lab, "magnet")
        if plan["iron"] in bowl.more["contents"]:
            return bring(lab, [magnet, bowl.name], lab.rooms[0]) or f"use {magnet} on {bowl.name}"
        if lab.things[magnet].more["contents"]:
            return bring(lab, [magnet, "dish B"], lab.rooms[0]) or f"pour {magnet} into dish B"
    if bowl.more["contents"].get(salt, 0.0) > 0.07 * lab.things["dish A"].more["contents"].get(salt, 0.0):
        together = [bowl.name, plan["water"], "filter funnel", "dish A"]
        step = bring(lab, together, lab.rooms[0])
        if step is not None:
            return step
        wet = bowl.more["contents"].get("water", 0.0) > 100
        return f"filter {bowl.name} into dish A" if wet else f"pour 600 g from {plan['water']} into {bowl.name}"
    vessels = ["dish A", *([bowl.name] if plan["grain"] else [])]
    for name in vessels:
        if lab.things[name].more["contents"].get("water", 0.0) > 0:
            step = put(lab, name, "hot plate", vessels)
            if step is not None:
                return step
            return "set hot plate to 150" if lab.things["hot plate"].more["set"] < 150 else "wait 4 hours"
    return None


def weighing(lab: Lab, plan: Plan) -> str | None:
    """Weigh objects, and read the cylinder before and after each is put into it."""
    balance, cylinder = first_of_kind(lab, "balance"), first_of_kind(lab, "cylinder")
    room = lab.room_of(balance)
    for name in plan["objects"]:
        if f"mass:{name}" not in lab.seen:
            return bring(lab, [name, cylinder], room) or f"use {balance} on {name}"
        if f"volume:{name}" in lab.seen and f"level:{cylinder}" in lab.seen:
            continue
        step = bring(lab, [name, cylinder], room)
        inside = [thing.name for thing in lab.on(cylinder)]
        if step is not None:
            return step
        if f"level:{cylinder}" not in lab.seen:
            return f"take {inside[0]}" if inside else f"read {cylinder}"
        other = next((one for one in inside if one != name), None)
        if other is not None:
            return f"take {other}"
        return f"read {cylinder}" if inside else f"put {name} in {cylinder}"
    if lab.things[balance].more.get("zero_g") and f"zero:{balance}" not in lab.seen:
        return bring(lab, [], room) or f"read {balance}"
    return None


PLANS: dict[str, Callable[[Lab, Plan], str | None]] = {
    "melt": change, "boil": change, "freeze": change, "reach": change, "melting_point": melting,
    "which_melts": melting, "light": light, "flow": light, "conductors": conductors, "resistance": resistance,
    "solution": pours, "colour": pours, "neutral": pours, "apart": apart, "density": weighing, "which_metal": weighing,
}  # fmt: skip
