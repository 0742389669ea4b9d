"""BCa: equality with SciPy, clusters as whole values, coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from acgym.statistics import bootstrap
from acgym.statistics.bootstrap import bca


def scipys(x, seed):
    found = stats.bootstrap((x,), np.mean, n_resamples=20000, rng=np.random.default_rng(seed)).confidence_interval
    return found.low, found.high


def test_plain_bca_is_scipys(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 20000)
    rng = np.random.default_rng(3)
    for x in (rng.beta(4, 1, 60), -rng.exponential(size=45), rng.choice([-0.5, 0.0, 0.25], 200)):
        width = np.subtract(*scipys(x, 1)[::-1])
        assert bca(x, expand=False) == pytest.approx(scipys(x, 2), abs=0.025 * width)


def test_expanded_interval_has_students_width():
    x = np.random.default_rng(0).normal(size=30)
    plain, wide = (np.subtract(*bca(x, expand=expand)[::-1]) for expand in (False, True))
    assert wide / plain == pytest.approx(np.sqrt(30 / 29) * stats.t.ppf(0.975, 29) / stats.norm.ppf(0.975), abs=0.03)


def test_doubling_every_value_in_its_cluster_changes_nothing():
    x = np.random.default_rng(1).beta(2, 1, 50)
    assert bca(2 * x, np.full(50, 2.0)) == pytest.approx(bca(x), abs=1e-12)
    fewer = bca(np.repeat(x, 2))  # twice the values as if they were independent: too narrow
    assert np.subtract(*fewer[::-1]) < 0.8 * np.subtract(*bca(x)[::-1])


def test_equal_values_may_be_drawn_together():
    x = np.random.default_rng(2).choice([0.0, -0.25, 0.5], 400)
    apart = x + 1e-9 * np.arange(400)  # all different, so drawn one by one
    assert bca(x) == pytest.approx(bca(apart), abs=0.006)
    assert bca(x) != pytest.approx(bca(apart), abs=1e-8)


@pytest.mark.parametrize("x", [[0.5], [0.3, 0.3, 0.3]])
def test_nothing_to_resample_is_refused(x):
    with pytest.raises(ValueError, match="not all alike"):
        bca(np.array(x))


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 200, 2000])
@pytest.mark.parametrize("shape", ["steps", "beta", "skewed"])
def test_coverage(monkeypatch, n, shape):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 1000)
    rng = np.random.default_rng(n)
    steps = np.array([-0.75, -0.5, -0.25, 0.25])
    draw = {
        "steps": (lambda: np.where(rng.random(n) < 0.9, rng.choice(steps, n), 0.0), 0.9 * steps.mean()),
        "beta": (lambda: rng.beta(2, 1, n) - rng.beta(4, 1, n), 2 / 3 - 4 / 5),
        "skewed": (lambda: np.where(rng.random(n) < 0.9, -rng.beta(0.5, 1, n), 0.0), -0.3),
    }[shape]
    runs = 800 if n < 2000 else 400
    covered = 0
    for _ in range(runs):
        low, high = bca(draw[0]())
        covered += low <= draw[1] <= high
    assert 0.93 <= covered / runs <= 0.975
