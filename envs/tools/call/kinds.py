"""The kinds of thing that composed tool-calling tasks are about: their fields, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from acgym.envs.names import in_split
from acgym.envs.tools.call.words import (
    CHOICES,
    CODED,
    DATES,
    FLOATS,
    INTEGERS,
    NESTED,
    NOUNS,
    QUALIFIERS,
    SLOTS,
    STRINGS,
)
from acgym.types import Split

_SIZES = INTEGERS[5:]  # without price, which is what the user calls cost
FIELDS = {
    2: (STRINGS, SLOTS, tuple(CHOICES), _SIZES),
    3: (STRINGS, SLOTS, FLOATS, DATES, tuple(CHOICES)),
    4: (STRINGS, SLOTS, FLOATS, DATES, tuple(NESTED), tuple(CHOICES)),
    5: (STRINGS, SLOTS, FLOATS, DATES, tuple(NESTED), CODED, tuple(CHOICES)),
}
"""Level -> groups of fields; a kind of thing has one field of each group."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: one table, and the tools that act on it."""

    qualifier: str
    noun: str
    adder: str
    """Verb of the tool that creates one."""
    required: tuple[str, ...]
    """Fields that must be given to create one."""
    optional: tuple[str, ...]

    @property
    def table(self) -> str:
        """Name of its table: ``north_room``."""
        return f"{self.qualifier}_{self.noun}"

    @property
    def phrase(self) -> str:
        """What the user calls it: ``north room``."""
        return f"{self.qualifier} {self.noun}"

    @property
    def plural(self) -> str:
        """The phrase of several: ``old boxes``."""
        return f"{self.phrase}{'es' if self.noun.endswith('x') else 's'}"

    @property
    def article(self) -> str:
        """The phrase with its article: ``an old room``."""
        return f"{'an' if self.qualifier[0] in 'aeiou' else 'a'} {self.phrase}"

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields of a record but links to other records."""
        return self.required + self.optional


@cache
def qualifiers(split: Split, noun: str) -> tuple[str, ...]:
    """The qualifiers that go with ``noun`` in a split; no pair is in both splits."""
    return tuple(q for q in QUALIFIERS if in_split(f"kind {q} {noun}", split))


@cache
def nouns(split: Split) -> tuple[str, ...]:
    """The nouns with at least two qualifiers in a split, so that each has a near-duplicate."""
    return tuple(noun for noun in NOUNS if len(qualifiers(split, noun)) >= 2)
