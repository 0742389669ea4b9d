"""From simulated to real: the quantised projections of a model are replaced by modules that run on packed integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import Tensor, nn

from acgym.compress.methods.activations import input_format, quantise_inputs
from acgym.compress.methods.grid import Grid
from acgym.compress.methods.result import Compressed
from acgym.compress.packed.linear import COLUMNS, KERNEL_GROUPS, Int4Linear, Int8Linear, PackedLinear, W8A8Linear
from acgym.compress.walk.record import CompressionRecord

CHUNK = 256
"""Rows of a weight whose integers are computed at a time."""


@dataclass(frozen=True, slots=True)
class PackReport:
    """What runs packed now, what does not, and what the model takes in memory. All bytes are measured."""

    kernels: Mapping[str, str]
    """Projection -> what multiplies: ``int4``, ``2 x int4``, ``int8`` or ``w8a8``."""
    simulated: Mapping[str, str]
    """Projection -> why it stays as it was, in floating point."""
    bits_per_weight: float
    """Bits that the weights of all these projections take in memory, packed or not, with scales and filling."""
    weight_bytes: int
    """Bytes of all parameters and buffers of the model, tied ones counted once."""
    notes: tuple[str, ...] = ()

    @property
    def execution(self) -> str:
        """Say in one line how the model runs, such as ``packed on the CPU (28 int4)``."""
        counts: dict[str, int] = {}
        for kernel in self.kernels.values():
            counts[kernel] = counts.get(kernel, 0) + 1
        parts = [f"{count} {kernel}" for kernel, count in counts.items()]
        parts += [f"{len(self.simulated)} simulated"] if self.simulated else []
        return f"packed on the CPU ({', '.join(parts)})"


@dataclass
class GridKeeper:
    """Collects the grid of each projection: ``compress(..., keep=keeper)``, then ``pack(model, keeper.grids)``."""

    grids: dict[str, Grid] = field(default_factory=dict)

    def __call__(self, name: str, result: Compressed) -> None:
        """Keep the grid that the last step left; a later step without one leaves the weights on the old one, or not."""
        if result.grid is not None:
            self.grids[name] = result.grid


def pack(model: nn.Module, grids: Mapping[str, Grid]) -> PackReport:
    """Replace simulated projections by packed ones, in place; outputs stay the same up to bfloat16 arithmetic.

    ================================  ==========================================================================
    weights                           run as
    ================================  ==========================================================================
    up to 4 bits in groups            ``int4``: one nibble per weight (so 2 and 3 bits take 4 bits of memory)
    8 bits, one scale per row         ``int8``, or ``w8a8`` where the projection rounds its inputs to int8
    8 bits in groups                  ``2 x int4``: two nibbles per weight, the sum of two products
    ================================  ==========================================================================

    Groups are multiples of 32 input features; whole rows of a multiple of 32 will do. Columns that act order has spread
    over the groups are gathered again, and the inputs are reordered on the way. Scales are rounded to bfloat16 (by at
    most 2^-9 of themselves), except in ``w8a8``.

    Args:
        model: on the CPU, as :func:`acgym.compress.compress` left it, any floating dtype.
        grids: full name of each quantised projection -> the grid that its weight lies on.

    Returns:
        What was packed, what was not and why, and measured sizes.

    Raises:
        ValueError: if nothing can be packed (with the reasons), torch lacks a kernel, a name is no projection, or the
            model is not on a CPU. The model is unchanged then.
    """
    device = next(model.parameters()).device
    if device.type != "cpu":
        raise ValueError(
            f"packed execution runs on a CPU, and the model is on {device}; on a GPU export it and serve it with vLLM "
            "or GPTQModel, or play it simulated"
        )
    linears = {name: _linear(model, name) for name in grids}
    kernels, reasons = {}, {}
    for name in list(linears):
        packed = _packed(linears.pop(name), grids[name])
        if isinstance(packed, str):
            reasons[name] = packed
        else:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, packed)
            kernels[name] = packed.kernel
    if not kernels:
        found = "; ".join(dict.fromkeys(reasons.values())) or "no projection is quantised to integers"
        raise ValueError(f"nothing can run packed: {found}. Use for example gptq-w4-g128 or rtn-w8-channel")
    wide = sorted({grids[name].bits for name, kernel in kernels.items() if kernel == "int4"} - {4})
    notes = [f"{bits}-bit integers are held in 4 bits: no product of torch reads {bits}" for bits in wide]
    return PackReport(kernels, reasons, _bits_per_weight(model, grids), _weight_bytes(model), tuple(notes))


def packed_record(record: CompressionRecord, report: PackReport) -> CompressionRecord:
    """Return the record of a model that was packed: its bits and bytes are measured, no longer counted."""
    left = [f"{name} runs simulated: {why}" for name, why in report.simulated.items()]
    return replace(
        record,
        simulated=False,
        execution=report.execution,
        bits_per_weight=report.bits_per_weight,
        weight_bytes=report.weight_bytes,
        notes=(*record.notes, *report.notes, *left),
    )


def _linear(model: nn.Module, name: str) -> nn.Linear:
    try:
        module = model.get_submodule(name)
    except AttributeError:
        raise ValueError(
            f"the model has no module {name!r}; take the grids from compress() on this very model"
        ) from None
    if not isinstance(module, nn.Linear):
        raise ValueError(f"{name} is a {type(module).__name__}, expected an nn.Linear; is it packed already?")
    return module


def _codes(linear: nn.Linear, grid: Grid) -> Tensor | None:
    """Return the integers of a weight, (out, in) uint8; None if it is not on its grid, up to the rounding of its dtype.

    Some rows at a time: the exact arithmetic takes 8 bytes for each integer.
    """
    slack = 2 * torch.finfo(linear.weight.dtype).eps
    codes = torch.empty(linear.weight.shape, dtype=torch.uint8)
    for start in range(0, len(codes), CHUNK):
        rows = slice(start, start + CHUNK)
        part = replace(grid, scale=grid.scale[rows], zero=grid.zero[rows])
        weight = linear.weight.detach()[rows].to(grid.scale.dtype)
        integers = part.codes(weight)
        if not torch.isclose(part.weight(integers), weight, rtol=slack, atol=1e-12).all():
            return None
        codes[rows] = integers
    return codes


def _is_rowwise(grid: Grid) -> bool:
    return grid.scale.shape[1] == 1


def _layout(grid: Grid) -> tuple[int, Tensor] | None:
    """Return the kernel's group size and the columns group by group; None if no group size fits."""
    order = torch.argsort(grid.groups, stable=True)
    groups = grid.groups[order]
    for size in KERNEL_GROUPS:
        if len(groups) % size == 0:
            blocks = groups.reshape(-1, size)
            if bool((blocks == blocks[:, :1]).all()):
                return size, order
    return None


def _packed(linear: nn.Linear, grid: Grid) -> PackedLinear | str:
    """Return the packed form of a projection, or why there is none."""
    rowwise = grid.bits == 8 and _is_rowwise(grid)
    layout = _layout(grid)
    if grid.groups.numel() != linear.in_features or grid.scale.shape[0] != linear.out_features:
        return f"its grid is of a weight of shape {(grid.scale.shape[0], grid.groups.numel())}"
    form = input_format(linear)
    if form == "fp8":
        return "torch has no fp8 product on a CPU"
    if rowwise and linear.in_features % COLUMNS:
        return f"{linear.in_features} inputs are no multiple of {COLUMNS}"
    if not rowwise and layout is None:
        return f"its groups are no multiple of {COLUMNS} of its {linear.in_features} inputs"
    codes = _codes(linear, grid)
    if codes is None:
        return "a later step has moved its weights off their grid"
    if rowwise and form == "int8" and bool((grid.zero == 128).all()):
        return W8A8Linear(codes, grid.scale, grid.zero, linear.bias)  # it rounds its inputs itself
    if rowwise:
        packed: PackedLinear = Int8Linear(codes, grid.scale, grid.zero, linear.bias)
    else:
        packed = _int4(codes, grid, linear.bias, *cast("tuple[int, Tensor]", layout))
    if form is not None:
        quantise_inputs(packed, form)
    return packed


def _int4(codes: Tensor, grid: Grid, bias: Tensor | None, size: int, order: Tensor) -> Int4Linear:
    """Make the nibbles of a projection whose columns stand together group by group in ``order``."""
    groups = grid.groups[order][::size]
    own = bool((order == torch.arange(len(order))).all())
    return Int4Linear(
        codes if own else codes[:, order],
        grid.scale[:, groups],
        grid.zero[:, groups],
        size,
        grid.bits,
        bias,
        None if own else order,
    )


def _bits_per_weight(model: nn.Module, names: Mapping[str, Grid]) -> float:
    size = weights = 0
    for name in names:
        module = model.get_submodule(name)
        if isinstance(module, PackedLinear):
            size += module.weight_bytes
            weights += module.in_features * module.out_features
        elif isinstance(module, nn.Linear):
            size += module.weight.numel() * module.weight.element_size()
            weights += module.weight.numel()
    return 8 * size / weights


def _weight_bytes(model: nn.Module) -> int:
    """Bytes of all parameters and buffers; each storage counts once."""
    tensors = {t.untyped_storage().data_ptr(): t for t in (*model.parameters(), *model.buffers())}
    return sum(t.numel() * t.element_size() for t in tensors.values())
