"""Does a compressed agent say more: tokens, turns and thinking against the dense agent's, and what a solved task costs.

A model that was compressed may solve as much and still cost more, because it takes longer to say it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from acgym.analysis.capabilities import Played
from acgym.analysis.numbers import NotMeasured
from acgym.record.episode import Episode
from acgym.record.pairing import pair
from acgym.statistics.paired import Interval
from acgym.statistics.ratio import paired_ratio
from acgym.typed import Written

OPENED, CLOSED = "<think>", "</think>"
"""What stands around thinking in a reply; where the prompt opened it, only the second."""


@dataclass(frozen=True, slots=True)
class Ratio(Written):
    """How many times the dense agent's total the other one's is."""

    value: float
    interval: Interval | None = None
    """95 %, :func:`acgym.statistics.ratio.paired_ratio`; None where fewer than 20 tasks tell anything of it."""


@dataclass(frozen=True, slots=True)
class Inflation(Written):
    """What one agent said against the dense one, on the pairs in which both finished. None was not measured."""

    n: int
    turns: Ratio | None
    tokens: Ratio | None
    """Of generated tokens; None if an agent's tokens are not known."""
    both_solved: int
    """Pairs that both solved."""
    tokens_both_solved: Ratio | None
    """On these pairs alone: neither giving up early nor going astray is in it."""
    dense_tokens_per_solved: float | None
    """All tokens that the dense agent generated over the episodes that it solved; None if it solved none."""
    tokens_per_solved: float | None
    """The same of the other agent: what a solved task costs, the failed attempts included."""
    per_solved: Ratio | None
    """The second over the first."""
    thinking: Ratio | None = field(default=None, metadata={"optional": True})
    """Of letters of thinking (between <think> and </think>); None where nobody thought."""


def inflations(dense: Played, other: Played, together: str) -> dict[str, Inflation | NotMeasured]:
    """Compare what two agents said, in each environment and, as sums over all pairs, in all of them."""
    pairs = {env: [(a, b) for a, b in pair(dense[env], other[env]) if a.outcome == b.outcome == "finished"]
             for env in dense}  # fmt: skip
    everything = [both for rows in pairs.values() for both in rows]
    return {label: inflation(rows) for label, rows in {**pairs, together: everything}.items()}


def inflation(pairs: Sequence[tuple[Episode, Episode]]) -> Inflation | NotMeasured:
    """Compare what two agents said on pairs of finished episodes."""
    if not pairs:
        return NotMeasured("no finished pair of episodes")
    both = [(a, b) for a, b in pairs if a.success and b.success]
    spent = [(tokens(a), tokens(b)) for a, b in pairs]
    known = all(count is not None for row in spent for count in row)
    totals = [sum(row[side] or 0 for row in spent) for side in (0, 1)]
    solved = [sum(bool(row[side].success) for row in pairs) for side in (0, 1)]
    costs = [totals[side] / solved[side] if known and solved[side] else None for side in (0, 1)]
    return Inflation(
        n=len(pairs),
        turns=_ratio(pairs, lambda episode: len(episode.turns)),
        tokens=_ratio(pairs, tokens) if known else None,
        both_solved=len(both),
        tokens_both_solved=_ratio(both, tokens) if known else None,
        dense_tokens_per_solved=costs[0],
        tokens_per_solved=costs[1],
        per_solved=_ratio(pairs, tokens, per_solved=True) if known else None,
        thinking=_ratio(pairs, lambda episode: sum(thought(turn.text) for turn in episode.turns)),
    )


def tokens(episode: Episode) -> int | None:
    """Count the tokens that an agent generated; None if they are not all known."""
    counts = [None if turn.token_ids is None else len(turn.token_ids) for turn in episode.turns]
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def thought(text: str) -> int:
    """Count the letters of thinking in a reply; what was opened and never closed is all thinking."""
    start, end = text.find(OPENED), text.rfind(CLOSED)
    if start < 0 and end < 0:
        return 0
    begin = 0 if start < 0 or 0 <= end < start else start + len(OPENED)
    return (len(text) if end < begin else end) - begin


def _ratio(
    pairs: Sequence[tuple[Episode, Episode]], of: Callable[[Episode], float | None], per_solved: bool = False
) -> Ratio | None:
    """Return a ratio of totals; None where one of them is 0."""
    ours, theirs = ([float(of(row[side]) or 0) for row in pairs] for side in (0, 1))
    per = None
    if per_solved:
        per = tuple([float(bool(row[side].success)) for row in pairs] for side in (0, 1))
    try:
        return Ratio(*paired_ratio(ours, theirs, [a.task for a, _ in pairs], per))  # type: ignore[arg-type]
    except ValueError:  # a total of 0
        return None
