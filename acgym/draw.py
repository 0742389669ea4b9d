"""Cheap seeded choices for task generators: one NumPy call pays for 128 of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Draw:
    """Choices from a generator, made from uniform numbers that are drawn 128 at a time.

    A scalar NumPy draw costs microseconds and a task needs dozens; a generator must also serve tens of thousands of
    resets per second. Same generator state, same choices, in any process.
    """

    __slots__ = ("_left", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: list[float] = []

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        left = self._left
        return left.pop() if left else self._more()

    def _more(self) -> float:
        self._left = self._rng.random(128).tolist()
        return self._left.pop()

    def below(self, n: int) -> int:
        """Return an integer in [0, n)."""
        left = self._left
        return int((left.pop() if left else self._more()) * n)

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high], both ends included."""
        left = self._left
        return low + int((left.pop() if left else self._more()) * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        left = self._left
        return (left.pop() if left else self._more()) < probability

    def pick(self, items: Sequence[T]) -> T:
        """Return one of ``items``, each equally likely."""
        left = self._left
        return items[int((left.pop() if left else self._more()) * len(items))]

    def sample(self, items: Sequence[T], k: int) -> list[T]:
        """Return ``k`` items at distinct positions, in random order.

        Raises:
            ValueError: if there are fewer than ``k`` items.
        """
        n = len(items)
        if k > n:
            raise ValueError(f"cannot draw {k} distinct items from {n}")
        if k * 4 < n:
            chosen: dict[int, None] = {}
            while len(chosen) < k:
                chosen[int(self.unit() * n)] = None
            return [items[i] for i in chosen]
        pool = list(items)
        for i in range(k):
            j = i + int(self.unit() * (n - i))
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:k]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return all items in random order."""
        return self.sample(items, len(items))
