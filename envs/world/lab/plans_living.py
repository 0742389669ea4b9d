"""Plans for tasks with living things: crosses, and plants from seed to fruit. Each returns the next step, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations_with_replacement

from acgym.envs.world.lab import growing
from acgym.envs.world.lab.breeding import form, shares
from acgym.envs.world.lab.carrying import bring, put
from acgym.envs.world.lab.library import plants
from acgym.envs.world.lab.state import Lab, Thing
from acgym.types import Json

Plan = Mapping[str, Json]
MOST_DAYS = 60
"""Longest wait, days."""


def _pairs(lab: Lab, species: str) -> list[tuple[Thing, Thing]]:
    """Return all pairs that can be crossed."""
    creatures = [one for one in lab.of_kind("creature") if one.more["species"] == species]
    pairs = combinations_with_replacement(creatures, 2)
    return [(a, b) for a, b in pairs if not a.more.get("sex") or a.more["sex"] != b.more["sex"]]


def _cross(lab: Lab, one: str, other: str) -> str:
    """Return the next step to a cross, in the room of the first one."""
    step = bring(lab, [one, other], lab.room_of(one))
    return step or (f"cross {one} with itself" if one == other else f"cross {one} with {other}")


def dominance(lab: Lab, plan: Plan) -> str | None:
    """Cross the pair that is likely to show most of what is not known yet."""
    species = lab.things[plan["creatures"][0]].more["species"]
    unknown = [trait for trait in plan["traits"] if f"dominance:{trait}" not in lab.seen]
    if not unknown:
        return None

    def tells(pair: tuple[Thing, Thing]) -> float:
        return sum(_tells(pair[0], pair[1], trait) for trait in unknown)

    one, other = max(_pairs(lab, species), key=tells)
    if not tells((one, other)):
        one, other = max(_pairs(lab, species), key=lambda pair: pair[0] is not pair[1])
    return _cross(lab, one.name, other.name)


def _tells(one: Thing, other: Thing, trait: str) -> bool:
    """Say whether a cross is likely to show which form is dominant."""
    mine, theirs = one.more["genes"][trait], other.more["genes"][trait]
    if form(one, trait) == form(other, trait):
        return bool(sum(mine) == sum(theirs) == 1)
    return bool(sum(mine) == 2 or sum(theirs) == 2)


def breeds_true(lab: Lab, plan: Plan) -> str | None:
    """Make the test cross."""
    for name, mate in plan["tests"]:
        trait = next(iter(lab.things[name].more["genes"]))
        if f"pure:{trait}:{name}" not in lab.seen:
            return _cross(lab, name, mate)
    return None


def breed(lab: Lab, plan: Plan) -> str | None:
    """Show what is wanted if there is one, else make the cross that is most likely to bring it, now or next."""
    species = lab.things[plan["creatures"][0]].more["species"]
    creatures = [one for one in lab.of_kind("creature") if one.more["species"] == species]
    for one in creatures:
        if all(form(one, trait) == wanted for trait, wanted in plan["wanted"].items()):
            return put(lab, one.name, plan["place"])
    one, other = max(_pairs(lab, species), key=_chances)
    return _cross(lab, one.name, other.name)


def _chances(pair: tuple[Thing, Thing]) -> tuple[float, float]:
    """Return the chance of offspring recessive in all, and of offspring that carry all recessive alleles."""
    all_shown = all_carried = 1.0
    for trait, genes in pair[0].more["genes"].items():
        expected = shares(genes, pair[1].more["genes"][trait])
        all_shown *= expected.get((0, 0), 0.0)
        all_carried *= sum(share for (low, _), share in expected.items() if low == 0)
    return all_shown, all_carried


def grow(lab: Lab, plan: Plan) -> str | None:
    """Chill, fill, sow, put into light, water, wait, pollinate, wait."""
    plant, pot, seeds = plants()[plan["plant"]], lab.things[plan["pot"]], lab.things[plan["seeds"]]
    if growing.stage(pot) == "fruit":
        return None
    if not pot.more["sown"]:
        if seeds.more["chilled"] < plant.cold:
            return put(lab, seeds.name, "refrigerator") or f"wait {plant.cold - seeds.more['chilled']} days"
        together = [seeds.name, pot.name, "watering can", *(["brush"] if plant.pollination == "hand" else [])]
        if pot.more["soil"] != plant.soil:
            together.append(f"bag of {plant.soil}")
        step = bring(lab, together, lab.room_of("window bench"))
        if step is not None:
            return step
        return (
            f"sow {seeds.name} in {pot.name}"
            if pot.more["soil"] == plant.soil
            else f"put bag of {plant.soil} in {pot.name}"
        )
    step = put(lab, pot.name, "window bench", ["watering can", *(["brush"] if plant.pollination == "hand" else [])])
    if step is not None:
        return step
    if pot.more["wet"] < 1:
        return f"water {pot.name}"
    if growing.stage(pot) == "flower" and plant.pollination == "hand" and not pot.more["pollinated"]:
        return f"pollinate {pot.name} with brush"
    age = pot.more["age"]
    days = plant.flower - age if age < plant.flower else plant.fruit - pot.more["ripening"]
    if age < plant.flower and plant.pollination == "self":
        days += plant.fruit
    most = MOST_DAYS if pot.more.get("keeps_wet") else min(MOST_DAYS, pot.more["wet"])
    return f"wait {min(days, most)} days"


def fertilisers(lab: Lab, plan: Plan) -> str | None:
    """Feed and water each pot, measure, wait, measure again."""
    pairs: Sequence[Sequence[str]] = plan["pairs"]
    if all(f"growth:{fertiliser}" in lab.seen for _, fertiliser in pairs):
        return None
    room = lab.room_of("window bench")
    fed = {lab.things[pot].more["fed"] for pot, _ in pairs}
    needed = [fertiliser for _, fertiliser in pairs if fertiliser not in fed]
    step = bring(lab, ["watering can", "ruler", *needed, *(pot for pot, _ in pairs)], room)
    if step is not None:
        return step
    for pot, _ in pairs:
        if not lab.things[pot].more["fed"]:
            return f"use {needed[0]} on {pot}"
    for pot, _ in pairs:
        thing = lab.things[pot]
        if thing.at != "window bench":
            return f"put {pot} on window bench"
        if thing.more["wet"] < 6:
            return f"water {pot}"
    for pot, _ in pairs:
        thing = lab.things[pot]
        since = [grown for grown in thing.more["read"] if grown >= thing.more["fed_at"]]
        known = f"growth:{thing.more['fed']}" in lab.seen
        if not since or (thing.more["grown"] - since[0] >= 5 and not known):
            return f"use ruler on {pot}"
    return "wait 6 days"


PLANS: dict[str, Callable[[Lab, Plan], str | None]] = {
    "dominance": dominance,
    "breeds_true": breeds_true,
    "breed": breed,
    "grow": grow,
    "fertilisers": fertilisers,
}
