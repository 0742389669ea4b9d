"""The settings of the library: rooms, people and things by the part that they can play in a puzzle."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from acgym.types import Split

FOLDER = Path(__file__).resolve().parent / "library"
NAMES: dict[Split, tuple[str, ...]] = {
    "eval": ("lighthouse", "theatre", "mine", "monastery", "icebreaker"),
    "train": ("observatory", "museum", "greenhouse", "station", "watermill"),
}
"""Settings of each split; none is in both."""


class Setting(NamedTuple):
    """One place to play in."""

    title: str
    intro: str
    rows: dict[str, tuple[tuple[str, ...], ...]]
    """Part, such as ``room``, ``key`` or ``person`` -> its rows: a name, then the texts that the part has."""


@cache
def setting(name: str) -> Setting:
    """Read a setting; each line of its file is a part and, between bars, its fields."""
    rows: dict[str, list[tuple[str, ...]]] = {}
    for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
        part, _, rest = line.partition(" ")
        if rest and not line.startswith("#"):
            rows.setdefault(part, []).append(tuple(field.strip() for field in rest.split("|")))
    title, intro = rows.pop("title")[0]
    return Setting(title, intro, {part: tuple(found) for part, found in rows.items()})
