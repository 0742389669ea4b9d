"""Attention from new tokens to what their own conversations remember, many conversations in one call where possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

from acgym.agents.engine.kv_pool import Block, LayerShape

NAME = "acgym_varlen"
"""Name of the attention function in transformers' registry."""
_FEW = 16
"""New tokens a row up to which query heads that share keys are better told apart as further queries."""


class Group:
    """Neighbouring rows of a block that are attended to in one call.

    Args:
        block: where they are.
        row: the first of them.
        seen: how many tokens each row holds already.
        counts: how many new tokens each row gets; row after row they lie in the forward pass from ``start`` on.
        start: see ``counts``.
        device: of the model's inputs.
    """

    def __init__(
        self, block: Block, row: int, seen: Sequence[int], counts: Sequence[int], start: int, device: torch.device
    ) -> None:
        self.block, self.row, self.seen, self.counts = block, row, seen, counts
        self.rows, self.widest = len(counts), max(counts)
        self.new = slice(start, start + sum(counts))
        self.end = max(n + count for n, count in zip(seen, counts, strict=True))
        """Positions that are looked at, from the block's first."""
        self.padded: Tensor | None = None
        """Which of rows * widest places the new tokens take; None if all."""
        if min(counts) < self.widest:
            places = [i * self.widest + t for i, count in enumerate(counts) for t in range(count)]
            self.padded = torch.tensor(places, device=device)
        self._masks: dict[tuple[int | None, int], Tensor | None] = {}

    @property
    def places(self) -> list[int]:
        """Where on the block the new tokens go: row * capacity + position."""
        return [
            (self.row + i) * self.block.capacity + at
            for i, (n, count) in enumerate(zip(self.seen, self.counts, strict=True))
            for at in range(n, n + count)
        ]

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
        if self.rows == 1 and window is None:  # all of what was seen, and a triangle of what is new
            mask = like.new_zeros(self.widest, self.end)
            mask[:, self.seen[0] :].fill_(-torch.inf).triu_(1)
            return (mask if groups == 1 else mask.repeat(groups, 1))[None, None]
        last = torch.tensor(self.seen, device=like.device)[:, None] + torch.arange(self.widest, device=like.device)
        places = torch.arange(first, self.end, device=like.device)
        hidden = places > last[..., None]
        if window is not None:
            hidden |= places <= last[..., None] - window
        mask = torch.zeros(hidden.shape, dtype=like.dtype, device=like.device).masked_fill_(hidden, -torch.inf)
        return mask.repeat(1, groups, 1)[:, None]


class Plan:
    """How one forward pass attends.

    Args:
        groups: of all tokens of the pass, in their order; those of one block are neighbours.
        device: of the model's inputs.
        quantise: what keys (True) and values (False), (heads, tokens, head size), go through on their way in; None for
            as they are.
    """

    def __init__(
        self, groups: Sequence[Group], device: torch.device, quantise: Callable[[Tensor, bool], Tensor] | None = None
    ) -> None:
        self.groups, self.quantise = groups, quantise
        self.tokens = groups[-1].new.stop
        """Number of tokens in the groups."""
        self.writes: list[tuple[Block, slice, Tensor]] = []
        """Blocks, which of the new tokens are theirs, and where on the block those go."""
        for block, neighbours in groupby(groups, lambda group: group.block):
            each = list(neighbours)
            places = torch.tensor([place for group in each for place in group.places], device=device)
            self.writes.append((block, slice(each[0].new.start, each[-1].new.stop), places))


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
    out = query.new_empty(query.shape[2], query.shape[1], value.shape[-1])
    out[acgym_plan.tokens :] = 0.0  # rows that fill the matrices up
    # New keys and values, (key-value heads, tokens, size), go behind those of their conversations before anybody asks:
    # a token sees itself. They are turned to (tokens, key-value heads, size), the order in the block.
    for part, new in enumerate((key[0], value[0])):
        rows = (new if acgym_plan.quantise is None else acgym_plan.quantise(new, part == 0)).transpose(0, 1)
        for block, which, places in acgym_plan.writes:
            block.flat[layer][part].index_copy_(0, places, rows[which])
    asked = query[0].transpose(0, 1)
    for group in acgym_plan.groups:
        _attend(group, asked, *group.block.layers[layer], out, scaling, sliding_window, softcap)
    return out[None], None


def _attend(
    group: Group,
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    out: Tensor,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> None:
    """Attend in a group: softmax(q k^T * scaling + mask) v, row by row (Vaswani et al. 1706.03762, equation 1).

    Views are made in one step each: there are many small groups, and a view costs as much as a small sum.

    Args:
        group: whose tokens ask.
        query: (tokens of the pass, heads, head size).
        keys: of the whole block, (rows, positions, key-value heads, head size).
        values: like ``keys``.
        out: (tokens of the pass, heads, head size of the values); the group's tokens are written.
        scaling: as in :func:`attend`, as are those below.
        window: see there; what lies before the window of the row that has read least is not looked at.
        softcap: see there.
    """
    first = 0 if window is None else max(0, min(group.seen) + 1 - window)
    keys, values = _seen(keys, group, first), _seen(values, group, first)
    wide, heads = group.widest, query.shape[1]
    # asked: (rows, heads, widest, head size); keys, values: (rows, key-value heads, positions, head size).
    if group.padded is None:
        asked = _by_row(query, group.new.start, group)
    else:  # rows of unlike lengths: the free places ask too, and nobody reads what they are told
        asked = query.new_zeros(group.rows * wide, *query.shape[1:]).index_copy_(0, group.padded, query[group.new])
        asked = _by_row(asked, 0, group)
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
        # Query heads that share a key-value head become further queries of it: the keys are read once for all of them.
        if groups > 1:
            asked = asked.reshape(group.rows, keys.shape[1], groups * wide, -1)
        mask = group.mask(window, first, groups, query)
        if softcap is None:
            said = functional.scaled_dot_product_attention(asked, keys, values, mask, scale=scaling)
        else:
            said = _softcapped(asked, keys, values, mask, scaling, softcap)
        if groups > 1:
            said = said.reshape(group.rows, heads, wide, -1)
    if group.padded is None:
        _by_row(out, group.new.start, group).copy_(said)
    else:
        out[group.new] = said.transpose(1, 2).flatten(0, 1)[group.padded]


def _by_row(tokens: Tensor, start: int, group: Group) -> Tensor:
    """View tokens, (all, heads, size), from ``start`` on as (rows, heads, widest, size) of a group."""
    token, head, number = tokens.stride()
    return tokens.as_strided(
        (group.rows, tokens.shape[1], group.widest, tokens.shape[2]),
        (group.widest * token, head, token, number),
        tokens.storage_offset() + start * token,
    )


def _seen(block: Tensor, group: Group, first: int) -> Tensor:
    """View what a group's rows hold from position ``first`` on as (rows, heads, positions, size)."""
    row, position, head, number = block.stride()
    return block.as_strided(
        (group.rows, block.shape[2], group.end - first, block.shape[3]),
        (row, head, position, number),
        group.row * row + first * position,
    )


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
