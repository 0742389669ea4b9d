"""Tiny random models of many families, for tests of everything that reads them."""

from __future__ import annotations

import torch
import transformers as t

VOCABULARY = 64
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.3,  # so that what is said depends on the prompt
    "pad_token_id": 0,
    "bos_token_id": None,
    "eos_token_id": None,
}
_WIDE = {**SHAPE, "num_key_value_heads": 4}
_GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.3}
_MLA = {
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 12,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "moe_intermediate_size": 32,
    "first_k_dense_replace": 1,
}
READABLE = {
    "llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**SHAPE)),
    "qwen2": lambda: t.Qwen2ForCausalLM(t.Qwen2Config(**SHAPE)),
    "qwen3": lambda: t.Qwen3ForCausalLM(t.Qwen3Config(**SHAPE)),
    "mistral, window 6": lambda: t.MistralForCausalLM(t.MistralConfig(**SHAPE, sliding_window=6)),
    "gemma2, window 6 in every other layer": lambda: t.Gemma2ForCausalLM(t.Gemma2Config(**SHAPE, sliding_window=6)),
    "gemma3, window 6 in one layer": lambda: t.Gemma3ForCausalLM(
        t.Gemma3TextConfig(**SHAPE, sliding_window=6, layer_types=["sliding_attention", "full_attention"])
    ),
    "phi3": lambda: t.Phi3ForCausalLM(t.Phi3Config(**_without(SHAPE, "head_dim"))),
    "mixtral": lambda: t.MixtralForCausalLM(t.MixtralConfig(**SHAPE, num_local_experts=4)),
    "olmo2": lambda: t.Olmo2ForCausalLM(t.Olmo2Config(**_without(SHAPE, "head_dim"))),
    "gpt2, learned positions": lambda: t.GPT2LMHeadModel(t.GPT2Config(**_GPT2, eos_token_id=None)),
    "cohere2, window 6": lambda: t.Cohere2ForCausalLM(
        t.Cohere2Config(**SHAPE, sliding_window=6, layer_types=["sliding_attention", "full_attention"])
    ),
    "granite": lambda: t.GraniteForCausalLM(t.GraniteConfig(**_without(SHAPE, "head_dim"))),
    "deepseek v3, latent attention": lambda: t.DeepseekV3ForCausalLM(
        t.DeepseekV3Config(**{**_without(_WIDE, "head_dim"), **_MLA})
    ),
    "phi3, long positions": lambda: t.Phi3ForCausalLM(
        t.Phi3Config(
            **_without(SHAPE, "head_dim"),
            max_position_embeddings=128,
            original_max_position_embeddings=16,
            rope_parameters={
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "long_factor": [2.0] * 4,
                "short_factor": [1.0] * 4,
                "original_max_position_embeddings": 16,
                "factor": 8.0,
            },
        )
    ),
}
"""Models whose memory is keys and values of plain attention."""
OTHERS = {
    "mamba": lambda: t.MambaForCausalLM(
        t.MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, initializer_range=0.3)
    ),
    "gpt-oss, sinks": lambda: t.GptOssForCausalLM(
        t.GptOssConfig(**SHAPE, num_local_experts=4, num_experts_per_tok=2, sliding_window=6)
    ),
    "lfm2, convolutions and attention": lambda: t.Lfm2ForCausalLM(
        t.Lfm2Config(**_without(SHAPE, "head_dim"), layer_types=["conv", "full_attention"], conv_L_cache=3)
    ),
    "mamba2": lambda: t.Mamba2ForCausalLM(
        t.Mamba2Config(
            vocab_size=VOCABULARY,
            hidden_size=32,
            num_hidden_layers=2,
            num_heads=8,
            head_dim=8,
            n_groups=2,
            state_size=8,
            initializer_range=0.3,
            pad_token_id=0,
        )
    ),
    "stablelm": lambda: t.StableLmForCausalLM(t.StableLmConfig(**_without(SHAPE, "head_dim"))),
    "falcon, distances as biases": lambda: t.FalconForCausalLM(
        t.FalconConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            alibi=True,
            initializer_range=0.3,
        )
    ),
}
"""Models that are read in padded batches."""


def make(family, seed=1):
    """A model of a family, in single precision."""
    torch.manual_seed(seed)
    return {**READABLE, **OTHERS}[family]().eval()


def prompts(lengths, seed=5):
    """Random prompts of these lengths."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]


def alone(model, prompt, limit, stops=()):
    """What transformers says to one prompt, greedily."""
    out = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=sorted(stops) or None,
        pad_token_id=0,
    )
    return out[0, len(prompt) :].tolist()


def _without(shape, *names):
    return {name: value for name, value in shape.items() if name not in names}
