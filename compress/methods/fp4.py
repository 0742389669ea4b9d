"""MXFP4 and NVFP4: weights as 4-bit floats (e2m1), in blocks of neighbours that share a scale of 8 bits."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.compress.methods.result import Compressed
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.fp4 import Mxfp4Options, Nvfp4Options

VALUES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""What e2m1 (sign, 2 bits of exponent with bias 1, 1 of mantissa) has from 0 on, in the order of its codes 0 to 7."""
LARGEST = VALUES[-1]
EXPONENT = 2
"""Of the largest value: 6 = 1.5 * 2^2."""
E8M0_LEAST = -127
"""Least exponent of a scale in e8m0; the largest, 127, is over that of any float32 divided by 4."""
E4M3_LARGEST = 448.0
E4M3_LEAST = 2.0**-9
"""Least positive value of e4m3, a subnormal."""


def round_e2m1(x: Tensor) -> Tensor:
    """Round to the nearest value of e2m1, halves to the even code; beyond 6 to 6 (the OCP MX specification, 5.3.3).

    Args:
        x: any shape, float32 or float64, finite.

    Returns:
        Same shape and dtype; every entry is one of VALUES with the sign of x.
    """
    values = torch.tensor(VALUES, dtype=x.dtype, device=x.device)
    halves = (values[1:] + values[:-1]) / 2
    # A half between codes c and c + 1 goes down if c is even. Up it goes if the bound is put a step below it.
    bounds = halves.clone()
    bounds[1::2] = torch.nextafter(halves[1::2], torch.zeros_like(halves[1::2]))
    return torch.copysign(values[torch.bucketize(x.abs(), bounds)], x)


def mxfp4(weight: Tensor, statistics: Statistics, options: Mxfp4Options) -> Compressed:
    """Round each block of 32 neighbours to MXFP4 (OCP Microscaling Formats v1.0, section 6.3).

    With m = max|w| of the block the shared scale is X = 2^(floor(log2 m) - 2), at least 2^-127, and each weight becomes
    X * e2m1(w / X). What lies over 6 X (m is under 8 X) is cut to it, as the specification has it.

    Args:
        weight: (out, in), float32 or float64.
        statistics: not read.
        options: the block.

    Returns:
        The rounded weight, (out, in), same dtype; zeros stay zeros.

    Raises:
        ValueError: if 32 does not divide in.
    """
    options.check(weight.shape[1])
    blocks = weight.reshape(len(weight), -1, options.block)
    largest = blocks.abs().amax(-1, keepdim=True)
    # frexp: largest = mantissa * 2^exponent with a mantissa in [1/2, 1), so floor(log2) is exponent - 1, exactly.
    exponent = torch.frexp(largest).exponent - 1 - EXPONENT
    scale = torch.ldexp(torch.ones_like(largest), exponent.clamp(min=E8M0_LEAST))
    return Compressed((round_e2m1(blocks / scale) * scale).reshape(weight.shape))


def nvfp4(weight: Tensor, statistics: Statistics, options: Nvfp4Options) -> Compressed:
    """Round each block of 16 neighbours to NVFP4, which has two levels of scales (NVIDIA 2025, arXiv 2509.25149).

    The weight's own scale is t = max|W| / (6 * 448), in float32; that of a block b is s = e4m3(max|b| / (6 t)); a
    weight becomes t s e2m1(w / (t s)). The block with the largest weight so has s = 448, the end of e4m3. A block
    whose scale would be rounded to 0 takes the least one, 2^-9.

    Args:
        weight: (out, in), float32 or float64.
        statistics: not read.
        options: the block.

    Returns:
        The rounded weight, (out, in), same dtype; zeros stay zeros.

    Raises:
        ValueError: if 16 does not divide in.
    """
    options.check(weight.shape[1])
    blocks = weight.reshape(len(weight), -1, options.block)
    whole = blocks.abs().amax() / (LARGEST * E4M3_LARGEST)
    if not bool(whole > 0):
        return Compressed(weight.clone())
    wanted = blocks.abs().amax(-1, keepdim=True) / (LARGEST * whole)
    rounded = wanted.clamp(max=E4M3_LARGEST).to(torch.float8_e4m3fn).to(weight.dtype)
    scale = whole * rounded.clamp(min=E4M3_LEAST)
    return Compressed((round_e2m1(blocks / scale) * scale).reshape(weight.shape))
