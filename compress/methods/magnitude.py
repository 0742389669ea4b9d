"""Magnitude pruning: the smallest weights of a matrix become zero."""

from __future__ import annotations

from torch import Tensor

from acgym.compress.methods.masks import smallest, smallest_n_of_m
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import Sparsity


def magnitude(weight: Tensor, statistics: Statistics, options: Sparsity) -> Compressed:
    """Set the weights with the smallest |W| to zero; no calibration is read.

    Weights are compared within the whole matrix (the layer-wise baseline of Sun et al. 2023, section 4.1), not within
    rows, so rows may differ in sparsity. Exactly floor(out * in * share) become zero; for n:m exactly m - n of every m
    neighbours in a row. Among equal weights the first in row-major order goes.

    Args:
        weight: (out, in), float32 or float64.
        statistics: not read.
        options: the share in per cent, or (n, m).

    Returns:
        The pruned weight, (out, in), same dtype; kept weights are untouched.

    Raises:
        ValueError: if m does not divide in.
    """
    scores = weight.abs()
    if isinstance(options.sparsity, tuple):
        pruned = smallest_n_of_m(scores, options)
    else:
        pruned = smallest(scores.flatten(), options.zeros(weight.numel())).reshape(weight.shape)
    return Compressed(weight.masked_fill(pruned, 0.0))
