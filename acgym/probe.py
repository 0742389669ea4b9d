"""The probe stage: the same tokens, teacher-forced through models, reduced at once to small arrays.

Whatever engine generated the episodes, the dense and the compressed model are compared on identical token ids. Only the
positions that predict a token of a span are kept (the tokens that the agent generated, unless other spans are given):
the output head runs on blocks of them alone, and a block is forgotten once it is reduced. Padding is on the right and
never measured, so the batches do not change the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acgym.decision_tokens import Batch, TokenSequence, decision_sequences, plan_batches
from acgym.signals import Signals, mean_defined, pooled

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from acgym.probe_forward import Layers
    from acgym.probe_ranks import Moments
    from acgym.probe_reduce import Side

__all__ = ["DenseLogits", "Signals", "decision_sequences", "probe", "probe_pair", "remember"]

BATCH_TOKENS = 1024
"""Tokens of one batch on a CPU, padding included."""
BATCH_TOKENS_GPU = 8192
MAX_REMEMBERED = 1 << 31
"""Bytes of logits that :func:`remember` holds at most."""
HEAD_BLOCK = 1 << 23
"""Logits of a model that exist at once on a CPU, but those of HEAD_ROWS tokens at least: fewer cost the head time."""
HEAD_ROWS = 512
HEAD_BLOCK_GPU = 1 << 27

Rows: TypeAlias = "Callable[[int, slice], Tensor]"
"""Number of a batch and rows of it -> their float32 logits."""


@dataclass(frozen=True)
class DenseLogits:
    """A dense model's logits on given sequences: models are compared with them while the dense one is not loaded."""

    plan: tuple[Batch, ...]
    batch_tokens: int
    logits: tuple[Side, ...]
    """(decision tokens of the batch, vocab) float32 on the CPU, one a batch, with what was found out about them."""
    signals: Signals
    """Of the dense model, compared with itself."""


def remember(
    dense: PreTrainedModel,
    sequences: Sequence[TokenSequence],
    batch_tokens: int | None = None,
    *,
    layers: Layers = "final",
    temperature: float = 1.0,
) -> DenseLogits:
    """Measure the dense model once and hold its logits in 4 bytes × decision tokens × vocabulary.

    Made for small vocabularies. Where they do not fit, give :func:`probe_pair` the dense model itself.

    Raises:
        ValueError: when the logits would take more than 2 GiB; also as :func:`probe`.
    """
    batch_tokens = _batch_tokens(dense, batch_tokens)
    plan = plan_batches(sequences, batch_tokens)
    size = 4 * sum(len(batch.kept) for batch in plan) * int(dense.config.get_text_config().vocab_size)
    if size > MAX_REMEMBERED:
        raise ValueError(f"the logits would take {size:,} bytes, more than {MAX_REMEMBERED:,}; pass the model itself")
    kept: list[Side] = []
    signals = _run(dense, dense, plan, layers, temperature, kept)
    return DenseLogits(plan, batch_tokens, tuple(kept), signals)


def probe(
    model: PreTrainedModel,
    sequences: Sequence[TokenSequence],
    batch_tokens: int | None = None,
    *,
    layers: Layers = "final",
    temperature: float = 1.0,
) -> Signals:
    """Measure one model on given tokens.

    Args:
        model: a causal language model of transformers, on any device, of any float type, in evaluation mode.
        sequences: (ids, spans) each, as :func:`decision_sequences` gives them. For the tokens that the agent was told
            and did not generate, see :func:`acgym.decision_tokens.observation_sequences`.
        batch_tokens: tokens of one batch, padding included, at least 1; a longer sequence is a batch of its own. None
            for 1,024 on a CPU and 8,192 on a GPU.
        layers: ERank is measured where the output head reads, and at the output of these decoder layers: ``"final"``
            for none, ``"all"``, or numbers from 1. Each takes up to 16 d² bytes.
        temperature: T of the energy, above 0.

    Returns:
        The signals, every comparison None.

    Raises:
        ValueError: when there is no decision token, a span lies outside its sequence or on its first token (nothing
            predicts that one), an id is outside the vocabulary, the model is in training mode, has not these layers or
            is not made of a body and a head, or its logits or hidden states are not finite (the message counts them).
    """
    return _run(None, model, plan_batches(sequences, _batch_tokens(model, batch_tokens)), layers, temperature)


def probe_pair(
    dense: PreTrainedModel | DenseLogits,
    other: PreTrainedModel,
    sequences: Sequence[TokenSequence],
    batch_tokens: int | None = None,
    *,
    layers: Layers = "final",
    temperature: float = 1.0,
) -> Signals:
    """Measure ``other`` on given tokens and compare it with ``dense`` token by token.

    Both models run on each batch, which is reduced on the spot: exact over the whole vocabulary and flat in memory, at
    the price of two models alive. With :func:`remember` the price is the dense logits instead.

    Args:
        dense: the dense model, or what :func:`remember` kept of it for the same sequences and ``batch_tokens``.
        other: the compressed model, of the same vocabulary. May be the dense model itself.
        sequences: as in :func:`probe`.
        batch_tokens: as in :func:`probe`; None for those of the remembered logits.
        layers: as in :func:`probe`, of ``other``.
        temperature: as in :func:`probe`.

    Returns:
        The signals of ``other``, with every comparison.

    Raises:
        ValueError: as :func:`probe`; also when the vocabularies differ, or ``dense`` remembers other sequences.
    """
    if isinstance(dense, DenseLogits):
        plan = plan_batches(sequences, dense.batch_tokens if batch_tokens is None else batch_tokens)
        if dense.plan != plan:
            raise ValueError("the dense logits are of other sequences or batch_tokens; call remember() with these")
    else:
        plan = plan_batches(sequences, _batch_tokens(other, batch_tokens))
    return _run(dense, other, plan, layers, temperature)


def _batch_tokens(model: PreTrainedModel, wanted: int | None) -> int:
    return wanted if wanted is not None else BATCH_TOKENS if model.device.type == "cpu" else BATCH_TOKENS_GPU


def _run(
    dense: PreTrainedModel | DenseLogits | None,
    model: PreTrainedModel,
    plan: tuple[Batch, ...],
    layers: Layers,
    temperature: float,
    keep: list[Side] | None = None,
) -> Signals:
    """Run the model, and the dense one if it is another and alive, batch by batch; keep the logits if asked to."""
    import torch

    from acgym.probe_forward import Split
    from acgym.probe_reduce import Side

    split = Split(model, layers)
    first = None if dense is None or dense is model or isinstance(dense, DenseLogits) else Split(dense)
    gathered = Gathered(plan, temperature)
    with torch.inference_mode():
        for i, batch in enumerate(plan):
            hidden = split.hidden(batch, gathered.see)
            gathered.see_final(i, hidden)
            dense_hidden = None if first is None else first.hidden(batch)
            blocks: list[Side] = []
            for rows in head_blocks(hidden, split.vocab):
                y = split.logits(hidden[rows])
                z: Tensor | Side | None = y if dense is model else None
                if isinstance(dense, DenseLogits):
                    z = dense.logits[i].part(rows, y.device)
                elif first is not None and dense_hidden is not None:
                    z = first.logits(dense_hidden[rows]).to(y.device)
                side = gathered.add(i, rows, y, z)
                if keep is not None:
                    blocks.append(side)
            if keep is not None:
                keep.append(Side.joined(blocks))
    return gathered.signals()


def head_blocks(hidden: Tensor, vocab: int) -> Iterator[slice]:
    """Cut rows of hidden states into blocks whose logits are made at once."""
    step = max(HEAD_ROWS, (HEAD_BLOCK if hidden.device.type == "cpu" else HEAD_BLOCK_GPU) // vocab)
    return (slice(start, start + step) for start in range(0, len(hidden), step))


class Gathered:
    """What a walk over the batches of a plan has shown so far."""

    def __init__(self, plan: Sequence[Batch], temperature: float = 1.0) -> None:
        if not temperature > 0:
            raise ValueError(f"the temperature must be above 0, got {temperature}")
        self.plan = plan
        self.temperature = temperature
        self.moments: dict[int, Moments] = {}
        """Number of a decoder layer -> its hidden states; 0 for those that enter the output head."""
        self.ranks: dict[int, tuple[float | None, float | None]] = {}
        """Sequence -> ERank and Diff-eRank of its decision tokens."""
        self.parts: list[dict[str, NDArray[Any]]] = []
        self.broken: Counter[str] = Counter()
        """What was not finite -> at how many tokens, in the order of the forward pass."""

    def see(self, layer: int, hidden: Tensor) -> None:
        """Take in a batch's hidden states of one layer, (n, d)."""
        from acgym.probe_ranks import Moments

        name = f"hidden states behind layer {layer}" if layer else "hidden states"
        self.moments.setdefault(layer, Moments()).add(self._finite(hidden, name))

    def see_final(self, batch: int, hidden: Tensor) -> None:
        """Take in the hidden states that enter the output head, (n, d), of one batch of the plan."""
        import torch

        from acgym.probe_ranks import sequence_ranks

        self.see(0, hidden)
        owners = [sequence for _, sequence, _ in self.plan[batch].kept]
        if not self.broken:
            counts = list(Counter(owners).values())
            found = [sequence_ranks(rows) for rows in torch.split(hidden, counts)]
            self.ranks |= dict(zip(dict.fromkeys(owners), found, strict=True))

    def add(self, batch: int, rows: slice, logits: Tensor, dense: Tensor | Side | None) -> Side:
        """Take in the logits, (n, vocab) float32, of some rows of one batch, and the dense model's if there are any.

        Returns:
            The logits, with what was found out about them.
        """
        import torch

        from acgym.probe_reduce import Side, reduce_pair, reduce_rows

        kept = np.array(self.plan[batch].kept[rows], dtype=np.int32)
        targets = torch.tensor(self.plan[batch].targets[rows], device=logits.device)
        finite = self._finite(logits, "logits")
        if dense is None:
            side = Side.of(finite, 2)
            columns = reduce_rows(side, targets, self.temperature)
        else:
            width = (dense.z if isinstance(dense, Side) else dense).shape[1]
            if width != logits.shape[1]:
                raise ValueError(
                    f"both models need one vocabulary, got {width} and {logits.shape[1]} tokens; logits of "
                    "different vocabularies cannot be compared token by token"
                )
            side = Side.of(finite)
            first = side if dense is logits else dense  # what was remembered is known to be finite
            first = self._finite(first, "dense logits") if isinstance(first, torch.Tensor) else first
            columns = reduce_pair(first, side, targets, self.temperature)
        part = {name: column.cpu().numpy() for name, column in columns.items()}
        self.parts.append({"sequence": kept[:, 1], "position": kept[:, 2], **part})
        return side

    def signals(self) -> Signals:
        """Return the signals of everything seen.

        Raises:
            ValueError: if something was not finite.
        """
        columns = {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
        n = len(columns["position"])
        for name, count in self.broken.items():
            raise ValueError(f"the model's {name} must be finite, but at {count} of {n} decision tokens they are not")
        order = np.lexsort((columns["position"], columns["sequence"]))
        columns = {name: column[order] for name, column in columns.items()}
        index = sorted(self.ranks)
        ranks = np.array([self.ranks[i] for i in index], dtype=np.float64)  # None becomes NaN
        layers = {layer: self.moments[layer].erank() for layer in sorted(self.moments)}
        erank = layers.pop(0)
        return Signals(
            n_tokens=n,
            n_sequences=len(index),
            erank=erank,
            diff_erank=mean_defined(ranks[:, 1]),
            temperature=self.temperature,
            erank_layers=layers or None,
            **pooled(columns),
            arrays={
                **columns,
                "sequence/index": np.array(index, dtype=np.int32),
                "sequence/erank": ranks[:, 0].astype(np.float32),
                "sequence/diff_erank": ranks[:, 1].astype(np.float32),
            },
        )

    def _finite(self, values: Tensor, name: str) -> Tensor:
        """Count the rows that are not finite, and return the values with zeros in their place."""
        import torch

        bad = ~torch.isfinite(values.sum(1, dtype=torch.float32))
        if not bool(bad.any()):
            return values
        self.broken[name] += int(bad.sum())
        return values.masked_fill(bad[:, None], 0.0)
