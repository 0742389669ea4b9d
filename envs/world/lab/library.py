"""Reads what the laboratory knows: substances with their constants, organisms, plants, solutions, materials."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from acgym.envs.names import in_split
from acgym.types import Split

FOLDER = Path(__file__).resolve().parent / "library"


class Substance(NamedTuple):
    """A pure substance; temperatures in degrees Celsius at normal pressure, None for what it does not have."""

    name: str
    sort: str
    """``metal``, ``solid`` (melts in a water bath or on a hot plate) or ``liquid``."""
    melts: float
    boils: float | None
    density: float | None
    """g/cm3 at 20 degrees."""
    warm_solid: float
    """Heat capacity of the solid, J/(g K)."""
    fusion: float
    """Heat of fusion, J/g."""
    warm_liquid: float
    """Heat capacity of the liquid, J/(g K)."""
    vaporisation: float | None
    """Heat of vaporisation, J/g."""
    look: str


class Crossed(NamedTuple):
    """A single gene with two forms."""

    one: str
    many: str
    trait: str
    dominant: str
    recessive: str


class Plant(NamedTuple):
    """What a plant needs from seed to fruit; times in days."""

    name: str
    soil: str
    water: int
    cold: int
    flower: int
    pollination: str
    fruit: int
    bears: str


class Solute(NamedTuple):
    """A soluble solid; molar mass in g/mol."""

    name: str
    formula: str
    molar: float
    stable: bool
    """Whether it can be dried on a hot plate and stays what it is."""


class Acid(NamedTuple):
    """A strong acid or, with negative equivalents, a strong base; molar mass in g/mol."""

    name: str
    formula: str
    molar: float
    equivalents: int


@cache
def substances() -> dict[str, Substance]:
    """Return all pure substances by name."""
    found = {}
    for name, sort, *numbers, look in rows("substances"):
        melts, boils, density, warm_solid, fusion, warm_liquid, vaporisation = map(_number, numbers)
        if melts is None or not (warm_solid and fusion and warm_liquid):
            raise ValueError(
                f"substances.txt: {name!r} needs a melting point, two heat capacities and a heat of fusion"
            )
        found[name] = Substance(name, sort, melts, boils, density, warm_solid, fusion, warm_liquid, vaporisation, look)
    return found


@cache
def organisms() -> tuple[Crossed, ...]:
    """Return textbook genes of real organisms."""
    found = []
    for row in rows("organisms"):
        one, many = row[0].split(", ")
        found.append(Crossed(one, many, *row[1:]))
    return tuple(found)


@cache
def wild() -> tuple[tuple[str, str], ...]:
    """Return invented species, singular and plural: nobody knows which of their forms are dominant."""
    return tuple((row[0].split(", ")[0], row[0].split(", ")[1]) for row in rows("wild"))


@cache
def wild_traits() -> tuple[tuple[str, str, str, str], ...]:
    """Return traits of invented species: name, ``plant`` or ``animal``, two forms."""
    return tuple((row[0], row[1], row[2], row[3]) for row in rows("wild_traits"))


@cache
def plants() -> dict[str, Plant]:
    """Return plants by name."""
    found = {}
    for name, soil, water, cold, flower, pollination, fruit, bears in rows("plants"):
        found[name] = Plant(name, soil, int(water), int(cold), int(flower), pollination, int(fruit), bears)
    return found


@cache
def solutes() -> dict[str, Solute]:
    """Return soluble solids by name."""
    return {
        name: Solute(name, formula, float(molar), stable == "1") for name, formula, molar, stable in rows("solutes")
    }


@cache
def acids() -> dict[str, Acid]:
    """Return strong acids and bases by name."""
    return {
        name: Acid(name, formula, float(molar), int(equivalents)) for name, formula, molar, equivalents in rows("acids")
    }


@cache
def grains() -> dict[str, bool]:
    """Return insoluble grains, and whether a magnet draws them."""
    return {name: magnetic == "1" for name, magnetic in rows("grains")}


@cache
def rods() -> dict[str, bool]:
    """Return materials, and whether they conduct."""
    return {name: conducts == "1" for name, conducts in rows("rods")}


@cache
def paints() -> dict[str, dict[str, int]]:
    """Return colours that are mixed, with the parts of each paint."""
    return {
        name: {part.split()[0]: int(part.split()[1]) for part in parts.split(", ")} for name, parts in rows("paints")
    }


def own(items: Iterable[str], split: Split, key: str) -> list[str]:
    """Return the items that belong to a split; ``key`` names the pool."""
    return [item for item in items if in_split(f"{key} {item}", split)]


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a table of the library."""
    lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return tuple(tuple(line.split("|")) for line in lines if line and not line.startswith("#"))


def _number(text: str) -> float | None:
    return None if text == "-" else float(text)
