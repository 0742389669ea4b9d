"""Repeated sampling: the chance to solve a task at least once in k tries, and the chance to solve it in all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from acgym.record.episode import Episode
from acgym.record.pairing import Task
from acgym.statistics.paired import Interval, mean_interval, paired_difference
from acgym.typed import Written


@dataclass(frozen=True, slots=True)
class Repeated(Written):
    """Mean over tasks of an estimate from n tries of each."""

    k: int
    tasks: int
    """Tasks with at least k finished tries; the mean is over these."""
    left_out: int
    """Tasks with fewer, about which k tries say nothing."""
    any_of_k: float | None
    """pass@k, in [0, 1]; None if no task was tried k times."""
    any_interval: Interval | None
    """95 % interval over tasks, :func:`acgym.statistics.paired.mean_interval`."""
    all_of_k: float | None
    """pass^k, in [0, 1]; None if no task was tried k times."""
    all_interval: Interval | None


@dataclass(frozen=True, slots=True)
class RepeatedDifference(Written):
    """Two agents that tried the same tasks; differences are other - dense: below 0 is a loss."""

    k: int
    tasks: int
    """Tasks that both tried at least k times, at least 1; the rest is about these."""
    any_of_k: float
    """Difference in pass@k, in [-1, 1]."""
    any_interval: Interval
    """95 % interval over tasks, :func:`acgym.statistics.paired.paired_difference`."""
    all_of_k: float
    """Difference in pass^k, in [-1, 1]."""
    all_interval: Interval


def pass_at_k(tries: int, solved: int, k: int) -> float | None:
    """Estimate without bias the chance that at least one of k tries solves a task: pass@k.

    1 - C(n - c, k) / C(n, k) of n tries and c solved (Chen et al. 2021, arXiv 2107.03374, equation 1), in exact
    integers. Plugging c / n into 1 - (1 - p)^k instead would be biased downwards.

    Args:
        tries: independent tries of the task, n.
        solved: of these solved, 0 to n.
        k: at least 1.

    Returns:
        A value in [0, 1]; None for n below k, where no unbiased estimate exists.

    Raises:
        ValueError: for counts that cannot be.
    """
    _check(tries, solved, k)
    return None if tries < k else 1 - comb(tries - solved, k) / comb(tries, k)


def pass_all_k(tries: int, solved: int, k: int) -> float | None:
    """Estimate without bias the chance that all of k tries solve a task: pass^k.

    C(c, k) / C(n, k) (tau-bench, Yao et al. 2024, arXiv 2406.12045, section 4). Arguments, result and errors are those
    of :func:`pass_at_k`.
    """
    _check(tries, solved, k)
    return None if tries < k else comb(solved, k) / comb(tries, k)


def repeated(tries: Sequence[int], solved: Sequence[int], k: int) -> Repeated:
    """Average both estimates over tasks.

    Args:
        tries: (tasks,) tries of each task.
        solved: (tasks,) of these solved.
        k: at least 1.

    Raises:
        ValueError: for lengths that differ or counts that cannot be.
    """
    if len(tries) != len(solved):
        raise ValueError(f"each task needs tries and solved, got {len(tries)} and {len(solved)}")
    pairs = list(zip(tries, solved, strict=True))
    some = [value for n, c in pairs if (value := pass_at_k(n, c, k)) is not None]
    every = [value for n, c in pairs if (value := pass_all_k(n, c, k)) is not None]
    if not some:
        return Repeated(k, 0, len(pairs), None, None, None, None)
    return Repeated(
        k,
        len(some),
        len(pairs) - len(some),
        float(np.mean(some)),
        mean_interval(some),
        float(np.mean(every)),
        mean_interval(every),
    )


def repeated_episodes(episodes: Iterable[Episode], k: int) -> Repeated:
    """Average both estimates over the tasks of some episodes of one agent.

    Tries of a task are its finished episodes: same environment, arguments, split and task hash, other seeds or other
    samples. Episodes that an infrastructure failure ended are no tries.
    """
    counts = _counts(episodes)
    return repeated([tries for tries, _ in counts.values()], [solved for _, solved in counts.values()], k)


def repeated_difference(dense: Iterable[Episode], other: Iterable[Episode], k: int) -> RepeatedDifference | None:
    """Compare two agents task by task; tries as in :func:`repeated_episodes`.

    Returns:
        The mean differences, over the tasks that both tried k times; None if there is none.
    """
    ours, theirs = _counts(dense), _counts(other)
    both = [task for task in ours if task in theirs and min(ours[task][0], theirs[task][0]) >= k]
    if not both:
        return None
    some = [_estimates(counts, both, k, pass_at_k) for counts in (ours, theirs)]
    every = [_estimates(counts, both, k, pass_all_k) for counts in (ours, theirs)]
    return RepeatedDifference(
        k,
        len(both),
        float(np.mean(some[1]) - np.mean(some[0])),
        paired_difference(some[0], some[1]),
        float(np.mean(every[1]) - np.mean(every[0])),
        paired_difference(every[0], every[1]),
    )


def _estimates(
    counts: Mapping[Task, tuple[int, int]],
    tasks: Sequence[Task],
    k: int,
    estimate: Callable[[int, int, int], float | None],
) -> list[float]:
    """Return an estimate of each task, all of which were tried k times."""
    return [float(estimate(*counts[task], k) or 0.0) for task in tasks]


def _counts(episodes: Iterable[Episode]) -> dict[Task, tuple[int, int]]:
    """Return task -> how often it was tried, and of these solved."""
    done = [episode for episode in episodes if episode.outcome == "finished"]
    tries = Counter(episode.task for episode in done)
    solved = Counter(episode.task for episode in done if episode.success)
    return {task: (tries[task], solved[task]) for task in tries}


def _check(tries: int, solved: int, k: int) -> None:
    if k < 1 or tries < 0 or not 0 <= solved <= tries:
        raise ValueError(f"k must be at least 1 and solved from 0 to tries, got k={k}, {solved} of {tries}")
