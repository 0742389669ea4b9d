"""Folds: found in every family, exact with any scales, refused where something else depends on the tensor."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from torch import nn

from acgym.compress import Compressed, compress
from acgym.compress.methods.scaling import Fold
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.model import AwqOptions, SmoothQuantOptions
from acgym.compress.walk.collector import Collector, capture
from acgym.compress.walk.folds import fold_groups
from acgym.compress.walk.layers import decoder_layers
from tests.helpers.compress_families import FAMILIES, make
from tests.helpers.compress_models import linears, logits, registered, text

ROWS = text(3)
QKV, GATED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"), ("mlp.gate_proj", "mlp.up_proj")
VALUE, UP = ("self_attn.v_proj", ("self_attn.o_proj",)), ("mlp.up_proj", ("mlp.down_proj",))
LLAMA = {("input_layernorm", QKV), ("post_attention_layernorm", GATED), VALUE, UP}
GEMMA = {("input_layernorm", QKV), ("pre_feedforward_layernorm", GATED), VALUE, UP}
EXPECTED = {
    **dict.fromkeys(("llama", "qwen2", "qwen3", "mistral", "stablelm"), LLAMA),
    **dict.fromkeys(("gemma2", "gemma3"), GEMMA),
    "olmo2": {VALUE, UP},
    "cohere2": {("input_layernorm", (*QKV, *GATED)), VALUE, UP},
    "phi": {("input_layernorm", (*QKV, "mlp.fc1")), ("self_attn.v_proj", ("self_attn.dense",))},
    "phi3": {
        ("input_layernorm", ("self_attn.qkv_proj",)),
        ("post_attention_layernorm", ("mlp.gate_up_proj",)),
        ("self_attn.qkv_proj", ("self_attn.o_proj",)),
        ("mlp.gate_up_proj", ("mlp.down_proj",)),
    },
    "mixtral": {
        ("input_layernorm", QKV),
        ("post_attention_layernorm", ("mlp.gate", *(f"mlp.experts.{i}.gate_up_proj" for i in range(4)))),
        VALUE,
        *((f"mlp.experts.{i}.gate_up_proj", (f"mlp.experts.{i}.down_proj",)) for i in range(4)),
    },
    "gpt_oss": {("input_layernorm", QKV), VALUE},
}


def found(model, index=0):
    """Groups of a layer and the norms that take no scales."""
    layers = list(decoder_layers(model).values())
    with torch.no_grad():
        replay = capture(model, layers, ROWS)
        for before in range(index):
            replay.hidden = replay.run(before, layers[before])
        return fold_groups(layers[index], partial(replay.run_one, index, layers[index], replay.shortest))


def off(got, expected):
    """Relative distance; norms compute in float32 inside, whatever the model's dtype."""
    return float((got - expected).norm() / expected.norm())


@pytest.mark.parametrize("family", EXPECTED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_groups_of_each_family_are_found_in_any_precision(family, dtype):
    groups, refused = found(make(family, dtype))
    assert {(group.producer, tuple(group.readers)) for group in groups} == EXPECTED[family]
    assert refused == (["post_attention_layernorm"] if family == "gpt_oss" else [])


@pytest.mark.parametrize("family", FAMILIES)
def test_folding_any_scales_leaves_the_model_as_it_computes(family):
    model = make(family, torch.float64)
    before = {row: logits(model, ROWS[row]) for row in range(3)}
    generator = torch.Generator().manual_seed(5)
    for index in range(2):
        groups, _ = found(model, index)
        with torch.no_grad():
            for group in groups:
                group.fold(torch.exp(torch.randn(group.channels, generator=generator, dtype=torch.float64)))
    assert all(off(logits(model, ROWS[row]), old) < 2e-6 for row, old in before.items())


def test_looking_for_groups_leaves_every_parameter():
    model = make("gemma2", torch.bfloat16)
    before = copy.deepcopy(model.state_dict())
    groups, _ = found(model)
    assert {added for group in groups for _, added in group.rows if group.after_norm} == {1.0}
    assert all(torch.equal(p, before[name]) for name, p in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_query_heads_of_a_group_share_their_scales():
    groups, _ = found(make("llama"))  # 4 query heads of 16, 2 value heads
    group = next(group for group in groups if group.producer == "self_attn.v_proj")
    assert group.channels == 32
    assert group.share.tolist() == [*range(16), *range(16), *range(16, 32), *range(16, 32)]


class Greedy(nn.Module):
    """A layer whose norm is also added to its output, so that it takes no scales; up feeds down through a square."""

    def __init__(self):
        super().__init__()
        self.norm, self.up, self.down = nn.RMSNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, hidden):
        normed = self.norm(hidden)
        return hidden + normed + self.down(self.up(normed) ** 2)


class Idle(nn.Module):
    """A layer in which nothing that its projections compute is used."""

    def __init__(self):
        super().__init__()
        self.norm, self.up, self.down = nn.RMSNorm(8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, hidden):
        return hidden + 0 * self.down(self.up(self.norm(hidden)))


@pytest.mark.parametrize("layer", [Greedy(), Idle()])
def test_what_cannot_be_proved_is_not_folded(layer):
    torch.manual_seed(0)
    hidden = torch.randn(1, 9, 8)
    with torch.no_grad():
        assert fold_groups(layer, lambda: layer(hidden)) == ([], ["norm"])


@pytest.mark.parametrize(("method", "options"), [("awq", AwqOptions), ("smoothquant", SmoothQuantOptions)])
@pytest.mark.parametrize("family", ["llama", "gemma3", "phi3", "qwen2_moe"])
def test_the_scaled_model_equals_the_unscaled_one_before_rounding(method, options, family):
    model = make(family, torch.float64)
    before, weights = logits(model, ROWS[2]), {name: p.weight.detach().clone() for name, p in linears(model).items()}
    where = f"acgym.compress.methods.{method}:{method}_scales"
    with registered("scaled", None, options=options, needs="hessian", scales=where):
        recipe = "scaled-w3-g32" if method == "awq" else "scaled-w8a16-alpha0.8"
        compress(model, recipe, ROWS)
    moved = [float((p.weight.detach() / weights[name]).std()) for name, p in linears(model).items()]
    assert max(moved) > 0.1
    assert off(logits(model, ROWS[2]), before) < 2e-6


def test_statistics_after_a_fold_are_those_of_the_scaled_inputs():
    x = torch.randn(6, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scales = torch.arange(1.0, 7.0, dtype=torch.float64)

    def seen(x):
        return Statistics(40, x.square().sum(1), x @ x.T, x.abs().sum(1), x.abs().amax(1))

    got, expected = seen(x).divided(scales), seen(x / scales[:, None])
    for part in ("squares", "gram", "absolute", "maximum"):
        assert torch.allclose(getattr(got, part), getattr(expected, part), rtol=1e-12)


def test_weights_are_compressed_with_the_statistics_of_their_scaled_inputs():
    told = {}

    def spy(weight, statistics, options):
        told[len(told)] = statistics
        return Compressed(weight)

    model = make("llama", torch.float64)
    with registered("spy", spy, needs="hessian", options=AwqOptions, scales="acgym.compress.methods.awq:awq_scales"):
        compress(model, "spy-w3-g32", ROWS)
    collector = Collector(linears(model), "hessian")
    with torch.no_grad(), collector.collecting():
        for row in ROWS:
            logits(model, row)
    for statistics, expected in zip(told.values(), collector.statistics.values(), strict=True):
        assert off(statistics.gram, expected.gram) < 1e-5
        assert torch.allclose(statistics.norm, expected.norm, rtol=1e-5)


def test_what_a_scaling_method_sees_worked_by_hand():
    one = Statistics(2, None, None, torch.tensor([2.0, 4.0, 6.0, 8.0]), torch.tensor([1.0, 2.0, 5.0, 4.0]))
    two = Statistics(8, None, None, torch.tensor([8.0, 6.0, 4.0, 2.0]), torch.tensor([3.0, 1.0, 1.0, 1.0]))
    weights = {"a": torch.tensor([[1.0, -2.0, 0.0, 4.0]]), "b": torch.tensor([[0.0, 1.0, -3.0, 0.0]])}
    white = Statistics.white(4, weights["a"])
    fold = Fold({**weights, "c": weights["b"]}, {"a": one, "b": two, "c": white}, torch.tensor([0, 0, 1, 1]), 2, True)
    assert fold.mean().tolist() == [1.0, 1.0]  # (10 + 10) / 2 and (10 + 10) / 2 over 10 tokens; white inputs count none
    assert fold.largest().tolist() == [3.0, 5.0]
    assert fold.largest_weight().tolist() == [2.0, 4.0]


def test_bad_scales_are_refused():
    with (
        registered("broken", None, needs="sizes", scales=lambda fold, options: -fold.largest()),
        pytest.raises(ValueError, match=r"0\.input_layernorm that are not 64 positive numbers"),
    ):
        compress(make("llama"), "broken", ROWS)
    with (
        pytest.raises(ValueError, match="found on calibration text"),
        registered("blind", None, scales=lambda fold, options: None),
    ):
        pass
