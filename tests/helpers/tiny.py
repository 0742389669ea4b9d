"""A random model of a few thousand weights with tokenizer and chat template, as a folder that agents load."""

from __future__ import annotations

import torch
import transformers
from transformers.utils import logging

from acgym.train.tokenizer import build_tokenizer

FAMILIES = {
    "Llama": {},
    "Qwen2": {"tie_word_embeddings": True},
    "Mixtral": {"num_local_experts": 4},
    "Qwen2Moe": {"num_experts": 4, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32},
    "Qwen3Moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "head_dim": 16},
}


TEXT = "the code of the code is in the code of what is said here and there. " * 40
"""Something to calibrate on."""


def save_model(folder, seed=0, words="the code of is", context=4096, layers=1, family="Llama", width=32):
    """Write a model into ``folder`` and return the folder.

    Every second token ends a reply, so that replies are short. Other ``words`` make another vocabulary.
    """
    tokenizer = build_tokenizer([words * 3], ["bel", "ado"], [])
    torch.manual_seed(seed)
    config = getattr(transformers, f"{family}Config")(
        hidden_size=width,
        intermediate_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.3,  # wide: greedy choices are no near ties, and compression changes them
        vocab_size=len(tokenizer),
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        **FAMILIES[family],
    )
    model = getattr(transformers, f"{family}ForCausalLM")(config)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(3, len(tokenizer), 2)]
    logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
