"""From a run's records to a comparison's numbers: no model, no environment, so old runs can be scored again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from acgym.analysis.divergence_summary import summarise_all
from acgym.analysis.handoff import handoff_section
from acgym.analysis.proxy import prediction
from acgym.analysis.score import Comparison, NoEpisodes, compare, compare_all, score
from acgym.analysis.until import at_any_time, look, look_pooled
from acgym.record.pairing import shared
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.record.episode import Episode
    from acgym.record.run import Run

POOLED = "all"
"""Label of what is told of all environments together."""


def assemble_result(run: Run) -> dict[str, Json]:
    """Score every agent of a run and compare it with the first one.

    Args:
        run: in which every agent has played every episode of the settings.

    Returns:
        The content of ``comparison.json``. What was not measured is None or ``{"reason": why}``, never a number.

        * ``settings``: of the run, see :class:`acgym.compare.settings.Settings`; ``dense``: the first agent's spec;
          ``noise_floor``: the name of the agent that is the first one played again, None if there is none;
          ``prediction``: whether the signals predicted what was lost (:func:`acgym.analysis.proxy.prediction`).
        * ``anchors``: environment -> ``{"success", "progress"}`` of the random policy as the environment states them,
          in [0, 1]; None if it states none. ``heuristic_anchors``: the same of the best simple heuristic.
        * ``agents``: in the order of the settings, each with ``name``; ``sheet``, its ``agent.json`` (model, size,
          seconds); and, by environment and under ``"all"``: ``scores`` (:class:`acgym.analysis.score.Score`),
          ``comparisons`` with the first agent (:class:`acgym.analysis.score.Comparison` without its divergences; empty
          for the first agent itself; ``p_holm`` and ``p_mid_holm`` are adjusted over the environments and None under
          ``"all"``) and ``signals``
          (:class:`acgym.probe.signals.Signals`; under ``"all"`` the plain mean over the environments, which for
          effective ranks is not the rank of the pooled states); and ``divergence`` from the first agent by environment
          and under ``"all"`` (:func:`acgym.analysis.divergence_summary.summarise`; empty for the first agent itself);
          ``handoff`` (:func:`acgym.analysis.handoff.handoff_section`), None where none were played.
        * Of a run that stops by itself (``settings.until``), intervals and p-values are anytime-valid, and each
          comparison has ``anytime``, see :func:`acgym.analysis.until.at_any_time`.
        * A score's or comparison's ``reason`` comes with ``n`` = 0 and ``n_failed``.

    Raises:
        ValueError: if the agents have not played the same episodes.
    """
    names, envs = run.settings["agents"], run.settings["envs"]
    played = {name: _by_env(envs, run.episodes(name)) for name in names}
    dense = played[names[0]]
    agents = [_agent(run, name, dense, played[name]) for name in names]
    anchors = {env: _anchor(episodes, "random") for env, episodes in dense.items()}
    heuristics = {env: _anchor(episodes, "heuristic") for env, episodes in dense.items()}
    return {
        "settings": dict(run.settings),
        "dense": names[0],
        "noise_floor": next((agent["name"] for agent in agents[1:] if _is_rerun(agent, names[0])), None),
        "prediction": prediction(run, agents, {name: _flat(played[name]) for name in names}),
        "anchors": anchors,
        "heuristic_anchors": heuristics,
        "agents": agents,
    }


def _agent(
    run: Run, name: str, dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]]
) -> dict[str, Json]:
    """Score one agent and compare it with the dense one, if it is another."""
    envs, until = run.settings["envs"], run.settings.get("until")
    sheet = run.read_json("agent.json", name) or {}
    row: dict[str, Json] = {
        "name": name,
        "sheet": sheet,
        "scores": {env: _score(episodes) for env, episodes in {**other, POOLED: _flat(other)}.items()},
        "comparisons": {},
        "signals": _signals(sheet, envs),
        "divergence": {},
        "handoff": None,
    }
    if name == run.settings["agents"][0]:
        return row
    ours = dense if until is None else {env: shared(dense[env], other[env]) for env in envs}
    return {
        **row,
        "comparisons": _comparisons(name, ours, other, until),
        "divergence": summarise_all(ours, other, POOLED),
        "handoff": handoff_section(run, name, _flat(ours), _flat(other)),
    }


def _is_rerun(agent: Mapping[str, Json], dense: str) -> bool:
    """Say whether an agent is the dense one played again."""
    return "rerun" in agent["sheet"] and str(agent["name"]).startswith(f"{dense}@")


def _by_env(envs: Mapping[str, Json], episodes: Sequence[Episode]) -> dict[str, list[Episode]]:
    """Sort episodes by environment and seed: no figure may depend on which of them ended first."""
    rows = sorted(episodes, key=lambda episode: episode.seed)
    return {env: [episode for episode in rows if episode.env == env] for env in envs}


def _flat(by_env: Mapping[str, Sequence[Episode]]) -> list[Episode]:
    return [episode for rows in by_env.values() for episode in rows]


def _score(episodes: Sequence[Episode]) -> dict[str, Json]:
    try:
        return score(episodes).to_dict()
    except NoEpisodes as why:
        return {"reason": str(why), "n": 0, "n_failed": len(episodes)}


def _comparisons(
    name: str, dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]], until: float | None
) -> dict[str, Json]:
    """Compare an agent with the dense one in each environment and in all together."""
    compared = compare_all(dense, {name: other})[name]
    rows = {env: _cell(cell, dense[env], other[env]) for env, cell in compared.items()}
    rows[POOLED] = _compare(_flat(dense), _flat(other))
    if until is not None:
        looks = {**look(dense, other, until), POOLED: look_pooled(dense, other, until)}
        rows = {env: at_any_time(row, looks.get(env)) for env, row in rows.items()}
    return rows


def _compare(dense: Sequence[Episode], other: Sequence[Episode]) -> dict[str, Json]:
    try:
        return _cell(compare(dense, other), dense, other)
    except NoEpisodes as why:
        return _cell(why, dense, other)


def _cell(cell: Comparison | NoEpisodes, dense: Sequence[Episode], other: Sequence[Episode]) -> dict[str, Json]:
    if isinstance(cell, NoEpisodes):
        return {"reason": str(cell), "n": 0, "n_failed": max(len(dense), len(other))}
    return cell.to_dict(divergences=False)


def _anchor(episodes: Sequence[Episode], policy: Literal["random", "heuristic"]) -> dict[str, float] | None:
    """Return what the random policy or the heuristic scores on these tasks; None where it is not stated for all."""
    stated = [(getattr(e, f"{policy}_success"), getattr(e, f"{policy}_progress")) for e in episodes]
    success, progress = ([value for value in column if value is not None] for column in zip(*stated, strict=True))
    if len(success) < len(stated) or len(progress) < len(stated):
        return None
    return {"success": fmean(success), "progress": fmean(progress)}


def _signals(sheet: Mapping[str, Json], envs: Mapping[str, Json]) -> dict[str, Json]:
    """Return the signals of each environment, and the mean of them where all were measured."""
    measured: dict[str, Json] = sheet.get("signals", {}).get("by_env", {})
    rows: dict[str, Json] = {env: measured.get(env) for env in envs}
    rows[POOLED] = _mean([rows[env] for env in envs]) if all(rows.values()) else None
    return rows


def _mean(values: Sequence[Json]) -> Json:
    """Average numbers, and dictionaries of numbers key by key; None if one of them is None."""
    if any(value is None for value in values):
        return None
    if isinstance(values[0], Mapping):
        return {key: _mean([value[key] for value in values]) for key in values[0]}
    return fmean(values)
