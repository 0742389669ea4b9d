"""Is a compressed agent no worse than a margin: yes, no, not yet known, or not to be measured here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from scipy import stats

from acgym.analysis.capabilities import Played
from acgym.analysis.numbers import ALPHA, FLOOR, NotMeasured
from acgym.analysis.until import FIRST_LOOK, first_of_tasks, gains_of, mean_gains
from acgym.record.episode import Episode
from acgym.record.pairing import pair, shared
from acgym.statistics.bootstrap import Floats
from acgym.statistics.cluster import Clusters, effective_number
from acgym.statistics.noninferiority import not_worse_p, pairs_to_tell, score_ps, worse_p
from acgym.statistics.paired import holm
from acgym.statistics.sequential import margin_ps, pairs_to_bet
from acgym.statistics.stratified import paired_score
from acgym.typed import Written

MarginVerdict: TypeAlias = Literal["yes", "no", "open", "cannot"]
Unmeasurable: TypeAlias = Literal["floor", "margin", "guess"]


@dataclass(frozen=True, slots=True)
class Equivalence(Written):
    """Whether an agent is worse than the dense one by a margin or more, in one environment or over several."""

    margin: float
    """In success, in (0, 1): 0.02 is two points."""
    verdict: MarginVerdict
    """``yes``, it is not worse by the margin; ``no``, it is worse by more than that; ``open``, these episodes do not
    tell; ``cannot``, they could not (see ``why``). By the adjusted p-values at 0.05, one-sided."""
    n: int
    """Pairs in which both finished."""
    p: float
    """Of the hypothesis that it is worse by the margin or more: :func:`acgym.statistics.noninferiority.not_worse_p`.
    Tasks that repeat and means over environments: of the score as a normal deviate. Where agents stop by themselves:
    :func:`acgym.statistics.sequential.margin_ps`."""
    p_worse: float
    """Of the hypothesis that it is worse by the margin at most, likewise."""
    p_holm: float | None = None
    """Adjusted (Holm) as the comparison's own p is: over the environments of an agent; of one environment alone, and of
    all together, over the agents; of capabilities, over both."""
    p_worse_holm: float | None = None
    further: int | None = None
    """Of an open one: about so many more pairs, in each environment, would tell with chance 0.8, if pairs went on to
    differ as they did. None where no number of interest would."""
    why: Unmeasurable | None = None
    """Why nothing can be measured: ``floor``, the dense agent solves under 5 %; ``margin``, it solves no more than the
    margin; ``guess``, no more than guessing does. (What a simple heuristic solves too can still be lost.)"""
    where: tuple[str, ...] = ()
    """The environments in which that is so."""


Row: TypeAlias = "dict[str, Equivalence | NotMeasured]"


@dataclass(frozen=True, slots=True)
class _Raw:
    """Tests that wait for their correction."""

    found: Equivalence
    lost: float
    """Share of pairs, the mean over environments."""
    won: float
    strata: int
    at_any_time: bool = field(default=False)


_Cell: TypeAlias = "_Raw | NotMeasured"
Key = TypeVar("Key")
"""Of what is tested: an agent, an environment, or a capability of an agent."""


def check_margin(margin: float | None) -> None:
    """Refuse a margin that is none.

    Raises:
        ValueError: outside (0, 1).
    """
    if margin is not None and not 0 < margin < 1:
        raise ValueError(f"a margin is a loss of success between 0 and 1, such as 0.02 for two points, got {margin}")


def equivalences(
    dense: Played, others: Mapping[str, Played], groups: Mapping[str, Sequence[str]], margin: float, together: str,
    until: bool = False,
) -> tuple[dict[str, Row], dict[str, Row]]:  # fmt: skip
    """Test each agent against the margin in each environment, in each capability and in all of them.

    Args:
        dense: environment -> episodes of the dense agent.
        others: agent -> environment -> its episodes.
        groups: capability -> its environments, of those that several measure.
        margin: in (0, 1).
        together: label of all environments together.
        until: the agents stopped by themselves; what is said must hold whenever they did.

    Returns:
        Agent -> environment or ``together`` -> what was found; agent -> capability -> likewise.
    """
    asked = {name: {env: shared(dense[env], rows[env]) if until else dense[env] for env in dense}
             for name, rows in others.items()}  # fmt: skip

    def tested(name: str, envs: Sequence[str]) -> _Cell:
        ours, theirs = ({env: rows[env] for env in envs} for rows in (asked[name], others[name]))
        return _tested(ours, theirs, margin, until)

    cells = {name: {env: tested(name, [env]) for env in dense} for name in others}
    rows: dict[str, Row] = {}
    if len(dense) > 1:
        rows = {name: _adjusted(row) for name, row in cells.items()}
        pooled = _adjusted({name: tested(name, list(dense)) for name in others})
    else:  # the one environment is all of them
        pooled = _adjusted({name: next(iter(row.values())) for name, row in cells.items()})
        rows = {name: dict.fromkeys(row, pooled[name]) for name, row in cells.items()}
    for name, row in rows.items():
        row[together] = pooled[name]
    flat = _adjusted({(name, group): tested(name, envs) for name in others for group, envs in groups.items()})
    return rows, {name: {group: flat[name, group] for group in groups} for name in others}


def _adjusted(cells: Mapping[Key, _Cell]) -> dict[Key, Equivalence | NotMeasured]:
    """Correct tests that stand together, and say what they say."""
    raw = {key: cell for key, cell in cells.items() if isinstance(cell, _Raw)}
    better, worse = (holm([getattr(cell.found, side) for cell in raw.values()]) for side in ("p", "p_worse"))
    said = {key: _said(cell, p, q, len(raw)) for (key, cell), p, q in zip(raw.items(), better, worse, strict=True)}
    return {key: said[key] if isinstance(cell, _Raw) else cell for key, cell in cells.items()}


def _said(cell: _Raw, p: float, p_worse: float, tests: int) -> Equivalence:
    found = replace(cell.found, p_holm=p, p_worse_holm=p_worse)
    if p_worse < ALPHA:
        return replace(found, verdict="no", why=None, where=())
    if found.why is not None:
        return replace(found, verdict="cannot")
    if p < ALPHA:
        return replace(found, verdict="yes")
    level = ALPHA / tests
    if cell.at_any_time:
        needed = pairs_to_bet(cell.lost, cell.won, found.margin, level)
    else:
        needed = pairs_to_tell(cell.lost, cell.won, found.margin, alpha=level, strata=cell.strata)
    each = found.n // cell.strata
    return replace(found, further=None if needed is None else max(FIRST_LOOK, needed - each))


def _tested(
    dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], margin: float, until: bool
) -> _Cell:
    """Test one agent over some environments, without a correction."""
    pairs = {env: [(a, b) for a, b in pair(dense[env], other[env]) if a.outcome == b.outcome == "finished"]
             for env in dense}  # fmt: skip
    lacking = [env for env, rows in pairs.items() if not rows]
    if lacking:
        return NotMeasured(f"no finished pair of episodes in {', '.join(lacking)}")
    gains = {env: np.array([float(bool(b.success)) - float(bool(a.success)) for a, b in rows])
             for env, rows in pairs.items()}  # fmt: skip
    lost, won = (fmean(float((gain == sign).mean()) for gain in gains.values()) for sign in (-1, 1))
    if until:
        values = list(gains_of(*next(zip(dense.values(), other.values(), strict=True))).values())
        seen = first_of_tasks(values if len(dense) == 1 else mean_gains(dense, other))
        p, p_worse = margin_ps([success for success, _ in seen], margin)
    else:
        p, p_worse = _ps([(gain, [a.task for a, _ in pairs[env]]) for env, gain in gains.items()], margin)
    blind = {env: why for env, rows in pairs.items() if (why := unmeasurable([a for a, _ in rows], margin))}
    found = Equivalence(margin, "open", sum(map(len, pairs.values())), p, p_worse,
                        why=next(iter(blind.values()), None), where=tuple(blind))  # fmt: skip
    return _Raw(found, lost, won, len(pairs), until)


def _ps(gains: Sequence[tuple[Floats, Sequence[Hashable]]], margin: float) -> tuple[float, float]:
    """Test gains in success, with the task of each, of one environment or of several."""
    counts = []
    for gain, tasks in gains:
        clusters = Clusters.of(gain, tasks)
        n = float(len(gain)) if clusters.single else effective_number(gain, clusters)
        share = n / len(gain)
        counts.append((float((gain < 0).sum()) * share, float((gain > 0).sum()) * share, n))
    if len(counts) > 1:
        lost, won, pairs = (np.array(column) for column in zip(*counts, strict=True))
        z = paired_score(lost, won, pairs, -margin)
        return float(stats.norm.sf(z)), float(stats.norm.cdf(z))
    [(only_dense, only_other, total)] = counts
    if total < len(gains[0][0]):
        return score_ps(only_dense, only_other, total, margin)
    whole = int(only_dense), int(only_other), int(total)
    return not_worse_p(*whole, margin), worse_p(*whole, margin)


def unmeasurable(dense: Sequence[Episode], margin: float) -> Unmeasurable | None:
    """Say why no loss of interest can be measured on these episodes of the dense agent; None where one can."""
    solved = fmean(bool(episode.success) for episode in dense)
    if solved < FLOOR:
        return "floor"
    if solved <= margin:
        return "margin"
    guessed = [episode.random_success for episode in dense if episode.random_success is not None]
    return "guess" if len(guessed) == len(dense) and solved <= fmean(guessed) else None
