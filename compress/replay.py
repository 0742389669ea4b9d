"""Hidden states of the calibration text on their way through the decoder, one layer at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

BATCH_TOKENS = 1024
"""Most tokens that are run through a layer at once: what one operation leaves for the next stays in cache."""


class _ReachedError(Exception):
    """The module has been called that a layer was run for: never leaves this file."""


def _reached(module: nn.Module, args: tuple[Any, ...]) -> None:
    raise _ReachedError


@dataclass
class Replay:
    """Hidden states of every calibration sequence on their way through the decoder, one layer at a time.

    Sequences of one length are run together (:func:`batches`), others apart: there is no padding, hence nothing to
    mask, and no batch size to choose.
    """

    hidden: list[Tensor]
    """Input of the next layer, (sequences, tokens, width) for each batch."""
    calls: list[list[tuple[tuple[Any, ...], dict[str, Any]]]]
    """The other arguments (masks, positions) that the model hands to each layer for each batch."""

    def run(
        self,
        index: int,
        layer: nn.Module,
        kept: float = math.inf,
        last: Callable[[], nn.Module | None] = lambda: None,
    ) -> list[Tensor]:
        """Run ``layer``, the ``index``-th, on every batch; the hidden states stay as they are.

        Args:
            index: the layer's place among the decoder layers.
            layer: what runs.
            kept: tokens whose outputs are wanted, rounded up to a batch.
            last: asked after a batch; the module inside the layer whose input is the last thing that further batches
                are run for, or None if that is not known.

        Returns:
            The outputs of the first batches.
        """
        outputs: list[Tensor] = []
        end: nn.Module | None = None
        for row, hidden in enumerate(self.hidden):
            if kept > 0:
                outputs.append(self.run_one(index, layer, row))
            elif (end := end or last()) is None:
                self.run_one(index, layer, row)
            else:
                self._run_until(end, index, layer, row)
            kept -= hidden.shape[0] * hidden.shape[1]
        return outputs

    def _run_until(self, end: nn.Module, index: int, layer: nn.Module, row: int) -> None:
        """Run a layer on one batch until a module inside is called; its forward pre-hooks run, the module does not."""
        hook = end.register_forward_pre_hook(_reached)
        try:
            self.run_one(index, layer, row)
        except _ReachedError:
            pass
        finally:
            hook.remove()

    def run_one(self, index: int, layer: nn.Module, row: int) -> Tensor:
        """Return the output of ``layer``, the ``index``-th, for one batch: (sequences, tokens, width)."""
        args, kwargs = self.calls[index][row]
        output = layer(self.hidden[row], *args, **kwargs)
        return cast(Tensor, output[0] if isinstance(output, tuple) else output)

    def advance(self, index: int, layer: nn.Module, before: list[Tensor]) -> float:
        """Move the hidden states behind ``layer``, the ``index``-th, batch by batch: no second copy of them is alive.

        Behind the last layer nothing reads them: there only the batches of ``before`` are run.

        Args:
            index: the layer's place among the decoder layers.
            layer: runs once more on every batch.
            before: what it returned for the first batches before it was changed; emptied on the way.

        Returns:
            ||after - before|| / ||before|| over those batches.
        """
        changed = total = 0.0
        final = index + 1 == len(self.calls)
        for row in range(len(before) if final else len(self.hidden)):
            self.hidden[row] = self.run_one(index, layer, row)
            if before:
                was = before.pop(0).float()
                changed += float((self.hidden[row].float() - was).square().sum())
                total += float(was.square().sum())
        return float((changed / total) ** 0.5) if total else 0.0

    @property
    def shortest(self) -> int:
        """The batch of the shortest sequences of at least 8 tokens, or of the longest: cheap, and not degenerate."""
        sizes = [hidden.shape[1] for hidden in self.hidden]
        return min(range(len(sizes)), key=lambda row: (sizes[row] < 8, sizes[row] if sizes[row] >= 8 else -sizes[row]))


def batches(rows: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    """Put sequences of equal length together, at most BATCH_TOKENS tokens to a batch; lengths as they first appear."""
    by_length: dict[int, list[Sequence[int]]] = {}
    for row in rows:
        by_length.setdefault(len(row), []).append(row)
    found = []
    for length, equal in by_length.items():
        count = max(1, BATCH_TOKENS // length)
        found += [equal[at : at + count] for at in range(0, len(equal), count)]
    return found


def capture(model: nn.Module, layers: Sequence[nn.Module], rows: Sequence[Sequence[int]]) -> Replay:
    """Collect what the model hands to each of its decoder layers, for every batch of sequences.

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
        for batch in batches(rows):
            body(input_ids=torch.tensor(batch, device=device), use_cache=False)
    finally:
        for layer, forward in zip(layers, own, strict=True):
            del layer.forward
            if forward is not None:
                layer.forward = forward
    return replay
