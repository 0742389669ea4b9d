"""Means over environments: equal to the plain methods where there is one, narrower than pooling, true by simulation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from acgym.statistics.cluster import clustered_difference, clustered_mean
from acgym.statistics.paired import holm, mcnemar, tango, wilson
from acgym.statistics.stratified import Stratum, paired_ends, share_ends, stratified_difference, stratified_mean


@pytest.mark.parametrize(
    ("lost", "won", "n"), [(0, 0, 100), (8, 1, 400), (0, 3, 7), (7, 0, 7), (0, 7, 7), (3, 4, 7), (1.5, 0.25, 30.5)]
)
def test_one_environment_gives_tangos_and_wilsons_intervals(lost, won, n):
    low, high = paired_ends([lost], [won], [n])
    there = tango(lost, won, n)
    assert (float(low), float(high)) == pytest.approx((there.low, there.high), abs=1e-8)
    low, high = share_ends([lost], [n])
    there = wilson(lost, n)
    assert (float(low), float(high)) == pytest.approx((there.low, there.high), abs=1e-8)


def test_alike_environments_without_a_change_are_one_sample():
    assert paired_ends(np.zeros(4), np.zeros(4), np.full(4, 100)) == pytest.approx((-0.0095123, 0.0095123), abs=1e-6)


def test_what_differs_between_environments_does_not_widen_the_interval():
    """Losses of 99, 60, 54 and 100 of 100: the mean is known to 3.5 points; as one sample it would be to 4.1."""
    low, high = paired_ends(np.array([99, 60, 54, 100]), np.array([0, 0, 1, 0]), np.full(4, 100))
    assert (float(low), float(high)) == pytest.approx((-0.81411, -0.74390), abs=1e-4)
    pooled = tango(313, 1, 400)
    assert high - low < 0.86 * (pooled.high - pooled.low)


def test_losing_and_winning_mirror_each_other():
    low, high = paired_ends(np.array([5, 0, 2]), np.array([1, 1, 0]), np.array([40, 90, 60]))
    back = paired_ends(np.array([1, 1, 0]), np.array([5, 0, 2]), np.array([40, 90, 60]))
    assert (float(low), float(high)) == pytest.approx((-float(back[1]), -float(back[0])))


def values(rng, rate, n, tries=1):
    other = np.repeat((rng.random(n // tries) >= rate).astype(float), tries)
    return Stratum(np.ones(n), other, np.repeat(np.arange(n // tries), tries).tolist())


@pytest.mark.parametrize("tries", [1, 4])
def test_one_environment_is_the_clustered_interval(tries):
    one = values(np.random.default_rng(0), 0.2, 80, tries)
    there = clustered_difference(one.dense, one.other, one.labels)
    here = stratified_difference([one])
    assert (here.low, here.high) == pytest.approx((there.low, there.high), abs=1e-8)
    there, here = clustered_mean(one.other, one.labels), stratified_mean([(one.other, one.labels)])
    assert (here.low, here.high) == pytest.approx((there.low, there.high), abs=1e-8)


def test_repeated_tasks_widen_the_interval():
    rng = np.random.default_rng(1)
    apart, alike = [values(rng, 0.2, 80) for _ in range(3)], [values(rng, 0.2, 80, 4) for _ in range(3)]
    narrow, wide = stratified_difference(apart), stratified_difference(alike)
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_progress_and_rare_changes_are_put_together():
    rng = np.random.default_rng(2)
    much = Stratum(np.ones(100), 1 - 0.25 * rng.random(100), list(range(100)))
    little = Stratum(np.ones(100), np.r_[np.full(3, 0.5), np.ones(97)], list(range(100)))
    found = stratified_difference([much, little, little])
    mean = (np.mean(much.other) - 1 + 2 * (-0.015)) / 3
    assert mean in found
    assert 0 < found.high - found.low < 0.1


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        stratified_difference([])
    with pytest.raises(ValueError, match="together at most n"):
        paired_ends([5], [6], [10])
    with pytest.raises(ValueError, match="from 0 to n"):
        share_ends([11], [10])


PATTERNS = {"even": (1, 1, 1, 1), "one": (4, 0, 0, 0), "unlike": (3, 0.5, 0.3, 0.2)}


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(30, 30, 30, 30), (100, 100, 100, 100), (30, 60, 100, 200)])
@pytest.mark.parametrize("rate", [0.002, 0.01, 0.05, 0.2])
def test_intervals_hold_the_true_mean(sizes, rate):
    """Rare and frequent losses, in one environment or in all, in equal and unequal numbers of pairs."""
    rng, runs = np.random.default_rng([5, int(1000 * rate)]), 1000
    for weights in PATTERNS.values():
        lost, won = (share * rate * np.array(weights) for share in (0.8, 0.2))
        drawn = [rng.multinomial(n, [a, b, 1 - a - b], size=runs) for n, a, b in zip(sizes, lost, won, strict=True)]
        counts, often = np.unique(np.hstack([row[:, :2] for row in drawn]), axis=0, return_counts=True)
        low, high = paired_ends(counts[:, 0::2], counts[:, 1::2], np.broadcast_to(sizes, (len(counts), 4)))
        true = (won - lost).mean()
        assert np.average((low <= true) & (true <= high), weights=often) > 0.93


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.03, 0.2])
def test_intervals_hold_the_true_mean_where_tasks_repeat(rate):
    """Four tries of a task share their outcome half of the time; another share of losses in each environment."""
    rng, runs, held = np.random.default_rng(6), 200, 0
    for _ in range(runs):
        strata = []
        for weight in (1.6, 1.2, 0.8, 0.4):
            chances = [0.8 * rate * weight, 0.2 * rate * weight, 1 - rate * weight]
            shared, own = (rng.choice([-1, 1, 0], (25, size), p=chances) for size in (1, 4))
            d = np.where(rng.random((25, 1)) < 0.5, shared, own).ravel()
            strata.append(Stratum((d == -1) * 1.0, (d == 1) * 1.0, np.repeat(np.arange(25), 4).tolist()))
        held += -0.6 * rate in stratified_difference(strata)
    assert held / runs > 0.93


@pytest.mark.slow
def test_eight_recipes_that_change_nothing_raise_few_alarms():
    """The p of all environments together, Holm-corrected over recipes: any of eight is small in at most 5 % of runs."""
    rng, runs, recipes, p = np.random.default_rng(7), 2000, 8, cache(mcnemar)
    counts = rng.multinomial(100, [0.02, 0.02, 0.96], size=(runs, recipes, 4)).sum(axis=2)
    rows = np.array([[p(int(lost), int(won)) for lost, won, _ in row] for row in counts])
    assert np.mean([min(holm(row)) <= 0.05 for row in rows]) <= 0.05
    assert np.mean(rows.min(axis=1) <= 0.05) > 0.15  # what the uncorrected p would do
