"""From logits to a few numbers a token, on the model's device: blocks of rows are forgotten once they are reduced.

Everything is exact over the whole vocabulary. Elements are float32 and normalisers float64, so KL and JS of a token are
right to about 1e-6 nats, and two equal rows give exactly 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import softplus

from acgym.signals import TOP_K

Columns: TypeAlias = dict[str, Tensor]
"""Name -> (n,) values of n tokens."""

BLOCK = 1 << 18
"""Logits worked on at once on a CPU: what fits into its cache."""
BLOCK_GPU = 1 << 25


def reduce_rows(z: Tensor, targets: Tensor, temperature: float = 1.0) -> Columns:
    """Reduce the logits of one model.

    Args:
        z: (n, vocab) float32, finite.
        targets: (n,) int64, the tokens that came.
        temperature: T of the energy, above 0.

    Returns:
        ``energy`` (free energy at T), ``nll`` (nats) and ``margin`` (largest logit minus the second, NaN in a
        vocabulary of one), float32.
    """
    parts = []
    for rows in _slices(z):
        side = _Side(z[rows], top_ids(z[rows], min(2, z.shape[1])))
        parts.append(side.columns(targets[rows], temperature))
    return _joined(parts)


def reduce_pair(dense: Tensor, other: Tensor, targets: Tensor, temperature: float = 1.0) -> Columns:
    """Reduce and compare the logits of two models at the same positions.

    Args:
        dense: (n, vocab) float32, finite. May be ``other`` itself.
        other: as ``dense``.
        targets: (n,) int64.
        temperature: T of the energy, above 0.

    Returns:
        What :func:`reduce_rows` says of ``other``, and ``energy_dense``, ``margin_dense``, ``kl`` (dense || other),
        ``js`` (nats), ``flip`` (uint8: the greedy tokens differ) and, for each k of TOP_K up to the vocabulary,
        ``topk_jaccard@k``, ``topk_kendall@k`` and ``topk_spearman@k`` (NaN where a side ranks nothing).
    """
    k = min(max(TOP_K), dense.shape[1])
    parts, found = [], []
    for rows in _slices(dense):
        ours = _Side(dense[rows], top_ids(dense[rows], k))
        theirs = ours if other is dense else _Side(other[rows], top_ids(other[rows], k))
        first = ours.columns(targets[rows], temperature)
        columns = first if other is dense else theirs.columns(targets[rows], temperature)
        flip = (ours.top[:, 0] != theirs.top[:, 0]).to(torch.uint8)
        more = {"energy_dense": first["energy"], "margin_dense": first["margin"], "flip": flip}
        found.append((ours.top, theirs.top, dense[rows].gather(1, ours.top), other[rows].gather(1, ours.top)))
        parts.append(columns | more | _divergences(ours, theirs))  # the last use of both: it writes over them
    return _joined(parts) | _agreement(*(torch.cat(column) for column in zip(*found, strict=True)))


def top_ids(z: Tensor, k: int) -> Tensor:
    """Return the ids of the k largest logits of each row, by decreasing logit; equal logits rank by the lower id.

    A row is cut into chunks of about sqrt(vocab / k): its top k lie in the k chunks with the largest maxima (of equal
    maxima the earlier chunk), so that 2 sqrt(vocab k) elements are sorted and not all of them.

    Args:
        z: (n, vocab), finite.
        k: 1 to vocab.

    Returns:
        (n, k) int64.
    """
    n, vocab = z.shape
    width = round((vocab / k) ** 0.5)
    if width < 2:
        return _top_few(z, k)
    chunks = vocab // width
    maxima = z[:, : chunks * width].reshape(n, chunks, width).amax(2)
    best = _top_few(maxima, min(k, chunks)).sort(1).values  # rising ids, so that ties keep their order
    ids: Tensor = (best[:, :, None] * width + torch.arange(width, device=z.device)).flatten(1)
    if chunks * width < vocab:
        ids = torch.cat([ids, torch.arange(chunks * width, vocab, device=z.device).expand(n, -1)], 1)
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


class _Side:
    """One model's logits z of some rows, as what everything else needs of them: z' = z - max z and exp z'."""

    def __init__(self, z: Tensor, top: Tensor) -> None:
        self.top = top
        self.best = z.gather(1, top[:, :2])
        self.centred = z - self.best[:, :1]
        self.powers = self.centred.exp()
        self.sum = wide(self.powers.sum(1, keepdim=True))
        self.log = self.sum.log()

    def columns(self, targets: Tensor, temperature: float) -> Columns:
        """Return what is told of a model alone."""
        tempered = self.log
        if temperature != 1:
            tempered = temperature * wide((self.centred / temperature).exp_().sum(1, keepdim=True)).log()
        second = self.best[:, 1] if self.best.shape[1] > 1 else torch.full_like(self.best[:, 0], torch.nan)
        return {
            "energy": -(self.best[:, :1] + tempered)[:, 0].float(),
            "nll": (self.log - self.centred.gather(1, targets[:, None]))[:, 0].float(),
            "margin": self.best[:, 0] - second,
        }


def _divergences(ours: _Side, theirs: _Side) -> Columns:
    """KL(p || q) and JS of p = softmax(z), q = softmax(y), from t = ln q - ln p = y' - z' - shift.

    KL = -Σ p t. JS = ½ Σ [(p + q) (ln 2 - ln(1 + eᵗ)) + q t], which needs the logarithm of no mixture. p and q sum to
    1, so that their normalisers come in at the end, in float64. Works in place: both sides are spent.
    """
    if ours is theirs:
        nothing = torch.zeros_like(ours.best[:, 0])
        return {"kl": nothing, "js": nothing.clone()}
    shift = theirs.log - ours.log
    gap = theirs.centred.sub_(ours.centred)
    kl = shift - torch.mul(ours.powers, gap, out=ours.centred).sum(1, keepdim=True) / ours.sum
    qt = torch.mul(theirs.powers, gap, out=ours.centred).sum(1, keepdim=True) / theirs.sum - shift
    both = ours.powers.addcmul_(theirs.powers, (ours.sum / theirs.sum).float())  # (p + q) times the sum of exp z'
    mixed = both.mul_(softplus(gap.sub_(shift.float())).neg_().add_(_LN2)).sum(1, keepdim=True) / ours.sum
    js = (mixed + qt) / 2
    return {"kl": kl[:, 0].float().clamp_(min=0), "js": js[:, 0].float().clamp_(0, _LN2)}


_LN2 = float(torch.tensor(2.0).log())


def _agreement(ids: Tensor, other_ids: Tensor, values: Tensor, other_values: Tensor) -> Columns:
    """Top-k agreement for each k at once: the first k of the (n, 20) columns are the top k."""
    same = (ids[:, :, None] == other_ids[:, None, :]).float()
    s, t = _signs(values), _signs(other_values)
    columns: Columns = {}
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


def _joined(parts: list[Columns]) -> Columns:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def wide(x: Tensor) -> Tensor:
    """To float64; to float32 on Apple's GPU, which has no wider type."""
    return x.float() if x.device.type == "mps" else x.double()
