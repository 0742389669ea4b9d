"""Group-wise affine integers, shared by the methods that round weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Grid:
    """The integers that a quantised weight is made of: w[i, j] = scale[i, g] (code[i, j] - zero[i, g]), g = groups[j].

    Codes run from 0 to 2^bits - 1. What packed storage holds follows from it exactly.
    """

    bits: int
    symmetric: bool
    """Whether every zero point is 2^(bits - 1)."""
    scale: Tensor
    """(out, number of groups), the dtype of the weight."""
    zero: Tensor
    """(out, number of groups), whole numbers in [0, 2^bits - 1], the dtype of the weight."""
    groups: Tensor
    """(in,), int64: the group that each input feature belongs to."""

    def rows(self, chosen: slice) -> Grid:
        """Return the grid of some rows of the weight."""
        return Grid(self.bits, self.symmetric, self.scale[chosen], self.zero[chosen], self.groups.clone())

    def codes(self, weight: Tensor) -> Tensor:
        """Return the integers of a weight that lies on the grid: (out, in) int64 in [0, 2^bits - 1]."""
        scale, zero = self.scale[:, self.groups], self.zero[:, self.groups]
        return (torch.round(weight / scale) + zero).clamp(0, 2**self.bits - 1).long()

    def weight(self, codes: Tensor) -> Tensor:
        """Return the weight of (out, in) integers, in the dtype of the scale."""
        return self.scale[:, self.groups] * (codes.to(self.scale) - self.zero[:, self.groups])


def grid(weight: Tensor, bits: int, symmetric: bool) -> tuple[Tensor, Tensor]:
    """Return scale and zero point of the affine grid over the last dimension of ``weight``.

    Asymmetric: the grid spans [min(w, 0), max(w, 0)] in 2^bits - 1 equal steps, so that zero is on it exactly.
    Symmetric: it spans [-max|w|, max|w|] in as many steps and the zero point is 2^(bits - 1); the largest weight is
    then off by at most half a step. Both as in the code of Frantar et al. 2023, except that a symmetric grid stays
    symmetric for weights of one sign.

    Args:
        weight: (..., n), floating point.
        bits: width of the integers.
        symmetric: see above.

    Returns:
        scale and zero, each (..., 1), of the dtype of ``weight``; zero holds whole numbers in [0, 2^bits - 1]. A group
        of zeros gets scale 1. Scales keep the dtype's precision; a checkpoint that stores them in fp16 moves a weight
        by at most 2^-11 of itself.
    """
    top = 2**bits - 1
    low = weight.amin(-1, keepdim=True).clamp(max=0)
    high = weight.amax(-1, keepdim=True).clamp(min=0)
    if symmetric:
        high = torch.maximum(high, -low)
        low = -high
    # Divided one by one: high - low may overflow where neither end does.
    scale = high / top - low / top
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    zero = torch.full_like(scale, (top + 1) // 2) if symmetric else torch.round(-low / scale)
    return scale, zero


def fake_quantise(weight: Tensor, scale: Tensor, zero: Tensor, bits: int) -> Tensor:
    """Round to the grid and back: scale * (clamp(round(w / scale) + zero, 0, 2^bits - 1) - zero), halves to even."""
    codes = (weight / scale).round_().add_(zero).clamp_(0, 2**bits - 1)
    return codes.sub_(zero).mul_(scale)


def quantise_groups(weight: Tensor, bits: int, group: int, symmetric: bool) -> Tensor:
    """Round every ``group`` neighbouring weights of a row to a grid of their own.

    Args:
        weight: (out, in), floating point; ``group`` divides in.
        bits: width of the integers.
        group: weights per grid.
        symmetric: see :func:`grid`.

    Returns:
        (out, in), the same dtype: at most 2^bits different values in each group.
    """
    rows, columns = weight.shape
    grouped = weight.reshape(rows, columns // group, group)
    scale, zero = grid(grouped, bits, symmetric)
    return fake_quantise(grouped, scale, zero, bits).reshape(rows, columns)
