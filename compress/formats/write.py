"""Writes a compressed model as a checkpoint: packed weights, configuration, and what it should take on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers.utils import logging

from acgym.compress.formats.layouts import LAYOUTS, Kept, store_projection
from acgym.compress.formats.scheme import Scheme
from acgym.compress.projections import Expert, decoder_layers, projections
from acgym.types import Json


def check_model(model: nn.Module, format: str, scheme: Scheme | None) -> None:
    """Refuse a model that a format cannot hold, before anything is compressed.

    Raises:
        ValueError: naming the projection.
    """
    if format == "dense" or scheme is None:
        return
    for name, projection in _projections(model).items():
        if isinstance(projection, Expert):
            raise ValueError(f"{name} is one matrix of fused experts, which acgym does not pack; use --format dense")
        columns = projection.in_features
        if scheme.group > 0 and columns % scheme.group:
            raise ValueError(f"{name}: groups of {scheme.group} do not divide its {columns} input features")
        try:
            LAYOUTS[format].check_shape(scheme, projection.out_features, columns)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def write_checkpoint(model: Any, folder: Path, format: str, scheme: Scheme | None, kept: Kept) -> int:
    """Write weights and configuration of a compressed model into a folder.

    Weights that are not packed keep the dtype of config.json (16 bits as a rule), whatever dtype the model is held in.

    Args:
        model: the compressed model, a transformers causal LM.
        folder: where to; it must exist.
        format: ``gptq``, ``awq``, ``compressed-tensors`` or ``dense``.
        scheme: how the recipe left the weights; None or ``dense`` write plain weights.
        kept: what ``compress`` handed on.

    Returns:
        Bytes that all tensors together must take, by the formula of the layout.

    Raises:
        ValueError: if a weight cannot be stored.
        OSError: if the disk is full.
    """
    dtype = stored_dtype(model)
    packed = {} if format == "dense" or scheme is None else _projections(model)
    state, expected = _plain(model, packed, dtype)
    for name, projection in packed.items():
        assert scheme is not None
        weight = projection.weight
        for part, tensor in store_projection(format, scheme, name, kept, weight).items():
            state[f"{name}.{part}"] = tensor
        expected += LAYOUTS[format].stored_bytes(scheme, *weight.shape)
    try:
        with _quiet():
            model.save_pretrained(folder, state_dict=state)
    except SafetensorError as error:
        raise OSError(f"cannot write the weights into {folder}: {error}") from None
    for file in folder.glob("*.safetensors"):  # they are made readable for their owner alone
        file.chmod((folder / "config.json").stat().st_mode)
    _write_config(folder, dtype, _settings(model, format, scheme, packed))
    return expected


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the progress bar of transformers off the terminal."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def stored_dtype(model: Any) -> torch.dtype:
    """Return the dtype of weights that are not packed: that of the source, as config.json names it."""
    dtype = getattr(model.config, "dtype", None)
    return dtype if isinstance(dtype, torch.dtype) and dtype.is_floating_point else torch.float16


def _projections(model: nn.Module) -> dict[str, Any]:
    """Full name to projection in the decoder layers."""
    return {
        f"{layer}.{name}": projection
        for layer, module in decoder_layers(model).items()
        for name, projection in projections(module).items()
    }


def _plain(model: Any, packed: Mapping[str, Any], dtype: torch.dtype) -> tuple[dict[str, Tensor], int]:
    """Return the tensors that stay as they are, in the stored dtype, and their bytes; tied ones stay one tensor."""
    skipped = {f"{name}.weight" for name in packed}
    state: dict[str, Tensor] = {}
    once: dict[tuple[int, torch.Size], Tensor] = {}
    for name, tensor in model.state_dict().items():
        if name in skipped:
            continue
        key = (tensor.data_ptr(), tensor.shape)
        if key not in once:
            once[key] = tensor.to("cpu", dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
        state[name] = once[key]
    return state, sum(tensor.nbytes for tensor in once.values())


def _settings(
    model: nn.Module, format: str, scheme: Scheme | None, packed: Mapping[str, Any]
) -> dict[str, Json] | None:
    """Return quantization_config; None for plain weights."""
    if not packed or scheme is None:
        return None
    left = [name for name, module in model.named_modules() if isinstance(module, nn.Linear) and name not in packed]
    if format != "compressed-tensors":  # the others take it for granted that the head stays as it is
        left = [name for name in left if name != "lm_head"]
    return LAYOUTS[format].settings(scheme, left)


def _write_config(folder: Path, dtype: torch.dtype, settings: dict[str, Json] | None) -> None:
    """Say in config.json what transformers cannot know: the stored dtype and the layout."""
    file = folder / "config.json"
    config = json.loads(file.read_text("utf-8"))
    config["dtype"] = str(dtype).removeprefix("torch.")
    config.pop("quantization_config", None)
    if settings is not None:
        config["quantization_config"] = settings
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
