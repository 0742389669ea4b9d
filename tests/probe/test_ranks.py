"""Streamed effective ranks: by hand, against the full singular value decomposition, and how exact they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym import metrics
from acgym.probe.ranks import Moments, erank_of_rows


def streamed(x, pieces=3):
    moments = Moments()
    for piece in torch.as_tensor(x).tensor_split(pieces):
        moments.add(piece)
    return moments.erank()


def states(n, d, seed=0, dtype=torch.float64, decay=1.0):
    """Rows with a spectrum that falls like a power law, and a mean that is large beside it."""
    generator = torch.Generator().manual_seed(seed)
    scales = torch.arange(1, d + 1, dtype=torch.float64) ** -decay
    return (torch.randn(n, d, generator=generator, dtype=torch.float64) * scales + 3).to(dtype)


def test_by_hand():
    assert streamed(torch.eye(6).double()) == pytest.approx(5)  # centring takes one direction away
    assert streamed(torch.cat([torch.eye(4), -torch.eye(4)])) == pytest.approx(4)
    assert streamed(torch.outer(torch.arange(9.0), torch.tensor([1.0, 2.0]))) == pytest.approx(1)
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))  # singular values 3 and 1
    assert streamed([[13.0, 5], [7, 5], [10, 6], [10, 4]]) == pytest.approx(expected)


def test_what_no_rank_is_defined_for_is_none():
    assert Moments().erank() is None
    for same in (torch.ones(1, 4), torch.full((3, 7), 0.1), torch.full((50, 3), 0.1), torch.zeros(9, 2)):
        assert streamed(same) is None
        assert erank_of_rows(same) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 60), st.integers(1, 20), st.integers(1, 8))
def test_any_pieces_equal_the_full_decomposition(seed, n, d, pieces):
    """Below, at and above n = d, where rows turn into moments."""
    x = states(n, d, seed)
    assert streamed(x, pieces) == pytest.approx(metrics.erank(x), rel=1e-6)
    assert erank_of_rows(x) == pytest.approx(metrics.erank(x), rel=1e-6)


def test_scale_shift_rotation_and_repetition_change_nothing():
    x = states(80, 12)
    turn = torch.linalg.qr(states(12, 12, 5))[0]
    for same in (x * 1e-3, x * 1e4, x + 50, x @ turn, torch.cat([x, x, x])):
        assert streamed(same) == pytest.approx(streamed(x), rel=1e-8)


def test_input_is_not_held_on_to():
    rows = states(4, 8)
    moments = Moments()
    moments.add(rows)
    wanted = moments.erank()
    rows.zero_()
    assert moments.erank() == wanted


@pytest.fixture(scope="module")
def million():
    """ERank of a million unrounded rows by the full decomposition."""
    return metrics.erank(np.concatenate([states(100_000, 32, seed, decay=0.5).numpy() for seed in range(10)]))


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-9), (torch.float32, 1e-7), (torch.bfloat16, 2e-4)])
def test_a_million_tokens(million, dtype, error):
    """The errors that the documentation states; that of bfloat16 is of the rounded rows themselves."""
    moments = Moments()
    for seed in range(10):
        moments.add(states(100_000, 32, seed, dtype, decay=0.5))
    assert moments.count == 1_000_000
    assert moments.erank() == pytest.approx(million, rel=error)
