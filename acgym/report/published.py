"""The numbers that ACBench's authors published with their code, beside a user's own where model, recipe and task match.

They are what could be recovered: result files that the authors committed and later removed (``repo-history``), and heat
maps read back from their colours (``figure-decoded``). None is copied from a table of the paper.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from acgym.acbench import PaperTask, tasks_of
from acgym.analysis.result import AgentResult, ComparisonResult
from acgym.report.cells import DASH, Cell, Grid
from acgym.report.grids import percent
from acgym.text import printable

FOLDER = Path(__file__).resolve().parent / "acbench"


class Number(NamedTuple):
    """One published number."""

    model: str
    """Name of the model on the hub, without its owner."""
    recipe: str
    """``dense``, or method and setting: ``gptq-w4``, ``wanda-2:4``, ``magnitude-50`` (50 % unstructured)."""
    task: str
    metric: str
    value: float
    """In [0, 1]; correlations of ``topk`` in [-1, 1]."""
    label: str
    """What the authors called the model and its recipe."""
    source: str
    """``repo-history: FILE`` or ``figure-decoded: FILE``."""


class Source(NamedTuple):
    """What the numbers of one file are."""

    name: str
    metric: str
    """The one that is laid beside an environment's own success."""
    caveats: str


_OTHER = (
    "Where these are other tasks of the same capability than acgym's, with other prompts and scorers, and settings of "
    "compression that may differ (group size, calibration): compare changes, not levels."
)
SOURCES: Mapping[str, Source] = {
    "agentboard": Source(
        "AgentBoard", "progress_rate",
        "Intermediate results that the authors committed in March 2025 and removed later; not the paper's tables. One "
        "greedy run of 20 to 90 episodes a task: a success rate of 12 % of 90 is known to within 7 points. No model "
        "ever solved a task of tool-operation, and all but one solved nothing of jericho: they say nothing of success.",
    ),
    "worfbench": Source(
        "WorFBench", "node_chain_f1",
        "Intermediate results from the repository's history; not the paper's table. The zeros of toolbench and "
        "toolalpaca are most likely the harness's (prompts longer than the context that it allowed), other lone zeros "
        "its stop strings. No uncompressed 7B model is among them.",
    ),
    "needle": Source(
        "Needle in a haystack", "word_overlap",
        "Read back from the colours of published heat maps, to within 0.5 points; the score is a share of words. Above "
        "32k tokens every Qwen model scores 0 for want of context, whatever the compression, so it is left out.",
    ),
}  # fmt: skip
"""File -> what was published in it; which tasks it holds numbers of is in :data:`acgym.acbench.TASKS`."""


@cache
def numbers(file: str) -> tuple[Number, ...]:
    """Return all numbers of one file.

    Args:
        file: ``agentboard``, ``worfbench`` (node-chain F1), ``needle`` (by stretch of lengths, in tokens), or ``topk``
            (correlation of the top-k tokens at each position, Phi-3.5-mini against its 4-bit NF4 form).

    Raises:
        ValueError: for another name.
    """
    known = sorted(path.stem for path in FOLDER.glob("*.csv"))
    if file not in known:
        raise ValueError(f"there are published numbers of {', '.join(known)}, got {file!r}")
    with (FOLDER / f"{file}.csv").open(encoding="utf-8", newline="") as rows:
        return tuple(_number(row) for row in csv.DictReader(rows))


def _number(row: Mapping[str, str]) -> Number:
    what = row["model"], row["recipe"], row["task"], row["metric"]
    return Number(*what, float(row["value"]), row["label"], row["source"])


def recipe_key(recipe: str) -> str | None:
    """Name a recipe as the published numbers do.

    Args:
        recipe: of acgym, such as ``gptq-w4-g128-actorder@text:f.txt``, or a setting of ACBench (``acbench-gptq``).

    Returns:
        Such as ``gptq-w4``; None for a chain or a recipe that the published numbers cannot hold.
    """
    from acgym.calibrate.spec import PRESETS

    plain = recipe.split("@")[0]
    plain = (PRESETS[plain].recipe or "") if plain in PRESETS else plain
    if "+" in plain:
        return None
    found = re.match(r"(?:(gptq|awq|rtn)-w(\d+)(?![a\d])|(smoothquant|gptq)-w8a8|(magnitude|wanda|sparsegpt)-(50|2:4))",
                     plain)  # fmt: skip
    if not found:
        return None
    if found[1]:
        return f"{found[1]}-w{found[2]}"
    return f"{found[3]}-w8a8" if found[3] else f"{found[4]}-{found[5]}"


def model_key(spec: str) -> tuple[str, str]:
    """Take a model's spec apart into what the published numbers are found by.

    Args:
        spec: an uncompressed agent, such as ``hf:Qwen/Qwen2.5-7B-Instruct``, or a checkpoint that is compressed already
            and says so at the end of its name, such as ``hf:./Qwen2.5-7B-Instruct-GPTQ-Int4``.

    Returns:
        (model, recipe): the last part of the name in small letters, letters and digits only; and ``dense``,
        ``gptq-w4``, ``gptq-w8`` or ``awq-w4``.
    """
    name = spec.partition(":")[2].split("@")[0].rstrip("/").rpartition("/")[2].lower()
    for ending, recipe in (("-gptq-int4", "gptq-w4"), ("-gptq-int8", "gptq-w8"), ("-awq", "awq-w4")):
        if name.endswith(ending):
            return _letters(name.removesuffix(ending)), recipe
    return _letters(name), "dense"


def published(result: ComparisonResult) -> list[Grid]:
    """Lay published numbers beside a comparison's own: a table for each environment and source with a match.

    Args:
        result: the comparison. An environment's numbers are those of the paper's tasks that it plays or stands for
            (:func:`acgym.acbench.tasks_of`).
    """
    found = []
    for env in result.envs:
        by_file: dict[str, list[str]] = {}
        for task, _ in tasks_of(env):
            if task.published is not None:
                by_file.setdefault(task.published.file, []).extend(task.published.tasks)
        for file, tasks in by_file.items():
            if rows := _rows(result, env, file, tasks):
                source = SOURCES[file]
                heads = ("agent", "here: success %\n(change)", *(f"{task}\n(change)" for task in tasks))
                named = "; ".join(_sources(result, file, tasks, result.agents))
                note = f"{_OTHER} {source.caveats} Sources: {named}."
                title = f"{env} here, {source.name} as published ({source.metric.replace('_', ' ')}, %)"
                found.append(Grid(title, heads, tuple(rows), note=note))
    return found


def of_task(result: ComparisonResult, task: PaperTask, metric: str, agent: AgentResult) -> str:
    """Say what was published of a task for an agent's model and recipe, with the change from the uncompressed model.

    Args:
        result: the comparison.
        task: one of the paper's.
        metric: the name that the paper gives the metric.
        agent: whose number it is.

    Returns:
        Such as ``alfworld 49.3 (+1.2), os 79.0``; a dash where nothing was published.
    """
    benchmark = task.published
    if benchmark is None or metric not in benchmark.metrics:
        return DASH
    key, found = benchmark.metrics[metric], []
    for name in benchmark.tasks:
        value, change = _number_of(_keys(agent.name, result.dense), benchmark.file, name, key)
        if value is not None:
            found.append(f"{name} {_with_change(value, change)}" if len(benchmark.tasks) > 1 else
                         _with_change(value, change))  # fmt: skip
    return "\n".join(found) or DASH


def sources_of(result: ComparisonResult, task: PaperTask, agents: Sequence[AgentResult]) -> Sequence[str]:
    """Name the sources of what was published of a task for some agents."""
    return [] if task.published is None else _sources(result, task.published.file, task.published.tasks, agents)


def _rows(result: ComparisonResult, env: str, file: str, tasks: Sequence[str]) -> list[tuple[Cell, ...]]:
    rows = []
    for agent in result.agents:
        keys = _keys(agent.name, result.dense)
        values = [_number_of(keys, file, task, SOURCES[file].metric) for task in tasks]
        if all(value is None for value, _ in values):
            continue
        score, row = agent.score(env), agent.comparison(env)
        solved = None if score is None else score.success
        own = _with_change(solved, None if row is None or row.limit == "floor" else row.success_difference)
        rows.append((Cell(printable(agent.name)), Cell(own), *(Cell(_with_change(*value)) for value in values)))
    return rows


def _number_of(keys: tuple[str, str | None], file: str, task: str, metric: str) -> tuple[float | None, float | None]:
    """Return what was published of a model and recipe, and its change from the uncompressed model."""
    model, recipe = keys
    value = _value(file, model, recipe, task, metric)
    before = None if recipe in (None, "dense") else _value(file, model, "dense", task, metric)
    return value, None if value is None or before is None else value - before


def _with_change(value: float | None, change: float | None) -> str:
    if value is None:
        return DASH
    return percent(value) if change is None else f"{percent(value)} ({100 * change:+.1f})"


def _keys(name: str, dense: str) -> tuple[str, str | None]:
    """Return model and recipe of an agent."""
    base, plus, recipe = name.partition("+")
    if name.startswith(f"{dense}+"):
        base, plus, recipe = dense, "+", name.removeprefix(f"{dense}+")
    model, ready = model_key(base)
    if not plus:
        return model, ready
    return model, recipe_key(recipe) if ready == "dense" else None


def _value(file: str, model: str, recipe: str | None, task: str, metric: str) -> float | None:
    found = _index(file).get((model, recipe or "", task, metric))
    return None if found is None else found.value


def _sources(result: ComparisonResult, file: str, tasks: Sequence[str], agents: Sequence[AgentResult]) -> Sequence[str]:
    keys = {_keys(agent.name, result.dense) for agent in agents}
    rows = [n for n in numbers(file) if (_letters(n.model.lower()), n.recipe) in keys]
    return list(dict.fromkeys(row.source for row in rows if row.task in tasks))


@cache
def _index(file: str) -> dict[tuple[str, str, str, str], Number]:
    return {(_letters(n.model.lower()), n.recipe, n.task, n.metric): n for n in numbers(file)}


def _letters(name: str) -> str:
    return "".join(c for c in name if c.isalnum())
