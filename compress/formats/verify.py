"""Reads an export back and compares it, weight by weight and by its outputs, with the model in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from acgym.compress.formats.files import WeightFiles
from acgym.compress.formats.layouts import LAYOUTS
from acgym.compress.formats.stored import Piece, pieces
from acgym.compress.formats.write import stored_dtype
from acgym.compress.methods.activations import Format, TokenQuantiser, input_format
from acgym.compress.walk.projections import is_experts
from acgym.types import Json

CHUNK = 1 << 20
"""Weights that are compared at a time."""


class ExportDiffers(RuntimeError):
    """An export that is not what it should be; it must not be used."""


def verify_weights(model: Any, folder: Path, expected_bytes: int) -> None:
    """Compare every weight of an export with the model in memory, and the size of the files with what was planned.

    Args:
        model: the model that was written, as it is in memory.
        folder: the export.
        expected_bytes: what :func:`acgym.compress.formats.write.write_checkpoint` returned.

    Raises:
        ExportDiffers: if a weight or the size differs, or a tensor is missing or has no place in the model.
    """
    settings = json.loads((folder / "config.json").read_text("utf-8")).get("quantization_config") or {}
    unsaved = set(getattr(model, "_keys_to_ignore_on_save", None) or ())
    places = {name: piece for name, piece in pieces(model).items() if name not in unsaved}
    with ExitStack() as stack:
        files = WeightFiles.open(folder, stack)
        verify_size(sum(map(files.nbytes, files.files)), expected_bytes)
        verify_tensors(files, settings, places, model.state_dict(), tolerance(stored_dtype(model), model.dtype))


def tolerance(stored: torch.dtype, held: torch.dtype) -> float:
    """Return the share of itself by which a weight may differ between a file and the memory that it was written from.

    Scales are stored in 16 bits (2^-10 covers their rounding and that of a product); the rest is what the dtypes of
    file and memory resolve.
    """
    return 2.0**-10 + torch.finfo(stored).eps + torch.finfo(held).eps


def verify_size(size: int, expected: int) -> None:
    """Compare the bytes of an export's tensors with those that the formula of its layout gives.

    Raises:
        ExportDiffers: if they differ.
    """
    if size != expected:
        raise ExportDiffers(f"the export holds {size} bytes of weights where its layout should take {expected}")


def verify_tensors(
    files: WeightFiles,
    settings: Mapping[str, Json],
    places: Mapping[str, Piece | None],
    memory: Mapping[str, Tensor],
    relative: float,
) -> None:
    """Compare all tensors of weight files with the parameters that they stand for.

    A weight w may differ by ``relative`` * |w|, and by the resolution of 16-bit scales near zero. Nothing else may
    differ, nothing may be missing, and nothing may be there that the model has no place for.

    Args:
        files: what was written of a model, or of a part of it.
        settings: quantization_config; empty if no weight is packed.
        places: name of each tensor of the dense checkpoint -> where it stands in ``memory``; what is None is computed
            and not compared.
        memory: parameters and buffers as they were written, by full name.
        relative: see :func:`tolerance`.

    Raises:
        ExportDiffers: naming the tensor.
    """
    packed = files.quantised()
    plain = [name for name in files.files if name.endswith(".bias") or name.rpartition(".")[0] not in packed]
    seen: set[int] = set()
    for name in (*(f"{module}.weight" for module in packed), *plain):
        if name not in places:
            raise ExportDiffers(f"the export holds {name}, for which the model has no place")
        piece = places[name]
        if piece is not None:
            held = piece.of(memory[piece.name].contiguous())
            seen.add(held.data_ptr())
            _compare(name, _stored(name, files, settings, packed), held, relative)
    for name, piece in places.items():
        if piece is not None and piece.of(memory[piece.name].contiguous()).data_ptr() not in seen:
            raise ExportDiffers(f"the export lacks {name}")


def _stored(name: str, files: WeightFiles, settings: Mapping[str, Json], packed: Mapping[str, Sequence[str]]) -> Tensor:
    """Return a weight or another tensor as the files hold it, unpacked."""
    module, _, leaf = name.rpartition(".")
    if module not in packed or leaf == "bias":
        return files.get(name)
    stored = {part: files.get(f"{module}.{part}") for part in packed[module]}
    return LAYOUTS[settings["quant_method"]].unpack_linear(stored, settings)


def _compare(name: str, stored: Tensor, held: Tensor, relative: float) -> None:
    """Compare one weight, some of it at a time: the arithmetic takes several times its memory."""
    if stored.shape != held.shape:
        raise ExportDiffers(f"{name} is {tuple(stored.shape)} in the export and {tuple(held.shape)} in memory")
    largest = 0.0
    pairs = zip(torch.split(stored.flatten(), CHUNK), torch.split(held.detach().flatten(), CHUNK), strict=True)
    for one, other in pairs:
        wanted = other.to("cpu", torch.float32)
        off = (one.float() - wanted).abs()
        # A number that is none fails too.
        if not bool((off - relative * wanted.abs() <= 256 * 2.0**-25).all()):
            largest = max(largest, float(off.max()), key=lambda number: (number != number, number))
    if largest:
        raise ExportDiffers(f"{name} differs by up to {largest:.3g} in the export")


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


def logit_error(model: nn.Module, got: Tensor, wanted: Tensor) -> float:
    """Return the relative error of a model's logits, (sequences, tokens, vocabulary), against those wanted.

    Of a mixture of experts it is the median over the tokens: a router is a switch, which the last bit of a score turns
    for a token now and then, whereas a weight that is wrong shows in all of them.
    """
    if not any(map(is_experts, model.modules())):
        return relative_error(got, wanted)
    pairs = zip(got.flatten(0, -2), wanted.flatten(0, -2), strict=True)
    return float(torch.tensor([relative_error(*pair) for pair in pairs]).median())
