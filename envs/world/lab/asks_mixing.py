"""Tasks with mixtures: a solution, a colour, an acid made neutral, grains and salt taken apart."""

from __future__ import annotations

from acgym.envs.world.lab.build import Build
from acgym.envs.world.lab.library import acids, grains, own, paints, solutes


def _water(build: Build) -> str:
    return build.add("water tank", "vessel", contents={"water": 20000.0}, stock=True, label="distilled water")


def solution(build: Build) -> None:
    """Make a solution by mass: from a share, from moles, or by thinning a stronger one."""
    one = solutes()[build.draw.pick(own(solutes(), build.split, "solute"))]
    beaker = build.add("beaker", "vessel", contents={})
    water = _water(build)
    total = build.draw.between(6, 40) * 10
    form = "share" if build.level < 3 else build.draw.pick(("moles", "thin"))
    if form == "thin":
        strong = build.draw.pick((20, 25, 30, 40))
        percent = build.draw.pick((2, 3, 4, 5, 6, 8))
        label = f"{one.name}, {strong} % by mass"
        stock = {one.name: 10.0 * strong, "water": 1000.0 - 10.0 * strong}
        source = build.add("stock bottle", "vessel", contents=stock, stock=True, label=label)
        share = percent / 100
        steps = [[source, total * percent / strong], [water, total * (1 - percent / strong)]]
        text = f"Make {_grams(build, total)} of a solution of {one.name} in water, {percent} % by mass, in the beaker."
    elif form == "share":
        share = build.draw.pick((0.5, 0.9, 1.2, 2, 2.5, 4, 5, 7.5, 8, 12)) / 100
        source = build.add(f"jar of {one.name}", "vessel", contents={one.name: 900.0}, stock=True, label=one.name)
        steps = [[source, total * share], [water, total * (1 - share)]]
        whole = _grams(build, total)
        text = f"Make {whole} of a solution of {one.name} in water, {100 * share:g} % by mass, in the beaker."
    else:
        molal = build.draw.between(2, 15) / 10
        source = build.add(f"jar of {one.name}", "vessel", contents={one.name: 3000.0}, stock=True, label=one.name)
        grams = molal * one.molar * total / 1000
        share = grams / (grams + total)
        steps = [[source, grams], [water, float(total)]]
        others = build.draw.sample([other for other in solutes().values() if other is not one], 4)
        build.book([f"{row.name}, {row.formula}: {row.molar:.2f} g/mol" for row in build.draw.shuffled([one, *others])])
        text = (
            f"Dissolve {one.name} in {_grams(build, total)} of water in the beaker, so that there are {molal:g} mol of "
            f"it for each kg of water."
        )
        total = round(total + grams)
    shares = {one.name: share, "water": 1 - share}
    build.goals.append(["near", beaker, shares])
    build.goals.append(["mix", beaker, shares, total * 0.98, total * 1.02])
    build.say("solution", text + " 2 % more or less is good enough.", steps=steps, vessel=beaker)


def _grams(build: Build, total: float) -> str:
    return f"{total / 1000:g} kg" if build.level > 2 and build.draw.chance(0.5) else f"{total:g} g"


def colour(build: Build) -> None:
    """Mix a colour from paints by the parts of a chart."""
    name = build.draw.pick(own(paints(), build.split, "paint of the lab"))
    parts = paints()[name]
    can = build.add("mixing can", "vessel", contents={})
    for paint in ("red", "yellow", "blue", "white", "black"):
        build.add(f"{paint} paint", "vessel", contents={paint: 3000.0}, stock=True, paint=True, label=f"{paint} paint")
    others = build.draw.sample([other for other in paints() if other != name], 3)
    rows = [
        f"{row}: {', '.join(f'{count} of {paint}' for paint, count in paints()[row].items())}"
        for row in build.draw.shuffled([name, *others])
    ]
    build.add("colour chart", "chart", text="\n".join(["Parts by volume:", *rows]))
    whole = sum(parts.values())
    total = whole * build.draw.between(4, 20) * 5
    shares = {paint: count / whole for paint, count in parts.items()}
    build.goals.append(["near", can, shares])
    build.goals.append(["mix", can, shares, total * 0.98, total * 1.02])
    steps = [[f"{paint} paint", total * share] for paint, share in shares.items()]
    build.say("colour", f"Mix {total} ml of {name} in the mixing can, by the colour chart.", steps=steps, vessel=can)


def neutral(build: Build) -> None:
    """Make an acid (or a base) neutral with a solution of the other kind."""
    names = own(acids(), build.split, "kind of acid")
    one = acids()[build.draw.pick(names)]
    others = [other for other in acids().values() if other.equivalents * one.equivalents < 0]
    if build.level == 1:  # mole for mole
        others = [other for other in others if other.equivalents == -one.equivalents]
    other = build.draw.pick(others)
    if build.level < 3:
        strength, volume = build.draw.pick((0.1, 0.2, 0.5)), build.draw.between(4, 30) * 10
        reagent = strength * build.draw.pick((1, 1, 2, 0.5) if build.level == 2 else (1,))
    elif build.level == 3:
        strength, volume = build.draw.pick((0.08, 0.12, 0.3, 0.45)), build.draw.between(41, 299)
        reagent = build.draw.pick((0.1, 0.15, 0.25, 0.4))
    else:  # what is in the flask must be found by its pH, which is a whole number for an acid and for a base
        strength, volume = build.draw.pick((0.1, 0.01)) / abs(one.equivalents), build.draw.between(41, 299)
        reagent = build.draw.pick((0.05, 0.08, 0.16))
    moles = strength * volume / 1000
    flask = build.add("flask", "vessel", contents={one.name: moles * one.molar, "water": volume - moles * one.molar})
    stock = reagent * 5
    label = f"{other.name}, {other.formula}, {reagent:g} mol/l"
    bottle = build.add(
        "reagent bottle", "vessel", stock=True, label=label,
        contents={other.name: stock * other.molar, "water": 5000.0 - stock * other.molar},
    )  # fmt: skip
    build.add("pH meter", "ph meter")
    needed = moles * abs(one.equivalents) / (reagent * abs(other.equivalents)) * 1000
    known = (
        f" It is {one.name}, {one.formula}, {strength:g} mol/l."
        if build.level < 4
        else f" It is {one.name}, {one.formula}."
    )
    kind = "acid" if one.equivalents > 0 else "base"
    text = build.draw.pick((
        "In the flask there are {} ml of {}.{} Make it neutral with what is in the reagent bottle: a pH from 6 to 8.",
        "The flask holds {} ml of {}.{} Add so much from the reagent bottle that the pH lies between 6 and 8.",
        "Neutralise what is in the flask ({} ml of {}) with the reagent bottle, to a pH from 6 to 8.{}",
    ))  # fmt: skip
    said = (f"{volume}", "an acid" if kind == "acid" else "a base", known)
    text = text.format(*said)
    build.goals += [["ph", flask, 3.0, 11.0], ["ph", flask, 6.0, 8.0]]
    build.say("neutral", text, steps=[[bottle, needed]], vessel=flask, start=float(volume))


def apart(build: Build) -> None:
    """Take a mixture of salt and grains apart: each dry and by itself."""
    salt = build.draw.pick([name for name in own(solutes(), build.split, "solute") if solutes()[name].stable])
    plain = build.draw.pick(own([name for name, magnetic in grains().items() if not magnetic], build.split, "grain"))
    iron = build.draw.pick([name for name, magnetic in grains().items() if magnetic])
    held = {salt: float(build.draw.between(10, 40)), plain: float(build.draw.between(20, 60))}
    three = build.level > 2
    if three:
        held[iron] = float(build.draw.between(5, 30))
        build.add("magnet", "magnet", contents={})
    bowl = build.add("bowl", "vessel", contents=held)
    build.add("filter funnel", "funnel")
    for label in "AB"[: 1 + three]:
        build.add(f"dish {label}", "vessel", contents={})
    build.heaters()
    water = _water(build)
    names = ", ".join(sorted(held))
    wanted = sorted(held) if three else [salt]
    for name in wanted:
        build.goals.append(["alone", name, 0.93 * held[name], None])
    asks = "each of them dry and by itself in a vessel" if three else f"the {salt} dry and by itself in a vessel"
    text = build.draw.pick((
        f"The bowl holds a dry mixture of {names}. Take it apart, so that you have {asks}.",
        f"Separate the mixture in the bowl ({names}): in the end there must be {asks}.",
        f"Somebody mixed {names} in the bowl. Get {asks}.",
    ))  # fmt: skip
    build.say(
        "apart", text, bowl=bowl, water=water, salt=salt, grain=plain if three else None, iron=iron if three else None
    )
