"""Anytime-valid inference on a mean of bounded differences: look as often as you like, stop when you like.

A gambler who doubts that the mean is m bets on each next value with money she has; if the mean is m, her wealth is a
nonnegative martingale, and by Ville's inequality it ever reaches 1/alpha with probability at most alpha. All m at which
nobody has got that rich are a confidence sequence: it covers the true mean at all times at once, so also at any time
chosen by looking at the data (Waudby-Smith & Ramdas 2024, JRSS B 86, arXiv 2010.09686: Ville's inequality on the
capital process of their Theorem 1, hedged between both directions, bets a fixed grid of fractions, their "hgKelly").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from acgym.statistics.paired import Interval

Floats: TypeAlias = NDArray[np.float64]

FRACTIONS = np.geomspace(0.002, 0.99, 20)
"""Shares of the money that can be lost on one value which the gamblers stake; the wealth is the mean over them.

A small stake suits a long run and a small difference, a large one a short run; below 1 nobody is ever ruined. A choice
made before any data, so the level holds whatever it is; this one spans half-widths from about 0.002 to 0.3.
"""
_HALVINGS = 40


def confidence_sequence(
    differences: Sequence[float] | Floats, confidence: float = 0.95, bound: float = 1.0
) -> Interval | None:
    """Interval of the mean difference, valid at whatever n one stops.

    The running intersection over all n values so far, computed to 1e-12 and without a grid: wealth falls with the mean
    it doubts, so each end is found by halving on the largest wealth up to now. Assumes that the values come one by one
    in an order fixed beforehand and have, given those before, the same mean; nothing about their distribution.

    Args:
        differences: (n,) other - dense, pair by pair, each in [-bound, bound]; n may be 0.
        confidence: in (0, 1): chance that the true mean is inside at every n at once.
        bound: largest possible size of a difference.

    Returns:
        The interval, within [-bound, bound] and never of zero width; None when nothing is left of it, which has at most
        probability 1 - confidence if the mean is the same throughout, and so speaks for a mean that drifts.

    Raises:
        ValueError: for values that are not finite or outside [-bound, bound], or a confidence outside (0, 1).
    """
    x = _unit(differences, bound)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, such as 0.95, got {confidence}")
    threshold = float(np.log(2 / (1 - confidence)))
    low, high = _lower(x, threshold), 1 - _lower(1 - x, threshold)
    return Interval(bound * (2 * low - 1), bound * (2 * high - 1)) if low < high else None


def sequential_p(differences: Sequence[float] | Floats, bound: float = 1.0) -> float:
    """Anytime-valid p-value that the mean difference is 0: at most alpha, ever, with probability at most alpha.

    The inverse of the largest wealth so far against a mean of 0, doubled for the two directions; at most 0.05 exactly
    when 0 is outside the 95 % :func:`confidence_sequence`.

    Args:
        differences: (n,) as in :func:`confidence_sequence`.
        bound: largest possible size of a difference.

    Returns:
        A value in (0, 1].
    """
    x = _unit(differences, bound)
    return float(min(1.0, 2 * np.exp(-max(largest_log_wealth(x, 0.5), largest_log_wealth(1 - x, 0.5)))))


def margin_ps(differences: Sequence[float] | Floats, margin: float) -> tuple[float, float]:
    """Anytime-valid one-sided p-values against a margin: one of "not worse", one of "worse".

    The inverse of the largest wealth so far of gamblers who bet that the mean difference is above -margin, and of those
    who bet that it is below.

    Args:
        differences: (n,) other - dense, each in [-1, 1]; n may be 0.
        margin: in (0, 1).

    Returns:
        p of the hypothesis that the mean is at most -margin (small: not worse), and that it is at least -margin (small:
        worse); each at most alpha, ever, with probability at most alpha if its hypothesis is true.

    Raises:
        ValueError: as :func:`confidence_sequence`, or for a margin outside (0, 1).
    """
    if not 0 < margin < 1:
        raise ValueError(f"a margin is between 0 and 1, such as 0.02, got {margin}")
    x, mean = _unit(differences, 1.0), (1 - margin) / 2
    return float(np.exp(-largest_log_wealth(x, mean))), float(np.exp(-largest_log_wealth(1 - x, 1 - mean)))


def pairs_to_bet(lost: float, won: float, margin: float, alpha: float = 0.05) -> int | None:
    """Number of pairs after which :func:`margin_ps` tells, if pairs go on to differ in success as they did.

    The gamblers' fortune grows by a constant factor a pair then, the best one's soonest; it has to make up for those of
    the others.

    Args:
        lost: share of pairs that only the dense agent solved.
        won: share that only the other agent solved.
        margin: in (0, 1).
        alpha: one-sided level, in (0, 1).

    Returns:
        Pairs; None where the difference seen is so close to the margin that nobody gets rich.
    """
    x, shares = np.array([0.0, 0.5, 1.0]), np.array([lost, 1 - lost - won, won])
    better = won - lost > -margin
    values, mean = (x, (1 - margin) / 2) if better else (1 - x, (1 + margin) / 2)
    growth = float((np.log1p(FRACTIONS[:, None] * (values / mean - 1)) @ shares).max())
    return None if growth < 1e-7 else int(np.ceil((np.log(1 / alpha) + np.log(len(FRACTIONS))) / growth))


def largest_log_wealth(x: Floats, mean: float) -> NDArray[np.float64]:
    """Largest log wealth so far of gamblers who stake fixed fractions on the mean of ``x`` being above ``mean``.

    Args:
        x: (..., n) values in [0, 1], the sequences along the last axis.
        mean: in (0, 1).

    Returns:
        (...) the largest over 0 to n values, at least 0 (a log wealth of 0 is what everybody starts with).
    """
    total = np.full(x.shape, -np.inf)
    for fraction in FRACTIONS:
        total = np.logaddexp(total, np.cumsum(np.log1p(fraction * (x / mean - 1)), axis=-1))
    best = (total - np.log(len(FRACTIONS))).max(axis=-1, initial=0.0)
    return np.asarray(best, dtype=np.float64)


def _lower(x: Floats, threshold: float) -> float:
    """Largest mean in [0, 1) at which wealth has reached the threshold; 0 if it has at none."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if largest_log_wealth(x, middle) >= threshold else (low, middle)
    return low


def _unit(differences: Sequence[float] | Floats, bound: float) -> Floats:
    """Map [-bound, bound] to [0, 1]."""
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1 or not bound > 0:
        raise ValueError(f"differences must be 1-D and the bound above 0, got shape {d.shape} and bound {bound}")
    if not (np.abs(d) <= bound).all():
        raise ValueError(
            f"differences must be finite and in [-{bound:g}, {bound:g}]; {int((~(np.abs(d) <= bound)).sum())} are not"
        )
    return np.asarray((d / bound + 1) / 2)
