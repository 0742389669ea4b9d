"""The product of two int8 matrices, exact whatever the processor."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

CHUNK = 1024
"""Inputs whose products float32 adds up without rounding: 1,024 x 128 x 128 = 2^24."""


@cache
def kernel_is_exact() -> bool:
    """Say whether ``torch._int_mm`` multiplies 8-bit integers of full size without overflow on this processor.

    Where oneDNN is held to AVX2 (``ONEDNN_MAX_CPU_ISA=AVX2``) it adds pairs of products of shifted, unsigned numbers up
    in 16 bits, and two times 255 x 127 do not fit: it returns other numbers, and says nothing.
    """
    left = torch.tensor([[127] * 64, [-127] * 64], dtype=torch.int8).repeat(16, 1)
    right = left[:, :64].T.contiguous()
    return torch.equal(torch._int_mm(left, right), left.int() @ right.int())


def int_product(left: Tensor, right: Tensor) -> Tensor:
    """Return ``left @ right`` of int8 matrices (n, in) and (in, out), exactly, as int32.

    Where torch's kernel is not exact, the products are added up in float32, 1,024 inputs at a time: every partial sum
    of those is an integer of at most 2^24, which float32 holds, in whatever order they are added.
    """
    if kernel_is_exact():
        return torch._int_mm(left, right)
    total = torch.zeros(left.shape[0], right.shape[1], dtype=torch.int32, device=left.device)
    for start in range(0, left.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        total += (left[:, part].float() @ right[part].float()).int()
    return total
