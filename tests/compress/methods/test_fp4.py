"""MXFP4, NVFP4 and FP8 in blocks: cases by hand, a search over all values, and the identities of the formats."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from acgym.compress import compress, parse
from acgym.compress.formats.layouts import scheme_for
from acgym.compress.methods.activations import quantise_tokens
from acgym.compress.methods.fp4 import VALUES, mxfp4, nvfp4, round_e2m1
from acgym.compress.methods.fp8 import fp8
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.fp4 import Mxfp4Options, Nvfp4Options
from acgym.compress.options.fp8 import Fp8Options
from tests.helpers.compress_models import make

NONE = Statistics()
POINTS = sorted({sign * value for value in VALUES for sign in (-1, 1)})


def test_e2m1_halves_go_to_the_even_code():
    halves = torch.tensor([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0])
    assert round_e2m1(halves).tolist() == [0, 1, 1, 2, 2, 4, 4]
    assert round_e2m1(-halves).tolist() == [0, -1, -1, -2, -2, -4, -4]
    assert round_e2m1(halves.double() + 1e-9).tolist() == [0.5, 1, 1.5, 2, 3, 4, 6]
    assert round_e2m1(halves.double() - 1e-9).tolist() == [0, 0.5, 1, 1.5, 2, 3, 4]
    assert round_e2m1(torch.tensor([6.0, 7.9, -100.0])).tolist() == [6, 6, -6]


@given(st.floats(-8, 8, width=32))
def test_e2m1_is_the_nearest_of_all_values(x):
    got = float(round_e2m1(torch.tensor([x])))
    assert got in POINTS
    assert abs(got - x) == min(abs(point - x) for point in POINTS)


def test_mxfp4_by_hand():
    """The largest is 7: floor(log2 7) = 2, so the scale is 2^(2 - 2) = 1, and 7 is cut to 6."""
    row = torch.zeros(1, 64)
    row[0, :6] = torch.tensor([7.0, -5.1, 2.5, 0.3, -0.2, 1.0])
    row[0, 32:35] = torch.tensor([0.1, -0.06, 0.013])  # floor(log2 .1) = -4: the scale is 2^-6
    got = mxfp4(row, NONE, Mxfp4Options()).weight
    assert got[0, :6].tolist() == [6, -6, 2, 0.5, 0, 1]
    assert got[0, 32:35].tolist() == [6 / 64, -4 / 64, 1 / 64]  # 6.4, -3.84 and .83 of it
    assert not got[0, 6:32].any()


def test_nvfp4_by_hand():
    """max|W| = 2688 = 6 * 448 makes the weight's own scale 1; blocks have max / 6, rounded to e4m3."""
    row = torch.zeros(1, 48)
    row[0, :3] = torch.tensor([2688.0, -1344.0, 200.0])
    row[0, 16:19] = torch.tensor([6.0, 2.6, -0.2])
    row[0, 32:34] = torch.tensor([7.5, 0.5])  # 7.5 / 6 = 1.25, which e4m3 has
    got = nvfp4(row, NONE, Nvfp4Options()).weight
    assert got[0, :3].tolist() == [2688, -1344, 224]
    assert got[0, 16:19].tolist() == [6, 3, 0]
    assert got[0, 32:34].tolist() == [7.5, 0.625]


@pytest.mark.parametrize("power", [-20, -3, 5, 30])
@pytest.mark.parametrize(("method", "options"), [(mxfp4, Mxfp4Options()), (nvfp4, Nvfp4Options())])
def test_powers_of_two_scale_through(method, options, power):
    weight = torch.randn(8, 96, generator=torch.Generator().manual_seed(1))
    assert torch.equal(
        method(weight * 2.0**power, NONE, options).weight, method(weight, NONE, options).weight * 2.0**power
    )


@pytest.mark.parametrize(("method", "options"), [(mxfp4, Mxfp4Options()), (nvfp4, Nvfp4Options())])
def test_blocks_hold_few_values_and_zeros_stay(method, options):
    weight = torch.randn(16, 128, generator=torch.Generator().manual_seed(2))
    weight[:, ::3] = 0
    got = method(weight, NONE, options).weight
    assert not got[:, ::3].any()
    assert all(len(block.abs().unique()) <= 8 for block in got.reshape(-1, options.block))
    assert not method(torch.zeros(2, 64), NONE, options).weight.any()
    with pytest.raises(ValueError, match=f"blocks of {options.block} do not divide its 40 input features"):
        method(torch.ones(1, 40), NONE, options)


def test_two_levels_of_scales_err_less_than_powers_of_two():
    """On Gaussian weights the formats differ by far more than chance; the larger blocks have the coarser scale too."""
    weight = torch.randn(64, 256, generator=torch.Generator().manual_seed(3))
    errors = [
        float((m(weight, NONE, o).weight - weight).square().mean())
        for m, o in ((nvfp4, Nvfp4Options()), (mxfp4, Mxfp4Options()))
    ]
    assert errors[0] < 0.8 * errors[1]


def test_bits_in_storage():
    assert Mxfp4Options().stored_bits(4, 64) == 4 * 64 * 4.25
    assert Nvfp4Options().stored_bits(4, 64) == 4 * 64 * 4.5 + 32
    assert Fp8Options("block").stored_bits(200, 256) == 200 * 256 * 8 + 32 * 2 * 2
    assert compress(make(num_hidden_layers=1), "mxfp4").bits_per_weight == 4.25


def test_fp8_blocks_are_rounded_each_for_itself():
    weight = torch.randn(200, 300, generator=torch.Generator().manual_seed(4))
    got = fp8(weight, NONE, Fp8Options("block")).weight
    assert got.shape == weight.shape
    for row in (slice(0, 128), slice(128, 200)):
        for column in (slice(0, 128), slice(128, 256), slice(256, 300)):
            block = weight[row, column]
            assert torch.equal(got[row, column], quantise_tokens(block.flatten(), "fp8").view_as(block))
    small = weight[:100, :100]
    assert torch.equal(fp8(small, NONE, Fp8Options("block")).weight, fp8(small, NONE, Fp8Options("tensor")).weight)


@pytest.mark.parametrize("recipe", ["mxfp4", "nvfp4", "fp8-block-a16"])
def test_plain_weights_hold_them_and_no_packed_format_does(recipe):
    assert str(parse(recipe)) == recipe
    assert scheme_for("dense", parse(recipe)) is None
    for form in ("gptq", "awq", "compressed-tensors"):
        with pytest.raises(ValueError, match="nothing to pack; use --format dense"):
            scheme_for(form, parse(recipe))
    with pytest.raises(ValueError, match="no format here holds fp8-block; play it as hf:MODEL"):
        scheme_for("dense", parse("fp8-block"))
