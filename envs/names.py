"""Generated names and codes, and the line between the evaluation split and the training split."""

from __future__ import annotations

from functools import cache
from zlib import crc32

from acgym.draw import Draw
from acgym.types import Split


def words(text: str, mark: str | None = None) -> tuple[str, ...]:
    """Return the words that stand in one string, or what stands between marks."""
    return tuple(text.split(mark))


HEADS = words(
    "bel cor dra fen gal har jor kel lan mar nor pel quil ros sel tor ul ver wil yor zan bri clo del "
    "er fal gre hil in jas kin lor mel nat ol pra ral san tam ur vin wen xan yel zor bas cal dun"
)
"""48 first halves of a name, each one token of the reference tokenizer."""

TAILS = words(
    "ado ami ane aro ato aya ebo edi ego eka elo emi eno epa eri esa eto eva iba ida iko ila ima ino "
    "ipo ira iso ita iva iya obi oda oga oki ola oma ona opi ora osa oti ova ube udo uka uli uma uri"
)
"""48 second halves of a name, each one token of the reference tokenizer."""

EVAL_SHARE = 4
"""One name, code or layout in this many belongs to the evaluation split."""


def in_split(key: str, split: Split) -> bool:
    """Say whether ``key`` (a layout, a combination, a value) belongs to ``split``; stable across processes."""
    return (crc32(key.encode()) % EVAL_SHARE == 0) == (split == "eval")


@cache
def names(split: Split) -> tuple[str, ...]:
    """All names of a split: 576 for evaluation, 1,728 for training, no name in both."""
    return tuple(
        head + tail
        for i, head in enumerate(HEADS)
        for j, tail in enumerate(TAILS)
        if ((i + j) % EVAL_SHARE == 0) == (split == "eval")
    )


@cache
def codes(split: Split, digits: int = 4) -> tuple[str, ...]:
    """All codes of a split with so many digits, the first digit not 0; about a quarter are for evaluation."""
    return tuple(str(number) for number in range(10 ** (digits - 1), 10**digits) if in_split(f"code {number}", split))


def distinct_names(draw: Draw, split: Split, count: int) -> list[str]:
    """Draw up to 12 names that share neither head nor tail: easy to tell apart.

    The (i + j) rule fixes the tail's residue for each head; heads and tails are drawn without repetition inside it.
    """
    heads = draw.sample(range(len(HEADS)), count)
    used: set[int] = set()
    drawn = []
    for i in heads:
        while True:
            j = draw.below(len(TAILS))
            if j not in used and ((i + j) % EVAL_SHARE == 0) == (split == "eval"):
                break
        used.add(j)
        drawn.append(HEADS[i] + TAILS[j])
    return drawn


def similar_names(draw: Draw, split: Split, name: str, count: int) -> list[str]:
    """Draw up to 8 other names that share their head or their tail with ``name``: easy to confuse."""
    head, tail = next((h, t) for h in HEADS for t in TAILS if h + t == name)
    near = [n for n in names(split) if n != name and (n.startswith(head) or n.endswith(tail))]
    return draw.sample(near, count)
