"""A model without weights, into which they are put piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from acgym.compress.stream_source import DTYPES, Source


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


def stored_names(model: nn.Module, source: Source) -> dict[str, str]:
    """Return name of each parameter and buffer in the model -> name in the folder; tied ones are stored once or more.

    Buffers that the folder does not hold are left out: the skeleton's are real.

    Raises:
        ValueError: if the folder lacks a parameter or holds one of another shape or of integers.
    """
    aliases: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        aliases.setdefault(id(parameter), []).append(name)
    stored = {name: name for name, _ in model.named_buffers() if name in source.shapes}
    for names in aliases.values():
        held = [name for name in names if name in source.shapes]
        if not held:
            near = next((name for name in source.shapes if name.endswith(names[0].split(".", 1)[-1])), None)
            hint = f"; it has {near!r} instead" if near else ""
            raise ValueError(
                f"{source.folder} holds no tensor {names[0]!r} of {type(model).__name__}{hint}. Streaming reads the "
                "layout that the model has in memory (mixtures of experts are stored in another one): load the model "
                "with transformers and use compress() on it"
            )
        for name in held:
            want = tuple(model.get_parameter(name).shape)
            if source.shapes[name] != want:
                raise ValueError(f"{name} in {source.folder} has shape {source.shapes[name]}, expected {want}")
            if source.dtypes[name] not in DTYPES:
                raise ValueError(f"{name} holds {source.dtypes[name]}: it is quantised already; use the dense model")
        stored |= {name: name if name in held else held[0] for name in names}
    return stored


def put(model: nn.Module, name: str, tensor: Tensor) -> None:
    """Set a parameter or buffer by its full name."""
    path, _, leaf = name.rpartition(".")
    module = model.get_submodule(path)
    if leaf in module._buffers:
        module._buffers[leaf] = tensor
    else:
        module._parameters[leaf] = tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor, False)


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
