"""Greedy decoding of many conversations at once: one padded prefill, then one token a step for those still speaking."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from acgym.agents.cache import Past, can_be_carried, past_of, roomy_cache


@dataclass(slots=True)
class Said:
    """What was generated for one prompt."""

    token_ids: list[int]
    """The stop token included where one was said."""
    past: Past | None = None
    """Keys and values of the prompt and of all generated tokens but the last; None where they cannot be carried on."""
    paused: bool = False
    """The reply is not finished: the batch was paused."""


@torch.inference_mode()
def generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int | Sequence[int],
    stop_ids: Collection[int],
    *,
    pasts: Sequence[Past | None] | None = None,
    wanted: Callable[[int], bool] = lambda row: True,
    finished: Callable[[int, Said], None] = lambda row, said: None,
    pause: Callable[[int], bool] = lambda answering: False,
) -> list[Said]:
    """Continue each prompt greedily until it says a stop token or has said its ``max_new_tokens``.

    Prompts are padded on the left and masked, so a reply does not depend on what else is in the batch or on what is
    remembered, up to the rounding of the model's arithmetic. Rows that are finished leave the batch at once.

    Args:
        model: a transformers causal language model in eval mode.
        prompts: token ids, at least one each.
        max_new_tokens: upper bound of the replies, at least 1: one for all, or one for each prompt.
        stop_ids: tokens that end a reply.
        pasts: for each prompt the keys and values of its first tokens (fewer than all of them), or None.
        wanted: asked before every step whether the reply to prompt ``row`` is still awaited; when it is not, the row
            leaves the batch with what it has said.
        finished: called with row and reply as soon as a reply is finished.
        pause: asked after every step, with the number of replies that are not finished, whether to stop and return
            them as they are, to be continued from their ``past``. Not asked where pasts cannot be carried on.

    Returns:
        What was generated, in the order of the prompts.

    Raises:
        ValueError: if a prompt is empty or a bound is below 1.
    """
    limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    for prompt, limit in zip(prompts, limits, strict=True):
        if not prompt or limit < 1:
            raise ValueError(
                "a prompt needs at least one token and room for one more; "
                f"got {len(prompt)} tokens and max_new_tokens={limit}"
            )
    if not prompts:
        return []
    said = [Said([]) for _ in prompts]
    stops = frozenset(stop_ids)
    accepted = inspect.signature(model.forward).parameters
    pasts = pasts or [None] * len(prompts)
    cache = roomy_cache(model.config, pasts)
    carried = can_be_carried(cache)
    rows = list(range(len(prompts)))
    ids, mask, positions = _laid_out(prompts, pasts, model.device)
    while True:
        inputs = {"position_ids": positions, "logits_to_keep": 1}  # some architectures take neither
        out = model(
            input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True,
            **{name: value for name, value in inputs.items() if name in accepted},
        )  # fmt: skip
        chosen = out.logits[:, -1].argmax(-1)
        going = []
        for i, (row, token) in enumerate(zip(rows, chosen.tolist(), strict=True)):
            said[row].token_ids.append(token)
            if token not in stops and len(said[row].token_ids) < limits[row] and wanted(row):
                going.append(i)
                continue
            said[row].past = past_of(cache, i, mask[i]) if carried else None
            finished(row, said[row])
        if carried and going and pause(len(going)):
            for i in going:
                said[rows[i]].past, said[rows[i]].paused = past_of(cache, i, mask[i]), True
            return said
        if not going:
            return said
        positions = positions[:, -1:] + 1
        if len(going) < len(rows):
            kept = torch.tensor(going, device=model.device)
            rows = [rows[i] for i in going]
            chosen, mask, positions = chosen[kept], mask[kept], positions[kept]
            cache.reorder_cache(kept)  # type: ignore[arg-type]  # every kind of cache layer has it: rows by index
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)


def _laid_out(
    prompts: Sequence[Sequence[int]], pasts: Sequence[Past | None], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Lay a batch out as ``[free | past | free | new tokens]``, each part flush right.

    Returns:
        Token ids and positions of the new tokens, (prompts, most new tokens) int64, and between them the attention
        mask over past and new positions.
    """
    seen = [0 if past is None else past[0][0].shape[-2] for past in pasts]
    before = max(seen)
    width = max(len(prompt) - n for prompt, n in zip(prompts, seen, strict=True))
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), before + width, dtype=torch.long)
    positions = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, (prompt, n) in enumerate(zip(prompts, seen, strict=True)):
        new = len(prompt) - n
        ids[row, width - new :] = torch.tensor(prompt[n:])
        positions[row, width - new :] = torch.arange(n, len(prompt))
        mask[row, before - n : before] = 1
        mask[row, before + width - new :] = 1
    return ids.to(device), mask.to(device), positions.to(device)
