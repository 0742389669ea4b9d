"""The tables of repeated sampling: pass@k and pass^k of each agent, and what differs from the first one."""

from __future__ import annotations

from acgym.analysis.repeated import Repeated, RepeatedDifference
from acgym.analysis.repeats_result import RepeatsResult
from acgym.analysis.result import POOLED
from acgym.report.cells import DASH, Cell, Grid, Tone
from acgym.report.grids import percent
from acgym.statistics.paired import Interval
from acgym.text import printable


def repeat_grids(result: RepeatsResult) -> list[Grid]:
    """Lay the result of repeated sampling out: one table an environment, one of all together if there are several."""
    return [_grid(result, env) for env in result.labels]


def _grid(result: RepeatsResult, env: str) -> Grid:
    columns = [("pass@", k) for k in result.k] + [("pass^", k) for k in result.k if k > 1]
    heads = ("agent", "episodes", *(f"{name}{k}\n% (95 %)" for name, k in columns))
    rows = []
    for agent in result.agents:
        of_k = agent.repeats[env]
        shown = [_cell(name, of_k[str(k)], agent.difference(env, k)) for name, k in columns]
        rows.append((Cell(printable(agent.name)), Cell(str(of_k[str(result.samples)].tasks)), *shown))
    named = f"All {len(result.settings.envs)} environments" if env == POOLED else env
    return Grid(
        printable(f"{named}, {result.samples} samples of each episode, temperature {result.temperature:g}"),
        heads,
        tuple(rows),
        fold=2 + len(result.k),
        note=_note(result, env),
    )


def _estimate(name: str, row: Repeated | RepeatedDifference) -> tuple[float | None, Interval | None]:
    return (row.any_of_k, row.any_interval) if name == "pass@" else (row.all_of_k, row.all_interval)


def _cell(name: str, row: Repeated, difference: RepeatedDifference | None) -> Cell:
    value, ends = _estimate(name, row)
    if value is None or ends is None:
        return Cell(DASH)
    shown = f"{percent(value)} ({percent(ends.low)} to {percent(ends.high)})"
    change, ends = (None, None) if difference is None else _estimate(name, difference)
    if change is None or ends is None:
        return Cell(shown)
    tone: Tone = "loss" if ends.high < 0 else "gain" if ends.low > 0 else ""
    return Cell(f"{shown}\n{100 * change:+.1f} ({100 * ends.low:+.1f} to {100 * ends.high:+.1f})", tone)


def _note(result: RepeatsResult, env: str) -> str:
    left = {agent.name: agent.repeats[env][str(result.samples)].left_out for agent in result.agents}
    short = ", ".join(f"{printable(name)} {count}" for name, count in left.items() if count)
    lines = (
        "pass@k: chance that at least one of k samples solves an episode; pass^k: that all of them do; unbiased, over "
        "episodes, with 95 % intervals over episodes.",
        f"Second line: difference to {printable(result.dense)}, episode by episode." if len(left) > 1 else "",
        f"Episodes with too few finished samples, left out of k = {result.samples}: {short}." if short else "",
    )
    return " ".join(filter(None, lines))
