"""Activations in 8 bits: the inputs of a projection are rounded token by token while the model runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

Format: TypeAlias = Literal["int8", "fp8"]
"""``int8``: 255 equal steps; ``fp8``: e4m3 floating point. Both with one scale per token, taken as the token comes."""

INT8_MAX = 127
FP8_MAX = 448.0
"""Largest finite value of float8_e4m3fn."""


def quantise_tokens(x: Tensor, form: Format) -> Tensor:
    """Round every token to 8 bits and back ("dynamic per-token" quantisation, symmetric).

    The scale of a token is max|x| / 127 (int8) or max|x| / 448 (e4m3), in float32; integers round halves to even, and
    so does the cast to e4m3. Nothing overflows: the largest entry of a token is the largest value of the format.

    Args:
        x: (..., features), floating point; a token is a vector along the last dimension.
        form: the 8-bit format.

    Returns:
        Same shape and dtype. A token of zeros stays zero, one with a NaN or an infinity is no number in the end.

    Raises:
        ValueError: for an unknown format.
    """
    if form not in ("int8", "fp8"):
        raise ValueError(f"activations are quantised to 'int8' or 'fp8', got {form!r}")
    values = x if x.dtype == torch.float64 else x.float()
    top = INT8_MAX if form == "int8" else FP8_MAX
    scale = values.abs().amax(-1, keepdim=True) / top
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    scaled = (values / scale).clamp(-top, top)
    codes = torch.round(scaled) if form == "int8" else scaled.to(torch.float8_e4m3fn).to(values.dtype)
    return (codes * scale).to(x.dtype)


@dataclass(frozen=True, slots=True)
class TokenQuantiser:
    """A forward pre-hook that rounds the input of a projection. It holds no state, so copies of the model share it."""

    form: Format

    def __call__(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of the projection with the first rounded."""
        return (quantise_tokens(args[0], self.form), *args[1:])


def quantise_inputs(module: nn.Module, form: Format) -> None:
    """Make a projection round its inputs from now on; a format that it had before is replaced.

    The hook is part of the module: ``copy.deepcopy`` keeps it, ``state_dict`` does not.
    """
    hooks = module._forward_pre_hooks
    for key in [key for key, hook in hooks.items() if isinstance(hook, TokenQuantiser)]:
        del hooks[key]
    module.register_forward_pre_hook(TokenQuantiser(form))


def input_format(module: nn.Module) -> Format | None:
    """Return the format to which a projection rounds its inputs; None if it takes them as they are."""
    found = [hook.form for hook in module._forward_pre_hooks.values() if isinstance(hook, TokenQuantiser)]
    return found[-1] if found else None
