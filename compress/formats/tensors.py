"""Looks at a checkpoint's tensors and settings with suspicion: everything is checked before it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from acgym.types import Json

HALF_LARGEST = torch.finfo(torch.float16).max


def expect(stored: Mapping[str, Tensor], name: str, dtype: torch.dtype | None, dimensions: int) -> Tensor:
    """Return a stored tensor of the dtype and the number of dimensions that it must have; None admits any dtype.

    Raises:
        ValueError: if it is missing, empty or something else.
    """
    if name not in stored:
        raise ValueError(f"its {name} is missing from the checkpoint")
    tensor = stored[name]
    if (dtype is not None and tensor.dtype != dtype) or tensor.dim() != dimensions or not tensor.numel():
        want = "a tensor" if dtype is None else str(dtype).removeprefix("torch.")
        raise ValueError(
            f"its {name} must be {want} of {dimensions} dimensions, got {str(tensor.dtype).removeprefix('torch.')} "
            f"{tuple(tensor.shape)}"
        )
    return tensor


def scales(stored: Mapping[str, Tensor], name: str) -> Tensor:
    """Return stored scales of two dimensions in float32.

    Raises:
        ValueError: if they are missing, no floating-point numbers, or not finite.
    """
    tensor = expect(stored, name, None, 2)
    if not tensor.is_floating_point():
        raise ValueError(f"its {name} must be floating-point numbers, got {tensor.dtype}")
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"its {name} are not finite (NaN or infinity)")
    return tensor.float()


def positive(found: Mapping[str, Json], name: str, allowed: Sequence[int]) -> int:
    """Return a setting that must be one of a few numbers.

    Raises:
        ValueError: if it is something else.
    """
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise ValueError(f"{name} in quantization_config must be one of {', '.join(map(str, allowed))}, got {value!r}")
    return value
