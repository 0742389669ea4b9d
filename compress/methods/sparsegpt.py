"""SparseGPT: pruning column by column, each error made good in the columns to come (Frantar & Alistarh 2301.00774)."""

from __future__ import annotations

import torch
from torch import Tensor

from acgym.compress.methods.gptq import shared_factor
from acgym.compress.methods.masks import smallest
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.statistics import Statistics
from acgym.compress.options.weights import SparseGptOptions

BLOCK = 128
"""Columns whose mask is chosen together, and between two updates of all the rest (B = Bs = 128 in the paper)."""
STRIP = 8
"""Columns after which those to come in the block are updated, all at once: their memory is read once, not 8 times."""


def sparsegpt(weight: Tensor, statistics: Statistics, options: SparseGptOptions) -> Compressed:
    """Prune a weight so that its output on the calibration tokens changes little (Algorithm 1 of the paper).

    Whenever the sweep reaches a block of 128 columns, the weights of it (of all rows together) with the smallest
    w^2 / [H^-1]_cc^2 are marked, as the paper's adaptive mask selection has it; [H^-1]_cc there is the diagonal of the
    Cholesky factor. For n:m the block is m columns, and m - n weights are marked in each row. Then column after column
    the marked weights become zero, and the columns to come take over their part of the output.

    Departures from the authors' code: exactly floor(out * in * share) weights are marked, where its threshold marks one
    more per block and all ties; the factor is computed in float64; weights of dead inputs are marked first but not all
    zeroed. H is that of all tokens of X, and scaling it changes nothing.

    Args:
        weight: W, (out, in), float32 or float64.
        statistics: its ``hessian`` H = 2 X X^T, (in, in), is read.
        options: the share in per cent, or (n, m): n kept of m neighbours; damping.

    Returns:
        The pruned weight, (out, in), same dtype: marked weights are exactly 0. Among equal scores the first in
        column-major order goes (in a row: the lower index). Notes say how many inputs are dead (zero on every
        calibration token), and to what the damping had to be raised.

    Raises:
        ValueError: if m does not divide in, or H has no factor under any damping up to 1.
    """
    options.check(weight.shape[1])
    if options.zeros(weight.numel()) == 0:
        return Compressed(weight)
    dead = statistics.hessian_diagonal <= 0
    factor, damp = shared_factor(statistics, options.damp)
    # One column of W is one row here: the sweep reads and writes memory in one piece.
    columns = weight.T.contiguous()
    _sweep(columns, factor.to(columns), dead, options)
    notes = []
    if int(dead.sum()):
        notes.append(f"{int(dead.sum())} of {dead.numel()} inputs are dead (zero on every calibration token)")
    if damp != options.damp:
        notes.append(f"damping raised from {options.damp:g} to {damp:g}: the Hessian is singular")
    return Compressed(columns.T.contiguous(), tuple(notes))


def _sweep(columns: Tensor, factor: Tensor, dead: Tensor, options: SparseGptOptions) -> None:
    """Prune (in, out) columns from the first to the last, in place; ``factor`` is U with H^-1 = U^T U."""
    count, rows = columns.shape
    n, m = options.sparsity if isinstance(options.sparsity, tuple) else (0, 0)
    block = max(BLOCK // m, 1) * m if m else BLOCK  # no group straddles two blocks
    pivots = factor.diagonal()
    importance = pivots.reciprocal().square().masked_fill(dead, 0.0)[:, None]
    updates = factor / pivots[:, None]  # what a column's whole loss takes from those to come
    # Algorithm 1 of the paper, with W^T (in, out) for W. "for i = 0, B, 2B, ..." over blocks of B columns,
    for start in range(0, count, block):
        stop = min(start + block, count)
        inside, losses = columns[start:stop], torch.empty_like(columns[start:stop])
        marked = torch.empty(0)
        if not m:
            # M_:,j:(j+Bs): of all (B, out) weights w of the block those with the least w^2 / [H^-1]_cc^2,
            scores = inside.square() * importance[start:stop]
            k = options.zeros(rows * stop) - options.zeros(rows * start)
            marked = smallest(scores.flatten(), k).view_as(scores).to(columns)
        width = m or STRIP
        for at in range(start, stop, width):
            end = min(at + width, stop)
            strip, lost = columns[at:end], losses[at - start : end - start]
            if m:  # n:m chooses in each row, (out,), among the m columns of the strip, when the sweep is there
                scores = strip.square() * importance[at:end]
                chosen = smallest(scores.T, m - n).T.to(columns)
            else:
                chosen = marked[at - start : end - start]
            _prune(strip, chosen, updates[at:end, at:end], lost)
            # W_:,j:(i+B) -= E_:,j-i [H^-1]_j,j:(i+B) for the rest of the block: (stop - end, width) @ (width, out).
            columns[end:stop].addmm_(updates[at:end, end:stop].T, lost, alpha=-1)
        # W_:,(i+B): -= E [H^-1]_i:(i+B),(i+B):, the lazy update of all the rest: (in - stop, B) @ (B, out).
        columns[stop:].addmm_(updates[start:stop, stop:].T, losses, alpha=-1)


def _prune(strip: Tensor, marked: Tensor, updates: Tensor, lost: Tensor) -> None:
    """Prune the columns of a strip one after the other, in place.

    Args:
        strip: (columns, rows).
        marked: 1 where a weight goes, else 0; like ``strip``.
        updates: (columns, columns), upper triangular with ones on the diagonal.
        lost: gets the weights that went, as they were at that time; like ``strip``.
    """
    rows = zip(strip.unbind(), marked.unbind(), lost.unbind(), updates.unbind(), strict=True)
    for i, (column, gone, loss, taken) in enumerate(rows):
        # E = (W_:,j where it is pruned) / [H^-1]_jj, whose division ``updates`` holds already; W_:,j itself loses E.
        torch.mul(column, gone, out=loss)
        strip[i:].addr_(taken[i:], loss, alpha=-1)
