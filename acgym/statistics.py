"""Statistics of paired episodes: tests, intervals that stay honest at small n, and what n episodes could have shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

Floats: TypeAlias = NDArray[np.float64]

RESAMPLES = 4000
"""Bootstrap resamples of one interval."""
ENOUGH = 20
"""Values that must differ from the commonest one before the bootstrap is trusted."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Say whether ``value`` lies in the interval, its ends included."""
        return self.low <= value <= self.high


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided McNemar test (binomial, one half) that compression changes success.

    Args:
        lost: pairs in which only the dense agent succeeded.
        won: pairs in which only the other agent succeeded.

    Returns:
        The p-value in (0, 1]; 1 when no pair is discordant.

    Raises:
        ValueError: for a negative count.
    """
    if lost < 0 or won < 0:
        raise ValueError(f"counts of pairs cannot be negative, got lost={lost} and won={won}")
    return float(stats.binomtest(lost, lost + won, 0.5).pvalue) if lost + won else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for being several (Holm 1979): controls the chance of any false alarm.

    Returns:
        The adjusted p-values in the order given, each at most 1 and at least its own p; compare them with alpha.

    Raises:
        ValueError: for a value outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values must be in [0, 1], got {list(p_values)}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in adjusted]


# --- intervals ------------------------------------------------------------------------------------------------------


def wilson(successes: float, n: int, confidence: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson 1927); never of zero width.

    Args:
        successes: number of successes, 0 to n. A sum of values in [0, 1] is allowed: no such variable has a larger
            variance than a binary one of the same mean, so the interval is then conservative.
        n: number of trials, at least 1.
        confidence: in (0, 1).
    """
    z = _normal_quantile(confidence)
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"successes must be from 0 to n and n at least 1, got {successes} of {n}")
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(
        0.0 if successes == 0 else max(0.0, centre - half), 1.0 if successes == n else min(1.0, centre + half)
    )


def tango(lost: float, won: float, n: int, confidence: float = 0.95) -> Interval:
    """Score interval of a difference of paired proportions, (won - lost) / n (Tango 1998, Statistics in Medicine 17).

    Inverts the score test of each difference, the discordant rates at their restricted maximum likelihood (his
    equation 3). Of positive width for any data; with no discordant pair it is ± z² / (n + z²).

    Args:
        lost: pairs in which only the dense agent succeeded. Need not be whole, as in :func:`wilson`.
        won: pairs in which only the other agent succeeded.
        n: number of pairs, at least 1 and at least lost + won.
        confidence: in (0, 1).
    """
    z = _normal_quantile(confidence)
    if n < 1 or lost < 0 or won < 0 or lost + won > n * (1 + 1e-12):
        raise ValueError(f"lost and won must be at least 0 and at most n = {n} together, got {lost} and {won}")
    score = partial(_tango_score, lost=lost, won=won, n=n)
    estimate = (won - lost) / n
    edge = 1e-12
    low, high = -1.0, 1.0
    if estimate > -1 + 2 * edge and score(-1 + edge) > z:
        low = float(brentq(lambda d: score(d) - z, -1 + edge, estimate, xtol=1e-12))
    if estimate < 1 - 2 * edge and score(1 - edge) < -z:
        high = float(brentq(lambda d: score(d) + z, estimate, 1 - edge, xtol=1e-12))
    return Interval(low, high)


def _tango_score(difference: float, lost: float, won: float, n: int) -> float:
    """Standardised distance of the data from a true ``difference``; falls as the difference grows."""
    distance = won - lost - n * difference
    if distance == 0:
        return 0.0
    b = -lost - won + (2 * n - won + lost) * difference
    c = -lost * difference * (1 - difference)
    lost_rate = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
    variance = n * (2 * lost_rate + difference * (1 - difference))
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)


def mean_interval(values: Sequence[float] | Floats, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Interval of the mean of values in [0, 1], such as final progress.

    BCa bootstrap (Efron 1987). Binary values, and values of which fewer than 20 differ from the commonest one (a
    bootstrap cannot see what did not happen), get the Wilson interval instead, which is conservative for them.

    Raises:
        ValueError: for no values, or values that are not finite or outside [0, 1].
    """
    x = _unit_values(values, "values")
    if _is_binary(x) or _minority(x) < ENOUGH:
        return wilson(float(x.sum()), len(x), confidence)
    return _bca(x, confidence, seed)


def paired_difference(
    dense: Sequence[float] | Floats, other: Sequence[float] | Floats, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Interval of the mean of other - dense over paired values in [0, 1]: below 0 is a loss.

    Binary values (success): :func:`tango`. Values in between (progress): BCa bootstrap over the pairs, unless fewer
    than 20 differences differ from the commonest one; then :func:`tango` with gains and losses summed as fractional
    counts, which is conservative. Never of zero width for binary data.

    The interval and :func:`mcnemar` may disagree at the border: the test is exact and so somewhat conservative.

    Args:
        dense: (n,) values of the dense agent.
        other: (n,) values of the other agent on the same episodes, in the same order.
        confidence: in (0, 1).
        seed: of the bootstrap.

    Raises:
        ValueError: for lengths that differ, no values, or values that are not finite or outside [0, 1].
    """
    a, b = _unit_values(dense, "dense"), _unit_values(other, "other")
    if len(a) != len(b):
        raise ValueError(f"paired values need equal lengths, got {len(a)} and {len(b)}")
    gain = b - a
    if (_is_binary(a) and _is_binary(b)) or _minority(gain) < ENOUGH:
        return tango(float(-gain[gain < 0].sum()), float(gain[gain > 0].sum()), len(gain), confidence)
    return _bca(gain, confidence, seed)


def _bca(x: Floats, confidence: float, seed: int) -> Interval:
    """Bias-corrected and accelerated bootstrap interval of the mean of ``x``, which is not constant."""
    rng = np.random.default_rng(seed)
    blocks = [x[rng.integers(len(x), size=(500, len(x)))].mean(axis=1) for _ in range(RESAMPLES // 500)]
    means, mean = np.concatenate(blocks), x.mean()
    bias = stats.norm.ppf((np.sum(means < mean) + np.sum(means <= mean)) / (2 * len(means)))
    away = x - mean
    acceleration = np.sum(away**3) / (6 * np.sum(away**2) ** 1.5)
    z = bias + np.array([-1.0, 1.0]) * _normal_quantile(confidence)
    low, high = np.quantile(means, stats.norm.cdf(bias + z / (1 - acceleration * z)))
    return Interval(float(low), float(high))


def _unit_values(values: Sequence[float] | Floats, name: str) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"{name} must be a 1-D sequence of at least one value, got shape {x.shape}")
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError(f"{name} must be finite and in [0, 1]; {int((~((x >= 0) & (x <= 1))).sum())} values are not")
    return x


def _is_binary(x: Floats) -> bool:
    return bool(((x == 0) | (x == 1)).all())


def _minority(x: Floats) -> int:
    """Number of values that differ from the commonest one."""
    return len(x) - int(np.unique(x.round(12), return_counts=True)[1].max())


def _normal_quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, such as 0.95, got {confidence}")
    return float(stats.norm.ppf((1 + confidence) / 2))


# --- what n episodes can show ---------------------------------------------------------------------------------------


def mcnemar_power(n: int, drop: float, discordant_rate: float, alpha: float = 0.05) -> float:
    """Chance that :func:`mcnemar` on ``n`` pairs gives p <= alpha when success truly falls by ``drop``.

    Exact: the number of discordant pairs is binomial, and so is the number of lost ones among them.

    Args:
        n: number of pairs.
        drop: true fall of the success rate, in [0, 1].
        discordant_rate: share of pairs that differ, in [0, 1]; raised to ``drop`` when below it, since every
            point of a drop needs a lost pair.
        alpha: level of the test, in (0, 1).
    """
    for name, value in (("drop", drop), ("discordant_rate", discordant_rate), ("alpha", alpha)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be in [0, 1], got {value}")
    rate = max(drop, discordant_rate)
    if rate == 0:
        return 0.0
    discordant = np.arange(stats.binom.ppf(1e-12, n, rate), stats.binom.ppf(1 - 1e-12, n, rate) + 1)
    few = stats.binom.ppf(alpha / 2, discordant, 0.5)  # the largest count that might still be too few to be chance
    few = np.where(2 * stats.binom.cdf(few, discordant, 0.5) <= alpha, few, few - 1)
    share = (rate + drop) / (2 * rate)
    rejected = stats.binom.cdf(few, discordant, share) + stats.binom.cdf(few, discordant, 1 - share)
    return float(np.sum(stats.binom.pmf(discordant, n, rate) * rejected))


def minimum_detectable_drop(n: int, discordant_rate: float, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Smallest true drop of success that :func:`mcnemar` on ``n`` pairs would have shown with this power.

    Args:
        n: number of pairs.
        discordant_rate: share of pairs that differ, as observed; see :func:`mcnemar_power`.
        power: in (0, 1).
        alpha: level of the test.

    Returns:
        A drop in (0, 1], to 1e-4; None if not even a drop of 1 would show (n under 6 at alpha 0.05).
    """
    if mcnemar_power(n, 1.0, discordant_rate, alpha) < power:
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        enough = mcnemar_power(n, middle, discordant_rate, alpha) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def episodes_needed(drop: float, discordant_rate: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Number of paired episodes with which :func:`mcnemar` shows a true ``drop`` with this power.

    The power of an exact test rises in a slight saw-tooth; the number returned has the power and half of it has not.

    Raises:
        ValueError: for a drop that is not in (0, 1], or a power or alpha outside (0, 1).
    """
    if not 0 < drop <= 1 or not 0 < power < 1 or not 0 < alpha < 1:
        raise ValueError(f"drop must be in (0, 1], power and alpha in (0, 1), got {drop}, {power} and {alpha}")
    high = 2
    while mcnemar_power(high, drop, discordant_rate, alpha) < power:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        enough = mcnemar_power(middle, drop, discordant_rate, alpha) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high
