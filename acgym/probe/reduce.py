"""From logits to a few numbers a token, on the model's device: blocks of rows are forgotten once they are reduced.

Everything is exact over the whole vocabulary. Elements are float32 and normalisers float64, so KL and JS of a token are
right to about 1e-6 nats, and two equal rows give exactly 0. What a row costs is how often it is read and written: it is
worked on in a few buffers that stay in the processor's cache, and numbers that are one a token are left for the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from acgym.probe.signals import TOP_K
from acgym.probe.topk import agreement, top_ids

Columns: TypeAlias = dict[str, Tensor]
"""Name -> (n,) values of n tokens."""

BLOCK = 1 << 16
"""Logits of a model worked on at once on a CPU, one row at least: six such buffers fit into its cache."""
BLOCK_GPU = 1 << 25
_FAR = 20.0
"""ln(q / p) above which ln((1 + q / p) / 2) and ln((1 + p / q) / 2) are right to 1e-8 with this in its place."""


@dataclass
class Side:
    """One model's logits z of n tokens, and what every signal needs of them. Make it with :meth:`of`."""

    z: Tensor
    """(n, vocab) float32, finite."""
    top: Tensor
    """(n, k) int64: the ids of the largest, see :func:`acgym.probe.topk.top_ids`."""
    best: Tensor
    """(n, 2) float32: the largest and the second logit; (n, 1) in a vocabulary of one."""
    sum: Tensor
    """(n, 1) float64: the sum of exp z' where z' = z - max z, once ``summed`` says so."""
    summed: bool = False

    @classmethod
    def of(cls, z: Tensor, k: int = max(TOP_K)) -> Side:
        """Find the top k of logits, (n, vocab) float32 and finite."""
        top = top_ids(z, min(k, z.shape[1]))
        best = z.gather(1, top[:, :2])
        return cls(z, top, best, wide(torch.ones_like(best[:, :1])))

    def part(self, rows: slice, device: torch.device) -> Side:
        """Return some rows, on a device."""
        z, top, best, total = (x[rows].to(device) for x in (self.z, self.top, self.best, self.sum))
        return Side(z, top, best, total, self.summed)

    @classmethod
    def joined(cls, parts: Sequence[Side]) -> Side:
        """Put rows together, on the CPU."""
        rows = [(side.z, side.top, side.best, side.sum) for side in parts]
        z, top, best, total = (torch.cat([x.cpu() for x in column]) for column in zip(*rows, strict=True))
        return cls(z, top, best, total, all(side.summed for side in parts))

    def powers(self, rows: slice, centred: Tensor, powers: Tensor) -> tuple[Tensor, Tensor]:
        """Return z' and exp z' of some rows, written to the two buffers (which may be one), and note the sum."""
        z = self.z[rows]
        torch.sub(z, self.best[rows, :1], out=centred[: len(z)])
        found = torch.exp(centred[: len(z)], out=powers[: len(z)])
        if not self.summed:
            self.sum[rows] = found.sum(1, keepdim=True)
        return centred[: len(z)], found

    def columns(self, targets: Tensor, temperature: float) -> Columns:
        """Return what is told of a model alone; all its powers were summed."""
        self.summed = True
        top, log = self.best[:, :1], self.sum.log()
        free = log if temperature == 1 else temperature * self._tempered(temperature).log()
        second = self.best[:, 1] if self.best.shape[1] > 1 else torch.full_like(self.best[:, 0], torch.nan)
        return {
            "energy": -(top + free)[:, 0].float(),
            "nll": (log - (self.z.gather(1, targets[:, None]) - top))[:, 0].float(),
            "margin": self.best[:, 0] - second,
        }

    def _tempered(self, temperature: float) -> Tensor:
        """Return the sums of exp(z' / T)."""
        total, buffer = torch.empty_like(self.sum), _buffer(self.z)
        for rows in _slices(self.z):
            z = self.z[rows]
            centred = torch.sub(z, self.best[rows, :1], out=buffer[: len(z)])
            total[rows] = centred.div_(temperature).exp_().sum(1, keepdim=True)
        return total


def reduce_rows(z: Tensor | Side, targets: Tensor, temperature: float = 1.0) -> Columns:
    """Reduce the logits of one model.

    Args:
        z: (n, vocab) float32, finite.
        targets: (n,) int64, the tokens that came.
        temperature: T of the energy, above 0.

    Returns:
        ``energy`` (free energy at T), ``nll`` (nats) and ``margin`` (largest logit minus the second, NaN in a
        vocabulary of one), float32.
    """
    side = z if isinstance(z, Side) else Side.of(z, 2)
    buffer = _buffer(side.z)
    for rows in _slices(side.z):
        side.powers(rows, buffer, buffer)
    return side.columns(targets, temperature)


def reduce_pair(dense: Tensor | Side, other: Tensor | Side, targets: Tensor, temperature: float = 1.0) -> Columns:
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
    ours = dense if isinstance(dense, Side) else Side.of(dense)
    theirs = ours if other is dense else other if isinstance(other, Side) else Side.of(other)
    if ours is theirs:
        columns = first = reduce_rows(ours, targets, temperature)
        apart = dict.fromkeys(("kl", "js"), torch.zeros_like(ours.best[:, 0]))
    else:
        apart = _divergences(ours, theirs)
        first, columns = (side.columns(targets, temperature) for side in (ours, theirs))
    flip = (ours.top[:, 0] != theirs.top[:, 0]).to(torch.uint8)
    more = {"energy_dense": first["energy"], "margin_dense": first["margin"], "flip": flip}
    values = ours.z.gather(1, ours.top), theirs.z.gather(1, ours.top)
    return columns | more | apart | agreement(ours.top, theirs.top, *values)


def _divergences(ours: Side, theirs: Side) -> Columns:
    """KL(p || q) and JS of p = softmax(z), q = softmax(y), from t = ln q - ln p = y' - z' - shift.

    KL = -Σ p t. JS = -½ [Σ p ln((1 + eᵗ) / 2) + Σ q ln((1 + e⁻ᵗ) / 2)], the second logarithm being the first one
    minus t. Sums are over exp z' and exp y'; p and q sum to 1, so that their normalisers come in at the end.
    """
    shift, rounded = torch.empty_like(ours.sum), torch.empty_like(ours.best[:, :1])
    sums = [torch.empty_like(ours.best[:, 0]) for _ in range(3)]
    half, buffers = torch.full((1, 1), 0.5, device=rounded.device), [_buffer(ours.z) for _ in range(4)]
    for rows in _slices(ours.z):
        z, p = ours.powers(rows, buffers[0], buffers[1])
        y, q = theirs.powers(rows, buffers[2], buffers[3])
        shift[rows] = (theirs.sum[rows] / ours.sum[rows]).log_()
        rounded[rows] = shift[rows]
        t, log = y.sub_(z).sub_(rounded[rows]), z
        _dot(p, t, log, sums[0][rows])
        torch.exp(t.clamp_max_(_FAR), out=log)
        torch.add(half, log, alpha=0.5, out=log).log_()  # exactly 0 where t is
        _dot(p, log, p, sums[1][rows])
        _dot(q, log.sub_(t), q, sums[2][rows])
    mass, other_mass = ours.sum[:, 0], theirs.sum[:, 0]
    kl = (shift - rounded)[:, 0] - sums[0] / mass
    js = (sums[1] / mass + sums[2] / other_mass) / -2
    return {"kl": kl.float().clamp_(min=0), "js": js.float().clamp_(0, math.log(2))}


def _dot(a: Tensor, b: Tensor, spare: Tensor, out: Tensor) -> None:
    """Write Σ a b of each row to ``out``, (n,); ``spare``, (n, vocab), is written over and may be ``a``."""
    if len(a) == 1 and a.device.type == "cpu":
        out[0] = torch.dot(a[0], b[0])  # reads both once and writes nothing
    else:
        torch.sum(torch.mul(a, b, out=spare), 1, out=out)


def _buffer(z: Tensor) -> Tensor:
    """Return room for as many rows as are worked on at once."""
    return torch.empty_like(z[: _step(z)])


def _slices(z: Tensor) -> Iterator[slice]:
    return (slice(start, start + _step(z)) for start in range(0, len(z), _step(z)))


def _step(z: Tensor) -> int:
    return max(1, (BLOCK if z.device.type == "cpu" else BLOCK_GPU) // z.shape[1])


def wide(x: Tensor) -> Tensor:
    """To float64; to float32 on Apple's GPU, which has no wider type."""
    return x.float() if x.device.type == "mps" else x.double()
