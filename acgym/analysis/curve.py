"""Dose and response: success of all agents along one argument of the environments, and where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from acgym.analysis.numbers import ALPHA, Comparison, Limit, Score
from acgym.analysis.result import POOLED, ComparisonResult
from acgym.statistics.paired import Interval, holm
from acgym.typed import Written, from_json
from acgym.types import Json

CURVE = "curve.json"
"""In the folder that holds a run for each value."""


@dataclass(frozen=True)
class Dose(Written):
    """One agent at one value."""

    value: Json
    n: int
    """Finished episodes."""
    success: float | None
    """None where nothing finished."""
    interval: Interval | None
    """95 %, of this point alone (pointwise): see :attr:`acgym.analysis.numbers.Score.success_interval`."""
    difference: float | None = None
    """other - dense on the same episodes; None of the dense agent."""
    difference_interval: Interval | None = None
    """95 %, pointwise."""
    p: float | None = None
    """Of the difference, as :attr:`acgym.analysis.numbers.Comparison.p`."""
    p_holm: float | None = None
    """Adjusted over all values and environments of an agent; of all environments together, or where there is one, over
    all values and agents."""
    limit: Limit | None = None
    """Why nothing can be said of a loss here."""

    @property
    def lost(self) -> bool:
        """Whether the corrected test shows a loss."""
        return self.p_holm is not None and self.p_holm < ALPHA and (self.difference or 0) < 0


@dataclass(frozen=True)
class AgentCurve(Written):
    """One agent along all values in one environment, or over all."""

    agent: str
    env: str
    doses: tuple[Dose, ...]
    """In the order in which the values were given."""
    knee: int | None = None
    """Index of the first value at which the corrected test shows a loss, if at no later value that can be measured the
    agent is as good as the dense one or better; None if that is nowhere so."""


@dataclass(frozen=True)
class DoseResponse(Written):
    """What ``curve.json`` holds."""

    argument: str
    values: tuple[Json, ...]
    dense: str
    curves: tuple[AgentCurve, ...]
    """Of the dense agent and the others, environment by environment, then of all together where there are several."""
    folders: tuple[str, ...] = ()
    """The run of each value, a folder beside this file."""
    version: int = 1
    more: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Json, where: str = CURVE) -> DoseResponse:
        """Read what was written.

        Raises:
            ValueError: naming the place that is not what it should be.
        """
        return from_json(cls, value, where)

    @property
    def envs(self) -> list[str]:
        """The labels: environments, and ``"all"`` where there are several."""
        return list(dict.fromkeys(curve.env for curve in self.curves))

    def of(self, env: str) -> list[AgentCurve]:
        """Return the agents' curves in one environment, the dense one first."""
        return [curve for curve in self.curves if curve.env == env]


_At: TypeAlias = tuple[str, str, int]


def dose_response(
    argument: str, values: Sequence[Json], results: Sequence[ComparisonResult], folders: Sequence[str] = ()
) -> DoseResponse:
    """Put comparisons along an axis: the same agents in the same environments, another value of one argument each.

    Args:
        argument: of the environments.
        values: of the argument, at least one.
        results: a comparison for each value.
        folders: names of their runs.

    Raises:
        ValueError: if the comparisons are not of the same agents and environments.
    """
    first = results[0]
    names = [agent.name for agent in first.agents]
    for result in results:
        if [agent.name for agent in result.agents] != names or result.labels != first.labels:
            raise ValueError("a curve needs the same agents and environments at each value")
    found: dict[_At, Comparison] = {}
    for i, result in enumerate(results):
        for agent in result.others:
            for env in first.labels:
                row = agent.comparison(env)
                if row is not None:
                    found[agent.name, env, i] = row
    adjusted = _adjusted(found, names[1:], first.labels)
    curves = []
    for env in first.labels:
        for name in names:
            doses = tuple(_dose(result, name, env, values[i], found.get((name, env, i)), adjusted.get((name, env, i)))
                          for i, result in enumerate(results))  # fmt: skip
            curves.append(AgentCurve(name, env, doses, knee_of(doses)))
    return DoseResponse(argument, tuple(values), first.dense, tuple(curves), tuple(folders))


def _adjusted(found: Mapping[_At, Comparison], names: Sequence[str], labels: Sequence[str]) -> dict[_At, float]:
    """Holm-adjust the p-values of each family of tests that stand together."""
    if len(labels) == 1:
        families = [list(found)]
    else:
        families = [[at for at in found if at[0] == name and at[1] != POOLED] for name in names]
        families.append([at for at in found if at[1] == POOLED])
    return {at: p for family in families for at, p in zip(family, holm([found[at].p for at in family]), strict=True)}


def _dose(
    result: ComparisonResult, name: str, env: str, value: Json, row: Comparison | None, p_holm: float | None
) -> Dose:
    score = next(agent for agent in result.agents if agent.name == name).scores.get(env)
    if not isinstance(score, Score):
        return Dose(value, 0, None, None)
    if row is None:
        return Dose(value, score.n, score.success, score.success_interval)
    return Dose(value, score.n, score.success, score.success_interval, row.success_difference, row.success_interval,
                row.p, p_holm, row.limit)  # fmt: skip


def knee_of(doses: Sequence[Dose]) -> int | None:
    """Find the first value from which on the agent is below the dense one."""
    for i, dose in enumerate(doses):
        later = [one for one in doses[i:] if one.limit is None and one.difference is not None]
        if dose.lost and all((one.difference or 0) < 0 for one in later):
            return i
    return None
