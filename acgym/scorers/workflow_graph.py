"""Scores of a workflow against a gold workflow: node-chain F1, graph F1 and edge F1."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import permutations, product
from math import perm, prod

from acgym.scorers.workflow_text import Workflow, parse_workflow

__all__ = ["Workflow", "edge_f1", "graph_f1", "node_chain_f1", "parse_workflow"]

Similarity = Callable[[str, str], float]
"""How alike two step texts are, usually in [0, 1]."""

THRESHOLD = 0.6
"""Two steps can only match when their similarity is above this (Qiao et al. 2025, WorfEval)."""

MAX_ASSIGNMENTS = 120
"""Up to so many ways to pair steps of equal text are all tried."""


def node_chain_f1(
    predicted_text: str, gold_text: str, *, compat: str | None = None, similarity: Similarity | None = None
) -> float:
    """Score the order of steps: F1 of the longest chain that both the prediction and the gold workflow admit.

    f1_chain = 2PR / (P + R), P = k / |predicted nodes|, R = k / |gold nodes| (Qiao et al. 2025, arXiv 2410.07869),
    where k is the size of the largest set of matched steps whose predicted order is part of some linear extension of
    the gold graph. All linear extensions count (the published code tries the first 20); nothing matched is k = 0.

    Args:
        predicted_text: what a model said; 0.0 when no workflow can be read from it.
        gold_text: the reference workflow.
        compat: None for the definition above; ``"acbench"`` for what the published ACBench code computes.
        similarity: compares two step texts; a maximum-weight matching above 0.6 is taken. None matches texts that are
            equal up to case and spaces.

    Returns:
        A score in [0, 1].

    Raises:
        ValueError: if ``gold_text`` is not a workflow, or ``compat`` is unknown.
    """
    if _is_compat(compat):
        from acgym.scorers.worfbench import node_chain_f1 as published

        return published(predicted_text, gold_text, similarity)
    predicted, gold = parse_workflow(predicted_text), _gold(gold_text)
    return 0.0 if predicted is None else chain_score(predicted, gold, similarity)


def graph_f1(
    predicted_text: str, gold_text: str, *, compat: str | None = None, similarity: Similarity | None = None
) -> float:
    """Score the structure: F1 of the largest connected part that the prediction shares with the gold workflow.

    P = k / |predicted nodes|, R = k / |gold nodes|, START and END count as nodes, and k is the size of the largest
    weakly connected component of the gold edges that the prediction has too, its nodes mapped to those they match.
    (The published code compares node numbers without mapping them.) No shared edge is k = 0. Edges that only the
    prediction has cost nothing, and not every gold edge is needed: what counts is what hangs together. See
    :func:`edge_f1` for a score that counts edges.

    Args, returns and errors are those of :func:`node_chain_f1`.
    """
    if _is_compat(compat):
        from acgym.scorers.worfbench import graph_f1 as published

        return published(predicted_text, gold_text, similarity)
    predicted, gold = parse_workflow(predicted_text), _gold(gold_text)
    return 0.0 if predicted is None else graph_score(predicted, gold, similarity)


def edge_f1(predicted_text: str, gold_text: str, *, similarity: Similarity | None = None) -> float:
    """Score the edges: F1 of the predicted edges, mapped to gold nodes, against the gold edges. Not in the paper."""
    predicted, gold = parse_workflow(predicted_text), _gold(gold_text)
    return 0.0 if predicted is None else edge_score(predicted, gold, similarity)


def chain_score(predicted: Workflow, gold: Workflow, similarity: Similarity | None = None) -> float:
    """Compute :func:`node_chain_f1` of two graphs."""
    above = ancestors(gold)
    best = max(longest_chain(match, above) for match in matchings(predicted.nodes, gold.nodes, similarity))
    return f1(best, len(predicted.nodes), len(gold.nodes))


def graph_score(predicted: Workflow, gold: Workflow, similarity: Similarity | None = None) -> float:
    """Compute :func:`graph_f1` of two graphs."""
    true = set(gold.edges)
    best = max(
        largest_component(mapped_edges(predicted, gold, match) & true)
        for match in matchings(predicted.nodes, gold.nodes, similarity)
    )
    return f1(best, len(predicted.nodes) + 2, len(gold.nodes) + 2)


def edge_score(predicted: Workflow, gold: Workflow, similarity: Similarity | None = None) -> float:
    """Compute :func:`edge_f1` of two graphs."""
    true = set(gold.edges)
    best = max(
        len(mapped_edges(predicted, gold, match) & true) for match in matchings(predicted.nodes, gold.nodes, similarity)
    )
    return f1(best, len(set(predicted.edges)), len(true))


def f1(shared: int, predicted: int, gold: int) -> float:
    """Return 2PR / (P + R) for P = shared / predicted and R = shared / gold, that is 2 shared / (predicted + gold)."""
    return 2 * shared / (predicted + gold) if shared else 0.0


def matchings(
    predicted: Sequence[str], gold: Sequence[str], similarity: Similarity | None = None, *, in_order: bool = False
) -> Iterator[dict[int, int]]:
    """Pair predicted with gold nodes, both numbered from 1, as many as can be paired.

    Texts that occur once give one matching. Where a text occurs several times all ways to pair them are given; above
    ``MAX_ASSIGNMENTS`` ways, or with ``in_order``, only the one in order of occurrence. With ``similarity`` there is
    one matching, of the largest total weight.
    """
    if similarity is not None:
        yield heaviest_matching(predicted, gold, similarity)
        return
    here, there = _places(predicted), _places(gold)
    both = [(here[text], there[text]) for text in here if text in there]
    if in_order or prod(perm(max(len(a), len(b)), min(len(a), len(b))) for a, b in both) > MAX_ASSIGNMENTS:
        yield {mine: true for a, b in both for mine, true in zip(a, b, strict=False)}
        return
    for choice in product(*(_assignments(a, b) for a, b in both)):
        yield {mine: true for pairs in choice for mine, true in pairs}


def _places(texts: Iterable[str]) -> dict[str, list[int]]:
    """Number the texts from 1 and group them by their text, case and spaces made alike."""
    places: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts, 1):
        places[normal(text)].append(number)
    return places


def normal(text: str) -> str:
    """Make case and spaces alike."""
    return " ".join(text.casefold().split())


def _assignments(mine: list[int], true: list[int]) -> list[list[tuple[int, int]]]:
    """List the ways to pair all of the shorter list with members of the longer."""
    if len(mine) <= len(true):
        return [list(zip(mine, chosen, strict=True)) for chosen in permutations(true, len(mine))]
    return [list(zip(chosen, true, strict=True)) for chosen in permutations(mine, len(true))]


def heaviest_matching(predicted: Sequence[str], gold: Sequence[str], similarity: Similarity) -> dict[int, int]:
    """Pair nodes so that the summed similarity is largest; only pairs above ``THRESHOLD`` count."""
    from scipy.optimize import linear_sum_assignment

    alike = [[similarity(a, b) for b in gold] for a in predicted]
    cost = [[-value if value > THRESHOLD else 0.0 for value in row] for row in alike]
    rows, columns = linear_sum_assignment(cost)
    return {int(i) + 1: int(j) + 1 for i, j in zip(rows, columns, strict=True) if cost[i][j] < 0}


def ancestors(workflow: Workflow) -> list[set[int]]:
    """For each node number, the numbers of the nodes that come before it on some path; cycles are allowed."""
    before: list[list[int]] = [[] for _ in range(len(workflow.nodes) + 2)]
    for a, b in workflow.edges:
        if a > 0 and 0 < b <= len(workflow.nodes):
            before[b].append(a)
    above = []
    for node in range(len(before)):
        seen: set[int] = set()
        stack = list(before[node])
        while stack:
            a = stack.pop()
            if a not in seen and a < len(before):
                seen.add(a)
                stack.extend(before[a])
        above.append(seen)
    return above


def longest_chain(match: dict[int, int], above: Sequence[set[int]]) -> int:
    """Return the size of the largest set of matched steps that some linear extension of the gold graph has in order.

    A set fits when no two of its steps are inverted (u predicted before v, v an ancestor of u in gold): a cycle of
    predicted order and gold paths would need a gold path that leads back in predicted order, between two of its steps.
    "Inverted" is a partial order (predicted order, and the reverse of the gold order), so the largest set without an
    inverted pair is its largest antichain: by Dilworth's theorem, steps minus a maximum bipartite matching.
    """
    steps = [match[mine] for mine in sorted(match)]
    later = [[j for j in range(i + 1, len(steps)) if steps[j] in above[u]] for i, u in enumerate(steps)]
    partner: dict[int, int] = {}
    owner: dict[int, int] = {}
    pairs = sum(_augment(i, later, partner, owner) for i in range(len(steps)))
    return len(steps) - pairs


def _augment(start: int, later: list[list[int]], partner: dict[int, int], owner: dict[int, int]) -> bool:
    """Grow a bipartite matching by one pair along an alternating path from ``start``, if there is one."""
    reached: dict[int, int] = {}
    queue = [start]
    for i in queue:
        for j in later[i]:
            if j in reached:
                continue
            reached[j] = i
            if j in owner:
                queue.append(owner[j])
                continue
            while True:
                left = reached[j]
                before = partner.get(left)
                owner[j], partner[left] = left, j
                if before is None:
                    return True
                j = before
    return False


def mapped_edges(predicted: Workflow, gold: Workflow, match: dict[int, int]) -> set[tuple[int, int]]:
    """Return the predicted edges between matched nodes, START and END, in gold numbers."""
    number = {**match, 0: 0, len(predicted.nodes) + 1: len(gold.nodes) + 1}
    return {(number[a], number[b]) for a, b in predicted.edges if a in number and b in number}


def largest_component(edges: Iterable[tuple[int, int]]) -> int:
    """Return how many nodes the largest weakly connected component has; 0 without edges."""
    root: dict[int, int] = {}

    def find(node: int) -> int:
        while root.setdefault(node, node) != node:
            root[node] = node = root[root[node]]
        return node

    for a, b in edges:
        root[find(a)] = find(b)
    return max(Counter(map(find, list(root))).values(), default=0)


def _gold(text: str) -> Workflow:
    gold = parse_workflow(text)
    if gold is None:
        raise ValueError(
            f"the gold text is not a workflow; expected 'Node:', '1: step', 'Edge: (START,1)', got {text!r}"
        )
    return gold


def _is_compat(compat: str | None) -> bool:
    if compat not in (None, "acbench"):
        raise ValueError(f"compat must be None or 'acbench', got {compat!r}")
    return compat is not None
