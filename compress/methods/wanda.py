"""Wanda: pruning by weight times activation (Sun et al. 2023, arXiv 2306.11695)."""

from __future__ import annotations

from torch import Tensor

from acgym.compress.methods.masks import smallest, smallest_n_of_m
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import Sparsity


def wanda_mask(weight: Tensor, norm: Tensor, options: Sparsity) -> Tensor:
    """Mark in each row the weights with the smallest score S_ij = |W_ij| * ||X_j||_2 (Sun et al. 2023, eq. 1).

    Args:
        weight: (out, in), floating point.
        norm: (in,), l2 norm of each input feature over all calibration tokens.
        options: the share in per cent, or (n, m).

    Returns:
        Bool mask (out, in), True where a weight is pruned: exactly floor(in * share) in every row, or exactly m - n in
        every m neighbours. Among equal scores the lower index goes.

    Raises:
        ValueError: if m does not divide in.
    """
    scores = weight.abs() * norm.to(weight)
    if isinstance(options.sparsity, tuple):
        return smallest_n_of_m(scores, options)
    return smallest(scores, options.zeros(weight.shape[1]))


def wanda(weight: Tensor, statistics: Statistics, options: Sparsity) -> Compressed:
    """Set the weights that :func:`wanda_mask` marks to zero; the others are untouched, none is updated.

    Args:
        weight: (out, in), float32 or float64.
        statistics: its ``norm`` is read.
        options: the share in per cent, or (n, m).

    Returns:
        The pruned weight, (out, in), same dtype.

    Raises:
        ValueError: if m does not divide in.
    """
    return Compressed(weight.masked_fill(wanda_mask(weight, statistics.norm, options), 0.0))
