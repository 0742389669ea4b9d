"""Seeded choices: uniform, in range, equal for equal seeds."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from acgym.draw import Draw

SEEDS = st.integers(0, 2**32 - 1)


def draw_of(seed: int) -> Draw:
    return Draw(np.random.default_rng(seed))


def choices(draw: Draw) -> list[object]:
    return [draw.unit(), draw.below(9), draw.between(2, 4), draw.chance(0.5), draw.pick("abc"), draw.shuffled("abcd")]


@given(SEEDS)
def test_the_same_seed_makes_the_same_choices(seed):
    one, other = draw_of(seed), draw_of(seed)
    assert [choices(one) for _ in range(40)] == [choices(other) for _ in range(40)]


def test_choices_use_every_number_of_the_generator_once():
    """Worked by hand: each block of 128 is handed out from its end."""
    rng = np.random.default_rng(5)
    expected = [number for _ in range(3) for number in rng.random(128)[::-1]]
    draw = draw_of(5)
    assert [draw.unit() for _ in range(3 * 128)] == expected


@given(SEEDS, st.integers(1, 10**6), st.integers(-100, 100), st.integers(0, 50))
def test_numbers_lie_in_their_range(seed, n, low, width):
    draw = draw_of(seed)
    for _ in range(20):
        assert 0.0 <= draw.unit() < 1.0
        assert 0 <= draw.below(n) < n
        assert low <= draw.between(low, low + width) <= low + width


@given(SEEDS, st.lists(st.integers(), unique=True, max_size=60), st.data())
def test_a_sample_is_distinct_and_a_shuffle_keeps_everything(seed, items, data):
    draw = draw_of(seed)
    k = data.draw(st.integers(0, len(items)))
    before = list(items)
    sample = draw.sample(items, k)
    assert len(sample) == len(set(sample)) == k
    assert set(sample) <= set(items)
    assert sorted(draw.shuffled(items)) == sorted(items)
    assert items == before


@given(SEEDS)
def test_a_sample_too_large_is_refused(seed):
    with pytest.raises(ValueError, match="cannot draw 4 distinct items from 3"):
        draw_of(seed).sample("abc", 4)


def test_chance_knows_never_and_always():
    draw = draw_of(0)
    assert not any(draw.chance(0.0) for _ in range(300))
    assert all(draw.chance(1.0) for _ in range(300))


@pytest.mark.parametrize(
    ("name", "choose", "outcomes"),
    [
        ("below", lambda draw: draw.below(6), 6),
        ("between", lambda draw: draw.between(1, 5), 5),
        ("pick", lambda draw: draw.pick("abcdefg"), 7),
        ("chance", lambda draw: draw.chance(0.5), 2),
        ("shuffled", lambda draw: tuple(draw.shuffled("abcd")), math.factorial(4)),
        ("sample, dense", lambda draw: tuple(draw.sample("abcd", 2)), 12),
        ("sample, sparse", lambda draw: tuple(draw.sample(range(9), 2)), 72),
    ],
)
def test_choices_are_uniform(name, choose, outcomes):
    draw = draw_of(2024)
    counts = Counter(choose(draw) for _ in range(200 * outcomes))
    assert len(counts) == outcomes
    assert chisquare(list(counts.values())).pvalue > 0.001
