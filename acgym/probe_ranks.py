"""Effective ranks of hidden states as they stream by: O(d²) memory, whatever the number of tokens."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.effective_rank import diff_erank, erank_from_spectrum
from acgym.probe_reduce import wide


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
            self._second.addmm_(rows.T, rows)

    def erank(self) -> float | None:
        """Return :func:`acgym.metrics.erank` of all rows so far; None before the second, or when all are equal."""
        if self._second is None:
            return erank_of_rows(torch.cat(self._rows)) if self._rows else None
        scatter = self._second - torch.outer(self._sum, self._sum) / self.count
        noise = _eps(scatter) * len(scatter) * float(self._second.trace())
        return _from_gram(scatter, noise, min(self.count - 1, len(scatter)))


def erank_of_rows(hidden: Tensor) -> float | None:
    """Return :func:`acgym.metrics.erank` of (n, d) hidden states through the smaller of their two Gram matrices."""
    rows = wide(hidden)
    eps, size, largest = _eps(rows), max(rows.shape), float(rows.abs().max())
    rows = rows - rows.mean(dim=0)
    gram = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
    noise = eps * size * float(gram.trace()) + (eps * size * largest) ** 2 * size
    return _from_gram(gram, noise, min(len(rows) - 1, rows.shape[1]))


def sequence_ranks(hidden: Tensor) -> tuple[float | None, float | None]:
    """Return ERank and Diff-eRank of the (n, d) hidden states of one sequence."""
    return erank_of_rows(hidden), diff_erank(hidden)


def _from_gram(gram: Tensor, noise: float, rank: int) -> float | None:
    if gram.device.type == "mps":
        gram = gram.cpu()
    spectrum = torch.linalg.eigvalsh((gram + gram.T) / 2)
    return erank_from_spectrum(spectrum.cpu().numpy(), noise, rank)


def _eps(x: Tensor) -> float:
    return float(torch.finfo(x.dtype).eps)
