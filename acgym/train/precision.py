"""In which precision training computes."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def computes_bfloat16() -> bool:
    """Say whether this processor multiplies bfloat16 numbers itself.

    Elsewhere they are converted on the way, which made a matrix product 25 times slower than in float32 (measured on
    a processor with AVX2 alone).
    """
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def mixed() -> AbstractContextManager[None]:
    """Compute matrix products in bfloat16 where the processor does so itself, else in float32."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_bfloat16())
