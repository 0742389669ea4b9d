"""AWQ and SmoothQuant: their scales and grids against references written from the papers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from acgym.compress import compress
from acgym.compress.methods.activations import input_format
from acgym.compress.methods.awq import awq, awq_scales
from acgym.compress.methods.rtn import rtn
from acgym.compress.methods.scaling import Fold
from acgym.compress.methods.smoothquant import smoothquant_scales
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.model import AwqOptions, SmoothQuantOptions
from acgym.compress.walk.collector import Collector
from acgym.compress.walk.layers import decoder_layers
from acgym.compress.walk.projections import projections
from tests.helpers.compress_families import make
from tests.helpers.compress_models import linears, logits, text

ROWS = text(7)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inputs(features, tokens=300, seed=1):
    """Inputs X, (features, tokens), correlated, with a few channels that are much larger than the others."""
    sizes = torch.exp(normal(features, 1, seed=seed))
    sizes[::16] *= 20
    return sizes * (normal(features, features, seed=seed + 1) / features**0.5 @ normal(features, tokens, seed=seed + 2))


def seen(x):
    return Statistics(x.shape[1], x.square().sum(1), x @ x.T, x.abs().sum(1), x.abs().amax(1))


def fold_of(weights, x, share=None, channels=None):
    share = torch.arange(len(x)) if share is None else share
    return Fold(weights, {name: seen(x) for name in weights}, share, channels or len(x), True)


def numpy_rounded(weight, bits, group, symmetric):
    """Min-max grids, one weight matrix at a time, in NumPy."""
    out = np.empty_like(weight)
    for start in range(0, weight.shape[1], group):
        part = weight[:, start : start + group]
        low, high = np.minimum(part.min(1), 0), np.maximum(part.max(1), 0)
        if symmetric:
            high = np.maximum(high, -low)
            low = -high
        scale = (high - low) / (2**bits - 1)
        zero = np.full_like(scale, 2 ** (bits - 1)) if symmetric else np.round(-low / scale)
        codes = np.clip(np.round(part / scale[:, None]) + zero[:, None], 0, 2**bits - 1)
        out[:, start : start + group] = scale[:, None] * (codes - zero[:, None])
    return out


def numpy_error(weights, x, s, options):
    """Squared output error of all weights on the tokens themselves."""
    total = 0.0
    for weight in weights:
        rounded = numpy_rounded(weight * s, options.bits, options.group, options.symmetric) / s
        total += float(np.square((rounded - weight) @ x).sum())
    return total


@pytest.mark.parametrize("options", [AwqOptions(3, 16, plain=True), AwqOptions(4, 32, True), AwqOptions(2, 32)])
def test_awq_scales_equal_a_search_on_the_tokens_themselves(options):
    weights, x = [normal(12, 32, seed=5).numpy(), normal(20, 32, seed=6).numpy()], inputs(32).numpy()
    sizes = np.abs(x).mean(1)
    shares = [
        (np.abs(w).reshape(len(w), -1, options.group) / np.abs(w).reshape(len(w), -1, options.group).max(2)[..., None])
        for w in weights
    ]
    important = np.concatenate([share.reshape(len(share), -1) for share in shares]).mean(0)
    tried = [sizes ** (i / 20) for i in range(20)]
    if not options.plain:
        tried += [sizes ** (i / 20) / important ** (1 - i / 20) for i in range(20)]
    tried = [s / np.sqrt(s.max() * s.min()) for s in tried]
    expected = min(tried, key=lambda s: numpy_error(weights, x, s, options))
    fold = fold_of({str(i): torch.from_numpy(w) for i, w in enumerate(weights)}, torch.from_numpy(x))
    got = awq_scales(fold, options).numpy()
    assert np.allclose(got, expected, rtol=1e-9)
    assert numpy_error(weights, x, got, options) < 0.8 * numpy_error(weights, x, np.ones(32), options)


def test_awq_scales_do_not_depend_on_the_size_of_inputs_or_weights():
    weight, x = normal(12, 32), inputs(32)
    x[7] = 0  # a dead channel must not bring a size in
    plain = awq_scales(fold_of({"w": weight}, x), AwqOptions(3, 16))
    assert torch.allclose(awq_scales(fold_of({"w": weight * 1e-3}, x * 1e4), AwqOptions(3, 16)), plain, rtol=1e-9)
    assert torch.isfinite(plain).all()


def test_awq_leaves_alone_what_it_knows_nothing_about():
    silent = Fold({"w": normal(4, 32)}, {"w": Statistics.white(32, normal(1))}, torch.arange(32), 32, True)
    assert awq_scales(silent, AwqOptions(3, 32)) is None
    assert awq_scales(fold_of({"w": normal(4, 32)}, inputs(32)), AwqOptions(16)) is None
    assert awq_scales(fold_of({"w": torch.zeros(4, 32)}, inputs(32)), AwqOptions(3, 32)) is None  # nothing to gain


def test_shared_channels_get_one_scale_each():
    share = torch.arange(32) // 8
    scales = awq_scales(fold_of({"w": normal(12, 32)}, inputs(32), share, 4), AwqOptions(2, 32))
    assert scales.shape == (4,)


@pytest.mark.parametrize("symmetric", [False, True])
def test_awq_clips_each_group_as_an_exhaustive_search_on_the_tokens_would(symmetric):
    weight, x = normal(6, 32), inputs(32)
    weight[:, 5] *= 6
    got = awq(weight, seen(x), AwqOptions(3, 16, symmetric))
    expected = np.empty((6, 32))
    for row in range(6):
        for start in (0, 16):
            part, tokens = weight[row, start : start + 16].numpy()[None], x[start : start + 16].numpy()
            tried = [np.clip(part, -c * abs(part).max(), c * abs(part).max()) for c in 1 - np.arange(10) / 20]
            rounded = []
            for clipped in tried:  # the grid is that of the clipped weights
                low, high = min(clipped.min(), 0), max(clipped.max(), 0)
                if symmetric:
                    high = max(high, -low)
                    low = -high
                scale = (high - low) / 7
                zero = 4 if symmetric else np.round(-low / scale)
                rounded.append(scale * (np.clip(np.round(part / scale) + zero, 0, 7) - zero))
            best = min(rounded, key=lambda r: np.square((r - part) @ tokens).sum())
            expected[row, start : start + 16] = best[0]
    assert np.allclose(got.weight.numpy(), expected, rtol=1e-9)
    assert not torch.equal(got.weight, awq(weight, seen(x), AwqOptions(3, 16, symmetric, clip=False)).weight)


def test_awq_returns_the_grid_that_its_weight_lies_on():
    weight, x = normal(6, 32).float(), inputs(32).float()
    for options in (AwqOptions(4, 16), AwqOptions(3, 32, True), AwqOptions(8, -1, clip=False)):
        result = awq(weight, seen(x), options)
        codes = result.grid.codes(result.weight)
        assert torch.equal(result.grid.weight(codes), result.weight)
        assert (codes >= 0).all()
        assert (codes < 2**options.bits).all()
    assert torch.equal(
        awq(weight, Statistics(), AwqOptions(4, 16, clip=False)).weight,
        rtn(weight, Statistics(), AwqOptions(4, 16)).weight,
    )
    assert awq(weight, seen(x), AwqOptions(16)).weight is weight


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_awq_errs_less_than_rounding_to_nearest_on_every_layer(family):
    errors = {}
    for recipe in ("rtn-w3-g32", "awq-w3-g32-noclip", "awq-w3-g32"):
        record = compress(make(family), recipe, ROWS, measure=True)
        errors[recipe] = [layer.output_error for layer in record.layers]
    for nearest, scaled, clipped in zip(*errors.values(), strict=True):
        assert clipped < nearest
        assert scaled < nearest


def test_smoothquant_scales_worked_by_hand():
    x = torch.tensor([[4.0, -16.0], [1.0, 0.5], [0.0, 0.0], [2.0, 1.0]])
    fold = fold_of({"a": torch.tensor([[1.0, 2.0, 3.0, 0.0]]), "b": torch.tensor([[-4.0, 1.0, 1.0, 0.0]])}, x)
    got = smoothquant_scales(fold, SmoothQuantOptions())
    assert torch.allclose(got, torch.tensor([2.0, 0.5**0.5, 1.0, 1.0]))  # (16 / 4)^0.5, (1 / 2)^0.5, dead, unused
    all_moved = smoothquant_scales(fold, SmoothQuantOptions(alpha=1.0))
    assert torch.allclose(all_moved, torch.tensor([16.0, 1.0, 1.0, 1.0]))
    after_projection = Fold(fold.weights, fold.statistics, fold.share, 4, False)
    assert smoothquant_scales(after_projection, SmoothQuantOptions()) is None


def test_smoothed_inputs_and_weights_have_the_same_maxima():
    model = make("llama")
    compress(model, "smoothquant-w8a16", ROWS)
    name, layer = next(iter(decoder_layers(model).items()))
    collector = Collector({key: projections(layer)[key] for key in ("self_attn.q_proj", "mlp.up_proj")}, "sizes")
    with torch.no_grad(), collector.collecting():
        for row in ROWS:
            logits(model, row)
    for key, others in (("self_attn.q_proj", ("k_proj", "v_proj")), ("mlp.up_proj", ("gate_proj",))):
        parent = key.rpartition(".")[0]
        weights = [layer.get_submodule(path).weight for path in (key, *(f"{parent}.{o}" for o in others))]
        largest = torch.cat(weights).abs().amax(0)
        assert torch.allclose(collector.statistics[key].maximum, largest, rtol=0.05), (
            name
        )  # alpha = 0.5, up to rounding


def test_w8a8_computes_what_integers_compute():
    model, kept = make("llama"), {}
    compress(model, "smoothquant-w8a8", ROWS, keep=lambda name, result: kept.update({name: result}))
    linear, result = model.model.layers[0].mlp.down_proj, kept["model.layers.0.mlp.down_proj"]
    assert input_format(linear) == "int8"
    weights = (result.grid.codes(result.weight) - 128).int()
    x = torch.randn(5, linear.in_features, generator=torch.Generator().manual_seed(0))
    scale = x.abs().amax(1, keepdim=True) / 127
    integers = torch.round(x / scale).int() @ weights.T  # torch's int8 kernel overflows on some processors
    with torch.no_grad():
        assert torch.allclose(linear(x), integers * scale * result.grid.scale.T, rtol=1e-5, atol=1e-5)


def test_later_layers_are_calibrated_on_what_rounded_inputs_give():
    rounded, plain = make("llama"), make("llama")
    compress(rounded, "smoothquant-w8a8", ROWS)
    compress(plain, "smoothquant-w8a16", ROWS)
    first, second = (
        [dict(linears(m))[f"model.layers.{i}.mlp.up_proj"].weight for m in (rounded, plain)] for i in (0, 1)
    )
    assert torch.equal(*first)
    assert not torch.equal(*second)


def test_rounded_inputs_survive_a_copy_and_are_not_in_the_state():
    model = make("llama")
    compress(model, "act-int8", ROWS)
    twin = copy.deepcopy(model)
    assert torch.equal(logits(twin, ROWS[2]), logits(model, ROWS[2]))
    assert not torch.equal(logits(model, ROWS[2]), logits(make("llama"), ROWS[2]))
    assert {input_format(linear) for linear in linears(twin).values()} == {"int8"}
    assert list(model.state_dict()) == list(make("llama").state_dict())
