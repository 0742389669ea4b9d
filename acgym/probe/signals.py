"""Signals: what the inside of a model showed on given tokens, as numbers for reports and arrays for files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acgym.types import Json

TOP_K = (3, 10, 20)
"""Sizes of the top-k sets."""


@dataclass(frozen=True)
class Signals:
    """What one model showed on the decision tokens, and how that differs from the dense model on the same tokens.

    A decision token is one that the agent of the transcript generated; its logits and hidden state are those of the
    position before it, which predict it. None is "not measured": the fields from ``energy_shift`` on are None when the
    model was probed alone. Differences are other - dense.
    """

    n_tokens: int
    """Decision tokens, at least 1. It bounds both effective ranks: compare models at equal n only."""
    n_sequences: int
    erank: float | None
    """:func:`acgym.metrics.agreement.erank` of the hidden states (input of the output head) pooled over all decision
    tokens."""
    diff_erank: float | None
    """Mean over sequences of :func:`acgym.metrics.agreement.diff_erank` of the same hidden states, sequences in which
    it is not defined left out. (ACBench applies it to logits; hidden states keep it independent of the vocabulary.)"""
    energy: float
    """Mean free energy at ``temperature``, see :func:`acgym.metrics.agreement.energy`."""
    nll: float
    """Mean negative log-likelihood of the decision tokens, in nats."""
    temperature: float = 1.0
    """T of all energies."""
    perplexity: float | None = None
    """exp(``nll``); None where that is beyond the largest number."""
    margin: float | None = None
    """Mean largest logit minus the second; None in a vocabulary of one."""
    erank_layers: Mapping[int, float | None] | None = None
    """Number of a decoder layer, from 1 -> ``erank`` of its output; None where no layer was watched. The last one's
    output has not yet gone through the norm behind it."""
    energy_shift: float | None = None
    """Mean ΔE."""
    energy_abs_shift: float | None = None
    """Mean |ΔE|, the quantity that ACBench compares."""
    energy_w1: float | None = None
    """Wasserstein-1 distance between the two models' distributions of energy, in the unit of the logits."""
    energy_ks: float | None = None
    """Kolmogorov-Smirnov distance between them, in [0, 1]."""
    topk_jaccard: Mapping[int, float | None] | None = None
    """k -> mean over tokens; None for a k larger than the vocabulary."""
    topk_kendall: Mapping[int, float | None] | None = None
    topk_spearman: Mapping[int, float | None] | None = None
    kl: float | None = None
    """Mean KL(dense || other), in nats, over the whole vocabulary."""
    js: float | None = None
    """Mean Jensen-Shannon divergence, in nats, in [0, ln 2]."""
    top1_flip: float | None = None
    """Share of tokens at which the greedy token differs."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)
    """(n_tokens,) each, in the order of the sequences, float32 but for the first two and ``flip``. ``sequence`` and
    ``position`` (int32): which sequence, and the index in it of the token that was predicted; ``energy``, ``nll``,
    ``margin``. Of a pair also ``energy_dense``, ``margin_dense``, ``kl``, ``js``, ``flip`` (uint8), and for each k
    ``topk_jaccard@k``, ``topk_kendall@k`` and ``topk_spearman@k``.
    Of each sequence with a decision token (n_sequences,): ``sequence/index`` (int32), ``sequence/erank`` and
    ``sequence/diff_erank``. NaN is "not defined there". ``safetensors.numpy.save_file`` writes them as they are."""

    def to_dict(self) -> dict[str, Json]:
        """Return everything but the arrays as JSON; k becomes a string."""
        row = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "arrays"}
        return {name: _with_text_keys(value) for name, value in row.items()}

    @classmethod
    def from_dict(cls, row: Mapping[str, Json], arrays: Mapping[str, NDArray[Any]] | None = None) -> Signals:
        """Read what :meth:`to_dict` wrote, with the arrays if they are at hand."""
        values = {name: _with_number_keys(value) for name, value in row.items()}
        return cls(**values, arrays=dict(arrays or {}))


def energy_change(dense: NDArray[Any], other: NDArray[Any]) -> dict[str, float]:
    """Compare energies on the same n tokens, (n,) each: mean ΔE, mean |ΔE|, Wasserstein-1 and KS distance."""
    from scipy import stats

    shift = other.astype(np.float64) - dense
    return {
        "energy_shift": float(shift.mean()),
        "energy_abs_shift": float(np.abs(shift).mean()),
        "energy_w1": float(stats.wasserstein_distance(dense, other)),
        "energy_ks": _largest_gap(dense, other),
    }


def _largest_gap(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest distance of two empirical distribution functions; scipy's test would add a p-value."""
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


def mean_defined(column: NDArray[Any]) -> float | None:
    """Return the mean of the values that are not NaN, summed in float64; None if there is none."""
    some = column[~np.isnan(column)]
    return float(some.mean(dtype=np.float64)) if some.size else None


def pooled(columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return the fields of :class:`Signals` that are means over tokens, from its arrays."""
    found: dict[str, Any] = {name: mean_defined(columns[name]) for name in ("energy", "nll", "margin")}
    try:
        found["perplexity"] = math.exp(found["nll"])
    except OverflowError:
        found["perplexity"] = None
    if "kl" not in columns:
        return found
    found |= energy_change(columns["energy_dense"], columns["energy"])
    found |= {"kl": mean_defined(columns["kl"]), "js": mean_defined(columns["js"])}
    found["top1_flip"] = float(columns["flip"].mean(dtype=np.float64))
    for name in ("topk_jaccard", "topk_kendall", "topk_spearman"):
        rows = {k: columns.get(f"{name}@{k}") for k in TOP_K}
        found[name] = {k: None if row is None else mean_defined(row) for k, row in rows.items()}
    return found


def _with_text_keys(value: Json) -> Json:
    return {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else value


def _with_number_keys(value: Json) -> Json:
    return {int(k): v for k, v in value.items()} if isinstance(value, Mapping) else value
