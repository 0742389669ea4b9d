"""Options of the block formats with 4-bit floats. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from acgym.compress.options.weights import Options


@dataclass(frozen=True)
class BlockFp4(Options):
    """What MXFP4 and NVFP4 share: blocks of neighbouring input features with a scale of 8 bits; no options."""

    block: ClassVar[int]
    """Neighbours that share a scale."""
    scale_bits: ClassVar[int] = 8
    tensor_bits: ClassVar[int] = 0
    """Bits of a second scale, for the whole weight."""

    def check(self, columns: int) -> None:
        """Refuse a row that blocks do not fill; nothing is padded."""
        if columns % self.block:
            raise ValueError(f"blocks of {self.block} do not divide its {columns} input features")

    def stored_bits(self, rows: int, columns: int) -> float | None:
        """Count 4 bits a weight, 8 for the scale of a block and, of NVFP4, 32 for that of the whole weight."""
        return rows * columns * (4 + self.scale_bits / self.block) + self.tensor_bits


@dataclass(frozen=True)
class Mxfp4Options(BlockFp4):
    """``mxfp4`` has no options: blocks of 32 with a power of two as their scale, activations as they are."""

    block: ClassVar[int] = 32


@dataclass(frozen=True)
class Nvfp4Options(BlockFp4):
    """``nvfp4`` has no options: blocks of 16 with a scale in e4m3, under one in float32; activations as they are."""

    block: ClassVar[int] = 16
    tensor_bits: ClassVar[int] = 32
