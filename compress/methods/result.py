"""What a method returns."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from acgym.compress.methods.grid import Grid


class Compressed(NamedTuple):
    """What a method returns."""

    weight: Tensor
    """The new weight: shape and dtype of the old one."""
    notes: tuple[str, ...] = ()
    """What the reader of the record should know, such as a raised damping."""
    grid: Grid | None = None
    """The integer grid that the new weight lies on; None if it lies on none."""
