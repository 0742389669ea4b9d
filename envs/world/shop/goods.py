"""What the shop sells: categories with kinds, attributes, traits and options, read from the library."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from acgym.types import Split

FILE = Path(__file__).resolve().parent / "library" / "goods.txt"
_NO_ARTICLE = frozenset(
    (
        "green tea", "filter coffee", "dried fruit", "granola", "nut butter", "dish soap", "sunscreen",
        "laundry detergent", "floor cleaner",
    )
)  # fmt: skip


class Value(NamedTuple):
    """One value of an attribute."""

    name: str
    """As titles and lists of features say it."""
    sentence: str
    """As descriptions say it."""
    need: str
    """What somebody wants who needs it, in other words: "keep mites away" """


class Trait(NamedTuple):
    """What only those know who have used a product."""

    name: str
    praise: str
    complaint: str


class Option(NamedTuple):
    """A choice to make before buying."""

    name: str
    phrase: str
    """``"in size {}"``"""
    values: tuple[str, ...]

    def say(self, value: str) -> tuple[str, str]:
        """Return the words before and behind a value."""
        before, _, behind = self.phrase.partition("{}")
        return before, behind


class Category(NamedTuple):
    """A department of the shop."""

    name: str
    low: int
    high: int
    """Prices, in dollars."""
    kinds: tuple[str, ...]
    options: tuple[Option, ...]
    """Two."""
    attributes: tuple[tuple[str, tuple[Value, ...]], ...]
    """Three, each a name and four values that exclude one another."""
    traits: tuple[Trait, ...]
    """Three."""


class Kind(NamedTuple):
    """A kind of product."""

    name: str
    category: Category
    split: Split


@cache
def categories() -> tuple[Category, ...]:
    """Read the library."""
    return tuple(_category(block) for block in FILE.read_text("utf-8").split("= ")[1:])


@cache
def kinds() -> tuple[Kind, ...]:
    """Return all kinds; two of each category are asked for in either split."""
    return tuple(
        Kind(name, category, "eval" if (row + place) % 2 else "train")
        for row, category in enumerate(categories())
        for place, name in enumerate(category.kinds)
    )


def article(kind: str) -> str:
    """Return "a ", "an " or nothing, as it stands before a kind."""
    if kind in _NO_ARTICLE or (kind.endswith("s") and not kind.endswith("ss")):
        return ""
    return "an " if kind[0] in "aeio" else "a "


def _category(block: str) -> Category:
    title, *lines = block.strip().splitlines()
    name, _, prices = title.partition(" | ")
    low, high = prices.split()
    options: list[Option] = []
    traits: list[Trait] = []
    attributes: dict[str, list[Value]] = {}
    names: tuple[str, ...] = ()
    for line in lines:
        first, *rest = line.split(" | ")
        word, _, said = first.partition(" ")
        if not rest:
            names = tuple(first.removeprefix("kinds ").split("; "))
        elif word == "option":
            options.append(Option(said, rest[0], tuple(rest[1].split(", "))))
        elif word == "trait":
            traits.append(Trait(*rest))
        else:
            attributes.setdefault(first, []).append(Value(*rest))
    return Category(
        name,
        int(low),
        int(high),
        names,
        tuple(options),
        tuple((key, tuple(values)) for key, values in attributes.items()),
        tuple(traits),
    )
