"""Tasks with measurement: the density of an object, and which of several objects is of a metal."""

from __future__ import annotations

from acgym.envs.world.lab.build import Build
from acgym.envs.world.lab.library import Substance, own, substances
from acgym.envs.world.lab.units import convert, shown

SHAPES = ("rod", "cube", "ball", "block", "disc", "ring")


def _metals(build: Build) -> list[Substance]:
    names = own([one.name for one in substances().values() if one.sort == "metal"], build.split, "pure substance")
    return [substances()[name] for name in names]


def _object(build: Build, name: str, metal: Substance) -> None:
    """Add an object of a metal, of a volume that is drawn."""
    volume = build.draw.between(40, 220) / 10
    build.add(name, "object", cm3=volume, grams=round(volume * (metal.density or 1.0), 2))


def _cylinder(build: Build) -> None:
    build.add("measuring cylinder", "cylinder", ml=float(build.draw.between(50, 90)))


def _measured(name: str) -> list[object]:
    return ["all", ["seen", f"mass:{name}"], ["seen", f"volume:{name}"], ["seen", "level:measuring cylinder"]]


def density(build: Build) -> None:
    """Find the density of an object by its mass and the water that it displaces."""
    build.balance()
    _cylinder(build)
    name = f"painted {build.draw.pick(SHAPES)}"
    metal = build.draw.pick(_metals(build))
    _object(build, name, metal)
    unit = "g/cm3" if build.level < 3 else build.draw.pick(("kg/m3", "g/cm3"))
    value = convert(metal.density or 1.0, "g/cm3", unit) or 1.0
    build.answer = {"kind": "number", "value": value, "unit": unit, "within": 0.04 * value}
    build.goals += [["seen", f"mass:{name}"], ["seen", f"volume:{name}"], ["seen", "level:measuring cylinder"]]
    if build.size.flawed:
        build.goals.append(["seen", "zero:balance"])
    frames = (
        "What is the density of the {}? Measure its mass and its volume (by the water that it displaces).",
        "Find the density of the {} from its mass and the water that it displaces.",
        "Measure mass and volume (by displacement of water) of the {} and work out its density.",
    )
    text = f"{build.draw.pick(frames).format(name)} Answer in {shown(unit)}."
    build.say("density", text, objects=[name])


def which_metal(build: Build) -> None:
    """Tell which of several painted objects is of a metal, by their densities."""
    build.balance()
    _cylinder(build)
    count = {2: 2, 3: 4, 4: 4, 5: 5}[build.level]
    first = build.draw.pick(_metals(build))
    chosen = [first]
    for one in build.draw.shuffled([one for one in substances().values() if one.sort == "metal"]):
        near = any(abs((one.density or 0) / (other.density or 1) - 1) < 0.12 for other in chosen)
        if len(chosen) < count and not near:
            chosen.append(one)
    chosen = build.draw.shuffled(chosen)
    shape = build.draw.pick(SHAPES)
    names = [f"painted {shape} {'ABCDE'[i]}" for i in range(len(chosen))]
    for name, metal in zip(names, chosen, strict=True):
        _object(build, name, metal)
    wanted = chosen.index(first)
    others = [_measured(name) for i, name in enumerate(names) if i != wanted]
    build.goals.append(["any", *(["seen", f"mass:{name}"] for name in names)])
    build.goals.append(["any", *(["seen", f"volume:{name}"] for name in names)])
    build.goals.append(["any", _measured(names[wanted]), ["all", *others]])
    if build.size.flawed:
        build.goals.append(["seen", "zero:balance"])
    build.answer = {"kind": "names", "right": [names[wanted]], "among": names}
    unit = "g/cm3" if build.level < 3 else "kg/m3"
    more = [one for one in substances().values() if one.sort == "metal" and one not in chosen]
    rows = build.draw.shuffled([*chosen, *build.draw.sample(more, 3)])
    build.book([f"{one.name}: {convert(one.density or 1.0, 'g/cm3', unit):g} {shown(unit)}" for one in rows])
    text = build.draw.pick((
        "Each of the {count} painted {shape}s is of another metal. Find out by mass and volume (the water that it "
        "displaces) which one is of {metal}. Answer with its name.",
        "One of the {count} painted {shape}s is {metal}. Their densities tell which: measure mass and displaced water, "
        "and answer with the name of that {shape}.",
        "Paint hides of what metal each of the {count} painted {shape}s is. Measure how dense they are (mass, and the "
        "water that they push away), and answer which one is {metal}.",
    )).format(count=count, shape=shape, metal=chosen[wanted].name)  # fmt: skip
    build.say("which_metal", text, objects=[names[wanted]])
