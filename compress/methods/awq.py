"""AWQ: channels that activations make important are scaled up before rounding (Lin et al. 2023, arXiv 2306.00978)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from acgym.compress.methods.grid import Grid, fake_quantise, grid, quantise_groups
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.scaling import Fold
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.model import AwqOptions

STEPS = 20
"""Exponents that are tried, from 0 on, and steps of clipping in [0, 1]."""
SHRINK = 10
"""Steps of clipping that are tried: down to just over half of a group's largest weight."""


def awq_scales(fold: Fold, options: AwqOptions) -> Tensor | None:
    """Search the scales s = s_X^alpha that make the rounded projections err least (eq. 4 and 5 of the paper).

    s_X is mean |x| of each channel, alpha one of 0, 1/20, ..., 19/20; s is normalised to sqrt(max s * min s) = 1.
    Unless the options say ``plain``, s_X^alpha / s_W^(1 - alpha) is tried too, as AutoAWQ does: s_W is the mean over
    outputs of |w| as a share of the largest in its group.

    The error is sum tr(D G D^T) over the projections, D = Q(W diag(s)) diag(s)^-1 - W, G = X X^T: what their outputs
    are off by on all calibration tokens. It departs from AutoAWQ, which replays a sample through the block that follows
    (attention, MLP): nothing is replayed here, and no token left out.

    Args:
        fold: the projections that read X, and their statistics.
        options: bits, group size, symmetric or not.

    Returns:
        s, (channels,), positive; None if s = 1 is best, for 16 bits, or if no token came.

    Raises:
        ValueError: if the group size does not divide in, or the Hessian was not collected.
    """
    sizes = fold.mean()
    if options.bits == 16 or not bool((sizes > 0).any()):
        return None
    parts = _merged(fold)
    best, least = None, _error(parts, None, options)
    for scales in _candidates(fold, sizes, options):
        error = _error(parts, scales[fold.share], options)
        if error < least:
            best, least = scales, error
    return best


def _merged(fold: Fold) -> list[tuple[Tensor, Tensor]]:
    """Pair weights with Gram matrices; weights that read the very same tokens (query, key, value) become one."""
    parts: list[tuple[list[Tensor], Tensor]] = []
    for name, weight in fold.weights.items():
        gram = fold.statistics[name].hessian / 2
        known = next((weights for weights, other in parts if torch.equal(other, gram)), None)
        if known is None:
            parts.append(([weight], gram))
        else:
            known.append(weight)
    return [(torch.cat(weights), gram.to(weights[0])) for weights, gram in parts]


def _candidates(fold: Fold, sizes: Tensor, options: AwqOptions) -> Iterator[Tensor]:
    """Yield the scales to try, (channels,) each."""
    sizes = sizes.clamp(min=1e-4 * float(sizes.max()))
    for step in range(1, STEPS):
        yield _normalised(sizes ** (step / STEPS))
    if options.plain:
        return
    shares = []
    for weight in fold.weights.values():
        grouped = weight.abs().reshape(len(weight), -1, options.group_size(weight.shape[1]))
        largest = grouped.amax(-1, keepdim=True)
        shares.append((grouped / largest.clamp(min=torch.finfo(weight.dtype).tiny)).flatten(1))
    weights = fold.channel_mean(torch.cat(shares).mean(0)).clamp(min=1e-4)
    for step in range(STEPS):
        yield _normalised(sizes ** (step / STEPS) / weights ** (1 - step / STEPS))


def _normalised(scales: Tensor) -> Tensor:
    return scales / (scales.max() * scales.min()).sqrt()


def _error(parts: list[tuple[Tensor, Tensor]], scales: Tensor | None, options: AwqOptions) -> float:
    """Sum tr(D G D^T) over weights; ``scales`` is (in,)."""
    total = 0.0
    for weight, gram in parts:
        size = options.group_size(weight.shape[1])
        if scales is None:
            delta = quantise_groups(weight, options.bits, size, options.symmetric) - weight
        else:
            delta = quantise_groups(weight * scales, options.bits, size, options.symmetric) / scales - weight
        # Eq. 4: ||(Q(W diag(s)) diag(s)^-1 - W) X||^2 = tr(D G D^T), D (out, in), G = X X^T (in, in).
        total += float(((delta @ gram) * delta).sum())
    return total


def awq(weight: Tensor, statistics: Statistics, options: AwqOptions) -> Compressed:
    """Round a weight whose scales are folded in, each group to the grid that errs least on the calibration tokens.

    For every row and group the grid of the weights clipped to c * max|w|, c = 1, 0.95, ..., 0.55, is tried, and the c
    with the least d G d^T kept; d is what the group's weights move by, and G the group's block of X X^T. That is
    the search of AutoAWQ's code, on all tokens instead of a sample; there query and key projections are left out.

    Args:
        weight: (out, in), float32 or float64.
        statistics: its ``hessian``, (in, in), is read, unless the options say ``noclip``.
        options: bits, group size, symmetric or not, clipping or not.

    Returns:
        The rounded weight, (out, in), same dtype, and its grid. 16 bits return the weight as it is.

    Raises:
        ValueError: if the group size does not divide in, or the Hessian was not collected.
    """
    rows, columns = weight.shape
    options.check(columns)
    if options.bits == 16:
        return Compressed(weight)
    size = options.group_size(columns)
    grouped = weight.reshape(rows, -1, size)
    scale, zero = grid(grouped, options.bits, options.symmetric)
    if options.clip:
        scale, zero = _clipped(grouped, _blocks(statistics.hessian.to(weight), size), scale, zero, options)
    rounded = fake_quantise(grouped, scale, zero, options.bits).reshape(rows, columns)
    groups = torch.arange(columns, device=weight.device) // size
    return Compressed(rounded, (), Grid(options.bits, options.symmetric, scale[..., 0], zero[..., 0], groups))


def _blocks(hessian: Tensor, size: int) -> Tensor:
    """Return the diagonal blocks, (groups, size, size)."""
    count = len(hessian) // size
    return hessian.reshape(count, size, count, size).diagonal(dim1=0, dim2=2).permute(2, 0, 1)


def _clipped(
    grouped: Tensor, blocks: Tensor, scale: Tensor, zero: Tensor, options: AwqOptions
) -> tuple[Tensor, Tensor]:
    """Return the scale and zero point of each group, (out, groups, 1), that err least."""

    def error(scale: Tensor, zero: Tensor) -> Tensor:
        # d G d^T of every row and group at once: (groups, out, size) @ (groups, size, size), summed over size.
        delta = (fake_quantise(grouped, scale, zero, options.bits) - grouped).transpose(0, 1)
        return ((delta @ blocks) * delta).sum(-1).T[..., None]

    least = error(scale, zero)
    largest = grouped.abs().amax(-1, keepdim=True)
    for step in range(1, SHRINK):
        end = largest * (1 - step / STEPS)
        tried = grid(torch.minimum(torch.maximum(grouped, -end), end), options.bits, options.symmetric)
        now = error(*tried)
        better = now < least
        least = torch.where(better, now, least)
        scale, zero = torch.where(better, tried[0], scale), torch.where(better, tried[1], zero)
    return scale, zero
