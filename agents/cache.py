"""A key-value cache with room to grow: a step writes its own token and copies nothing."""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_ROOM = 128
"""Positions that a layer is given ahead of need."""


class RoomyLayer(DynamicLayer):
    """Keys and values of one full-attention layer in a buffer with free positions at its end.

    transformers' own ``DynamicLayer`` concatenates at every step, which copies all keys and values of the layer for
    each generated token. The result is the same: :attr:`keys` and :attr:`values` are views of what has been written.
    """

    _buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values, (rows, heads, new positions, head size) each; return all that are there."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)  # type: ignore[no-untyped-call]
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < end:
            self._buffers = (
                _grown(self.keys, key_states, start, end),
                _grown(self.values, value_states, start, end),
            )
        keys, values = self._buffers
        keys[..., start:end, :] = key_states
        values[..., start:end, :] = value_states
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Keep the given rows, in the given order."""
        super().reorder_cache(beam_idx)  # type: ignore[no-untyped-call]
        self._buffers = None


def _grown(old: torch.Tensor, new: torch.Tensor, start: int, end: int) -> torch.Tensor:
    """Return a buffer with room that begins with what is there."""
    buffer = new.new_empty(*new.shape[:-2], end + _ROOM, new.shape[-1])
    if start:
        buffer[..., :start, :] = old
    return buffer


def roomy_cache(config: Any) -> DynamicCache:
    """Make an empty cache for a model; layers with a sliding window or another memory keep transformers' own form."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
