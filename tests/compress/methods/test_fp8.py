"""FP8: e4m3 worked by hand, its scales, saturation, and what a recipe does to a model."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.compress import Statistics, compress, parse
from acgym.compress.methods.fp8 import fp8
from acgym.compress.options.fp8 import Fp8Options
from tests.helpers.compress_models import linears, logits, make

CHANNEL, TENSOR = Fp8Options(), Fp8Options("tensor")


def rounded(weight, options=CHANNEL):
    return fp8(weight, Statistics(), options).weight


def every_value():
    """All finite e4m3 values by definition: (-1)^s 2^(e-7) (1 + m/8), or 2^-6 m/8 for e = 0; 1.75 * 2^8 at most."""
    found = [math.ldexp(m / 8, -6) for m in range(8)]
    found += [math.ldexp(1 + m / 8, e - 7) for e in range(1, 16) for m in range(8) if (e, m) != (15, 7)]
    return torch.tensor(sorted({*found, *(-v for v in found)}), dtype=torch.float64)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0625, 1.0),  # half way between 1 and 1.125: to the even mantissa
        (1.1875, 1.25),  # half way between 1.125 and 1.25
        (1.07, 1.125),
        (-300.0, -288.0),  # steps of 32 from 256 on: 288 is nearest
        (17.0, 16.0),
        (19.0, 20.0),
        (2.0**-6, 2.0**-6),  # the smallest normal number
        (2.0**-9, 2.0**-9),  # the smallest subnormal number
        (2.0**-10, 0.0),  # half of it: to even, which is zero
        (1.1 * 2.0**-10, 2.0**-9),
        (2.5 * 2.0**-9, 2.0**-8),  # half way between 2 and 3 steps
        (3.5 * 2.0**-9, 4 * 2.0**-9),
    ],
)
@pytest.mark.parametrize("options", [CHANNEL, TENSOR])
def test_rounding_worked_by_hand(value, expected, options):
    weight = torch.tensor([[448.0, value, -value, 0.0]])  # 448 makes the scale 1
    assert rounded(weight, options).tolist() == [[448.0, expected, -expected, 0.0]]


@given(st.integers(0, 10**6), st.sampled_from([1e-30, 1e-3, 1.0, 1e30]))
@settings(max_examples=40, deadline=None)
def test_every_weight_goes_to_the_nearest_value_of_the_format(seed, size):
    weight = torch.randn(3, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) ** 5 * size
    scale = weight.abs().amax(1, keepdim=True) / 448
    got = rounded(weight) / scale
    distance = (every_value() - (weight / scale)[..., None]).abs().amin(-1)
    assert torch.allclose((got - weight / scale).abs(), distance, rtol=1e-5, atol=1e-12)


def test_largest_weights_are_kept_and_nothing_overflows():
    weight = torch.tensor([[3.4028234e38, -3.4028234e38, 1.0], [0.1, -0.1, 0.09999], [1e-42, 0.0, -1e-42]])
    for options in (CHANNEL, TENSOR):
        got = rounded(weight, options)
        assert torch.isfinite(got).all()
        assert torch.allclose(got[0, :2], weight[0, :2], rtol=1e-6)
    assert torch.allclose(rounded(weight)[1], torch.tensor([0.1, -0.1, 0.1]))
    for extreme in torch.logspace(-44, 38, 400):  # a subnormal max / 448 rounds down, and max / scale is over 448
        assert torch.isfinite(rounded(extreme.reshape(1, 1))).all()


def test_rows_of_zeros_stay_zero():
    assert rounded(torch.zeros(2, 4)).tolist() == [[0.0] * 4] * 2
    assert rounded(torch.zeros(2, 4), TENSOR).tolist() == [[0.0] * 4] * 2


def test_a_channel_has_its_own_scale():
    weight = torch.tensor([[448.0, 3.3], [1.0, 2.0**-11]])
    assert rounded(weight)[1, 1] == pytest.approx(2.0**-11, rel=0.07)
    assert rounded(weight, TENSOR)[1].tolist() == [1.0, 0.0]
    assert torch.equal(rounded(weight * 4, TENSOR), rounded(weight, TENSOR) * 4)


def test_a_rounded_weight_stays():
    weight = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(rounded(rounded(weight)), rounded(weight), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "canonical", "options"),
    [
        ("fp8", "fp8", Fp8Options()),
        ("FP8-channel", "fp8", Fp8Options("channel")),
        ("fp8-tensor-a16", "fp8-tensor-a16", Fp8Options("tensor", False)),
        ("fp8-a16-tensor", "fp8-tensor-a16", Fp8Options("tensor", False)),
    ],
)
def test_recipe_spelling(text, canonical, options):
    recipe = parse(text)
    assert (str(recipe), recipe.steps[0].options) == (canonical, options)
    assert not recipe.needs_calibration


def test_storage_is_eight_bits_and_the_scales():
    assert CHANNEL.stored_bits(10, 64) == 8 * 640 + 160
    assert TENSOR.stored_bits(10, 64) == 8 * 640 + 16
    record = compress(make(), "fp8-tensor")
    assert 8 < record.bits_per_weight < 8.02


def test_inputs_of_the_projections_are_rounded_unless_told_not_to():
    ids = list(range(20))
    weights_only, both = make(), make()
    compress(weights_only, "fp8-a16")
    compress(both, "fp8")
    for name, linear in linears(both).items():
        assert torch.equal(linear.weight, linears(weights_only)[name].weight)
        assert torch.equal(linear.weight, rounded(linears(make())[name].weight.detach()))
    dense = logits(make(), ids)
    errors = [float((logits(model, ids) - dense).norm() / dense.norm()) for model in (weights_only, both)]
    assert 0.001 < errors[0] < errors[1] < 0.25
