"""Options of FP8. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acgym.compress.options import SCALE_BITS, Options, word

FP8_BITS = 8


@dataclass(frozen=True)
class Fp8Options(Options):
    """``channel`` (the default) or ``tensor``: what shares a scale; ``a16``: activations stay as they are.

    ``fp8`` is the scheme that llm-compressor calls FP8_DYNAMIC; ``fp8-tensor`` is what vLLM makes of a dense model at
    load time (ACBench's setting); ``fp8-a16`` is what runs on hardware without FP8 products.
    """

    scale: Literal["channel", "tensor"] = word(
        "channel|tensor", str, lambda scale: "" if scale == "channel" else scale, "tensor", default="channel"
    )
    """One scale for each row of a weight (each output channel), or one for the whole weight."""
    dynamic: bool = word("a16", lambda text: False, lambda on: "" if on else "a16", "a16", default=True)
    """Whether the inputs of the projections are rounded to e4m3 too, with one scale per token, taken as it comes."""

    @property
    def activations(self) -> Literal["int8", "fp8"] | None:
        """Format of the projections' inputs."""
        return "fp8" if self.dynamic else None

    def stored_bits(self, rows: int, columns: int) -> float | None:
        """Count 8 bits a weight and a 16-bit scale per row, or one for all."""
        return rows * columns * FP8_BITS + SCALE_BITS * (rows if self.scale == "channel" else 1)
