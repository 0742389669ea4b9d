"""Chains, overrides and the ignore list: which projection gets which steps, and what a step leaves to the next."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
import torch

from acgym.compress import compress, parse
from acgym.compress.methods.activations import input_format
from acgym.compress.methods.gptq import gptq
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import GptqOptions
from tests.helpers.compress_families import make
from tests.helpers.compress_models import linears, logits, text

ROWS = text(6)


def test_ignored_projections_stay_and_are_not_counted():
    model, dense = make("llama"), make("llama")
    record = compress(model, "gptq-w4-g32", ROWS, ignore=["*.down_proj", "model.layers.1.self_attn.*", "lm_head"])
    before = linears(dense)
    for name, linear in linears(model).items():
        ignored = name.endswith("down_proj") or name.startswith("model.layers.1.self_attn.")
        assert torch.equal(linear.weight, before[name].weight) == ignored, name
    assert record.ignored == ("*.down_proj", "model.layers.1.self_attn.*", "lm_head")
    assert record.bits_per_weight == 4 + 20 / 32
    attention, mlp = 2 * 64 * 64 + 2 * 32 * 64, 2 * 128 * 64
    assert record.compressed_weights == attention + 2 * mlp


def test_overrides_give_other_bits_and_the_first_pattern_decides():
    model, eight, three = make("llama"), make("llama"), make("llama")
    record = compress(
        model, "rtn-w4-g32", overrides={"*.0.*.down_proj": "rtn-w3-g32", "model.layers.0.*": "rtn-w8-g32"}
    )
    four = make("llama")
    for twin, recipe in ((eight, "rtn-w8-g32"), (three, "rtn-w3-g32"), (four, "rtn-w4-g32")):
        compress(twin, recipe)
    for name, linear in linears(model).items():
        other = three if name == "model.layers.0.mlp.down_proj" else eight if ".0." in name else four
        assert torch.equal(linear.weight, linears(other)[name].weight), name
    assert record.overrides == {"*.0.*.down_proj": "rtn-w3-g32", "model.layers.0.*": "rtn-w8-g32"}
    sizes = {name: linear.weight.numel() for name, linear in linears(model).items()}
    bits = {n: 3 if n == "model.layers.0.mlp.down_proj" else 8 if ".0." in n else 4 for n in sizes}
    packed = sum(size * (bits[name] + (16 + bits[name]) / 32) for name, size in sizes.items())
    assert record.bits_per_weight == pytest.approx(packed / sum(sizes.values()))


def test_an_override_may_read_calibration_that_the_recipe_does_not():
    model = make("llama")
    with pytest.raises(ValueError, match="needs calibration text"):
        compress(model, "rtn-w4-g32", overrides={"*.o_proj": "gptq-w4-g32"})
    record = compress(model, "rtn-w4-g32", ROWS, overrides={"*.o_proj": "gptq-w4-g32"})
    assert record.calibration_tokens == sum(map(len, ROWS))
    nearest = make("llama")
    compress(nearest, "rtn-w4-g32")
    same = {n for n, linear in linears(model).items() if torch.equal(linear.weight, linears(nearest)[n].weight)}
    assert {name.rsplit(".", 1)[1] for name in set(linears(model)) - same} == {"o_proj"}


def test_an_ignored_reader_of_a_fold_is_scaled_but_not_rounded():
    model, dense = make("llama", torch.float64), make("llama", torch.float64)
    compress(model, "smoothquant-w8a8", ROWS, ignore=["*.k_proj"])
    one, other = (m.model.layers[0] for m in (model, dense))
    scales = other.input_layernorm.weight / one.input_layernorm.weight
    assert float(scales.detach().std()) > 0.01
    assert torch.allclose(one.self_attn.k_proj.weight, other.self_attn.k_proj.weight * scales, rtol=1e-12)
    assert input_format(one.self_attn.k_proj) is None
    assert input_format(one.self_attn.q_proj) == "int8"


@pytest.mark.parametrize(
    ("ignore", "overrides", "expected"),
    [
        (["*.down_porj"], {}, "'*.down_porj' matches no module of the model; the nearest module is"),
        (["lm_haed"], {}, "'lm_haed' matches no module of the model; the nearest module is 'lm_head'"),
        ([], {"model.layers.7.*": "rtn-w8"}, "the nearest projection is 'model.layers."),
        (["model.*"], {}, "nothing is left to compress: model.* match every projection"),
        ([], {"*": "rtn-w8+wanda-50"}, "the override '*': rtn-w8-g128+wanda-50 has more steps than rtn-w4-g32"),
        ([], {"*": "kv-int8"}, "kv-int8 concerns the whole model and cannot override '*'"),
        ([], {"*": "rnt-w8"}, "did you mean 'rtn'"),
        ([], {"*.q_proj": "rtn-w8"}, "rtn-w8-g128 does not fit model.layers.0.self_attn.q_proj"),
    ],
)
def test_patterns_that_make_no_sense_are_refused_before_any_work(ignore, overrides, expected):
    model = make("llama")
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=re.escape(expected)):
        compress(model, "rtn-w4-g32", ROWS, ignore=ignore, overrides=overrides)
    assert all(torch.equal(p, before[name]) for name, p in model.state_dict().items())


def test_keep_is_called_once_for_each_projection_and_step():
    model, kept = make("qwen2_moe"), []
    compress(model, "magnitude-50+rtn-w4-g32", keep=lambda name, result: kept.append((name, result)))
    compressed = {name: item for name, item in linears(model).items() if not name.endswith("shared_expert_gate")}
    assert sorted(name for name, _ in kept) == sorted([*compressed, *compressed])
    last = dict(kept)
    for name, linear in compressed.items():
        result = last[name]
        assert torch.equal(result.weight, linear.weight)
        assert torch.allclose(result.grid.weight(result.grid.codes(result.weight)), linear.weight, atol=1e-7)


@pytest.mark.parametrize(
    "chain",
    [
        "sparsegpt-2:4+gptq-w4-g32",
        "wanda-2:4+gptq-w3-g32-actorder",
        "magnitude-2:4+gptq-w4-g32-sym-static",
        "wanda-2:4+awq-w4-g32",
        "magnitude-2:4+rtn-w3-g32",
        "wanda-2:4+smoothquant-w8a8",
        "sparsegpt-2:4+fp8",
    ],
)
def test_what_was_pruned_stays_zero_when_it_is_quantised(chain):
    pruned, both = make("llama"), make("llama")
    compress(pruned, chain.split("+")[0], ROWS)
    record = compress(both, chain, ROWS)
    for name, linear in linears(both).items():
        if name.startswith("model.layers.0."):  # the masks of later layers are the same too, but for their inputs
            assert ((linear.weight == 0) | (linears(pruned)[name].weight != 0)).all(), name
        assert ((linear.weight.reshape(-1, 4) != 0).sum(1) <= 2).all(), name
    assert record.sparsity >= 0.5
    assert not any("filled" in note for note in record.notes)


def masked_obq(weight, x, options, zeros):
    """GPTQ column by column with the dense inverse Hessian, where marked weights are rounded to zero; float64 NumPy."""
    w, inverse = weight.copy(), 2 * x @ x.T
    inverse = np.linalg.inv(inverse + options.damp * inverse.diagonal().mean() * np.eye(len(inverse)))
    top = 2**options.bits - 1
    for i in range(w.shape[1]):
        if i % options.group == 0:
            part = np.where(zeros, 0, w)[:, i : i + options.group]
            low, high = np.minimum(part.min(1), 0), np.maximum(part.max(1), 0)
            scale = (high - low) / top
            zero = np.round(-low / scale)
        rounded = scale * (np.clip(np.round(w[:, i] / scale) + zero, 0, top) - zero)
        rounded = np.where(zeros[:, i], 0, rounded)
        error = (w[:, i] - rounded) / inverse[i, i]
        w[:, i + 1 :] -= np.outer(error, inverse[i, i + 1 :])
        w[:, i] = rounded
        inverse -= np.outer(inverse[:, i], inverse[i]) / inverse[i, i]
    return w


def test_gptq_after_pruning_equals_the_column_by_column_algorithm():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(10, 64, generator=generator, dtype=torch.float64)
    mixing = torch.randn(64, 64, generator=generator, dtype=torch.float64) / 8
    mixing = torch.exp(torch.linspace(2, -2, 64, dtype=torch.float64))[:, None] * (mixing + 0.5)
    x = mixing @ torch.randn(64, 300, generator=generator, dtype=torch.float64)
    zeros = torch.rand(10, 64, generator=generator) < 0.5
    weight[zeros] = 0
    options = GptqOptions(3, 8)  # small groups: the ends of some are at weights that were pruned and have drifted
    got = gptq(weight, Statistics(300, None, x @ x.T, zeros=zeros), options).weight
    assert torch.allclose(
        got, torch.from_numpy(masked_obq(weight.numpy(), x.numpy(), options, zeros.numpy())), atol=1e-9
    )
    assert (got[zeros] == 0).all()
    cut = gptq(weight, Statistics(300, None, x @ x.T), options).weight.masked_fill(zeros, 0)
    errors = [float(((w - weight) @ x).square().sum()) for w in (got, cut)]
    assert errors[0] < 0.9 * errors[1]  # zeroing afterwards would leave what the sweep moved there uncorrected


def test_a_chain_with_a_cache_step_does_both():
    model = make("llama")
    record = compress(model, "smoothquant-w8a8+kv-int8", ROWS)
    assert {layer.step for layer in record.layers} == {"smoothquant-w8a8"}
    assert record.cache_bytes_per_token == 160
    assert hasattr(model, "acgym_quantise_cache")
    assert torch.isfinite(logits(model, ROWS[0])).all()
    assert str(parse("smoothquant-alpha0.50+kv-int8-head")) == "smoothquant-w8a8+kv-int8"
