"""Reads quantised checkpoints, whoever made them, into dense models that compute what the checkpoint means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor, nn

from acgym.compress.formats.build import build
from acgym.compress.formats.compressed_tensors_config import input_format
from acgym.compress.formats.facts import Sizes, facts_of
from acgym.compress.formats.files import WeightFiles
from acgym.compress.formats.foreign import read_by_transformers
from acgym.compress.formats.gguf import read_gguf
from acgym.compress.formats.layouts import LAYOUTS
from acgym.compress.methods.activations import Format, quantise_inputs
from acgym.model_files.quantisation import Quantisation, check_readable, quantisation
from acgym.types import Json


def read_checkpoint(folder: Path, hold: Callable[[int, torch.dtype], torch.dtype]) -> tuple[nn.Module, dict[str, Json]]:
    """Load a quantised checkpoint: GPTQ, AWQ and compressed-tensors with nothing but torch and transformers.

    Of these three the model that comes back is dense. Weights are multiplied out in float32 and kept in the dtype that
    ``hold`` names, so outputs are those of the checkpoint up to that dtype's rounding. Where the checkpoint quantises
    the inputs of its projections (W8A8, FP8), they are rounded here as well. Nothing in the folder is trusted: see
    Raises. Any other method is left to transformers and what it needs; the model then runs as that library runs it.

    Args:
        folder: holds config.json with a quantization_config, and safetensors weights; or a GGUF file, see
            :func:`acgym.compress.formats.gguf.read_gguf`.
        hold: from the number of parameters and the dtype in config.json to the dtype of the model.

    Returns:
        The model, on the CPU, and what the record should say of it: ``quant_method``, ``format``, ``bits``,
        ``group_size`` (-1: whole rows), ``symmetric``, ``act_order`` (None where the checkpoint does not say),
        ``activations``, ``bits_per_weight`` (of the quantised weights, all that is stored for them counted),
        ``weight_bytes`` (of all tensors) and ``bytes_on_disk`` (of the weight files). Of another method:
        ``quant_method``, ``bits``, ``bits_per_weight`` (None where it cannot be told) and the bytes.

    Raises:
        ValueError: if the checkpoint is not quantised, in a variant that is not read here, or damaged: tensors that are
            missing, of wrong shapes or dtypes, not finite, with indices out of range, or that do not make the model
            that config.json describes.
    """
    from transformers import AutoConfig, GenerationConfig

    if folder.is_file():
        return read_gguf(folder, hold)
    found = quantisation(json.loads((folder / "config.json").read_text("utf-8")), folder)
    if found is None:
        raise ValueError(f"{folder} holds no quantised weights: config.json has no quantization_config")
    check_readable(found)
    if found.method not in LAYOUTS:
        return read_by_transformers(folder, found)
    form = input_format(found.settings) if found.method == "compressed-tensors" else None
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    stored = config.dtype if isinstance(config.dtype, torch.dtype) else torch.float32
    with ExitStack() as stack:
        tensors = WeightFiles.open(folder, stack)
        dtype = hold(tensors.count(), stored)
        sizes = Sizes()
        state = dict(_dense(tensors, found, dtype, sizes))
    model = build(folder, config, state, dtype)
    if (folder / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder)
    if form is not None:
        _round_inputs(model, sizes.names, form)
    return model, facts_of(found, sizes, form, tensors.bytes_on_disk)


def _round_inputs(model: nn.Module, names: Sequence[str], form: Format) -> None:
    """Make projections round their inputs."""
    for name in names:
        try:
            quantise_inputs(model.get_submodule(name), form)
        except AttributeError:
            raise ValueError(f"{name} is one matrix of fused experts; no inputs are rounded there") from None


def _dense(tensors: WeightFiles, found: Quantisation, dtype: torch.dtype, sizes: Sizes) -> Iterator[tuple[str, Tensor]]:
    """Go through the tensors of the dense model, one alive at a time, and add up what they took in the file."""
    layout = LAYOUTS[found.method]
    quantised = tensors.quantised()
    if not quantised:
        raise ValueError(f"config.json says that the weights are quantised by {found.method}, but none of them is")
    for name, parts in quantised.items():
        known = {part: tensors.get(f"{name}.{part}") for part in parts if part in layout.PARTS}
        try:
            weight: Tensor = layout.unpack_linear(known, found.settings)
        except ValueError as error:
            raise ValueError(f"{name} in the checkpoint is damaged: {error}") from None
        sizes.names.append(name)
        sizes.weights += weight.numel()
        sizes.packed_bytes += sum(tensor.nbytes for tensor in known.values())
        yield f"{name}.weight", weight.to(dtype)
    for full in tensors.files:
        module, _, part = full.rpartition(".")
        if module not in quantised or part == "bias":
            tensor = tensors.get(full)
            sizes.other_bytes += tensor.nbytes
            yield full, tensor.to(dtype) if tensor.is_floating_point() else tensor
