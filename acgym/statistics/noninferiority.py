"""Is one agent worse than another one by a margin or more? Tests of paired success against a margin, and their n."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from acgym.statistics.paired import tango_score

Floats: TypeAlias = NDArray[np.float64]

OUTSIDE = 1e-4
"""Chance that the rate of won pairs lies outside the range over which the exact test looks for its worst case."""
_GRID = 64
"""Rates that are tried in that range."""
_MOST = 10_000_000
"""Pairs beyond which no number is given."""


def not_worse_p(lost: int, won: int, n: int, margin: float) -> float:
    """Test that the other agent is worse by ``margin`` or more; a small p says that it is not (non-inferiority).

    Exact and unconditional (Sidik 2003, Statistics in Medicine 22:265): data are as extreme as those seen or more if
    Tango's score at a difference of -margin is at least theirs, and p is the largest chance of such data over the rates
    of won pairs, the lost ones being more by the margin. The rates are those of the exact 99.99 % interval (Clopper &
    Pearson) of the rate of won pairs, and what is outside is added to p (Berger & Boos 1994, JASA 89:1012). The score
    test itself, of a normal deviate, is too ready to say "not worse" where few pairs differ: see docs/statistics.md.

    Args:
        lost: pairs that only the dense agent solved.
        won: pairs that only the other agent solved.
        n: pairs, at least 1 and at least lost + won.
        margin: in (0, 1).

    Returns:
        The one-sided p-value, in (0, 1].

    Raises:
        ValueError: for counts that cannot be, or a margin outside (0, 1).
    """
    return _exact(lost, won, n, margin, worse=False)


def worse_p(lost: int, won: int, n: int, margin: float) -> float:
    """Test that the other agent is worse by less than ``margin``, or not at all; a small p says: worse than that.

    The other side of :func:`not_worse_p`, with the same arguments.
    """
    return _exact(lost, won, n, margin, worse=True)


def score_ps(lost: float, won: float, n: float, margin: float) -> tuple[float, float]:
    """Return both p-values by Tango's score as a normal deviate: for counts that are no whole numbers.

    Returns:
        What :func:`not_worse_p` and :func:`worse_p` would return, approximately.
    """
    z = tango_score(-margin, lost, won, n)
    return float(stats.norm.sf(z)), float(stats.norm.cdf(z))


def _exact(lost: int, won: int, n: int, margin: float, worse: bool) -> float:
    if not 0 < margin < 1:
        raise ValueError(f"a margin is between 0 and 1, such as 0.02, got {margin}")
    if n < 1 or lost < 0 or won < 0 or lost + won > n:
        raise ValueError(f"lost and won must be at least 0 and at most n = {n} together, got {lost} and {won}")
    low = 0.0 if won == 0 else float(stats.beta.ppf(OUTSIDE / 2, won, n - won + 1))
    high = 1.0 if won == n else float(stats.beta.ppf(1 - OUTSIDE / 2, won + 1, n - won))
    most = (1 - margin) / 2  # of won pairs, when all others are lost or there are as many as there can be
    rates = np.linspace(min(low, most), min(high, most), _GRID)
    first, last = int(stats.binom.ppf(1e-9, n, rates[0])), int(stats.binom.isf(1e-9, n, rates[-1]))
    wins = np.arange(first, last + 1, dtype=np.float64)
    z = tango_score(-margin, lost, won, n)
    # the largest number of lost pairs that is on the "not worse" side of the data, for each number of won ones
    edge = _largest(wins, n, margin, z + 1e-9 if worse else z - 1e-9)
    q = np.minimum(1.0, (rates + margin) / (1 - rates))[:, None]
    tail = stats.binom.sf if worse else stats.binom.cdf
    chances = (stats.binom.pmf(wins, n, rates[:, None]) * tail(edge, n - wins, q)).sum(axis=1)
    return float(min(1.0, chances.max() + OUTSIDE + 2e-9))


def _largest(wins: Floats, n: int, margin: float, least: float) -> Floats:
    """Return for each number of won pairs the most lost ones whose score is at least ``least``; -1 for none."""
    low, high = np.full(wins.shape, -1.0), n - wins
    for _ in range(math.ceil(math.log2(n + 2)) + 1):
        middle = np.ceil((low + high) / 2)
        enough = (scores(np.maximum(middle, 0.0), wins, n, margin) >= least) | (middle < 0)
        low, high = np.where(enough, middle, low), np.where(enough, high, middle - 1)
        high = np.maximum(high, low)
    return np.asarray(np.maximum.accumulate(low))


def scores(lost: Floats, won: Floats, n: float, margin: float) -> Floats:
    """Return Tango's score of many counts at a difference of -margin; see :func:`tango_score`."""
    d = -margin
    b = -lost - won + (2 * n - won + lost) * d
    rate = (np.sqrt(np.maximum(0.0, b * b + 8 * n * lost * d * (1 - d))) - b) / (4 * n)
    variance = np.maximum(n * (2 * rate + d * (1 - d)), 1e-300)
    return np.asarray((won - lost - n * d) / np.sqrt(variance))


def pairs_to_tell(
    lost: float, won: float, margin: float, power: float = 0.8, alpha: float = 0.05, strata: int = 1
) -> int | None:
    """Number of pairs after which the tests would say "not worse" or "worse", if pairs go on to differ as they did.

    By the normal approximation of Tango's score; where next to none differ, by the exact test.

    Args:
        lost: share of pairs that only the dense agent solved.
        won: share that only the other agent solved.
        margin: in (0, 1).
        power: chance that the test then tells, in (0, 1).
        alpha: its one-sided level, in (0, 1).
        strata: environments that the mean is over, each with as many pairs; the number is that of one of them.

    Returns:
        Pairs; None where the difference seen is so close to the margin that no number of interest would do.
    """
    gap = won - lost + margin
    under = tango_score(-margin, lost, won, 1.0)  # of one pair: gap over its standard deviation there
    spread = abs(gap / under) if under else math.sqrt(lost + won)
    seen = math.sqrt(max(0.0, lost + won - (won - lost) ** 2))
    z = stats.norm.isf([alpha, 1 - power])
    if abs(gap) < 1e-9 or (z[0] * spread + z[1] * seen) ** 2 > _MOST * gap**2:
        return None
    n = math.ceil(((z[0] * spread + z[1] * seen) / gap) ** 2 / strata)
    if strata > 1 or (lost + won) * n > 20:
        return n
    test = not_worse_p if gap > 0 else worse_p
    while n < _MOST and test(*_counts(lost, won, n), n, margin) > alpha:
        n = math.ceil(1.05 * n)
    return n


def _counts(lost: float, won: float, n: int) -> tuple[int, int]:
    ups = round(won * n)
    return min(round(lost * n), n - ups), ups
