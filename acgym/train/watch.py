"""Watching a training run: how much of the oracle's held-out conversations greedy choices get right."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from acgym.demonstrations import demonstrations
from acgym.seeds import TRAINING_SEEDS
from acgym.train.data import IGNORE, Batch, group, tokenise


def hidden_states(model: LlamaForCausalLM, ids: torch.Tensor) -> torch.Tensor:
    """Return the last hidden states, (conversations, length, hidden)."""
    states: torch.Tensor = model.model(input_ids=ids, use_cache=False).last_hidden_state
    return states


def held_out(tokenizer: PreTrainedTokenizerFast, env_ids: Sequence[str], count: int = 100) -> dict[str, list[Batch]]:
    """Tokenise the oracle's conversations on the evaluation split, by environment id; on seeds that nobody plays."""
    seeds = range(TRAINING_SEEDS[0], TRAINING_SEEDS[0] + count)
    return {
        env_id: group([tokenise(tokenizer, d) for d in demonstrations(env_id, seeds, "eval", level=1)])
        for env_id in env_ids
    }


@torch.no_grad()
def exact_share(model: LlamaForCausalLM, batches: Sequence[Batch]) -> tuple[float, float]:
    """Teacher-force; return the shares of conversations and of agent tokens that greedy choices get right.

    ``batches`` must hold at least one conversation; the empty rows that fill batches up are not counted.
    """
    conversations = right = tokens = right_tokens = 0
    for batch in batches:
        hidden = hidden_states(model, batch.ids)
        kept = batch.targets != IGNORE
        hits = torch.ones_like(kept)
        hits[kept] = model.lm_head(hidden[kept]).argmax(-1) == batch.targets[kept]
        real = kept.any(1)
        conversations += int(real.sum())
        right += int(hits[real].all(1).sum())
        tokens += int(kept.sum())
        right_tokens += int(hits[kept].sum())
    return right / conversations, right_tokens / tokens
