"""Options of FP8. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acgym.compress.options.weights import SCALE_BITS, Options, word

FP8_BITS = 8
FP8_BLOCK = 128
"""Rows and columns that share a scale in ``fp8-block``; those at the edges may be smaller."""


@dataclass(frozen=True)
class Fp8Options(Options):
    """``channel`` (the default), ``tensor`` or ``block``: what shares a scale; ``a16``: activations stay as they are.

    ``fp8`` is the scheme that llm-compressor calls FP8_DYNAMIC; ``fp8-tensor`` is what vLLM makes of a dense model at
    load time (ACBench's setting); ``fp8-block`` has the weights of DeepSeek-V3 (arXiv 2412.19437, section 3.3.2), whose
    activations have a scale for every 128 features, where one for each token is taken here; ``fp8-a16`` is what runs on
    hardware without FP8 products.
    """

    scale: Literal["channel", "tensor", "block"] = word(
        "channel|tensor|block", str, lambda scale: "" if scale == "channel" else scale, "tensor", default="channel"
    )
    """One scale for each row of a weight (each output channel), one for the whole, or one for each 128 x 128 of it."""
    dynamic: bool = word("a16", lambda text: False, lambda on: "" if on else "a16", "a16", default=True)
    """Whether the inputs of the projections are rounded to e4m3 too, with one scale per token, taken as it comes."""

    @property
    def activations(self) -> Literal["int8", "fp8"] | None:
        """Format of the projections' inputs."""
        return "fp8" if self.dynamic else None

    def stored_bits(self, rows: int, columns: int) -> float | None:
        """Count 8 bits a weight and a 16-bit scale per row, or one for all; of blocks, a 32-bit scale each."""
        if self.scale == "block":
            return rows * columns * FP8_BITS + 2 * SCALE_BITS * -(-rows // FP8_BLOCK) * -(-columns // FP8_BLOCK)
        return rows * columns * FP8_BITS + SCALE_BITS * (rows if self.scale == "channel" else 1)
