"""Attention from new tokens to what their own conversations remember, many conversations in one call where possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

from acgym.agents.shelves import LayerShape, Shelf

NAME = "acgym_ragged"
"""Name of the attention function in transformers' registry."""
_FEW = 16
"""New tokens a row up to which query heads that share keys are better told apart as further queries."""


class Group:
    """Neighbouring rows of a shelf that are attended to in one call.

    Args:
        shelf: where they are.
        row: the first of them.
        seen: how many tokens each row holds already.
        counts: how many new tokens each row gets; row after row they lie in the forward pass from ``start`` on.
        start: see ``counts``.
        device: of the model's inputs.
    """

    def __init__(
        self, shelf: Shelf, row: int, seen: Sequence[int], counts: Sequence[int], start: int, device: torch.device
    ) -> None:
        self.shelf, self.row, self.seen = shelf, row, seen
        self.rows, self.widest = len(counts), max(counts)
        self.new = slice(start, start + sum(counts))
        self.end = max(n + count for n, count in zip(seen, counts, strict=True))
        """Positions that are looked at, from the shelf's first."""
        flat = [
            (row + i) * shelf.capacity + at
            for i, (n, count) in enumerate(zip(seen, counts, strict=True))
            for at in range(n, n + count)
        ]
        self.flat = torch.tensor(flat, device=device)
        """Where the new tokens go: row * capacity + position."""
        self.padded: Tensor | None = None
        """Which of rows * widest places the new tokens take; None if all."""
        if min(counts) < self.widest:
            places = [i * self.widest + t for i, count in enumerate(counts) for t in range(count)]
            self.padded = torch.tensor(places, device=device)
        self._masks: dict[tuple[int | None, int], Tensor | None] = {}

    def mask(self, window: int | None, first: int, groups: int, like: Tensor) -> Tensor | None:
        """Return 0 for what a token sees of the positions from ``first`` on, -inf for what it does not.

        (rows, 1, groups * widest, positions), the tokens of a row repeated for each of the groups; None where
        every token sees everything. Layers of one kind share it.
        """
        key = (window, groups)
        if key not in self._masks:
            everything = self.widest == 1 and window is None and min(self.seen) == max(self.seen)
            self._masks[key] = None if everything else self._mask(window, first, groups, like)
        return self._masks[key]

    def _mask(self, window: int | None, first: int, groups: int, like: Tensor) -> Tensor:
        last = torch.tensor(self.seen, device=like.device)[:, None] + torch.arange(self.widest, device=like.device)
        places = torch.arange(first, self.end, device=like.device)
        hidden = places > last[..., None]
        if window is not None:
            hidden |= places <= last[..., None] - window
        mask = torch.zeros(hidden.shape, dtype=like.dtype, device=like.device).masked_fill_(hidden, -torch.inf)
        return mask.repeat(1, groups, 1)[:, None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one forward pass attends."""

    groups: Sequence[Group]
    """Of all tokens of the pass, in their order."""
    quantise: Callable[[Tensor], Tensor] | None = None
    """What keys and values, (heads, tokens, head size), go through on their way in; None for as they are."""

    @property
    def tokens(self) -> int:
        """Number of tokens in the groups."""
        return self.groups[-1].new.stop


@dataclass(slots=True)
class Recorder:
    """Instead of a plan: notes what the layers ask for, and attends to nothing."""

    shapes: dict[int, LayerShape] = field(default_factory=dict)
    windows: dict[int, int | None] = field(default_factory=dict)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    acgym_plan: Plan | Recorder | None = None,
    **unused: Any,
) -> tuple[Tensor, None]:
    """Attend from each row's queries to that row alone; transformers' contract of attention functions.

    Args:
        module: the attention layer; its ``layer_idx`` is read.
        query: (1, heads, tokens, head size).
        key: (1, key-value heads, tokens, head size) of the same tokens.
        value: like ``key``; its head size may be another.
        attention_mask: not read.
        scaling: of the products; None for 1 / sqrt(head size).
        sliding_window: how many tokens, itself included, a token sees; None for all before it.
        softcap: bound of the products, as tanh(x / softcap) * softcap.
        acgym_plan: where the conversations lie.
        unused: what models hand to other attention functions.

    Returns:
        (1, tokens, heads, head size), and None for the weights.

    Raises:
        TypeError: without a plan: the model does not hand on what it is given, or runs while another thread reads.
    """
    if acgym_plan is None:
        raise TypeError("this attention function needs a plan; it is only for acgym's own reading of a model")
    layer = module.layer_idx
    if isinstance(acgym_plan, Recorder):
        acgym_plan.windows[layer] = sliding_window
        acgym_plan.shapes[layer] = LayerShape(
            key.shape[1], key.shape[-1], value.shape[-1], query.dtype, query.device
        )  # fmt: skip
        return query.new_zeros(1, query.shape[2], query.shape[1], value.shape[-1]), None
    out = query.new_empty(1, query.shape[2], query.shape[1], value.shape[-1])
    out[0, acgym_plan.tokens :] = 0.0  # rows that fill the matrices up
    new_keys, new_values = key[0], value[0]
    if acgym_plan.quantise is not None:
        new_keys, new_values = acgym_plan.quantise(new_keys), acgym_plan.quantise(new_values)
    new_keys, new_values = new_keys.transpose(0, 1), new_values.transpose(0, 1)
    for group in acgym_plan.groups:
        keys, values = group.shelf.layers[layer]
        keys.flatten(0, 1).index_copy_(0, group.flat, new_keys[group.new])
        values.flatten(0, 1).index_copy_(0, group.flat, new_values[group.new])
        out[0, group.new] = _attend(group, query[0, :, group.new], keys, values, scaling, sliding_window, softcap)
    return out, None


def _attend(
    group: Group,
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> Tensor:
    """Attend in a group: ``query`` is (heads, tokens, head size), the result (tokens, heads, head size)."""
    first = 0 if window is None else max(0, min(group.seen) + 1 - window)
    rows = slice(group.row, group.row + group.rows)
    keys, values = keys[rows, first : group.end].transpose(1, 2), values[rows, first : group.end].transpose(1, 2)
    heads, wide = query.shape[0], group.widest
    asked = query.transpose(0, 1)
    if group.padded is not None:
        asked = asked.new_zeros(group.rows * wide, *asked.shape[1:]).index_copy_(0, group.padded, asked)
    asked = asked.reshape(group.rows, wide, heads, -1).transpose(1, 2)
    groups = heads // keys.shape[1]
    if wide > _FEW and softcap is None:
        whole = group.rows == 1 and group.seen[0] == 0 and window is None
        said = functional.scaled_dot_product_attention(
            asked,
            keys,
            values,
            None if whole else group.mask(window, first, 1, query),
            is_causal=whole,
            scale=scaling,
            enable_gqa=groups > 1,
        )
    else:
        # Query heads that share a key-value head become further queries of that head.
        asked = asked.reshape(group.rows, keys.shape[1], groups * wide, -1)
        mask = group.mask(window, first, groups, query)
        if softcap is None:
            said = functional.scaled_dot_product_attention(asked, keys, values, mask, scale=scaling)
        else:
            said = _softcapped(asked, keys, values, mask, scaling, softcap)
        said = said.reshape(group.rows, heads, wide, -1)
    said = said.transpose(1, 2).flatten(0, 1)
    return said if group.padded is None else said[group.padded]


def _softcapped(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, scaling: float | None, softcap: float
) -> Tensor:
    """Attend with bounded products (Gemma 2), which torch's fused attention has not."""
    products = query @ keys.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    products = torch.tanh(products / softcap) * softcap
    if mask is not None:
        products = products + mask
    return torch.softmax(products, dim=-1, dtype=torch.float32).to(query) @ values


AttentionInterface.register(NAME, attend)
