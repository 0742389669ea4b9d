"""Reading arrays for the metrics: NumPy, nested lists or torch tensors in, finite NumPy out; torch is not imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
ArrayLike: TypeAlias = Any
"""A NumPy array, a nested list or a torch tensor (any device, any dtype)."""

_BLOCK = 1 << 22
"""Elements worked on at once, so that a large vocabulary never exists twice in float64."""


def read_array(x: ArrayLike, name: str) -> NDArray[Any]:
    """Read any array-like as float32 or float64, finite."""
    if hasattr(x, "detach"):
        x = x.detach()
        x = (x.float() if x.is_floating_point() and x.element_size() < 4 else x).cpu().numpy()
    array = np.asarray(x)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise ValueError(
            f"{name} must be finite, but {bad} of its {array.size} values are not; look at the model first"
        )
    return array


def read_matrix(x: ArrayLike, name: str, one_row: bool = True) -> NDArray[Any]:
    """Read a non-empty 2-D array; with ``one_row`` a 1-D array is taken as its only row."""
    array = read_array(x, name)
    if one_row and array.ndim == 1:
        array = array[None]
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} must be a 2-D array with at least one row and column, got shape {array.shape}")
    return array


def blocks(n: int, width: int) -> Iterator[slice]:
    """Cut ``n`` rows of ``width`` elements into slices of bounded size."""
    step = max(1, _BLOCK // width)
    return (slice(start, start + step) for start in range(0, n, step))
