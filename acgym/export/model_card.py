"""The ``model-index`` block of a Hugging Face model card: one YAML file for each agent."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.export.exported import Exported, Files, agent_folder, env_version
from acgym.types import Json

NAMES = {
    "success": "Success rate",
    "progress": "Mean progress",
    "format_error_rate": "Format errors, share of turns",
}


def model_cards(exported: Exported) -> Files:
    """Write ``AGENT/model-index.yaml``, to go between the ``---`` lines on top of a README.md.

    The differences to the dense agent are metrics of their own, with interval and p in ``args``.
    """
    import yaml

    files = {}
    for agent in exported.agents:
        text = yaml.safe_dump(model_index(exported, agent), sort_keys=False, allow_unicode=False, width=120)
        files[f"{agent_folder(agent['name'])}/model-index.yaml"] = text.encode()
    return files


def model_index(exported: Exported, agent: Mapping[str, Json]) -> dict[str, Json]:
    """Return the block of one agent; what was not measured has no entry."""
    results = [
        _result(exported, agent, env, kwargs)
        for env, kwargs in exported.envs.items()
        if "success" in agent["scores"][env]
    ]
    return {"model-index": [{"name": agent["name"].rpartition("/")[2], "results": results}]}


def _result(exported: Exported, agent: Mapping[str, Json], env: str, kwargs: Mapping[str, Json]) -> dict[str, Json]:
    score, row = agent["scores"][env], agent["comparisons"].get(env)
    metrics: list[dict[str, Json]] = [
        {"type": name, "value": score[name], "name": words, "args": {"episodes": score["n"], **_ends(score, name)}}
        for name, words in NAMES.items()
        if score.get(name) is not None
    ]
    if row is not None and "reason" not in row:
        args = {"episodes": row["n"], **_ends(row, "success"), "p": row["p"], "lost": row["lost"], "won": row["won"]}
        name = f"Success rate minus that of {exported.result['dense']}"
        metrics.append({"type": "success_difference", "value": row["success_difference"], "name": name, "args": args})
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


def _ends(row: Mapping[str, Json], name: str) -> dict[str, float]:
    interval = row.get(f"{name}_interval")
    return {} if interval is None else {"low": interval["low"], "high": interval["high"]}
