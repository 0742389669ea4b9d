"""Tasks with heat: change a state of matter, reach a temperature, find a melting point, tell substances by it."""

from __future__ import annotations

from acgym.envs.world.lab.build import Build
from acgym.envs.world.lab.library import Substance, own, substances
from acgym.envs.world.lab.units import from_celsius, shown, spelled

HOTTEST = 340.0
"""Above this a hot plate is of no use, degrees Celsius."""


def _pool(build: Build, sort: str) -> list[Substance]:
    """Return the substances of a sort that belong to the split and are solid or liquid at 20 degrees."""
    names = own([one.name for one in substances().values() if one.sort == sort], build.split, "pure substance")
    return [substances()[name] for name in names]


def change(build: Build) -> None:
    """Melt a solid, boil or freeze a liquid."""
    build.heaters()
    what = build.draw.pick(("melt", "boil", "freeze"))
    if what == "melt":
        of = build.draw.pick(_pool(build, "solid"))
        phases, around = ["liquid"], [of.melts, 4000.0]
        say = build.draw.pick(("Melt all of the {}.", "Make the {} wholly liquid.", "Turn the solid {} into a liquid."))
    elif what == "boil":
        of = build.draw.pick([one for one in _pool(build, "liquid") if one.boils and one.boils < HOTTEST])
        phases, around = ["boiling", "vapour"], [of.boils or of.melts, 4000.0]
        say = build.draw.pick(("Bring the {} to the boil.", "Make the {} boil.", "Heat the {} until it boils."))
    else:
        coldest = -70 if build.level == 1 else -190
        of = build.draw.pick([one for one in _pool(build, "liquid") if coldest < one.melts < 17])
        phases, around = ["solid"], [-300.0, of.melts]
        say = build.draw.pick(("Freeze all of the {}.", "Make the {} wholly solid.", "Turn the {} into a solid."))
    name = build.sample(f"flask of {of.name}", of.name)
    build.thermometer()
    build.goals += [["exposed", name, *around], ["phase", name, phases, -300.0, 4000.0]]
    build.say(what, say.format(of.name), sample=name, phases=phases, low=-300.0, high=4000.0)


def reach(build: Build) -> None:
    """Bring a molten substance to a temperature that is told by its melting point, or in other degrees."""
    build.heaters()
    build.thermometer()
    of = build.draw.pick([one for one in _pool(build, "solid") if one.melts < 180 and one.boils])
    name = build.sample(f"crucible of {of.name}", of.name)
    above = build.draw.between(8, 25)
    middle = of.melts + above
    unit = build.draw.pick(("F", "K", "C"))
    if build.level < 3:
        low, high = (round(from_celsius(middle + side, unit)) for side in (-3, 3))
        text = f"Bring the {of.name} to between {low} and {high} {shown(unit)}, wholly liquid."
        low_c, high_c = middle - 3.5, middle + 3.5
    else:
        _handbook(build, of)
        span = {"F": 9 / 5}.get(unit, 1.0)
        text = build.draw.pick((
            "Melt the {} and bring it to {:.0f} {} above its melting point, give or take {:.0f}.",
            "Heat the {} until it is liquid and {:.0f} {} warmer than its melting point, at most {:.0f} off.",
            "I need the {} molten, {:.0f} {} above the melting point, within {:.0f} of that.",
        )).format(of.name, above * span, shown(unit), 2.5 * span)  # fmt: skip
        low_c, high_c = middle - 3.0, middle + 3.0
    build.goals.append(["phase", name, ["liquid"], -300.0, 4000.0])
    build.goals.append(["phase", name, ["liquid"], low_c, high_c])
    build.say("reach", text, sample=name, phases=["liquid"], low=low_c, high=high_c)


def melting_point(build: Build) -> None:
    """Find the melting point of something unknown."""
    build.heaters()
    build.thermometer()
    of = build.draw.pick(_pool(build, "solid"))
    name = build.sample("crucible A", of.name, unknown=True)
    own_unit = next(row["unit"] for row in build.things if row["kind"] == "thermometer")
    unit = build.draw.pick([one for one in ("C", "F", "K") if one != own_unit])
    within = 2.0 * (1.8 if unit == "F" else 1.0)
    build.answer = {"kind": "number", "value": from_celsius(of.melts, unit), "unit": unit, "within": within}
    build.goals.append(["any", ["seen", f"temperature:{name}"], ["seen", f"melting:{name}"]])
    build.goals.append(["seen", f"melting:{name}"])
    if build.size.flawed:
        build.goals.append(["seen", "zero:thermometer"])
    frames = (
        "Find out at what temperature the substance in crucible A melts. Answer in {}.",
        "Measure the melting point of what is in crucible A, while it melts, and answer in {}.",
        "At how many {} does the substance of crucible A melt? Measure it.",
    )
    build.say("melting_point", build.draw.pick(frames).format(spelled(unit)), samples=[name])


def which_melts(build: Build) -> None:
    """Tell which of several crucibles holds a substance, by melting points."""
    build.heaters()
    build.thermometer()
    count = 3 if build.level < 5 else 4
    first = build.draw.pick(_pool(build, "solid"))
    chosen = [first]
    for one in build.draw.shuffled([one for one in substances().values() if one.sort == "solid"]):
        if len(chosen) < count and all(abs(one.melts - other.melts) >= 12 for other in chosen):
            chosen.append(one)
    chosen = build.draw.shuffled(chosen)
    names = [f"crucible {'ABCD'[i]}" for i in range(len(chosen))]
    for name, of in zip(names, chosen, strict=True):
        build.sample(name, of.name, unknown=True)
    wanted = chosen.index(first)
    _handbook(build, *chosen)
    others = [["seen", f"melting:{name}"] for i, name in enumerate(names) if i != wanted]
    build.goals.append(["any", *(["seen", f"temperature:{name}"] for name in names)])
    build.goals.append(["any", ["seen", f"melting:{names[wanted]}"], ["all", *others]])
    if build.size.flawed:
        build.goals.append(["seen", "zero:thermometer"])
    build.answer = {"kind": "names", "right": [names[wanted]], "among": names}
    labels = ", ".join("ABCD"[i] for i in range(len(chosen)))
    text = build.draw.pick((
        "The crucibles {} hold one unknown substance each. Which one holds {}? Measure at what temperature it melts. "
        "Answer with the crucible.",
        "In the crucibles {} there are different substances. Find the one with {} by melting, thermometer in hand, and "
        "answer with the crucible.",
        "The labels of the crucibles {} are lost. One holds {}: measure melting points to tell which, and answer with "
        "its name.",
    )).format(labels, chosen[wanted].name)  # fmt: skip
    build.say("which_melts", text, samples=[names[wanted]])


def _handbook(build: Build, *those: Substance) -> None:
    """Add melting points to the handbook: of those, and of others."""
    unit = build.draw.pick(("F", "K"))
    others = [one for one in substances().values() if one.sort == "solid" and one not in those]
    rows = [*those, *build.draw.sample(others, 4)]
    said = [
        f"{one.name} melts at {from_celsius(one.melts, unit):.1f} {shown(unit)}" for one in build.draw.shuffled(rows)
    ]
    build.book(said)
