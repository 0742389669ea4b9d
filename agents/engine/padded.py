"""Answers many prompts with a model that cannot be read without padding: one batch after the other, each to its end."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import CacheLayerMixin

from acgym.agents.base import AgentFailure
from acgym.agents.engine.reply_state import Rules
from acgym.agents.engine.request import Request
from acgym.agents.engine.serving import Server, out_of_memory

BATCH_POSITIONS = 1 << 15
"""Most positions (prompts times the longest of them) of one batch."""
_CACHE_NAMES = ("cache", "past_key_values", "cache_params")
"""What the argument is called: from transformers 5.24 on, and before it in models with and without attention."""


class Padded(Server):
    """Decodes padded batches with the model's own forward pass and cache. Nothing is remembered between turns.

    Args:
        model: a transformers causal language model in eval mode.
        rules: how replies are written.
        max_batch: most prompts decoded at once.

    Raises:
        ValueError: if the model takes no cache, or its keys and values are to be rounded, which its own cache does not.
    """

    def __init__(self, model: Any, rules: Rules, max_batch: int) -> None:
        super().__init__(rules)
        if getattr(model, "acgym_quantise_cache", None) is not None:
            raise ValueError(
                f"the cache of a {type(model).__name__} cannot be quantised here: its layers keep more than keys and "
                "values of plain attention; drop the kv part of the recipe"
            )
        self.model = model
        self.max_batch = max_batch
        accepted = inspect.signature(model.forward).parameters
        self._cache = cache_argument(model)
        if not self._cache:
            raise ValueError(f"{type(model).__name__} takes no cache, so it cannot generate text here")
        self._positions, self._keep = "position_ids" in accepted, "logits_to_keep" in accepted
        self._attends = any(isinstance(layer, CacheLayerMixin) for layer in self._empty_cache().layers)
        self._waiting: list[Request] = []
        self._batch: list[Request] = []

    def _unanswered(self) -> list[Request]:
        return [request for request in [*self._batch, *self._waiting] if not request.gone]

    def _prepare(self, arrived: list[Request]) -> bool:
        """Take the shortest prompts that wait: a batch is as wide as its longest."""
        self._waiting = [request for request in [*self._batch, *self._waiting, *arrived] if not request.gone]
        self._waiting.sort(key=lambda request: request.length)
        count = 0
        while count < min(len(self._waiting), self.max_batch):
            if count and (count + 1) * self._waiting[count].length > BATCH_POSITIONS:
                break
            count += 1
        self._batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return bool(self._batch)

    def _step(self) -> list[Request]:
        """Answer the batch; where memory does not hold it, take half of it next."""
        try:
            self._decode(self._batch)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if len(self._batch) > 1:
                self.max_batch = len(self._batch) // 2
                return []
            (alone,) = self._batch
            alone.failure = AgentFailure(f"out of memory with a prompt of {len(alone.ids)} tokens: {error}")
        return self._batch

    @torch.inference_mode()
    def _decode(self, batch: Sequence[Request]) -> None:
        """Write all replies of a batch. What a reply has already (a forced closing tag) is read with its prompt."""
        ids, mask, positions = _laid_out([[*r.ids, *r.writing.said] for r in batch], self.model.device)
        written = [len(r.writing.said) for r in batch]
        cache = self._empty_cache()
        while True:
            logits = self._read(ids, mask, positions, cache)
            speaking = [
                i for i, r in enumerate(batch) if len(r.writing.said) == written[i] and not (r.writing.over or r.gone)
            ]
            chosen, logprobs = self.rules.choose(logits[speaking], [(batch[i].writing, ()) for i in speaking])
            for at, i in enumerate(speaking):
                batch[i].writing.add(chosen[at : at + 1], logprobs[at : at + 1])
            if all(r.writing.over or r.gone for r in batch):
                return
            # One token a row: what is said and not yet read, else anything, for a row that is finished.
            following = [
                r.writing.said[n] if n < len(r.writing.said) else 0 for r, n in zip(batch, written, strict=True)
            ]
            written = [n + (n < len(r.writing.said)) for r, n in zip(batch, written, strict=True)]
            ids = torch.tensor(following, device=ids.device)[:, None]
            mask = torch.cat([mask, mask.new_ones(len(batch), 1)], dim=1)
            positions = positions[:, -1:] + 1

    def _empty_cache(self) -> DynamicCache:
        return DynamicCache(config=self.model.config)

    def _read(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: DynamicCache) -> Tensor:
        """Return the logits of each row's next token, (rows, vocabulary)."""
        inputs: dict[str, Any] = {self._cache: cache}
        inputs |= {"position_ids": positions} if self._positions else {}
        inputs |= {"logits_to_keep": 1} if self._keep else {}
        if self._attends or ids.shape == mask.shape:
            inputs["attention_mask"] = mask  # where all memory is one state, only the first pass has padding
        out = self.model(input_ids=ids, use_cache=True, **inputs)
        logits: Tensor = out.logits[:, -1]
        return logits


def cache_argument(model: Any) -> str:
    """Return the name of the argument by which a model's forward pass takes a cache; "" if it takes none."""
    accepted = inspect.signature(model.forward).parameters
    return next((name for name in _CACHE_NAMES if name in accepted), "")


def _laid_out(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Lay prompts out flush right: ids, mask and positions, (prompts, longest) int64 each."""
    width = max(map(len, prompts))
    ids, mask, positions = (torch.zeros(len(prompts), width, dtype=torch.long) for _ in range(3))
    for row, prompt in enumerate(prompts):
        free = width - len(prompt)
        ids[row, free:] = torch.tensor(prompt)
        mask[row, free:] = 1
        positions[row, free:] = torch.arange(len(prompt))
    return ids.to(device), mask.to(device), positions.to(device)
