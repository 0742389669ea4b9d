"""The probe stage: the same tokens, teacher-forced through models, reduced at once to small arrays.

Whatever engine generated the episodes, the dense and the compressed model are compared on identical token ids. Only the
positions that predict a token of a span are kept (the tokens that the agent generated, unless other spans are given):
the output head runs on blocks of them alone, and a block is forgotten once it is reduced. Padding is on the right and
never measured, so the batches do not change the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acgym.probe.gather import Gathered
from acgym.probe.signals import Signals
from acgym.record.tokens import Batch, TokenSequence, decision_sequences, plan_batches

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from acgym.probe.forward import Layers
    from acgym.probe.reduce import Side

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
            and did not generate, see :func:`acgym.record.tokens.observation_sequences`.
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

    from acgym.probe.forward import Split
    from acgym.probe.reduce import Side

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
