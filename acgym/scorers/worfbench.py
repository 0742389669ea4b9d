"""The WorfBench scores as the published ACBench code computes them, defects included, to explain published numbers.

What differs from the definitions in :mod:`acgym.scorers.workflow_graph`:

* a node is found wherever a number, ``:`` or ``.``, and a space stand, so ``1.step`` is none and "step 2. of" is one;
* the longest increasing run counts at least 1, so that a plan in which nothing matches scores above 0;
* only the first 20 topological orders of the gold graph are tried, in the order in which networkx lists them;
* with 10 entries or more, START and END included, the gold list stands for its only order, START and END included,
  while the prediction has them removed: a perfect answer then scores below 1;
* edges are compared by node number, before numbers are mapped to the nodes that they match;
* START and END are nodes that always match, so that a graph score is never 0.

Where the published code stops with an error (a prediction without steps, a gold graph with a cycle) the score is 0.0.
Where several matchings are equally good, as with texts that repeat, it takes whichever networkx finds; so does this,
with edges added in the same order, and so may a later release of networkx differ.
Read from github.com/zjunlp/WorfBench (MIT), which ACBench copies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from acgym.scorers.workflow_match import THRESHOLD, Similarity, largest_component
from acgym.scorers.workflow_text import Workflow

MAX_ORDERS = 20
"""Topological orders that are tried."""
LONG = 10
"""From so many entries on, START and END included, only the given order is tried."""

_NODE = re.compile(r"(?<!\d)\d+[:.] (.+)")  # the look-behind changes no match; without it long numbers take seconds
_EDGE = re.compile(r"\(\s*(\d+|START)\s*,\s*(\d+|END)\s*\)")


def parse(text: str) -> Workflow | None:
    """Read a workflow as the published code does; START and END are entries of ``nodes``, edges are as written."""
    steps = [step.strip() for step in _NODE.findall(text)]
    pairs = _EDGE.findall(text)
    if "Node" not in text or not pairs:
        return None
    number = {"START": 0, "END": len(steps) + 1}
    try:
        edges = [tuple(number[end] if end in number else int(end) for end in pair) for pair in pairs]
    except ValueError:  # more digits than Python reads as a number; the published code gives up as well
        return None
    return Workflow(["START", *steps, "END"], [(a, b) for a, b in edges])


def node_chain_f1(predicted_text: str, gold_text: str, similarity: Similarity | None = None) -> float:
    """Return the published node-chain F1; see the module for what is particular about it."""
    predicted, gold = parse(predicted_text), parse(gold_text)
    if predicted is None or gold is None:
        return 0.0
    steps = [step for step in predicted.nodes if step not in ("START", "END")]
    if not steps:
        return 0.0
    return max((_plan_f1(steps, order, similarity) for order in _gold_orders(gold)), default=0.0)


def graph_f1(predicted_text: str, gold_text: str, similarity: Similarity | None = None) -> float:
    """Return the published graph F1; see the module for what is particular about it."""
    predicted, gold = parse(predicted_text), parse(gold_text)
    if predicted is None or gold is None:
        return 0.0
    match = _match(predicted.nodes, gold.nodes, similarity)
    if not match:
        return 0.0
    mine, true = set(match), set(match.values())
    shared = {edge for edge in predicted.edges if mine.issuperset(edge)}
    shared &= {edge for edge in gold.edges if true.issuperset(edge)}
    size = max(1, largest_component(shared))
    return 2 * size / (len(predicted.nodes) + len(gold.nodes))


def _match(predicted: Sequence[str], gold: Sequence[str], similarity: Similarity | None) -> dict[int, int]:
    """Match two lists, counted from 0, as networkx does."""
    import networkx

    graph: Any = networkx.Graph()
    if similarity is None:
        mine, true = [_plain(text) for text in predicted], [_plain(text) for text in gold]
        pairs = [(i, j, 1.0) for i, a in enumerate(mine) for j, b in enumerate(true) if a == b]
    else:
        pairs = [(i, j, similarity(a, b)) for i, a in enumerate(predicted) for j, b in enumerate(gold)]
    for i, j, alike in pairs:
        if alike > THRESHOLD:
            graph.add_edge(i, str(j), weight=alike)
    ends = [pair if isinstance(pair[0], int) else pair[::-1] for pair in networkx.max_weight_matching(graph)]
    return {i: int(j) for i, j in ends}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _plan_f1(steps: Sequence[str], order: Sequence[str], similarity: Similarity | None) -> float:
    """F1 of the longest increasing run of matched steps, which counts at least 1."""
    match = _match(steps, order, similarity)
    longest: list[tuple[int, int]] = []
    for i in sorted(match):
        longest.append((match[i], 1 + max((size for place, size in longest if place < match[i]), default=0)))
    run = max((size for _, size in longest), default=1)
    return 2 * run / (len(steps) + len(order))


def _gold_orders(gold: Workflow) -> list[list[str]]:
    """List the orders that the prediction is compared with; none for a graph that cannot be ordered."""
    if len(gold.nodes) >= LONG:
        return [gold.nodes]
    if any(not 0 <= end < len(gold.nodes) for edge in gold.edges for end in edge):
        return []
    import networkx

    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(range(len(gold.nodes)))
    graph.add_edges_from(gold.edges)
    try:
        orders = list(islice(networkx.all_topological_sorts(graph), MAX_ORDERS))
    except networkx.NetworkXUnfeasible:  # a cycle
        return []
    return [[gold.nodes[i] for i in order if gold.nodes[i] not in ("START", "END")] for order in orders]
