"""How far a recipe moves weights before anything is measured: enough to tell harsh recipes from mild ones."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from acgym.compress.options import Affine, Sparsity
from acgym.compress.recipe import Recipe

_ROW = 1024
"""Weights of a row, where a recipe has one grid for all of it: their number hardly matters."""


def expected_error(recipe: Recipe) -> float:
    """Return about the relative weight error ``||W - W'|| / ||W||`` that a recipe causes in weights from a normal law.

    What a step rounds to the nearest of its grid has the error of a uniform law within a grid step; what it prunes are
    the smallest weights of all (n:m patterns and scores by activations lose somewhat more). GPTQ, AWQ and SparseGPT
    err as much in the weights, since they spare the outputs. Steps add up as independent errors do.

    Args:
        recipe: any; ``fp8`` and steps that change no weight (``kv-int8``, ``act-int8``) count as nothing.

    Returns:
        At least 0; 0.5 for ``rtn-w2``, 0.27 for ``wanda-50``, 0.1 for ``gptq-w4``.
    """
    return sqrt(sum((_squared(step.options) for step in recipe), 0.0))


def _squared(options: object) -> float:
    """The share of the weights' energy that a step takes away or adds as noise."""
    normal = NormalDist()
    if isinstance(options, Affine) and options.bits < 16:
        members = options.group if options.group > 0 else _ROW
        largest = normal.inv_cdf((members - 0.375) / (members + 0.25))  # of so many draws, on average (Blom 1958)
        return (2 * largest / ((1 << options.bits) - 1)) ** 2 / 12
    if isinstance(options, Sparsity):
        share = options.zeros(10**6) / 10**6
        border = normal.inv_cdf((1 + share) / 2)  # absolute values below it are pruned
        return share - 2 * border * normal.pdf(border)
    return 0.0
