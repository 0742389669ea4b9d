"""Anytime-valid intervals: the definition by brute force, hand-worked wealth, the level under peeking, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.statistics.paired import tango
from acgym.statistics.sequential import FRACTIONS, confidence_sequence, largest_log_wealth, sequential_p

DIFFERENCES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.0, 0.25, 1.0]), min_size=1, max_size=40)


def wealth_by_hand(x, mean):
    """The capital process as the paper writes it, one gambler and one value at a time."""
    best = [1.0]
    for n in range(1, len(x) + 1):
        best.append(np.mean([np.prod([1 + (f / mean) * (value - mean) for value in x[:n]]) for f in FRACTIONS]))
    return max(best)


@settings(deadline=None, max_examples=30)
@given(DIFFERENCES, st.floats(0.05, 0.95))
def test_wealth_by_definition(d, mean):
    x = (np.array(d) + 1) / 2
    assert np.exp(largest_log_wealth(x, mean)) == pytest.approx(wealth_by_hand(x, mean), rel=1e-9)


def test_one_value_by_hand():
    # a value of 1 when the mean is 1/2: each gambler's stake f doubles to 1 + f
    assert np.exp(largest_log_wealth(np.array([1.0]), 0.5)) == pytest.approx(1 + FRACTIONS.mean())
    assert largest_log_wealth(np.array([0.0]), 0.5) == 0  # everybody lost; nobody was richer than at the start
    assert sequential_p([1.0]) == 1.0


@settings(deadline=None, max_examples=30)
@given(DIFFERENCES)
def test_at_the_ends_the_wealth_is_the_threshold(d):
    interval = confidence_sequence(d, 0.9)
    x = (np.array(d) + 1) / 2
    if interval is None:
        return
    for end, side in ((interval.low, x), (-interval.high, 1 - x)):
        mean = (end + 1) / 2
        if mean > 1e-6:
            assert largest_log_wealth(side, mean) == pytest.approx(np.log(20), abs=1e-4)
        else:
            assert largest_log_wealth(side, 1e-6) < np.log(20) + 1e-4


@settings(deadline=None, max_examples=30)
@given(DIFFERENCES, st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=20))
def test_it_only_ever_shrinks_and_mirrors(d, more):
    before, after = confidence_sequence(d), confidence_sequence(d + more)
    if after is not None:
        assert before.low <= after.low < after.high <= before.high
    mirror = confidence_sequence([-value for value in d])
    assert (mirror is None) == (before is None)
    if before is not None:
        assert (mirror.low, mirror.high) == pytest.approx((-before.high, -before.low), abs=1e-9)
    assert sequential_p(d + more) <= sequential_p(d)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([-1.0, 0.0]), min_size=1, max_size=60))
def test_p_and_interval_agree(d):
    interval = confidence_sequence(d)
    assert (sequential_p(d) <= 0.05) == (interval is None or interval.high < 0)


def test_extremes():
    nothing = confidence_sequence([])
    assert (nothing.low, nothing.high) == (-1, 1)
    assert sequential_p([]) == 1
    same = confidence_sequence([0.0] * 400)  # no discordant episode: still in doubt, about as much as a fixed n leaves
    assert -0.02 < same.low < 0 < same.high < 0.02
    assert same.high > tango(0, 0, 400).high
    assert confidence_sequence([-1.0] * 30).high < -0.5
    assert confidence_sequence([1.0] * 300 + [-1.0] * 300) is None  # no one mean fits
    scaled = confidence_sequence([0.5 * d for d in [1.0, 0.0, -1.0] * 20], bound=0.5)
    plain = confidence_sequence([1.0, 0.0, -1.0] * 20)
    assert (2 * scaled.low, 2 * scaled.high) == pytest.approx((plain.low, plain.high))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: confidence_sequence([1.5]), "1 are not"),
        (lambda: confidence_sequence([float("nan"), 0]), "1 are not"),
        (lambda: confidence_sequence([0], confidence=95), "between 0 and 1"),
        (lambda: sequential_p([[0]]), "1-D"),
    ],
)
def test_wrong_use_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def ever_rejected(x):
    """Whether the 95 % sequence ever excluded a mean of 1/2, looking after every single value; (runs, n) -> (runs,)."""
    return np.maximum(largest_log_wealth(x, 0.5), largest_log_wealth(1 - x, 0.5)) >= np.log(40)


def test_small_simulation_of_peeking():
    x = np.random.default_rng(0).choice([0.0, 0.5, 1.0], p=[0.1, 0.8, 0.1], size=(300, 300))
    assert ever_rejected(x).mean() <= 0.05
    drop = np.random.default_rng(0).choice([0.0, 0.5, 1.0], p=[0.2, 0.75, 0.05], size=(100, 300))
    assert ever_rejected(drop).mean() > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2, 0.6])
def test_level_under_peeking(rate):
    """2,000 null comparisons, a look after each of 1,000 episodes; conservative, as Ville's bound is not reached."""
    rng = np.random.default_rng(round(1000 * rate))
    runs = [rng.choice([0.0, 0.5, 1.0], p=[rate / 2, 1 - rate, rate / 2], size=(200, 1000)) for _ in range(10)]
    assert np.mean([ever_rejected(x) for x in runs]) <= 0.05
    progress = [(rng.beta(4, 1, (200, 1000)) - rng.beta(4, 1, (200, 1000)) + 1) / 2 for _ in range(10)]
    assert np.mean([ever_rejected(x) for x in progress]) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("lost", "won"), [(0.04, 0.01), (0.2, 0.05)])
def test_coverage_when_stopping_at_will(lost, won):
    """Stop when narrow enough or clear: exactly what 'acgym compare --until' does."""
    rng = np.random.default_rng(1)
    covered = stopped = 0
    for _ in range(100):
        d = rng.choice([-1.0, 1.0, 0.0], p=[lost, won, 1 - lost - won], size=1000)
        for n in range(50, 1001, 50):
            seen = confidence_sequence(d[:n])
            if seen is None or 0 not in seen or seen.high - seen.low < 0.1:
                break
        stopped += n < 1000
        covered += seen is not None and won - lost in seen
    assert covered >= 95
    assert stopped > 50


@pytest.mark.slow
def test_peeking_at_a_fixed_n_interval_would_fool():
    """What this module is for: of 200 null comparisons, looked at every 10 episodes, Tango's interval 'finds' many."""
    rng = np.random.default_rng(2)
    d = rng.choice([-1.0, 1.0, 0.0], p=[0.1, 0.1, 0.8], size=(200, 500))
    fooled = sum(
        any(0 not in tango(float((row[:n] < 0).sum()), float((row[:n] > 0).sum()), n) for n in range(10, 501, 10))
        for row in d
    )
    assert fooled / 200 > 0.15
    assert ever_rejected((d + 1) / 2).mean() <= 0.05
