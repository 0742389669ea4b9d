"""What a comparison tells of divergence: where pairs first differ, what came of it, and how the lost ones were lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from acgym.analysis.divergence import FirstDifference, first_difference
from acgym.analysis.failure import CLASSES, Failure, classify
from acgym.record.episode import Episode
from acgym.record.pairing import pair
from acgym.types import Json


@dataclass(frozen=True, slots=True)
class _Pair:
    """What became of one pair in which both finished."""

    solved: bool
    """By the dense agent."""
    difference: FirstDifference | None
    failure: Failure | None
    """Of the other agent."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs of one environment, or why they cannot be compared."""

    done: Sequence[_Pair]
    n_failed: int
    reason: str | None = None


def summarise_all(
    dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], together: str
) -> dict[str, Json]:
    """Summarise one agent's divergence from the dense one in each environment and in all of them.

    Args:
        dense: environment -> the dense agent's episodes.
        other: environment -> the other agent's, of the same tasks.
        together: key of all environments together.

    Returns:
        environment, or ``together`` -> what :func:`summarise` says of it.
    """
    found = {env: _look(dense[env], other[env]) for env in dense}
    failed = sum(pairs.n_failed for pairs in found.values())
    reason = next((pairs.reason for pairs in found.values() if pairs.reason is not None), None)
    pooled = _Pairs([one for pairs in found.values() for one in pairs.done], failed, reason)
    return {env: _summary(pairs) for env, pairs in {**found, together: pooled}.items()}


def summarise(dense: Sequence[Episode], other: Sequence[Episode]) -> dict[str, Json]:
    """Summarise one agent's divergence from the dense one in one environment or several.

    Args:
        dense: the dense agent's episodes.
        other: the other agent's, of the same tasks.

    Returns:
        JSON; counts are of pairs in which both finished, turns count from 0.

        * ``n`` pairs, of these ``same`` (word for word), ``reworded`` (other words, same decisions), ``diverged``
          (another decision at some turn); ``n_failed`` pairs left out.
        * of the diverged: ``lost`` (only the dense agent solved it), ``won`` (only the other), ``kept`` (both);
          the rest neither solved.
        * ``turns``: rows ``{"turn", "diverged", "lost", "won", "kept"}`` by the turn of the first other decision.
        * ``first_token``: ``{"n", "median"}`` of the first differing token of a reply, over the ``n`` pairs that have
          one; None if none has.
        * ``lost_classes``: how the lost pairs were lost, class -> count, all of :data:`acgym.analysis.failure.CLASSES`
          and the error kinds that no environment states a class for;
          ``lost_turns``: rows ``{"turn", "class", "lost"}`` by the turn that the class points at.
        * ``unsolved_classes``: the same of all episodes that the other agent did not solve.
        * or ``{"reason", "n": 0, "n_failed"}`` where no pair finished, or the runs are of different versions of the
          environment.
    """
    return _summary(_look(dense, other))


def _look(dense: Sequence[Episode], other: Sequence[Episode]) -> _Pairs:
    """Look at every pair once."""
    pairs = pair(dense, other)
    done = [(a, b) for a, b in pairs if a.outcome == b.outcome == "finished"]
    failed = len(pairs) - len(done)
    try:
        return _Pairs([_Pair(bool(a.success), first_difference(a, b), classify(b, a)) for a, b in done], failed)
    except ValueError as why:
        return _Pairs([], failed, str(why))


def _summary(pairs: _Pairs) -> dict[str, Json]:
    done, failed = pairs.done, pairs.n_failed
    if pairs.reason is not None or not done:
        why = pairs.reason or "no pair in which both agents finished"
        return {"reason": why, "n": 0, "n_failed": failed}
    found = [one.difference for one in done if one.difference is not None]
    apart = [difference for difference in found if difference.decision_turn is not None]
    lost = [one.failure for one in done if one.failure is not None and one.solved]
    tokens = [difference.token for difference in found if difference.token is not None]
    return {
        "n": len(done),
        "n_failed": failed,
        "same": len(done) - len(found),
        "reworded": len(found) - len(apart),
        "diverged": len(apart),
        **_outcomes(apart),
        "turns": _by_turn(apart),
        "first_token": {"n": len(tokens), "median": float(median(tokens))} if tokens else None,
        "lost_classes": _counts(lost),
        "lost_turns": _class_turns(lost),
        "unsolved_classes": _counts([one.failure for one in done if one.failure is not None]),
    }


def _outcomes(differences: Sequence[FirstDifference]) -> dict[str, int]:
    return {name: sum(getattr(difference, name) for difference in differences) for name in ("lost", "won", "kept")}


def _by_turn(differences: Sequence[FirstDifference]) -> list[dict[str, int]]:
    turns: dict[int, list[FirstDifference]] = {}
    for difference in differences:
        if difference.decision_turn is not None:
            turns.setdefault(difference.decision_turn, []).append(difference)
    return [{"turn": turn, "diverged": len(rows), **_outcomes(rows)} for turn, rows in sorted(turns.items())]


def _counts(failures: Sequence[Failure]) -> dict[str, int]:
    counts = Counter(failure.kind for failure in failures)
    return {name: counts[name] for name in (*CLASSES, *sorted(counts.keys() - set(CLASSES)))}


def _class_turns(failures: Sequence[Failure]) -> list[dict[str, Json]]:
    counts = Counter((failure.turn, failure.kind) for failure in failures)
    return [{"turn": turn, "class": kind, "lost": n} for (turn, kind), n in sorted(counts.items())]
