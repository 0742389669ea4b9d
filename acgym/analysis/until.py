"""When a comparison that is played in batches may stop, and what it may then say: a pure function of its episodes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TypeAlias

from acgym.analysis.numbers import Comparison, InterimLook, NotMeasured, Verdict
from acgym.record.episode import Episode
from acgym.record.pairing import pair
from acgym.statistics.paired import Interval, holm
from acgym.statistics.sequential import confidence_sequence, sequential_p

Gain: TypeAlias = tuple[Hashable, float, float]
"""Of one pair: its task, and other - dense in success and in progress."""

FIRST_LOOK = 25
"""Episodes of the first batch; as many as are probed, so that later batches leave the probed tokens as they are."""
GROWTH = 1.25
"""Each look has at least this many times the episodes of the look before: few looks, and few episodes too many."""
CONFIDENCE = 0.95
"""Chance that all environments' success intervals of one agent hold, whenever it stopped."""


def looks(limit: int) -> list[int]:
    """Return after how many episodes to look: 25, 50, 75, 100, 125, 157, ..., at last ``limit``."""
    found = [min(FIRST_LOOK, limit)]
    while found[-1] < limit:
        found.append(min(limit, max(found[-1] + FIRST_LOOK, math.ceil(found[-1] * GROWTH))))
    return found


def look(
    dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], until: float
) -> dict[str, InterimLook]:
    """Look at the episodes that two agents have played so far.

    The level is kept however often this is called, with more episodes each time, and whatever is decided by it. The
    values are taken by rising seed, not in the order of finishing: long episodes finish late and may be the bad ones.

    Args:
        dense: environment -> episodes of the dense agent.
        other: environment -> episodes of the other agent, the same seeds.
        until: half-width of the success interval at which it is narrow enough, in (0, 1).

    Returns:
        environment -> what it shows; environments in which no pair finished are missing.

    Raises:
        ValueError: when one run lacks an episode that the other has.
    """
    confidence = 1 - (1 - CONFIDENCE) / len(dense)
    gains = {env: gains_of(dense[env], other[env]) for env in dense}
    found = {env: _look(list(rows.values()), confidence, until) for env, rows in gains.items() if rows}
    adjusted = dict(zip(found, holm([seen.p for seen in found.values()]), strict=True))
    return {env: replace(seen, p_holm=adjusted[env]) for env, seen in found.items()}


def look_pooled(
    dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], until: float
) -> InterimLook | None:
    """Look at the plain mean of the environments' differences: for each seed one value, the mean over environments.

    Args:
        dense: environment -> episodes of the dense agent, the same seeds in each environment.
        other: environment -> episodes of the other agent.
        until: as in :func:`look`; only for the verdict.

    Returns:
        What it shows, ``n`` and ``tasks`` counting seeds; None if no seed was finished in every environment.
    """
    values = mean_gains(dense, other)
    return _look(values, CONFIDENCE, until) if values else None


def mean_gains(dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]]) -> list[Gain]:
    """Return the mean over environments of each seed's gains, by rising seed; of seeds that finished in every one."""
    gains = [gains_of(dense[env], other[env]) for env in dense]
    seeds = sorted(set(gains[0]).intersection(*gains[1:]))
    rows = [tuple(zip(*(columns[seed] for columns in gains), strict=True)) for seed in seeds]
    return [(tasks, fmean(success), fmean(progress)) for tasks, success, progress in rows]


def may_stop(found: Mapping[str, InterimLook]) -> bool:
    """Say whether nothing is open any more; also when nothing finished, since more of that would not help."""
    return all(seen.verdict != "open" for seen in found.values())


def at_any_time(row: Comparison | NotMeasured, seen: InterimLook | None) -> Comparison | NotMeasured:
    """Put what holds whenever one stops into a comparison, in place of what holds for a fixed number of episodes.

    Args:
        row: the comparison of the same episodes.
        seen: what they show.

    Returns:
        The comparison with the intervals and p-values of ``seen``, ``detectable_drop`` and mid-p None, and ``anytime``,
        all of ``seen``; where the episodes fit no one mean, the reason instead of numbers.
    """
    if isinstance(row, NotMeasured) or seen is None:
        return row
    if seen.success_interval is None or seen.progress_interval is None:
        why = "no one mean fits all episodes: what is compared seems to have changed on the way"
        return NotMeasured(why, n_failed=row.n_failed)
    return replace(
        row,
        success_interval=seen.success_interval,
        progress_interval=seen.progress_interval,
        p=seen.p,
        p_holm=seen.p_holm,
        p_mid=None,  # this and the next two hold for a number of episodes fixed beforehand
        p_mid_holm=None,
        detectable_drop=None,
        anytime=seen,
    )


def gains_of(dense: Sequence[Episode], other: Sequence[Episode]) -> dict[int, Gain]:
    """Return seed -> (task, gain in success, gain in progress) of the pairs that both finished, by rising seed."""
    done = [(a, b) for a, b in pair(dense, other) if a.outcome == b.outcome == "finished"]
    return {
        a.seed: (
            a.task_hash,
            float(bool(b.success)) - float(bool(a.success)),
            float(b.progress or 0.0) - float(a.progress or 0.0),
        )
        for a, b in sorted(done, key=lambda both: both[0].seed)
    }


def _look(gains: Sequence[Gain], confidence: float, until: float) -> InterimLook:
    """Look at gains in the order given."""
    first = first_of_tasks(gains)
    successes, progresses = (list(column) for column in zip(*first, strict=True))
    interval = confidence_sequence(successes, confidence)
    return InterimLook(
        n=len(gains),
        tasks=len(first),
        confidence=confidence,
        success_interval=interval,
        progress_interval=confidence_sequence(progresses, confidence),
        p=sequential_p(successes),
        p_holm=None,
        verdict=_verdict(interval, until),
    )


def first_of_tasks(gains: Sequence[Gain]) -> list[tuple[float, float]]:
    """Return gains in success and in progress in the order given; of a repeated task only the first counts."""
    first: dict[Hashable, tuple[float, float]] = {}
    for task, success, progress in gains:
        first.setdefault(task, (success, progress))
    return list(first.values())


def _verdict(interval: Interval | None, until: float) -> Verdict:
    if interval is None:
        return "drift"
    if interval.high < 0:
        return "loss"
    if interval.low > 0:
        return "gain"
    return "narrow" if (interval.high - interval.low) / 2 <= until else "open"
