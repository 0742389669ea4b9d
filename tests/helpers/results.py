"""Comparisons written by hand: what a test does not care about is filled in, so that the reader of files accepts it."""

from __future__ import annotations

from typing import Any

from acgym.analysis.result import VERSION, AgentResult, ComparisonResult
from acgym.typed import from_json

SIGNALS = {"n_tokens": 10, "n_sequences": 2, "erank": None, "diff_erank": None, "energy": -1.0, "nll": 0.5}


def score_row(**changes: Any) -> dict[str, Any]:
    """Return a score as it is written."""
    ends = {"low": 0.4, "high": 0.6}
    row = {"n": 100, "n_failed": 0, "success": 0.5, "success_interval": ends, "progress": 0.5,
           "progress_interval": ends, "anchored_success": None, "format_error_rate": 0.0, "decision_error_rate": 0.0,
           "steps": 2.0, "generated_tokens": None, "seconds": 1.0}  # fmt: skip
    return {**row, **changes}


def comparison_row(**changes: Any) -> dict[str, Any]:
    """Return a comparison as it is written; the dense agent solves 90 %."""
    ends = {"low": -0.1, "high": 0.1}
    n = changes.get("n", 100)
    row = {"dense": "dense", "other": "q", "n": n, "n_tasks": n, "n_failed": 0, "lost": 5, "won": 5,
           "dense_success": 0.9, "other_success": 0.9, "success_difference": 0.0, "success_interval": ends, "p": 1.0,
           "p_holm": None, "p_mid": 1.0, "p_mid_holm": None, "dense_progress": 0.9, "other_progress": 0.9,
           "progress_difference": 0.0, "progress_interval": ends, "detectable_drop": 0.1,
           "episodes_for_two_points": 4321, "divergence_turns": [], "lost_from_divergence": None}  # fmt: skip
    return {**row, **changes}


def look_row(**changes: Any) -> dict[str, Any]:
    """Return a look at a comparison under way as it is written."""
    ends = {"low": -0.1, "high": 0.1}
    row = {"n": 100, "tasks": 100, "confidence": 0.95, "success_interval": ends, "progress_interval": ends, "p": 1.0,
           "p_holm": None, "verdict": "open"}  # fmt: skip
    return {**row, **changes}


def diverged_row(**changes: Any) -> dict[str, Any]:
    """Return a summary of divergence as it is written."""
    counts = dict.fromkeys(("n_failed", "same", "reworded", "diverged", "lost", "won", "kept"), 0)
    row = {"n": 100, **counts, "turns": [], "first_token": None, "lost_classes": {}, "lost_turns": [],
           "unsolved_classes": {}}  # fmt: skip
    return {**row, **changes}


def agent(row: dict[str, Any]) -> AgentResult:
    """Read one agent, with empty mappings for what it lacks."""
    return from_json(AgentResult, _whole(row))


def read(row: dict[str, Any]) -> ComparisonResult:
    """Read a comparison, its settings and agents filled in."""
    settings = {"agents": [one["name"] for one in row["agents"]], "episodes": 100, **row["settings"]}
    agents = [_whole(one) for one in row["agents"]]
    return ComparisonResult.from_json({"version": VERSION, **row, "settings": settings, "agents": agents})


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    return {"sheet": {}, "scores": {}, "comparisons": {}, "signals": {}, **row}
