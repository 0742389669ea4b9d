"""A model larger than memory, ready to be probed: each decoder layer is read from disk when it runs and dropped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from acgym.compress.stream.skeleton import Stored, empty, fill, move_buffers, put, skeleton
from acgym.compress.stream.source import Source
from acgym.probe.forward import decoder_layers

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def streamed(
    folder: str | Path, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> PreTrainedModel:
    """Open a model folder so that one decoder layer at a time is in memory.

    Give the model to :func:`acgym.probe.run.probe` or, with another one, to :func:`acgym.probe.run.probe_pair`: the
    signals are those of the whole model, bit for bit. Each batch reads the layers once (and so does a check of 16
    tokens at the start), so give the probe as many ``batch_tokens`` as fit beside a layer. Embeddings, norms and
    output head stay in memory.

    Args:
        folder: config.json and safetensors of weights that are not quantised, as transformers saves them.
        dtype: of the forward pass; None for the folder's.
        device: where layers run; None for a GPU if there is one.

    Returns:
        The model, in evaluation mode. It is read-only: what is written into its layers is forgotten.

    Raises:
        ValueError: for a folder that is no model, is quantised, is damaged, has another layout or no list of layers.
    """
    source = Source(Path(folder).expanduser())
    place = torch.device(device if device is not None else "cuda" if torch.cuda.is_available() else "cpu")
    model = skeleton(source, dtype or source.dtype)
    stored = Stored.of(model, source)
    body: Any = cast(Any, model).base_model
    names = {id(module): name for name, module in model.named_modules()}
    layers = {names[id(layer)]: layer for layer in decoder_layers(body)}
    if not layers:
        raise ValueError(f"{type(model).__name__} has no list of decoder layers to read one by one")
    inside = {key for key in stored.pieces if key.startswith(tuple(f"{name}." for name in layers))}
    fill(stored, stored.pieces.keys() - inside, place)
    move_buffers(model, place)
    for name, layer in layers.items():
        keys = [key for key in sorted(inside) if key.startswith(f"{name}.")]
        layer.register_forward_pre_hook(partial(_read, stored, keys, place))
        layer.register_forward_hook(_drop, always_call=True)
    return cast("PreTrainedModel", model)


def _read(stored: Stored, keys: Sequence[str], place: torch.device, *_: Any) -> None:
    for key in keys:
        put(stored.model, key, stored.read(key).to(place))


def _drop(layer: nn.Module, *_: Any) -> None:
    empty(layer)
