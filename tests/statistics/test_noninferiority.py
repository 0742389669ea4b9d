"""Tests against a margin: exact where it can be counted, and their error rates."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from acgym.statistics.noninferiority import not_worse_p, pairs_to_tell, score_ps, scores, worse_p
from acgym.statistics.paired import tango_score
from acgym.statistics.sequential import margin_ps, pairs_to_bet
from acgym.statistics.stratified import paired_ends, paired_score

MARGIN = 0.05
RUNS = 4000


def simulated(test, n, lost, won, runs=RUNS, seed=0):
    """Share of simulated comparisons in which a test gives p <= 0.05."""
    cached = cache(test)
    drawn = np.random.default_rng(seed).multinomial(n, [lost, won, 1 - lost - won], size=runs)
    return np.mean([cached(int(a), int(b), n, MARGIN) <= 0.05 for a, b, _ in drawn])


def test_of_pairs_that_never_differ_p_is_the_chance_of_none_lost():
    assert not_worse_p(0, 0, 149, 0.02) == pytest.approx(0.98**149, abs=2e-4)
    assert not_worse_p(0, 0, 100, 0.02) == pytest.approx(0.98**100, abs=2e-4)


@pytest.mark.parametrize(("lost", "won", "n"), [(2, 1, 30), (0, 3, 25), (6, 0, 30), (5, 5, 20)])
def test_p_is_the_worst_case_over_all_rates_of_won_pairs(lost, won, n):
    """Every table is looked at, at a thousand rates."""
    seen = tango_score(-MARGIN, lost, won, n)
    cells = [(a, b) for a in range(n + 1) for b in range(n + 1 - a)]
    a, b = (np.array(column) for column in zip(*cells, strict=True))
    z = scores(a, b, n, MARGIN)
    for test, extreme in ((not_worse_p, z >= seen - 1e-9), (worse_p, z <= seen + 1e-9)):
        worst = 0.0
        for rate in np.linspace(0, (1 - MARGIN) / 2, 1000):
            chances = stats.multinomial.pmf(
                np.stack([a, b, n - a - b], axis=1)[extreme], n, [rate + MARGIN, rate, 1 - 2 * rate - MARGIN]
            )
            worst = max(worst, float(np.nansum(chances)))
        assert test(lost, won, n, MARGIN) <= worst + 2e-4
        if worst < 0.5:  # beyond, the range of rates is what cuts it off
            assert test(lost, won, n, MARGIN) >= 0.8 * worst


@pytest.mark.parametrize(
    ("n", "won"), [(40, 0.0), (40, 0.1), (150, 0.02), pytest.param(150, 0.1, marks=pytest.mark.slow)]
)
def test_an_agent_that_is_worse_by_the_margin_is_let_off_in_at_most_five_per_cent(n, won):
    assert simulated(not_worse_p, n, won + MARGIN, won) <= 0.05 + 0.0075  # 0.0075: two standard errors
    assert simulated(worse_p, n, won + MARGIN, won) <= 0.05 + 0.0075


def test_the_score_as_a_normal_deviate_is_too_ready_where_few_differ():
    """What the exact test is for; a test that lets off too many is seen by the one above."""
    n = 56  # no lost pair of 56 is enough for the score, in 5.7 % of such comparisons
    assert score_ps(0, 0, n, MARGIN)[0] < 0.05 < not_worse_p(0, 0, n, MARGIN)
    broken = simulated(lambda *counts: score_ps(*counts)[0], n, MARGIN, 0.0)
    assert broken > 0.05
    halved = simulated(lambda *counts: not_worse_p(*counts) / 2, 60, 0.05 + MARGIN, 0.05)
    assert halved > 0.05 + 0.0075


def test_more_lost_pairs_never_speak_for_an_agent():
    ps = [not_worse_p(lost, 4, 200, 0.05) for lost in range(30)]
    assert all(a <= b + 1e-9 for a, b in pairwise(ps))


def test_counts_and_margins_that_cannot_be_are_refused():
    for bad in [(-1, 0, 5, 0.1), (3, 3, 5, 0.1), (0, 0, 0, 0.1), (0, 0, 5, 0.0), (0, 0, 5, 1.0)]:
        with pytest.raises(ValueError, match=r"margin|at least 0"):
            not_worse_p(*bad)


@pytest.mark.parametrize(("lost", "won"), [(0.0, 0.0), (0.01, 0.01), (0.1, 0.0), (0.01, 0.05)])
def test_the_pairs_that_are_named_tell_with_the_power_that_is_named(lost, won):
    n = pairs_to_tell(lost, won, MARGIN)
    test = not_worse_p if won - lost > -MARGIN else worse_p
    assert simulated(test, n, lost, won, runs=400) >= 0.74
    if lost + won:
        assert simulated(test, max(2, n // 3), lost, won, runs=400) < 0.74


def test_no_number_of_pairs_tells_an_agent_at_the_margin():
    assert pairs_to_tell(0.07, 0.02, 0.05) is None
    assert pairs_to_bet(0.07, 0.02, 0.05) is None


def test_of_one_environment_the_stratified_score_is_tangos():
    for lost, won, n, difference in [(0, 0, 133, -0.02), (5, 3, 100, 0.1), (10, 0, 50, -0.02), (0, 4, 50, -0.3)]:
        one = paired_score(np.array([lost]), np.array([won]), np.array([n]), difference)
        assert one == pytest.approx(tango_score(difference, lost, won, n), abs=1e-9)


def test_at_the_ends_of_the_stratified_interval_the_score_is_that_of_95_per_cent():
    counts = np.array([3, 5, 0.0]), np.array([1, 0, 2.0]), np.array([100, 120, 80.0])
    for end, z in zip(paired_ends(*counts), (1.959964, -1.959964), strict=True):
        assert paired_score(*counts, float(end)) == pytest.approx(z, abs=1e-5)


def test_looking_after_every_pair_lets_off_at_most_five_per_cent():
    rng, found = np.random.default_rng(0), 0
    for _ in range(200):
        d = rng.choice([-1.0, 1.0, 0.0], p=[0.08, 0.03, 0.89], size=300)
        found += margin_ps(d, MARGIN)[0] <= 0.05
    assert found / 200 <= 0.05 + 0.03
    assert margin_ps([], MARGIN) == (1.0, 1.0)
    assert margin_ps([0.0] * pairs_to_bet(0, 0, MARGIN), MARGIN)[0] <= 0.05
