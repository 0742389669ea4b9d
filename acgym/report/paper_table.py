"""The table of ACBench's paper from a comparison: capability, task, metric, what was played and what was lost."""

from __future__ import annotations

from acgym.acbench import SUITE, TASKS, Metric, PaperTask, tasks_of
from acgym.analysis.numbers import Comparison, Score
from acgym.analysis.result import AgentResult, ComparisonResult
from acgym.report.cells import DASH, Cell, Grid
from acgym.report.grids import percent
from acgym.report.published import of_task, sources_of
from acgym.text import printable

_WORDS = (
    "Paired on the same episodes; accuracy, F1, PR and score are mean progress, SR is success, in %. Official: the "
    "benchmark's own rows. Stand-in: generated tasks of the same ability; compare its changes with the published ones, "
    "not its levels."
)


def paper_tables(result: ComparisonResult) -> list[Grid]:
    """Lay out the tasks of the suite ``acbench``, a table for each agent that is compared with the first one.

    Args:
        result: the comparison.

    Returns:
        No table for a comparison of another suite.
    """
    if result.settings.suite != SUITE:
        return []
    rows = [(task, what, env) for task in TASKS for env in result.envs for found, what in tasks_of(env)
            if found is task and what != "related"]  # fmt: skip
    left = [task.name for task in TASKS if task.reported and task not in [row[0] for row in rows]]
    note = _WORDS + (f" Not played, for want of its data or an environment: {', '.join(left)}." if left else "")
    dense = next(agent for agent in result.agents if agent.name == result.dense)
    tables = []
    for agent in result.others or (dense,):
        cells = tuple(
            row for task, what, env in rows for metric in task.metrics
            for row in [_row(result, dense, agent, task, metric, what, env)]
        )  # fmt: skip
        named = [source for task, _, _ in rows for source in sources_of(result, task, (dense, agent))]
        sources = "; ".join(dict.fromkeys(named))
        told = f"{note} Published numbers, intermediate and not the paper's tables: {sources}." if sources else note
        tables.append(Grid(_title(dense, agent), _heads(agent is not dense), cells, note=told))
    return tables


def _title(dense: AgentResult, agent: AgentResult) -> str:
    versus = "" if agent is dense else f"{agent.name} against "
    return printable(f"ACBench's tasks: {versus}{dense.name}")


def _heads(compared: bool) -> tuple[str, ...]:
    first = ("task", "capability", "metric", "played", "episodes", "dense")
    return (*first, *(("compressed", "difference\n(95 % interval)") if compared else ()), "published\n(change)")


def _row(
    result: ComparisonResult,
    dense: AgentResult,
    agent: AgentResult,
    task: PaperTask,
    metric: Metric,
    what: str,
    env: str,
) -> tuple[Cell, ...]:
    score = dense.score(env)
    played = f"{'official' if what == 'official' else 'stand-in'} {env.removesuffix('-v0').rpartition('/')[2]}"
    name = task.name if task.reported else f"{task.name} (not reported)"
    cells = [Cell(name), Cell(task.capability), Cell(metric.name), Cell(printable(played))]
    cells += [Cell(DASH if score is None else str(score.n)), Cell(percent(_level(score, metric)))]
    if agent is not dense:
        cells += [Cell(percent(_level(agent.score(env), metric))), _difference(agent.comparison(env), metric)]
    return (*cells, Cell(of_task(result, task, metric.name, agent)))


def _level(score: Score | None, metric: Metric) -> float | None:
    if score is None:
        return None
    return score.success if metric.of == "success" else score.progress


def _difference(row: Comparison | None, metric: Metric) -> Cell:
    if row is None:
        return Cell(DASH)
    change, interval = (
        (row.success_difference, row.success_interval)
        if metric.of == "success"
        else (row.progress_difference, row.progress_interval)
    )
    shown = f"{100 * change:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
    tone = row.significant and metric.of == "success" and row.limit != "floor"
    return Cell(shown, ("loss" if change < 0 else "gain") if tone else "")
