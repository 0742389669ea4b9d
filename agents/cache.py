"""Key-value caches: one that copies nothing per step, and the memory that carries it from turn to turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_ROOM = 128
"""Positions that a layer is given ahead of need."""

Past: TypeAlias = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of one conversation so far: per layer, (heads, tokens, head size) each."""


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
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < end:
            self._buffers = (
                _grown(cast(torch.Tensor, self.keys), key_states, start, end),
                _grown(cast(torch.Tensor, self.values), value_states, start, end),
            )
        keys, values = self._buffers
        keys[..., start:end, :] = key_states
        values[..., start:end, :] = value_states
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values

    @classmethod
    def holding(cls, keys: torch.Tensor, values: torch.Tensor, width: int) -> RoomyLayer:
        """Make a layer from buffers, (rows, heads, positions, head size) each; ``width`` positions are taken."""
        layer = cls()  # type: ignore[no-untyped-call]
        layer.lazy_initialization(keys, values)
        layer._buffers = (keys, values)
        layer.keys, layer.values = keys[..., :width, :], values[..., :width, :]
        return layer

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Keep the given rows, in the given order."""
        super().reorder_cache(beam_idx)
        self._buffers = None


def _grown(old: torch.Tensor, new: torch.Tensor, start: int, end: int) -> torch.Tensor:
    """Return a buffer with room that begins with what is there."""
    buffer = new.new_empty(*new.shape[:-2], end + _ROOM, new.shape[-1])
    if start:
        buffer[..., :start, :] = old
    return buffer


def roomy_cache(config: Any, pasts: Sequence[Past | None] = (), room: int = _ROOM) -> DynamicCache:
    """Make a cache for a batch.

    Args:
        config: the model's configuration. Layers with a sliding window or another kind of memory keep transformers' own
            form.
        pasts: for each row what it has seen, or None. They are written at the end of the same positions (zeros before),
            so the attention mask must leave out what is not theirs.
        room: free positions after the pasts.
    """
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]  # type: ignore[no-untyped-call]
    known = [past for past in pasts if past is not None]
    if known:
        width = max(past[0][0].shape[-2] for past in known)
        cache.layers = [
            RoomyLayer.holding(
                _stacked(pasts, i, 0, known[0], width, room), _stacked(pasts, i, 1, known[0], width, room), width
            )
            for i in range(len(cache.layers))
        ]
    return cache


def _stacked(pasts: Sequence[Past | None], layer: int, part: int, example: Past, width: int, room: int) -> torch.Tensor:
    """Stack keys (part 0) or values (part 1) of one layer, flush right in (rows, heads, width + room, head size)."""
    like = example[layer][part]
    states = like.new_empty(len(pasts), like.shape[0], width + room, like.shape[-1])
    for row, past in enumerate(pasts):
        free = width if past is None else width - past[layer][part].shape[-2]
        states[row, :, :free] = 0
        if past is not None:
            states[row, :, free:width] = past[layer][part]
    return states


def can_be_carried(cache: DynamicCache) -> bool:
    """Say whether rows of this cache can go on in another batch: all its layers hold every position."""
    return all(isinstance(layer, RoomyLayer) for layer in cache.layers)


def past_of(cache: DynamicCache, row: int, mask: torch.Tensor) -> Past:
    """Copy one row out of a cache; ``mask``, (positions,), is 1 where the row has a token."""
    kept = mask.nonzero()[:, 0]
    layers = cast(list[Any], cache.layers)
    return [(layer.keys[row][:, kept], layer.values[row][:, kept]) for layer in layers]


class Memory:
    """Remembers the pasts of conversations by their tokens, the least recently used forgotten first.

    Nothing but speed depends on it: a conversation that is not remembered is read again from its first token.

    Args:
        max_bytes: most bytes of keys and values held.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._pasts: OrderedDict[tuple[int, ...], Past] = OrderedDict()

    def put(self, ids: tuple[int, ...], past: Past) -> None:
        """Remember the past of the conversation ``ids``, all its tokens but the last."""
        self.pop(ids)
        self._pasts[ids] = past
        self.bytes += _size(past)
        while self.bytes > self.max_bytes:
            self.pop(next(iter(self._pasts)))

    def pop(self, ids: tuple[int, ...]) -> Past | None:
        """Return the past of the conversation ``ids`` and forget it; None if it is not remembered."""
        past = self._pasts.pop(ids, None)
        if past is not None:
            self.bytes -= _size(past)
        return past


def _size(past: Past) -> int:
    return sum(part.numel() * part.element_size() for layer in past for part in layer)
