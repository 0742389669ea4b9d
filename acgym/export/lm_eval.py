"""Results JSON in the style of lm-evaluation-harness: one file for each agent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from acgym.analysis.numbers import Score
from acgym.analysis.result import AgentResult
from acgym.export.exported import Exported, Files, agent_folder, as_json, env_version, standard_error
from acgym.statistics.paired import Interval
from acgym.types import Json

METRICS = {
    "success": True,
    "progress": True,
    "format_error_rate": False,
    "decision_error_rate": False,
}
"""Metric -> whether higher is better."""


def lm_eval(exported: Exported) -> Files:
    """Write ``AGENT/results_acgym.json`` with ``results``, ``configs``, ``versions``, ``n-samples`` and ``config``.

    Metrics are named ``success,none`` and ``success_stderr,none`` as the harness names them; the standard error is that
    of the 95 % interval. What was not measured has no key. The harness's own ``acc`` is not used: success of an episode
    is no accuracy of an answer.
    """
    return {f"{agent_folder(agent.name)}/results_acgym.json": as_json(_of(exported, agent)) for agent in
            exported.agents}  # fmt: skip


def _of(exported: Exported, agent: AgentResult) -> dict[str, Json]:
    created = exported.manifest.get("created")
    versions = exported.manifest.get("sessions", [{}])[-1].get("versions", {})
    scores = {env: score for env in exported.envs if (score := agent.score(env)) is not None}
    return {
        "results": {env: _metrics(env, score) for env, score in scores.items()},
        "group_subtasks": {env: [] for env in scores},
        "configs": {env: _config(env, exported.envs[env]) for env in scores},
        "versions": {env: env_version(env) for env in scores},
        "n-shot": dict.fromkeys(scores, 0),
        "higher_is_better": {env: dict(METRICS) for env in scores},
        "n-samples": {env: {"original": score.n + score.n_failed, "effective": score.n} for env, score in
                      scores.items()},
        "config": {"model": "acgym", "model_args": agent.name, "batch_size": None, "limit": None,
                   "random_seed": exported.result.settings.seed},
        "model_name": agent.name,
        "model_name_sanitized": agent_folder(agent.name),
        "model_source": "acgym",
        "date": datetime.fromisoformat(created).timestamp() if created else None,
        "acgym_version": versions.get("acgym"),
        "transformers_version": versions.get("transformers"),
    }  # fmt: skip


def _metrics(env: str, score: Score) -> dict[str, Json]:
    row: dict[str, Json] = {"alias": env}
    for name in METRICS:
        value: float | None = getattr(score, name)
        if value is not None:
            row[f"{name},none"] = value
            interval: Interval | None = getattr(score, f"{name}_interval", None)
            if interval is not None:
                row[f"{name}_stderr,none"] = standard_error(interval)
    return row


def _config(env: str, kwargs: Mapping[str, Json]) -> dict[str, Json]:
    metrics = [{"metric": name, "aggregation": "mean", "higher_is_better": good} for name, good in METRICS.items()]
    return {
        "task": env,
        "output_type": "generate_until",
        "num_fewshot": 0,
        "repeats": 1,
        "metric_list": metrics,
        "metadata": {"version": env_version(env), **kwargs},
    }
