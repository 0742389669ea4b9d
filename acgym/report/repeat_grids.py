"""The tables of repeated sampling: pass@k and pass^k of each agent, and what differs from the first one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from acgym.analysis.result import POOLED
from acgym.report.grids import DASH, Cell, Grid, percent
from acgym.text import printable
from acgym.types import Json

ESTIMATES = (("pass@", "any"), ("pass^", "all"))


def repeat_grids(result: Mapping[str, Json]) -> list[Grid]:
    """Lay the result of repeated sampling out: one table an environment, one of all together if there are several.

    Args:
        result: what :func:`acgym.compare.repeats.repeats_result` returns.
    """
    envs = list(result["settings"]["envs"])
    return [_grid(result, env) for env in (envs if len(envs) == 1 else [*envs, POOLED])]


def _grid(result: Mapping[str, Json], env: str) -> Grid:
    ks, samples, agents = result["k"], result["samples"], result["agents"]
    columns = [(name, side, k) for name, side in ESTIMATES for k in ks if k > 1 or side == "any"]
    heads = ("agent", "episodes", *(f"{name}{k}\n% (95 %)" for name, _, k in columns))
    rows = []
    for agent in agents:
        of_k, than_first = agent["repeats"][env], agent.get("differences", {}).get(env, {})
        shown = [_cell(of_k[str(k)], than_first.get(str(k)), side) for _, side, k in columns]
        rows.append((Cell(printable(agent["name"])), Cell(str(of_k[str(samples)]["tasks"])), *shown))
    named = f"All {len(result['settings']['envs'])} environments" if env == POOLED else env
    return Grid(
        printable(f"{named}, {samples} samples of each episode, temperature {_temperature(result):g}"),
        heads,
        tuple(rows),
        fold=2 + len(ks),
        note=_note(result, env),
    )


def _cell(row: Mapping[str, Json], difference: Mapping[str, Json] | None, side: str) -> Cell:
    if row[f"{side}_of_k"] is None:
        return Cell(DASH)
    low, high = (row[f"{side}_interval"][end] for end in ("low", "high"))
    shown = f"{percent(row[f'{side}_of_k'])} ({percent(low)} to {percent(high)})"
    if difference is None:
        return Cell(shown)
    low, high = (difference[f"{side}_interval"][end] for end in ("low", "high"))
    tone: Literal["", "loss", "gain"] = "loss" if high < 0 else "gain" if low > 0 else ""
    return Cell(f"{shown}\n{100 * difference[f'{side}_of_k']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})", tone)


def _note(result: Mapping[str, Json], env: str) -> str:
    most = str(result["samples"])
    left = {agent["name"]: agent["repeats"][env][most]["left_out"] for agent in result["agents"]}
    short = ", ".join(f"{printable(name)} {count}" for name, count in left.items() if count)
    lines = (
        "pass@k: chance that at least one of k samples solves an episode; pass^k: that all of them do; unbiased, over "
        "episodes, with 95 % intervals over episodes.",
        f"Second line: difference to {printable(result['dense'])}, episode by episode." if len(left) > 1 else "",
        f"Episodes with too few finished samples, left out of k = {most}: {short}." if short else "",
    )
    return " ".join(filter(None, lines))


def _temperature(result: Mapping[str, Json]) -> float:
    return float(result["settings"]["decoding"]["temperature"])
