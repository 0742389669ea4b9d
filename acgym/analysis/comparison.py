"""From a run's records to a comparison's numbers: no model, no environment, so old runs can be scored again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Literal, TypeAlias

from acgym.analysis.capabilities import Played, capability_comparisons, capability_groups, capability_scores
from acgym.analysis.degenerate import degenerate
from acgym.analysis.divergence_summary import summarise_all
from acgym.analysis.equivalence import Row, check_margin, equivalences
from acgym.analysis.handoff import handoff_section
from acgym.analysis.inflation import inflations
from acgym.analysis.numbers import Comparison, NotMeasured, Score
from acgym.analysis.proxy import prediction
from acgym.analysis.result import POOLED, VERSION, AgentResult, ComparisonResult
from acgym.analysis.score import NoEpisodes, adjusted, compare_all, score
from acgym.analysis.together import compare_together, score_together
from acgym.analysis.until import at_any_time, look, look_pooled
from acgym.record.pairing import shared
from acgym.record.sheet import Sheet, SignalNumbers
from acgym.typed import from_json, to_json
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.record.episode import Episode
    from acgym.record.run import Run

_Row: TypeAlias = dict[str, "Comparison | NotMeasured"]


def assemble_result(run: Run, margin: float | None = None) -> ComparisonResult:
    """Score every agent of a run and compare it with the first one.

    Each comparison of one environment has p-values adjusted over the environments (Holm), that of all environments
    together (:mod:`acgym.analysis.together`) over the agents; where there is one environment only, that one is all of
    them, and adjusted so too. Of a run that stops by itself (``settings.until``) intervals and p-values are
    anytime-valid, see :func:`acgym.analysis.until.at_any_time`.

    Args:
        run: in which every agent has played every episode of the settings.
        margin: loss of success, in (0, 1), of which is asked whether it was reached
            (:mod:`acgym.analysis.equivalence`); None to ask nothing.

    Raises:
        ValueError: for a margin outside (0, 1); if the agents have not played the same episodes, or a data sheet is
            damaged.
    """
    check_margin(margin)
    names, envs = run.settings["agents"], run.settings["envs"]
    played = {name: _by_env(envs, run.episodes(name)) for name in names}
    dense = played[names[0]]
    rows = _compared_with_first(dense, {name: played[name] for name in names[1:]}, run.settings.get("until"))
    groups = capability_groups(dense)
    alike = run.settings.get("until") is None  # agents that stop by themselves have not played the same episodes
    compared = capability_comparisons(dense, {name: played[name] for name in names[1:]}, groups if alike else {})
    equal = _equivalent(dense, {name: played[name] for name in names[1:]}, groups if alike else {}, margin, not alike)
    agents = [
        replace(
            _agent(run, name, dense, played[name], rows.get(name, {})),
            capability_scores=capability_scores(played[name], groups),
            capability_comparisons=compared.get(name, {}),
            equivalence=equal[0].get(name),
            capability_equivalence=equal[1].get(name),
        )
        for name in names
    ]
    found = prediction(run, agents, {name: _flat(played[name]) for name in names})
    return ComparisonResult.from_json(
        {
            "version": VERSION,
            "settings": dict(run.settings),
            "dense": names[0],
            "noise_floor": next((agent.name for agent in agents[1:] if _is_rerun(agent, names[0])), None),
            "prediction": found,
            **({} if margin is None else {"margin": margin}),
            "capabilities": {name: list(envs) for name, envs in groups.items()},
            "anchors": {env: _anchor(episodes, "random") for env, episodes in dense.items()},
            "heuristic_anchors": {env: _anchor(episodes, "heuristic") for env, episodes in dense.items()},
            "agents": [agent.to_json() for agent in agents],
        }
    )


def _equivalent(
    dense: Played, others: Mapping[str, Played], groups: Mapping[str, Sequence[str]], margin: float | None, until: bool
) -> tuple[Mapping[str, Row], Mapping[str, Row]]:
    if margin is None:
        return {}, {}
    rows, means = equivalences(dense, others, groups, margin, POOLED, until)
    return rows, means if groups else {}


def _compared_with_first(
    dense: Mapping[str, Sequence[Episode]],
    others: Mapping[str, Mapping[str, Sequence[Episode]]],
    until: float | None,
) -> dict[str, _Row]:
    """Compare agents with the dense one, in each environment and in all of them together."""
    asked = {name: _asked(dense, other, until) for name, other in others.items()}
    rows: dict[str, _Row] = {}
    for name, other in others.items():
        compared = compare_all(asked[name], {name: other})[name]
        rows[name] = {env: _measured(cell, asked[name][env], other[env]) for env, cell in compared.items()}
        if until is not None:
            looks = look(asked[name], other, until)
            rows[name] = {env: at_any_time(row, looks.get(env)) for env, row in rows[name].items()}
    together = _adjusted_over_agents({name: _together(asked[name], other, until) for name, other in others.items()})
    for name, row in rows.items():
        pooled = together[name]
        if len(row) == 1:  # what is not measured keeps its own reason
            [pooled] = [one if isinstance(one, NotMeasured) else pooled for one in row.values()]
            row.update(dict.fromkeys(row, pooled))
        row[POOLED] = pooled
    return rows


def _asked(
    dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], until: float | None
) -> Mapping[str, Sequence[Episode]]:
    """Return the dense episodes that the other agent was asked to play too: all, unless it may stop by itself."""
    return dense if until is None else {env: shared(dense[env], other[env]) for env in dense}


def _together(
    dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], until: float | None
) -> Comparison | NotMeasured:
    try:
        row: Comparison | NotMeasured = compare_together(dense, other)
    except NoEpisodes as why:
        return NotMeasured(str(why), n_failed=sum(max(len(dense[env]), len(other[env])) for env in dense))
    return row if until is None else at_any_time(row, look_pooled(dense, other, until))


def _adjusted_over_agents(rows: Mapping[str, Comparison | NotMeasured]) -> _Row:
    """Holm-adjust the p-values of all environments together over the agents."""
    measured = {name: row for name, row in rows.items() if isinstance(row, Comparison)}
    return {**rows, **{name: row for name, row in adjusted(measured).items() if isinstance(row, Comparison)}}


def _agent(
    run: Run, name: str, dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], row: _Row
) -> AgentResult:
    """Score one agent, and lay what it is compared by beside that."""
    envs, until = run.settings["envs"], run.settings.get("until")
    sheet = Sheet.read(run, name)
    found = AgentResult(
        name=name,
        sheet=sheet,
        scores={**{env: _score(episodes) for env, episodes in other.items()}, POOLED: _score_all(other)},
        comparisons=row,
        signals=_signals(sheet, envs),
        degenerate={**{env: degenerate(rows) for env, rows in other.items()}, POOLED: degenerate(_flat(other))},
    )
    if name == run.settings["agents"][0]:
        return found
    ours = _asked(dense, other, until)
    more = {
        "inflation": to_json(inflations(ours, other, POOLED)),
        "divergence": summarise_all(ours, other, POOLED),
        "handoff": handoff_section(run, name, _flat(ours), _flat(other)),
    }
    return from_json(AgentResult, {**found.to_json(), **more})


def _is_rerun(agent: AgentResult, dense: str) -> bool:
    """Say whether an agent is the dense one played again."""
    return agent.sheet.rerun is not None and agent.name.startswith(f"{dense}@")


def _by_env(envs: Mapping[str, Json], episodes: Sequence[Episode]) -> dict[str, list[Episode]]:
    """Sort episodes by environment and seed: no figure may depend on which of them ended first."""
    rows = sorted(episodes, key=lambda episode: episode.seed)
    return {env: [episode for episode in rows if episode.env == env] for env in envs}


def _flat(by_env: Mapping[str, Sequence[Episode]]) -> list[Episode]:
    return [episode for rows in by_env.values() for episode in rows]


def _score(episodes: Sequence[Episode]) -> Score | NotMeasured:
    try:
        return score(episodes)
    except NoEpisodes as why:
        return NotMeasured(str(why), n_failed=len(episodes))


def _score_all(by_env: Mapping[str, Sequence[Episode]]) -> Score | NotMeasured:
    try:
        return score_together(by_env)
    except NoEpisodes as why:
        return NotMeasured(str(why), n_failed=sum(map(len, by_env.values())))


def _measured(
    cell: Comparison | NoEpisodes, dense: Sequence[Episode], other: Sequence[Episode]
) -> Comparison | NotMeasured:
    if isinstance(cell, NoEpisodes):
        return NotMeasured(str(cell), n_failed=max(len(dense), len(other)))
    return cell


def _anchor(episodes: Sequence[Episode], policy: Literal["random", "heuristic"]) -> dict[str, float] | None:
    """Return what the random policy or the heuristic scores on these tasks; None where it is not stated for all."""
    stated = [(getattr(e, f"{policy}_success"), getattr(e, f"{policy}_progress")) for e in episodes]
    success, progress = ([value for value in column if value is not None] for column in zip(*stated, strict=True))
    if len(success) < len(stated) or len(progress) < len(stated):
        return None
    return {"success": fmean(success), "progress": fmean(progress)}


def _signals(sheet: Sheet, envs: Mapping[str, Json]) -> dict[str, SignalNumbers | None]:
    """Return the signals of each environment, and the mean of them where all were measured."""
    rows = {env: sheet.signals_of(env) for env in envs}
    known = [numbers.to_json() for numbers in rows.values() if numbers is not None]
    return {**rows, POOLED: from_json(SignalNumbers, _mean(known)) if len(known) == len(rows) else None}


def _mean(values: Sequence[Json]) -> Json:
    """Average numbers, and dictionaries of numbers key by key; None if one of them is None."""
    if any(value is None for value in values):
        return None
    if isinstance(values[0], Mapping):
        return {key: _mean([value[key] for value in values]) for key in values[0]}
    return fmean(values)
