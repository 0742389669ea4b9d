"""Routers of experts are left as they are in every family that writes them as a linear module, unless named."""

from __future__ import annotations

import copy

import pytest
import torch
import transformers

from acgym.compress import compress
from acgym.compress.walk.layers import decoder_layers
from acgym.compress.walk.projections import projections, routers
from tests.helpers.compress_families import EXPERTS, LATENT, SHAPE
from tests.helpers.compress_families import make as family
from tests.helpers.compress_models import make, text

LINEAR = {
    "Phimoe": ({"num_local_experts": 4, "num_experts_per_tok": 2}, {"mlp.router", "block_sparse_moe.gate"}),
    "Llama4": (
        {"num_local_experts": 4, "intermediate_size_mlp": 128, "interleave_moe_layer_step": 1, "head_dim": 16},
        {"feed_forward.router"},
    ),
    "HunYuanMoEV1": ({"num_experts": 4, "moe_topk": 2, "head_dim": 16}, {"mlp.gate.wg"}),
    "Afmoe": ({**EXPERTS, "num_dense_layers": 0, "head_dim": 16, "num_shared_experts": 1}, {"mlp.router.gate"}),
    "LongcatFlash": (
        {**LATENT, "n_routed_experts": 4, "zero_expert_num": 2, "moe_topk": 2, "expert_ffn_hidden_size": 64}
        | {"ffn_hidden_size": 128, "num_layers": 2, "num_key_value_heads": 4},
        {"mlp.router.classifier"},
    ),
    "JetMoe": (
        {"num_local_experts": 4, "num_experts_per_tok": 2, "kv_channels": 16, "num_key_value_heads": 2},
        {"mlp.router.layer", "self_attention.experts.router.layer"},
    ),
    "Doge": ({"is_moe": True, "num_experts": 16, "num_experts_per_tok": 2}, {"mlp.router_gate"}),
    "Qwen2Moe": ({**EXPERTS, "shared_expert_intermediate_size": 64}, {"mlp.shared_expert_gate"}),
}
"""Family -> what makes it small, and the names that its linear routers may have inside a layer."""


def tiny(name):
    settings, _ = LINEAR[name]
    kind = {"Llama4": "Llama4TextConfig"}.get(name, f"{name}Config")
    torch.manual_seed(0)
    config = getattr(transformers, kind)(**{**SHAPE, **settings})
    return getattr(transformers, f"{name}ForCausalLM")(config).eval()


class ForgetGate(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.f_a_proj = torch.nn.Linear(64, 16)


def kimi_layer():
    kimi = pytest.importorskip("transformers.models.kimi_linear.modeling_kimi_linear")
    from transformers import KimiLinearConfig

    config = KimiLinearConfig(
        **{**SHAPE, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    )
    with torch.device("meta"):
        model = kimi.KimiLinearForCausalLM(config)
    mixed = [layer for layer in model.model.layers if hasattr(layer.mlp, "experts")]
    return next(layer for layer in mixed if hasattr(layer.self_attn, "forget_gate"))


def linear_names(model):
    return {
        f"{layer}.{name}"
        for layer, module in decoder_layers(model).items()
        for name, item in projections(module).items()
        if isinstance(item, torch.nn.Linear)
    }


@pytest.mark.parametrize("name", LINEAR)
def test_a_router_that_is_a_linear_module_is_left_as_it_is(name):
    model = tiny(name)
    found = {name for module in decoder_layers(model).values() for name in routers(module)}
    assert found
    assert found <= LINEAR[name][1]
    before = copy.deepcopy(model.state_dict())
    record = compress(model, "rtn-w4-g16")
    for key in linear_names(model):
        own = key.split(".", 3)[3]
        assert torch.equal(model.get_submodule(key).weight, before[f"{key}.weight"]) == (own in found), key
    assert any(note.startswith("routers of experts stay as they are") for note in record.notes)


@pytest.mark.parametrize("name", ["llama", "phi3", "gemma3", "olmo2", "cohere2", "stablelm"])
def test_a_model_without_experts_has_no_router(name):
    assert not [found for layer in decoder_layers(family(name)).values() for found in routers(layer)]


def test_a_linear_module_that_is_called_gate_is_no_router_where_there_are_no_experts():
    model = make()
    for layer in model.model.layers:
        layer.mlp.gate = torch.nn.Linear(64, 64)
    assert not [found for layer in decoder_layers(model).values() for found in routers(layer)]


def test_a_gate_of_attention_is_no_router_in_a_mixture():
    """KimiLinear has one that forgets, of two linear modules; its experts are chosen by a bare parameter."""
    model = family("qwen2_moe")
    for layer in model.model.layers:
        layer.self_attn.gate = torch.nn.Linear(64, 64)
        layer.self_attn.forget_gate = ForgetGate()
        layer.mlp.gate = torch.nn.Linear(64, 4)
        assert sorted(routers(layer)) == ["mlp.gate", "mlp.shared_expert_gate"]


class DeepRouter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.down_proj = torch.nn.Linear(64, 16)
        self.router_mlp = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.GELU(), torch.nn.Linear(16, 4))


def test_all_of_a_router_of_several_layers_stays_as_it_is():
    """Zaya has one."""
    layer = family("qwen2_moe").model.layers[0]
    layer.mlp.gate = DeepRouter()
    own = {"mlp.gate.down_proj", "mlp.gate.router_mlp.0", "mlp.gate.router_mlp.2"}
    assert set(routers(layer)) == own | {"mlp.shared_expert_gate"}


def test_the_gates_of_kimi_linear_are_compressed():
    layer = kimi_layer()
    assert routers(layer) == []
    assert {"self_attn.forget_gate.f_a_proj", "self_attn.forget_gate.f_b_proj"} <= set(projections(layer))
    assert any(name.startswith("mlp.experts.") for name in projections(layer))


def test_only_an_override_that_ends_in_its_name_reaches_a_router():
    gates = [f"model.layers.{i}.mlp.shared_expert_gate" for i in range(2)]
    for pattern in ("*", "model.layers.*", "*.mlp.*", "*.shared_expert_gate"):
        model, dense = family("qwen2_moe"), family("qwen2_moe")
        compress(model, "rtn-w4-g32", overrides={pattern: "rtn-w2-g32"})
        for gate in gates:
            same = torch.equal(model.get_submodule(gate).weight, dense.get_submodule(gate).weight)
            assert same == (pattern != "*.shared_expert_gate"), pattern


def test_a_router_is_scaled_along_but_has_no_say():
    """AWQ divides the norm before it: the router, which reads that norm, must be multiplied, and is not rounded."""
    model, dense = family("qwen2_moe"), family("qwen2_moe")
    compress(model, "awq-w8-g32", text(4))
    for new, old in zip(model.model.layers, dense.model.layers, strict=True):
        share = new.mlp.shared_expert_gate.weight / old.mlp.shared_expert_gate.weight
        undone = old.post_attention_layernorm.weight / new.post_attention_layernorm.weight
        assert torch.allclose(share[0], undone, rtol=1e-4)
