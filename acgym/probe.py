"""The probe stage: the same tokens, teacher-forced through models, reduced at once to small arrays.

Whatever engine generated the episodes, the dense and the compressed model are compared on identical token ids. Only the
positions that predict a token which the agent generated are kept: the output head runs on them alone, and a batch is
forgotten once it is reduced. Padding is on the right and never measured, so the batches do not change the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acgym.decision_tokens import Batch, TokenSequence, decision_sequences, plan_batches
from acgym.effective_rank import diff_erank, erank_from_moments
from acgym.metrics import jaccard, kendall, spearman
from acgym.signals import TOP_K, Signals, energy_change

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

__all__ = ["DenseLogits", "Signals", "decision_sequences", "probe", "probe_pair", "remember"]

Columns: TypeAlias = dict[str, NDArray[Any]]

BATCH_TOKENS = 4096
"""Tokens of one batch, padding included. The logits of a batch take 4 bytes × decision tokens × vocabulary a model."""
MAX_REMEMBERED = 1 << 31
"""Bytes of logits that :func:`remember` holds at most."""
_BLOCK = 1 << 22
"""Logits reduced at once in float64."""


@dataclass(frozen=True)
class DenseLogits:
    """A dense model's logits on given sequences: models are compared with them while the dense one is not loaded."""

    plan: tuple[Batch, ...]
    logits: tuple[Tensor, ...]
    """(decision tokens of the batch, vocab) float32 on the CPU, one a batch."""


def remember(
    dense: PreTrainedModel, sequences: Sequence[TokenSequence], batch_tokens: int = BATCH_TOKENS
) -> DenseLogits:
    """Run the dense model once and hold its logits in 4 bytes × decision tokens × vocabulary.

    Made for small vocabularies. Where they do not fit, give :func:`probe_pair` the dense model itself.

    Raises:
        ValueError: when the logits would take more than 2 GiB; also as :func:`probe`.
    """
    plan = plan_batches(sequences, batch_tokens)
    size = 4 * sum(len(batch.kept) for batch in plan) * int(dense.config.get_text_config().vocab_size)
    if size > MAX_REMEMBERED:
        raise ValueError(f"the logits would take {size:,} bytes, more than {MAX_REMEMBERED:,}; pass the model itself")
    return DenseLogits(plan, tuple(_forward(dense, batch)[1].cpu() for batch in plan))


def probe(model: PreTrainedModel, sequences: Sequence[TokenSequence], batch_tokens: int = BATCH_TOKENS) -> Signals:
    """Measure one model on given tokens.

    Args:
        model: a causal language model of transformers, on any device, of any float type, in evaluation mode.
        sequences: (ids, spans) each, as :func:`decision_sequences` gives them.
        batch_tokens: tokens of one batch, padding included, at least 1; a longer sequence is a batch of its own.

    Returns:
        The signals, every comparison None.

    Raises:
        ValueError: when there is no decision token, a span lies outside its sequence or on its first token (nothing
            predicts that one), an id is outside the vocabulary, the model is in training mode, or its logits or
            hidden states are not finite.
    """
    return _run(None, model, plan_batches(sequences, batch_tokens))


def probe_pair(
    dense: PreTrainedModel | DenseLogits,
    other: PreTrainedModel,
    sequences: Sequence[TokenSequence],
    batch_tokens: int = BATCH_TOKENS,
) -> Signals:
    """Measure ``other`` on given tokens and compare it with ``dense`` token by token.

    Both models run on each batch, which is reduced on the spot: exact over the whole vocabulary and flat in memory, at
    the price of two models alive. With :func:`remember` the price is the dense logits instead.

    Args:
        dense: the dense model, or what :func:`remember` kept of it for the same sequences and ``batch_tokens``.
        other: the compressed model, of the same vocabulary.
        sequences: as in :func:`probe`.
        batch_tokens: as in :func:`probe`.

    Returns:
        The signals of ``other``, with every comparison.

    Raises:
        ValueError: as :func:`probe`; also when the vocabularies differ, or ``dense`` remembers other sequences.
    """
    plan = plan_batches(sequences, batch_tokens)
    if isinstance(dense, DenseLogits) and dense.plan != plan:
        raise ValueError("the dense logits are of other sequences or another batch_tokens; call remember() with these")
    return _run(dense, other, plan)


def _run(dense: PreTrainedModel | DenseLogits | None, model: PreTrainedModel, plan: tuple[Batch, ...]) -> Signals:
    moments, parts, ranks = _Moments(), [], []
    for i, batch in enumerate(plan):
        hidden, logits = _forward(model, batch)
        moments.add(hidden)
        kept = np.array(batch.kept)
        ranks += [diff_erank(hidden[kept[:, 0] == row]) for row in range(len(batch.ids))]
        part = {"sequence": kept[:, 1].astype(np.int32), "position": kept[:, 2].astype(np.int32)}
        part |= _reduce(logits, batch.targets)
        if dense is not None:
            z_dense = dense.logits[i] if isinstance(dense, DenseLogits) else _forward(dense, batch)[1]
            part |= _reduce_pair(z_dense.to(logits.device), logits)
        parts.append(part)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["position"], columns["sequence"]))
    columns = {name: column[order] for name, column in columns.items()}
    defined = [rank for rank in ranks if rank is not None]
    return Signals(
        n_tokens=len(order),
        n_sequences=len(ranks),
        erank=moments.erank(),
        diff_erank=float(np.mean(defined)) if defined else None,
        energy=_mean(columns["energy"]),
        nll=_mean(columns["nll"]),
        **(_compared(columns) if dense is not None else {}),
        arrays={name: column for name, column in columns.items() if column.ndim == 1},
    )


def _compared(columns: Columns) -> dict[str, Any]:
    ids, other_ids, values, other_values = (columns[name] for name in ("ids", "other_ids", "values", "other_values"))
    ks = {k: k <= ids.shape[1] for k in TOP_K}
    return {
        **energy_change(columns["energy_dense"], columns["energy"]),
        "topk_jaccard": {k: jaccard(ids[:, :k], other_ids[:, :k]) if ok else None for k, ok in ks.items()},
        "topk_kendall": {k: kendall(values[:, :k], other_values[:, :k]) if ok else None for k, ok in ks.items()},
        "topk_spearman": {k: spearman(values[:, :k], other_values[:, :k]) if ok else None for k, ok in ks.items()},
        "kl": _mean(columns["kl"]),
        "top1_flip": _mean(columns["flip"]),
    }


def _mean(column: NDArray[Any]) -> float:
    return float(column.mean(dtype=np.float64))


# --- the model ------------------------------------------------------------------------------------------------------


def _forward(model: PreTrainedModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the hidden states (n, d) that enter the output head and the float32 logits (n, vocab), at kept positions.

    The head's input is cut down in a hook, so that whatever a model does to its logits after the head still happens.
    """
    import torch

    _check_model(model, batch)
    lm: Any = model
    rows, columns = torch.tensor([(row, at - 1) for row, _, at in batch.kept]).T
    seen: list[Tensor] = []

    def keep(_: torch.nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        seen.append(args[0][rows.to(args[0].device), columns.to(args[0].device)])
        return (seen[0][None], *args[1:])

    hook = lm.get_output_embeddings().register_forward_pre_hook(keep)
    device = next(lm.get_input_embeddings().parameters()).device
    longest = max(len(ids) for ids in batch.ids) - 1
    padded = torch.tensor([[*ids[:-1], *[0] * (longest + 1 - len(ids))] for ids in batch.ids], device=device)
    mask = torch.tensor([[1] * (len(ids) - 1) + [0] * (longest + 1 - len(ids)) for ids in batch.ids], device=device)
    try:
        with torch.inference_mode():
            logits = lm(input_ids=padded, attention_mask=mask, use_cache=False).logits.flatten(0, 1).float()
    finally:
        hook.remove()
    if len(seen) != 1 or len(logits) != len(batch.kept):
        raise ValueError(f"{type(model).__name__} does not call its output head once on all positions; cannot probe it")
    for name, values in (("logits", logits), ("hidden states", seen[0])):
        bad = int((~torch.isfinite(values)).sum())
        if bad:
            raise ValueError(f"the model's {name} must be finite, but {bad} of {values.numel()} values are not")
    return seen[0], logits


def _check_model(model: PreTrainedModel, batch: Batch) -> None:
    if model.training:
        raise ValueError("the model is in training mode, where dropout adds noise; call model.eval() first")
    vocab = int(model.config.get_text_config().vocab_size)
    odd = [token for ids in batch.ids for token in ids if not 0 <= token < vocab]
    if odd:
        raise ValueError(f"token id {odd[0]} is not in the model's vocabulary of {vocab}; was it the same tokenizer?")


class _Moments:
    """Second moments of hidden states, in float64 and about a fixed point near the mean, so that nothing cancels."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, hidden: Tensor) -> None:
        rows = _wide(hidden)
        if self.count == 0:
            self.origin = rows.mean(dim=0)
            d = rows.shape[1]
            self.sum, self.second = rows.new_zeros(d), rows.new_zeros(d, d)
        rows = rows - self.origin
        self.count += len(rows)
        self.sum += rows.sum(dim=0)
        self.second += rows.T @ rows

    def erank(self) -> float | None:
        return erank_from_moments(self.count, self.sum, self.second)


# --- reductions on the model's device -------------------------------------------------------------------------------


def _reduce(logits: Tensor, targets: list[int]) -> Columns:
    """Per token: energy and negative log-likelihood."""
    import torch

    lse = torch.cat([_wide(block).logsumexp(dim=1) for block in _blocks(logits)])
    picked = logits.gather(1, torch.tensor(targets, device=logits.device)[:, None])[:, 0]
    return {"energy": _column(-lse), "nll": _column(lse - picked)}


def _reduce_pair(dense: Tensor, other: Tensor) -> Columns:
    """Per token: dense energy, KL, flip; (n, 20) top ids of both, and both models' logits at the dense top ids."""
    import torch

    if dense.shape != other.shape:
        raise ValueError(f"both models need one vocabulary, got {dense.shape[1]} and {other.shape[1]} tokens")
    divergence, energy = [], []
    for z, y in zip(_blocks(dense), _blocks(other), strict=True):
        p, q = _wide(z).log_softmax(dim=1), _wide(y).log_softmax(dim=1)
        divergence.append((p.exp() * (p - q)).sum(dim=1).clamp(min=0))
        energy.append(-_wide(z).logsumexp(dim=1))
    k = min(max(TOP_K), dense.shape[1])
    ids, other_ids = _top_ids(dense, k), _top_ids(other, k)
    return {
        "energy_dense": _column(torch.cat(energy)),
        "kl": _column(torch.cat(divergence)),
        "flip": (ids[:, 0] != other_ids[:, 0]).to(torch.uint8).cpu().numpy(),
        "ids": ids.cpu().numpy(),
        "other_ids": other_ids.cpu().numpy(),
        "values": _column(dense.gather(1, ids)),
        "other_values": _column(other.gather(1, ids)),
    }


def _top_ids(z: Tensor, k: int) -> Tensor:
    """(n, vocab) -> (n, k) ids by decreasing logit, equal logits by lower id, which ``topk`` alone does not promise."""
    kth = z.topk(k).values[:, -1:]
    above, level = z > kth, z == kth
    kept = above | (level & (level.cumsum(dim=1) <= k - above.sum(dim=1, keepdim=True)))
    ids = kept.nonzero()[:, 1].view(len(z), k)
    order = z.gather(1, ids).sort(dim=1, descending=True, stable=True).indices
    return ids.gather(1, order)


def _blocks(z: Tensor) -> list[Tensor]:
    step = max(1, _BLOCK // z.shape[1])
    return [z[start : start + step] for start in range(0, len(z), step)]


def _wide(x: Tensor) -> Tensor:
    """To float64; to float32 on Apple's GPU, which has no wider type."""
    return x.float() if x.device.type == "mps" else x.double()


def _column(x: Tensor) -> NDArray[Any]:
    return np.asarray(x.float().cpu().numpy())
