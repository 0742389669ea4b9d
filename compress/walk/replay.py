"""Hidden states of the calibration text on their way through the decoder, one layer at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

BATCH_TOKENS = 1024
"""Most tokens that are run through a layer at once: what one operation leaves for the next stays in cache."""


class _ReachedError(Exception):
    """The module has been called that something was run for: never leaves this file."""


def _reached(module: nn.Module, args: tuple[Any, ...]) -> None:
    raise _ReachedError


def _until(end: nn.Module, run: Callable[[], Any]) -> None:
    """Run something until a module inside is called; its forward pre-hooks run, the module does not."""
    hook = end.register_forward_pre_hook(_reached)
    try:
        run()
    except _ReachedError:
        pass
    finally:
        hook.remove()


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
    tuples: bool = False
    """Whether layers return tuples."""
    read_behind: bool = False
    """Whether what comes out of the last layer is read."""

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
                _until(end, partial(self.run_one, index, layer, row))
            kept -= hidden.shape[0] * hidden.shape[1]
        return outputs

    def run_one(self, index: int, layer: nn.Module, row: int) -> Tensor:
        """Return the output of ``layer``, the ``index``-th, for one batch: (sequences, tokens, width)."""
        args, kwargs = self.calls[index][row]
        output = layer(self.hidden[row], *args, **kwargs)
        return cast(Tensor, output[0] if isinstance(output, tuple) else output)

    def advance(self, index: int, layer: nn.Module, before: list[Tensor]) -> float:
        """Move the hidden states behind ``layer``, the ``index``-th, batch by batch: no second copy of them is alive.

        Where nothing reads what comes out of the last layer, only the batches of ``before`` are run there.

        Args:
            index: the layer's place among the decoder layers.
            layer: runs once more on every batch.
            before: what it returned for the first batches before it was changed; emptied on the way.

        Returns:
            ||after - before|| / ||before|| over those batches.
        """
        changed = total = 0.0
        final = index + 1 == len(self.calls) and not self.read_behind
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

    def record(index: int, forward: Any, hidden: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        if index == 0:
            if not replay.hidden:
                replay.tuples = isinstance(forward(hidden, *args, **kwargs), tuple)
            replay.hidden.append(hidden)
        replay.calls[index].append((args, kwargs))
        return hidden

    body: Any = getattr(model, "base_model", model)
    with _instead(layers, replay, record):
        for ids in _inputs(model, rows):
            body(input_ids=ids, use_cache=False)
    return replay


def run_behind(
    model: nn.Module, layers: Sequence[nn.Module], replay: Replay, rows: Sequence[Sequence[int]], end: nn.Module
) -> None:
    """Run what a model does behind its decoder layers, on every batch, until a module is called.

    Args:
        model: a causal LM.
        layers: its decoder layers; they are short-circuited.
        replay: hidden states behind the last of them.
        rows: the text that they are of.
        end: its forward pre-hooks run, the module does not.
    """
    for row, ids in enumerate(_inputs(model, rows)):

        def state(index: int, forward: Any, hidden: Tensor, *_: Any, row: int = row) -> Tensor:
            return replay.hidden[row] if index + 1 == len(layers) else hidden

        with _instead(layers, replay, state):
            _until(end, partial(cast(Any, model), input_ids=ids, use_cache=False))


def _inputs(model: nn.Module, rows: Sequence[Sequence[int]]) -> Iterator[Tensor]:
    """Yield the token ids of each batch, (sequences, tokens), on the model's device."""
    device = next(cast(Any, getattr(model, "base_model", model)).parameters()).device
    for batch in batches(rows):
        yield torch.tensor(batch, device=device)


@contextmanager
def _instead(layers: Sequence[nn.Module], replay: Replay, state: Callable[..., Tensor]) -> Iterator[None]:
    """Let something else return the hidden states behind each layer.

    Args:
        layers: the decoder layers.
        replay: says in which form layers return them.
        state: called with the layer's place, its own forward, the hidden states before it, the other arguments by place
            and by name.
    """

    def stand_in(index: int, forward: Any, hidden: Tensor | None = None, *args: Any, **kwargs: Any) -> Any:
        before = kwargs.pop("hidden_states") if hidden is None else hidden
        behind = state(index, forward, before, args, kwargs)
        return (behind,) if replay.tuples else behind

    own = [layer.__dict__.get("forward") for layer in layers]
    try:
        for index, layer in enumerate(layers):
            layer.forward = partial(stand_in, index, layer.forward)
        yield
    finally:
        for layer, kept in zip(layers, own, strict=True):
            del layer.forward
            if kept is not None:
                layer.forward = kept
