"""Greedy decoding of many conversations at once: one padded prefill, then one token a step for those still speaking."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch

from acgym.agents.cache import Past, can_be_carried, past_of, roomy_cache

_LONG = 32
"""Prompts with more new tokens than this are read ahead of the others."""
_AT_ONCE = 8192
"""Tokens read at once."""
_REPLY_ROOM = 48
"""Positions that a batch's cache has ahead for replies; it grows when they are taken."""
_WORTH_LEAVING = 0.75
"""Finished rows leave a batch, which copies its cache, when at most this part of it is still speaking."""


@dataclass(slots=True)
class Said:
    """What was generated for one prompt."""

    token_ids: list[int]
    """The stop token included where one was said."""
    past: Past | None = None
    """Keys and values of the prompt and of all generated tokens but the last; None where they cannot be carried on."""
    paused: bool = False
    """The reply is not finished: the batch was paused."""

    def pause(self, past: Past | None) -> None:
        """Leave the reply as it is, to be continued from ``past``."""
        self.past, self.paused = past, True


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

    Prompts are padded and masked: what else is in the batch or remembered changes a reply by rounding only.

    Args:
        model: a transformers causal language model in eval mode.
        prompts: token ids.
        max_new_tokens: upper bound of the replies: one for all, or one for each prompt.
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
    limits = _bounds(prompts, max_new_tokens)
    if not prompts:
        return []
    said = [Said([]) for _ in prompts]
    stops = frozenset(stop_ids)
    pasts = _read_long(model, prompts, pasts or [None] * len(prompts))
    batch = _Batch(model, prompts, pasts)
    while True:
        going = []
        for i, token in enumerate(batch.step()):
            row = batch.rows[i]
            if row is None:
                continue
            said[row].token_ids.append(token)
            if token not in stops and len(said[row].token_ids) < limits[row] and wanted(row):
                going.append(i)
                continue
            said[row].past = batch.past(i)
            finished(row, said[row])
            batch.rows[i] = None
        if not going:
            return said
        if batch.carried and pause(len(going)):
            for i in going:
                said[cast(int, batch.rows[i])].pause(batch.past(i))
            return said
        batch.go_on(going)


def _bounds(prompts: Sequence[Sequence[int]], max_new_tokens: int | Sequence[int]) -> list[int]:
    """Return each prompt's bound; refuse what cannot be answered."""
    limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    for prompt, limit in zip(prompts, limits, strict=True):
        if not prompt or limit < 1:
            raise ValueError(
                "a prompt needs at least one token and room for one more; "
                f"got {len(prompt)} tokens and max_new_tokens={limit}"
            )
    return limits


def _read_long(model: Any, prompts: Sequence[Sequence[int]], pasts: Sequence[Past | None]) -> Sequence[Past | None]:
    """Read long prompts up to their last token, those of similar length together, so that little is padding."""
    if not can_be_carried(roomy_cache(model.config)):
        return pasts
    new = {row: len(prompts[row]) - _seen(past) for row, past in enumerate(pasts)}
    waiting = sorted((row for row in new if new[row] > _LONG), key=lambda row: new[row])
    read = list(pasts)
    while waiting:
        fit = [
            row for at, row in enumerate(waiting) if new[row] <= 1.25 * new[waiting[0]] and at * new[row] <= _AT_ONCE
        ]
        batch = _Batch(model, [prompts[row][:-1] for row in fit], [pasts[row] for row in fit])
        batch.step()
        for i, row in enumerate(fit):
            read[row] = batch.past(i)
        waiting = waiting[len(fit) :]
    return read


def _seen(past: Past | None) -> int:
    return 0 if past is None else past[0][0].shape[-2]


class _Batch:
    """The rows that are decoded together, with their cache."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], pasts: Sequence[Past | None]) -> None:
        self.model = model
        self.rows: list[int | None] = list(range(len(prompts)))
        """Which prompt a row answers; None for one that is finished and has not left yet."""
        self.ids, self.mask, self.positions = _laid_out(prompts, pasts, model.device)
        self.cache = roomy_cache(model.config, pasts, room=self.ids.shape[1] + _REPLY_ROOM)
        self.carried = can_be_carried(self.cache)
        self.chosen = self.ids[:, -1]
        accepted = inspect.signature(model.forward).parameters
        self.takes_positions, self.takes_keep = "position_ids" in accepted, "logits_to_keep" in accepted

    def step(self) -> list[int]:
        """Read what is new and return the likeliest next token of each row."""
        inputs: dict[str, Any] = {"position_ids": self.positions} if self.takes_positions else {}
        inputs |= {"logits_to_keep": 1} if self.takes_keep else {}
        out = self.model(
            input_ids=self.ids, attention_mask=self.mask, past_key_values=self.cache, use_cache=True, **inputs
        )
        self.chosen = out.logits[:, -1].argmax(-1)
        return cast(list[int], self.chosen.tolist())

    def past(self, i: int) -> Past | None:
        """Copy the past of row ``i``."""
        return past_of(self.cache, i, self.mask[i]) if self.carried else None

    def go_on(self, going: list[int]) -> None:
        """Make the chosen tokens the next input; let finished rows leave when enough of them have gathered."""
        self.positions = self.positions[:, -1:] + 1
        if len(going) <= _WORTH_LEAVING * len(self.rows):
            kept = torch.tensor(going, device=self.model.device)
            self.rows = [self.rows[i] for i in going]
            self.chosen, self.mask, self.positions = self.chosen[kept], self.mask[kept], self.positions[kept]
            self.cache.reorder_cache(kept)  # type: ignore[arg-type]  # every cache layer has it: rows by index
        self.ids = self.chosen[:, None]
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(self.rows), 1)], dim=1)


def _laid_out(
    prompts: Sequence[Sequence[int]], pasts: Sequence[Past | None], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Lay a batch out as ``[free | past | free | new tokens]``, each part flush right.

    Returns:
        Token ids and positions of the new tokens, (prompts, most new tokens) int64, and between them the attention
        mask over past and new positions.
    """
    seen = [_seen(past) for past in pasts]
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
