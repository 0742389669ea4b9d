"""The ``model-index`` block of a Hugging Face model card: one YAML file for each agent."""

from __future__ import annotations

from acgym.analysis.numbers import Score
from acgym.analysis.result import AgentResult
from acgym.export.exported import Exported, Files, agent_folder, env_version
from acgym.statistics.paired import Interval
from acgym.types import Json

NAMES = {
    "success": "Success rate",
    "progress": "Mean progress",
    "format_error_rate": "Format errors, share of turns",
}


def model_cards(exported: Exported) -> Files:
    """Write ``AGENT/model-index.yaml``, to go between the ``---`` lines on top of a README.md.

    The differences to the dense agent are metrics of their own, with interval and p (``p_holm``: the one that tables
    print) in ``args``; none where the dense agent solves too little for anything to be lost.
    """
    import yaml

    files = {}
    for agent in exported.agents:
        text = yaml.safe_dump(model_index(exported, agent), sort_keys=False, allow_unicode=False, width=120)
        files[f"{agent_folder(agent.name)}/model-index.yaml"] = text.encode()
    return files


def model_index(exported: Exported, agent: AgentResult) -> dict[str, Json]:
    """Return the block of one agent; what was not measured has no entry."""
    results = [_result(exported, agent, score, env) for env in exported.envs if (score := agent.score(env)) is not None]
    return {"model-index": [{"name": agent.name.rpartition("/")[2], "results": results}]}


def _result(exported: Exported, agent: AgentResult, score: Score, env: str) -> dict[str, Json]:
    row, kwargs = agent.comparison(env), exported.envs[env]
    measured = (
        ("success", score.success, score.success_interval),
        ("progress", score.progress, score.progress_interval),
        ("format_error_rate", score.format_error_rate, None),
    )
    metrics: list[dict[str, Json]] = [
        {"type": name, "value": value, "name": NAMES[name], "args": {"episodes": score.n, **_ends(interval)}}
        for name, value, interval in measured
        if value is not None
    ]
    if row is not None and row.limit != "floor":
        args = {"episodes": row.n, **_ends(row.success_interval), "p": row.p, "p_holm": row.p_holm, "lost": row.lost,
                "won": row.won}  # fmt: skip
        name = f"Success rate minus that of {exported.result.dense}"
        metrics.append({"type": "success_difference", "value": row.success_difference, "name": name, "args": args})
    return {
        "task": {"type": "text-generation", "name": exported.capabilities.get(env, env)},
        "dataset": {
            "type": "acgym",
            "name": env,
            "config": ", ".join(f"{key}={value}" for key, value in kwargs.items()) or "default",
            "split": "eval",
            "revision": f"v{env_version(env)}",
        },
        "metrics": metrics,
    }


def _ends(interval: Interval | None) -> dict[str, float]:
    return {} if interval is None else {"low": interval.low, "high": interval.high}
