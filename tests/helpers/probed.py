"""Tiny random models and token sequences with marked spans, for tests of what is measured inside a model."""

from __future__ import annotations

import numpy as np
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, LlamaConfig, Qwen2Config

VOCAB = 50


def make(seed: int = 0, kind: str = "llama", vocab: int = VOCAB):
    torch.manual_seed(seed)
    size = {"vocab_size": vocab, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    size |= {"num_attention_heads": 4, "num_key_value_heads": 2, "initializer_range": 0.3}
    if kind == "gemma2":  # caps its logits after the head
        config = Gemma2Config(**size, head_dim=8, final_logit_softcapping=2.0, sliding_window=16)
    else:
        config = (LlamaConfig if kind == "llama" else Qwen2Config)(**size)
    return AutoModelForCausalLM.from_config(config).eval()


def random_sequences(n: int = 7, seed: int = 0):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        length = int(rng.integers(8, 40))
        cut = int(rng.integers(3, length - 2))
        spans = [(1 if rng.random() < 0.3 else cut - 2, cut), (cut + 1, length - int(rng.integers(0, 2)))]
        made.append((rng.integers(0, VOCAB, length).tolist(), [span for span in spans if span[0] < span[1]]))
    return made
