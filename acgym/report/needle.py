"""The report's heat map of long-context retrieval: success by length of the text and by depth of what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acgym.record.episode import Episode
from acgym.report.figures import MOST_AGENTS
from acgym.report.material import Material, Missing
from acgym.report.svg import panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = 10
"""Columns: tenths of the text."""
MOST_LENGTHS = 8
"""Rows: lengths in words, or as many stretches of them."""


def needles(material: Material) -> Figure:
    """One heat map for each agent, the dense one first."""
    from matplotlib import colormaps

    points = {
        agent: [(*at, bool(e.success)) for e in rows if e.outcome == "finished" and (at := place(e))]
        for agent, rows in material.episodes.items()
    }
    if not any(points.values()):
        raise Missing("no episode records a length and a depth, as those of long-context retrieval do")
    lengths = np.unique([length for rows in points.values() for length, _, _ in rows])
    edges = _edges(lengths)
    shown = list(points)[:MOST_AGENTS]
    colours = colormaps["viridis"].resampled(DEPTHS)
    figure, axes = panels(len(shown), 3, height=1.0 + 0.22 * (len(edges) - 1))
    for axis, agent in zip(axes, shown, strict=True):
        rows = np.array(points[agent], dtype=np.float64).reshape(-1, 3)
        solved, all_ = (
            np.histogram2d(rows[:, 0], rows[:, 1], [edges, np.linspace(0, 100, DEPTHS + 1)], weights=weights)[0]
            for weights in (rows[:, 2], None)
        )
        share = np.divide(100 * solved, all_, out=np.full_like(solved, np.nan), where=all_ > 0)
        rising = np.arange(len(edges))
        mesh = axis.pcolormesh(np.linspace(0, 100, DEPTHS + 1), rising, share, vmin=0, vmax=100, cmap=colours)
        axis.set_title(material.label(agent), fontsize=8)
        axis.set_yticks(rising[:-1] + 0.5, [f"{edge:.0f}" for edge in edges[:-1]] if axis in axes[::3] else [])
        axis.set_xlabel("depth, %")
        axis.grid(visible=False)
    axes[0].set_ylabel("length, words")
    figure.colorbar(mesh, ax=axes, shrink=0.8, label="solved, %")
    return figure


def place(episode: Episode) -> tuple[float, float] | None:
    """Return how long an episode's text is, in words, and where in it the answer lies, in percent; None if not said."""
    length, depth = episode.facts.get("length"), episode.facts.get("depth")
    return None if length is None or depth is None else (length, depth)


def _edges(lengths: np.ndarray) -> np.ndarray:
    """Return the lower ends of the rows, and the upper end of the last one; lengths within a tenth share a row."""
    near = [lengths[0]]
    for length in lengths[1:]:
        if length > 1.1 * near[-1]:
            near.append(length)
    if len(near) > MOST_LENGTHS:
        near = list(np.geomspace(lengths[0], lengths[-1], MOST_LENGTHS + 1)[:-1])
    return np.array([*near, lengths[-1] + 1], dtype=np.float64)
