"""pass@k and pass^k: equality with enumeration, unbiasedness, edge cases."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from test_score import episode, failed

from acgym.repeated import pass_all_k, pass_at_k, repeated, repeated_episodes


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
