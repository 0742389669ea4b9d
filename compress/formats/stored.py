"""Where the tensors of a checkpoint stand in the model in memory, where some of them are joined into one parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Piece:
    """A tensor of a checkpoint as a part of a parameter or buffer of the model."""

    name: str
    """Full name of the parameter in memory, such as ``model.layers.0.mlp.experts.gate_up_proj``."""
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    """Where it begins in the parameter, in elements; with ``strides`` as :meth:`torch.Tensor.as_strided` takes it."""

    def of(self, parameter: Tensor) -> Tensor:
        """Return this part of the contiguous ``parameter``: a view, so that writing into it changes the model."""
        return parameter.detach().as_strided(self.shape, self.strides, parameter.storage_offset() + self.offset)


def whole(name: str, tensor: Tensor) -> Piece:
    """Return the piece that is all of a parameter."""
    strides = torch.empty(tensor.shape, device="meta").stride()
    return Piece(name, tuple(tensor.shape), tuple(strides), 0)


class _View(Tensor):
    """A tensor whose layout is asked for and not its bytes: making it contiguous would lose where it stands."""

    def contiguous(self, memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
        """Return the view as it is."""
        return self


def pieces(model: Any) -> dict[str, Piece | None]:
    """Return name of each tensor in a checkpoint of the model -> where it stands in memory; None if it is computed.

    transformers holds the experts of a layer in stacked parameters, whereas checkpoints have one tensor for each matrix
    of each expert, often under other names. Its own conversion, as ``save_pretrained`` uses it, is applied here to
    tensors without memory, and what comes out is looked up in what went in. A model that was loaded from a checkpoint
    with another layout gives that layout.

    Args:
        model: a transformers model on any device, also the meta device; it is not changed. Tied parameters
            give a tensor each.
    """
    from transformers.core_model_loading import revert_weight_conversion

    memory = {name: torch.empty(tensor.shape, device="meta") for name, tensor in model.state_dict().items()}
    names = {id(tensor): name for name, tensor in memory.items()}
    views: Mapping[str, Tensor] = revert_weight_conversion(
        model, {name: tensor.as_subclass(_View) for name, tensor in memory.items()}
    )
    found: dict[str, Piece | None] = {}
    for name, view in views.items():
        base = view._base
        parameter = None if base is None else names.get(id(base))
        found[name] = None
        if parameter is not None:
            found[name] = Piece(parameter, tuple(view.shape), tuple(view.stride()), int(view.storage_offset()))
    return found


def by_parameter(places: Mapping[str, Piece | None]) -> dict[str, dict[str, Piece]]:
    """Return name of each parameter -> the checkpoint's tensors that are parts of it."""
    found: dict[str, dict[str, Piece]] = {}
    for name, piece in places.items():
        if piece is not None:
            found.setdefault(piece.name, {})[name] = piece
    return found


def single_precision(model: Any, dtype: torch.dtype) -> frozenset[str]:
    """Return the names of parameters and buffers that transformers keeps in float32 in a model of a 16-bit dtype."""
    plan: Mapping[str, torch.dtype] = getattr(model, "_get_dtype_plan", lambda dtype: {})(dtype)
    patterns = [pattern.replace("*", ".*") for pattern, kept in plan.items() if kept == torch.float32]
    return frozenset(name for name in model.state_dict() if any(re.search(pattern, name) for pattern in patterns))
