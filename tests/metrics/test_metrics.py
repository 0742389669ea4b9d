"""Metrics: hand-worked values, agreement with SciPy and torch, invariances, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from scipy.spatial import distance

from acgym import metrics

SEEDS = st.integers(0, 2**32 - 1)


def logits(seed: int, n: int = 30, vocab: int = 40, levels: int | None = None) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(levels, size=(n, vocab)).astype(float) if levels else rng.normal(size=(n, vocab)) * 3


# --- effective rank


def test_erank_of_the_identity():
    assert metrics.erank(np.eye(4), center=False) == pytest.approx(4)
    assert metrics.erank(np.eye(4)) == pytest.approx(3)  # centring takes one direction away


def test_erank_by_hand():
    # singular values 3 and 1: p = 3/4, 1/4
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert metrics.erank([[3, 0], [0, 1]], center=False) == pytest.approx(expected, rel=1e-12)
    # centred rows ±(3, 0) and ±(0, 1): singular values 3√2 and √2, the same p
    assert metrics.erank([[13, 5], [7, 5], [10, 6], [10, 4]]) == pytest.approx(expected, rel=1e-12)


def test_erank_of_rank_one_is_one_and_of_equal_rows_is_not_measured():
    line = np.outer(np.arange(5.0), [1, 2, 3])
    assert metrics.erank(line) == pytest.approx(1)
    assert metrics.diff_erank(line) == pytest.approx(1)
    for same in (np.full((6, 3), 0.1), np.zeros((2, 2)), np.ones((1, 4))):
        assert metrics.erank(same) is None
        assert metrics.diff_erank(same) is None
        assert metrics.erank_from_moments(len(same), same.sum(0), same.T @ same) is None


def test_erank_uses_torchs_singular_values():
    x = torch.randn(30, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p = torch.linalg.svdvals(x - x.mean(0))
    p = p / p.sum()
    assert metrics.erank(x) == pytest.approx(float(torch.exp(-(p * p.log()).sum())), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 30), st.integers(1, 12), st.booleans())
def test_erank_streamed_in_any_pieces_equals_erank(seed, n, d, center):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) + rng.normal(size=d)
    pieces = np.split(x, sorted(rng.integers(0, n + 1, size=3)))
    total, second = sum(p.sum(0) for p in pieces), sum(p.T @ p for p in pieces)
    assert metrics.erank_from_moments(n, total, second, center) == pytest.approx(metrics.erank(x, center), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(3, 30), st.integers(2, 12))
def test_eranks_are_bounded_and_ignore_scale_shift_and_rotation(seed, n, d):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    turned = 7.5 * x @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)
    for rank, bound in ((metrics.erank, min(n - 1, d)), (metrics.diff_erank, min(n, d))):
        assert rank(turned) == pytest.approx(rank(x), rel=1e-8)
        assert 1 <= rank(x) <= bound + 1e-9


@pytest.mark.parametrize("shape", [(20, 8), (8, 20)])
def test_diff_erank_follows_the_published_steps(shape):
    x = np.random.default_rng(3).normal(size=shape)
    rows = x - x.mean(0)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    covariance = rows.T @ rows / len(rows)
    s = np.linalg.svd(covariance / np.trace(covariance), compute_uv=False)
    s = s[s > 1e-12]
    assert metrics.diff_erank(x) == pytest.approx(float(np.exp(-(s * np.log(s)).sum())), rel=1e-10)


# --- top-k


def test_jaccard_by_hand():
    dense, other = [[5, 4, 3, 2, 1]], [[5, 4, 1, 2, 3]]
    assert metrics.topk_jaccard(dense, other, 2) == 1
    assert metrics.topk_jaccard(dense, other, 3) == pytest.approx(2 / 4)  # {0,1,2} and {0,1,4}
    assert metrics.topk_jaccard(dense[0], [0, 0, 0, 9, 9], 2) == 0


def test_equal_logits_rank_by_the_lower_id():
    assert metrics.topk_jaccard([[1, 2, 1, 1]], [[1, 2, 0, 0]], 2) == 1  # ids {1, 0}, not {1, 2} or {1, 3}


def test_a_list_agrees_with_itself_and_not_with_its_reverse():
    z = logits(0)
    assert metrics.topk_kendall(z, z, 10) == metrics.topk_spearman(z, z, 10) == pytest.approx(1)
    assert metrics.topk_kendall(z, -z, 10) == metrics.topk_spearman(z, -z, 10) == pytest.approx(-1)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([3, 10, 20]), st.sampled_from([None, 3, 30]))
def test_topk_metrics_equal_scipy(seed, k, levels):
    dense, other = logits(seed, 6, 40, levels), logits(seed + 1, 6, 40, levels)
    ids = [sorted(range(40), key=lambda i, row=row: (-row[i], i))[:k] for row in dense]
    theirs = [sorted(range(40), key=lambda i, row=row: (-row[i], i))[:k] for row in other]
    overlap = [len(set(a) & set(b)) / len(set(a) | set(b)) for a, b in zip(ids, theirs, strict=True)]
    assert metrics.topk_jaccard(dense, other, k) == pytest.approx(np.mean(overlap), abs=1e-12)
    rows = [(d[i], o[i]) for d, o, i in zip(dense, other, ids, strict=True) if np.ptp(d[i]) and np.ptp(o[i])]
    for ours, reference in ((metrics.topk_kendall, stats.kendalltau), (metrics.topk_spearman, stats.spearmanr)):
        expected = [reference(d, o).statistic for d, o in rows]
        assert ours(dense, other, k) == (pytest.approx(np.mean(expected), abs=1e-12) if rows else None)


def test_a_constant_row_has_no_ranking():
    dense, flat = [[3, 2, 1, 0]], [[0, 0, 0, 5]]
    assert metrics.topk_kendall(dense, flat, 3) is None
    assert metrics.topk_spearman(flat * 2, flat * 2, 4) == pytest.approx(1)
    assert metrics.topk_kendall(dense * 2, [*flat, [9, 8, 7, 6]], 3) == 1  # the flat row is left out, not counted 0


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_jaccard_is_symmetric_and_shift_invariant(seed):
    a, b = logits(seed), logits(seed + 1)
    assert metrics.topk_jaccard(a, b, 5) == metrics.topk_jaccard(b, a, 5) == metrics.topk_jaccard(a + 8, b - 8, 5)


# --- energy and baselines


def test_energy_by_hand():
    assert metrics.energy([[2.0] * 8]) == pytest.approx([-np.log(8) - 2])
    assert metrics.energy([0.0, np.log(3)]) == pytest.approx([-np.log(4)])
    assert metrics.energy([1000.0, 0.0]) == pytest.approx([-1000])
    assert metrics.energy([[2.0, 4.0]], T=2) == pytest.approx([-2 * np.log(np.e + np.e**2)])


@given(SEEDS, st.floats(0.1, 5), st.floats(-50, 50))
@settings(max_examples=30, deadline=None)
def test_energy_equals_scipy_and_moves_with_the_logits(seed, temperature, c):
    z = logits(seed)
    ours = metrics.energy(z, T=temperature)
    assert ours == pytest.approx(-temperature * special.logsumexp(z / temperature, axis=1), rel=1e-12, abs=1e-12)
    assert metrics.energy(z + c, T=temperature) == pytest.approx(ours - c, rel=1e-9, abs=1e-9)


def test_kl_by_hand_and_against_scipy():
    half, skewed = np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]])
    assert metrics.kl(half, skewed) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    a, b = logits(1), logits(2)
    expected = stats.entropy(special.softmax(a, axis=1), special.softmax(b, axis=1), axis=1).mean()
    assert metrics.kl(a, b) == pytest.approx(expected, rel=1e-12)
    assert metrics.kl(a, a + 5) == pytest.approx(0, abs=1e-14)
    assert metrics.kl(a, a) == 0 < metrics.kl(b, a) != metrics.kl(a, b)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_js_is_scipys_squared_distance_symmetric_and_bounded(seed):
    a, b = logits(seed) * 3, logits(seed + 1) * 3
    expected = distance.jensenshannon(special.softmax(a, axis=1), special.softmax(b, axis=1), axis=1) ** 2
    assert metrics.js(a, b) == pytest.approx(expected.mean(), rel=1e-9)
    assert metrics.js(a, b) == pytest.approx(metrics.js(b, a), rel=1e-12)
    assert metrics.js(a, a) == 0 < metrics.js(a, b) <= np.log(2)
    assert metrics.js([[0.0, -2000.0]], [[-2000.0, 0.0]]) == pytest.approx(np.log(2))


def test_margin_and_perplexity_by_hand():
    assert metrics.margin([[1, 5, 3], [2, 2, -9]]).tolist() == [2, 0]
    assert metrics.margin([7.0, 4.0]).tolist() == [3]
    z, ids = np.log([[0.5, 0.5], [0.9, 0.1]]), [0, 1]
    assert metrics.perplexity(z, ids) == pytest.approx((0.5 * 0.1) ** -0.5) == np.exp(metrics.nll(z, ids))
    assert metrics.perplexity([[0.0, 1000.0]], [0]) is None  # e¹⁰⁰⁰ is no float


def test_flip_and_nll_by_hand():
    assert metrics.top1_flip([[1, 0], [1, 0], [0, 1], [1, 1]], [[2, 0], [0, 1], [0, 1], [2, 1]]) == 0.25
    assert metrics.nll(np.log([[0.5, 0.5], [0.9, 0.1]]), [0, 1]) == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)
    assert metrics.nll(np.log([0.2, 0.8]), 1) == pytest.approx(-np.log(0.8))


def test_large_inputs_are_worked_in_blocks(monkeypatch):
    a, b = logits(1), logits(2)
    whole = [metrics.kl(a, b), metrics.topk_kendall(a, b, 10), *metrics.energy(a)]
    monkeypatch.setattr("acgym.metrics.arrays._BLOCK", 90)
    assert [metrics.kl(a, b), metrics.topk_kendall(a, b, 10), *metrics.energy(a)] == pytest.approx(whole, rel=1e-12)


# --- inputs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_torch_in_any_float_type_equals_numpy(dtype):
    a, b = (torch.tensor(logits(seed), dtype=dtype).requires_grad_() for seed in (1, 2))
    x, y = (t.detach().double().numpy() for t in (a, b))
    for metric in (metrics.kl, metrics.top1_flip, lambda p, q: metrics.topk_kendall(p, q, 10)):
        assert metric(a, b) == metric(x, y)
    assert metrics.erank(a) == pytest.approx(metrics.erank(x), rel=1e-12)
    assert metrics.nll(a, torch.arange(30)) == pytest.approx(metrics.nll(x, range(30)), rel=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda z: metrics.erank(z),
        lambda z: metrics.diff_erank(z),
        lambda z: metrics.energy(z),
        lambda z: metrics.kl(np.zeros((3, 4)), z),
        lambda z: metrics.topk_jaccard(z, np.zeros((3, 4)), 2),
        lambda z: metrics.top1_flip(z, z),
        lambda z: metrics.js(z, z),
        lambda z: metrics.margin(z),
        lambda z: metrics.perplexity(z, [0, 0, 0]),
        lambda z: metrics.nll(z, [0, 0, 0]),
        lambda z: metrics.erank_from_moments(3, np.zeros(4), np.vstack([z, z[:1]])),
    ],
)
def test_non_finite_values_are_counted_and_refused(call):
    z = np.zeros((3, 4))
    z[1, 2], z[2, 0] = np.nan, np.inf
    with pytest.raises(ValueError, match=r"must be finite, but 2 of its 1[26] values are not"):
        call(z)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.kl(np.zeros((2, 3)), np.zeros((2, 4))), "same positions and vocabulary"),
        (lambda: metrics.topk_jaccard(np.zeros((2, 3)), np.zeros((2, 3)), 4), "k must be from 1 to the vocabulary's 3"),
        (lambda: metrics.topk_kendall(np.zeros((2, 3)), np.zeros((2, 3)), 1), "k must be from 2"),
        (lambda: metrics.energy(np.zeros((2, 3)), T=0), "above 0"),
        (lambda: metrics.js(np.zeros((2, 3)), np.zeros((2, 4))), "same positions and vocabulary"),
        (lambda: metrics.margin(np.zeros((2, 1))), "at least 2 tokens"),
        (lambda: metrics.energy(np.zeros((0, 3))), "at least one row"),
        (lambda: metrics.erank(np.zeros(3)), "2-D"),
        (lambda: metrics.erank_from_moments(0, [0], [[0]]), "at least 1 row"),
        (lambda: metrics.erank_from_moments(2, [0, 0], [[0]]), "to fit sum"),
        (lambda: metrics.nll(np.zeros((2, 3)), [0]), "one id a row"),
        (lambda: metrics.nll(np.zeros((2, 3)), [0, 3]), "from 0 to 2"),
        (lambda: metrics.nll(np.zeros((2, 3)), [0, -1]), "from 0 to 2"),
        (lambda: metrics.nothing, "has no attribute 'nothing'"),
    ],
)
def test_wrong_use_is_answered_with_what_was_expected(call, words):
    with pytest.raises((ValueError, AttributeError), match=words):
        call()


def test_neither_torch_nor_the_workflow_scorer_is_loaded_until_asked_for():
    code = (
        "import sys, acgym.metrics as m; m.kl([[0.0, 1.0]], [[1.0, 0.0]]); "
        "assert 'torch' not in sys.modules and 'acgym.scorers.workflow_graph' not in sys.modules; "
        "from acgym.scorers.workflow_graph import graph_f1, node_chain_f1; "
        "assert m.graph_f1 is graph_f1 and m.node_chain_f1 is node_chain_f1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
