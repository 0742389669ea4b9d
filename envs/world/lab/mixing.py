"""Vessels: pouring, filtering, drying, pH of strong acids and bases; mass goes from one to another or into the air."""

from __future__ import annotations

import math

from acgym.envs.world.lab.amounts import SHARE
from acgym.envs.world.lab.library import Acid, acids, grains
from acgym.envs.world.lab.state import Lab, Thing, the

LEFT_WET = 2.0
"""Grams of water that stay in what a filter holds back."""
BOILS = 100.0
"""Water leaves a vessel on a device that is hotter than this."""
DRIES = 0.05
"""Grams of water that leave a vessel per minute and degree above ``BOILS``."""
_TRACE = 1e-6
_LEAST = 0.0005
"""Grams below which an amount is not poured by number; it would be written as 0."""
_SCALES = {"kg": 1000.0, "l": 1000.0, "mg": 0.001, "oz": 28.349523125, "lb": 453.59237}


def grams(vessel: Thing) -> float:
    """Return the mass of what is in a vessel."""
    return float(sum(vessel.more["contents"].values()))


def has_liquid(vessel: Thing) -> bool:
    """Say whether there is water in a vessel; only then what is in it is measured in millilitres."""
    return bool(vessel.more["contents"].get("water", 0.0) > _TRACE or vessel.more.get("paint", False))


def pour(lab: Lab, source: Thing, goal: Thing, number: float | None, unit: str) -> tuple[str, str | None]:
    """Pour an amount (all of it without a number); 1 ml of a solution or paint weighs 1 g here."""
    held = grams(source)
    if held <= _TRACE:
        return f"{the(source.name, True)} is empty.", "empty"
    if source is goal:
        return "Pour into another vessel.", "wrong_thing"
    if number is not None and number <= 0:
        return "Pour an amount above zero.", "wrong_amount"
    if unit in ("ml", "l") and not has_liquid(source):
        return f"What is in {the(source.name)} is dry: say how many grams.", "wrong_unit"
    scale = held if unit == SHARE else _SCALES.get(unit, 1.0)
    amount = held if number is None else number * scale
    if amount > held * (1 + 1e-9):
        return f"There is less than that in {the(source.name)}: {said(held)} g.", "wrong_amount"
    if number is not None and amount < _LEAST:
        return "That is too little to pour: say at least 1 mg.", "wrong_amount"
    part = min(1.0, amount / held)
    for name, mass in list(source.more["contents"].items()):
        moved = mass * part
        goal.more["contents"][name] = goal.more["contents"].get(name, 0.0) + moved
        source.more["contents"][name] = mass - moved
    if source.more.get("paint"):
        goal.more["paint"] = True
    _clear(source)
    figure = said(amount) if amount >= _LEAST else "less than 0.001"
    shown = f"{figure} {'ml' if has_liquid(goal) and unit in ('ml', 'l') else 'g'}"
    return f"You pour {shown} from {the(source.name)} into {the(goal.name)}.", None


def filtered(lab: Lab, source: Thing, goal: Thing) -> tuple[str, str | None]:
    """Pour a vessel through a filter into another one, and put what is held back into the first again."""
    if lab.instrument("funnel") is None:
        return "There is no filter funnel at hand.", "not_here"
    water = source.more["contents"].get("water", 0.0)
    if source is goal:
        return "Filter into another vessel.", "wrong_thing"
    if water <= LEFT_WET:
        return f"There is no liquid in {the(source.name)} that could run through a filter.", "wrong_order"
    stays = any(name in grains() for name in source.more["contents"])
    part = 1.0 - (LEFT_WET / water if stays else 0.0)
    for name, mass in list(source.more["contents"].items()):
        if name in grains():
            continue
        goal.more["contents"][name] = goal.more["contents"].get(name, 0.0) + mass * part
        source.more["contents"][name] = mass * (1.0 - part)
    _clear(source)
    back = f" What the filter holds back is in {the(source.name)} again, wet." if stays else " It holds nothing back."
    return f"You pour {the(source.name)} through the filter into {the(goal.name)}.{back}", None


def attract(lab: Lab, magnet: Thing, source: Thing) -> tuple[str, str | None]:
    """Draw what a magnet draws out of a vessel; it stays on the magnet."""
    drawn = [name for name in source.more["contents"] if grains().get(name)]
    if not drawn:
        return "Nothing sticks to the magnet.", None
    if source.more["contents"].get("water", 0.0) > _TRACE:
        return "The grains are wet and stick together; use the magnet on dry ones.", "wrong_order"
    for name in drawn:
        mass = source.more["contents"].pop(name)
        magnet.more["contents"][name] = magnet.more["contents"].get(name, 0.0) + mass
    return f"Now on {the(magnet.name)}: {' and '.join(drawn)}. Pour from it into a vessel.", None


def dry(lab: Lab, vessel: Thing, degrees: float, minutes: float) -> None:
    """Let water leave a vessel on a hot device."""
    water = vessel.more["contents"].get("water", 0.0)
    gone = min(water, max(0.0, degrees - BOILS) * DRIES * minutes)
    if gone > 0:
        vessel.more["contents"]["water"] = water - gone
        lab.air["water"] = lab.air.get("water", 0.0) + gone
        _clear(vessel)


def acidity(vessel: Thing) -> float | None:
    """Return the pH of a vessel's water at 25 degrees; None without water.

    Strong acids and bases are taken to be split up whole, sulfuric acid in both steps: c = |sum of n * equivalents| / V
    and pH = -log10(c) or 14 + log10(c), from the charge balance [H+] - Kw / [H+] = c.
    """
    water = vessel.more["contents"].get("water", 0.0)
    if water <= _TRACE:
        return None
    excess, mass = 0.0, 0.0
    for name, amount in vessel.more["contents"].items():
        mass += amount
        one: Acid | None = acids().get(name)
        if one is not None:
            excess += amount / one.molar * one.equivalents
    net = excess / (mass / 1000.0)
    hydrogen = (
        net / 2 + math.sqrt(net * net / 4 + 1e-14)
        if net >= 0
        else 1e-14 / (-net / 2 + math.sqrt(net * net / 4 + 1e-14))
    )
    return -math.log10(hydrogen)


def look(vessel: Thing) -> str:
    """Say what can be seen in a vessel: how much, and grains; what is dissolved does not show."""
    held = vessel.more["contents"]
    mass = grams(vessel)
    label = f' Its label says "{vessel.more["label"]}".' if vessel.more.get("label") else ""
    if mass <= _TRACE:
        return f"{the(vessel.name, True)} is empty.{label}"
    if vessel.more.get("paint"):
        return f"In {the(vessel.name)} there are {said(mass)} ml of paint.{label}"
    loose = [name for name in held if name in grains()]
    if has_liquid(vessel):
        below = f", with {' and '.join(loose)} in it" if loose else ""
        return f"In {the(vessel.name)} there are {said(mass)} g of a watery liquid{below}.{label}"
    dry_ones = " and ".join(name for name in held)
    return f"In {the(vessel.name)} there are {said(mass)} g of dry {dry_ones}.{label}"


def said(number: float) -> str:
    """Write an amount: at most three decimals."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


def _clear(vessel: Thing) -> None:
    for name, mass in list(vessel.more["contents"].items()):
        if mass < 1e-9:
            del vessel.more["contents"][name]
