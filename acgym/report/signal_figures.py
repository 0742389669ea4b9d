"""The report's figures of signals: energies, agreement along positions, effective rank of each layer."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acgym.analysis.result import AgentResult
from acgym.report.figures import short_env
from acgym.report.material import Material, Missing
from acgym.report.svg import agent_colour, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
"""Of an energy histogram."""
STRETCHES = 10
"""Into which the positions are cut, with equal numbers of tokens."""
MOST_ALONG = 2
"""Of the following that are drawn: the first that were measured."""
ALONG = (
    ("topk_jaccard@10", "top-10 Jaccard"),
    ("topk_kendall@10", "top-10 Kendall τ"),
    ("kl", "KL, nats"),
    ("flip", "top-1 flips, share"),
)
"""Arrays that are drawn along positions, and what they are called."""


def energies(material: Material) -> Figure:
    """Distribution of the free energy over the dense agent's decision tokens, a line an agent."""
    dense = material.result.dense
    envs = [env for env in material.envs if material.column(dense, env, "energy") is not None]
    if not envs:
        raise Missing("the energies of the dense agent were not measured")
    figure, axes = panels(len(envs), 2, height=2.4)
    for axis, env in zip(axes, envs, strict=True):
        rows = [(i, agent.name, material.column(agent.name, env, "energy")) for i, agent in _numbered(material)]
        known = [(i, name, _finite(values)) for i, name, values in rows if values is not None and len(values)]
        ends = np.array([np.quantile(values, [0.005, 0.995]) for _, _, values in known if len(values)])
        low, high = ends[:, 0].min(), ends[:, 1].max()
        edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
        for i, name, values in known:
            if len(values):
                _outline(axis, np.histogram(values, edges)[0] / len(values), edges, i, material.label(name))
        axis.set_title(short_env(env))
        axis.set(xlabel="energy, -logsumexp of the logits", ylabel="share of tokens", ylim=(0, None))
    _legend(figure, axes)
    return figure


def _outline(axis: Axes, shares: NDArray[Any], edges: NDArray[Any], i: int, label: str) -> None:
    """Draw a histogram's outline; the dense agent's is thick and in the colour of the text."""
    axis.stairs(shares, edges, label=label, color=agent_colour(i), linewidth=1.8 if i == 0 else 1.1)


def positions(material: Material) -> Figure:
    """Agreement with the dense model along the positions of the sequences: a column an environment."""
    arrays = material.arrays
    known = [name for name, _ in ALONG if any(_along(material, agent, env, name) for agent in arrays
                                              for env in material.envs)][:MOST_ALONG]  # fmt: skip
    envs = [env for env in material.envs if any(_along(material, agent, env, name) for agent in arrays
                                                for name in known)]  # fmt: skip
    if not known:
        raise Missing("no agent was compared with the dense model token by token")
    figure, axes = panels(len(known) * len(envs), len(envs), height=2.1)
    for axis, (name, env) in zip(axes, product(known, envs), strict=True):
        for i, agent in _numbered(material)[1:]:
            along = _along(material, agent.name, env, name)
            if along is not None:
                axis.plot(*along, color=agent_colour(i), label=material.label(agent.name))
        axis.set_title(short_env(env))
        axis.set_xlabel("position, tokens")
        axis.set_ylabel(dict(ALONG)[name] if env == envs[0] else "")
    _legend(figure, axes)
    return figure


def _along(material: Material, agent: str, env: str, name: str) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return mean position and mean value of stretches with equal numbers of tokens; None where not measured."""
    at, value = material.column(agent, env, "position"), material.column(agent, env, name)
    if agent == material.result.dense or at is None or value is None or at.shape != value.shape:
        return None
    keep = np.isfinite(value.astype(np.float64))
    order = np.argsort(at[keep], kind="stable")
    parts = [part for part in np.array_split(order, STRETCHES) if len(part)]
    if not parts:
        return None
    return np.array([at[keep][part].mean() for part in parts]), np.array([value[keep][part].mean() for part in parts])


def layers(material: Material) -> Figure:
    """Effective rank of the hidden states after each layer."""
    envs = [env for env in material.envs if any(_ranks(agent, env) for agent in material.agents)]
    if not envs:
        raise Missing("the effective rank was measured after the last layer alone")
    figure, axes = panels(len(envs), 2, height=2.4)
    for axis, env in zip(axes, envs, strict=True):
        for i, agent in _numbered(material):
            ranks = _ranks(agent, env)
            if ranks:
                width, label = 1.8 if i == 0 else 1.2, material.label(agent.name)
                axis.plot(list(ranks), list(ranks.values()), color=agent_colour(i), linewidth=width, label=label)
        axis.set_title(short_env(env))
        axis.set(xlabel="layer", ylabel="effective rank")
        axis.locator_params(axis="x", integer=True)
    _legend(figure, axes)
    return figure


def _ranks(agent: AgentResult, env: str) -> dict[int, float]:
    """Return layer -> effective rank, those that were measured."""
    found = agent.signals.get(env)
    by_layer = (found.erank_layers if found is not None else None) or {}
    return {int(layer): rank for layer in sorted(by_layer, key=int) if (rank := by_layer[layer]) is not None}


def _numbered(material: Material) -> list[tuple[int, AgentResult]]:
    return list(enumerate(material.agents))


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    finite: NDArray[Any] = values[np.isfinite(values)]
    return finite


def _legend(figure: Figure, axes: list[Axes]) -> None:
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4)
