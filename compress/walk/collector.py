"""What calibration text shows of the inputs of a layer's projections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import Needs
from acgym.compress.walk.projections import Expert, Projection, expert_inputs, working
from acgym.compress.walk.replay import Replay, capture

__all__ = ["Collector", "Replay", "Statistics", "capture", "check_calibration"]


TOKENS_PER_INPUT = 16
"""Calibration tokens for each input of a projection, from which on its Hessian says something about other text. In
SmolLM2-135M 8,192 tokens, 14 for each of 576 inputs and 5 for each of 1,536, gave GPTQ at 3 bits an error of .114 on
themselves and of .19 to .25 on held-out text, where rounding to nearest errs by .19."""
FEW_TOKENS = 16
"""An expert that fewer tokens chose says too little about its inputs."""


@dataclass
class Collector:
    """Forward pre-hooks that gather the statistics of one decoder layer's projections.

    Projections that read the same tensors one after the other (query, key and value) have one object for their
    statistics, and each tensor is summed once: when the next one comes, so that it is known who read it.
    """

    linears: Mapping[str, Projection]
    needs: Needs
    statistics: dict[str, Statistics] = field(default_factory=dict)
    _sums: dict[tuple[str, ...], Statistics] = field(default_factory=dict)
    """Sums of the tensors that these projections, and no others, read."""
    _open: tuple[Tensor, int, list[str]] | None = None
    """The tensor that was read last, its version, and who read it until now."""
    _order: list[str] = field(default_factory=list)
    """Who read, in turn."""

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Gather while the layer runs.

        Raises:
            ValueError: if the layer changes an input in place after a projection has read it, naming the projection.
        """
        self._sums, self._order = {}, []
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
            self._settle()
        finally:
            self._open = None
            for hook in hooks:
                hook.remove()
        for seen in self._sums.values():
            seen.mirror()
        self.statistics = {name: self._of(name) for name in self.linears}

    def last(self) -> nn.Module | None:
        """Return the projection that every batch reads last, to be asked between two batches.

        Returns:
            None unless every batch until now read all projections once and in one order.
        """
        count = len(self.linears)
        first, batches = self._order[:count], len(self._order) // max(count, 1)
        if set(first) != set(self.linears) or self._order != first * batches:
            return None
        last = self.linears[first[-1]]
        return None if isinstance(last, Expert) else last

    def _of(self, name: str) -> Statistics:
        """Return what one projection saw: as a rule it always read with the same others."""
        parts = [seen for readers, seen in self._sums.items() if name in readers]
        return parts[0] if len(parts) == 1 else Statistics.total(parts)

    def _see(self, name: str, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._read(name, args[0])

    def _see_experts(
        self, names: dict[int, dict[str, str]], module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        for index, parts in names.items():
            for part, inputs in zip(
                ("gate_up_proj", "down_proj"), expert_inputs(module, args, kwargs, index), strict=False
            ):
                if part in parts:
                    self._read(parts[part], inputs)

    def _read(self, name: str, inputs: Tensor) -> None:
        """Note that a projection read a tensor."""
        if self._open is None or self._open[0] is not inputs or name in self._open[2]:
            self._settle()
            self._open = inputs, _version(inputs), []
        self._open[2].append(name)
        self._order.append(name)

    def _settle(self) -> None:
        """Sum the tensor that was read last."""
        if self._open is None:
            return
        inputs, version, readers = self._open
        if _version(inputs) != version:
            raise ValueError(
                f"the input of {readers[0]} was changed in place after it was read, so that its statistics are lost; "
                "make the layer's forward work on a copy"
            )
        self._sums.setdefault(tuple(readers), Statistics()).add(working(inputs).flatten(0, -2), self.needs)

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


def few_tokens(needs: Needs, widths: Iterable[int], tokens: int) -> list[str]:
    """Note a calibration that is short for the widest Hessian that is taken from it.

    A Hessian of d inputs has d (d + 1) / 2 numbers. With few tokens for each input, methods that make errors good by it
    fit these tokens: what they gain there is lost on other text.

    Args:
        needs: what the methods read.
        widths: numbers of input features of the projections.
        tokens: of the calibration.
    """
    widest = max(widths, default=0)
    if needs != "hessian" or tokens >= TOKENS_PER_INPUT * widest:
        return []
    return [
        f"{tokens:,} calibration tokens are {tokens / widest:.1f} for each of {widest:,} inputs; under "
        f"{TOKENS_PER_INPUT} the method fits these tokens, and on other text may lose more than rounding to nearest: "
        f"calibrate on {TOKENS_PER_INPUT * widest:,} or more"
    ]


def _version(tensor: Tensor) -> int:
    """Return a number that grows whenever a tensor is changed in place; tensors of inference mode have none."""
    return 0 if tensor.is_inference() else tensor._version


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
