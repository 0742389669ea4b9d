"""Effective ranks of hidden states as they stream by: O(d²) memory, whatever the number of tokens."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.metrics.rank import diff_erank, diff_erank_from_spectrum, erank_from_spectrum
from acgym.probe.reduce import wide

_BLOCK = 128
"""Rows of a lower triangle that are computed at once, up to the end of the diagonal block."""


class Moments:
    """The hidden states of one place in a model: kept while they are fewer than d, then summed to second moments.

    Sums are float64 (float32 on Apple's GPU) and about a fixed point near the mean, so that nothing cancels. Memory is
    at most 2 d² numbers.
    """

    def __init__(self) -> None:
        self.count = 0
        self._rows: list[Tensor] = []
        self._second: Tensor | None = None

    def add(self, hidden: Tensor) -> None:
        """Take in (n, d) hidden states."""
        self.count += len(hidden)
        if self._second is None:
            self._rows.append(hidden.clone())
            if self.count <= hidden.shape[1]:
                return
            hidden = torch.cat(self._rows)
            self._rows = []
            self._origin = wide(hidden).mean(dim=0)
            self._sum = torch.zeros_like(self._origin)
            self._second = self._sum.new_zeros(hidden.shape[1], hidden.shape[1])
        for piece in torch.split(hidden, max(1, hidden.shape[1])):  # never more float64 than d²
            rows = wide(piece) - self._origin
            self._sum += rows.sum(dim=0)
            _add_scatter(self._second, rows)

    def erank(self) -> float | None:
        """Return :func:`acgym.metrics.agreement.erank` of all rows so far; None before the second, or when all are
        equal.
        """
        if self._second is None:
            return erank_of_rows(torch.cat(self._rows)) if self._rows else None
        scatter = self._second - torch.outer(self._sum, self._sum) / self.count
        noise = _eps(scatter) * len(scatter) * float(self._second.trace())
        return _from_gram(scatter, noise, min(self.count - 1, len(scatter)))


def erank_of_rows(hidden: Tensor) -> float | None:
    """Return :func:`acgym.metrics.agreement.erank` of (n, d) hidden states through the smaller of their two Gram
    matrices.
    """
    rows, small = _centred(hidden)
    gram = _gram(rows) if len(rows) <= rows.shape[1] else _gram(rows.T)
    return _erank_of_gram(gram, small, rows)


def sequence_ranks(hidden: Tensor) -> tuple[float | None, float | None]:
    """Return ERank and Diff-eRank of the (n, d) hidden states of one sequence, from one Gram matrix if n <= d."""
    if len(hidden) > hidden.shape[1] or hidden.device.type == "mps":
        return erank_of_rows(hidden), diff_erank(hidden)
    rows, small = _centred(hidden)
    gram = _gram(rows)
    norms = gram.diagonal().sqrt()
    scale = torch.where(norms > small, norms.reciprocal(), 0.0)
    if not bool(scale.any()):
        return _erank_of_gram(gram, small, rows), None
    unit = torch.linalg.eigvalsh(gram * scale[:, None] * scale)
    return _erank_of_gram(gram, small, rows), diff_erank_from_spectrum(unit.cpu().numpy())


def _centred(hidden: Tensor) -> tuple[Tensor, float]:
    """Return the rows less their mean, and the length up to which one of them is rounding."""
    rows = wide(hidden)
    return rows - rows.mean(dim=0), _eps(rows) * max(rows.shape) * float(rows.abs().max())


def _erank_of_gram(gram: Tensor, small: float, rows: Tensor) -> float | None:
    size = max(rows.shape)
    noise = _eps(gram) * size * float(gram.trace()) + small**2 * size
    return _from_gram(gram, noise, min(len(rows) - 1, rows.shape[1]))


def _gram(rows: Tensor) -> Tensor:
    """Return the lower triangle of rows rowsᵀ; what is above it means nothing."""
    gram = rows.new_zeros(len(rows), len(rows))
    _add_scatter(gram, rows.T)
    return gram


def _add_scatter(total: Tensor, rows: Tensor) -> None:
    """Add rowsᵀ rows to the lower triangle of ``total``, (d, d); what is above it means nothing.

    BLAS has a routine for this (syrk), which torch does not offer. SciPy does, but its BLAS has threads of its own,
    which wait for work by spinning and slow torch's threads down: the model then took half as long again.
    """
    for start in range(0, len(total), _BLOCK):
        stop = start + _BLOCK
        total[start:stop, :stop].addmm_(rows[:, start:stop].T, rows[:, :stop])


def _from_gram(gram: Tensor, noise: float, rank: int) -> float | None:
    """Give ERank from a Gram matrix, of which the lower triangle is read."""
    if gram.device.type == "mps":
        gram = gram.cpu()
    spectrum = torch.linalg.eigvalsh(gram, UPLO="L")
    return erank_from_spectrum(spectrum.cpu().numpy(), noise, rank)


def _eps(x: Tensor) -> float:
    return float(torch.finfo(x.dtype).eps)
