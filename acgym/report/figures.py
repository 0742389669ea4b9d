"""The report's figures of scores: size against success, flips, divergence, failure classes, hand-offs, needles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, TypeAlias

from acgym.analysis.failure import CLASSES
from acgym.analysis.numbers import Score
from acgym.analysis.result import POOLED
from acgym.report.material import Material, Missing
from acgym.report.svg import COLOURS, GAIN, INK, LOSS, MARKERS, SOFT, agent_colour, panels
from acgym.report.words import short_env as plain_name
from acgym.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw: TypeAlias = "Callable[[Material], Figure]"
MOST_AGENTS = 12
"""Agents with a panel of their own; the tables have them all."""


def short_env(env: str) -> str:
    """``ACB/ToolCall-v0`` -> ``ToolCall``; other people's ids stay whole."""
    return printable(plain_name(env))


def size(material: Material) -> Figure:
    """Success over all environments against bytes and bits, with the best of each size joined."""
    figures = {"weights, MB": ("weight_bytes", 1e-6), "bits per weight": ("bits_per_weight", 1.0)}
    points: dict[str, list[tuple[int, float, Score]]] = {}
    for axis, (key, scale) in figures.items():
        known = [(i, getattr(agent.sheet, key), agent.score(POOLED)) for i, agent in enumerate(material.agents)]
        points[axis] = [(i, value * scale, score) for i, value, score in known if value and score is not None]
    if len(points["weights, MB"]) < 2:
        raise Missing("fewer than two agents have a known size and a score")
    figure, axes = panels(2, 2, height=3.0)
    for panel, (title, rows) in zip(axes, points.items(), strict=True):
        for i, x, score in rows:
            y, ends = 100 * score.success, score.success_interval
            low, high = 100 * ends.low, 100 * ends.high
            panel.errorbar(
                x, y, yerr=[[max(0.0, y - low)], [max(0.0, high - y)]], color=agent_colour(i), capsize=2,
                marker=MARKERS[i % len(MARKERS)], linestyle="", label=material.label(material.agents[i].name),
            )  # fmt: skip
        front = _front([(x, 100 * score.success) for _, x, score in rows])
        panel.plot(*zip(*front, strict=True), color=SOFT, linestyle="--", linewidth=1, drawstyle="steps-post", zorder=0)
        panel.set(xlabel=title, ylabel="success, %", xlim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no smaller one beats, from the smallest on."""
    front: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or y > front[-1][1]:
            front.append((x, y))
    return [*front, (max(x for x, _ in points), front[-1][1])]


def flips(material: Material) -> Figure:
    """Episodes that only the dense agent solved, and those that only the other one did."""
    if not material.others:
        raise Missing("there is no other agent")
    figure, axes = panels(len(material.envs), 4, height=0.7 + 0.22 * len(material.others))
    names = [material.label(agent.name) for agent in material.others]
    for axis, env in zip(axes, material.envs, strict=True):
        rows = [agent.comparison(env) for agent in material.others]
        lost, won = ([0 if row is None else getattr(row, side) for row in rows] for side in ("lost", "won"))
        bars = [axis.barh(names, [-n for n in lost], color=LOSS), axis.barh(names, won, color=GAIN)]
        for bar, counts in zip(bars, (lost, won), strict=True):
            axis.bar_label(bar, labels=[str(n) if n else "" for n in counts], padding=2)
        axis.axvline(0, color=INK, linewidth=0.8)
        axis.set_title(short_env(env))
        axis.set_xlabel("lost | won, episodes")
        most = max([*lost, *won, 1])
        axis.set_xlim(-1.7 * most, 1.7 * most)
        axis.invert_yaxis()
        axis.set_xticks([])
        axis.set_yticks(range(len(names)), names if axis in axes[::4] else [""] * len(names))
    return figure


def divergence(material: Material) -> Figure:
    """Turn of the first other decision, and what came of it."""
    rows = [(agent, agent.diverged(POOLED)) for agent in material.others]
    apart = [(agent, row.turns) for agent, row in rows if row is not None and row.turns]
    if not apart:
        raise Missing("no pair made other decisions, or none was compared")
    figure, axes = panels(len(apart[:MOST_AGENTS]), 4, height=1.9)
    for axis, (agent, turns) in zip(axes, apart, strict=False):
        parts = {"lost": LOSS, "won": GAIN, "kept": COLOURS[0]}
        counts = {part: [getattr(row, part) for row in turns] for part in parts}
        counts["neither"] = [row.diverged - row.lost - row.won - row.kept for row in turns]
        _stack(axis, [row.turn + 1 for row in turns], counts, {**parts, "neither": SOFT})
        axis.set_title(material.label(agent.name), fontsize=8)
        axis.set_xlabel("turn")
    axes[0].set_ylabel("pairs")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _stack(axis: Axes, at: list[int], parts: Mapping[str, list[int]], colours: Mapping[str, str]) -> None:
    bottom = [0] * len(at)
    for name, counts in parts.items():
        axis.bar(at, counts, bottom=bottom, color=colours[name], label=_OUTCOMES[name], width=0.85)
        bottom = [a + b for a, b in zip(bottom, counts, strict=True)]
    axis.set_xlim(min(at) - 1, max(at) + 1)
    axis.locator_params(integer=True)


def failures(material: Material) -> Figure:
    """How the lost episodes were lost."""
    rows = [(material.label(agent.name), agent.diverged(POOLED)) for agent in material.others]
    lost = [(name, row.lost_classes) for name, row in rows if row is not None and any(row.lost_classes.values())]
    if not lost:
        raise Missing("no episode was lost, or none was compared")
    figure, (axis,) = panels(1, 1, height=0.8 + 0.28 * len(lost))
    names, left = [name for name, _ in lost], [0] * len(lost)
    others = sorted({kind for _, classes in lost for kind in classes} - set(CLASSES))
    for colour, kind in zip(cycle(COLOURS), (*CLASSES, *others), strict=False):
        counts = [classes.get(kind, 0) for _, classes in lost]
        if any(counts):
            axis.barh(names, counts, left=left, color=colour, label=printable(kind.replace("_", " ")))
            left = [a + b for a, b in zip(left, counts, strict=True)]
    axis.invert_yaxis()
    axis.set_xlabel("lost episodes")
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def handoffs(material: Material) -> Figure:
    """Success of lost pairs after k turns of one agent and the rest of the other."""
    rows = [(agent, (agent.handoff or {}).get(POOLED)) for agent in material.others]
    known = [(agent, row.lost) for agent, row in rows if row and row.lost.pairs]
    if not known:
        raise Missing("no hand-offs were played ('acgym handoff RUN AGENT' plays them)")
    figure, axes = panels(len(known[:MOST_AGENTS]), 3, height=2.3)
    for axis, (agent, lost) in zip(axes, known, strict=False):
        for (first, words), colour in zip(_WHO.items(), COLOURS, strict=False):
            curve = lost.curves[first]
            k = [row.k for row in curve]
            low, high, success = ([100 * getattr(row, key) for row in curve] for key in ("low", "high", "success"))
            axis.fill_between(k, low, high, color=colour, alpha=0.2, linewidth=0)
            axis.plot(k, success, color=colour, marker=".", label=words)
        axis.set_title(f"{material.label(agent.name)} ({lost.pairs} pairs)", fontsize=8)
        axis.set(xlabel="k", ylim=(-4, 104))
        axis.locator_params(axis="x", integer=True)
    axes[0].set_ylabel("solved, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


_OUTCOMES = {"lost": "lost", "won": "won", "kept": "both solved it", "neither": "neither solved it"}
_WHO = {
    "other": "k turns compressed, then dense",
    "dense": "k turns dense, then compressed",
}
