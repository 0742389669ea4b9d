"""Choosing exactly so many of the smallest scores, shared by the methods that prune weights."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.compress.options.weights import Sparsity

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
    few = scores.shape[-1] <= _FEW
    if few and scores.numel() > _MANY_ROWS * scores.shape[-1]:
        return _ranks(scores) < k
    if few and _is_complete(marked := _no_larger(scores) <= k, k):
        return marked
    bound = scores.kthvalue(k, dim=-1, keepdim=True).values  # selects in linear time, where a sort would not
    if _is_complete(marked := scores <= bound, k):
        return marked
    below, ties = scores < bound, scores == bound
    return below | (ties & (ties.cumsum(-1) <= k - below.sum(-1, keepdim=True)))


def _is_complete(marked: Tensor, k: int) -> bool:
    """Say whether ``k`` are marked in each row, where none can have more, or none fewer: no ties across the border."""
    return int(marked.sum()) * marked.shape[-1] == k * marked.numel()


def _no_larger(scores: Tensor) -> Tensor:
    """Return how many scores of its row are no larger than each one, itself included, (..., n) uint8.

    All pairs at once: for columns that lie one after the other in memory it is faster than to select in each row.
    """
    columns = scores.movedim(-1, 0)
    return (columns[:, None] <= columns).sum(0, dtype=torch.uint8).movedim(0, -1)


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
