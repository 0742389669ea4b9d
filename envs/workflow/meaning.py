"""The judge of a plan whose needs follow from what its steps mean: nobody loses by an edge that can be disputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acgym.envs.workflow.decompose import DONE, NOT_NEEDED, UNKNOWN, known, meant
from acgym.scorers.workflow_graph import f1
from acgym.scorers.workflow_match import ancestors, largest_component, longest_chain
from acgym.scorers.workflow_text import Workflow as Graph
from acgym.text import excerpt
from acgym.types import Json


class Verdict(NamedTuple):
    """What a plan is worth."""

    chain: float
    """Node-chain F1: all orders count in which no step comes before one that it needs."""
    graph: float
    """Graph F1: an edge of the reference is kept where the plan's edges lead from its first step to its second,
    directly or not, and not back; START and END are joined to the first and last steps that the plan has."""
    kept: float
    """Share of the needs that the plan's edges keep; 1 where there are none."""
    error: str | None
    sentence: str

    @property
    def progress(self) -> float:
        """Return (chain + the smaller of graph and kept) / 2: 1 for right steps, no need violated, all needs kept."""
        return (self.chain + min(self.graph, self.kept)) / 2


def judge_plan(plan: Graph, data: Mapping[str, Json]) -> Verdict:
    """Compare a plan with the steps and needs of a task."""
    names = known(data)
    means = {text: meant(text, names, data["scenario"]) for text in set(plan.nodes)}
    said = [means[text] for text in plan.nodes]
    after: Sequence[Sequence[int]] = data["after"]
    edges = [(before, step) for step, below in enumerate(after) for before in below]
    place: dict[int, int] = {}
    for number, step in enumerate(said):
        if step >= 0:
            place.setdefault(step, number)
    longest = longest_chain(
        [1 << place[step] if step in place else 0 for step in range(len(after))], ancestors(len(after), edges)
    )
    chain = f1(longest, len(said), len(after))
    kept = _kept(plan, place, edges)
    used = {before for before, _ in edges}
    ends = [(-1, step) for step, below in enumerate(after) if not below and step in place]
    ends += [(step, -2) for step in range(len(after)) if step not in used and step in place]
    graph = f1(largest_component([*kept, *ends]), len(said) + 2, len(after) + 2)
    share = len(kept) / len(edges) if edges else 1.0
    error, sentence = _first_error(plan, said, place, len(after), chain, share)
    return Verdict(chain, graph, share, error, sentence)


def _kept(plan: Graph, place: Mapping[int, int], edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """List the needs that the plan's edges lead along, and not against."""
    step = {number + 1: found for found, number in place.items()}
    said: list[tuple[int, int]] = [(step[a], step[b]) for a, b in set(plan.edges) if a in step and b in step]
    above = ancestors(max(place, default=-1) + 1, said)
    return [(a, b) for a, b in edges if a in place and b in place and a in above[b] and b not in above[a]]


def _first_error(
    plan: Graph, said: Sequence[int], place: Mapping[int, int], needed: int, chain: float, share: float
) -> tuple[str | None, str]:
    """Name the first thing that is wrong: steps, then their order, then the edges."""
    for step, text in zip(said, plan.nodes, strict=True):
        if step == UNKNOWN:
            return "unknown_step", f"The step {excerpt(text)} is not in the list."
    if DONE in said:
        return "done_step", "The plan has a step that has been done already."
    if NOT_NEEDED in said:
        return "extra_step", "The plan has a step that is not needed."
    if len(place) < needed:
        return "missing_step", "The plan lacks a step that is needed."
    if len(said) > needed:
        return "repeated_step", "The plan has a step twice."
    if chain < 1:
        return "wrong_order", "The plan has a step before one that must come first."
    if share < 1:
        return "wrong_edges", "The steps and their order are right, but an edge is missing or leads back."
    return None, "The plan is right."
