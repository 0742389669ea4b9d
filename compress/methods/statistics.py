"""Sums over the calibration tokens of what a projection reads: norms, sizes, the Hessian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from acgym.compress.options.weights import Needs

STRIP = 512
"""Features whose products with all later ones are computed at once."""


@dataclass
class Statistics:
    """Sums over all calibration tokens of the input X, (in, tokens), of one linear projection."""

    tokens: int = 0
    squares: Tensor | None = None
    """(in,), sum of squares of each feature; None if it was not collected."""
    gram: Tensor | None = None
    """(in, in), X X^T; None if it was not collected."""
    absolute: Tensor | None = None
    """(in,), sum of |x| of each feature; None if it was not collected."""
    maximum: Tensor | None = None
    """(in,), largest |x| of each feature; None if it was not collected."""
    zeros: Tensor | None = None
    """(out, in), bool: weights that an earlier step of the chain pruned; None if none did. They are zero, and a method
    that moves weights must leave them at zero."""
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """What methods derived from the sums above, such as a factor of the Hessian; projections that read the same inputs
    share it."""

    @property
    def norm(self) -> Tensor:
        """||X_j||_2 of each input feature, (in,).

        Raises:
            ValueError: if it was not collected.
        """
        if self.squares is None:
            raise ValueError("norms were not collected; register the method with needs='norm' or needs='hessian'")
        return self.squares.sqrt()

    @property
    def hessian(self) -> Tensor:
        """H = 2 X X^T of the squared output error, (in, in) (Frantar et al. 2023, section 3.3).

        Raises:
            ValueError: if it was not collected.
        """
        return 2 * self._collected_gram()

    @property
    def hessian_diagonal(self) -> Tensor:
        """The diagonal of :attr:`hessian`, (in,): 2 ||X_j||^2. Raises as that does."""
        return 2 * self._collected_gram().diagonal()

    def _collected_gram(self) -> Tensor:
        if self.gram is None:
            raise ValueError("the Hessian was not collected; register the method with needs='hessian'")
        return self.gram

    def add(self, x: Tensor, needs: Needs) -> None:
        """Add the tokens of one call; of the Hessian only the upper half, see :meth:`mirror`.

        Args:
            x: (tokens, in), float32 or float64.
            needs: what is summed.
        """
        self.tokens += len(x)
        features = x.shape[1]
        if needs == "hessian":
            if self.gram is None:
                self.gram = x.new_zeros(features, features)
            for start in range(0, features, STRIP):
                self.gram[start : start + STRIP, start:].addmm_(x[:, start : start + STRIP].T, x[:, start:])
            self.squares = self.gram.diagonal()
        else:
            squares = x.square().sum(0)
            self.squares = squares if self.squares is None else self.squares.add_(squares)
        if needs in ("sizes", "hessian"):
            sizes = x.abs()
            total, top = sizes.sum(0), sizes.amax(0)
            self.absolute = total if self.absolute is None else self.absolute.add_(total)
            self.maximum = top if self.maximum is None else torch.maximum(self.maximum, top, out=self.maximum)

    def mirror(self) -> None:
        """Copy the upper half of the Hessian, which is all that counts of what :meth:`add` computes, to the lower.

        Inside a strip on the diagonal too: a matrix product sums the two halves in orders of its own.
        """
        if self.gram is None:
            return
        for start in range(0, len(self.gram), STRIP):
            rows, rest = slice(start, start + STRIP), slice(start + STRIP, None)
            self.gram[rest, rows] = self.gram[rows, rest].T
            strip = self.gram[rows, rows]
            strip.copy_(strip.triu() + strip.triu(1).T)

    @classmethod
    def total(cls, parts: Sequence[Statistics]) -> Statistics:
        """Return the sums over several sets of tokens of one projection; over none, nothing was collected."""

        def over(name: str, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor | None:
            found = [getattr(part, name) for part in parts]
            return reduce(join, found) if found and found[0] is not None else None

        return cls(
            sum(part.tokens for part in parts),
            over("squares", torch.add),
            over("gram", torch.add),
            over("absolute", torch.add),
            over("maximum", torch.maximum),
        )

    def divided(self, scales: Tensor) -> Statistics:
        """Return the statistics of X_j / s_j: those after scales, (in,), positive, were folded into what makes X."""

        def over(sums: Tensor | None, divisor: Tensor) -> Tensor | None:
            return None if sums is None else sums / divisor.to(sums)

        squared, pairs = scales.square(), scales[:, None] * scales
        return Statistics(
            self.tokens,
            over(self.squares, squared),
            over(self.gram, pairs),
            over(self.absolute, scales),
            over(self.maximum, scales),
            self.zeros,
        )

    @classmethod
    def white(cls, features: int, like: Tensor) -> Statistics:
        """Return those of uncorrelated inputs of equal size, on the device of ``like``; they count no token.

        With them GPTQ and AWQ round to nearest, and Wanda and SparseGPT prune by magnitude within rows or blocks.
        """
        one = torch.ones(features, device=like.device, dtype=torch.float64 if like.dtype == torch.float64 else None)
        return cls(0, one, torch.diag(one), one, one)
