"""Workflow generation: choose, order and connect the steps that reach a goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome, TextEnv
from acgym.envs.workflow.anchors import ANCHORS, HEURISTIC_ANCHORS
from acgym.envs.workflow.decompose import draw_decomposition, say_decomposition, write_graph
from acgym.envs.workflow.graphs import draw_plan, draw_telling, draw_texts, execution_order, say_steps
from acgym.envs.workflow.guess import guess_plan, random_plan
from acgym.envs.workflow.heuristic import list_steps
from acgym.envs.workflow.library import SCENARIOS
from acgym.envs.workflow.meaning import judge_plan
from acgym.scorers.workflow_graph import chain_score, edge_score, graph_score
from acgym.scorers.workflow_text import Workflow as Graph
from acgym.scorers.workflow_text import missing_part, normal, parse_workflow
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Split, Task

_RULES = """\
Write the plan that reaches the goal.
List only the steps that the goal needs. Put each step after the steps it needs. Copy the steps word for word.
Write an edge (a,b) if step number b needs step number a, (START,b) if it needs nothing, and (a,END) for the goal.
Use this format:
Node:
1: first step
2: second step
Edge: (START,1) (1,2) (2,END)"""
_STYLE_RULES = {
    "needs": "",
    "sentences": "\nA step without a sentence under Needs needs nothing.",
    "prose": "\nA step without a sentence under Needs needs nothing.",
    "materials": "\nA step needs the steps that make what it takes.",
}
TOLD = "told"
"""The scenario in which needs are told."""
_NONE = (-1,)
_TRIES = 100
"""Pairings of repeated steps that are looked at: a plan with repeated steps is wrong."""
_MOST_NODES = 200
_NO_PLAN = (
    'Your reply has no plan that can be read: {}. Write "Node:", then one step on each line as "1: step", '
    'then "Edge:" and the edges as (START,1) (1,2) (2,END).'
)


class Workflow(TextEnv):
    """ACB/Workflow-v0: choose the steps that a goal needs, order them, and connect them.

    With ``scenario="told"``, the default, it is told what each step needs. In the four other scenarios this follows
    from what the steps mean: see :class:`acgym.envs.workflow.scenarios.WorkflowOpen` for what differs there. What
    follows here is said of ``"told"``.

    What the agent sees: the rules and the answer format, a goal that is one of the steps, and a shuffled list of steps.
    It says what each step needs; some steps are not needed for the goal.

    What it must say: anything, then a plan in WorfBench's text format. The text after the last line ``Node:`` counts::

        Node:
        1: wash pot
        2: boil leek
        Edge: (START,1) (1,2) (2,END)

    Edges: (a,b) for each step b that needs step a, (START,b) for a step that needs nothing, (a,END) for the goal.

    What earns progress: (c + s) / 2. c is the node-chain F1 of the plan (all linear extensions count); s is the smaller
    of its graph F1 and its edge F1, because graph F1 alone forgives edges that are too many (see
    :mod:`acgym.scorers.workflow_graph`). Success is progress 1: the needed steps and no others, each after what it
    needs, and exactly the edges. An edge that follows from others but is not a stated need is one too many.

    When it ends: with the first plan that can be read. A reply without one changes nothing; there are three steps.

    Levels (steps needed, goal included; steps not needed; texts; how needs are told):

    ===== ======== ===== =============================================== ===========================================
    level needed   extra texts                                           needs
    ===== ======== ===== =============================================== ===========================================
    1     3 to 4   1     ``boil leek``; no word twice                    in brackets; each step has one user (a tree)
    2     5        3     ``boil leek``; half share verb or noun          in brackets; from here on any acyclic graph
    3     6 to 7   4     as 2                                            a sentence a line, in a section of their own
    4     8 to 9   5     ``boil the red leek``; may differ in one word   the sentences in one paragraph
    5     10 to 12 6     as 4                                            each step takes and makes named materials
    ===== ======== ===== =============================================== ===========================================

    Errors in ``info["error"]``, the first that holds: ``"unknown_step"`` (not on the list, or not copied word for
    word), ``"missing_step"``, ``"extra_step"`` (not needed, or twice), ``"wrong_order"``, ``"wrong_edges"``.

    Splits share no pair of verb and noun, no layout (needs, goal and listing together), and no name of a material.

    Args:
        level: 1 to 5.
        scenario: ``"told"``; ``"function_call"``, ``"problem_solving"``, ``"embodied"`` or ``"open_grounded"``.
        render_mode: ``"ansi"`` or None.

    Raises:
        ValueError: for another scenario.

    Source: ACBench (arXiv 2505.19433), workflow generation; stands for WorfBench (arXiv 2410.07869). Everything is
    generated (MIT), and steps are compared by text where WorfBench compares sentence embeddings.

    Versions: v0, first.
    """

    env_id = "ACB/Workflow-v0"
    capability = "workflow generation"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_step": "wrong_tool",
        "missing_step": "premature_stop",
        "extra_step": "wrong_tool",
        "wrong_edges": "wrong_order",
        "done_step": "lost_track",
        "repeated_step": "loop",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.002, 0.350),
        2: Anchor(0.000, 0.253),
        3: Anchor(0.000, 0.229),
        4: Anchor(0.000, 0.209),
        5: Anchor(0.000, 0.192),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.205, 0.858),
        2: Anchor(0.038, 0.826),
        3: Anchor(0.000, 0.387),
        4: Anchor(0.000, 0.356),
        5: Anchor(0.000, 0.333),
    }

    def __init__(self, level: int = DEFAULT_LEVEL, scenario: str = TOLD, render_mode: str | None = None) -> None:
        if scenario not in (TOLD, *SCENARIOS):
            raise ValueError(f"scenario must be one of {', '.join((TOLD, *SCENARIOS))}, got {scenario!r}")
        super().__init__(level, render_mode)
        self.scenario = scenario
        if scenario == TOLD:  # the episodes that the id had before there were scenarios
            self._arguments = {key: value for key, value in self._arguments.items() if key != "scenario"}

    @property
    def anchor(self) -> Anchor | None:
        """What ``random_reply`` scores at this level in this scenario."""
        return ANCHORS.get(self.scenario, self.anchors).get(self.level)

    @property
    def heuristic_anchor(self) -> Anchor | None:
        """What ``heuristic_reply`` scores at this level in this scenario."""
        return HEURISTIC_ANCHORS.get(self.scenario, self.heuristic_anchors).get(self.level)

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a plan, its step texts and the way it is told; or a goal of the library and the list of its steps."""
        if self.scenario != TOLD:
            return draw_decomposition(draw, split, self.level, self.scenario)
        plan = draw_plan(draw, split, self.level)
        steps = draw_texts(draw, split, len(plan.needs), self.level)
        data = {"steps": steps, "needs": plan.needs, "goal": plan.goal, **draw_telling(draw, split, plan, self.level)}
        gold = write_plan(steps, plan.needs, plan.order)
        return Task(f"{len(plan.order)} of {len(steps)} steps", steps[plan.goal], data, gold)

    def tell(self) -> str:
        """Say the rules, the goal and the steps."""
        if self.scenario != TOLD:
            return say_decomposition(self.task, self.limit_line())
        data = self.task.data
        return f"{_RULES}{_STYLE_RULES[data['style']]}\n{self.limit_line()}Goal: {self.task.goal}\n{say_steps(data)}"

    def judge(self, action: str) -> Outcome:
        """Score a plan against the reference."""
        plan = parse_workflow(action)
        if plan is None:
            return self.malformed(_NO_PLAN.format(missing_part(action)))
        if self.scenario != TOLD:
            verdict = judge_plan(plan, self.task.data)
            right = verdict.error is None
            return Outcome(verdict.sentence, verdict.progress, success=right, terminated=True, error=verdict.error)
        gold = parse_workflow(self.task.reference)
        assert gold is not None
        if _same(plan, gold):
            return Outcome("The plan is right.", 1.0, success=True, terminated=True)
        plan = _without_repeats(plan, 2 * len(self.task.data["steps"]))
        chain = chain_score(plan, gold, tries=_TRIES)
        shape = min(graph_score(plan, gold, tries=_TRIES), edge_score(plan, gold, tries=_TRIES))
        progress = (chain + shape) / 2
        if progress == 1.0:
            return Outcome("The plan is right.", 1.0, success=True, terminated=True)
        error, sentence = self._first_error(plan, gold, chain)
        return Outcome(sentence, progress, terminated=True, error=error)

    def oracle(self) -> str:
        """Walk back from the goal, number the steps in execution order, then write the plan."""
        data = self.task.data
        if self.scenario != TOLD:
            return write_graph(data)
        steps, needs = data["steps"], data["needs"]
        order = execution_order(needs, data["goal"])
        number = {step: place for place, step in enumerate(order, 1)}
        back = [f"- {steps[i]} < {', '.join(steps[j] for j in needs[i]) or 'nothing'}" for i in reversed(order)]
        forth = [
            f"- {steps[i]} {number[i]} < {', '.join(f'{steps[j]} {number[j]}' for j in needs[i]) or 'START'}"
            for i in order
        ]
        return "\n".join([*back, *forth, write_plan(steps, needs, order)])

    def heuristic_reply(self) -> str:
        """List the steps as they stand; see :mod:`acgym.envs.workflow.heuristic`. Or guess by words they share."""
        if self.scenario != TOLD:
            return guess_plan(self.observations[0])
        return list_steps(self.observations[0])

    def random_reply(self, rng: np.random.Generator) -> str:
        """Write some of the listed steps in random order, as a chain."""
        if self.scenario != TOLD:
            return random_plan(self.task.data, rng)
        steps = self.task.data["steps"]
        chosen = rng.permutation(len(steps))[: rng.integers(1, len(steps) + 1)].tolist()
        needs: list[list[int]] = [[] for _ in steps]
        for before, after in pairwise(chosen):
            needs[after] = [before]
        return write_plan(steps, needs, chosen)

    def _first_error(self, plan: Graph, gold: Graph, chain: float) -> tuple[str, str]:
        """Name the first thing that is wrong: steps, then their order, then the edges."""
        listed = {normal(step) for step in self.task.data["steps"]}
        wanted = {normal(step) for step in gold.nodes}
        said = [normal(step) for step in plan.nodes]
        for step, raw in zip(said, plan.nodes, strict=True):
            if step not in listed:
                return "unknown_step", f"The step {excerpt(raw)} is not in the list."
        if wanted - set(said):
            return "missing_step", "The plan lacks a step that the goal needs."
        if len(said) > len(wanted):
            return "extra_step", "The plan has a step that the goal does not need."
        if chain < 1:
            return "wrong_order", "The plan has a step before a step that it needs."
        return "wrong_edges", "The steps are right, the edges are not."


def write_plan(steps: Sequence[str], needs: Sequence[Sequence[int]], order: Sequence[int]) -> str:
    """Write the plan that lists ``order``: the nodes, then for each node its edges, at last the edge to END."""
    number = {step: place for place, step in enumerate(order, 1)}
    nodes = "\n".join([f"{place}: {steps[step]}" for step, place in number.items()])
    edges = " ".join([f"({number[j] if j >= 0 else 'START'},{number[i]})" for i in order for j in needs[i] or _NONE])
    return f"Node:\n{nodes}\nEdge: {edges} ({len(order)},END)"


def _same(plan: Graph, gold: Graph) -> bool:
    """Say whether a plan is the reference in the same order: then no pairing of its steps need be looked for."""
    if len(plan.nodes) != len(gold.nodes) or sorted(plan.edges) != sorted(gold.edges):
        return False
    return all(normal(one) == normal(other) for one, other in zip(plan.nodes, gold.nodes, strict=True))


def _without_repeats(plan: Graph, most: int) -> Graph:
    """Of a plan of more than ``most`` nodes read the first 200, and let each text stand for a step once.

    No such plan is right, and none is worth the time that pairing its repeats takes.
    """
    if len(plan.nodes) <= most:
        return plan
    seen: set[str] = set()
    nodes = []
    for number, text in enumerate(plan.nodes[:_MOST_NODES]):
        name = normal(text)
        nodes.append(f"{text}\n{number}" if name in seen else text)
        seen.add(name)
    end, last = len(plan.nodes) + 1, len(nodes) + 1
    edges = [(a, last if b == end else b) for a, b in plan.edges if a <= len(nodes) and (b <= len(nodes) or b == end)]
    return Graph(nodes, edges)
