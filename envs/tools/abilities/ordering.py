"""How much of a list of calls keeps to an order in which the calls can be made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, permutations, product

_MOST = 200
"""Ways to tell repeated calls apart that are tried."""


def ordered(names: Sequence[str], before: Sequence[set[int]], said: Sequence[str]) -> int:
    """Return the most calls of ``said`` that are needed and of which no two stand in an order that cannot be.

    Args:
        names: the calls needed.
        before: for each of them the places of all that must come before it, directly or not.
        said: the calls in the order in which they are said; those that are not needed are passed over.

    Returns:
        The number, at most ``len(names)``. Where a call is needed several times, the best way to tell them apart
        counts.
    """
    return max((_kept(chosen, before) for chosen in _assignments(names, said)), default=0)


def _assignments(names: Sequence[str], said: Sequence[str]) -> Iterator[list[int]]:
    """Yield ways to take the calls said for calls needed, as places of calls needed in the order said."""
    spoken: dict[str, list[int]] = {}
    for place, name in enumerate(said):
        spoken.setdefault(name, []).append(place)
    choices = []
    for name in dict.fromkeys(names):
        needed = [i for i, other in enumerate(names) if other == name]
        places = spoken.get(name, [])[: len(needed)]
        choices.append([list(zip(places, order, strict=True)) for order in permutations(needed, len(places))])
    for combination in islice(product(*choices), _MOST):
        pairs = sorted(pair for part in combination for pair in part)
        yield [step for _, step in pairs]


def _kept(chosen: Sequence[int], before: Sequence[set[int]]) -> int:
    """Return the size of the largest part without two calls in a wrong order.

    Two calls are in a wrong order if the first said must come after the other. That relation is transitive, so by
    Dilworth's theorem the size is the number of calls less a largest matching of pairs in a wrong order.
    """
    wrong = [[j for j in range(i + 1, len(chosen)) if chosen[j] in before[chosen[i]]] for i in range(len(chosen))]
    if not any(wrong):
        return len(chosen)
    taken: dict[int, int] = {}

    def find(i: int, tried: set[int]) -> bool:
        for j in wrong[i]:
            if j not in tried:
                tried.add(j)
                if j not in taken or find(taken[j], tried):
                    taken[j] = i
                    return True
        return False

    return len(chosen) - sum(find(i, set()) for i in range(len(chosen)))
