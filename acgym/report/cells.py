"""Tables as plain text cells: what terminal and page show, each in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

DASH = "-"
"""Stands where nothing was measured."""
Tone: TypeAlias = Literal["", "loss", "gain"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; ``tone`` says whether it is a significant loss or gain."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """One table; what a row is of, such as an agent, comes first."""

    title: str
    heads: tuple[str, ...]
    """May hold line ends, where a narrow column breaks them."""
    rows: tuple[tuple[Cell, ...], ...]
    fold: int | None = None
    """Index of the column where a table that is too wide may be cut in two; None for never."""
    note: str = ""
    """Goes under the table."""
