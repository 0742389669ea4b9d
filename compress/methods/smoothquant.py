"""SmoothQuant: outliers moved from activations to weights, then both in 8 bits (Xiao et al. 2022, arXiv 2211.10438)."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.compress.methods.result import Compressed
from acgym.compress.methods.rtn import rtn
from acgym.compress.methods.scaling import Fold
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.model import SmoothQuantOptions


def smoothquant_scales(fold: Fold, options: SmoothQuantOptions) -> Tensor | None:
    """Return s_j = max|X_j|^alpha / max|W_j|^(1 - alpha) (eq. 4), folded into the norm before: X / s, W * s (eq. 3).

    As in the paper only norms take scales: the inputs of attention's output projection and of the MLP's down projection
    stay as they are. The maxima are those of all calibration tokens and of all projections that read X.

    Args:
        fold: the projections that read X.
        options: its ``alpha`` is read; 16 bits for weights and activations smooth nothing.

    Returns:
        (channels,), positive; 1 where a channel is zero on all tokens or in all weights. None after a projection.
    """
    if not fold.after_norm or options.formats == (16, 16):
        return None
    inputs, weights = fold.largest(), fold.largest_weight()
    scales = inputs**options.alpha / weights ** (1 - options.alpha)
    return torch.where((inputs > 0) & (weights > 0), scales, torch.ones_like(scales))


def smoothquant(weight: Tensor, statistics: Statistics, options: SmoothQuantOptions) -> Compressed:
    """Round a smoothed weight to symmetric integers, one scale per output channel.

    Its inputs are rounded to int8 token by token while the model runs (``options.activations``).

    Args:
        weight: (out, in), float32 or float64.
        statistics: not read.
        options: bits.

    Returns:
        The rounded weight, (out, in), same dtype.
    """
    return rtn(weight, statistics, options.weights)
