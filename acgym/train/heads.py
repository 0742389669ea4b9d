"""Merges key-value heads of a trained model, so that its cache takes less memory and less time to read."""

from __future__ import annotations

import copy

from transformers import LlamaForCausalLM


def merge_heads(model: LlamaForCausalLM, key_value_heads: int) -> LlamaForCausalLM:
    """Return a model whose neighbouring key-value heads are averaged (Ainslie et al. 2023, 2305.13245, section 2.1).

    The new model computes something else until it is trained on; with as many heads as before it is a copy.

    Args:
        model: is left as it is.
        key_value_heads: of the new model; a divisor of those of the old one.

    Raises:
        ValueError: if it is none.
    """
    config = copy.deepcopy(model.config)
    had = int(config.num_key_value_heads or config.num_attention_heads)
    if key_value_heads < 1 or had % key_value_heads:
        raise ValueError(f"{had} key-value heads can be merged to a divisor of {had}, got {key_value_heads}")
    config.num_key_value_heads = key_value_heads
    weights = {}
    for name, weight in model.state_dict().items():
        if name.endswith((".k_proj.weight", ".v_proj.weight")):
            size, width = weight.shape[0] // had, weight.shape[1]
            merged = weight.view(key_value_heads, had // key_value_heads, size, width).mean(1)
            weights[name] = merged.reshape(key_value_heads * size, width)
        else:
            weights[name] = weight
    smaller = LlamaForCausalLM(config)
    smaller.load_state_dict(weights)
    return smaller
