"""Two workflows laid over each other: how many steps keep their order, and which edges they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from operator import ne

from acgym.scorers.pairing import MAX_TRIES, MORE_COPIES, Sides, best_pairing, canonical_order
from acgym.scorers.workflow_text import Workflow, normal

Similarity = Callable[[str, str], float]
"""How alike two step texts are, usually in [0, 1]."""

THRESHOLD = 0.6
"""Two steps can only match when their similarity is above this (Qiao et al. 2025, WorfEval)."""

_START, _END = "\n start", "\n end"  # classes that no step text can have: texts are compared without line breaks


def _sides(predicted: Workflow, gold: Workflow, similarity: Similarity | None) -> tuple[Sides, bool]:
    """Group the steps by text and say which groups are paired, and whether a paired text repeats."""
    mine, true = predicted.nodes, gold.nodes
    if similarity is None:
        mine, true = [normal(text) for text in mine], [normal(text) for text in true]
    here, there = Counter(mine), Counter(true)
    if similarity is None:
        quota = {(text, text): min(count, here[text]) for text, count in there.items() if text in here}
    else:
        # Steps go in by text, so that which of several heaviest matchings is taken does not depend on their numbers.
        first, second = sorted(range(len(mine)), key=mine.__getitem__), sorted(range(len(true)), key=true.__getitem__)
        match = heaviest_matching([mine[i] for i in first], [true[j] for j in second], similarity)
        quota = dict(Counter((mine[first[i - 1]], true[second[j - 1]]) for i, j in match.items()))
    return Sides(mine, true, quota), any(here[a] > 1 or there[b] > 1 for a, b in quota)


def paired_steps(predicted: Workflow, gold: Workflow, similarity: Similarity | None = None) -> int:
    """Return how many steps of the prediction stand for a gold step, in whatever order."""
    return sum(_sides(predicted, gold, similarity)[0].quota.values())


def heaviest_matching(predicted: Sequence[str], gold: Sequence[str], similarity: Similarity) -> dict[int, int]:
    """Pair nodes, numbered from 1, so that the summed similarity is largest; only pairs above ``THRESHOLD`` count."""
    from scipy.optimize import linear_sum_assignment

    alike = [[similarity(a, b) for b in gold] for a in predicted]
    cost = [[-value if value > THRESHOLD else 0.0 for value in row] for row in alike]
    rows, columns = linear_sum_assignment(cost)
    return {int(i) + 1: int(j) + 1 for i, j in zip(rows, columns, strict=True) if cost[i][j] < 0}


def best_edges(
    predicted: Workflow,
    gold: Workflow,
    similarity: Similarity | None,
    size: Callable[[list[tuple[int, int]]], int],
    tries: int = MAX_TRIES,
) -> int:
    """Return the largest ``size`` of the gold edges that the prediction has too, over all pairings of the steps.

    ``size`` must not fall when an edge is added; ``tries`` bounds the search, see :func:`best_pairing`. Both graphs are
    first numbered anew by what stands around their nodes.
    """
    sides, repeats = _sides(predicted, gold, similarity)
    mine = [_START, *sides.predicted, _END]
    true = [_START, *sides.gold, _END]
    quota = {(_START, _START): 1, (_END, _END): 1, **sides.quota}
    edges = [edge for edge in dict.fromkeys(gold.edges) if min(edge) >= 0]
    said = _useful(predicted.edges, mine, [(true[a], true[b]) for a, b in edges], quota)
    if repeats:
        edges, true = _renumbered(edges, true, canonical_order(true, edges))
        said, mine = _renumbered(said, mine, _kept(mine, said, quota))
    after = [0] * len(mine)
    before = [0] * len(mine)
    for a, b in said:
        after[a] |= 1 << b
        before[b] |= 1 << a

    def measure(sets: Sequence[int]) -> int:
        reach = [after[bits.bit_length() - 1] if bits else 0 for bits in sets]
        for node, bits in enumerate(sets):
            while bits & (bits - 1):
                reach[node] |= after[(bits & -bits).bit_length() - 1]
                bits &= bits - 1
        return size([(a, b) for a, b in edges if reach[a] & sets[b]])

    alike = list(zip(after, before, strict=True))
    return best_pairing(Sides(mine, true, quota), measure, alike, _outwards(true, edges, mine), tries)


def _useful(
    said: Sequence[tuple[int, int]],
    mine: Sequence[str],
    wanted: Iterable[tuple[str, str]],
    quota: Iterable[tuple[str, str]],
) -> list[tuple[int, int]]:
    """Keep the predicted edges that some gold edge may be: those between texts that a gold edge has."""
    sources: dict[str, list[str]] = {}
    for one, other in quota:
        sources.setdefault(other, []).append(one)
    texts = {(a, b) for one, other in set(wanted) for a in sources.get(one, ()) for b in sources.get(other, ())}
    return [(a, b) for a, b in dict.fromkeys(said) if min(a, b) >= 0 and (mine[a], mine[b]) in texts]


def _kept(mine: Sequence[str], said: Sequence[tuple[int, int]], quota: dict[tuple[str, str], int]) -> list[int]:
    """List the predicted nodes to consider, in canonical order: of each text as many as are needed, and some more."""
    most: Counter[str] = Counter()
    for (one, _), count in quota.items():
        most[one] += count
    degree = Counter(end for edge in said for end in edge)
    order = canonical_order(mine, said)
    kept = set()
    for node in sorted(order, key=lambda node: -degree[node]):
        if most[mine[node]] > -MORE_COPIES and mine[node] in most:
            most[mine[node]] -= 1
            kept.add(node)
    return [node for node in order if node in kept]


def _renumbered(
    edges: Sequence[tuple[int, int]], classes: Sequence[str], order: Sequence[int]
) -> tuple[list[tuple[int, int]], list[str]]:
    """Number the nodes by their place in ``order``; nodes that it lacks are left out."""
    number = {node: place for place, node in enumerate(order)}
    moved = [(number[a], number[b]) for a, b in edges if a in number and b in number]
    return sorted(moved), [classes[node] for node in order]


def _outwards(classes: Sequence[str], edges: Sequence[tuple[int, int]], mine: Sequence[str]) -> list[int]:
    """Order the gold nodes outwards along edges, from those that have one partner at most."""
    here, there = Counter(mine), Counter(classes)
    around: dict[int, set[int]] = {node: set() for node in range(len(classes))}
    for a, b in edges:
        around[a].add(b)
        around[b].add(a)
    order = [node for node, text in enumerate(classes) if there[text] == 1 and here[text] <= 1]
    seen = set(order)
    for start in range(len(classes) + 1):
        for node in order:
            for other in sorted(around[node] - seen):
                seen.add(other)
                order.append(other)
        if start < len(classes) and start not in seen:
            seen.add(start)
            order.append(start)
    return order


def best_chain(
    predicted: Workflow, gold: Workflow, similarity: Similarity | None = None, tries: int = MAX_TRIES
) -> int:
    """Return the size of the largest set of paired steps that some linear extension of the gold graph has in order.

    ``tries`` bounds the search for the best pairing of texts that repeat, see :func:`best_pairing`.
    """
    sides, repeats = _sides(predicted, gold, similarity)
    edges = [(a - 1, b - 1) for a, b in gold.edges if 0 < a <= len(gold.nodes) and 0 < b <= len(gold.nodes)]
    true: Sequence[str] = sides.gold
    mine, gaps = _spread(sides)
    if repeats:
        edges, true = _renumbered(edges, true, canonical_order(true, edges))
    above = ancestors(len(true), edges)
    most = sum(sides.quota.values())
    order = sorted(range(len(true)), key=lambda node: (len(above[node]), node))
    return best_pairing(
        Sides(mine, true, sides.quota), lambda sets: min(most, longest_chain(sets, above)), gaps, order, tries
    )


def _spread(sides: Sides) -> tuple[list[str], list[int]]:
    """List the predicted steps to consider, and for each how many steps of another text it comes behind.

    Of a text with very many copies some are taken, evenly spread.
    """
    most: Counter[str] = Counter()
    for (one, _), count in sides.quota.items():
        most[one] += count
    places: dict[str, list[int]] = {text: [] for text in most}
    for place, text in enumerate(sides.predicted):
        if text in places:
            places[text].append(place)
    kept = []
    for text, found in places.items():
        size = min(len(found), most[text] + MORE_COPIES)
        kept += [found[i * (len(found) - 1) // max(1, size - 1)] for i in range(size)]
    mine = [sides.predicted[place] for place in sorted(kept)]
    gaps = list(accumulate(map(ne, mine[1:], mine), initial=0))
    return mine, gaps


def ancestors(count: int, edges: Iterable[tuple[int, int]]) -> list[set[int]]:
    """For each of ``count`` nodes, those that come before it on some path; cycles are allowed."""
    before: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        before[b].append(a)
    above = []
    for node in range(count):
        seen: set[int] = set()
        stack = list(before[node])
        while stack:
            a = stack.pop()
            if a not in seen:
                seen.add(a)
                stack.extend(before[a])
        above.append(seen)
    return above


def longest_chain(sets: Sequence[int], above: Sequence[set[int]]) -> int:
    """Return the size of the largest set of matched steps that some linear extension of the gold graph has in order.

    A set fits when no two of its steps are inverted (u predicted before v, v an ancestor of u in gold): a cycle of
    predicted order and gold paths would need a gold path that leads back in predicted order, between two of its steps.
    "Inverted" is a partial order (predicted order, and the reverse of the gold order), so the largest set without an
    inverted pair is its largest antichain: by Dilworth's theorem, steps minus a maximum bipartite matching.

    Args:
        sets: for each gold step, the places (bits) in the prediction that it may have; none for a step without partner.
            With several places, two steps are inverted if they are in every choice; this too is a partial order, and
            the result a bound from above.
        above: for each gold step its ancestors.
    """
    first = [(bits & -bits).bit_length() for bits in sets]
    last = [bits.bit_length() for bits in sets]
    later: dict[int, list[int]] = {}
    steps = 0
    for u, bits in enumerate(sets):
        if bits:
            steps += 1
            end = last[u]
            inverted = [v for v in above[u] if first[v] > end]
            if inverted:
                later[u] = inverted
    partner: dict[int, int] = {}
    owner: dict[int, int] = {}
    return steps - sum(_augment(u, later, partner, owner) for u in later)


def _augment(start: int, later: dict[int, list[int]], partner: dict[int, int], owner: dict[int, int]) -> bool:
    """Grow a bipartite matching by one pair along an alternating path from ``start``, if there is one."""
    reached: dict[int, int] = {}
    queue = [start]
    for i in queue:
        for j in later.get(i, ()):
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
