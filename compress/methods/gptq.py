"""GPTQ: rounding column by column, each error made good in the columns to come (Frantar et al. 2023, 2210.17323)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from acgym.compress.methods.grid import Grid, grid
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import GptqOptions

BLOCK = 128
"""Columns between two lazy updates of all the rest."""
STRIP = 8
"""Columns between two updates of those to come in the block: their memory is read once, not 8 times."""
TRIANGLE = 256
"""Rows of a triangular matrix that is inverted in one piece."""


def gptq(weight: Tensor, statistics: Statistics, options: GptqOptions) -> Compressed:
    """Quantise a weight so that its output on the calibration tokens changes little (Algorithm 1 of the paper).

    Departures from the authors' code: the factor is computed in float64; the mean diagonal that damping is a share of
    leaves dead inputs out, so that the result does not depend on the scale of H; the grid of a group inside a block is
    taken from weights that the block has updated already, as the column-by-column algorithm has it (theirs takes it
    from before the block; no difference for groups of 128).

    Args:
        weight: W, (out, in), float32 or float64.
        statistics: its ``hessian`` H = 2 X X^T, (in, in), is read, and its ``zeros``: weights that were pruned before
            stay zero; what the sweep would move them by is made good in the columns to come, as any other error.
        options: bits, group size, symmetric or not, order of the columns, static groups, damping.

    Returns:
        The quantised weight, (out, in), same dtype, and its grid. Inputs that were zero on every calibration token are
        dead: their weights become zero. Notes say how many those are and to what the damping had to be raised.

    Raises:
        ValueError: if the group size does not divide in, or H has no factor under any damping up to 1.
    """
    options.check(weight.shape[1])
    if options.bits == 16:
        return Compressed(weight)
    diagonal = statistics.hessian_diagonal
    dead = diagonal <= 0
    order = _order(diagonal, options)
    factor, damp = shared_factor(statistics, options.damp, order)
    # One column of W is one row here: the sweep reads and writes memory in one piece.
    columns = weight.masked_fill(dead, 0.0).T.contiguous()
    places = torch.arange(len(dead), device=weight.device) if order.places is None else order.places
    pruned = None if statistics.zeros is None else statistics.zeros.T[places]
    grids = _Grids(columns, places, options, pruned)
    swept = _sweep(columns[places], factor.to(columns), grids)
    quantised = torch.empty_like(swept)
    quantised[places] = swept
    notes = []
    if int(dead.sum()):
        notes.append(f"{int(dead.sum())} of {dead.numel()} inputs are dead (zero on every calibration token)")
    if damp != options.damp:
        notes.append(f"damping raised from {options.damp:g} to {damp:g}: the Hessian is singular")
    return Compressed(quantised.T.contiguous(), tuple(notes), grids.result())


class Order(NamedTuple):
    """An order of the columns."""

    name: str
    """Equal for equal orders of one Hessian."""
    places: Tensor | None
    """(in,), int64: the column that comes first, the one that comes second, ...; None for that of the weight."""


def _order(diagonal: Tensor, options: GptqOptions) -> Order:
    """Return the columns in the order of the sweep; equal diagonals keep their order.

    Group-aware reordering is that of Gafni et al. 2025 (arXiv 2505.14638): columns are sorted within their groups, and
    groups by the largest of each, which is its first by then.
    """
    if options.act_order:
        return Order("act", diagonal.argsort(descending=True, stable=True))
    if not options.group_order:
        return Order("", None)
    size = options.group_size(len(diagonal))
    within = torch.sort(diagonal.reshape(-1, size), dim=1, descending=True, stable=True)
    groups = within.values[:, 0].argsort(descending=True, stable=True)
    starts = torch.arange(len(groups), device=diagonal.device)[:, None] * size
    return Order(f"groups of {size}", (within.indices + starts)[groups].flatten())


def shared_factor(statistics: Statistics, damp: float, order: Order | None = None) -> tuple[Tensor, float]:
    """Return :func:`inverse_factor` of the Hessian, made once for all projections that read the same inputs.

    Args:
        statistics: of the inputs.
        damp: as there.
        order: the order of the Hessian's rows; None for theirs.
    """
    order = order or Order("", None)
    key = ("inverse factor", damp, order.name)
    if key not in statistics.memo:
        hessian, places = statistics.hessian, order.places
        statistics.memo[key] = inverse_factor(hessian if places is None else hessian[places][:, places], damp)
    factor: tuple[Tensor, float] = statistics.memo[key]
    return factor


def inverse_factor(hessian: Tensor, damp: float) -> tuple[Tensor, float]:
    """Return the upper triangular U with H^-1 = U^T U (the paper's Cholesky(H^-1)^T), and the damping that it took.

    Factoring H from its last row up, H = V V^T with V upper triangular, gives U = V^-1 without ever forming H^-1.

    Args:
        hessian: H, (d, d), symmetric, positive semidefinite. Rows whose diagonal is 0 count as rows of the identity.
        damp: share of the mean of the other diagonal entries that is added to the diagonal. Raised to 0.01, then
            tenfold at a time up to 1, while H is singular in float64.

    Returns:
        U, (d, d), float64, on the device of H (on the CPU where the device has no float64), and the damping used.

    Raises:
        ValueError: if H is singular under every damping.
    """
    device = torch.device("cpu") if hessian.device.type == "mps" else hessian.device
    diagonal = hessian.diagonal().to(device, torch.float64)
    dead = diagonal <= 0
    mean = float(diagonal[~dead].mean()) if not bool(dead.all()) else 1.0
    diagonal = diagonal.masked_fill(dead, mean).flip(0)
    for share in dict.fromkeys([damp, max(damp, 0.01), max(damp, 0.1), 1.0]):
        # At most two copies in float64 are alive at any time: of a wide layer each takes a gigabyte.
        damped = hessian.flip(0, 1).to(device, torch.float64)
        damped.diagonal().copy_(diagonal + share * mean)
        lower, failed = torch.linalg.cholesky_ex(damped)
        del damped
        pivots = lower.diagonal()
        # A pivot at the level of rounding means a factor made of noise, though the algorithm did not stop.
        if not int(failed) and float(pivots.min() / pivots.max()) ** 2 > 4 * len(dead) * torch.finfo(lower.dtype).eps:
            upper = lower.flip(0, 1)
            del lower, pivots
            return _invert(upper), share
    raise ValueError("the Hessian of the calibration text is singular under every damping; use more calibration text")


def _invert(upper: Tensor) -> Tensor:
    """Invert an upper triangular matrix in place, half by half: half the time of solving for the identity."""
    size, half = len(upper), len(upper) // 2
    if size <= TRIANGLE:
        identity = torch.eye(size, dtype=upper.dtype, device=upper.device)
        return upper.copy_(torch.linalg.solve_triangular(upper, identity, upper=True))
    first, last = slice(0, half), slice(half, size)
    _invert(upper[first, first])
    _invert(upper[last, last])
    upper[first, last] = (upper[first, first] @ upper[first, last] @ upper[last, last]).neg_()
    return upper


class _Bounds(NamedTuple):
    """The grid of one column, each (out,): a weight is ``scale`` times a whole number from ``low`` to ``high``."""

    scale: Tensor
    low: Tensor
    high: Tensor

    def nearest(self, column: Tensor) -> Tensor:
        """Return what :func:`acgym.compress.methods.grid.fake_quantise` returns, in four operations instead of six.

        Only for a column: where bounds are spread over groups, clamping between tensors is slower than all six.
        """
        return (column / self.scale).round_().clamp_(self.low, self.high).mul_(self.scale)


@dataclass
class _Grids:
    """The scale and zero point of each column of a sweep: fixed beforehand, or taken when a group begins."""

    columns: Tensor
    """The original weights, (in, out)."""
    order: Tensor
    options: GptqOptions
    pruned: Tensor | None
    """Weights that stay zero, (in, out) in the order of the sweep."""

    def __post_init__(self) -> None:
        """Fix the static grids."""
        count, rows = self.columns.shape
        self.group = self.options.group_size(count)
        self.places: list[int] = self.order.tolist()
        self.static = self.options.static_groups or self.group == count
        self.fixed: list[_Bounds] = []
        self.taken: list[_Bounds] = []
        if self.static:
            grouped = self.columns.T.reshape(rows, count // self.group, self.group)
            scale, zero = grid(grouped, self.options.bits, self.options.symmetric)
            self.fixed = [self._bounds(scale[:, place], zero[:, place]) for place in range(count // self.group)]

    def at(self, index: int, swept: Tensor) -> _Bounds:
        """Return the grid of the column at ``index`` of the sweep whose state is ``swept``."""
        if self.static:
            return self.fixed[self.places[index] // self.group]
        if index % self.group == 0:
            columns = swept[index : index + self.group]
            if self.pruned is not None:
                columns = columns.masked_fill(self.pruned[index : index + self.group], 0.0)
            scale, zero = grid(columns.T, self.options.bits, self.options.symmetric)
            self.taken.append(self._bounds(scale, zero))
        return self.taken[-1]

    def _bounds(self, scale: Tensor, zero: Tensor) -> _Bounds:
        scale, zero = scale.flatten(), zero.flatten()  # (out, 1) before
        return _Bounds(scale, -zero, 2**self.options.bits - 1 - zero)

    def result(self) -> Grid:
        """Return all grids after the sweep.

        Under act order a group that was taken on the way holds the columns that were swept with it; else these are
        neighbours, in an order of their own, and the groups are put back where they stand.
        """
        place = torch.arange(len(self.order), device=self.order.device) // self.group
        groups, bounds = place, self.fixed or self.taken
        if not self.static and self.options.act_order:
            groups = torch.empty_like(place)
            groups[self.order] = place
        elif not self.static:
            firsts: list[int] = (self.order[:: self.group] // self.group).tolist()
            bounds = [bounds[firsts.index(group)] for group in range(len(firsts))]
        scale = torch.stack([each.scale for each in bounds], 1)
        zero = torch.stack([-each.low for each in bounds], 1)
        return Grid(self.options.bits, self.options.symmetric, scale, zero, groups)


def _block_size(group: int, columns: int) -> int:
    """A block that no group straddles, so that a group is up to date when its grid is taken."""
    if group <= BLOCK:
        return BLOCK // group * group
    return BLOCK if group == columns or group % BLOCK == 0 else group


def _sweep(columns: Tensor, factor: Tensor, grids: _Grids) -> Tensor:
    """Quantise (in, out) columns in order, in place; ``factor`` is U. Lazy updates as in section 3.3, step 2."""
    block = _block_size(grids.group, len(columns))
    width = math.gcd(STRIP, grids.group)  # a group begins with a strip: its grid is taken from columns up to date
    pivots = factor.diagonal().tolist()
    # Algorithm 1 of the paper, with W^T (in, out) for W: "for i = 0, B, 2B, ..." over blocks of B columns,
    for start in range(0, len(columns), block):
        stop = min(start + block, len(columns))
        errors = torch.empty_like(columns[start:stop])  # E, (B, out)
        for first in range(start, stop, width):
            end = min(first + width, stop)
            # and "for j = i, ..., i + B - 1" over their columns, which here come in strips of ``width``.
            strip, lost = columns[first:end], errors[first - start : end - start]  # (width, out) each
            later = factor[first:end, first:end].unbind()
            for i, (column, error) in enumerate(zip(strip.unbind(), lost.unbind(), strict=True)):
                rounded = grids.at(first + i, columns).nearest(column)  # Q_:,j = quant(W_:,j), (out,)
                if grids.pruned is not None:
                    rounded.masked_fill_(grids.pruned[first + i], 0.0)
                # E_:,j-i = (W_:,j - Q_:,j) / [H^-1]_jj, where the paper's H^-1 is by now its factor U
                torch.sub(column, rounded, out=error).div_(pivots[first + i])
                column.copy_(rounded)
                # W_:,j:(i+B) -= E_:,j-i [H^-1]_j,j:(i+B): in the strip now, an outer product,
                if i + 1 < len(later):
                    strip[i + 1 :].addr_(later[i][i + 1 :], error, alpha=-1)
            # in the rest of the block after the strip: (stop - end, width) @ (width, out),
            columns[end:stop].addmm_(factor[first:end, end:stop].T, lost, alpha=-1)
        # W_:,(i+B): -= E [H^-1]_i:(i+B),(i+B):, the lazy update of all the rest: (in - stop, B) @ (B, out).
        columns[stop:].addmm_(factor[start:stop, stop:].T, errors, alpha=-1)
    return columns
