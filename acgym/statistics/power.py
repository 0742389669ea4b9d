"""What n paired episodes can show: power of the exact McNemar test, the smallest drop it sees, the n that it needs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special, stats

_BLOCK = 1024
"""Numbers of discordant pairs whose critical counts are found at once and kept: searches ask for them repeatedly."""


def mcnemar_power(n: int, drop: float, discordant_rate: float, alpha: float = 0.05) -> float:
    """Chance that McNemar's exact test on ``n`` pairs gives p <= alpha when success truly falls by ``drop``.

    The test is :func:`acgym.statistics.paired.mcnemar`. Exact: the number of discordant pairs is binomial, and so is
    the number of lost ones among them.

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
    low, high = stats.binom.ppf([1e-12, 1 - 1e-12], n, rate).astype(int)
    discordant = np.arange(low, high + 1)
    blocks = [_too_few(block, alpha) for block in range(low // _BLOCK, high // _BLOCK + 1)]
    few = np.concatenate(blocks)[low % _BLOCK :][: len(discordant)]
    share = (rate + drop) / (2 * rate)
    rejected = special.bdtr(few, discordant, share) + special.bdtr(few, discordant, 1 - share)
    return float(np.sum(stats.binom.pmf(discordant, n, rate) * np.where(few < 0, 0.0, rejected)))


@lru_cache(maxsize=1024)
def _too_few(block: int, alpha: float) -> npt.NDArray[np.float64]:
    """For each number of discordant pairs in a block: the most lost ones that still give p <= alpha; -1 for none."""
    discordant = np.arange(block * _BLOCK, (block + 1) * _BLOCK)
    few = stats.binom.ppf(alpha / 2, discordant, 0.5)  # the largest count that might still be too few to be chance
    found: npt.NDArray[np.float64] = np.where(2 * stats.binom.cdf(few, discordant, 0.5) <= alpha, few, few - 1)
    return found


def minimum_detectable_drop(n: int, discordant_rate: float, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Smallest true drop of success that McNemar's exact test on ``n`` pairs would have shown with this power.

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
    """Number of paired episodes with which :func:`acgym.statistics.paired.mcnemar` shows a true ``drop`` with this
    power.

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
