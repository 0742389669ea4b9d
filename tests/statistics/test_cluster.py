"""Clustered statistics: the unclustered ones where no task repeats, hand-worked cases, coverage where tasks repeat."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acgym.analysis.score import compare, score
from acgym.statistics.cluster import (
    Clusters,
    cluster_mcnemar,
    cluster_mcnemar_mid_p,
    clustered_difference,
    clustered_mean,
    effective_number,
)
from acgym.statistics.paired import mcnemar, mcnemar_mid_p, mean_interval, paired_difference, tango, wilson
from tests.helpers.scored import episode

COUNTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8)


@settings(deadline=None)
@given(COUNTS)
def test_cluster_test_is_the_sign_flip_test_by_enumeration(counts):
    net = [lost - won for lost, won in counts]
    sums = [sum(sign * d for sign, d in zip(signs, net, strict=True)) for signs in product((-1, 1), repeat=len(net))]
    by_hand = np.mean([abs(s) >= abs(sum(net)) for s in sums])
    assert cluster_mcnemar(*zip(*counts, strict=True)) == pytest.approx(by_hand, abs=1e-12)
    half = np.mean([(abs(s) > abs(sum(net))) + 0.5 * (abs(s) == abs(sum(net))) for s in sums])
    unbalanced = any(net)
    assert cluster_mcnemar_mid_p(*zip(*counts, strict=True)) == pytest.approx(half if unbalanced else 1.0, abs=1e-12)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5))
def test_one_pair_a_task_is_mcnemar(lost, won, same):
    singles = [(1, 0)] * lost + [(0, 1)] * won + [(0, 0)] * same
    columns = [a for a, _ in singles], [b for _, b in singles]
    assert cluster_mcnemar(*columns) == pytest.approx(mcnemar(lost, won))
    assert cluster_mcnemar_mid_p(*columns) == pytest.approx(mcnemar_mid_p(lost, won))


def test_six_tasks_lost_five_times_each_are_six_losses():
    assert cluster_mcnemar([5] * 6, [0] * 6) == pytest.approx(2 / 64)
    assert mcnemar(30, 0) < 1e-8


def test_without_repeats_nothing_changes():
    rng = np.random.default_rng(0)
    a, b = rng.random(60), rng.random(60)
    labels = list(range(60))
    assert clustered_difference(a, b, labels) == paired_difference(a, b)
    assert clustered_difference(a > 0.5, b > 0.5, labels) == paired_difference(a > 0.5, b > 0.5)
    assert clustered_mean(a, labels) == mean_interval(a)
    assert clustered_mean(a > 0.5, labels) == mean_interval(a > 0.5)


def test_few_tasks_repeated_count_as_few():
    """Ten tasks, each played ten times and all solved: as sure as ten episodes make it."""
    labels = np.repeat(np.arange(10), 10).tolist()
    assert clustered_mean(np.ones(100), labels) == wilson(10, 10)
    same = clustered_difference(np.ones(100), np.ones(100), labels)
    assert (same.low, same.high) == pytest.approx((tango(0, 0, 10).low, tango(0, 0, 10).high))


def test_effective_number_by_hand():
    labels = np.repeat(np.arange(50), 4).tolist()
    same = np.repeat(np.arange(50) % 2, 4).astype(float)
    t = stats.t.ppf(0.975, 49) / stats.norm.ppf(0.975)
    # all four values of a task agree: design effect 4, with the finite factor 50 / 49
    assert effective_number(same, Clusters.of(same, labels)) == pytest.approx(50 * 49 / 50 / t**2)
    # the values of a task even out: the design effect is below 1, and counts as 1
    even = np.tile([0.0, 1.0], 100)
    assert effective_number(even, Clusters.of(even, labels)) == pytest.approx(50)  # no task differs: the worst case
    uneven = Clusters.of(np.zeros(10), [0] * 8 + [1, 2])
    assert effective_number(np.zeros(10), uneven) == pytest.approx(100 / (64 + 1 + 1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: clustered_mean([1, 0], ["a"]), "1 labels for 2 values"),
        (lambda: clustered_difference([1, 0], [1], ["a", "b"]), "equal lengths, got 2 and 1"),
        (lambda: cluster_mcnemar([1], [1, 2]), "both counts"),
        (lambda: cluster_mcnemar([-1], [1]), "cannot be negative"),
    ],
)
def test_wrong_use_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def simulate(rng, tasks, tries, lost, won, alike, runs):
    """Tasks whose tries share one outcome with chance ``alike``: coverage, the naive interval's, and rejections."""
    covered = naive = rejected = 0
    labels = np.repeat(np.arange(tasks), tries).tolist()
    chances = [lost, won, 1 - lost - won]
    for _ in range(runs):
        shared, own = rng.choice([-1, 1, 0], (tasks, 1), p=chances), rng.choice([-1, 1, 0], (tasks, tries), p=chances)
        d = np.where(rng.random((tasks, 1)) < alike, shared, own)
        dense, other = (d == -1).ravel().astype(float), (d == 1).ravel().astype(float)
        covered += won - lost in clustered_difference(dense, other, labels)
        naive += won - lost in paired_difference(dense, other)
        rejected += cluster_mcnemar((d == -1).sum(1).tolist(), (d == 1).sum(1).tolist()) <= 0.05
    return covered / runs, naive / runs, rejected / runs


def test_small_simulation_of_repeated_tasks():
    covered, naive, rejected = simulate(np.random.default_rng(0), 60, 4, 0.15, 0.15, 0.8, 150)
    assert covered >= 0.9 > naive
    assert rejected <= 0.09


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("tasks", "lost", "won"), [(30, 0.2, 0.2), (100, 0.05, 0.05), (100, 0.2, 0.2), (400, 0.1, 0.02)]
)
def test_coverage_where_tasks_repeat(tasks, lost, won, alike):
    covered, _, rejected = simulate(np.random.default_rng(tasks), tasks, 4, lost, won, alike, 1000)
    assert 0.93 <= covered <= (1.0 if tasks == 30 else 0.975)  # few tasks that differ: the worst case is assumed
    if lost == won:
        assert rejected <= 0.062


def test_the_scorer_counts_repeated_tasks_as_alike():
    """Six tasks, five seeds each, all lost: six losses, not thirty. One-episode and all-solved runs are sound too."""
    dense = [episode(seed, True, task_hash=f"t{seed % 6}") for seed in range(30)]
    other = [episode(seed, False, task_hash=f"t{seed % 6}", agent="other") for seed in range(30)]
    found = compare(dense, other)
    assert (found.n, found.n_tasks, found.lost, found.p) == (30, 6, 30, pytest.approx(2 / 64))
    assert found.success_interval == clustered_difference([1] * 30, [0] * 30, [seed % 6 for seed in range(30)])
    assert score(dense).success_interval == wilson(6, 6)
    one = compare(dense[:1], other[:1])
    assert (one.n_tasks, one.p, one.detectable_drop) == (1, 1.0, None)
    assert one.success_interval.high > 0.5 > -0.5 > one.success_interval.low
    solved = compare(dense[:6], [replace(e, agent="other") for e in dense[:6]])
    assert solved.success_interval.high == pytest.approx(-solved.success_interval.low)
    assert solved.success_interval.low < -0.3
    assert score(dense[:6]).progress_interval.low < 0.7
