"""The k largest logits of each row, ties by the lower id, and how far two models agree on them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from acgym.probe.signals import TOP_K

BLOCK = 1 << 18
"""Logits looked through at once on a CPU: what fits into its cache."""
BLOCK_GPU = 1 << 25


def top_ids(z: Tensor, k: int) -> Tensor:
    """Return the ids of the k largest logits of each row, by decreasing logit; equal logits rank by the lower id.

    A row is dealt out to about sqrt(vocab * k) hands of sqrt(vocab / k) cards, id by id. If no two of its hands tie
    for the k-th largest maximum, its top k lie in the k hands with the largest maxima, so that 2 sqrt(vocab * k)
    elements are sorted and not all of them. If two tie (common where logits were rounded to 16 bits), see
    :func:`_top_in_stretches`.

    Args:
        z: (n, vocab), finite.
        k: 1 to vocab.

    Returns:
        (n, k) int64.
    """
    return torch.cat([_top_dealt(z[rows], k) for rows in _slices(z)])


def _top_dealt(z: Tensor, k: int) -> Tensor:
    n, vocab = z.shape
    cards = round((vocab / k) ** 0.5)
    if cards < 2 or vocab // cards <= k:
        return _top_few(z, k)
    hands = vocab // cards
    maxima = z[:, : hands * cards].view(n, cards, hands).amax(1) if z.is_contiguous() else None
    if maxima is None:
        return _top_in_stretches(z, k)
    values, found = maxima.topk(k + 1)
    best = found[:, :k].sort(1).values  # rising ids, card by card, so that ties keep their order
    ids = (best[:, None, :] + hands * torch.arange(cards, device=z.device)[:, None]).flatten(1)
    top = _best_of(z, ids, hands * cards, k)
    tied = values[:, k - 1] == values[:, k]
    if bool(tied.any()):
        top[tied] = _top_in_stretches(z[tied], k)
    return top


def _top_in_stretches(z: Tensor, k: int) -> Tensor:
    """Do the same by stretches of neighbours: of equal maxima the earlier stretch has the lower ids, so ties are safe.

    Slower, because a maximum over neighbours does not use the processor's wide registers.
    """
    n, vocab = z.shape
    width = round((vocab / k) ** 0.5)
    stretches = vocab // width
    maxima = z[:, : stretches * width].reshape(n, stretches, width).amax(2)
    best = _top_few(maxima, min(k, stretches)).sort(1).values
    ids = (best[:, :, None] * width + torch.arange(width, device=z.device)).flatten(1)
    return _best_of(z, ids, stretches * width, k)


def _best_of(z: Tensor, ids: Tensor, end: int, k: int) -> Tensor:
    """Return the top k of each row among some rising ids and all from ``end`` on."""
    if end < z.shape[1]:
        ids = torch.cat([ids, torch.arange(end, z.shape[1], device=z.device).expand(len(z), -1)], 1)
    return ids.gather(1, _top_few(z.gather(1, ids), k))


def _top_few(z: Tensor, k: int) -> Tensor:
    """Sort by ``topk``, and again where equal values lie among them, whose order ``topk`` does not promise."""
    values, ids = z.topk(min(k + 1, z.shape[1]))
    tied = (values[:, 1:] == values[:, :-1]).any(1)
    ids = ids[:, :k].contiguous()
    if bool(tied.any()):
        ids[tied] = _top_tied(z[tied], k)
    return ids


def _top_tied(z: Tensor, k: int) -> Tensor:
    kth = z.topk(k).values[:, -1:]
    above, level = z > kth, z == kth
    kept = above | (level & (level.cumsum(dim=1) <= k - above.sum(dim=1, keepdim=True)))
    ids = kept.nonzero()[:, 1].view(len(z), k)
    order = z.gather(1, ids).sort(dim=1, descending=True, stable=True).indices
    return ids.gather(1, order)


def agreement(ids: Tensor, other_ids: Tensor, values: Tensor, other_values: Tensor) -> dict[str, Tensor]:
    """Compare two models' top k for each k of TOP_K: the first k of the columns are the top k.

    Args:
        ids: (n, K) int64, the dense model's top ids, K the largest k that the vocabulary holds.
        other_ids: (n, K) int64, the other model's.
        values: (n, K), the dense model's logits at ``ids``.
        other_values: (n, K), the other model's logits at the same ids.

    Returns:
        ``topk_jaccard@k``, ``topk_kendall@k`` and ``topk_spearman@k``, (n,) float32; NaN where a side ranks nothing.
    """
    same = (ids[:, :, None] == other_ids[:, None, :]).float()
    s, t = _signs(values), _signs(other_values)
    columns: dict[str, Tensor] = {}
    for k in (k for k in TOP_K if k <= ids.shape[1]):
        shared = same[:, :k, :k].sum((1, 2))
        columns[f"topk_jaccard@{k}"] = shared / (2 * k - shared)
        a, b = s[:, :k, :k], t[:, :k, :k]
        columns[f"topk_kendall@{k}"] = _cosine(a.flatten(1), b.flatten(1))
        columns[f"topk_spearman@{k}"] = _cosine(a.sum(2), b.sum(2))  # row sums are twice the centred ranks
    return columns


def _signs(x: Tensor) -> Tensor:
    return (x[:, :, None] - x[:, None, :]).sign_()


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """(n, m) twice -> (n,); NaN where a side is zero. The entries are small integers: sums are exact in float32."""
    return (a * b).sum(1) / ((a * a).sum(1) * (b * b).sum(1)).sqrt()


def _slices(z: Tensor) -> Iterator[slice]:
    step = max(1, (BLOCK if z.device.type == "cpu" else BLOCK_GPU) // z.shape[1])
    return (slice(start, start + step) for start in range(0, len(z), step))
