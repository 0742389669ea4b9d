"""People of the long-context environments: full names, many of them near one another, split by their combination."""

from __future__ import annotations

from functools import cache

from acgym.draw import Draw
from acgym.envs.names import in_split, words
from acgym.types import Split

_FIRST = words(
    "Marla Marna Marlo Marta Tilda Tilde Tilo Timo Orin Orla Oren Olin Petra Peter Petro Pavel Jonas Jonna "
    "Joris Jorun Selma Salma Selim Silma Anton Antje Anja Anya Karin Karen Karim Katrin Bruno Berno Birna "
    "Borna Lena Lene Leon Leona Milan Milena Mirela Mirko Nora Norma Noel Nola Viktor Vera Verena Viola Hanna "
    "Hanne Hanno Henna"
)
_LAST = words(
    "Tegg Tigg Tegge Tagg Lorn Lorne Lorm Larn Brook Brock Brooke Broke Hale Hall Halle Haile Moss Voss Foss "
    "Ross Winter Winder Wintle Vinter Keller Kellar Heller Teller Sand Sands Sander Sanda Dorn Dorner Dohrn "
    "Dern Field Fielder Fyfield Fields Marsh March Mersh Morsh Stone Stowe Stonor Storr Reed Reid Read Reede "
    "Lund Lunde Lind Linde"
)


@cache
def people(split: Split) -> tuple[str, ...]:
    """All full names of a split; about a quarter of 3,136 are for evaluation, and none is in both."""
    return tuple(f"{first} {last}" for first in _FIRST for last in _LAST if in_split(f"person {first} {last}", split))


@cache
def _sharing(split: Split) -> dict[str, tuple[str, ...]]:
    """Word of a name -> the full names that have it."""
    found: dict[str, list[str]] = {}
    for name in people(split):
        for word in name.split():
            found.setdefault(word, []).append(name)
    return {word: tuple(names) for word, names in found.items()}


def near_people(draw: Draw, split: Split, count: int) -> list[str]:
    """Draw distinct full names, most of them with a namesake among the others: easy to confuse."""
    pool, sharing = people(split), _sharing(split)
    found: dict[str, None] = {}
    while len(found) < count:
        name = draw.pick(pool)
        found[name] = None
        if len(found) < count:
            near = sharing[name.split()[draw.below(2)]]
            found[draw.pick(near)] = None
    return draw.shuffled(list(found))


def ordinal(day: int) -> str:
    """Write a number below 100 as ``1st``, ``12th``, ``23rd``."""
    return f"{day}{'th' if 4 <= day <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"
