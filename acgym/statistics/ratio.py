"""How many times as much: ratios of totals over paired episodes, with intervals that follow the pairs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy import stats

from acgym.statistics.bootstrap import Floats
from acgym.statistics.cluster import Clusters
from acgym.statistics.paired import ENOUGH, Interval

FEWEST_SOLVED = 6
"""Fewer solved episodes of an agent than this, and a cost per solved one has no interval."""


def paired_ratio(
    dense: Sequence[float] | Floats,
    other: Sequence[float] | Floats,
    labels: Sequence[Hashable],
    per: tuple[Sequence[float] | Floats, Sequence[float] | Floats] | None = None,
    confidence: float = 0.95,
) -> tuple[float, Interval | None]:
    """Ratio of totals Σ other / Σ dense over pairs, or of totals ``per`` something that was counted too.

    The interval is that of the delta method on the logarithm (Cochran 1977, Sampling Techniques, section 6.3, the ratio
    estimator linearised): the logarithm's standard error is sqrt(G / (G - 1) Σ u²) with u = other / Σ other - dense /
    Σ dense summed over each of G clusters (minus the same of ``per``), and Student's t has G - 1 degrees of freedom.
    Both values of a pair are in its u, so what makes an episode long for both agents does not widen it.

    Args:
        dense: (n,) values of the dense agent, at least 0 and not all 0.
        other: (n,) values of the other agent on the same episodes.
        labels: (n,) the task of each pair; one that repeats is one cluster.
        per: what the totals are divided by first, of the dense and of the other agent, such as solved (0 or 1).
        confidence: in (0, 1).

    Returns:
        The ratio, and its interval; None for the interval if fewer than 20 clusters tell anything of it, or fewer than
        six were counted of ``per``.

    Raises:
        ValueError: for lengths that differ, values below 0, or a total of 0.
    """
    columns = [np.asarray(column, dtype=np.float64) for column in (other, dense, *(() if per is None else per[::-1]))]
    if any(column.shape != (len(labels),) or not (column >= 0).all() for column in columns):
        raise ValueError("a paired ratio needs values of at least 0, one of each agent and one label for each pair")
    totals = [float(column.sum()) for column in columns]
    if not all(totals):
        raise ValueError(f"a ratio of totals needs totals above 0, got {totals}")
    signs = (1, -1, -1, 1)
    log = sum(sign * np.log(total) for sign, total in zip(signs, totals, strict=False))
    each = sum(sign * column / total for sign, column, total in zip(signs, columns, totals, strict=False))
    sums = Clusters.of(np.asarray(each), labels).sums
    few = per is not None and min(totals[2:]) < FEWEST_SOLVED
    if few or int((np.abs(sums) > 1e-12).sum()) < ENOUGH:
        return float(np.exp(log)), None
    count = len(sums)
    half = stats.t.ppf((1 + confidence) / 2, count - 1) * np.sqrt(count / (count - 1) * np.sum(sums**2))
    return float(np.exp(log)), Interval(float(np.exp(log - half)), float(np.exp(log + half)))
