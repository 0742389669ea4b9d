"""Round to nearest: every weight goes to the next point of its group's grid."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.compress.methods.grid import Grid, fake_quantise, grid
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import Affine


def rtn(weight: Tensor, statistics: Statistics, options: Affine) -> Compressed:
    """Round each weight to the nearest point of the min-max grid of its group; no calibration is read.

    Args:
        weight: (out, in), float32 or float64.
        statistics: not read.
        options: bits, group size, symmetric or not; 16 bits return the weight as it is.

    Returns:
        The rounded weight, (out, in), same dtype, and its grid.

    Raises:
        ValueError: if the group size does not divide in.
    """
    rows, columns = weight.shape
    options.check(columns)
    if options.bits == 16:
        return Compressed(weight)
    size = options.group_size(columns)
    grouped = weight.reshape(rows, columns // size, size)
    scale, zero = grid(grouped, options.bits, options.symmetric)
    rounded = fake_quantise(grouped, scale, zero, options.bits).reshape(rows, columns)
    groups = torch.arange(columns, device=weight.device) // size
    return Compressed(rounded, grid=Grid(options.bits, options.symmetric, scale[..., 0], zero[..., 0], groups))
