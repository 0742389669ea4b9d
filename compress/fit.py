"""Group sizes that fit a model: a default that does not is replaced by the nearest that does. Loads without torch."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from math import log2
from typing import NamedTuple

from acgym.compress.options.weights import PER_CHANNEL, Affine, words
from acgym.compress.recipe import Recipe, Step, parse

LEAST = 16
"""Of the groups that a default may be replaced by."""


class Fitted(NamedTuple):
    """A recipe that was read for a model."""

    recipe: Recipe
    notes: tuple[str, ...]
    """A sentence for each default that was replaced."""


def fit(text: str, columns: Collection[int]) -> Fitted:
    """Read a recipe for a model; where a step does not say its group size, use one that divides all of its inputs.

    That is the default, or else the nearest power of two from 16 on (kernels know no others), or else whole rows. What
    a step says is never changed: it is refused where it is used, by ``options.check``.

    Args:
        text: as :func:`acgym.compress.parse` takes it.
        columns: the numbers of input features of the model's projections.

    Raises:
        ValueError: as :func:`acgym.compress.parse`.
    """
    steps: list[Step] = []
    notes: list[str] = []
    for step, written in zip(parse(text), text.strip().lower().split("+"), strict=True):
        options = step.options
        if isinstance(options, Affine) and options.bits < 16 and not _says_group(options, written):
            group = _nearest(options.group, columns)
            if group != options.group:
                notes.append(
                    f"groups of {options.group}, the default, do not divide the model's "
                    f"{' and '.join(map(str, _odd(options.group, columns)))} input features: {written.strip()} takes "
                    f"{'whole rows (channel)' if group == PER_CHANNEL else f'g{group}, the nearest that fits'}"
                )
                step = Step(step.method, replace(options, group=group))
        steps.append(step)
    return Fitted(Recipe(tuple(steps)), tuple(notes))


def _says_group(options: Affine, written: str) -> bool:
    """Whether a step, as written, holds a word for the group size."""
    pattern = words(type(options))["group"].pattern
    given = re.sub(r"-g-1(?=-|$)", "-channel", written.strip()).split("-")[1:]
    return any(re.fullmatch(pattern, item, re.ASCII) for item in given)


def _odd(group: int, columns: Collection[int]) -> list[int]:
    return sorted({count for count in columns if count % group})


def _nearest(group: int, columns: Collection[int]) -> int:
    """Return the group itself if it divides all, else the nearest power of two that does, of two the smaller."""
    if group == PER_CHANNEL or not _odd(group, columns):
        return group
    sizes: list[int] = [2**power for power in range(2, 14) if 2**power >= LEAST and not _odd(2**power, columns)]
    nearest: int = min(sizes, key=lambda size: (abs(log2(size / group)), size), default=PER_CHANNEL)
    return nearest
