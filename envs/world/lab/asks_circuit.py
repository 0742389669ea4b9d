"""Tasks with electric circuits: light a lamp, set a current, find what conducts, find a resistance."""

from __future__ import annotations

from acgym.envs.world.lab.build import Build
from acgym.envs.world.lab.circuit import BURNT, LIT, OPEN
from acgym.envs.world.lab.library import own, rods

COLOURS = ("red", "black", "green", "white", "blue", "orange", "purple", "brown")
LAMPS = (
    "pocket lamp",
    "bicycle lamp",
    "signal lamp",
    "dial lamp",
    "panel lamp",
    "warning lamp",
    "lantern bulb",
    "reading lamp",
)
CELLS = ("cell", "battery", "dry cell")
VALUES = (22, 27, 33, 39, 47, 56, 68, 82, 100, 120, 150, 180, 220, 270, 330, 390, 470, 560, 680, 820)
"""Resistors of the usual series E12, ohms."""


def _lamp(build: Build) -> str:
    return build.draw.pick(own(LAMPS, build.split, "part of the lab"))


def _wires(build: Build, count: int) -> list[str]:
    """Add so many good wires, and where things may be faulty a broken one."""
    names = [f"{colour} wire" for colour in build.draw.sample(COLOURS, count + build.size.flawed)]
    for i, name in enumerate(names):
        broken = i == count
        build.add(name, "part", wire=True, ohms=OPEN if broken else 0.01, unknown=broken)
    return names[:count]


def _cells(build: Build, volts: float, count: int, dead: bool) -> list[str]:
    """Add so many good cells, and a dead one."""
    word = build.draw.pick(CELLS)
    labels = build.draw.shuffled("ABCDE"[: count + dead])
    names = [f"{word} {label}" for label in labels]
    for i, name in enumerate(names):
        empty = i == count
        build.add(
            name, "part", volts=0.0 if empty else volts, ohms=0.2, text=f"It is marked {volts:g} V.", unknown=empty
        )
    return names[:count]


def light(build: Build) -> None:
    """Build a circuit in which a lamp lights."""
    need = 1 if build.level == 1 else build.draw.pick((2, 3))
    volts = build.draw.pick((1.5, 2.0, 4.5))
    cells = _cells(build, volts, need + (build.level > 1), build.size.flawed)
    lamp = build.add(_lamp(build), "part", needs=volts * need, ohms=build.draw.pick((6.0, 10.0, 15.0)))
    wires = _wires(build, 2)
    if build.level > 1:
        build.add("buzzer", "part", ohms=OPEN, unknown=True, text="It is broken.")
    build.goals += [["wired", lamp], ["lit", lamp]]
    frames = ("Build an electric circuit in which the {} lights up.", "Make the {} light up.", "Get the {} to shine.")
    build.say("light", build.draw.pick(frames).format(lamp), ring=[*cells[:need], wires[0], lamp, wires[1]], lamp=lamp)


def flow(build: Build) -> None:
    """Choose resistors so that a current of a given strength flows."""
    volts = build.draw.pick((1.5, 4.5, 9.0))
    cells = _cells(build, volts, 1, build.size.flawed)
    values = build.draw.sample(VALUES, 4)
    labels = build.draw.shuffled("PQRS")
    names = [f"resistor {label}" for label in labels]
    for name, value in zip(names, values, strict=True):
        said = f"{value / 1000:g} kilohms" if value >= 100 else f"{value} ohms"
        build.add(name, "part", ohms=float(value), text=f"It is marked {said}.")
    meter = build.add("ammeter", "part", ohms=0.05, meter=build.draw.pick(("mA", "A")))
    wires = _wires(build, 3)
    aim = volts / (values[0] + 0.3)
    build.goals += [["wired", meter], ["current", meter, 1e-5, 99.0]]
    build.goals.append(["current", meter, aim * 0.9, aim * 1.1])
    text = build.draw.pick((
        "Build a circuit in which a current of {:.3g} mA flows through the ammeter, give or take a tenth.",
        "Make a current of {:.3g} mA (10 % more or less will do) flow through the ammeter.",
        "Choose resistors and build a circuit so that {:.3g} mA pass the ammeter, to within a tenth.",
    )).format(aim * 1000)  # fmt: skip
    ring = [cells[0], wires[0], names[0], wires[1], meter, wires[2]]
    build.say("flow", text, ring=ring, lamp=None)


def conductors(build: Build) -> None:
    """Find out by a circuit which unknown rods conduct, and sort them."""
    count = 1 if build.level == 2 else 2
    materials = build.draw.sample(own(rods(), build.split, "rod"), count)
    if count > 1 and len({rods()[one] for one in materials}) == 1:  # both answers should come up
        other = [one for one in own(rods(), build.split, "rod") if rods()[one] != rods()[materials[0]]]
        materials[0] = build.draw.pick(other)
    volts = build.draw.pick((1.5, 4.5))
    cells = _cells(build, volts, 1, False)
    lamp = build.add(_lamp(build), "part", needs=volts, ohms=10.0)
    wires = _wires(build, 3)
    yes, no = build.draw.sample(("green box", "yellow box", "blue box", "red box"), 2)
    for box in (yes, no):
        build.add(box, "holder")
    tests = []
    for i, material in enumerate(materials):
        name = f"lacquered stick {'ABC'[i]}"
        conducts = rods()[material]
        build.add(name, "part", ohms=0.02 if conducts else OPEN, unknown=True, text="Paint hides what it is made of.")
        build.goals.append(["seen", f"tested:{name}"])
        build.goals.append(["all", ["seen", f"tested:{name}"], ["at", name, yes if conducts else no]])
        tests.append([name, yes if conducts else no])
    rods_named = " and ".join(name for name, _ in tests)
    text = build.draw.pick((
        "Find out by a circuit with the {lamp} whether current flows through {rods}. Put what conducts into the {yes} "
        "and what does not into the {no}.",
        "Test in a circuit with the {lamp} what conducts electric current: {rods}. Conductors go into the {yes}, the "
        "others into the {no}.",
        "Sort {rods}: into the {yes} if the {lamp} lights in a circuit through it, into the {no} if it does not.",
    )).format(lamp=lamp, rods=rods_named, yes=yes, no=no)  # fmt: skip
    build.say("conductors", text, tests=tests, ring=[cells[0], wires[0], lamp, wires[1], None, wires[2]], lamp=lamp)


def resistance(build: Build) -> None:
    """Find a resistance by voltage and current."""
    ohms = round(build.draw.pick(VALUES) * (0.85 + 0.3 * build.draw.unit()) * build.draw.pick((1.0, 10.0)), 1)
    cells = _cells(build, build.draw.pick((1.5, 4.5, 9.0)), 1, build.size.flawed)
    name = build.add("resistor X", "part", ohms=ohms, text="Its marking has worn off.")
    meter = build.add("ammeter", "part", ohms=0.05, meter="mA")
    build.add("voltmeter", "voltmeter", unit=build.draw.pick(("V", "mV")))
    wires = _wires(build, 3)
    unit = build.draw.pick(("ohm", "kohm"))
    value = ohms / (1000.0 if unit == "kohm" else 1.0)
    build.answer = {"kind": "number", "value": value, "unit": unit, "within": 0.04 * value}
    build.goals += [["seen", f"current:{name}"], ["seen", f"voltage:{name}"]]
    text = build.draw.pick((
        "Find the resistance of resistor X: measure the current through it and the voltage between its ends. "
        "Answer in {}.",
        "How large is resistor X, in {}? Work it out from the voltage over it and the current through it.",
        "Let a current flow through resistor X, read ammeter and voltmeter, and answer with its resistance in {}.",
    )).format("kilohms" if unit == "kohm" else "ohms")  # fmt: skip
    ring = [cells[0], wires[0], name, wires[1], meter, wires[2]]
    build.say("resistance", text, ring=ring, lamp=None, meter=meter, part=name)


assert LIT < 1 < BURNT, "a lamp lights at the voltage that it is made for"
