"""What every archive is: documents in an order, a question, and what is right; shared by the kinds of LongQA."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from acgym.draw import Draw
from acgym.types import Json, Split


class Order(NamedTuple):
    """What an archive is drawn for."""

    draw: Draw
    split: Split
    words: int
    """Words that its documents may have."""
    level: int
    depth: float | None
    """Where the document that is needed lies, in percent of the documents before it; None for anywhere."""


class Archive(NamedTuple):
    """An archive and a question about it."""

    kind: str
    told: str
    """All documents."""
    question: str
    form: str
    """What the last line of a reply, or the reply, must be."""
    reader: str
    """How a reply is read: ``value``, ``values``, ``code`` or ``facts``."""
    wanted: Json
    rivals: Sequence[str] = ()
    """What else might be answered, where ``reader`` is ``value``."""
    extra: Json = None
    """What the reader needs besides."""
    place: float | None = None
    """Where what is needed lies, in percent; None where it lies everywhere."""


Maker = Callable[[Order], Archive]
ONE = "The last line of your reply must be: Answer: X (X is only the name, number or date asked for)"


def fill(make: Callable[[], str], words: int) -> list[str]:
    """Make documents as long as they fit into so many words."""
    found: list[str] = []
    while True:
        document = make()
        words -= len(document.split())
        if words < 0:
            return found
        found.append(document)


def laid_out(draw: Draw, needed: Sequence[str], others: Sequence[str], depth: float | None) -> tuple[list[str], float]:
    """Put the needed documents, in their order, among the others; at a depth they follow one another.

    Returns:
        All documents, and where the first needed one begins, in percent of their characters.
    """
    found = list(others)
    if depth is None:
        spots = sorted(draw.below(len(others) + 1) for _ in needed)
    else:
        spots = [round(depth / 100 * len(others))] * len(needed)
    for i, (spot, document) in enumerate(zip(spots, needed, strict=True)):
        found.insert(spot + i, document)
    before = sum(len(document) for document in found[: spots[0]]) if spots else 0
    return found, 100 * before / max(1, sum(map(len, found)))
