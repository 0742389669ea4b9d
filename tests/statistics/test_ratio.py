"""Ratios of totals over pairs: by hand, and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from acgym.statistics.ratio import paired_ratio


def test_the_ratio_is_that_of_the_totals():
    value, interval = paired_ratio([1, 3], [2, 8], ["a", "b"])
    assert value == pytest.approx(2.5)
    assert interval is None  # two tasks tell nothing of an interval


def test_per_solved_both_totals_are_divided():
    value, _ = paired_ratio([10, 10], [10, 10], ["a", "b"], per=([1, 1], [1, 0]))
    assert value == pytest.approx(2.0)


def test_what_is_alike_in_both_agents_does_not_widen_the_interval():
    rng = np.random.default_rng(0)
    dense = rng.lognormal(3, 1, 200)
    other = dense * rng.lognormal(0.1, 0.05, 200)
    _, paired = paired_ratio(dense, other, range(200))
    _, apart = paired_ratio(dense, rng.permutation(other), range(200))
    assert paired.high - paired.low < 0.2 * (apart.high - apart.low)


def test_repeats_of_a_task_count_as_one():
    rng = np.random.default_rng(0)
    dense, other = rng.lognormal(3, 1, 100), rng.lognormal(3, 1, 100)
    _, once = paired_ratio(dense, other, range(100))
    _, four = paired_ratio(np.tile(dense, 4), np.tile(other, 4), [*range(100)] * 4)
    assert (four.low, four.high) == pytest.approx((once.low, once.high))


def test_agents_that_say_the_same_have_no_interval():
    assert paired_ratio([3.0] * 50, [3.0] * 50, range(50)) == (1.0, None)


def test_totals_of_nothing_are_refused():
    for dense, other, labels in [([0, 0], [1, 1], "ab"), ([1, 1], [1], "ab"), ([1, -1], [1, 1], "ab"), ([], [], "")]:
        with pytest.raises(ValueError, match="ratio"):
            paired_ratio(dense, other, labels)


def coverage(n, runs, shrink=1.0):
    """Replies of very different lengths, some of which run on and on; a tenth fewer solved."""
    rng, held, cost = np.random.default_rng(n), 0, 0
    for _ in range(runs):
        length = rng.lognormal(4, 0.7, n)
        other = length * rng.lognormal(0.1, 0.3, n) + 400 * (rng.random(n) < 0.05)
        truth = np.exp(0.1 + 0.045) + 20 / np.exp(4 + 0.245)
        solved = (rng.random(n) < 0.8, rng.random(n) < 0.7)
        _, ends = paired_ratio(length, other, range(n))
        _, per = paired_ratio(length, other, range(n), per=solved)
        middle = (ends.low + ends.high) / 2
        held += abs(truth - middle) <= shrink * (ends.high - ends.low) / 2
        cost += per.low <= truth * 8 / 7 <= per.high
    return held / runs, cost / runs


def test_intervals_hold_the_truth_in_about_95_per_cent():
    ratio, per_solved = coverage(100, 400)
    assert 0.90 <= ratio <= 0.99
    assert 0.91 <= per_solved <= 0.99
    assert coverage(100, 400, shrink=0.5)[0] < 0.85  # an interval half as wide would be found out
