"""Statistics of paired episodes: tests, and intervals that stay honest at small n."""

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

from acgym.statistics.bootstrap import bca

Floats: TypeAlias = NDArray[np.float64]

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


def mcnemar_mid_p(lost: int, won: int) -> float:
    """McNemar's mid-p test: what is exactly as far from even as the data counts half (Fagerland et al. 2013).

    :func:`mcnemar` is discrete, so it rejects a true null in less than 5 % of comparisons, in 2 % or none where few
    pairs are discordant. The mid-p rejects in close to 5 %, now and then a little more: it is approximate, where the
    exact test is a guarantee (BMC Medical Research Methodology 13:91; docs/statistics.md has the numbers).

    Args:
        lost: pairs in which only the dense agent succeeded.
        won: pairs in which only the other agent succeeded.

    Returns:
        The p-value in (0, 1]; 1 when no pair is discordant.

    Raises:
        ValueError: for a negative count.
    """
    exact = mcnemar(lost, won)
    if lost + won == 0:
        return exact
    point = float(stats.binom.pmf(min(lost, won), lost + won, 0.5))
    return exact - (point / 2 if lost == won else point)


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


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson 1927); never of zero width.

    Args:
        successes: number of successes, 0 to n. A sum of values in [0, 1] is allowed: no such variable has a larger
            variance than a binary one of the same mean, so the interval is then conservative.
        n: number of trials, at least 1; need not be whole either (an effective number).
        confidence: in (0, 1).
    """
    z = normal_quantile(confidence)
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"successes must be from 0 to n and n at least 1, got {successes} of {n}")
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(
        0.0 if successes == 0 else max(0.0, centre - half), 1.0 if successes == n else min(1.0, centre + half)
    )


def tango(lost: float, won: float, n: float, confidence: float = 0.95) -> Interval:
    """Score interval of a difference of paired proportions, (won - lost) / n (Tango 1998, Statistics in Medicine 17).

    Inverts the score test of each difference, the discordant rates at their restricted maximum likelihood (his
    equation 3). Of positive width for any data; with no discordant pair it is ± z² / (n + z²).

    Args:
        lost: pairs in which only the dense agent succeeded. Need not be whole, as in :func:`wilson`.
        won: pairs in which only the other agent succeeded.
        n: number of pairs, at least 1 and at least lost + won; need not be whole either (an effective number).
        confidence: in (0, 1).
    """
    z = normal_quantile(confidence)
    if n < 1 or lost < 0 or won < 0 or lost + won > n * (1 + 1e-12):
        raise ValueError(f"lost and won must be at least 0 and at most n = {n} together, got {lost} and {won}")
    score = partial(tango_score, lost=lost, won=won, n=n)
    estimate = (won - lost) / n
    edge = 1e-12
    low, high = -1.0, 1.0
    if estimate > -1 + 2 * edge and score(-1 + edge) > z:
        low = float(brentq(lambda d: score(d) - z, -1 + edge, estimate, xtol=1e-12))
    if estimate < 1 - 2 * edge and score(1 - edge) < -z:
        high = float(brentq(lambda d: score(d) + z, estimate, 1 - edge, xtol=1e-12))
    return Interval(low, high)


def tango_score(difference: float, lost: float, won: float, n: float) -> float:
    """Standardised distance of the data from a true ``difference``, in standard errors at the most likely rates with
    that difference (Tango 1998, equation 3); falls as the difference grows. Arguments as in :func:`tango`.
    """
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

    BCa bootstrap (:func:`acgym.statistics.bootstrap.bca`). Binary values, and values of which fewer than 20 differ
    from the commonest one (a bootstrap cannot see what did not happen), get the Wilson interval instead, which is
    conservative for them.

    Raises:
        ValueError: for no values, or values that are not finite or outside [0, 1].
    """
    x = unit_values(values, "values")
    if is_binary(x) or minority(x) < ENOUGH:
        return wilson(float(x.sum()), len(x), confidence)
    return Interval(*bca(x, confidence=confidence, seed=seed))


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
    a, b = unit_pairs(dense, other)
    gain = b - a
    if (is_binary(a) and is_binary(b)) or minority(gain) < ENOUGH:
        return tango(float(-gain[gain < 0].sum()), float(gain[gain > 0].sum()), len(gain), confidence)
    return Interval(*bca(gain, confidence=confidence, seed=seed))


def unit_values(values: Sequence[float] | Floats, name: str) -> Floats:
    """Return (n,) float64 values, n at least 1, all in [0, 1].

    Raises:
        ValueError: for anything else; ``name`` names the values in the message.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"{name} must be a 1-D sequence of at least one value, got shape {x.shape}")
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError(f"{name} must be finite and in [0, 1]; {int((~((x >= 0) & (x <= 1))).sum())} values are not")
    return x


def unit_pairs(dense: Sequence[float] | Floats, other: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Return the values of two agents on the same n episodes, (n,) each, checked as by :func:`unit_values`.

    Raises:
        ValueError: also for lengths that differ.
    """
    a, b = unit_values(dense, "dense"), unit_values(other, "other")
    if len(a) != len(b):
        raise ValueError(f"paired values need equal lengths, got {len(a)} and {len(b)}")
    return a, b


def is_binary(x: Floats) -> bool:
    """Say whether every value is 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def minority(x: Floats) -> int:
    """Count the values that differ from the commonest one."""
    return len(x) - int(np.unique(x.round(12), return_counts=True)[1].max())


def normal_quantile(confidence: float) -> float:
    """Return the z of a two-sided interval, such as 1.96 of 0.95.

    Raises:
        ValueError: for a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, such as 0.95, got {confidence}")
    return float(stats.norm.ppf((1 + confidence) / 2))
