"""Keys and values of the cache in fewer bits: what is rounded, what it takes, and how a cache is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from acgym.compress.methods.activations import FP8_MAX
from acgym.compress.options.model import KvFormat, KvOptions
from acgym.compress.options.weights import PER_CHANNEL

SCALE_BYTES = 2
"""Bytes of a group's scale, and again of its offset."""


def quantise_keys_values(states: Tensor, form: KvFormat, group: int = PER_CHANNEL) -> Tensor:
    """Round keys or values and back, each head of each token on grids of its own.

    Integers are asymmetric: a group of g neighbours of a head spans [min, max] in 2^bits - 1 steps. The offset is min
    itself and need not be a whole number of steps (unlike a weight's zero point). No token depends on another, so keys
    and values can be rounded as they come, in pieces of any length. ``fp8`` is e4m3 with the scale 1: what lies beyond
    448 is cut.

    Args:
        states: (..., heads, tokens, head size), floating point.
        form: bits of the integers, ``"fp8"``, or 16, which changes nothing.
        group: features of a head that share a grid; it divides the head size. -1: all of a head.

    Returns:
        Same shape and dtype; of integers at most 2^bits different values in each group. Rounding a second time changes
        nothing but the last digit.
    """
    if form == 16:
        return states
    if form == "fp8":
        return states.clamp(-FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn).to(states.dtype)
    size = states.shape[-1]
    values = states if states.dtype == torch.float64 else states.float()
    grouped = values.reshape(*values.shape[:-1], -1, size if group == PER_CHANNEL else group)
    low, high = grouped.amin(-1, keepdim=True), grouped.amax(-1, keepdim=True)
    top = 2**form - 1
    step = high / top - low / top
    step = torch.where(step > 0, step, torch.ones_like(step))
    codes = torch.round((grouped - low) / step).clamp(0, top)
    return (codes * step + low).reshape(states.shape).to(states.dtype)


@dataclass(frozen=True, slots=True)
class CacheQuantiser:
    """What a quantised model carries as ``model.acgym_quantise_cache``: a ``Callable[[Tensor, bool], Tensor]``.

    The contract with a cache: before new keys and new values, (rows, heads, new tokens, head size) each and rotated if
    the model rotates them, are written, each is replaced by what the callable returns. It is called once for each new
    position; what is cached already is never rounded again. A model without the attribute caches as it is.
    """

    options: KvOptions

    def __call__(self, states: Tensor, are_keys: bool) -> Tensor:
        """Round keys or values, see :func:`quantise_keys_values`."""
        form = self.options.keys if are_keys else self.options.values
        return quantise_keys_values(states, form, self.options.group)


def quantise_cache(model: nn.Module, options: KvOptions) -> tuple[str, ...]:
    """Attach a :class:`CacheQuantiser` to a model; no weight changes.

    Returns:
        Notes for the record: what a cached token takes.

    Raises:
        ValueError: if the group does not divide the model's head size.
    """
    config = text_config(model)
    options.check_head(head_size(config))
    model.acgym_quantise_cache = CacheQuantiser(options)  # type: ignore[assignment]
    packed, dense = bytes_per_token(config, options), bytes_per_token(config, None)
    return (f"the key-value cache takes {packed:g} bytes per token instead of {dense:g}",)


def text_config(model: nn.Module) -> Any:
    """Return the configuration of a model's decoder."""
    config: Any = model.config
    return config.get_text_config() if hasattr(config, "get_text_config") else config


def head_size(config: Any) -> int:
    """Return the size of one attention head."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def bytes_per_token(config: Any, options: KvOptions | None) -> float:
    """Count the bytes that one token takes in the cache of all layers, keys and values together.

    Args:
        config: of the decoder: layers, key-value heads, head size. Each layer is counted as if it kept every token,
            also those with a sliding window.
        options: None for an unquantised cache of 16 bits.
    """
    size = head_size(config)
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    group = size if options is None else options.group_size(size)
    forms = (16, 16) if options is None else (options.keys, options.values)
    return float(config.num_hidden_layers * heads * sum(_bytes_per_head(size, group, form) for form in forms))


def _bytes_per_head(size: int, group: int, form: KvFormat) -> float:
    """Count the bytes of one token's keys, or values, in one head: numbers, and of integers each group's grid."""
    if form == "fp8":
        return float(size)
    return size * form / 8 + (0 if form == 16 else size / group * 2 * SCALE_BYTES)
