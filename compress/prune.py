"""Choosing exactly so many of the smallest scores, shared by the methods that prune weights."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.compress.options import Sparsity

_FEW = 8
"""Scores of a row up to which they may be compared pair by pair."""
_MANY_ROWS = 1 << 12
"""Rows from which on comparing columns pair by pair is faster than selecting in each row."""


def smallest(scores: Tensor, k: int) -> Tensor:
    """Mark the ``k`` smallest scores along the last dimension.

    Args:
        scores: (..., n), floating point, finite.
        k: how many to mark, 0 <= k <= n.

    Returns:
        Bool mask (..., n), exactly ``k`` True along the last dimension. Among equal scores the lower index goes first,
        where a threshold would mark all of them.
    """
    if k == 0:
        return torch.zeros_like(scores, dtype=torch.bool)
    if scores.shape[-1] <= _FEW and scores.numel() > _MANY_ROWS * scores.shape[-1]:
        return _ranks(scores) < k
    bound = scores.kthvalue(k, dim=-1, keepdim=True).values  # selects in linear time, where a sort would not
    marked = scores <= bound
    if int(marked.sum()) * scores.shape[-1] == k * scores.numel():  # no score ties with the k-th beyond the k
        return marked
    below, ties = scores < bound, scores == bound
    return below | (ties & (ties.cumsum(-1) <= k - below.sum(-1, keepdim=True)))


def _ranks(scores: Tensor) -> Tensor:
    """Return how many scores of its row come before each one, (..., n) uint8; equal scores come by rising index."""
    columns = scores.movedim(-1, 0).contiguous()
    ranks = torch.zeros_like(columns, dtype=torch.uint8)
    for later in range(1, len(columns)):
        for earlier in range(later):
            ahead = columns[earlier] <= columns[later]
            ranks[later] += ahead
            ranks[earlier] += ~ahead
    return ranks.movedim(0, -1)


def smallest_n_of_m(scores: Tensor, options: Sparsity) -> Tensor:
    """Mark the m - n smallest scores in every m neighbours of a row.

    Args:
        scores: (out, in), floating point.
        options: its ``sparsity`` is (n, m), n kept of every m.

    Returns:
        Bool mask (out, in), True where a weight is pruned.

    Raises:
        ValueError: if m does not divide in.
    """
    if not isinstance(options.sparsity, tuple):
        raise ValueError(f"an n:m pattern is expected, got {options.sparsity} per cent")
    rows, columns = scores.shape
    options.check(columns)
    n, m = options.sparsity
    return smallest(scores.reshape(rows, columns // m, m), m - n).reshape(rows, columns)
