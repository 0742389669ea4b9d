"""Effective rank of hidden states: two estimators that must never be mixed, and the first one from streamed moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acgym.metrics.arrays import ArrayLike, read_matrix

_EPS = float(np.finfo(np.float64).eps)


def erank(X: ArrayLike, center: bool = True) -> float | None:
    """Effective rank of a matrix of hidden states (Roy and Vetterli 2007; ACBench, arXiv 2505.19433).

    erank = exp(-Σ pᵢ ln pᵢ) with p = σ / Σσ, where σ are the singular values of ``X``. The ACBench paper writes the
    uncentred matrix; here the column means are taken out first, because one large shared direction (the mean of the
    hidden states) otherwise decides the value. ``center=False`` gives the paper's formula.

    Args:
        X: (n, d), one hidden state a row. n bounds the result, so report it beside.
        center: subtract the column means.

    Returns:
        A value in [1, min(n - 1, d)] (min(n, d) uncentred), or None when all rows are equal (all zero, uncentred).
        Not the same estimator as :func:`diff_erank`; never mix the two.

    Raises:
        ValueError: if ``X`` is not 2-D, is empty or holds non-finite values.
    """
    x = read_matrix(X, "X", one_row=False).astype(np.float64)
    noise = _EPS * max(x.shape) * float(np.abs(x).max())
    if center:
        x = x - x.mean(axis=0)
    sigma = np.linalg.svd(x, compute_uv=False)
    return None if sigma[0] <= noise else _exp_entropy(sigma)


def erank_from_moments(count: int, sum: ArrayLike, second: ArrayLike, center: bool = True) -> float | None:
    """Give :func:`erank` from streamed moments, in O(d²) memory whatever the number of rows.

    Singular values are square roots of the eigenvalues of the scatter matrix, so those below about 1e-6 of the largest
    are lost to rounding and taken as zero. Effective rank does not change when one constant vector is subtracted from
    all rows: do so before summing when the mean is large beside the spread.

    Args:
        count: n, the number of rows seen.
        sum: (d,), Σ xᵢ.
        second: (d, d), Σ xᵢ xᵢᵀ, accumulated in float64.
        center: as in :func:`erank`.

    Returns:
        As :func:`erank`.

    Raises:
        ValueError: for a count below 1, shapes that do not fit, or non-finite values.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1 row, got {count}")
    total = read_matrix(sum, "sum").astype(np.float64)[0]
    scatter = read_matrix(second, "second", one_row=False).astype(np.float64)
    if scatter.shape != (total.size, total.size):
        raise ValueError(f"second must be ({total.size}, {total.size}) to fit sum, got {scatter.shape}")
    noise = _EPS * total.size * float(np.trace(scatter))
    if center:
        scatter = scatter - np.outer(total, total) / count
    rank = min(count - 1 if center else count, total.size)
    return erank_from_spectrum(np.linalg.eigvalsh((scatter + scatter.T) / 2), noise, rank)


def erank_from_spectrum(squares: NDArray[Any], noise: float, rank: int) -> float | None:
    """Give :func:`erank` from squared singular values.

    Args:
        squares: eigenvalues of a Gram or scatter matrix, rising.
        noise: those up to it are rounding and taken as zero.
        rank: how many can differ from zero at most; the largest so many count.

    Returns:
        exp of the entropy of their roots; None if none is left.
    """
    largest = squares[max(0, len(squares) - rank) :]
    largest = largest[largest > noise].astype(np.float64)
    return _exp_entropy(np.sqrt(largest)) if largest.size else None


def diff_erank(X: ArrayLike) -> float | None:
    """Effective rank of one model as ACBench's code computes it, on which Diff-eRank is built.

    Rows are centred, then scaled to unit L2 norm; p are the eigenvalues of their covariance divided by its trace, those
    up to 1e-12 dropped; the result is exp(-Σ p ln p). Eigenvalues, not singular values as in :func:`erank`. They are
    taken from the smaller of the Gram matrix (n, n) and the covariance (d, d), which share them. A row equal to the
    mean stays zero (the published codes divide by zero there).

    Diff-eRank (Wei et al. 2024, arXiv 2401.17139) is a difference of two such values, untrained minus trained model.
    Their code has no cut at 1e-12, which changes the entropy by less than 3e-11 a dropped eigenvalue, and over a data
    set takes exp of the mean entropy, not the mean of the values of its sequences.

    Args:
        X: (n, d), the tokens of one sequence, one hidden state (or logit vector, as in ACBench) a row.

    Returns:
        A value in [1, min(n, d)], or None when all rows are equal.

    Raises:
        ValueError: if ``X`` is not 2-D, is empty or holds non-finite values.
    """
    x = read_matrix(X, "X", one_row=False).astype(np.float64)
    noise = _EPS * max(x.shape) * float(np.abs(x).max())
    x = x - x.mean(axis=0)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    unit = np.divide(x, norms, out=np.zeros_like(x), where=norms > noise)
    if not unit.any():
        return None
    gram = unit @ unit.T if len(unit) <= unit.shape[1] else unit.T @ unit
    return diff_erank_from_spectrum(np.linalg.eigvalsh(gram))


def diff_erank_from_spectrum(eigenvalues: NDArray[Any]) -> float:
    """Give :func:`diff_erank` from the eigenvalues of the Gram matrix of rows of unit norm, not all of them zero."""
    p = eigenvalues / eigenvalues.sum()
    p = p[p > 1e-12]
    return float(np.exp(-np.dot(p, np.log(p))))


def _exp_entropy(weights: NDArray[Any]) -> float:
    p = weights / weights.sum()
    p = p[p > 0]
    return float(np.exp(-np.dot(p, np.log(p))))
