"""What calibration text shows of the inputs of a layer's projections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from acgym.compress.methods import Needs
from acgym.compress.projections import Expert, Projection, expert_inputs, working
from acgym.compress.quantise import Grid
from acgym.compress.replay import Replay, capture

__all__ = ["Collector", "Compressed", "Replay", "Statistics", "capture", "check_calibration"]


class Compressed(NamedTuple):
    """What a method returns."""

    weight: Tensor
    """The new weight: shape and dtype of the old one."""
    notes: tuple[str, ...] = ()
    """What the reader of the record should know, such as a raised damping."""
    grid: Grid | None = None
    """The integer grid that the new weight lies on; None if it lies on none."""


STRIP = 512
"""Features whose products with all later ones are computed at once."""
FEW_TOKENS = 16
"""An expert that fewer tokens chose says too little about its inputs."""


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


class _Sums(NamedTuple):
    """Sums of one call, see :class:`Statistics`; None what is not needed."""

    call: int
    """Number of the tensor that was summed."""

    squares: Tensor
    gram: Tensor | None
    absolute: Tensor | None
    maximum: Tensor | None


@dataclass
class Collector:
    """Forward pre-hooks that gather the statistics of one decoder layer's projections.

    Projections that read the same tensors (query, key and value) have one object for their statistics.
    """

    linears: Mapping[str, Projection]
    needs: Needs
    statistics: dict[str, Statistics] = field(default_factory=dict)
    _last: tuple[Tensor, _Sums] | None = None
    _calls: dict[str, list[int]] = field(default_factory=dict)
    """Which tensors each projection read."""

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Gather while the layer runs."""
        self.statistics = {name: Statistics() for name in self.linears}
        self._calls = {name: [] for name in self.linears}
        hooks = []
        experts: dict[nn.Module, dict[int, dict[str, str]]] = {}
        for name, linear in self.linears.items() if self.needs != "nothing" else ():
            if isinstance(linear, Expert):
                experts.setdefault(linear.experts, {}).setdefault(linear.index, {})[linear.part] = name
            else:
                hooks.append(linear.register_forward_pre_hook(partial(self._see, name)))
        for module, names in experts.items():
            hooks.append(module.register_forward_pre_hook(partial(self._see_experts, names), with_kwargs=True))
        try:
            yield
        finally:
            self._last = None
            for hook in hooks:
                hook.remove()
        alike: dict[tuple[int, ...], str] = {}
        for name, calls in self._calls.items():
            if calls:
                self.statistics[name] = self.statistics[alike.setdefault(tuple(calls), name)]

    def _see(self, name: str, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._add(name, args[0])

    def _see_experts(
        self, names: dict[int, dict[str, str]], module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        for index, parts in names.items():
            for part, inputs in zip(
                ("gate_up_proj", "down_proj"), expert_inputs(module, args, kwargs, index), strict=False
            ):
                if part in parts:
                    self._add(parts[part], inputs)

    def _add(self, name: str, inputs: Tensor) -> None:
        seen, sums = self.statistics[name], self._sums(inputs)
        self._calls[name].append(sums.call)
        seen.tokens += inputs.numel() // inputs.shape[-1]
        if seen.squares is None:
            seen.squares, seen.absolute, seen.maximum = sums.squares, sums.absolute, sums.maximum
            seen.gram = None if sums.gram is None else sums.gram.clone()
            return
        seen.squares = seen.squares + sums.squares
        if seen.absolute is not None and sums.absolute is not None:
            seen.absolute = seen.absolute + sums.absolute
        if seen.maximum is not None and sums.maximum is not None:
            seen.maximum = torch.maximum(seen.maximum, sums.maximum)
        if seen.gram is not None and sums.gram is not None:
            seen.gram.add_(sums.gram)

    def _sums(self, inputs: Tensor) -> _Sums:
        """Sum over the tokens of one call; query, key and value read the same tensor, and its sums are made once."""
        if self._last is None or self._last[0] is not inputs:
            x = working(inputs).flatten(0, -2)
            sizes = x.abs() if self.needs in ("sizes", "hessian") else None
            gram = _gram(x) if self.needs == "hessian" else None
            sums = _Sums(
                0 if self._last is None else self._last[1].call + 1,
                x.square().sum(0) if gram is None else gram.diagonal().clone(),
                gram,
                None if sizes is None else sizes.sum(0),
                None if sizes is None else sizes.amax(0),
            )
            self._last = inputs, sums
        return self._last[1]

    def check(self) -> list[str]:
        """Refuse statistics that are no numbers; give experts that hardly a token chose those of white inputs.

        Returns:
            Notes: how many experts those are.

        Raises:
            ValueError: naming a projection that saw no token, or whose inputs are not finite.
        """
        rare: dict[str, int] = {}
        for name, seen in self.statistics.items() if self.needs != "nothing" else ():
            linear = self.linears[name]
            if isinstance(linear, Expert) and seen.tokens < FEW_TOKENS:
                self.statistics[name] = Statistics.white(linear.in_features, linear.weight)
                rare[name.rsplit(".", 2)[0]] = rare.get(name.rsplit(".", 2)[0], 0) + 1
            elif seen.squares is None:
                raise ValueError(f"{name} saw no token of the calibration text; use more text, or rtn or magnitude")
            elif not bool(torch.isfinite(seen.squares).all()):
                raise ValueError(f"the inputs of {name} are not finite on the calibration text (NaN or infinity)")
        return [
            f"{module}: fewer than {FEW_TOKENS} calibration tokens chose the experts of {count} matrices; "
            "their inputs are taken as uncorrelated and of equal size (rounding to nearest, pruning by magnitude)"
            for module, count in rare.items()
        ]


def _gram(x: Tensor) -> Tensor:
    """Return X X^T, (in, in), of X^T = ``x``, (tokens, in): the upper half is computed, in strips, and mirrored."""
    features = x.shape[1]
    if features <= STRIP:
        return x.T @ x
    gram = x.new_empty(features, features)
    for start in range(0, features, STRIP):
        rows, rest = slice(start, start + STRIP), slice(start + STRIP, features)
        gram[rows, start:] = x[:, rows].T @ x[:, start:]
        gram[rest, rows] = gram[rows, rest].T
    return gram


def check_calibration(model: nn.Module, calibration: Sequence[Sequence[int]] | None, method: str) -> list[list[int]]:
    """Return the calibration text as lists of token ids.

    Raises:
        ValueError: if there is none, a sequence is empty, or an id is outside the model's vocabulary.
    """
    if calibration is None or not len(calibration):
        raise ValueError(f"{method} needs calibration text: a list of token-id lists, got none")
    size = cast(Any, model).get_input_embeddings().weight.shape[0]
    rows = [[int(token) for token in row] for row in calibration]
    for index, row in enumerate(rows):
        if not row:
            raise ValueError(f"calibration sequence {index} is empty; leave it out")
        if min(row) < 0 or max(row) >= size:
            odd = next(token for token in row if not 0 <= token < size)
            raise ValueError(
                f"calibration sequence {index} holds token id {odd}, but the model's vocabulary has {size} tokens; "
                "use the model's own tokenizer"
            )
    return rows
