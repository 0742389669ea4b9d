"""Plants in pots: from seed to fruit with soil, water, light, cold and pollination; young plants to measure."""

from __future__ import annotations

from acgym.envs.world.lab.library import Plant, plants
from acgym.envs.world.lab.state import Lab, Thing, the

SEEDLING = 7
"""Days of growth from seed to seedling."""
DAY = 1440.0
"""Minutes of a day."""
COLD = 8.0
"""Seeds are chilled below this temperature, degrees Celsius."""
FROST = -10.0
"""Below this a seed is kept, and not chilled for growing."""


def plant_in(pot: Thing) -> Plant:
    """Return what is sown in a pot."""
    return plants()[pot.more["sown"]]


def stage(pot: Thing) -> str:
    """Name the stage of what grows in a pot: ``empty``, ``seed``, ``seedling``, ``plant``, ``flower``, ``fruit``."""
    if not pot.more.get("sown"):
        return "empty"
    plant, age = plant_in(pot), pot.more["age"]
    if pot.more["ripening"] >= plant.fruit:
        return "fruit"
    if age >= plant.flower:
        return "flower"
    if age >= plant.flower / 2:
        return "plant"
    return "seedling" if age >= SEEDLING else "seed"


def in_light(lab: Lab, pot: Thing) -> bool:
    """Say whether a pot stands in light."""
    place = lab.things.get(pot.at)
    return place is not None and bool(place.more.get("light"))


def lacks(lab: Lab, pot: Thing) -> str | None:
    """Say what keeps a plant from growing; None if it grows."""
    plant = plant_in(pot)
    if pot.more["soil"] != plant.soil:
        return f"it does not grow in {pot.more['soil']}"
    if pot.more["chilled"] < plant.cold:
        return "its seed has had too little cold"
    if pot.more["wet"] < 1:
        return "the soil is dry"
    return None if in_light(lab, pot) else "it has no light"


def pass_days(lab: Lab, days: int) -> None:
    """Let whole days pass for seeds and pots."""
    for thing in lab.things.values():
        if thing.kind == "seed":
            place = lab.things.get(thing.at)
            if place is not None and place.kind == "heater" and FROST < place.more["set"] < COLD:
                thing.more["chilled"] += days
        elif thing.kind == "pot":
            _pot_days(lab, thing, days)


def _pot_days(lab: Lab, pot: Thing, days: int) -> None:
    """Let a plant grow on the days on which its soil is moist, if it lacks nothing else."""
    more = pot.more
    growing = days if more.get("keeps_wet") and more["wet"] >= 1 else min(days, more["wet"])
    if more.get("sown"):
        if growing and lacks(lab, pot) is None:
            plant = plant_in(pot)
            if plant.pollination == "self" or more["pollinated"]:
                more["ripening"] += max(0, growing - max(0, plant.flower - more["age"]))
            more["age"] += growing
    elif more.get("rate") is not None and growing and in_light(lab, pot):
        more["height"] += more["rate"] * _factor(lab, pot) * growing
        more["grown"] += growing
    if not more.get("keeps_wet"):
        more["wet"] = max(0, more["wet"] - days)


def _factor(lab: Lab, pot: Thing) -> float:
    given = lab.things.get(pot.more.get("fed") or "")
    return 1.0 if given is None else float(given.more["factor"])


def wet_for(pot: Thing) -> int:
    """Return how many days one watering lasts."""
    return plant_in(pot).water if pot.more.get("sown") else 14


def water(lab: Lab, pot: Thing) -> tuple[str, str | None]:
    """Water a pot from a can that is at hand."""
    if lab.instrument("can") is None:
        return "There is no watering can at hand.", "not_here"
    if not pot.more.get("soil"):
        return f"There is no soil in {the(pot.name)}; the water runs out.", "wrong_order"
    pot.more["wet"] = wet_for(pot)
    return f"You water {the(pot.name)}.", None


def sow(lab: Lab, seed: Thing, pot: Thing) -> tuple[str, str | None]:
    """Sow seeds in a pot; what is in the bag is sown at once."""
    if pot.more.get("sown") or pot.more.get("rate") is not None:
        return f"Something grows in {the(pot.name)} already.", "already"
    if not pot.more.get("soil"):
        return f"There is no soil in {the(pot.name)}.", "wrong_order"
    pot.more.update(sown=seed.more["plant"], age=0, ripening=0, pollinated=False, chilled=seed.more["chilled"])
    seed.at, seed.kind = pot.name, "sown seed"
    return f"You sow {the(seed.name)} in {the(pot.name)}.", None


def soil(pot: Thing, bag: Thing) -> tuple[str, str | None]:
    """Fill a pot with soil from a bag, which is never used up; what grows in it stays."""
    if pot.more.get("sown") or pot.more.get("rate") is not None:
        return f"Something grows in {the(pot.name)}; its soil cannot be changed.", "wrong_order"
    pot.more["soil"], pot.more["wet"] = bag.more["soil"], 0
    return f"You fill {the(pot.name)} with {bag.more['soil']}.", None


def pollinate(lab: Lab, pot: Thing) -> tuple[str, str | None]:
    """Pollinate by hand with a brush that is at hand."""
    if lab.instrument("brush") is None:
        return "There is no brush at hand.", "not_here"
    if stage(pot) != "flower":
        return f"There is no open flower in {the(pot.name)}.", "wrong_order"
    pot.more["pollinated"] = True
    lab.observe(f"pollinated:{pot.name}")
    return f"You brush pollen from flower to flower in {the(pot.name)}.", None


def feed(lab: Lab, pot: Thing, fertiliser: Thing) -> tuple[str, str | None]:
    """Give a young plant a fertiliser, once."""
    if pot.more.get("rate") is None:
        return f"There is no young plant in {the(pot.name)} to feed.", "wrong_thing"
    if pot.more.get("fed"):
        return f"{the(pot.name, True)} has had the {pot.more['fed']} already.", "already"
    pot.more["fed"], pot.more["fed_at"] = fertiliser.name, pot.more["grown"]
    return f"You give {the(pot.name)} some {fertiliser.name}.", None


def measured(lab: Lab, pot: Thing) -> None:
    """Note that a height was read: two readings after feeding, five days of growth apart, show how fast it grows."""
    pot.more["read"].append(pot.more["grown"])
    if pot.more["fed"]:
        since = [grown for grown in pot.more["read"] if grown >= pot.more["fed_at"]]
        if since and since[-1] - since[0] >= 5:
            lab.observe(f"growth:{pot.more['fed']}")


def look(lab: Lab, pot: Thing) -> str:
    """Say how a pot and what grows in it look."""
    held = pot.more.get("soil")
    if not held:
        return f"{the(pot.name, True)} is empty."
    damp = "moist" if pot.more["wet"] >= 1 else "dry"
    if pot.more.get("rate") is not None:
        fed = f" It has had {pot.more['fed']}." if pot.more["fed"] else ""
        return f"In {the(pot.name)} a young plant grows in {damp} soil.{fed}"
    if not pot.more.get("sown"):
        return f"{the(pot.name, True)} holds {damp} {held}."
    plant, now = plant_in(pot), stage(pot)
    words = {
        "seed": "nothing shows yet",
        "seedling": "there is a seedling",
        "plant": "there is a leafy plant",
        "flower": "the plant is in flower",
        "fruit": f"the plant bears ripe {plant.bears}",
    }
    if now == "flower" and pot.more["ripening"]:
        words["flower"] = f"the {plant.bears} are growing, not ripe yet"
    lab.observe(f"stage:{pot.name}:{now}")
    why = lacks(lab, pot) if now != "fruit" else None
    stays = f" It does not grow now: {why}." if why else ""
    return f"In {the(pot.name)} ({damp} {held}, {plant.name}) {words[now]}.{stays}"
