"""Writes a compressed model as a checkpoint: packed weights, configuration, and what it should take on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers.utils import logging

from acgym.compress.formats.layouts import Kept
from acgym.compress.formats.packing import Packing, all_projections, packing_of
from acgym.compress.formats.scheme import Scheme
from acgym.compress.formats.stored import Piece, by_parameter, pieces, single_precision, whole
from acgym.compress.walk.projections import Projection
from acgym.types import Json


def check_model(model: Any, format: str, scheme: Scheme | None, ignored: Collection[str] = ()) -> None:
    """Refuse a model that a format cannot hold, before anything is compressed.

    Raises:
        ValueError: as :func:`acgym.compress.formats.packing.packing_of`.
    """
    if format != "dense" and scheme is not None:
        packing_of(model, format, scheme, pieces(model), ignored)


def write_checkpoint(
    model: Any, folder: Path, format: str, scheme: Scheme | None, kept: Kept, ignored: Collection[str] = ()
) -> int:
    """Write weights and configuration of a compressed model into a folder.

    Weights that are not packed keep the dtype of config.json (16 bits as a rule), whatever dtype the model is held in.

    Args:
        model: the compressed model, a transformers causal LM.
        folder: where to; it must exist.
        format: ``gptq``, ``awq``, ``compressed-tensors`` or ``dense``.
        scheme: how the recipe left the weights; None or ``dense`` write plain weights.
        kept: what ``compress`` handed on.
        ignored: full names of projections that were not compressed; they are written as they are.

    Returns:
        Bytes that all tensors together must take, by the formula of the layout.

    Raises:
        ValueError: if a weight cannot be stored.
        OSError: if the disk is full.
    """
    dtype = stored_dtype(model)
    plain = format == "dense" or scheme is None
    places = {} if plain else pieces(model)
    packing = packing_of(model, format, scheme, places, ignored)
    single = single_precision(model, dtype)
    state, expected = state_of(
        *(model.state_dict(), all_projections(model), by_parameter(places), packing),
        lambda name: torch.float32 if name in single else dtype,
        kept,
    )
    try:
        with quiet(), _same_config(model):
            model.save_pretrained(folder, state_dict=state, save_original_format=plain)
    except SafetensorError as error:
        raise OSError(f"cannot write the weights into {folder}: {error}") from None
    for file in folder.glob("*.safetensors"):  # they are made readable for their owner alone
        file.chmod((folder / "config.json").stat().st_mode)
    _write_config(folder, dtype, packing.settings())
    return expected


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the progress bar of transformers off the terminal."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextmanager
def _same_config(model: Any) -> Iterator[None]:
    """Keep the dtype in a model's configuration: saving overwrites it with that of memory."""
    dtype = model.config.dtype
    try:
        yield
    finally:
        model.config.dtype = dtype


def stored_dtype(model: Any) -> torch.dtype:
    """Return the dtype of weights that are not packed: that of the source, as config.json names it."""
    dtype = getattr(model.config, "dtype", None)
    return dtype if isinstance(dtype, torch.dtype) and dtype.is_floating_point else torch.float16


def state_of(
    state: Mapping[str, Tensor],
    linears: Mapping[str, Projection],
    inside: Mapping[str, Mapping[str, Piece]],
    packing: Packing,
    dtype_of: Callable[[str], torch.dtype],
    kept: Kept,
) -> tuple[dict[str, Tensor], int]:
    """Return the tensors that a checkpoint holds of a model, or of a part of it, and the bytes that they must take.

    Args:
        state: the parameters and buffers, by full name in memory.
        linears: full name to projection of all that are in ``state``.
        inside: name of each parameter -> the checkpoint's tensors that are parts of it; one that is missing is stored
            under its name in memory.
        packing: what is packed.
        dtype_of: name of a parameter that is not packed -> the dtype in which it is stored.
        kept: what ``compress`` handed on.

    Returns:
        Tensors on the CPU by their names in the checkpoint; tied ones once. Bytes by the formulas of the layout.
    """
    packed = {f"{module}.weight" for parts in packing.parts.values() for module in parts}
    tensors: dict[str, Tensor] = {}
    seen: set[tuple[int, torch.Size]] = set()
    for name, tensor in state.items():
        for stored, piece in inside.get(name, {name: whole(name, tensor)}).items():
            part = piece.of(tensor.contiguous())
            if stored not in packed and (part.data_ptr(), part.shape) not in seen:
                seen.add((part.data_ptr(), part.shape))
                tensors[stored] = part.to(
                    "cpu", dtype_of(name) if part.is_floating_point() else part.dtype
                ).contiguous()
    expected = sum(tensor.nbytes for tensor in tensors.values())
    for name, projection in linears.items():
        if name in packing.parts:
            tensors |= packing.tensors(name, kept, projection.weight)
            expected += packing.stored_bytes(name, projection.in_features)
    return tensors, expected


def _write_config(folder: Path, dtype: torch.dtype, settings: dict[str, Json] | None) -> None:
    """Say in config.json what transformers cannot know: the stored dtype and the layout."""
    file = folder / "config.json"
    config = json.loads(file.read_text("utf-8"))
    config["dtype"] = str(dtype).removeprefix("torch.")
    config.pop("quantization_config", None)
    if settings is not None:
        config["quantization_config"] = settings
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
