"""Instruments: what they show, in their unit and with their error; and what a closer look at a thing tells."""

from __future__ import annotations

from acgym.envs.world.lab import circuit, growing, mixing
from acgym.envs.world.lab.breeding import phenotype
from acgym.envs.world.lab.heat import ROOM, phase, temperature
from acgym.envs.world.lab.library import substances
from acgym.envs.world.lab.state import Lab, Thing, the
from acgym.envs.world.lab.units import convert, from_celsius, shown

Did = tuple[str, str | None]
_DIGITS = {"g": 2, "kg": 4, "oz": 3, "cm": 1, "mm": 0, "in": 2}


def use(lab: Lab, tool: Thing, on: list[Thing]) -> Did:
    """Use an instrument or tool on a thing."""
    if tool.kind == "balance" and not on:
        lab.observe(f"zero:{tool.name}")
        empty = convert(tool.more.get("zero_g", 0.0), "g", tool.more["unit"]) or 0.0
        return f"With nothing on it, {the(tool.name)} shows {_value(empty, tool.more['unit'])}.", None
    if not on:
        return f"Say what to use {the(tool.name)} on.", "wrong_thing"
    thing = on[0]
    if tool.kind == "balance":
        return _weigh(lab, tool, thing)
    if tool.kind == "thermometer":
        return _temperature(lab, tool, thing)
    if tool.kind == "ph meter":
        return _acidity(lab, tool, thing)
    if tool.kind == "ruler":
        return _height(lab, tool, thing)
    if tool.kind == "voltmeter":
        return _voltage(lab, tool, thing)
    if thing.kind == "pot" and tool.kind in ("brush", "can", "fertiliser"):
        if tool.kind == "fertiliser":
            return growing.feed(lab, thing, tool)
        return growing.pollinate(lab, thing) if tool.kind == "brush" else growing.water(lab, thing)
    if tool.kind == "magnet" and thing.kind == "vessel":
        return mixing.attract(lab, tool, thing)
    return f"{the(tool.name, True)} is of no use on {the(thing.name)}.", "wrong_thing"


def _weigh(lab: Lab, balance: Thing, thing: Thing) -> Did:
    if "contents" in thing.more:
        mass = mixing.grams(thing)
    elif "grams" in thing.more:
        mass = float(thing.more["grams"])
    else:
        return f"{the(thing.name, True)} cannot be weighed here.", "wrong_thing"
    unit = balance.more["unit"]
    reading = mass + balance.more.get("zero_g", 0.0)
    lab.observe(f"mass:{thing.name}")
    what = f"what is in {the(thing.name)}" if "contents" in thing.more else f"{the(thing.name)}"
    return f"For {what} {the(balance.name)} shows {_value(convert(reading, 'g', unit) or 0.0, unit)}.", None


def _temperature(lab: Lab, meter: Thing, thing: Thing) -> Did:
    if thing.kind == "sample":
        of = substances()[thing.more["of"]]
        degrees = temperature(of, thing.more["enthalpy"])
        lab.observe(f"temperature:{thing.name}")
        if phase(of, thing.more["enthalpy"]) == "partly molten":
            lab.observe(f"melting:{thing.name}")
    elif thing.kind == "heater":
        degrees = float(thing.more["set"])
    elif thing.kind == "vessel":
        degrees = float(thing.more.get("degrees", ROOM))
        if "degrees" in thing.more:
            lab.observe(f"zero:{meter.name}")
    else:
        degrees = ROOM
    unit = meter.more["unit"]
    reading = from_celsius(degrees + meter.more.get("off", 0.0), unit)
    return f"On {the(thing.name)} {the(meter.name)} shows {reading:.1f} {shown(unit)}.", None


def _acidity(lab: Lab, meter: Thing, thing: Thing) -> Did:
    value = mixing.acidity(thing) if "contents" in thing.more else None
    if value is None:
        return "A pH can only be measured in a watery liquid.", "wrong_thing"
    lab.observe(f"ph:{thing.name}")
    return f"In {the(thing.name)} {the(meter.name)} shows {value:.2f}.", None


def _height(lab: Lab, ruler: Thing, thing: Thing) -> Did:
    if thing.kind != "pot" or thing.more.get("rate") is None:
        return f"There is nothing to measure with {the(ruler.name)} on {the(thing.name)}.", "wrong_thing"
    unit = ruler.more["unit"]
    growing.measured(lab, thing)
    value = convert(thing.more["height"], "cm", unit) or 0.0
    return f"The plant in {the(thing.name)} is {value:.{_DIGITS[unit]}f} {unit} tall.", None


def _voltage(lab: Lab, meter: Thing, thing: Thing) -> Did:
    if thing.kind != "part":
        return f"{the(meter.name, True)} measures between the ends of electric parts.", "wrong_thing"
    amperes = circuit.current(lab, thing.name)
    volts = abs(float(thing.more["volts"])) if thing.more.get("volts") is not None else amperes * thing.more["ohms"]
    if amperes * 1e6 >= 1:
        lab.observe(f"voltage:{thing.name}")
    unit = meter.more["unit"]
    return f"Between the ends of {the(thing.name)} {the(meter.name)} shows {_electric(volts, unit)}.", None


def _electric(value: float, unit: str) -> str:
    return f"{value * 1000:.1f} {unit}" if unit.startswith("m") else f"{value:.4f} {unit}"


def _value(value: float, unit: str) -> str:
    return f"{value:.{_DIGITS[unit]}f} {unit}"


def read(lab: Lab, thing: Thing) -> Did:
    """Look closely at a thing, or read what it shows or what is written on it."""
    kind, more = thing.kind, thing.more
    if kind in ("book", "chart"):
        lab.observe(f"read:{thing.name}")
        return f"{the(thing.name, True)} says:\n{more['text']}", None
    if kind == "sample":
        of = substances()[more["of"]]
        said = phase(of, more["enthalpy"])
        what = "Something unknown" if more.get("unknown") else f"{the(of.name, True)}"
        return f"{what} in {the(thing.name)} is {said}.", None
    if kind == "cylinder":
        return _level(lab, thing)
    if kind == "part":
        return _part(lab, thing)
    if kind == "creature":
        sex = f", {more['sex']}" if more.get("sex") else ""
        return f"{the(thing.name, True)}{sex}: {phenotype(thing)}.", None
    if kind == "pot":
        return growing.look(lab, thing), None
    if kind == "vessel":
        return mixing.look(thing), None
    if kind == "balance":
        return use(lab, thing, [])
    if kind == "seed":
        lab.observe(f"read:{thing.name}")
        return f'The bag of {thing.name} says: "{more["label"]}"', None
    if kind == "holder":
        held = ", ".join(inner.name for inner in lab.on(thing.name)) or "nothing"
        return f"{the(thing.name, True)} is closed." if more.get(
            "closed"
        ) else f"In or on {the(thing.name)}: {held}.", None
    return more.get("text") or f"{the(thing.name, True)}: nothing special about it.", None


def _level(lab: Lab, cylinder: Thing) -> Did:
    inside = lab.on(cylinder.name)
    volume = cylinder.more["ml"] + sum(float(thing.more["cm3"]) for thing in inside)
    if not inside:
        lab.observe(f"level:{cylinder.name}")
    elif len(inside) == 1:
        lab.observe(f"volume:{inside[0].name}")
    held = f", with {' and '.join(thing.name for thing in inside)} under water" if inside else ""
    return f"The water in {the(cylinder.name)} stands at {volume:.1f} ml{held}.", None


def _part(lab: Lab, part: Thing) -> Did:
    if part.more.get("meter"):
        amperes = circuit.current(lab, part.name)
        if amperes * 1e6 >= 1:
            for other, _ in circuit.loop_of(lab, part.name) or []:
                lab.observe(f"current:{other.name}")
        return f"{the(part.name, True)} shows {_electric(amperes, part.more['meter'])}.", None
    joined = [circuit.partner(lab, (part.name, end)) for end in circuit.ends_of(part)]
    to = " and ".join(the(end[0]) for end in joined if end) or "nothing"
    state = part.more.get("text", "")
    if part.more.get("needs") is not None:
        glow = "burnt out" if part.more.get("burnt") else "lit" if circuit.lit(lab, part) else "dark"
        state = f"It is made for {part.more['needs']:g} V; it is {glow}."
    return f"{the(part.name, True)} is connected with {to}. {state}".strip(), None
