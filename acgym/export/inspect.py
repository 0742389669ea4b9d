"""Logs that Inspect reads (``inspect_ai.log.read_eval_log``): one JSON file for each agent and environment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from acgym.analysis.numbers import NotMeasured, Score
from acgym.analysis.result import AgentResult
from acgym.export.exported import Exported, Files, agent_folder, as_json, env_version, standard_error
from acgym.record.episode import Episode
from acgym.types import Json

FORMAT = 2
"""Version of Inspect's log format."""


def inspect_logs(exported: Exported) -> Files:
    """Write ``AGENT/TIME_ENV_ID.json``: every episode as a sample with its messages and scores.

    Samples are told apart by seed. Failed episodes are samples with an error and without a score. Words are given as
    they were recorded; lone surrogates, which no UTF-8 file can hold, are written as escapes.
    """
    files = {}
    for agent in exported.agents:
        episodes = exported.episodes(agent.name)
        for env in exported.envs:
            played = [episode for episode in episodes if episode.env == env]
            if played:
                log = _log(exported, agent, env, played)
                name = f"{_created(exported)[:19].replace(':', '-')}_{agent_folder(env)}_{log['eval']['task_id']}.json"
                files[f"{agent_folder(agent.name)}/{name}"] = as_json(log)
    return files


def _created(exported: Exported) -> str:
    created = str(exported.manifest.get("created", ""))
    return datetime.fromisoformat(created).isoformat() if created else "1970-01-01T00:00:00+00:00"


def _log(exported: Exported, agent: AgentResult, env: str, episodes: Sequence[Episode]) -> dict[str, Json]:
    name, created = agent.name, _created(exported)
    digest = hashlib.sha256(f"{created} {name} {env}".encode("utf-8", "surrogatepass")).hexdigest()[:22]
    versions = exported.manifest.get("sessions", [{}])[-1].get("versions", {})
    return {
        "version": FORMAT,
        "status": "success",
        "eval": {
            "eval_id": digest,
            "run_id": hashlib.sha256(created.encode()).hexdigest()[:22],
            "created": created,
            "task": env,
            "task_id": digest,
            "task_version": env_version(env),
            "task_args": dict(exported.envs[env]),
            "dataset": {"name": env, "samples": len(episodes), "sample_ids": [e.seed for e in episodes],
                        "shuffled": False},
            "model": _clean(f"acgym/{name}"),
            "config": {"epochs": 1},
            "packages": {"acgym": str(versions.get("acgym", "unknown"))},
            "scorers": [{"name": "success"}, {"name": "progress"}],
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": _results(agent.scores[env]),
        "stats": {"started_at": created, "completed_at": created, "model_usage": _usage(name, episodes)},
        "samples": [_sample(name, episode) for episode in episodes],
    }  # fmt: skip


def _results(score: Score | NotMeasured) -> dict[str, Json]:
    known = [] if isinstance(score, NotMeasured) else [
        ("success", score.success, score.success_interval), ("progress", score.progress, score.progress_interval)
    ]  # fmt: skip
    scores = []
    for name, value, interval in known:
        stderr = {"name": "stderr", "value": standard_error(interval)}
        metrics = {"mean": {"name": "mean", "value": value}, "stderr": stderr}
        scores.append({"name": name, "scorer": name, "metrics": metrics, "scored_samples": score.n,
                       "unscored_samples": score.n_failed})  # fmt: skip
    return {"total_samples": score.n + score.n_failed, "completed_samples": score.n, "scores": scores}


def _usage(name: str, episodes: Sequence[Episode]) -> dict[str, Json]:
    tokens = [turn for episode in episodes for turn in episode.turns if turn.token_ids is not None]
    if not tokens:
        return {}
    read = sum(turn.kept + len(turn.prompt_ids or ()) for turn in tokens)
    written = sum(len(turn.token_ids or ()) for turn in tokens)
    usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    return {_clean(f"acgym/{name}"): usage}


def _sample(name: str, episode: Episode) -> dict[str, Json]:
    model = _clean(f"acgym/{name}")
    messages = _messages(episode, model)
    said = messages[-2]["content"] if len(messages) > 1 else ""
    row: dict[str, Json] = {
        "id": episode.seed,
        "epoch": 1,
        "input": messages[0]["content"] if messages else "",
        "target": "",
        "messages": messages,
        "output": {
            "model": model,
            "choices": [{"message": {"role": "assistant", "content": said}, "stop_reason": "stop"}],
            "completion": said,
        },
        "metadata": {
            "task_hash": episode.task_hash,
            "task_kind": _clean(episode.task_kind),
            "truncated": episode.truncated,
            "format_errors": episode.format_errors,
            "decision_errors": episode.decision_errors,
            "tools": [_clean(str(tool.get("function", {}).get("name"))) for tool in episode.tools],
        },
        "total_time": episode.seconds,
    }
    if episode.outcome == "failed":
        why = _clean(episode.failure or "failed")
        row["error"] = {"message": why, "traceback": "", "traceback_ansi": ""}
    else:
        row["scores"] = {"success": {"value": int(bool(episode.success))}, "progress": {"value": episode.progress}}
    return row


def _messages(episode: Episode, model: str) -> list[dict[str, Json]]:
    """Return the conversation; results of tool calls are told as the user's words, since calls have no ids here."""
    rows: list[dict[str, Json]] = []
    for turn in episode.turns:
        rows.append({"role": "user", "content": _clean(turn.observation), "metadata": {"role": turn.role}})
        rows.append({"role": "assistant", "content": _clean(turn.text), "source": "generate", "model": model})
    rows.append({"role": "user", "content": _clean(episode.final_observation), "metadata": {"role": "end"}})
    return rows


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
