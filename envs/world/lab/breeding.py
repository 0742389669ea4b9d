"""Mendelian crosses: genotypes, offspring drawn from them, and what a cross shows about its parents."""

from __future__ import annotations

from itertools import product
from random import Random

from acgym.envs.world.lab.state import Lab, Thing, the

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
        return (
            f"{the(one.name, True)} cannot be crossed with {'itself' if one is other else f'{the(other.name)}: both are '}"
            f"{'' if one is other else one.more['sex']}."
        ), "wrong_pair"
    lab.crosses += 1
    chance = Random(lab.salt * 7919 + lab.crosses)
    born: dict[str, list[Thing]] = {}
    for _ in range(OFFSPRING):
        genes = {
            trait: sorted((chance.choice(one.more["genes"][trait]), chance.choice(other.more["genes"][trait])))
            for trait in one.more["genes"]
        }
        child = Thing("", "creature", lab.here, {**one.more, "genes": genes})
        born.setdefault(phenotype(child), []).append(child)
    _note(lab, one, other, born)
    said = []
    for look in sorted(born):
        kept = born[look][: 2 if one.more.get("sex") else 1]
        for child, sex in zip(kept, ("female", "male"), strict=False):
            child.name = f"{species} {1 + sum(t.kind == 'creature' and t.more['species'] == species for t in lab.things.values())}"
            if one.more.get("sex"):
                child.more["sex"] = sex
            lab.add(child)
        names = " and ".join(child.name + (f" ({child.more['sex']})" if child.more.get("sex") else "") for child in kept)
        said.append(f"{len(born[look])} with {look} (kept: {names})")
    parents = f"{the(one.name)} with itself" if one is other else f"{the(one.name)} with {the(other.name)}"
    return f"You cross {parents} and raise {OFFSPRING} offspring: {'; '.join(said)}.", None


def _note(lab: Lab, one: Thing, other: Thing, born: dict[str, list[Thing]]) -> None:
    """Note what the cross shows: which form is dominant, who breeds true and who does not."""
    children = [child for row in born.values() for child in row]
    for trait in one.more["genes"]:
        mine, theirs = form(one, trait), form(other, trait)
        forms = {form(child, trait) for child in children}
        if (mine != theirs and len(forms) == 1) or (mine == theirs and len(forms) == 2):
            lab.observe(f"dominance:{trait}")
        for parent, mate in ((one, other), (other, one)):
            dominant, recessive = parent.more["forms"][trait]
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
