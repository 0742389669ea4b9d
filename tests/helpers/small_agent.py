"""A tiny untrained agent with a real tokenizer, for tests of everything that has a model."""

from __future__ import annotations

from functools import cache

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from acgym.agents.local import Loaded
from acgym.train.trainer import make_tokenizer
from tests.helpers.registry import PLAYED

CHATML = (
    "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@cache
def _backend():
    return make_tokenizer(PLAYED, per_env=25)


def tokenizer(template=None):
    """The reference tokenizer of few demonstrations; a copy, so that a test may change it."""
    from copy import deepcopy

    made = deepcopy(_backend())
    if template is not None:
        made.chat_template = template
    return made


def loaded(seed=0, window=4096, **changes):
    """A random Llama of two layers; it says all kinds of things, none of them sensible."""
    torch.manual_seed(seed)
    tok = tokenizer()
    shape = {
        "vocab_size": len(tok),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "initializer_range": 0.4,
        "max_position_embeddings": window,
        "bos_token_id": None,
        "eos_token_id": tok.eos_token_id,
        "pad_token_id": tok.pad_token_id,
    }
    return Loaded(LlamaForCausalLM(LlamaConfig(**{**shape, **changes})).eval(), tok)


def saved(folder):
    """Save the agent as a model folder, and return the folder."""
    given = loaded()
    given.model.save_pretrained(folder)
    given.tokenizer.save_pretrained(folder)
    return folder
