"""Dose and response, shown: a table for each environment, a figure, a sentence for each agent, a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acgym.analysis.curve import AgentCurve, Dose, DoseResponse
from acgym.analysis.result import POOLED
from acgym.files import write_whole
from acgym.report.cells import DASH, Cell, Grid
from acgym.report.page import Piece, fill
from acgym.report.svg import COLOURS, INK, MARKERS, NO_MATPLOTLIB, can_draw, drawing, panels, to_svg
from acgym.report.words import join, short_env
from acgym.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = (
    "Success in %, with its 95 % interval at each value alone; below, the difference to the first agent in points, "
    "with its interval (Tango). Coloured: significant at 0.05, Holm-corrected over values and environments (of all "
    "together, over values and agents). Knee: the first such value, if the agent is below at every later one too that "
    "can be measured."
)


def curve_grids(found: DoseResponse) -> list[Grid]:
    """Lay the curves out, a table for each environment and one of all together."""
    values = [printable(str(value)) for value in found.values]
    heads = ("agent", *(f"{printable(found.argument)}={value}" for value in values), "knee")
    tables = []
    for env in found.envs:
        rows = []
        for curve in found.of(env):
            knee = "" if curve.agent == found.dense else _knee(curve, found)
            rows.append((Cell(printable(curve.agent)), *map(_cell, curve.doses), Cell(knee)))
        tables.append(Grid(_title(env), heads, tuple(rows)))
    return tables


def curve_sentences(found: DoseResponse) -> list[str]:
    """Say for each compressed agent where it parts from the dense one."""
    said = []
    for agent in dict.fromkeys(curve.agent for curve in found.curves if curve.agent != found.dense):
        curves = [curve for curve in found.curves if curve.agent == agent]
        own = [curve for curve in curves if curve.env != POOLED]
        seen = [f"{short_env(curve.env)} from {_at(curve, found)} on" for curve in own if curve.knee is not None]
        unseen = [short_env(curve.env) for curve in own if curve.knee is None]
        parts = [f"loses in {join(seen)}"] if seen else []
        parts += [f"not seen to part in {join(unseen)}"] if unseen else []
        said.append(printable(f"{agent.removeprefix(f'{found.dense}+')}: {'; '.join(parts)}."))
    return said


def curve_figure(found: DoseResponse) -> Figure:
    """Draw success along the values with its pointwise band, a panel for each environment; a ring marks the knee."""
    figure, axes = panels(len(found.envs), 3, height=2.7)
    at = _positions(found)
    for axis, env in zip(axes, found.envs, strict=True):
        for i, curve in enumerate(found.of(env)):
            colour = INK if i == 0 else COLOURS[(i - 1) % len(COLOURS)]
            known = [(x, dose) for x, dose in zip(at, curve.doses, strict=True) if dose.interval is not None]
            if not known:
                continue
            x = [place for place, _ in known]
            y = [100 * (dose.success or 0) for _, dose in known]
            low, high = ([100 * getattr(dose.interval, end) for _, dose in known] for end in ("low", "high"))
            axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            axis.plot(x, y, color=colour, marker=MARKERS[i % len(MARKERS)], markersize=4, label=_label(curve, found))
            if curve.knee is not None:
                success = 100 * (curve.doses[curve.knee].success or 0)
                axis.plot([at[curve.knee]], [success], "o", color=colour, markersize=12, fillstyle="none")
        axis.set_title(_title(env), fontsize=9)
        axis.set(xlabel=printable(found.argument), ylim=(-4, 104))
        axis.set_xticks(at, [printable(str(value)) for value in found.values])
    axes[0].set_ylabel("success, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def write_curve(found: DoseResponse, path: Path) -> None:
    """Write the page of a curve; needs no other file, and names the folders of the runs.

    Raises:
        OSError: if it cannot be written.
    """
    svg, reason = "", ""
    if can_draw():
        with drawing("curve"):
            svg = to_svg(curve_figure(found), "curve", "Success along the values")
    else:
        reason = NO_MATPLOTLIB
    runs = ", ".join(f"{folder}/report.html" for folder in found.folders)
    pieces = [
        Piece("curve", f"Success along {printable(found.argument)}", svg=svg, reason=reason,
              note="Bands: 95 % at each value alone. A ring marks the knee."),
        Piece("values", "Each environment", note=NOTE, tables=tuple(curve_grids(found))),
    ]  # fmt: skip
    why = f"they are in the reports of the runs: {runs}" if runs else "the runs are not at hand"
    page = fill(dense=found.dense, verdict=curve_sentences(found), pieces=pieces, no_pairs=printable(why))
    write_whole(path, page.encode("utf-8", "backslashreplace"))


def _title(env: str) -> str:
    return "All environments together" if env == POOLED else printable(short_env(env))


def _label(curve: AgentCurve, found: DoseResponse) -> str:
    return printable(curve.agent.removeprefix(f"{found.dense}+"))


def _knee(curve: AgentCurve, found: DoseResponse) -> str:
    return "not seen" if curve.knee is None else _at(curve, found)


def _at(curve: AgentCurve, found: DoseResponse) -> str:
    return f"{found.argument}={found.values[curve.knee or 0]}"


def _positions(found: DoseResponse) -> list[float]:
    """Return where the values stand: as numbers if they are, else one after the other."""
    numbers = [float(value) for value in found.values if isinstance(value, int | float) and not isinstance(value, bool)]
    return numbers if len(set(numbers)) == len(found.values) else [float(i) for i in range(len(found.values))]


def _cell(dose: Dose) -> Cell:
    if dose.success is None or dose.interval is None:
        return Cell(DASH)
    shown = f"{100 * dose.success:.1f} ({100 * dose.interval.low:.1f} to {100 * dose.interval.high:.1f})"
    if dose.difference is None or dose.difference_interval is None:
        return Cell(shown)
    if dose.limit == "floor":
        return Cell(f"{shown}\n{DASH}")
    ends = dose.difference_interval
    shown += f"\n{100 * dose.difference:+.1f} ({100 * ends.low:+.1f} to {100 * ends.high:+.1f})"
    sure = dose.p_holm is not None and dose.p_holm < 0.05
    return Cell(shown, "loss" if dose.lost else "gain" if sure else "")
