"""Plain tables: an episode a row, and a comparison a row, as CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from acgym.analysis.equivalence import Equivalence
from acgym.analysis.inflation import Inflation
from acgym.analysis.result import AgentResult
from acgym.export.exported import Exported, Files
from acgym.types import Json, canonical_json

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a text cell that begins so; such a cell gets an apostrophe in front in CSV files."""


def csv_files(exported: Exported) -> Files:
    """Write ``episodes.csv``, ``scores.csv`` and ``comparisons.csv``; an empty cell was not measured."""
    return {f"{name}.csv": _csv(rows) for name, rows in tables(exported).items()}


def parquet_files(exported: Exported) -> Files:
    """Write ``episodes.parquet``, ``scores.parquet`` and ``comparisons.parquet``; a null was not measured.

    Raises:
        ImportError: without pyarrow.
    """
    import pyarrow
    from pyarrow import parquet

    files = {}
    for name, rows in tables(exported).items():
        sink = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
        files[f"{name}.parquet"] = sink.getvalue()
    return files


def tables(exported: Exported) -> dict[str, list[dict[str, Json]]]:
    """Return the rows of the three tables; every row of a table has the same columns.

    * ``episodes``: agent, env, kwargs (JSON), split, seed, task_hash, task_kind, outcome, failure, success, progress,
      truncated, turns, format_errors, decision_errors, generated_tokens, seconds.
    * ``scores``: agent, env (or ``all``), and the numbers of :class:`acgym.analysis.numbers.Score`, intervals as two
      columns; replies that have come apart as ``degenerate_repetition``, see :mod:`acgym.analysis.degenerate`.
    * ``comparisons``: the numbers of :class:`acgym.analysis.numbers.Comparison`; ``p_holm`` is over the environments,
      of ``all`` over the agents. Where a margin was asked about: margin, not_worse (``yes``, ``no``, ``open`` or
      ``cannot``) and the adjusted p of both sides, see :class:`acgym.analysis.equivalence.Equivalence`. Ratios of
      tokens and turns as ``tokens_ratio``, see :class:`acgym.analysis.inflation.Inflation`.
    """
    found: dict[str, list[dict[str, Json]]] = {"episodes": [], "scores": [], "comparisons": []}
    for agent in exported.agents:
        found["episodes"] += [_episode(agent.name, episode) for episode in exported.episodes(agent.name)]
        for env, score in agent.scores.items():
            more = _degenerate(agent, env)
            found["scores"].append({"agent": agent.name, "env": env, **_flat(score.to_json()), **more})
        for env, row in agent.comparisons.items():
            more = {**_margin(agent, env), **_inflation(agent, env)}
            found["comparisons"].append({"agent": agent.name, "env": env, **_flat(row.to_json()), **more})
    return {name: _even(rows) for name, rows in found.items() if rows}


def _episode(agent: str, episode: Json) -> dict[str, Json]:
    tokens = [len(turn.token_ids) for turn in episode.turns if turn.token_ids is not None]
    return {
        "agent": agent,
        "env": episode.env,
        "kwargs": canonical_json(episode.kwargs),
        "split": episode.split,
        "seed": episode.seed,
        "task_hash": episode.task_hash,
        "task_kind": episode.task_kind,
        "outcome": episode.outcome,
        "failure": episode.failure,
        "success": episode.success,
        "progress": episode.progress,
        "truncated": episode.truncated,
        "turns": len(episode.turns),
        "format_errors": episode.format_errors,
        "decision_errors": episode.decision_errors,
        "generated_tokens": sum(tokens) if tokens else None,
        "seconds": episode.seconds,
    }


def _margin(agent: AgentResult, env: str) -> dict[str, Json]:
    """Return what was said of the margin; nothing where none was asked about."""
    found = (agent.equivalence or {}).get(env)
    if not isinstance(found, Equivalence):
        return {}
    return {
        "margin": found.margin,
        "not_worse": found.verdict,
        "not_worse_p_holm": found.p_holm,
        "worse_p_holm": found.p_worse_holm,
        "not_worse_further_episodes": found.further,
    }


def _inflation(agent: AgentResult, env: str) -> dict[str, Json]:
    """Return ratios to the dense agent's tokens and turns, with their intervals."""
    found = (agent.inflation or {}).get(env)
    if not isinstance(found, Inflation):
        return {}
    row: dict[str, Json] = {"tokens_per_solved": found.tokens_per_solved}
    for name in ("turns", "tokens", "tokens_both_solved", "per_solved", "thinking"):
        ratio = getattr(found, name)
        ends = None if ratio is None else ratio.interval
        row |= {
            f"{name}_ratio": None if ratio is None else ratio.value,
            f"{name}_ratio_low": None if ends is None else ends.low,
            f"{name}_ratio_high": None if ends is None else ends.high,
        }
    return row


def _degenerate(agent: AgentResult, env: str) -> dict[str, Json]:
    found = (agent.degenerate or {}).get(env)
    return {} if found is None else {f"degenerate_{kind}": count for kind, count in found.counts.items()}


def _flat(row: Mapping[str, Json]) -> dict[str, Json]:
    """Make intervals two columns; lists and other dictionaries are left out."""
    flat: dict[str, Json] = {}
    for name, value in row.items():
        if isinstance(value, Mapping) and set(value) == {"low", "high"}:
            flat |= {f"{name}_low": value["low"], f"{name}_high": value["high"]}
        elif not isinstance(value, Mapping | list):
            flat[name] = value
    return flat


def _even(rows: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in columns} for row in rows]


def _csv(rows: Sequence[Mapping[str, Json]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Json) -> Json:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(STARTS_A_FORMULA) else value
    return str(value).lower() if isinstance(value, bool) else value
