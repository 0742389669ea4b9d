"""A model without weights, into which they are put piece by piece."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from acgym.compress.formats.stored import Piece, by_parameter, pieces, single_precision, whole
from acgym.compress.stream.source import DTYPES, Source


def skeleton(source: Source, dtype: torch.dtype) -> nn.Module:
    """Return the model of a folder with all parameters on the meta device, ready to be filled piece by piece.

    Buffers that no checkpoint holds (rotary frequencies) are real.

    Raises:
        ValueError: if transformers ships no such causal language model.
    """
    from transformers import AutoModelForCausalLM

    with _parameters_on_meta():
        try:
            auto: Any = AutoModelForCausalLM
            model: nn.Module = auto.from_config(source.config, trust_remote_code=False, dtype=dtype)
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{source.folder} is no causal language model that transformers ships: {reason}") from None
    return model.eval()


@contextmanager
def _parameters_on_meta() -> Iterator[None]:
    """Move every parameter to the meta device as soon as a module registers it; its memory was never touched."""
    register = nn.Module.register_parameter

    def on_meta(module: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if param is not None and param.device.type != "meta":
            param = nn.Parameter(param.detach().to("meta"), requires_grad=False)
        register(module, name, param)

    nn.Module.register_parameter = on_meta  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


@dataclass(frozen=True)
class Stored:
    """A folder's tensors as the parameters of its skeleton."""

    model: nn.Module
    source: Source
    pieces: Mapping[str, Mapping[str, Piece]]
    """Name of each parameter and buffer in the model -> the folder's tensors that it is made of: one with all of it, or
    one for each matrix of each expert where the model holds experts stacked. Tied parameters name the same tensors."""
    single: frozenset[str]
    """Names of those that stay in float32, whatever the model's dtype is."""

    @classmethod
    def of(cls, model: nn.Module, source: Source) -> Stored:
        """Look up where each parameter is. Buffers that the folder does not hold are left out: the skeleton's are real.

        Raises:
            ValueError: if the folder lacks a parameter or holds one of another shape or of integers.
        """
        aliases: dict[int, list[str]] = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            aliases.setdefault(id(parameter), []).append(name)
        buffers = dict(model.named_buffers())
        kept = [name for name in model.state_dict() if name in buffers and name in source.shapes]
        stored = {name: {name: whole(name, buffers[name])} for name in kept}
        converted: dict[str, dict[str, Piece]] | None = None
        for names in aliases.values():
            held = next((name for name in names if name in source.shapes), None)
            if held is not None:
                found = {held: whole(held, model.get_parameter(held))}
            else:
                converted = by_parameter(pieces(model)) if converted is None else converted
                found = converted.get(names[0], {})
            _check_stored(model, source, names[0], found)
            stored |= dict.fromkeys(names, found)
        return cls(model, source, stored, single_precision(model, source.dtype))

    def read(self, name: str) -> Tensor:
        """Return a parameter or buffer, on the CPU, in the skeleton's dtype, or in float32 if it is kept so.

        It is rounded to the folder's dtype before, as transformers loads it.
        """
        path, _, leaf = name.rpartition(".")
        meta: Tensor = getattr(self.model.get_submodule(path), leaf)
        found = self.pieces[name]
        rounded, dtype = (torch.float32,) * 2 if name in self.single else (self.source.dtype, meta.dtype)
        stored, piece = next(iter(found.items()))
        if piece.shape == tuple(meta.shape):
            return self.source.read(stored, rounded, dtype)
        joined = torch.empty(meta.shape, dtype=dtype)
        for stored, piece in found.items():
            piece.of(joined).copy_(self.source.read(stored, rounded, dtype))
        return joined


def _check_stored(model: nn.Module, source: Source, name: str, found: Mapping[str, Piece]) -> None:
    """Refuse a parameter that the folder does not hold as it should."""
    size = sum(math.prod(piece.shape) for piece in found.values())
    lacking = [stored for stored in found if stored not in source.shapes]
    if lacking or size != model.get_parameter(name).numel():
        lacking = lacking or [name]
        near = next((stored for stored in source.shapes if stored.endswith(name.split(".", 1)[-1])), None)
        hint = f"; it has {near!r} instead" if near else ""
        raise ValueError(
            f"{source.folder} holds no tensor {lacking[0]!r} of {type(model).__name__}{hint}. Streaming reads what "
            "transformers saves; load the model with transformers and save it, or use compress() on it"
        )
    for stored, piece in found.items():
        if source.shapes[stored] != piece.shape:
            raise ValueError(f"{stored} in {source.folder} has shape {source.shapes[stored]}, expected {piece.shape}")
        if source.dtypes[stored] not in DTYPES:
            raise ValueError(f"{stored} holds {source.dtypes[stored]}: it is quantised already; use the dense model")


def put(model: nn.Module, name: str, tensor: Tensor) -> None:
    """Set a parameter or buffer by its full name."""
    path, _, leaf = name.rpartition(".")
    module = model.get_submodule(path)
    if leaf in module._buffers:
        module._buffers[leaf] = tensor
    else:
        module._parameters[leaf] = tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor, False)


def fill(stored: Stored, names: Iterable[str], device: torch.device) -> None:
    """Read parameters and buffers, and put them where they belong; those that are tied stay one."""
    tied: dict[str, nn.Parameter] = {}
    for name in names:
        first = next(iter(stored.pieces[name]))
        if first not in tied:
            tied[first] = nn.Parameter(stored.read(name).to(device), requires_grad=False)
        put(stored.model, name, tied[first])


def empty(module: nn.Module) -> None:
    """Let go of all weights of a module: its parameters go to the meta device."""
    for inner in module.modules():
        for leaf, parameter in inner._parameters.items():
            if parameter is not None:
                inner._parameters[leaf] = nn.Parameter(parameter.detach().to("meta"), requires_grad=False)


def move_buffers(model: nn.Module, device: torch.device) -> None:
    """Bring all buffers to a device."""
    for module in model.modules():
        for leaf, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[leaf] = buffer.to(device)
