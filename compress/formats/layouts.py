"""The layouts side by side: which there are, what each refuses, and how one projection is stored in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from acgym.compress.formats import awq, compressed_tensors, gptq
from acgym.compress.formats.names import FORMATS
from acgym.compress.formats.scheme import WHOLE, Scheme, scheme_of
from acgym.compress.methods.grid import Grid
from acgym.compress.methods.result import Compressed
from acgym.compress.recipe import Recipe, parse
from acgym.types import Json


class Layout(Protocol):
    """What the module of a layout offers; the arguments are described there."""

    @property
    def PARTS(self) -> tuple[str, ...]:
        """Last parts of the names of the tensors that stand for one projection."""

    def refuse(self, scheme: Scheme) -> None:
        """Raise ValueError for what the layout cannot hold."""

    def check_shape(self, scheme: Scheme, rows: int, columns: int) -> None:
        """Raise ValueError for a weight whose shape the layout cannot hold."""

    def settings(self, scheme: Scheme, ignored: Sequence[str]) -> dict[str, Json]:
        """Return quantization_config."""

    def stored_bytes(self, scheme: Scheme, rows: int, columns: int) -> int:
        """Return the bytes that a (rows, columns) weight takes."""

    def pack_linear(self, grid: Grid, codes: Tensor) -> dict[str, Tensor]:
        """Store one projection."""

    def unpack_linear(self, stored: Mapping[str, Tensor], found: Mapping[str, Json]) -> Tensor:
        """Return the (out, in) float32 weight of one stored projection."""


LAYOUTS: dict[str, Layout] = {"gptq": gptq, "awq": awq, "compressed-tensors": compressed_tensors}


def scheme_for(format: str, recipe: Recipe) -> Scheme | None:
    """Return how a recipe leaves the weights that a format packs; None for plain weights.

    Raises:
        ValueError: for an unknown format, or a recipe whose result the format cannot hold.
    """
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}; known: {', '.join(FORMATS)}")
    scheme = scheme_of(recipe)
    if format == "dense":
        if scheme is not None and scheme.activations:
            raise ValueError(f"dense weights cannot say that activations are quantised ({recipe}); use another format")
        return None
    if scheme is None:
        raise ValueError(
            f"{recipe} leaves no integers and no plain FP8, so there is nothing to pack; use --format dense"
        )
    LAYOUTS[format].refuse(scheme)
    return scheme


def check_overrides(format: str, overrides: Mapping[str, Recipe | str]) -> None:
    """Refuse overrides that a format cannot hold.

    Raises:
        ValueError: for any in a packed format, and in plain weights for one that rounds activations.
    """
    if overrides and format != "dense":
        raise ValueError(
            f"a checkpoint in the {format} format holds all weights in one way; leave out the overrides, or use dense"
        )
    for recipe in overrides.values():
        scheme_for(format, parse(recipe) if isinstance(recipe, str) else recipe)


class OnGrid(NamedTuple):
    """A quantised weight as integers."""

    grid: Grid
    codes: Tensor
    """(out, in), uint8."""


@dataclass(slots=True)
class Kept:
    """Collects what each step makes of each projection: hand it to ``compress`` as ``keep``.

    Integers are taken from the weight before it is rounded to the model's dtype, and kept on the CPU, a byte each.
    """

    weights: dict[str, OnGrid] = field(default_factory=dict)
    """Full name of each projection whose last step left it on a grid."""

    def __call__(self, name: str, result: Compressed) -> None:
        """Take one projection's result.

        Raises:
            ValueError: if a step moved weights off the grid of the step before; zeroing them does not.
        """
        if result.grid is not None:
            codes = result.grid.codes(result.weight).to("cpu", torch.uint8)
            self.weights[name] = OnGrid(_on_cpu(result.grid), codes)
        elif name in self.weights:
            grid, codes = self.weights[name]
            weight = result.weight.float().cpu()
            codes = torch.where(weight == 0, grid.zero[:, grid.groups].to(torch.uint8), codes)
            if not torch.allclose(grid.weight(codes).float(), weight, rtol=2.0**-7):
                raise ValueError(f"a later step changed the quantised weights of {name}; put the quantising step last")
            self.weights[name] = OnGrid(grid, codes)


def _on_cpu(grid: Grid) -> Grid:
    return Grid(grid.bits, grid.symmetric, grid.scale.float().cpu(), grid.zero.float().cpu(), grid.groups.cpu())


def store_projection(
    format: str, scheme: Scheme, name: str, kept: Kept, weight: Tensor, rows: slice = slice(None)
) -> dict[str, Tensor]:
    """Return the tensors that stand for a projection, or for some of its rows, by the last part of their names.

    Args:
        format: name of a layout.
        scheme: what the recipe leaves.
        name: full name of the projection.
        kept: what ``compress`` handed on.
        weight: (out, in), the weight as it is in the compressed model; read for FP8, which has no integers.
        rows: which outputs.

    Raises:
        ValueError: if the projection is on no grid, or a scale does not fit into 16 bits.
    """
    if scheme.kind == "float":
        stored = compressed_tensors.plain_fp8(weight.detach().cpu(), scheme.group == WHOLE)
        one = scheme.group == WHOLE  # a scale for all rows
        return {part: t if one and part == "weight_scale" else t[rows].contiguous() for part, t in stored.items()}
    if name not in kept.weights:
        raise ValueError(f"no step of the recipe left {name} on a grid, so it cannot be packed; use the dense format")
    grid, codes = kept.weights[name]
    grid, codes = replace(grid, scale=grid.scale[rows], zero=grid.zero[rows]), codes[rows]
    half = grid.scale.to(torch.float16)
    if not bool(torch.isfinite(half).all()) or bool((half == 0).any()):
        raise ValueError(f"a scale of {name} does not fit into 16 bits; use the dense format")
    if scheme.activations:
        return compressed_tensors.plain_int8(grid, codes)
    return LAYOUTS[format].pack_linear(grid, codes)
