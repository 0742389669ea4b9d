"""Which predicted step stands for which gold step, where texts repeat: the pairing that serves a score best."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

MAX_TRIES = 400
"""Partial pairings that :func:`best_pairing` looks at, unless told otherwise, before it takes the best found so far."""
MAX_OPEN = 48
"""Gold steps of repeated text up to which pairings are searched; above, the pairing in canonical order is taken."""
MORE_COPIES = 8
"""Of one predicted text at most so many copies more than gold steps that it may stand for are considered."""
MAX_VISITS = 20_000
"""Nodes and edges that :func:`canonical_order` may visit before it stops telling nodes apart; one round is done."""

Edges = Sequence[tuple[int, int]]


class Sides(NamedTuple):
    """Two lists of nodes and which of them may be paired."""

    predicted: Sequence[str]
    """The class of each predicted node."""
    gold: Sequence[str]
    """The class of each gold node."""
    quota: Mapping[tuple[str, str], int]
    """How many predicted nodes of a class stand for gold nodes of a class; at least 1 each."""


Measure = Callable[[Sequence[int]], int]
"""From the predicted nodes (bits) that may stand for each gold node: a bound on the score from above, the score itself
where each set has at most one member."""


def best_pairing(
    sides: Sides, measure: Measure, alike: Sequence[object], order: Sequence[int], tries: int = MAX_TRIES
) -> int:
    """Return the largest ``measure`` of any pairing that fills the quotas.

    Exact when at most ``tries`` partial pairings need to be looked at; ``MAX_TRIES`` are enough for up to 120 pairings
    and, as branches that cannot win are cut, for most plans with more. Beyond, it is the best of those looked at, and
    no less than what pairing each class in order of its numbers gives. Time is bounded in either case: by the gold
    side, and linear in the predicted.

    Args:
        sides: the nodes, in an order that does not depend on how they were numbered.
        measure: what is to be largest.
        alike: a key for each predicted node; of unpaired nodes of one class and key only the first is tried.
        order: gold nodes in the order in which they are decided.
        tries: partial pairings to look at; the first descent is always finished.
    """
    search = _Search(sides, measure, alike, order)
    if search.best < search.roof and len(search.open) <= MAX_OPEN:
        search.run(tries)
    return search.best


class _Way(NamedTuple):
    """One way to decide an open gold node."""

    bound: int
    """No pairing that goes on from here measures more."""
    rank: int
    """Of equal bounds the first that was found is the largest."""
    depth: int
    node: int
    """The predicted node; -1 for none."""
    source: str | None
    """Its class."""
    settled: bool
    """Nothing is left to choose: the bound is the score."""
    sets: tuple[int, ...]
    """The sets of all gold nodes before."""


class _Search:
    """Depth-first branch and bound over the gold nodes whose partner is open."""

    def __init__(self, sides: Sides, measure: Measure, alike: Sequence[object], order: Sequence[int]) -> None:
        self.measure, self.alike = measure, alike
        self.classes = sides.gold
        self.left = dict(sides.quota)
        self.sources: dict[str, list[str]] = defaultdict(list)
        self.targets: dict[str, list[str]] = defaultdict(list)
        for one, other in sides.quota:
            self.sources[other].append(one)
            self.targets[one].append(other)
        self.pool = _places(sides.predicted)
        self.unused = {name: sum(1 << node for node in nodes) for name, nodes in self.pool.items()}
        gold = _places(sides.gold)
        self.waiting = {name: len(places) for name, places in gold.items()}
        self.sets = [0] * len(sides.gold)
        for name, places in gold.items():
            for place in places:
                self.sets[place] = self._free(name)
        self.open = [place for place in order if self._is_open(place)]
        self.roof = measure(self.sets)
        self.best = self._in_order(gold)
        self.tries = 0

    def _is_open(self, place: int) -> bool:
        several = self.sets[place] & (self.sets[place] - 1) != 0
        return several or (self.sets[place] != 0 and self.waiting[self.classes[place]] > 1)

    def _free(self, name: str) -> int:
        """Return the predicted nodes that a gold node of a class may still take, as bits."""
        bits = 0
        for source in self.sources[name]:
            if self.left[source, name]:
                bits |= self.unused[source]
        return bits

    def _in_order(self, gold: Mapping[str, list[int]]) -> int:
        """Measure the pairing in which each class is paired in order of its numbers."""
        sets = [0] * len(self.classes)
        unused = {name: list(nodes) for name, nodes in self.pool.items()}
        for name, places in gold.items():
            nodes = []
            for source in self.sources[name]:
                count = self.left[source, name]
                nodes += unused[source][:count]
                del unused[source][:count]
            for place, node in zip(places, sorted(nodes), strict=False):
                sets[place] = 1 << node
        return self.measure(sets)

    def run(self, tries: int) -> None:
        """Decide one open gold node after the other; the most promising partner first."""
        stack = [self._branches(0)]
        taken: list[_Way] = []
        dived = False
        while stack:
            depth = len(stack) - 1
            if len(taken) > depth:
                self._undo(taken.pop())
            branches = stack[-1]
            if not branches or branches[-1].bound <= self.best or (dived and self.tries >= tries):
                stack.pop()
                dived = True
                continue
            way = branches.pop()
            if way.settled or len(stack) == len(self.open):
                self.best, dived = way.bound, True
                if self.best == self.roof:
                    return
                continue
            self._take(way)
            taken.append(way)
            stack.append(self._branches(depth + 1))

    def _branches(self, depth: int) -> list[_Way]:
        """List the ways to decide a node, the best last."""
        place = self.open[depth]
        name = self.classes[place]
        choices: list[tuple[int, str | None]] = []
        seen = set()
        for source in self.sources[name]:
            if self.left[source, name]:
                for node in self.pool[source]:
                    if self.unused[source] >> node & 1 and (source, self.alike[node]) not in seen:
                        seen.add((source, self.alike[node]))
                        choices.append((node, source))
        if self.waiting[name] > sum(self.left[source, name] for source in self.sources[name]):
            choices.append((-1, None))
        found = []
        for rank, (node, chosen) in enumerate(choices):
            way = _Way(0, -rank, depth, node, chosen, False, tuple(self.sets))
            self._take(way)
            found.append(way._replace(bound=self.measure(self.sets), settled=self._is_settled(depth)))
            self._undo(way)
        self.tries += len(found)
        return sorted(found)

    def _is_settled(self, depth: int) -> bool:
        """Say whether the nodes that are still open have no choice left, so that the bound is a score."""
        later = [self.sets[place] for place in self.open[depth + 1 :]]
        return len(set(later)) == len(later) and all(bits & (bits - 1) == 0 for bits in later)

    def _take(self, way: _Way) -> None:
        """Decide a node, and narrow the sets of the nodes that might have taken the same partner."""
        place = self.open[way.depth]
        name = self.classes[place]
        self.waiting[name] -= 1
        if way.source is None:
            self.sets[place] = 0
            return
        self.left[way.source, name] -= 1
        self.unused[way.source] ^= 1 << way.node
        self.sets[place] = 1 << way.node
        free = {other: self._free(other) for other in self.targets[way.source]}
        for other in self.open[way.depth + 1 :]:
            if self.classes[other] in free:
                self.sets[other] = free[self.classes[other]]

    def _undo(self, way: _Way) -> None:
        name = self.classes[self.open[way.depth]]
        self.waiting[name] += 1
        self.sets[:] = way.sets
        if way.source is not None:
            self.left[way.source, name] += 1
            self.unused[way.source] ^= 1 << way.node


def _places(classes: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(classes):
        places[name].append(place)
    return places


def canonical_order(classes: Sequence[str], edges: Edges) -> list[int]:
    """Order nodes by their place in the graph, not by their number: by class, then by the classes around them.

    Nodes are coloured by class and, until nothing changes, by the colours that edges lead from and to (Weisfeiler and
    Leman 1968). Of nodes that stay alike one is set apart and the colours are refined again, so that two numberings of
    one graph give the same graph, unless refinement cannot tell nodes apart that differ (regular structures) or
    ``MAX_VISITS`` is reached. Linear in the graph, times a bounded number of rounds.
    """
    after: list[list[int]] = [[] for _ in classes]
    before: list[list[int]] = [[] for _ in classes]
    for a, b in set(edges):
        after[a].append(b)
        before[b].append(a)
    around = [(frozenset(after[node]), frozenset(before[node])) for node in range(len(classes))]
    rank = {name: place for place, name in enumerate(sorted(set(classes)))}
    colours = [rank[name] for name in classes]
    visits = 0
    while True:
        count = len(set(colours))
        while count < len(colours):
            visits += len(classes) + len(edges)
            colours = _refined(colours, after, before)
            if visits > MAX_VISITS or len(set(colours)) == count:
                break
            count = len(set(colours))
        members: dict[int, list[int]] = defaultdict(list)
        for node, colour in enumerate(colours):
            members[colour].append(node)
        tied = [c for c, nodes in members.items() if len({around[node] for node in nodes}) > 1]
        if not tied or visits > MAX_VISITS:
            return sorted(range(len(classes)), key=lambda node: (colours[node], node))
        colours = [2 * colour + 1 for colour in colours]
        colours[members[min(tied)][0]] -= 1


def _refined(colours: Sequence[int], after: Sequence[list[int]], before: Sequence[list[int]]) -> list[int]:
    """Split each colour by the colours that its nodes have edges to and from; the order of colours is kept."""
    signs = [
        (colours[node], sorted([colours[b] for b in after[node]]), sorted([colours[a] for a in before[node]]))
        for node in range(len(colours))
    ]
    keys = [(colour, tuple(forth), tuple(back)) for colour, forth, back in signs]
    rank = {key: place for place, key in enumerate(sorted(set(keys)))}
    return [rank[key] for key in keys]
