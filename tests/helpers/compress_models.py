"""Small random models and calibration text for the tests of the compression walk."""

from __future__ import annotations

from contextlib import contextmanager

import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

import acgym.compress.methods.table as methods
from acgym.compress import register_method
from acgym.compress.walk.layers import decoder_layers
from acgym.compress.walk.projections import projections

VOCABULARY = 96
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.15,  # wide enough that each layer changes its input
}


def make(family="llama", **changes):
    torch.manual_seed(0)
    config, model = {
        "llama": (LlamaConfig, LlamaForCausalLM),
        "qwen2": (Qwen2Config, Qwen2ForCausalLM),
        "mistral": (MistralConfig, MistralForCausalLM),
    }[family]
    return model(config(**{**SHAPE, **changes})).eval()


def text(sequences=12, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, VOCABULARY, (9 + 5 * i,), generator=generator).tolist() for i in range(sequences)]


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits


def linears(model):
    return {
        f"{name}.{key}": p for name, layer in decoder_layers(model).items() for key, p in projections(layer).items()
    }


@contextmanager
def registered(name, function, **kwargs):
    """A method for the length of a with block."""
    register_method(name, function, **kwargs)
    try:
        yield
    finally:
        del methods.METHODS[name]
