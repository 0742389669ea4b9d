"""Activations and key-value caches in few bits: values worked by hand, bounds, and what a model carries."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from acgym.compress import compress
from acgym.compress.methods.activations import input_format, quantise_inputs, quantise_tokens
from acgym.compress.methods.kv_cache import bytes_per_token, quantise_keys_values
from acgym.compress.options.model import KvOptions
from tests.helpers.compress_families import make
from tests.helpers.compress_models import logits


def test_int8_worked_by_hand():
    x = torch.tensor([[127.0, -1.0, 0.4, 2.5], [0.0, 0.0, 0.0, 0.0], [-254.0, 3.0, 5.0, 0.9]])
    expected = [[127.0, -1.0, 0.0, 2.0], [0.0] * 4, [-254.0, 4.0, 4.0, 0.0]]  # 2.5, 1.5 and 2.5 steps: halves to even
    assert quantise_tokens(x, "int8").tolist() == expected


def test_fp8_worked_by_hand():
    x = torch.tensor([[448.0, 17.0, 19.0, 2.0**-9, 2.0**-10, -300.0]])
    # 3 bits of mantissa: steps of 2 in [16, 32), of 32 in [256, 448]; the smallest subnormal is 2^-9, half of it is 0.
    assert quantise_tokens(x, "fp8").tolist() == [[448.0, 16.0, 20.0, 2.0**-9, 0.0, -288.0]]
    assert quantise_tokens(x * 4, "fp8").tolist() == (4 * quantise_tokens(x, "fp8")).tolist()


@given(st.integers(0, 10**6), st.sampled_from([1e-30, 1e-3, 1.0, 1e30]), st.sampled_from(["int8", "fp8"]))
@settings(max_examples=60, deadline=None)
def test_tokens_are_rounded_within_their_steps_and_on_their_own(seed, size, form):
    x = torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(seed)) * size
    got = quantise_tokens(x, form)
    largest = x.abs().amax(-1, keepdim=True)
    bound = largest / 127 / 2 if form == "int8" else torch.maximum(x.abs() / 16, largest / 448 * 2**-10)
    assert ((got - x).abs() <= bound * 1.0001).all()
    assert torch.equal(quantise_tokens(x[1:2, 2:3], form), got[1:2, 2:3])
    assert torch.allclose(quantise_tokens(got, form), got, rtol=1e-6, atol=0)


def test_numbers_that_are_none_stay_none_and_dtypes_stay():
    x = torch.tensor([[1.0, float("nan")], [1.0, 2.0]], dtype=torch.bfloat16)
    for form in ("int8", "fp8"):
        got = quantise_tokens(x, form)
        assert got.dtype == torch.bfloat16
        assert got[0].isnan().any()
        assert got[1].isfinite().all()
    with pytest.raises(ValueError, match="'int8' or 'fp8', got 'int4'"):
        quantise_tokens(x, "int4")


def test_a_projection_has_one_format_at_a_time():
    linear = nn.Linear(4, 3)
    other = []
    linear.register_forward_pre_hook(lambda module, args: other.append(args))
    assert input_format(linear) is None
    quantise_inputs(linear, "fp8")
    quantise_inputs(linear, "int8")
    assert input_format(linear) == "int8"
    assert len(linear._forward_pre_hooks) == 2
    x = torch.randn(2, 4)
    assert torch.equal(linear(x), nn.functional.linear(quantise_tokens(x, "int8"), linear.weight, linear.bias))
    assert len(other) == 1


def test_a_cache_group_worked_by_hand():
    states = torch.tensor([[[[-1.0, 0.0, 1.4, 2.0, 5.0, 5.0, 5.0, 5.0]]]])
    got = quantise_keys_values(states, 2, 4)  # steps of (2 - -1) / 3 from -1; a constant group stays
    assert got.tolist() == [[[[-1.0, 0.0, 1.0, 2.0, 5.0, 5.0, 5.0, 5.0]]]]


@given(st.integers(0, 10**6), st.sampled_from([2, 4, 8]), st.sampled_from([-1, 4, 8, 16]))
@settings(max_examples=60, deadline=None)
def test_keys_and_values_are_rounded_token_by_token_and_head_by_head(seed, bits, group):
    size = KvOptions(bits, group).group_size(16)
    states = torch.randn(2, 3, 7, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    got = quantise_keys_values(states, bits, group)
    grouped = states.reshape(2, 3, 7, -1, size)
    step = (grouped.amax(-1, keepdim=True) - grouped.amin(-1, keepdim=True)) / (2**bits - 1)
    assert ((got.reshape(grouped.shape) - grouped).abs() <= step / 2 * (1 + 1e-9)).all()
    assert all(len(values.unique()) <= 2**bits for values in got.reshape(-1, size))
    pieces = [quantise_keys_values(states[:, :, a:b], bits, group) for a, b in ((0, 3), (3, 4), (4, 7))]
    assert torch.equal(torch.cat(pieces, 2), got)
    assert torch.equal(quantise_keys_values(states[1:, 2:], bits, group), got[1:, 2:])
    assert torch.allclose(quantise_keys_values(got, bits, group), got, rtol=1e-12)


def test_cached_tokens_are_counted_in_bytes():
    config = make("llama").config  # 2 layers, 2 key-value heads of 16
    assert bytes_per_token(config, None) == 2 * 2 * 2 * 16 * 2
    assert bytes_per_token(config, KvOptions(8)) == 2 * 2 * 2 * (16 + 4)
    assert bytes_per_token(config, KvOptions(4, 8)) == 2 * 2 * 2 * (8 + 2 * 4)
    assert bytes_per_token(config, KvOptions((8, 4), 8)) == 2 * 2 * (16 + 8 + 4 * 4)
    assert bytes_per_token(config, KvOptions((16, 4))) == 2 * 2 * (32 + 8 + 4)
    assert bytes_per_token(config, KvOptions("fp8")) == 2 * 2 * 2 * 16


def test_keys_and_values_have_bits_of_their_own():
    model = make("llama")
    record = compress(model, "kv-k8v4-g8")
    assert (record.recipe, record.cache_bytes_per_token) == ("kv-k8v4-g8", 2 * 2 * (16 + 8 + 4 * 4))
    states = torch.randn(1, 2, 5, 16)
    assert torch.equal(model.acgym_quantise_cache(states, True), quantise_keys_values(states, 8, 8))
    assert torch.equal(model.acgym_quantise_cache(states, False), quantise_keys_values(states, 4, 8))
    compress(model := make("llama"), "kv-k16v2")
    assert torch.equal(model.acgym_quantise_cache(states, True), states)
    assert not torch.equal(model.acgym_quantise_cache(states, False), states)


def test_an_fp8_cache_has_the_scale_one_and_is_cut_at_its_end():
    states = torch.tensor([[[[1000.0, -448.0, 1.0625, 1.0624, 0.0]]]])  # between 1 and 1.125 halves go to even
    assert quantise_keys_values(states, "fp8").tolist() == [[[[448.0, -448.0, 1.0, 1.0, 0.0]]]]
    assert quantise_keys_values(states.bfloat16(), "fp8").dtype == torch.bfloat16


def test_a_quantised_cache_is_carried_by_the_model_and_changes_no_weight():
    model, dense = make("qwen3"), make("qwen3")
    record = compress(model, "kv-int4-g8")
    assert record.recipe == "kv-int4-g8"
    assert record.cache_bytes_per_token == 128
    assert record.notes[-1] == "the key-value cache takes 128 bytes per token instead of 256"
    assert record.layers == ()
    assert record.bits_per_weight == 16
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), dense.parameters(), strict=True))
    assert torch.equal(logits(model, [1, 2, 3]), logits(dense, [1, 2, 3]))
    states = torch.randn(1, 2, 5, 16)
    for carrier in (model, copy.deepcopy(model)):
        assert torch.equal(carrier.acgym_quantise_cache(states, True), quantise_keys_values(states, 4, 8))
    assert not hasattr(dense, "acgym_quantise_cache")
    assert "acgym_quantise_cache" not in str(list(model.state_dict()))


def test_a_group_that_does_not_divide_a_head_names_those_that_do():
    with pytest.raises(ValueError, match="groups of 5 do not divide a head of 16 features; use g2, g4, g8 or head"):
        compress(make("llama"), "kv-int8-g5")
