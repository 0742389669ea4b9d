"""How the time of a call grows with its input, for promises of linear time."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time


def growth(call: Callable[[int], object], size: int, factor: int = 8) -> float:
    """Return how many times longer ``call(factor * size)`` takes than ``call(size)``, the quickest of three each.

    Linear work gives about ``factor``, quadratic work its square. Times are this process's own, at least a millisecond.
    """

    def quickest(n: int) -> float:
        times = []
        for _ in range(3):
            start = process_time()
            call(n)
            times.append(process_time() - start)
        return max(min(times), 0.001)

    return quickest(factor * size) / quickest(size)
