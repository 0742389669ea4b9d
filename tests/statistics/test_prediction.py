"""Does the proxy predict: SciPy and scikit-style references, hand-worked cases, intervals by simulation, no numbers
where there is nothing to say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acgym.statistics.prediction import _kendall, association, auroc_interval, discrimination


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12))
def test_kendall_is_scipys(points):
    x, y = (np.array(column, float) for column in zip(*points, strict=True))
    if np.ptp(x) and np.ptp(y):
        assert float(_kendall(x, y)) == pytest.approx(stats.kendalltau(x, y).statistic)
        found = association(x, y)
        assert found.kendall == pytest.approx(stats.kendalltau(x, y).statistic)
        assert found.spearman == pytest.approx(stats.spearmanr(x, y).statistic)


def test_association_by_hand():
    # five pairs of six in order, one swapped
    found = association([1, 2, 3, 4], [0.0, 0.2, 0.1, 0.3])
    assert found.kendall == pytest.approx(4 / 6)
    assert found.spearman == pytest.approx(1 - 6 * 2 / 60)
    assert found.p == pytest.approx(8 / 24)  # |tau| of 4/6 or 1: 2 * (1 + 3) of the 24 orders
    assert found.kendall_interval is None  # four recipes
    perfect = association(range(8), range(8))
    assert perfect.kendall == pytest.approx(1)
    assert perfect.kendall_interval.high == perfect.spearman_interval.high == 1
    assert 0.3 < perfect.kendall_interval.low < 0.95
    backwards = association(range(8), [-i for i in range(8)])
    assert backwards.kendall_interval.high == pytest.approx(-perfect.kendall_interval.low, abs=0.02)


@pytest.mark.parametrize(
    ("change", "lost", "reason"),
    [
        ([], [], "0 recipes"),
        ([1, 2], [0, 1], "2 recipes; a rank correlation needs at least 3"),
        ([1, 1, 1], [0, 1, 2], "the signal changed by the same amount in all 3"),
        ([1, 2, 3], [0, 0, 0], "success fell by the same amount"),
    ],
)
def test_no_correlation_without_data(change, lost, reason):
    found = association(change, lost)
    assert reason in found.reason
    assert (found.kendall, found.kendall_interval, found.p, found.spearman) == (None,) * 4


def test_bad_columns_are_refused():
    for columns in (([1, 2], [1]), ([1, float("nan"), 2], [1, 2, 3])):
        with pytest.raises(ValueError, match="finite and of one length"):
            association(*columns)
    with pytest.raises(ValueError, match="a finite signal, an outcome and a label"):
        discrimination([([1.0], [True, False], [0])])


def labels(n, name="a"):
    return [(name, i) for i in range(n)]


def test_auroc_by_hand():
    # lost: 3 and 1; kept: 0, 1, 2. Pairs won: 3 > all three, 1 > 0, and half for 1 = 1
    found = discrimination([([3, 1, 0, 1, 2], [1, 1, 0, 0, 0], labels(5))])
    assert (found.n, found.n_lost) == (5, 2)
    assert found.auroc == pytest.approx((3 + 1.5) / 6)
    assert found.interval == auroc_interval(0.75, 2, 3)


def test_only_episodes_of_one_stratum_are_compared():
    """Within each recipe the signal is useless; between them its level goes with what was lost."""
    mild = ([1.0, 1.0, 1.0, 1.0], [1, 0, 0, 0], labels(4, "mild"))
    harsh = ([9.0, 9.1, 9.0, 8.9], [1, 1, 1, 0], labels(4, "harsh"))
    found = discrimination([mild, harsh])
    assert found.auroc == pytest.approx((1.5 + 3) / 6)
    pooled = discrimination([(mild[0] + harsh[0], mild[1] + harsh[1], mild[2] + harsh[2])])
    assert pooled.auroc > found.auroc


def test_an_episode_that_many_recipes_lost_is_one_episode():
    row = ([5.0, 1.0, 2.0, 3.0, 1.5], [1, 0, 0, 0, 0], labels(5))
    once, often = discrimination([row]), discrimination([row] * 9)
    assert (often.auroc, often.interval) == (once.auroc, once.interval)
    assert often.n_lost == 9


@pytest.mark.parametrize(
    ("strata", "reason"),
    [
        ([], "no recipe has both"),
        ([([1.0, 2.0], [False, False], [0, 1])], "no recipe has both"),
        ([([1.0, 2.0], [True, True], [0, 1]), ([3.0], [False], [0])], "no recipe has both"),
        ([([4.0, 4.0, 4.0], [True, False, False], [0, 1, 2])], "the signal is the same in all episodes"),
    ],
)
def test_no_auroc_without_data(strata, reason):
    found = discrimination(strata)
    assert reason in found.reason
    assert (found.auroc, found.interval) == (None, None)


def test_auroc_interval_is_never_of_zero_width():
    for lost, kept in ((1, 1), (3, 22), (100, 100)):
        top, bottom = auroc_interval(1.0, lost, kept), auroc_interval(0.0, lost, kept)
        assert top.high == 1
        assert top.low < 0.99
        assert (bottom.low, bottom.high) == pytest.approx((0, 1 - top.low), abs=1e-6)
    z = stats.norm.ppf(0.975)
    half = auroc_interval(0.5, 1, 1)  # one of each: V = true * (1 - true)
    assert half.low == pytest.approx(0.5 - 0.5 * np.sqrt(z**2 / (1 + z**2)), abs=1e-6)
    with pytest.raises(ValueError, match="episodes of both kinds"):
        auroc_interval(0.5, 0, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("lost", "kept"), [(3, 22), (10, 40), (100, 100)])
@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_auroc_coverage(lost, kept, shift):
    rng = np.random.default_rng(lost)
    true = stats.norm.cdf(shift / 2**0.5)
    covered = 0
    for _ in range(1000):
        wins = (rng.normal(shift, 1, lost)[:, None] > rng.normal(0, 1, kept)).mean()
        covered += true in auroc_interval(wins, lost, kept)
    assert 0.925 <= covered / 1000 <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 8, 12])
@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_rank_correlation_coverage_and_level(n, rho):
    rng = np.random.default_rng(n)
    tau, spearman = 2 / np.pi * np.arcsin(rho), 6 / np.pi * np.arcsin(rho / 2)
    found = []
    for _ in range(300):
        x = rng.normal(size=n)
        a = association(x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n))
        found.append((tau in a.kendall_interval, spearman in a.spearman_interval, a.p <= 0.05))
    covered, covered_rho, rejected = np.mean(found, axis=0)
    assert min(covered, covered_rho) >= 0.91
    if rho == 0:
        assert rejected <= 0.08
