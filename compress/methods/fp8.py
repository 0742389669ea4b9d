"""FP8: weights in the floating-point format e4m3, with a scale per channel or per tensor."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad

from acgym.compress.methods.activations import quantise_tokens
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.fp8 import FP8_BLOCK, Fp8Options


def fp8(weight: Tensor, statistics: Statistics, options: Fp8Options) -> Compressed:
    """Round each weight to e4m3 under the scale max|w| / 448 of its row, block or whole weight; no calibration is read.

    e4m3 (Micikevicius et al. 2022, arXiv 2209.05433, table 1): sign, 4 bits of exponent with bias 7, 3 of mantissa, no
    infinities. A weight w = scale * v with |v| >= 2^-6 moves by at most 2^-4 of itself, a smaller one (a subnormal) by
    at most scale * 2^-10. Halves go to even; the largest weight is kept exactly, up to rounding of the scale. The
    inputs of the projection are rounded when the model runs, if the options say so (``activations``).

    Args:
        weight: (out, in), float32 or float64.
        statistics: not read.
        options: what shares a scale.

    Returns:
        The rounded weight, (out, in), same dtype; zeros stay zeros.
    """
    if options.scale == "block":
        return Compressed(_in_blocks(weight))
    if options.scale == "tensor":
        return Compressed(quantise_tokens(weight.flatten(), "fp8").view_as(weight))
    return Compressed(quantise_tokens(weight, "fp8"))


def _in_blocks(weight: Tensor) -> Tensor:
    """Round under a scale for each block of 128 x 128; zeros that fill those at the edges change no maximum."""
    rows, columns = weight.shape
    size = FP8_BLOCK
    whole = pad(weight, (0, -columns % size, 0, -rows % size))
    # (row of blocks, column of blocks, 128 * 128): each block a token of :func:`quantise_tokens`
    split = whole.reshape(whole.shape[0] // size, size, -1, size).transpose(1, 2)
    rounded = quantise_tokens(split.flatten(2), "fp8").reshape(split.shape)
    return rounded.transpose(1, 2).reshape(whole.shape)[:rows, :columns].contiguous()
