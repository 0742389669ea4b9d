"""Figures of what was lost: a forest of differences, and success along a number that describes the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from acgym.analysis.result import POOLED
from acgym.record.episode import Episode
from acgym.report.figures import MOST_AGENTS, short_env
from acgym.report.material import Material, Missing
from acgym.report.svg import GAIN, INK, LOSS, SOFT, agent_colour, panels
from acgym.statistics.paired import wilson
from acgym.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRETCHES = 6
"""Points of a curve along a number that takes many values: as many stretches of equal numbers of episodes."""


def forest(material: Material) -> Figure:
    """Difference in success to the first agent with its 95 % interval, an environment a panel, an agent a line."""
    labels = [env for env in material.result.labels if any(agent.comparison(env) for agent in material.others)]
    if not labels:
        raise Missing("there is no other agent, or none was compared")
    names = [material.label(agent.name) for agent in material.others]
    figure, axes = panels(len(labels), 3, height=0.9 + 0.24 * len(names))
    for axis, env in zip(axes, labels, strict=True):
        _panel(axis, material, env)
        axis.set_title("all together" if env == POOLED else short_env(env))
        axis.set_yticks(range(len(names)), names if axis in axes[::3] else [""] * len(names))
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_xlabel("difference, points")
    return figure


def _panel(axis: Axes, material: Material, env: str) -> None:
    axis.axvline(0, color=INK, linewidth=0.8)
    for i, agent in enumerate(material.others):
        row = agent.comparison(env)
        if row is None or row.limit == "floor":  # nothing to lose: no number
            continue
        at, ends = 100 * row.success_difference, row.success_interval
        colour = SOFT if not row.significant else LOSS if at < 0 else GAIN
        sides = [[max(0.0, at - 100 * ends.low)], [max(0.0, 100 * ends.high - at)]]
        axis.errorbar(at, i, xerr=sides, color=colour, marker="o", capsize=2, linestyle="")


def curve(material: Material, fact: str | None = None) -> Figure:
    """Success of each agent along a number that describes the tasks, with its 95 % interval (Wilson).

    Args:
        material: with episodes.
        fact: the number's name among the tasks' facts, such as ``length``; None for the first that varies.
    """
    played = {
        env: {name: [e for e in rows if e.env == env and e.outcome == "finished"]
              for name, rows in list(material.episodes.items())[:MOST_AGENTS]}
        for env in material.envs
    }  # fmt: skip
    chosen = {env: _varying(next(iter(rows.values())), fact) for env, rows in played.items()}
    shown = {env: name for env, name in chosen.items() if name is not None}
    if not shown:
        what = "no number that varies" if fact is None else f"no number {fact!r} that varies"
        known = sorted({name for rows in played.values() for some in rows.values() for e in some for name in e.facts})
        raise Missing(f"{what} describes these tasks; their numbers are: {', '.join(map(printable, known)) or 'none'}")
    figure, axes = panels(len(shown), 2, height=2.8)
    for axis, (env, name) in zip(axes, shown.items(), strict=True):
        edges = _edges([episode.facts[name] for rows in played[env].values() for episode in rows])
        for i, (agent, rows) in enumerate(played[env].items()):
            _line(axis, rows, name, edges, agent_colour(i), material.label(agent))
        axis.set(title=short_env(env), xlabel=printable(name), ylim=(-4, 104))
        axis.set_ylabel("solved, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _varying(episodes: Sequence[Episode], fact: str | None) -> str | None:
    """Return the fact that is asked for, or the first one, if all episodes have it and it is not always the same."""
    for name in [fact] if fact is not None else (episodes[0].facts if episodes else ()):
        values = [episode.facts.get(name) for episode in episodes]
        if None not in values and len(set(values)) > 1:
            return name
    return None


def _edges(values: Sequence[float]) -> list[float]:
    """Return the lower ends of the stretches; each value is one where there are few."""
    known = np.unique(values)
    if len(known) <= STRETCHES:
        return [float(value) for value in known]
    return [float(value) for value in np.unique(np.quantile(values, np.linspace(0, 1, STRETCHES + 1))[:-1])]


def _line(axis: Axes, rows: Sequence[Episode], fact: str, edges: list[float], colour: str, label: str) -> None:
    places = np.searchsorted(edges, [episode.facts[fact] for episode in rows], side="right") - 1
    points = []
    for stretch in range(len(edges)):
        own = [episode for episode, place in zip(rows, places, strict=True) if place == stretch]
        if own:
            solved = sum(bool(episode.success) for episode in own)
            ends = wilson(solved, len(own))
            middle = float(np.mean([episode.facts[fact] for episode in own]))
            points.append((middle, 100 * solved / len(own), 100 * ends.low, 100 * ends.high))
    if points:
        x, y, low, high = zip(*points, strict=True)
        axis.fill_between(x, low, high, color=SOFT if colour == INK else colour, alpha=0.15, linewidth=0)
        axis.plot(x, y, color=colour, marker=".", label=label)
