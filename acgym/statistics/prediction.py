"""Does a signal predict lost success? Rank correlation over recipes, and the AUROC for lost episodes, with intervals.

Pure functions of arrays. What cannot be told (too few recipes, a constant signal, no lost episode) is None with the
reason, never a number.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from acgym.statistics.paired import Interval, normal_quantile

Floats: TypeAlias = NDArray[np.float64]
Stratum: TypeAlias = tuple[Sequence[float], Sequence[bool], Sequence[Hashable]]
"""Signal, whether lost, and which episode it is, of the episodes of one recipe in one environment."""

LEAST_RECIPES = 3
LEAST_FOR_INTERVAL = 5
"""Recipes from which on the intervals keep their level (simulated)."""
RESAMPLES = 1000
"""Bootstrap resamples of one interval."""
PERMUTATIONS = 1999
"""Of one test."""


@dataclass(frozen=True, slots=True)
class Association:
    """How the change of a signal goes with lost success over recipes."""

    n: int
    """Recipes in which both were measured."""
    kendall: float | None = None
    """Kendall's tau-b, in [-1, 1]; 1: the more the signal changed, the more was lost."""
    kendall_interval: Interval | None = None
    """95 %; None for fewer than 5 recipes. See :func:`association`."""
    p: float | None = None
    """Two-sided permutation test of Kendall's tau; exact up to 6 recipes, else by 1,999 permutations."""
    spearman: float | None = None
    """Spearman's rho, in [-1, 1]."""
    spearman_interval: Interval | None = None
    reason: str | None = None
    """Why there are no numbers."""


@dataclass(frozen=True, slots=True)
class Discrimination:
    """How well a signal tells the episodes that were lost from those that were kept."""

    n: int
    """Episodes that the dense agent solved, over all recipes: only those can be lost."""
    n_lost: int
    auroc: float | None = None
    """Chance that a lost episode has the larger signal than a kept one of the same recipe and environment, ties half;
    0.5 is guessing."""
    interval: Interval | None = None
    """95 %, see :func:`auroc_interval`."""
    reason: str | None = None


def association(change: Sequence[float], lost: Sequence[float], seed: int = 0) -> Association:
    """Correlate the change of a signal with lost success by rank.

    Intervals: of Spearman's rho by Fisher's z with the variance of Bonett & Wright (2000, Psychometrika 65), of
    Kendall's tau the wider ends of a percentile bootstrap over recipes and of Fisher's z (variance 0.437 / (n - 4),
    Fieller, Hartley & Pearson 1957). A perfect order counts as one step short of perfect, so no interval has zero
    width. They treat recipes as a sample and lost success as known: that it was measured on n episodes is not in them.

    Args:
        change: (recipes,) how much the signal changed, larger for what should be worse.
        lost: (recipes,) success of the dense agent minus that of the compressed one.
        seed: of bootstrap and permutations.

    Returns:
        The correlations, or ``reason``.

    Raises:
        ValueError: for lengths that differ or values that are not finite.
    """
    x, y = np.asarray(change, dtype=np.float64), np.asarray(lost, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"change and lost must be finite and of one length, got shapes {x.shape} and {y.shape}")
    n = len(x)
    if n < LEAST_RECIPES:
        return Association(n, reason=f"{n} recipes; a rank correlation needs at least {LEAST_RECIPES}")
    for name, values in (("the signal changed", x), ("success fell", y)):
        if np.ptp(values) == 0:
            return Association(n, reason=f"{name} by the same amount in all {n} recipes")
    rng = np.random.default_rng(seed)
    tau, rho = float(_kendall(x, y)), float(stats.spearmanr(x, y).statistic)
    enough = n >= LEAST_FOR_INTERVAL
    return Association(
        n=n,
        kendall=tau,
        kendall_interval=_kendall_interval(x, y, tau, rng) if enough else None,
        p=_permutation_p(x, y, rng),
        spearman=rho,
        spearman_interval=_fisher(rho, math.sqrt((1 + rho**2 / 2) / (n - 3)), 6 / (n * (n * n - 1)))
        if enough
        else None,
    )


def discrimination(strata: Sequence[Stratum]) -> Discrimination:
    """Measure how well a signal tells lost episodes from kept ones, within recipe and environment.

    Recipes and environments differ in the level of a signal; only episodes of the same stratum are compared, and the
    strata are pooled by their numbers of pairs. An episode that several recipes played counts once in the width of the
    interval, however often it was lost: its outcomes under related recipes are no independent news.

    Args:
        strata: of each recipe and environment: the signal along each episode that the dense agent solved, whether it
            was lost, and the episode's label.

    Returns:
        The pooled AUROC, or ``reason``.
    """
    wins, pairs = 0.0, 0
    lost_labels: set[Hashable] = set()
    kept_labels: set[Hashable] = set()
    n = n_lost = 0
    varies = False
    for signal, lost, labels in strata:
        x, bad = np.asarray(signal, dtype=np.float64), np.asarray(lost, dtype=bool)
        if not len(x) == len(bad) == len(labels) or not np.isfinite(x).all():
            raise ValueError("each episode needs a finite signal, an outcome and a label")
        n, n_lost = n + len(x), n_lost + int(bad.sum())
        if not bad.any() or bad.all():
            continue
        varies |= bool(np.ptp(x) > 0)
        wins += (
            float(stats.mannwhitneyu(x[bad], x[~bad], method="asymptotic").statistic)
            if np.ptp(x) > 0
            else (bad.sum() * (~bad).sum() / 2)
        )
        pairs += int(bad.sum() * (~bad).sum())
        lost_labels |= {label for label, gone in zip(labels, bad, strict=True) if gone}
        kept_labels |= {label for label, gone in zip(labels, bad, strict=True) if not gone}
    if pairs == 0:
        why = "no recipe has both lost and kept episodes in one environment"
        return Discrimination(n, n_lost, reason=why)
    if not varies:
        return Discrimination(n, n_lost, reason="the signal is the same in all episodes")
    auroc = wins / pairs
    return Discrimination(n, n_lost, auroc, auroc_interval(auroc, len(lost_labels), len(kept_labels)))


def auroc_interval(auroc: float, lost: int, kept: int, confidence: float = 0.95) -> Interval:
    """Score-like interval of an AUROC (Newcombe 2006, Statistics in Medicine 25, method 5).

    Solves |auroc - true| = z * sqrt(V(true)) with Hanley & McNeil's variance, in which both group sizes but for the
    denominator are replaced by their mean. Never of zero width, also at 0 and 1, where DeLong's is.

    Args:
        auroc: in [0, 1].
        lost: episodes of the one kind, at least 1.
        kept: of the other, at least 1.
        confidence: in (0, 1).
    """
    z = normal_quantile(confidence)
    if lost < 1 or kept < 1 or not 0 <= auroc <= 1:
        raise ValueError(f"an AUROC in [0, 1] and episodes of both kinds are needed, got {auroc}, {lost} and {kept}")
    extra = (lost + kept) / 2 - 1

    def distance(true: float) -> float:
        spread = 1 + extra * (1 - true) / (2 - true) + extra * true / (1 + true)
        return (auroc - true) ** 2 - z * z * true * (1 - true) * spread / (lost * kept)

    tiny = 1e-9  # at exactly 0 and 1 the variance is 0 too
    low = 0.0 if auroc <= tiny else float(brentq(distance, 0.0, min(auroc, 1 - tiny)))
    high = 1.0 if auroc >= 1 - tiny else float(brentq(distance, max(auroc, tiny), 1.0))
    return Interval(low, high)


def _kendall(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Kendall's tau-b along the last axis; 0 where one side is constant (a resample may be)."""
    a, b = (np.sign(v[..., :, None] - v[..., None, :]) for v in (x, y))
    scale = np.sqrt((a**2).sum((-1, -2)) * (b**2).sum((-1, -2)))
    return np.asarray((a * b).sum((-1, -2)) / np.where(scale > 0, scale, 1.0))


def _kendall_interval(x: Floats, y: Floats, tau: float, rng: np.random.Generator) -> Interval:
    n = len(x)
    rows = rng.integers(n, size=(RESAMPLES, n))
    low, high = np.quantile(_kendall(x[rows], y[rows]), [0.025, 0.975])
    curve = _fisher(tau, math.sqrt(0.437 / (n - 4)), 2 / (n * (n - 1)))
    return Interval(float(min(low, curve.low)), float(max(high, curve.high)))


def _fisher(r: float, error: float, step: float) -> Interval:
    """Interval of a correlation by Fisher's z; nearer to ±1 than ``step`` it is taken to be that far away."""
    limit = 1 - step
    z = math.atanh(max(-limit, min(limit, r)))
    low, high = math.tanh(z - 1.959964 * error), math.tanh(z + 1.959964 * error)
    return Interval(-1.0 if r <= -limit else low, 1.0 if r >= limit else high)


def _permutation_p(x: Floats, y: Floats, rng: np.random.Generator) -> float:
    """Two-sided permutation p-value of Kendall's tau."""

    def statistic(shuffled: NDArray[Any], axis: int = -1) -> NDArray[np.float64]:
        return np.abs(_kendall(shuffled, y))

    test = stats.permutation_test(
        (x,),
        statistic,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        alternative="greater",
        rng=rng,
    )
    return float(test.pvalue)
