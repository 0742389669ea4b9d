"""What calibration text shows of a layer's inputs, and the replay of hidden states through one layer at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from acgym.compress.methods import Needs


class Compressed(NamedTuple):
    """What a method returns."""

    weight: Tensor
    """The new weight: shape and dtype of the old one."""
    notes: tuple[str, ...] = ()
    """What the reader of the record should know, such as a raised damping."""


@dataclass
class Statistics:
    """Sums over all calibration tokens of the input X, (in, tokens), of one linear projection."""

    tokens: int = 0
    squares: Tensor | None = None
    """(in,), sum of squares of each feature; None if it was not collected."""
    gram: Tensor | None = None
    """(in, in), X X^T; None if it was not collected."""

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
        if self.gram is None:
            raise ValueError("the Hessian was not collected; register the method with needs='hessian'")
        return 2 * self.gram


@dataclass
class Collector:
    """Forward pre-hooks that gather the statistics of one decoder layer's projections."""

    linears: Mapping[str, nn.Linear]
    needs: Needs
    statistics: dict[str, Statistics] = field(default_factory=dict)
    _last: tuple[Tensor, Tensor, Tensor | None] | None = None

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Gather while the layer runs."""
        self.statistics = {name: Statistics() for name in self.linears}
        if self.needs == "nothing":
            yield
            return
        hooks = [linear.register_forward_pre_hook(partial(self._see, name)) for name, linear in self.linears.items()]
        try:
            yield
        finally:
            self._last = None
            for hook in hooks:
                hook.remove()

    def _see(self, name: str, module: nn.Module, args: tuple[Any, ...]) -> None:
        seen = self.statistics[name]
        squares, gram = self._sums(args[0])
        seen.tokens += args[0].numel() // args[0].shape[-1]
        seen.squares = squares if seen.squares is None else seen.squares + squares
        if gram is not None:
            seen.gram = gram.clone() if seen.gram is None else seen.gram.add_(gram)

    def _sums(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Sum over the tokens of one call; query, key and value read the same tensor, and its sums are made once."""
        if self._last is None or self._last[0] is not inputs:
            x = inputs.detach().flatten(0, -2)
            x = x if x.dtype == torch.float64 else x.float()
            gram = x.T @ x if self.needs == "hessian" else None
            self._last = inputs, x.square().sum(0), gram
        return self._last[1], self._last[2]

    def check(self) -> None:
        """Refuse statistics that are no numbers.

        Raises:
            ValueError: naming a projection that saw no token, or whose inputs are not finite.
        """
        for name, seen in self.statistics.items() if self.needs != "nothing" else ():
            if seen.squares is None:
                raise ValueError(f"{name} saw no token of the calibration text; use more text, or rtn or magnitude")
            if not bool(torch.isfinite(seen.squares).all()):
                raise ValueError(f"the inputs of {name} are not finite on the calibration text (NaN or infinity)")


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


@dataclass
class Replay:
    """Hidden states of every calibration sequence on their way through the decoder, one layer at a time.

    Sequences are run one by one, each at its own length: there is no padding, hence nothing to mask, and no batch size
    for a result to depend on.
    """

    hidden: list[Tensor]
    """Input of the next layer, (1, tokens, width) for each sequence."""
    calls: list[list[tuple[tuple[Any, ...], dict[str, Any]]]]
    """The other arguments (masks, positions) that the model hands to each layer for each sequence."""

    def run(self, index: int, layer: nn.Module) -> list[Tensor]:
        """Return the outputs of ``layer``, the ``index``-th, for every sequence; the hidden states stay as they are."""
        outputs = []
        for hidden, (args, kwargs) in zip(self.hidden, self.calls[index], strict=True):
            output = layer(hidden, *args, **kwargs)
            outputs.append(output[0] if isinstance(output, tuple) else output)
        return outputs


def capture(model: nn.Module, layers: Sequence[nn.Module], rows: Sequence[Sequence[int]]) -> Replay:
    """Collect what the model hands to each of its decoder layers, for every sequence.

    The body of the model is run with its layers short-circuited: each records its arguments and passes the hidden
    states on, so that only the embedding and the masks are computed. The first layer runs once, to show whether layers
    return a tuple.
    """
    replay = Replay([], [[] for _ in layers])
    returns_tuple: list[bool] = []

    def record(index: int, forward: Any, hidden: Tensor | None = None, *args: Any, **kwargs: Any) -> Any:
        state = kwargs.pop("hidden_states") if hidden is None else hidden
        if index == 0:
            replay.hidden.append(state)
        replay.calls[index].append((args, kwargs))
        if not returns_tuple:
            returns_tuple.append(isinstance(forward(state, *args, **kwargs), tuple))
        return (state,) if returns_tuple[0] else state

    body: Any = getattr(model, "base_model", model)
    device = next(body.parameters()).device
    own = [layer.__dict__.get("forward") for layer in layers]
    try:
        for index, layer in enumerate(layers):
            layer.forward = partial(record, index, layer.forward)
        for row in rows:
            body(input_ids=torch.tensor([row], device=device), use_cache=False)
    finally:
        for layer, forward in zip(layers, own, strict=True):
            del layer.forward
            if forward is not None:
                layer.forward = forward
    return replay
