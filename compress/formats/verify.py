"""Reads an export back and compares it, weight by weight, with the model in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from acgym.compress.activations import Format, TokenQuantiser, input_format
from acgym.compress.formats.files import WeightFiles, tensor_bytes
from acgym.compress.formats.layouts import LAYOUTS
from acgym.compress.formats.write import stored_dtype


class ExportDiffers(RuntimeError):
    """An export that is not what it should be; it must not be used."""


def verify_weights(model: Any, folder: Path, expected_bytes: int) -> None:
    """Compare every weight of an export with the model in memory, and the size of the files with what was planned.

    A weight w may differ by (2^-10 + what the dtypes of file and memory resolve) * |w|, and by the resolution of 16-bit
    scales near zero: scales are stored in 16 bits. Nothing else may differ.

    Args:
        model: the model that was written, as it is in memory.
        folder: the export.
        expected_bytes: what :func:`acgym.compress.formats.write.write_checkpoint` returned.

    Raises:
        ExportDiffers: if a weight or the size differs.
    """
    size = tensor_bytes(folder)
    if size != expected_bytes:
        raise ExportDiffers(f"the export holds {size} bytes of weights where its layout should take {expected_bytes}")
    settings = json.loads((folder / "config.json").read_text("utf-8")).get("quantization_config") or {}
    memory = dict(model.state_dict())
    relative = 2.0**-10 + torch.finfo(stored_dtype(model)).eps + torch.finfo(model.dtype).eps
    with ExitStack() as stack:
        files = WeightFiles.open(folder, stack)
        packed = files.quantised()
        for name, parts in packed.items():
            stored = {part: files.get(f"{name}.{part}") for part in parts}
            weight = LAYOUTS[settings["quant_method"]].unpack_linear(stored, settings)
            _compare(f"{name}.weight", weight, memory[f"{name}.weight"], relative)
        for name in files.files:
            module, _, part = name.rpartition(".")
            if name in memory and (module not in packed or part == "bias"):
                _compare(name, files.get(name), memory[name], relative)


def _compare(name: str, stored: Tensor, held: Tensor, relative: float) -> None:
    """Compare one weight."""
    held = held.detach().to("cpu", torch.float32)
    if stored.shape != held.shape:
        raise ExportDiffers(f"{name} is {tuple(stored.shape)} in the export and {tuple(held.shape)} in memory")
    off = (stored.float() - held).abs() - relative * held.abs()
    if not bool((off <= 256 * 2.0**-25).all()):
        raise ExportDiffers(f"{name} differs by up to {float((stored.float() - held).abs().max()):.3g} in the export")


class Outputs(NamedTuple):
    """What a model answers, to be compared."""

    logits: Tensor
    """(sequences, tokens, vocabulary), float32, on the CPU."""
    rounded: dict[str, Format]
    """Name of each projection that rounds its inputs to the format."""


def outputs_of(model: Any, tokens: int = 64, sequences: int = 2, seed: int = 0) -> Outputs:
    """Return a model's logits on token ids drawn at random, with activations as they are, and which it would round.

    Rounding of activations is left out because it magnifies the last bit of a norm, which files store in 16 bits: it
    decides which way some activation goes, by a whole step.
    """
    vocabulary = model.get_input_embeddings().weight.shape[0]
    ids = torch.randint(vocabulary, (sequences, tokens), generator=torch.Generator().manual_seed(seed))
    rounded = {name: form for name, module in model.named_modules() if (form := input_format(module)) is not None}
    with torch.no_grad(), _unrounded(model):
        logits: Tensor = model(input_ids=ids.to(model.device), use_cache=False).logits
    return Outputs(logits.float().cpu(), rounded)


@contextmanager
def _unrounded(model: nn.Module) -> Iterator[None]:
    """Leave activations as they are for a while."""
    taken = []
    for module in model.modules():
        hooks = module._forward_pre_hooks
        taken += [(hooks, key, hooks.pop(key)) for key, hook in list(hooks.items()) if isinstance(hook, TokenQuantiser)]
    try:
        yield
    finally:
        for hooks, key, hook in taken:
            hooks[key] = hook


def relative_error(got: Tensor, wanted: Tensor) -> float:
    """||got - wanted|| / ||wanted||, Frobenius norms; infinite where a number is not finite."""
    error = float((got - wanted).norm() / wanted.norm())
    return error if error == error else float("inf")
