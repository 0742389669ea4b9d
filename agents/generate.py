"""Greedy decoding of many prompts at once: one padded prefill, then one token a step for those still speaking."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch

from acgym.agents.cache import roomy_cache


@torch.inference_mode()
def generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int | Sequence[int],
    stop_ids: Collection[int],
    wanted: Callable[[int], bool] = lambda row: True,
) -> list[list[int]]:
    """Continue each prompt greedily until it says a stop token or has said its ``max_new_tokens``.

    Prompts are padded on the left and masked, so a reply does not depend on what else is in the batch, up to the
    rounding of the model's arithmetic. Rows that are finished leave the batch at once.

    Args:
        model: a transformers causal language model in eval mode.
        prompts: token ids, at least one each.
        max_new_tokens: upper bound of the replies, at least 1: one for all, or one for each prompt.
        stop_ids: tokens that end a reply.
        wanted: asked before every step whether the reply to prompt ``row`` is still awaited; when it is not, the row
            leaves the batch with what it has said.

    Returns:
        The generated ids of each prompt, in the order of the prompts, the stop token included where one was said.

    Raises:
        ValueError: if a prompt is empty or a bound is below 1.
    """
    limits = _limits(prompts, max_new_tokens)
    if not prompts:
        return []
    replies: list[list[int]] = [[] for _ in prompts]
    stops = frozenset(stop_ids)
    accepted = inspect.signature(model.forward).parameters
    cache = roomy_cache(model.config)
    rows = list(range(len(prompts)))
    ids, mask = _pad(prompts, model.device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    while True:
        inputs = {"position_ids": positions, "logits_to_keep": 1}  # some architectures take neither
        out = model(
            input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True,
            **{name: value for name, value in inputs.items() if name in accepted},
        )  # fmt: skip
        chosen = out.logits[:, -1].argmax(-1)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            replies[row].append(token)
        going = [
            i
            for i, row in enumerate(rows)
            if replies[row][-1] not in stops and len(replies[row]) < limits[row] and wanted(row)
        ]
        if not going:
            return replies
        positions = positions[:, -1:] + 1
        if len(going) < len(rows):
            kept = torch.tensor(going, device=model.device)
            rows = [rows[i] for i in going]
            chosen, mask, positions = chosen[kept], mask[kept], positions[kept]
            cache.reorder_cache(kept)  # type: ignore[arg-type]  # every kind of cache layer has it: rows by index
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)


def _limits(prompts: Sequence[Sequence[int]], max_new_tokens: int | Sequence[int]) -> list[int]:
    """Return the upper bound of each reply."""
    limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    for prompt, limit in zip(prompts, limits, strict=True):
        if not prompt or limit < 1:
            raise ValueError(
                "a prompt needs at least one token and room for one more; "
                f"got {len(prompt)} tokens and max_new_tokens={limit}"
            )
    return limits


def _pad(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask, both (prompts, longest prompt) int64, padded on the left with zeros."""
    width = max(map(len, prompts))
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)
