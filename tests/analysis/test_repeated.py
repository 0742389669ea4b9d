"""pass@k and pass^k: equality with enumeration, unbiasedness, edge cases."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from acgym.analysis.repeated import pass_all_k, pass_at_k, repeated, repeated_difference, repeated_episodes
from acgym.statistics.paired import paired_difference
from tests.helpers.scored import episode, failed


@given(st.integers(1, 8), st.data())
def test_both_are_what_drawing_k_of_the_tries_gives(tries, data):
    solved = data.draw(st.integers(0, tries))
    k = data.draw(st.integers(1, tries))
    draws = list(combinations([True] * solved + [False] * (tries - solved), k))
    assert pass_at_k(tries, solved, k) == pytest.approx(np.mean([any(draw) for draw in draws]))
    assert pass_all_k(tries, solved, k) == pytest.approx(np.mean([all(draw) for draw in draws]))


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.95])
def test_both_are_unbiased(chance):
    n, k = 10, 4
    weights = stats.binom.pmf(np.arange(n + 1), n, chance)
    assert sum(w * pass_at_k(n, c, k) for c, w in enumerate(weights)) == pytest.approx(1 - (1 - chance) ** k)
    assert sum(w * pass_all_k(n, c, k) for c, w in enumerate(weights)) == pytest.approx(chance**k)


def test_edges():
    assert (pass_at_k(5, 0, 5), pass_at_k(5, 1, 5), pass_at_k(5, 5, 1)) == (0, 1, 1)
    assert (pass_all_k(5, 4, 5), pass_all_k(5, 5, 5)) == (0, 1)
    assert pass_at_k(3, 3, 4) is None
    assert pass_all_k(0, 0, 1) is None
    assert pass_at_k(2000, 1, 1000) == pytest.approx(0.5)
    for bad in ((3, 4, 1), (3, -1, 1), (3, 1, 0), (-1, 0, 1)):
        for estimate in (pass_at_k, pass_all_k):
            with pytest.raises(ValueError, match="k must be at least 1 and solved from 0"):
                estimate(*bad)


def test_tasks_with_too_few_tries_are_counted_and_left_out():
    found = repeated([4, 4, 1], [4, 2, 1], 2)
    assert (found.tasks, found.left_out) == (2, 1)
    assert found.any_of_k == pytest.approx((1 + 5 / 6) / 2)
    assert found.all_of_k == pytest.approx((1 + 1 / 6) / 2)
    assert found.any_interval.high - found.any_interval.low > 0.1
    none = repeated([1], [1], 2)
    assert (none.tasks, none.left_out, none.any_of_k, none.all_interval) == (0, 1, None, None)
    with pytest.raises(ValueError, match="tries and solved, got 1 and 2"):
        repeated([1], [1, 1], 1)


def test_tries_are_finished_episodes_of_one_task():
    rows = [episode(seed, seed < 2, task_hash="a") for seed in range(3)]
    rows += [episode(3, True, task_hash="b"), episode(4, True, task_hash="b"), failed(5, task_hash="b")]
    rows += [episode(6, True, task_hash="a", kwargs={"level": 2})]
    found = repeated_episodes(rows, 2)
    assert (found.tasks, found.left_out) == (2, 1)
    assert found.any_of_k == pytest.approx(1)
    assert found.all_of_k == pytest.approx((1 / 3 + 1) / 2)


def tried(task, outcomes, agent="a", first=0):
    """Tries of one task; samples of one episode have its seed, other episodes of the task have seeds of their own."""
    return [episode(first + i, solved, task_hash=task, agent=agent) for i, solved in enumerate(outcomes)]


def test_a_difference_is_of_the_tasks_that_both_tried_often_enough():
    dense = tried("x", [1, 1]) + tried("y", [1, 0]) + tried("z", [1])
    other = tried("x", [0, 1], "b") + tried("y", [0, 0], "b") + tried("z", [0, 0], "b") + tried("w", [1, 1], "b")
    found = repeated_difference(dense, other, 2)
    assert (found.k, found.tasks) == (2, 2)
    assert found.any_of_k == pytest.approx((1 + 0) / 2 - (1 + 1) / 2)
    assert found.all_of_k == pytest.approx((0 + 0) / 2 - (1 + 0) / 2)
    assert found.any_interval == paired_difference([1, 1], [1, 0])
    assert found.all_interval == paired_difference([1, 0], [0, 0])
    one = repeated_difference(dense, other, 1)
    assert (one.tasks, one.any_of_k, one.all_of_k) == (3, pytest.approx(-2 / 3), pytest.approx(-2 / 3))
    assert repeated_difference(dense, other, 3) is None
    assert repeated_difference([], other, 1) is None


def simulate_difference(rng, tasks, tries, k):
    """Tasks of very different difficulty: whether the interval over tasks holds the true difference in pass^k."""
    hard = rng.beta(2, 1, tasks)
    rows = []
    for chances, agent in ((hard, "a"), (hard**2, "b")):
        solved = rng.random((tasks, tries)) < chances[:, None]
        rows.append([one for i in range(tasks) for one in tried(f"t{i}", solved[i], agent)])
    return repeated_difference(*rows, k).all_interval


@pytest.mark.slow
def test_intervals_of_differences_are_over_tasks_not_over_tries():
    """Coverage over 400 draws of 60 tasks with 6 tries each; an interval over the 360 tries would be far too narrow."""
    rng = np.random.default_rng(0)
    truth = 2 / (2 + 4) - 2 / (2 + 2)  # E[h^4] - E[h^2] of a beta(2, 1)
    covered = np.mean([truth in simulate_difference(rng, 60, 6, 2) for _ in range(400)])
    assert 0.92 <= covered <= 0.98
