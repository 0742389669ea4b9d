"""Metrics of what compression changes inside a model: pure functions over logits and hidden states.

Every array argument may be a NumPy array, a nested list or a torch tensor (any device, any float dtype, bfloat16
included); torch itself is never imported here. Arithmetic is in float64. A non-finite value raises ValueError. A
quantity that the data does not define is None, never NaN and never a number. Logarithms are natural (nats).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acgym.metrics.arrays import ArrayLike, Floats, blocks, read_array, read_matrix

_LARGEST = math.log(np.finfo(np.float64).max)


def topk_jaccard(z_dense: ArrayLike, z_other: ArrayLike, k: int) -> float:
    """Mean Jaccard index of the two models' top-k token sets, |A ∩ B| / |A ∪ B| (the text of ACBench).

    Args:
        z_dense: (n, vocab) logits of the dense model, or (vocab,) for one position.
        z_other: the compressed model's logits at the same positions, same shape.
        k: size of the sets, 1 to vocab. Equal logits rank by the lower token id.

    Returns:
        Mean over positions, in [0, 1]; 1 when all sets agree. Symmetric in the two models.

    Raises:
        ValueError: for shapes that differ, k out of range, or non-finite values.
    """
    dense, other = _pair(z_dense, z_other)
    _check_k(k, 1, dense.shape[1])
    return jaccard(_top_ids(dense, k), _top_ids(other, k))


def topk_kendall(z_dense: ArrayLike, z_other: ArrayLike, k: int) -> float | None:
    """Mean Kendall τ_b of both models' logits over the dense model's top-k tokens (the code of ACBench).

    Arguments and errors as :func:`topk_jaccard`, with k from 2. Not symmetric: the dense model chooses the tokens.

    Returns:
        Mean over the positions where τ_b is defined, in [-1, 1]. A position where either model gives all k tokens the
        same logit has no ranking and is left out; None if that is so everywhere.
    """
    dense, other = _pair(z_dense, z_other)
    _check_k(k, 2, dense.shape[1])
    ids = _top_ids(dense, k)
    return kendall(np.take_along_axis(dense, ids, 1), np.take_along_axis(other, ids, 1))


def topk_spearman(z_dense: ArrayLike, z_other: ArrayLike, k: int) -> float | None:
    """Mean Spearman ρ of both models' logits over the dense model's top-k tokens (the code of ACBench).

    Everything else as :func:`topk_kendall`; equal logits share their average rank.
    """
    dense, other = _pair(z_dense, z_other)
    _check_k(k, 2, dense.shape[1])
    ids = _top_ids(dense, k)
    return spearman(np.take_along_axis(dense, ids, 1), np.take_along_axis(other, ids, 1))


def jaccard(ids_a: ArrayLike, ids_b: ArrayLike) -> float:
    """Mean over rows of the Jaccard index of two (n, k) arrays of ids; the k ids of a row are distinct."""
    a, b = np.asarray(ids_a), np.asarray(ids_b)
    shared = (a[:, :, None] == b[:, None, :]).sum(axis=(1, 2))
    return float(np.mean(shared / (2 * a.shape[1] - shared)))


def kendall(a: ArrayLike, b: ArrayLike) -> float | None:
    """Mean over rows of Kendall's τ_b of two (n, k) arrays; rows with a constant side are left out, None if all are."""
    return _mean_correlation(a, b, pairwise=True)


def spearman(a: ArrayLike, b: ArrayLike) -> float | None:
    """Mean over rows of Spearman's ρ of two (n, k) arrays; rows with a constant side are left out, None if all are."""
    return _mean_correlation(a, b, pairwise=False)


def _mean_correlation(a: ArrayLike, b: ArrayLike, pairwise: bool) -> float | None:
    """Correlate signs of pairwise differences: entry by entry is τ_b; summed to (twice, centred) ranks first is ρ."""
    left, right = _pair(a, b)
    total, defined = 0.0, 0
    for rows in blocks(len(left), left.shape[1] ** 2):
        s, t = _signs(left[rows]), _signs(right[rows])
        s, t = (s.reshape(len(s), -1), t.reshape(len(t), -1)) if pairwise else (s.sum(axis=2), t.sum(axis=2))
        norm = np.sqrt((s * s).sum(axis=1, dtype=np.float64) * (t * t).sum(axis=1, dtype=np.float64))
        some = norm > 0
        total += float(((s * t).sum(axis=1, dtype=np.float64)[some] / norm[some]).sum())
        defined += int(some.sum())
    return total / defined if defined else None


def _signs(x: NDArray[Any]) -> NDArray[np.int64]:
    """(n, k) -> (n, k, k): the sign of x[i] - x[j]."""
    return (x[:, :, None] > x[:, None, :]).astype(np.int64) - (x[:, :, None] < x[:, None, :])


def _top_ids(z: NDArray[Any], k: int) -> NDArray[np.int64]:
    """(n, vocab) -> (n, k) ids by decreasing logit, equal logits by lower id."""
    kth = np.partition(z, z.shape[1] - k, axis=1)[:, -k, None]
    above, level = z > kth, z == kth
    kept = above | (level & (np.cumsum(level, axis=1) <= k - above.sum(axis=1, keepdims=True)))
    ids = np.nonzero(kept)[1].reshape(len(z), k)
    order = np.argsort(-np.take_along_axis(z, ids, 1), axis=1, kind="stable")
    return np.take_along_axis(ids, order, 1)


def _check_k(k: int, least: int, vocab: int) -> None:
    if not least <= k <= vocab:
        raise ValueError(f"k must be from {least} to the vocabulary's {vocab}, got {k}")


# --- energy and the baselines ---------------------------------------------------------------------------------------


def energy(z: ArrayLike, T: float = 1.0) -> Floats:
    """Free energy of each position, -T·logsumexp(z / T) (Liu et al. 2020, arXiv 2010.03759; ACBench).

    Args:
        z: (n, vocab) logits, or (vocab,) for one position. Leave padding out: it is not masked here.
        T: temperature, above 0.

    Returns:
        (n,) float64, in the unit of the logits. energy(z + c) = energy(z) - c.

    Raises:
        ValueError: for T not above 0, or non-finite values.
    """
    if not T > 0:
        raise ValueError(f"the temperature T must be above 0, got {T}")
    logits = read_matrix(z, "z")
    return np.concatenate([-T * _logsumexp(logits[rows].astype(np.float64) / T) for rows in blocks(*logits.shape)])


def kl(z_dense: ArrayLike, z_other: ArrayLike) -> float:
    """Mean over positions of KL(dense || other), in nats, at least 0; shapes and errors as :func:`topk_jaccard`."""
    dense, other = _pair(z_dense, z_other)
    total = 0.0
    for rows in blocks(*dense.shape):
        p, q = _log_softmax(dense[rows]), _log_softmax(other[rows])
        total += float((np.exp(p) * (p - q)).sum())
    return max(0.0, total / len(dense))


def js(z_dense: ArrayLike, z_other: ArrayLike) -> float:
    """Mean Jensen-Shannon divergence over positions (Lin 1991), in nats, in [0, ln 2]; symmetric.

    ½ KL(p || m) + ½ KL(q || m) with m = (p + q) / 2; shapes and errors as :func:`topk_jaccard`.
    """
    dense, other = _pair(z_dense, z_other)
    total = 0.0
    for rows in blocks(*dense.shape):
        p, q = _log_softmax(dense[rows]), _log_softmax(other[rows])
        m = np.logaddexp(p, q) - np.log(2)
        total += float((np.exp(p) * (p - m) + np.exp(q) * (q - m)).sum()) / 2
    return min(max(0.0, total / len(dense)), float(np.log(2)))


def margin(z: ArrayLike) -> Floats:
    """Largest logit minus the second largest of each position, (n,) float64, at least 0 (0 for a tie).

    Args:
        z: (n, vocab) logits, or (vocab,) for one position; a vocabulary of two at least.

    Raises:
        ValueError: for a smaller vocabulary, or non-finite values.
    """
    logits = read_matrix(z, "z")
    if logits.shape[1] < 2:
        raise ValueError("a margin needs a vocabulary of at least 2 tokens, got 1")
    two = np.partition(logits, logits.shape[1] - 2, axis=1)[:, -2:].astype(np.float64)
    return np.asarray(two[:, 1] - two[:, 0])


def top1_flip(z_dense: ArrayLike, z_other: ArrayLike) -> float:
    """Share of positions whose greedy token differs (equal logits: the lower id); arguments as :func:`topk_jaccard`."""
    dense, other = _pair(z_dense, z_other)
    return float(np.mean(dense.argmax(axis=1) != other.argmax(axis=1)))


def nll(z: ArrayLike, targets: ArrayLike) -> float:
    """Mean negative log-likelihood of the tokens that came, in nats.

    Args:
        z: (n, vocab) logits, or (vocab,) for one position.
        targets: (n,) token ids, 0 to vocab - 1 (one id for one position).

    Raises:
        ValueError: for shapes that do not fit, ids outside the vocabulary, or non-finite values.
    """
    logits = read_matrix(z, "z")
    ids = np.atleast_1d(read_array(targets, "targets"))
    if ids.shape != (len(logits),):
        raise ValueError(f"targets must have shape ({len(logits)},), one id a row of z, got {ids.shape}")
    if (ids < 0).any() or (ids >= logits.shape[1]).any() or (ids != np.floor(ids)).any():
        raise ValueError(f"targets must be token ids from 0 to {logits.shape[1] - 1}")
    picked = np.take_along_axis(logits, ids.astype(np.int64)[:, None], 1)[:, 0]
    return float(np.mean(-energy(logits) - picked))


def perplexity(z: ArrayLike, targets: ArrayLike) -> float | None:
    """Exp of :func:`nll`, at least 1; None where that is beyond the largest float (above 709 nats)."""
    mean = nll(z, targets)
    return math.exp(mean) if mean < _LARGEST else None


def _logsumexp(z: NDArray[Any]) -> Floats:
    wide = z.astype(np.float64, copy=False)
    top = wide.max(axis=1, keepdims=True)
    return np.asarray(top[:, 0] + np.log(np.exp(wide - top).sum(axis=1)))


def _log_softmax(z: NDArray[Any]) -> Floats:
    wide = z.astype(np.float64, copy=False)
    return wide - _logsumexp(wide)[:, None]


def _pair(z_dense: ArrayLike, z_other: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    dense, other = read_matrix(z_dense, "z_dense"), read_matrix(z_other, "z_other")
    if dense.shape != other.shape:
        raise ValueError(f"both models need the same positions and vocabulary, got {dense.shape} and {other.shape}")
    return dense, other
