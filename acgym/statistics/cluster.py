"""Statistics of episodes that repeat tasks: episodes of one task are alike, so they count as one cluster.

Where every task is played once, each function here gives what its counterpart in :mod:`acgym.statistics` gives.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from acgym.statistics.bootstrap import Floats, bca
from acgym.statistics.paired import (
    ENOUGH,
    Interval,
    is_binary,
    mcnemar,
    mcnemar_mid_p,
    mean_interval,
    minority,
    normal_quantile,
    paired_difference,
    tango,
    unit_pairs,
    unit_values,
    wilson,
)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Values summed by cluster, in the order in which the clusters first appear."""

    sums: Floats
    """(G,) total of each cluster."""
    sizes: Floats
    """(G,) number of values in each cluster, at least 1."""

    @classmethod
    def of(cls, values: Floats, labels: Sequence[Hashable]) -> Clusters:
        """Sum values by label.

        Raises:
            ValueError: for a label too few or too many.
        """
        if len(labels) != len(values):
            raise ValueError(f"each value needs one cluster label, got {len(labels)} labels for {len(values)} values")
        index = {label: i for i, label in enumerate(dict.fromkeys(labels))}
        rows = np.array([index[label] for label in labels])
        sums, sizes = np.bincount(rows, values), np.bincount(rows)
        return cls(sums.astype(np.float64), sizes.astype(np.float64))

    @property
    def single(self) -> bool:
        """Say whether every cluster has one value, so that there is nothing to correct for."""
        return bool((self.sizes == 1).all())

    @property
    def mean(self) -> float:
        """Mean over all values (a large cluster weighs more)."""
        return float(self.sums.sum() / self.sizes.sum())


def cluster_mcnemar(lost: Sequence[int], won: Sequence[int]) -> float:
    """Exact two-sided test that compression changes success when tasks repeat.

    Under the null the two agents' episodes of a task may be swapped as a whole, so the net loss of each task has a
    random sign. The distribution of the sum over all sign patterns is found by convolution, hence exact. With one pair
    a task it is the exact McNemar test.

    Args:
        lost: (G,) pairs of each task that only the dense agent solved.
        won: (G,) pairs of each task that only the other agent solved.

    Returns:
        The p-value in (0, 1]; 1 when no task is unbalanced.

    Raises:
        ValueError: for lengths that differ or a negative count.
    """
    net = _net(lost, won)
    if (np.abs(net) <= 1).all():
        return mcnemar(int((net > 0).sum()), int((net < 0).sum()))
    further, same = _sign_flips(net)
    return min(1.0, further + same)


def cluster_mcnemar_mid_p(lost: Sequence[int], won: Sequence[int]) -> float:
    """Mid-p of the same test, see :func:`acgym.statistics.paired.mcnemar_mid_p`; arguments as
    :func:`cluster_mcnemar`.
    """
    net = _net(lost, won)
    if (np.abs(net) <= 1).all():
        return mcnemar_mid_p(int((net > 0).sum()), int((net < 0).sum()))
    further, same = _sign_flips(net)
    return further + same / 2


def _net(lost: Sequence[int], won: Sequence[int]) -> NDArray[np.int64]:
    if len(lost) != len(won):
        raise ValueError(f"each task needs both counts, got {len(lost)} and {len(won)}")
    if any(count < 0 for count in (*lost, *won)):
        raise ValueError("counts of pairs cannot be negative")
    return np.asarray(lost, dtype=np.int64) - np.asarray(won, dtype=np.int64)


def _sign_flips(net: NDArray[np.int64]) -> tuple[float, float]:
    """Return the chance of a net loss that is larger in size than the one seen, and of one of the same size."""
    steps = np.abs(net[net != 0])
    total = int(steps.sum())
    chance = np.zeros(total + 1)  # chance[s]: that the steps with a plus sign sum to s
    chance[0] = 1.0
    for step in steps:
        chance = 0.5 * chance + 0.5 * np.concatenate([np.zeros(step), chance[:-step]])
    distance, seen = np.abs(2 * np.arange(total + 1) - total), abs(int(net.sum()))
    return float(chance[distance > seen].sum()), float(chance[distance == seen].sum())


def clustered_mean(
    values: Sequence[float] | Floats, labels: Sequence[Hashable], confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Interval of the mean of values in [0, 1] when tasks repeat; as :func:`acgym.statistics.paired.mean_interval` if
    not.

    BCa bootstrap over whole clusters. Binary values, and values of which fewer than 20 clusters differ from the
    commonest one, get the Wilson interval at the effective number of values, see :func:`effective_number`.

    Args:
        values: (n,) values in [0, 1].
        labels: (n,) the task of each value.
        confidence: in (0, 1).
        seed: of the bootstrap.
    """
    x = unit_values(values, "values")
    clusters = Clusters.of(x, labels)
    if clusters.single:
        return mean_interval(x, confidence, seed)
    if is_binary(x) or differing(clusters) < ENOUGH:
        n = effective_number(x, clusters, confidence)
        return wilson(min(n, clusters.mean * n), n, confidence)
    return Interval(*bca(clusters.sums, clusters.sizes, confidence, seed))


def clustered_difference(
    dense: Sequence[float] | Floats,
    other: Sequence[float] | Floats,
    labels: Sequence[Hashable],
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of the mean of other - dense when tasks repeat; :func:`acgym.statistics.paired.paired_difference` if
    not.

    BCa bootstrap over whole clusters. Binary values, and values of which fewer than 20 clusters differ from the
    commonest one, get Tango's interval with lost and won scaled to the effective number of pairs: of positive width
    for any data.

    Args:
        dense: (n,) values of the dense agent in [0, 1].
        other: (n,) values of the other agent on the same episodes, in the same order.
        labels: (n,) the task of each pair.
        confidence: in (0, 1).
        seed: of the bootstrap.

    Raises:
        ValueError: for lengths that differ, no values, or values that are not finite or outside [0, 1].
    """
    a, b = unit_pairs(dense, other)
    gain = b - a
    clusters = Clusters.of(gain, labels)
    if clusters.single:
        return paired_difference(a, b, confidence, seed)
    if (is_binary(a) and is_binary(b)) or differing(clusters) < ENOUGH:
        n = effective_number(gain, clusters, confidence)
        share = n / len(gain)
        return tango(float(-gain[gain < 0].sum()) * share, float(gain[gain > 0].sum()) * share, n, confidence)
    return Interval(*bca(clusters.sums, clusters.sizes, confidence, seed))


def effective_number(values: Floats, clusters: Clusters, confidence: float = 0.95) -> float:
    """Number of independent values that would tell as much as these clustered ones (Korn & Graubard 1998).

    n over the design effect (cluster-robust variance of the mean over that of independent values, at least 1), and
    over the squared ratio of Student's t with G - 1 degrees of freedom to the normal quantile. Fewer than 20 clusters
    that differ from the commonest one say too little about the design effect: each cluster then counts as one value
    (for unequal sizes n² / Σ size²), the worst case of values that agree within every cluster.

    Returns:
        A number in [1, n].
    """
    n, count = len(values), len(clusters.sizes)
    worst = n * n / float(np.sum(clusters.sizes**2))
    if count < 2 or differing(clusters) < ENOUGH:
        return max(1.0, worst)
    naive = float(np.sum((values - clusters.mean) ** 2))
    robust = float(np.sum((clusters.sums - clusters.mean * clusters.sizes) ** 2)) * count / (count - 1)
    t = stats.t.ppf((1 + confidence) / 2, count - 1) / normal_quantile(confidence)
    return max(1.0, n / max(1.0, robust / naive) / float(t) ** 2)


def differing(clusters: Clusters) -> int:
    """Count the clusters whose mean differs from the commonest mean."""
    return minority(np.asarray(clusters.sums / clusters.sizes))
