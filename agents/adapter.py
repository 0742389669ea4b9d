"""Merges a low-rank adapter into the weights of a loaded model (Hu et al. 2021, 2106.09685: W + scale B A)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from acgym.model_files.adapter import WEIGHTS, Adapter, inspect_adapter
from acgym.text import printable

_NAME = re.compile(r"base_model\.model\.(.+)\.lora_(A|B)\.weight")


def merge(model: Any, adapter: Adapter) -> None:
    """Add an adapter to a model's weights, in place.

    Sums are made in float32 and rounded once to the dtype of each weight.

    Args:
        model: a transformers model whose projections are plain linear layers.
        adapter: as :func:`acgym.model_files.adapter.inspect_adapter` let it pass.

    Raises:
        ValueError: if the file is damaged, holds other tensors than pairs of A and B, shapes that do not fit the model
            or its configuration, or numbers that are not finite; or if a pair belongs to what is no linear layer of
            the model, or to a head that shares its weights with the embedding.
    """
    import torch

    where = adapter.folder / WEIGHTS
    tensors = _read(adapter)
    pairs: dict[str, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        found = _NAME.fullmatch(name)
        if found is None or tensor.ndim != 2 or not tensor.is_floating_point():
            raise ValueError(f"{where} holds {printable(name)}, which acgym does not merge; expected A and B matrices")
        pairs.setdefault(found[1], {})[found[2]] = tensor
    if not pairs:
        raise ValueError(f"{where} holds no matrices; expected those of at least one layer")
    with torch.no_grad():
        changed = {
            name: _delta(model, name, pair, adapter) for name, pair in pairs.items()
        }  # all fit, or none is added
        for name, (a, b) in changed.items():
            weight = model.get_submodule(name).weight
            delta = (b.float() @ a.float()) * adapter.scale
            weight.copy_(weight.float() + delta.to(weight.device))


def terms(source: str | Path, scale: float) -> dict[str, Any]:
    """Return the matrices of an adapter by their names in the file, B such that ``scale`` is the adapter's scale.

    Raises:
        ValueError, FileNotFoundError: as :func:`acgym.model_files.adapter.inspect_adapter`; or if the file is damaged.
    """
    adapter = inspect_adapter(source)
    read = _read(adapter)
    return {n: t.float() * (adapter.scale / scale) if ".lora_B." in n else t.float() for n, t in read.items()}


def _read(adapter: Adapter) -> dict[str, Any]:
    from safetensors.torch import load_file

    where = adapter.folder / WEIGHTS
    try:
        return load_file(where)
    except Exception as error:  # safetensors raises an error type of its own
        raise ValueError(f"{where} is damaged: {printable(str(error))}. Copy the adapter again.") from None


def _delta(model: Any, name: str, pair: dict[str, Any], adapter: Adapter) -> tuple[Any, Any]:
    """Return A and B of a layer once they fit it."""
    from torch import nn

    where, shown = adapter.folder / WEIGHTS, printable(name)
    if set(pair) != {"A", "B"}:
        raise ValueError(f"{where} holds only {' and '.join(pair)} of {shown}; expected both matrices")
    try:
        layer = model.get_submodule(name)
    except AttributeError:
        raise ValueError(
            f"{where} adapts {shown}, which the model does not have; name the model it belongs to"
        ) from None
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"{where} adapts {shown}, a {type(layer).__name__}; acgym merges into linear layers only")
    a, b = pair["A"], pair["B"]
    fits = a.shape == (adapter.rank, layer.in_features) and b.shape == (layer.out_features, adapter.rank)
    if not fits:
        raise ValueError(
            f"{where} has matrices of {tuple(a.shape)} and {tuple(b.shape)} for {shown}; expected "
            f"{(adapter.rank, layer.in_features)} and {(layer.out_features, adapter.rank)} by its configuration "
            "and the model"
        )
    if not (a.isfinite().all() and b.isfinite().all()):
        raise ValueError(f"{where} holds NaN or infinity for {shown}; copy the adapter again")
    if layer.weight is getattr(model.get_input_embeddings(), "weight", None):
        raise ValueError(
            f"{where} adapts {shown}, which shares its weights with the embedding; acgym does not merge that"
        )
    return a, b
