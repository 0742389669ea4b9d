"""Haystacks: filler sentences that say nothing of names or codes, and statements hidden between them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from acgym.draw import Draw
from acgym.envs.names import in_split
from acgym.types import Split

_WORDS = {
    "who": "farmer teacher sailor baker doctor painter singer driver hunter tailor",
    "did": "carried painted bought sold found lost cleaned mended hid moved",
    "look": "red blue green white small large heavy round broken plain",
    "what": "basket chair lamp rope bucket ladder blanket mirror wagon barrel candle drum",
}
_WHO, _DID, _LOOK, _WHAT = (words.split() for words in _WORDS.values())
_WHERE = ("near home", "to town", "by boat", "after dinner", "before sunrise", "with care", "in silence", "at noon")
_WHEN = (
    "Every morning", "Last winter", "One evening", "This week", "Long ago", "Some days", "That night", "Each summer",
)  # fmt: skip

FILLER_WORDS = 8
"""Words in each filler sentence."""
FILLER_POOL = 4096
"""Filler sentences of each split."""


class Statement(NamedTuple):
    """A sentence to hide."""

    sentence: str
    needed: bool
    """Whether the answer needs it."""
    place: float
    """Where it goes unless a depth is asked for: share of the filler before it, in [0, 1)."""


@cache
def filler(split: Split) -> tuple[str, ...]:
    """Return the filler sentences of a split: each has 8 words, none is in both splits, none has a quote or a digit."""
    draw = Draw(np.random.default_rng(8))
    found: dict[str, None] = {}
    while len(found) < FILLER_POOL:
        core = f"{draw.pick(_WHO)} {draw.pick(_DID)} a {draw.pick(_LOOK)} {draw.pick(_WHAT)}"
        when, where = draw.pick(_WHEN), draw.pick(_WHERE)
        sentence = f"{when} the {core}." if draw.chance(0.5) else f"The {core} {where}."
        if in_split(sentence, split):
            found[sentence] = None
    return tuple(found)


def hide(fillers: Sequence[str], statements: Sequence[Statement], depth: float | None) -> str:
    """Put statements between filler sentences and join all with spaces.

    Args:
        fillers: the filler sentences in their order.
        statements: what to hide, in any order.
        depth: place of the needed statements in percent of the filler, 0 the start and 100 the end of the text; None
            puts them at their own ``place``. Where others fall on the same spot, the needed ones lie nearer to the end
            of the text that ``depth`` is nearer to.
    """
    count = len(fillers)
    spots = []
    for order, (sentence, needed, place) in enumerate(statements):
        if needed and depth is not None:
            spots.append((round(depth / 100 * count), 1 if depth > 50 else -1, order, sentence))
        else:
            spots.append((int(place * (count + 1)), 0, order, sentence))
    lines = list(fillers)
    for spot, _, _, sentence in sorted(spots, reverse=True):
        lines.insert(spot, sentence)
    return " ".join(lines)


def facts_of(seen: str, text: str, names: Sequence[str]) -> dict[str, float]:
    """Return ``length``, the words of the first observation, and ``depth``, where quoted names are first told of.

    The depth is the mean over the names, in percent of the text's characters.
    """
    at = [text.index(f'"{name}"') for name in names]
    return {"length": len(seen.split()), "depth": 100 * float(np.mean(at)) / max(1, len(text))}
