"""Mendelian crosses: genotypes, offspring drawn from them, and what a cross shows about its parents."""

from __future__ import annotations

from itertools import product
from random import Random

from acgym.envs.world.lab.state import Lab, Thing, the

Genes = list[tuple[int, int]]
"""Two alleles for each trait, the smaller one first: 1 is the dominant one."""
OFFSPRING = 32
"""Offspring of one cross."""


def form(creature: Thing, trait: str) -> str:
    """Return the form of a trait that a creature shows: the dominant one if either allele is dominant (1)."""
    dominant, recessive = creature.more["forms"][trait]
    return str(dominant if any(creature.more["genes"][trait]) else recessive)


def phenotype(creature: Thing) -> str:
    """Say what a creature looks like."""
    return ", ".join(f"{trait} {form(creature, trait)}" for trait in creature.more["genes"])


def cross(lab: Lab, one: Thing, other: Thing) -> tuple[str, str | None]:
    """Cross two creatures of a species (or one plant with itself) and say how the offspring look.

    Of each look one is kept (of animals a female and a male). The traits are inherited independently.
    """
    species = one.more["species"]
    if species != other.more["species"]:
        return "Only two of the same species can be crossed.", "wrong_pair"
    if one.more.get("sex") and one.more["sex"] == other.more["sex"]:
        pair = "itself" if one is other else f"{the(other.name)}: both are {one.more['sex']}"
        return f"{the(one.name, True)} cannot be crossed with {pair}.", "wrong_pair"
    lab.crosses += 1
    chance = Random(lab.salt * 7919 + lab.crosses)
    traits = list(one.more["genes"])
    pairs = [(one.more["genes"][trait], other.more["genes"][trait]) for trait in traits]
    born: dict[str, list[Genes]] = {}
    for _ in range(OFFSPRING):
        bits = chance.getrandbits(2 * len(pairs))
        genes = []
        for mine, theirs in pairs:
            first, second = mine[bits & 1], theirs[bits >> 1 & 1]
            genes.append((first, second) if first <= second else (second, first))
            bits >>= 2
        born.setdefault(_look(one, traits, genes), []).append(genes)
    _note(lab, one, other, traits, born)
    said = [f"{len(born[look])} with {look} (kept: {_kept(lab, one, traits, born[look])})" for look in sorted(born)]
    parents = f"{the(one.name)} with {'itself' if one is other else the(other.name)}"
    return f"You cross {parents} and raise {OFFSPRING} offspring: {'; '.join(said)}.", None


def _look(like: Thing, traits: list[str], genes: Genes) -> str:
    forms = like.more["forms"]
    return ", ".join(f"{trait} {forms[trait][0 if pair[1] else 1]}" for trait, pair in zip(traits, genes, strict=True))


def _kept(lab: Lab, like: Thing, traits: list[str], born: list[Genes]) -> str:
    """Keep one of those that look alike, or of animals a female and a male; return their names."""
    names = []
    sexes = ("female", "male") if like.more.get("sex") else ("",)
    for genes, sex in zip(born, sexes, strict=False):
        species = like.more["species"]
        number = 1 + sum(one.kind == "creature" and one.more["species"] == species for one in lab.things.values())
        more = {**like.more, "genes": {trait: list(pair) for trait, pair in zip(traits, genes, strict=True)}}
        if sex:
            more["sex"] = sex
        child = Thing(f"{species} {number}", "creature", lab.here, more)
        lab.add(child)
        names.append(f"{child.name} ({sex})" if sex else child.name)
    return " and ".join(names)


def _note(lab: Lab, one: Thing, other: Thing, traits: list[str], born: dict[str, list[Genes]]) -> None:
    """Note what the cross shows: which form is dominant, who breeds true and who does not."""
    children = [genes for row in born.values() for genes in row]
    for i, trait in enumerate(traits):
        dominant, recessive = one.more["forms"][trait]
        mine, theirs = form(one, trait), form(other, trait)
        forms = {dominant if genes[i][1] else recessive for genes in children}
        if (mine != theirs and len(forms) == 1) or (mine == theirs and len(forms) == 2):
            lab.observe(f"dominance:{trait}")
        for parent, mate in ((one, other), (other, one)):
            if form(parent, trait) != dominant:
                continue
            if recessive in forms:
                lab.observe(f"mixed:{trait}:{parent.name}")
            elif form(mate, trait) == recessive or parent is mate:
                lab.observe(f"pure:{trait}:{parent.name}")


def shares(genes: list[int], others: list[int]) -> dict[tuple[int, int], float]:
    """Return the expected share of each genotype among the offspring of two genotypes (a Punnett square)."""
    found: dict[tuple[int, int], float] = {}
    for a, b in product(genes, others):
        key = (min(a, b), max(a, b))
        found[key] = found.get(key, 0.0) + 0.25
    return found
