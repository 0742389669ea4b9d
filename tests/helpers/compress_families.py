"""One small random model of each decoder family that compression is tested on."""

from __future__ import annotations

import pytest
import torch
import transformers

from tests.helpers.compress_models import VOCABULARY

SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
LATENT = {"q_lora_rank": 32, "kv_lora_rank": 32, "qk_rope_head_dim": 16, "qk_nope_head_dim": 16, "v_head_dim": 16}
FAMILIES = {
    "llama": ("Llama", {}),
    "qwen2": ("Qwen2", {}),
    "qwen3": ("Qwen3", {"head_dim": 16}),
    "gemma2": ("Gemma2", {"head_dim": 16}),
    "gemma3": ("Gemma3", {"head_dim": 16}),
    "mistral": ("Mistral", {}),
    "phi3": ("Phi3", {}),
    "phi": ("Phi", {}),
    "olmo2": ("Olmo2", {}),
    "stablelm": ("StableLm", {}),
    "cohere2": ("Cohere2", {"head_dim": 16}),
    "qwen2_moe": ("Qwen2Moe", {**EXPERTS, "shared_expert_intermediate_size": 64}),
    "qwen3_moe": ("Qwen3Moe", {**EXPERTS, "head_dim": 16}),
    "mixtral": ("Mixtral", {"num_local_experts": 4}),
    "deepseek_v3": (
        "DeepseekV3",
        {**EXPERTS, **LATENT, "n_routed_experts": 4, "n_group": 2, "topk_group": 1, "first_k_dense_replace": 1}
        | {"num_key_value_heads": 4},
    ),
    "gpt_oss": ("GptOss", {"num_local_experts": 4, "head_dim": 16, "rope_parameters": {"rope_type": "default"}}),
}


def families(*fast):
    """All families, of which those that are named run also in the fast suite."""
    return [pytest.param(family, marks=[] if family in fast else pytest.mark.slow) for family in FAMILIES]


def make(family, dtype=torch.float32):
    """A model whose every layer changes its input, with norms and biases that are not 1 and 0."""
    name, changes = FAMILIES[family]
    config = getattr(transformers, f"{name}TextConfig" if family == "gemma3" else f"{name}Config")
    torch.manual_seed(0)
    model = getattr(transformers, f"{name}ForCausalLM")(config(**{**SHAPE, **changes})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.15)
            else:
                parameter.add_(0.1 * torch.randn_like(parameter))
    if dtype == torch.float64 and "Experts" in repr(model):
        model.set_experts_implementation("eager")  # the default one knows no float64
    return model.to(dtype)
