"""The walk over a model's layers, on small random Llama, Qwen2 and Mistral models."""

from __future__ import annotations

import collections
import copy
import dataclasses
import json

import pytest
import torch

import acgym.compress.methods.gptq as gptq_module
import acgym.compress.walk.layer as layer_module
import acgym.compress.walk.replay as replay_module
from acgym.compress import Compressed, compress
from acgym.compress.methods import table as methods
from acgym.compress.methods.gptq import gptq
from acgym.compress.methods.rtn import rtn
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import Affine, GptqOptions
from acgym.compress.walk.collector import Collector, capture
from acgym.compress.walk.layers import decoder_layers
from acgym.compress.walk.projections import projections
from tests.helpers.compress_models import VOCABULARY, linears, logits, make, registered, text


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("recipe", ["rtn-w4-g64", "gptq-w3-g64", "magnitude-50", "wanda-50", "wanda-2:4"])
def test_only_the_projections_of_the_decoder_change(family, recipe):
    model = make(family)
    before = {name: p.clone() for name, p in model.named_parameters()}
    record = compress(model, recipe, text())
    targets = {f"{name}.weight" for name in linears(model)}
    assert len(targets) == 7 * 3
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name]) == (name not in targets), name
    assert record.simulated
    assert record.compressed_weights == sum(linear.weight.numel() for linear in linears(model).values())


@pytest.mark.parametrize("recipe", ["rtn-w16", "gptq-w16", "magnitude-0", "wanda-0", "wanda-4:4"])
def test_identities_leave_every_weight_and_count_16_bits(recipe):
    model = make()
    before = copy.deepcopy(model.state_dict())
    record = compress(model, recipe, text(3), measure=True)
    assert all(torch.equal(p, before[name]) for name, p in model.state_dict().items())
    assert record.bits_per_weight == 16.0
    assert record.weight_bytes == 2 * sum(p.numel() for p in model.parameters())
    assert {(layer.output_error, layer.weight_error) for layer in record.layers} == {(0.0, 0.0)}


@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral"])
def test_replayed_layers_give_what_the_model_gives(family):
    # A window shorter than the text: each layer must get the mask that the model makes for it.
    windows = {"qwen2": {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}}
    model = make(family, **windows.get(family, {"sliding_window": 4} if family == "mistral" else {}))
    layers, rows = decoder_layers(model), text(4)
    with torch.no_grad():
        replay = capture(model, list(layers.values()), rows)
        for index, layer in enumerate(layers.values()):
            replay.hidden = replay.run(index, layer)
        for hidden, row in zip(replay.hidden, rows, strict=True):
            assert torch.allclose(model.lm_head(model.model.norm(hidden)), logits(model, row), atol=1e-5)
    assert all("forward" not in layer.__dict__ for layer in layers.values())


@pytest.mark.parametrize("measured", [1, 2])
def test_the_output_error_is_that_of_the_first_tokens(monkeypatch, measured):
    first_row, second_row = text(2)
    rows = [first_row, second_row[: len(second_row) // 2]]  # two lengths, so two batches
    monkeypatch.setattr(layer_module, "ERROR_TOKENS", sum(map(len, rows[:measured])))
    model = make()
    first = next(iter(decoder_layers(model).values()))
    outputs = []
    hook = first.register_forward_hook(lambda _, args, output: outputs.append(output[0].double()))
    for row in rows[:measured]:
        logits(model, row)
    dense, record = list(outputs), compress(model, "rtn-w3-g64", rows, measure=True)
    outputs.clear()
    for row in rows[:measured]:
        logits(model, row)
    hook.remove()
    changed = sum((a - b).square().sum() for a, b in zip(dense, outputs, strict=True))
    expected = (changed / sum(a.square().sum() for a in dense)).sqrt()
    assert record.layers[0].output_error == pytest.approx(float(expected), rel=1e-4)


def naive_inputs(model, name, rows):
    """Inputs of a projection, (tokens, in), gathered by running the whole model."""
    seen = []
    hook = model.get_submodule(name).register_forward_pre_hook(lambda _, args: seen.append(args[0][0].double()))
    for row in rows:
        logits(model, row)
    hook.remove()
    return torch.cat(seen)


@pytest.mark.parametrize("measured", [1, 10_000])
def test_statistics_are_those_of_the_text_with_all_earlier_layers_compressed(monkeypatch, measured):
    # Beyond the tokens that errors are measured on, layers are run only as far as their last projection's input.
    monkeypatch.setattr(layer_module, "ERROR_TOKENS", measured)
    monkeypatch.setattr(replay_module, "BATCH_TOKENS", 1)
    seen = {}

    def spy(weight, statistics, options):
        seen[len(seen)] = Statistics(statistics.tokens, statistics.squares.clone(), statistics.gram.clone())
        return Compressed((weight * 8).round() / 8)

    with registered("spy", spy, needs="hessian"):
        model, rows = make(), text(5)
        dense = copy.deepcopy(model)
        compress(model, "spy", rows)
    for index, name in enumerate(linears(model)):
        layer = int(name.split(".")[2])
        mixed = copy.deepcopy(dense)
        for earlier in range(layer):
            mixed.model.layers[earlier].load_state_dict(model.model.layers[earlier].state_dict())
        x = naive_inputs(mixed, name, rows)
        assert seen[index].tokens == len(x) == sum(map(len, rows))
        assert torch.allclose(seen[index].gram.double(), x.T @ x, rtol=1e-4, atol=1e-4 * float(x.square().sum(0).max()))
        assert torch.allclose(seen[index].norm.double(), x.norm(dim=0), rtol=1e-4)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("bits", [2, 3, 4])
def test_gptq_errs_no_more_than_rtn_on_any_projection_and_any_layer(family, bits):
    model, rows = make(family), text()
    for name, layer in decoder_layers(model).items():
        collector = Collector({f"{name}.{k}": linear for k, linear in projections(layer).items()}, "hessian")
        with torch.no_grad(), collector.collecting():
            for row in rows:
                logits(model, row)
        for key, statistics in collector.statistics.items():
            weight = model.get_submodule(key).weight.detach()
            deltas = [method(weight, statistics, GptqOptions(bits, 64)).weight - weight for method in (gptq, rtn)]
            by_gptq, by_rtn = (float(((delta @ statistics.gram) * delta).sum()) for delta in deltas)
            assert by_gptq < by_rtn, key
    errors = {}
    for method in ("gptq", "rtn"):
        record = compress(copy.deepcopy(model), f"{method}-w{bits}-g64", rows, measure=True)
        errors[method] = [layer.output_error for layer in record.layers]
    assert all(a < b for a, b in zip(errors["gptq"], errors["rtn"], strict=True)), errors


@pytest.mark.parametrize("recipe", ["gptq-w3-g64", "gptq-w4-g32-actorder", "wanda-50"])
def test_a_sequence_gives_the_same_whatever_stands_beside_it(recipe):
    # No padding and no batch: statistics are sums over sequences, so their order can matter by rounding alone.
    rows = text(8)
    first, second = make().double(), make().double()
    compress(first, recipe, rows)
    compress(second, recipe, rows[::-1])
    for name, linear in linears(first).items():
        assert torch.allclose(linear.weight, linears(second)[name].weight, atol=1e-9), name


def test_the_same_call_gives_the_same_bits():
    first, second = make(), make()
    compress(first, "gptq-w3-g64-actorder", text())
    compress(second, "gptq-w3-g64-actorder", text())
    assert all(torch.equal(p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("features", [1, 512, 513, 1300])
def test_the_gram_matrix_is_whole_and_symmetric_whatever_the_width(features):
    x = torch.randn(40, features, generator=torch.Generator().manual_seed(features), dtype=torch.float64)
    layer = torch.nn.Linear(features, 2, dtype=torch.float64)
    collector = Collector({"only": layer}, "hessian")
    with torch.no_grad(), collector.collecting():
        layer(x)
    gram = collector.statistics["only"].gram
    assert torch.allclose(gram, x.T @ x, atol=1e-10)
    assert torch.equal(gram, gram.T)


def test_layers_are_run_no_further_than_they_are_needed(monkeypatch):
    monkeypatch.setattr(layer_module, "ERROR_TOKENS", 1)
    monkeypatch.setattr(replay_module, "BATCH_TOKENS", 1)
    model, rows = make(), text(5)
    calls = collections.Counter()
    for name, linear in linears(model).items():
        linear.register_forward_hook(lambda *_, name=name: calls.update([name]))
    compress(model, "wanda-50", rows)
    layers, own = list(decoder_layers(model)), next(iter(decoder_layers(model)))
    # Twice for every batch, once more for the first layer (what does it return?); the last projection once for every
    # batch and once for what errors are measured on; behind the last layer only that.
    assert calls[f"{own}.self_attn.o_proj"] == 2 * len(rows) + 1
    assert calls[f"{own}.mlp.down_proj"] == len(rows) + 1 + 1
    assert calls[f"{layers[-1]}.self_attn.o_proj"] == len(rows) + 1
    assert calls[f"{layers[-1]}.mlp.down_proj"] == 1 + 1


class Odd(torch.nn.Module):
    """Two projections that read one tensor in the first call and different ones in others; a third one reads last."""

    def __init__(self, spoils=False):
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Linear(4, 4, bias=False) for _ in range(3))
        self.calls, self.spoils = 0, spoils

    def forward(self, x):
        other = x if self.calls == 0 else 2 * x
        self.calls += 1
        self.a(x), self.b(other)
        if self.spoils:
            other.mul_(3)
        return self.c(x + 1)


def test_projections_that_share_inputs_only_sometimes_have_sums_of_their_own():
    layer, calls = Odd(), list(torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(1)))
    collector = Collector(dict(layer.named_children()), "hessian")
    with torch.no_grad(), collector.collecting():
        for x in calls:
            layer(x)
    read = {"a": calls, "b": [calls[0], 2 * calls[1], 2 * calls[2]], "c": [x + 1 for x in calls]}
    for name, tensors in read.items():
        x, seen = torch.cat(tensors), collector.statistics[name]
        assert seen.tokens == 15
        assert torch.allclose(seen.gram, x.T @ x, atol=1e-5)
        assert torch.allclose(seen.squares, x.square().sum(0), atol=1e-5)
        assert torch.allclose(seen.absolute, x.abs().sum(0), atol=1e-5)
        assert torch.equal(seen.maximum, x.abs().amax(0))


def test_inputs_that_a_layer_changes_after_they_were_read_are_refused():
    layer = Odd(spoils=True)
    collector = Collector(dict(layer.named_children()), "norm")
    with (
        pytest.raises(ValueError, match="input of a was changed in place"),
        torch.no_grad(),
        collector.collecting(),
    ):
        layer(torch.ones(2, 4))


def test_the_last_projection_is_known_only_where_batches_are_alike():
    layer = Odd()
    collector = Collector(dict(layer.named_children()), "norm")
    with torch.no_grad(), collector.collecting():
        assert collector.last() is None
        layer(torch.ones(2, 4))
        assert collector.last() is layer.c
        layer(torch.ones(2, 4))
        assert collector.last() is layer.c
        layer.a(torch.ones(2, 4))
        assert collector.last() is None


def test_projections_that_read_the_same_inputs_share_their_statistics():
    model = make()
    layer = next(iter(decoder_layers(model).values()))
    collector = Collector(projections(layer), "hessian")
    with torch.no_grad(), collector.collecting():
        for row in text(4):
            logits(model, row)
    shared = {}
    for key, statistics in collector.statistics.items():
        shared.setdefault(id(statistics), []).append(key.rsplit(".", 1)[1])
    assert sorted(shared.values()) == [
        ["down_proj"],
        ["gate_proj", "up_proj"],
        ["o_proj"],
        ["q_proj", "k_proj", "v_proj"],
    ]


@pytest.mark.parametrize(
    "recipe", ["gptq-w3-g32", "gptq-w4-g64-actorder-static", "awq-w4-g32", "wanda-50", "wanda-2:4", "sparsegpt-2:4"]
)
@pytest.mark.parametrize("before", ["", "magnitude-50+"])
def test_stacked_projections_get_what_each_gets_alone(recipe, before, monkeypatch):
    together, apart = make().double(), make().double()
    grids = {}, {}
    compress(together, before + recipe, text(), keep=lambda name, made: grids[0].__setitem__(name, made))
    method = methods.METHODS[recipe.split("-")[0]]
    monkeypatch.setitem(methods.METHODS, recipe.split("-")[0], dataclasses.replace(method, rowwise=False))
    compress(apart, before + recipe, text(), keep=lambda name, made: grids[1].__setitem__(name, made))
    for name, linear in linears(together).items():
        assert torch.allclose(linear.weight, linears(apart)[name].weight, atol=1e-12), name
        one, other = grids[0][name], grids[1][name]
        assert torch.allclose(one.weight, other.weight, atol=1e-12)
        assert (one.grid is None) == (other.grid is None)
        if one.grid is not None:
            assert torch.equal(one.grid.codes(one.weight), other.grid.codes(other.weight))


@pytest.mark.parametrize(("recipe", "calls"), [("gptq-w4-g64", 4), ("sparsegpt-50", 4), ("sparsegpt-2:4", 4)])
def test_a_hessian_is_factored_once_for_all_that_read_the_same_inputs(recipe, calls, monkeypatch):
    made = []
    real = gptq_module.inverse_factor
    monkeypatch.setattr(gptq_module, "inverse_factor", lambda *args: made.append(1) or real(*args))
    compress(make(), recipe, text())
    assert len(made) == 3 * calls


def test_factors_are_dropped_when_their_last_reader_is_done():
    held = []

    def spy(weight, statistics, options):
        statistics.memo["factor"] = torch.zeros(1)
        held.append(statistics)
        return Compressed(weight)

    with registered("spy", spy, needs="hessian"):
        compress(make(), "spy", text(2))
    assert held
    assert not any(statistics.memo for statistics in held)


def test_the_walk_applies_the_pure_function_to_each_projection():
    model = make()
    expected = {
        name: rtn(linear.weight.detach(), Statistics(), Affine(3, 32, True)).weight
        for name, linear in linears(model).items()
    }
    compress(model, "rtn-w3-g32-sym")
    assert all(torch.equal(linear.weight, expected[name]) for name, linear in linears(model).items())


def test_wanda_has_exactly_k_zeros_in_every_row_of_every_projection():
    model = make()
    record = compress(model, "wanda-30", text())
    for linear in linears(model).values():
        assert ((linear.weight == 0).sum(1) == int(linear.in_features * 0.3)).all()
    assert record.sparsity == pytest.approx(0.3, abs=0.01)


def test_methods_without_calibration_run_no_forward_pass():
    model = make()
    model.forward = model.model.forward = None  # calling the model would raise
    record = compress(model, "rtn-w4-g64+magnitude-50")
    assert {layer.output_error for layer in record.layers} == {None}
    assert record.calibration_tokens == 0


def test_storage_is_counted_as_packed_with_tied_embeddings_once():
    for tied in (True, False):
        model = make(tie_word_embeddings=tied)
        record = compress(model, "rtn-w4-g64")
        weights = 3 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128)
        rest = VOCABULARY * 64 * (1 if tied else 2) + 7 * 64
        assert record.compressed_weights == weights
        assert record.total_weights == weights + rest
        assert record.bits_per_weight == 4 + (16 + 4) / 64
        assert record.weight_bytes == weights * (4 + 20 / 64) / 8 + 2 * rest
    assert compress(make(), "rtn-w4-g64-sym").bits_per_weight == 4 + 16 / 64
    assert compress(make(), "magnitude-50").bits_per_weight == 16
    assert compress(make(), "rtn-w3-g32+magnitude-50").bits_per_weight == 3 + 19 / 32
    per_channel = compress(make(), "rtn-w8-channel").bits_per_weight
    assert 8 + 24 / 128 < per_channel < 8 + 24 / 64


def test_chains_compress_what_the_step_before_left():
    chained, by_hand = make(), make()
    record = compress(chained, "magnitude-50+rtn-w8-g64")
    compress(by_hand, "magnitude-50")
    compress(by_hand, "rtn-w8-g64")
    assert all(torch.equal(p, q) for p, q in zip(chained.parameters(), by_hand.parameters(), strict=True))
    assert record.sparsity >= 0.5  # zero is on every asymmetric grid
    assert [layer.step for layer in record.layers] == ["magnitude-50"] * 3 + ["rtn-w8-g64"] * 3


def test_a_step_that_fills_pruned_weights_is_noted():
    with registered("shift", lambda weight, s, o: Compressed(weight + 1)):
        record = compress(make(), "magnitude-50+shift")
    assert record.sparsity == 0
    assert record.notes == ("shift filled pruned weights: zeros fell from 50.0% to 0.0%",)


def test_record_progress_and_modes():
    model, calls = make().train(), []
    record = compress(model, "wanda-50", text(2), progress=lambda *call: calls.append(call))
    assert calls == [(i + 1, 3, f"wanda-50: model.layers.{i}") for i in range(3)]
    assert all(module.training for module in model.modules())
    assert record.calibration_tokens == sum(map(len, text(2)))
    assert [layer.name for layer in record.layers] == [f"model.layers.{i}" for i in range(3)]
    assert all(0 < layer.output_error < 1 and 0 < layer.weight_error < 1 for layer in record.layers)
    assert json.loads(json.dumps(dataclasses.asdict(record)))["recipe"] == "wanda-50"


def test_bfloat16_models_keep_their_dtype():
    model = make().bfloat16()
    compress(model, "gptq-w4-g64", text(3))
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert torch.isfinite(logits(model, [1, 2, 3])).all()
