"""Tasks with living things: which form is dominant, who breeds true, breed a trait; grow to fruit, compare growth."""

from __future__ import annotations

from collections.abc import Sequence

from acgym.envs.names import in_split
from acgym.envs.world.lab.build import Build
from acgym.envs.world.lab.library import Crossed, organisms, own, plants, wild, wild_traits
from acgym.envs.world.lab.units import convert, spelled
from acgym.types import Json


def _species(build: Build, traits: int) -> list[Crossed]:
    """Draw a real organism of the split and so many of its genes."""
    names = own(sorted({one.one for one in organisms()}), build.split, "species")
    able = [name for name in names if sum(one.one == name for one in organisms()) >= traits]
    name = build.draw.pick(able)
    return build.draw.sample([one for one in organisms() if one.one == name], traits)


def _wild(build: Build, traits: int) -> list[Crossed]:
    """Draw an invented species and genes of it, with the dominant form drawn anew."""
    one, many = build.draw.pick([pair for pair in wild() if in_split(f"species {pair[0]}", build.split)])
    sort = "animal" if one.split()[-1] in ("snail", "beetle", "vole", "shrimp", "cricket") else "plant"
    rows = {row[0]: row for row in build.draw.shuffled([row for row in wild_traits() if row[1] == sort])}
    genes = []
    for trait in build.draw.sample(sorted(rows), traits):
        forms = build.draw.shuffled(rows[trait][2:])
        genes.append(Crossed(one, many, trait, forms[0], forms[1]))
    return genes


SOILS = {
    "loam": ("Wants a rich, crumbly soil of mixed grain", "Sow in a fertile soil, neither heavy nor loose"),
    "sand": ("Wants a loose, poor soil that drains at once", "Sow in a coarse, gritty soil that never stays wet"),
    "clay": ("Wants a heavy, sticky soil of the finest grain", "Sow in a dense soil, such as potters dig"),
}
"""How a bag of seeds describes soils from level 3 on."""
ANIMALS = ("guinea pig", "rabbit", "mouse", "fruit fly", "chicken", "cow")


def _creatures(
    build: Build, genes: Sequence[Crossed], rows: Sequence[Sequence[Sequence[int]]], sexes: str
) -> list[str]:
    """Add creatures with the genotypes given, in one room: two alleles for each gene, 1 the dominant one."""
    one = genes[0].one
    animal = one in ANIMALS or one.split()[-1] in ("snail", "beetle", "vole", "shrimp", "cricket")
    room = build.room()
    forms = {gene.trait: [gene.dominant, gene.recessive] for gene in genes}
    names = []
    for i, alleles in enumerate(rows):
        more: dict[str, Json] = {"sex": {"f": "female", "m": "male"}[sexes[i]]} if animal else {}
        name = f"{one} {i + 1}"
        build.add(
            name, "creature", room, species=one, forms=forms,
            genes={gene.trait: list(pair) for gene, pair in zip(genes, alleles, strict=True)}, **more,
        )  # fmt: skip
        names.append(name)
    return names


def dominance(build: Build) -> None:
    """Find out which forms are dominant in a species that nobody has studied."""
    count = 1 if build.level < 3 else 2
    genes = _wild(build, count)
    if build.level == 1:
        rows: list[list[list[int]]] = [[[1, 1]], [[0, 0]]]
    elif build.level == 2:  # one of three carries both forms
        rows = [[[1, 0]], [[0, 0]], [[1, 1]]]
    else:  # parents carry both forms: only crosses within a form, or with few that breed true, tell
        rows = [[[1, 0], [1, 0]], [[1, 0], [0, 0]], [[0, 0], [1, 0]], [[1, 0], [1, 0]]]
    order = build.draw.shuffled(range(len(rows)))
    sexes = "".join("fm"[i % 2] for i in range(len(rows)))
    names = _creatures(build, genes, [rows[i] for i in order], sexes)
    for gene in genes:
        build.goals.append(["seen", f"dominance:{gene.trait}"])
    forms = [form for gene in genes for form in (gene.dominant, gene.recessive)]
    build.answer = {"kind": "names", "right": [gene.dominant for gene in genes], "among": build.draw.shuffled(forms)}
    traits = " and ".join(f"{gene.trait} ({' or '.join(sorted((gene.dominant, gene.recessive)))})" for gene in genes)
    what = "forms are" if count > 1 else "form is"
    text = build.draw.pick((
        "Nobody knows yet which {what} dominant in {many}. Find out by crosses, for {traits}, and answer with the "
        "dominant {one}.",
        "Cross {many} to learn which {what} dominant: {traits}. Answer with the dominant {one}.",
        "In {many}, which {what} dominant: {traits}? Let crosses decide, and answer with the dominant {one}.",
    )).format(what=what, many=genes[0].many, traits=traits, one=what.split()[0])  # fmt: skip
    build.say("dominance", text, creatures=names, traits=[gene.trait for gene in genes])


def breeds_true(build: Build) -> None:
    """Find the one of several that breeds true, though all look the same."""
    gene = _species(build, 1)[0]
    count = 3 if build.level < 5 else 4
    wanted = build.draw.below(count)
    rows = [[[1, 1] if i == wanted else [0, 1]] for i in range(count)]
    names = _creatures(build, [gene], [*rows, [[0, 0]]], "m" * count + "f")
    asked, mate = names[:count], names[count]
    pure = ["seen", f"pure:{gene.trait}:{asked[wanted]}"]
    mixed = [["seen", f"mixed:{gene.trait}:{name}"] for i, name in enumerate(asked) if i != wanted]
    build.goals += [["any", pure, *mixed], ["any", pure, ["all", *mixed]]]
    build.answer = {"kind": "names", "right": [asked[wanted]], "among": asked}
    text = build.draw.pick((
        "{count} of the {many} show the dominant form of {trait}, {form}; exactly one of them breeds true (is "
        "homozygous). Find out by crosses which one, and answer with its name.",
        "{count} {many} look alike, with {trait} {form}, the dominant form, but only one is homozygous. Which? Test it "
        "by crossing, and answer with its name.",
        "Exactly one of {count} {many} that show {trait} {form} (dominant) carries no allele for another form. Find it "
        "by crosses; answer with its name.",
    )).format(count=count, many=gene.many, trait=gene.trait, form=gene.dominant)  # fmt: skip
    build.say("breeds_true", text, tests=[[asked[wanted], mate]])


def breed(build: Build) -> None:
    """Breed an individual with recessive forms that no parent shows, or that no parent shows together."""
    place = build.add("display pen", "holder")
    count = 1 if build.level < 3 else 2
    genes = _species(build, count)
    if count == 1:
        rows = [[[0, 1]], [[0, 1]], [[1, 1]]]
        order = build.draw.shuffled((0, 1))
        rows, sexes = [rows[i] for i in order] + rows[2:], "fmm"
    else:
        rows, sexes = [[[1, 1], [0, 0]], [[0, 0], [1, 1]]], build.draw.pick(("fm", "mf"))
    names = _creatures(build, genes, rows, sexes)
    wanted = {gene.trait: gene.recessive for gene in genes}
    said = " and ".join(f"{trait} {form}" for trait, form in wanted.items())
    build.goals.append(["bred", wanted])
    build.goals.append(["shows", wanted, place])
    text = build.draw.pick((
        "Breed a {} with {} and put it into the display pen.",
        "Bring a {} with {} into the display pen; you will have to breed it.",
        "The display pen is to hold a {} with {}. Breed one.",
    )).format(genes[0].one, said)  # fmt: skip
    build.say("breed", text, wanted=wanted, place=place, creatures=names)


def grow(build: Build) -> None:
    """Grow a plant from seed to fruit."""
    level = build.level
    able = [plants()[name] for name in own(plants(), build.split, "plant")]
    if level == 1:
        able = [one for one in able if not one.cold]
    elif level >= 4:
        able = [one for one in able if one.flower <= 75]
    soil = build.draw.pick(sorted({one.soil for one in able}))
    plant = build.draw.pick([one for one in able if one.soil == soil])
    ready = level == 1
    pot = build.add("pot", "pot", soil=plant.soil if ready else None, wet=0, keeps_wet=level < 4, sown=None)
    build.add("window bench", "holder", light=True, top=True)
    build.add("dark shelf", "holder", top=True)
    said = [f"Sow in {plant.soil}." if level < 3 else f"{build.draw.pick(SOILS[plant.soil])}."]
    if plant.cold:
        said.append(f"The seeds must first lie in the cold (1 to 7 °C) for {plant.cold} days.")
    said.append(f"Grows in light only; flowers after {plant.flower} days of growth.")
    by_hand = plant.pollination == "hand"
    said.append("Under glass its flowers must be pollinated by hand." if by_hand else "Pollinates itself.")
    said.append(f"The {plant.bears} are ripe {plant.fruit} days later.")
    if level >= 4:
        said.append(f"A watering lasts {plant.water} days.")
    seeds = build.add(f"{plant.name} seeds", "seed", plant=plant.name, label=" ".join(said), chilled=0)
    build.add("watering can", "can")
    build.add("brush", "brush")
    if not ready:
        for soil in ("loam", "sand", "clay"):
            build.add(f"bag of {soil}", "soil", soil=soil, text=f"A bag of {soil}, more than is needed.")
    if plant.cold:
        build.add("refrigerator", "heater", low=4, high=4, set=4)
    stages = ("seedling", "flower", "fruit")
    build.goals += [["stage", plant.name, stage] for stage in stages]
    wet = " The pot keeps water for as long as it takes once it has been watered." if level < 4 else ""
    frames = (
        "Grow the {} seeds in the pot until the plant bears ripe {}.",
        "Raise {} from seed in the pot until there are ripe {}.",
    )
    text = build.draw.pick(frames).format(plant.name, plant.bears) + wet
    build.say("grow", text, plant=plant.name, pot=pot, seeds=seeds)


def fertilisers(build: Build) -> None:
    """Find out which fertiliser makes young plants grow most a day."""
    count = 3 if build.level < 5 else 4
    plant = build.draw.pick(own(plants(), build.split, "plant"))
    bench = build.add("window bench", "holder", light=True, top=True)
    shelf = build.add("dark shelf", "holder", top=True)
    dark = build.draw.below(count)
    factors = build.draw.sample((0.7, 1.0, 1.4, 1.9), count)
    base = 0.5 + 0.5 * build.draw.unit()
    names, pots = [], []
    for i, factor in enumerate(factors):
        names.append(build.add(f"fertiliser {'ABCD'[i]}", "fertiliser", factor=factor))
        height = build.draw.between(40, 160) / 10
        more = {"soil": "loam", "wet": 0, "rate": base, "height": height, "grown": 0, "fed": None, "read": []}
        pots.append(
            build.add(
                f"pot {i + 1}", "pot", shelf if i == dark else bench, sown=None, keeps_wet=build.level < 5, **more
            )
        )
    build.add("watering can", "can")
    ruler = build.draw.pick(("cm", "in", "mm"))
    build.add("ruler", "ruler", unit=ruler)
    build.goals += [["seen", f"growth:{name}"] for name in names]
    about = f"In the pots grow young plants of {plant}, not equally tall; they grow in moist soil and light. "
    how = f"Give each of the {count} fertilisers to a pot, and measure before and after at least 6 days of growth. "
    asked = build.draw.pick(("most", "least", "rate"))
    if asked == "rate":
        wanted = build.draw.below(count)
        unit = build.draw.pick([one for one in ("mm", "cm", "in") if one != ruler])
        value = convert(base * factors[wanted], "cm", unit) or 1.0
        build.answer = {"kind": "number", "value": value, "unit": unit, "within": 0.1 * value}
        said = f"How many {spelled(unit)} a day does a plant grow with {names[wanted]}? Answer in {spelled(unit)}."
    else:
        pick = max if asked == "most" else min
        best = names[pick(range(count), key=lambda i: factors[i])]
        build.answer = {"kind": "names", "right": [best], "among": names}
        said = f"With which one do they grow {asked} in a day? Answer with the fertiliser."
    build.say("fertilisers", about + how + said, pairs=[list(pair) for pair in zip(pots, names, strict=True)])
