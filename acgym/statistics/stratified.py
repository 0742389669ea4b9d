"""One number over several environments: equal weights, the variance from within each of them.

Environments are strata. Their success rates and losses differ, and what differs between them is no chance, so it may
not widen the interval of their mean. The intervals of counts are score intervals of a linear combination of proportions
(Martín Andrés, Herranz Tejedor & Álvarez Hernández 2012, Journal of Statistical Computation and Simulation 82, method
S0), here of the cells of K independent paired tables; with one stratum they are Tango's and Wilson's. Means of other
values are combined by MOVER (Zou & Donner 2008, Statistics in Medicine 27:1693).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acgym.statistics.bootstrap import Floats, bca
from acgym.statistics.cluster import Clusters, differing, effective_number
from acgym.statistics.paired import ENOUGH, Interval, is_binary, normal_quantile, unit_pairs, unit_values

_HALVINGS = 56
_DOUBLINGS = 200


class Stratum(NamedTuple):
    """Paired values of one environment, all in [0, 1] and of equal length, at least 1."""

    dense: Sequence[float] | Floats
    other: Sequence[float] | Floats
    labels: Sequence[Hashable]
    """The task of each pair; a task that repeats is one cluster."""


def stratified_difference(strata: Sequence[Stratum], confidence: float = 0.95, seed: int = 0) -> Interval:
    """Interval of the mean over strata of the mean of other - dense: below 0 is a loss.

    Every stratum weighs the same, whatever its number of pairs. Binary values, and strata in which fewer than 20
    clusters differ from the commonest value: the score interval :func:`paired_ends` of the counts that were lost and
    won, scaled to the effective number of pairs where tasks repeat. The others: BCa bootstrap over clusters within the
    stratum, put together by MOVER. One stratum gives :func:`acgym.statistics.cluster.clustered_difference`.

    Args:
        strata: at least one.
        confidence: in (0, 1).
        seed: of the bootstrap.

    Raises:
        ValueError: for no strata, lengths that differ, no values, or values that are not finite or outside [0, 1].
    """
    counts, parts = [], []
    for i, stratum in enumerate(strata):
        a, b = unit_pairs(stratum.dense, stratum.other)
        gain = b - a
        clusters = Clusters.of(gain, stratum.labels)
        if (is_binary(a) and is_binary(b)) or differing(clusters) < ENOUGH:
            n = float(len(gain)) if clusters.single else effective_number(gain, clusters, confidence)
            share = n / len(gain)
            counts.append((float(-gain[gain < 0].sum()) * share, float(gain[gain > 0].sum()) * share, n))
        else:
            parts.append((1, clusters.mean, Interval(*bca(clusters.sums, clusters.sizes, confidence, seed + i))))
    if counts:
        lost, won, n_pairs = (np.array(column) for column in zip(*counts, strict=True))
        low, high = paired_ends(lost, won, n_pairs, confidence)
        parts.append((len(counts), float(np.mean((won - lost) / n_pairs)), Interval(float(low), float(high))))
    return _mover(parts, -1.0)


def stratified_mean(
    strata: Sequence[tuple[Sequence[float] | Floats, Sequence[Hashable]]], confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Interval of the mean over strata of a mean of values in [0, 1], every stratum weighing the same.

    As :func:`stratified_difference`, with :func:`share_ends` for counts; one stratum gives
    :func:`acgym.statistics.cluster.clustered_mean`.

    Args:
        strata: values and the task of each value, a pair for each environment.
        confidence: in (0, 1).
        seed: of the bootstrap.
    """
    counts, parts = [], []
    for i, (values, labels) in enumerate(strata):
        x = unit_values(values, "values")
        clusters = Clusters.of(x, labels)
        if is_binary(x) or differing(clusters) < ENOUGH:
            n = float(len(x)) if clusters.single else effective_number(x, clusters, confidence)
            counts.append((min(n, clusters.mean * n), n))
        else:
            parts.append((1, clusters.mean, Interval(*bca(clusters.sums, clusters.sizes, confidence, seed + i))))
    if counts:
        solved, n_values = (np.array(column) for column in zip(*counts, strict=True))
        low, high = share_ends(solved, n_values, confidence)
        parts.append((len(counts), float(np.mean(solved / n_values)), Interval(float(low), float(high))))
    return _mover(parts, 0.0)


def _mover(parts: Sequence[tuple[int, float, Interval]], least: float) -> Interval:
    """Put together intervals of independent means: (weight, estimate, interval); the weights count strata."""
    if not parts:
        raise ValueError("a mean over environments needs at least one of them")
    if len(parts) == 1:
        return parts[0][2]
    total = sum(weight for weight, _, _ in parts)
    centre = sum(weight * estimate for weight, estimate, _ in parts) / total
    below = math.sqrt(sum((weight * (estimate - ends.low)) ** 2 for weight, estimate, ends in parts)) / total
    above = math.sqrt(sum((weight * (ends.high - estimate)) ** 2 for weight, estimate, ends in parts)) / total
    return Interval(max(least, centre - below), min(1.0, centre + above))


# --- score intervals of counts --------------------------------------------------------------------------------------

_Tilted: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]
"""(..., K) tilts -> (..., K) mean and variance of one value in each stratum, by maximum likelihood under that tilt."""


def paired_ends(lost: Floats, won: Floats, n: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of the mean over strata of (won - lost) / n.

    The true mean D is inside if the estimate is within z standard errors of it, where the standard error is that of the
    most likely rates of lost and won pairs among those with mean D, each stratum having rates of its own. Of positive
    width for any data. With K = 1 it is :func:`acgym.statistics.paired.tango`.

    Args:
        lost: (..., K) pairs of each stratum that only the dense agent solved, at least 0; need not be whole.
        won: (..., K) pairs that only the other agent solved.
        n: (..., K) pairs, at least 1 and at least lost + won.
        confidence: in (0, 1).

    Returns:
        (...) lower and upper ends, in [-1, 1].

    Raises:
        ValueError: for counts that cannot be.
    """
    lost, won, n = _paired_counts(lost, won, n)
    tilted = _paired_rates(lost, won, n)
    return _ends(np.mean((won - lost) / n, axis=-1), tilted, n, normal_quantile(confidence), -1.0)


def _paired_counts(lost: Floats, won: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    lost, won, n = (np.asarray(counts, dtype=np.float64) for counts in np.broadcast_arrays(lost, won, n))
    if (n < 1).any() or (lost < 0).any() or (won < 0).any() or (lost + won > n * (1 + 1e-12)).any():
        raise ValueError("lost and won must be at least 0 and together at most n, and n at least 1, in every stratum")
    return lost, won, n


def _paired_rates(lost: Floats, won: Floats, n: Floats) -> _Tilted:
    same = np.maximum(0.0, n - lost - won)

    def tilted(t: Floats) -> tuple[Floats, Floats]:
        mu = _largest_root(lost, won, same, n, t)
        only_dense, only_other = _over(lost, mu + t), _over(won, mu - t)
        rest = np.maximum(0.0, 1 - _over(same, mu) - only_dense - only_other)
        # a side that was never seen takes what the others leave, once the tilt is strong enough to want it
        only_other = np.where((won == 0) & (t > 0), rest, only_other)
        only_dense = np.where((lost == 0) & (t < 0), rest, only_dense)
        mean = only_other - only_dense
        return mean, np.maximum(0.0, only_dense + only_other - mean**2)

    return tilted


def paired_score(lost: Floats, won: Floats, n: Floats, difference: float) -> float:
    """Standardised distance of the mean over strata of (won - lost) / n from a true mean ``difference``.

    In standard errors at the most likely rates with that mean, as :func:`paired_ends` takes them; with one stratum it
    is :func:`acgym.statistics.paired.tango_score`.

    Args:
        lost: (K,) as in :func:`paired_ends`.
        won: (K,) likewise.
        n: (K,) likewise.
        difference: in (-1, 1).

    Raises:
        ValueError: for counts or a difference that cannot be.
    """
    if not -1 < difference < 1:
        raise ValueError(f"a difference of shares is between -1 and 1, got {difference}")
    lost, won, n = _paired_counts(lost, won, n)
    tilted, strata = _paired_rates(lost, won, n), n.shape[-1]
    estimate = float(np.mean((won - lost) / n))
    if estimate == difference:
        return 0.0
    sign = 1.0 if difference > estimate else -1.0

    def passed(multiplier: float) -> bool:
        return sign * (float(np.mean(tilted(np.full(strata, sign * multiplier / strata))[0])) - difference) >= 0

    low, high = 0.0, float(n.max()) * strata
    for _ in range(_DOUBLINGS):
        if passed(high):
            break
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if passed(middle) else (middle, high)
    _, variance = tilted(np.full(strata, sign * high / strata))
    return (estimate - difference) * strata / math.sqrt(max(1e-300, float((variance / n).sum())))


def share_ends(solved: Floats, n: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of the mean over strata of solved / n; with K = 1 it is :func:`acgym.statistics.paired.wilson`.

    Args:
        solved: (..., K) successes of each stratum, 0 to n; need not be whole.
        n: (..., K) trials, at least 1.
        confidence: in (0, 1).

    Returns:
        (...) lower and upper ends, in [0, 1].

    Raises:
        ValueError: for counts that cannot be.
    """
    solved, n = (np.asarray(counts, dtype=np.float64) for counts in np.broadcast_arrays(solved, n))
    if (n < 1).any() or (solved < 0).any() or (solved > n * (1 + 1e-12)).any():
        raise ValueError("successes must be from 0 to n, and n at least 1, in every stratum")
    missed = np.maximum(0.0, n - solved)

    def tilted(t: Floats) -> tuple[Floats, Floats]:
        centre = (n + t) / 2
        mu = centre + np.sqrt(np.maximum(0.0, centre**2 - missed * t))  # solved / (mu - t) + missed / mu = 1
        mean = np.where(t > 0, 1 - _over(missed, mu), _over(solved, mu - t))
        mean = np.clip(mean, 0.0, 1.0)
        return mean, mean * (1 - mean)

    return _ends(np.mean(solved / n, axis=-1), tilted, n, normal_quantile(confidence), 0.0)


def _ends(estimate: Floats, tilted: _Tilted, n: Floats, z: float, least: float) -> tuple[Floats, Floats]:
    """Find both ends by halving on the multiplier of the constraint: it moves the most likely mean monotonically."""
    strata = n.shape[-1]

    def beyond(multiplier: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        mean, variance = tilted(multiplier[..., None] / strata * np.ones(strata))
        whole = mean.mean(axis=-1)
        return whole, np.abs(whole - estimate) > z * np.sqrt((variance / n).sum(axis=-1)) / strata

    ends = []
    for sign, most in ((-1.0, least), (1.0, 1.0)):
        low, high = np.zeros_like(estimate), n.max(axis=-1) * strata + np.zeros_like(estimate)
        closed = np.abs(estimate - most) < 1e-12  # the estimate is the last possible value
        for _ in range(_DOUBLINGS):
            _, outside = beyond(sign * high)
            if (outside | closed).all():
                break
            high = np.where(outside | closed, high, 2 * high)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            _, outside = beyond(sign * middle)
            low, high = np.where(outside, low, middle), np.where(outside, middle, high)
        ends.append(np.where(closed, most, beyond(sign * low)[0]))
    return ends[0], ends[1]


def _largest_root(lost: Floats, won: Floats, same: Floats, n: Floats, t: Floats) -> Floats:
    """Solve lost / (mu + t) + won / (mu - t) + same / mu = 1 for the largest mu, at least abs(t).

    These are the most likely rates of a trinomial whose log-likelihood is tilted by t times the mean. As a polynomial,
    mu³ - n mu² + (t (lost - won) - t²) mu + same t² = 0, with three real roots: Viète's cosine, then Newton's steps.
    """
    c, d = t * (lost - won) - t**2, same * t**2
    p = np.maximum(0.0, n**2 / 3 - c)
    q = (2 * n**3 - 9 * n * c) / 27 - d
    scale = np.sqrt(p / 3)
    angle = np.arccos(np.clip(_over(q, 2 * scale**3), -1.0, 1.0)) / 3
    mu = np.maximum(n / 3 + 2 * scale * np.cos(angle), np.abs(t))
    for _ in range(3):
        slope = 3 * mu**2 - 2 * n * mu + c
        step = _over(((mu - n) * mu + c) * mu + d, slope)
        mu = np.where(np.abs(step) < 1e-3 * mu, np.maximum(mu - step, np.abs(t)), mu)
    return np.asarray(mu)


def _over(a: Floats, b: Floats) -> Floats:
    """Divide; 0 where the divisor is 0."""
    out: Floats = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    np.divide(a, b, out=out, where=b != 0)
    return out
