"""AutoAWQ's GEMM layout: 4-bit integers along the output, eight to a word in an order of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from acgym.compress.formats.bits import pack, unpack
from acgym.compress.formats.scheme import Scheme
from acgym.compress.formats.tensors import expect, positive, scales
from acgym.compress.methods.grid import Grid
from acgym.types import Json

METHOD = "awq"
MARK = "qweight"
PARTS = ("qweight", "qzeros", "scales")
BITS = 4
ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
"""Which of eight neighbouring outputs stands at bits 0, 4, ..., 28 of a word."""


def refuse(scheme: Scheme) -> None:
    """Raise ValueError for what the layout cannot hold."""
    if scheme.kind != "int" or scheme.activations or scheme.bits != BITS:
        raise ValueError("the awq layout holds weights of 4 bits only, with inputs left as they are")
    if scheme.act_order:
        raise ValueError("the awq layout holds groups of neighbouring inputs only; add '-static' or use gptq")


def check_shape(scheme: Scheme, rows: int, columns: int) -> None:
    """Raise ValueError for a weight that does not fill whole words."""
    if rows % len(ORDER):
        raise ValueError(f"the awq layout needs a multiple of 8 output features, got {rows}; use compressed-tensors")


def settings(scheme: Scheme, ignored: Sequence[str]) -> dict[str, Json]:
    """Return quantization_config. Zero points are always stored; those of symmetric weights are all 8.

    Args:
        scheme: how the weights are stored.
        ignored: names of the linear modules in the decoder layers that stay as they are.
    """
    return {
        "quant_method": METHOD,
        "bits": BITS,
        "group_size": scheme.group,
        "zero_point": True,
        "version": "gemm",
        "modules_to_not_convert": list(ignored) or None,
    }


def stored_bytes(scheme: Scheme, rows: int, columns: int) -> int:
    """Return the bytes that a (rows, columns) weight takes."""
    return rows * columns // 2 + scheme.groups(columns) * rows * 5 // 2


def pack_linear(grid: Grid, codes: Tensor) -> dict[str, Tensor]:
    """Store one projection.

    Args:
        grid: scale (out, groups), zero (out, groups); groups are neighbours.
        codes: (out, in), integers in [0, 15].

    Returns:
        qweight int32 (in, out / 8), qzeros int32 (groups, out / 8), scales float16 (groups, out).
    """
    return {
        "qweight": _pack(codes.T),
        "qzeros": _pack(grid.zero.T.long()),
        "scales": grid.scale.T.to(torch.float16).contiguous(),
    }


def unpack_linear(stored: Mapping[str, Tensor], found: Mapping[str, Json]) -> Tensor:
    """Return the (out, in) float32 weight of one stored projection: scale * (code - zero).

    Args:
        stored: the tensors of :func:`pack_linear`. Without qzeros every zero point is 8.
        found: quantization_config of the checkpoint: ``bits`` is read.

    Raises:
        ValueError: if shapes or dtypes do not fit each other.
    """
    positive(found, "bits", (BITS,))
    qweight, scale = expect(stored, "qweight", torch.int32, 2), scales(stored, "scales")
    (columns, words), (groups, rows) = qweight.shape, scale.shape
    if rows != words * len(ORDER) or columns % groups:
        raise ValueError(f"its qweight {tuple(qweight.shape)} and scales {tuple(scale.shape)} do not fit each other")
    zero = torch.full((groups, rows), 8.0)
    if "qzeros" in stored:
        qzeros = expect(stored, "qzeros", torch.int32, 2)
        if qzeros.shape != (groups, words):
            raise ValueError(f"its qzeros must be {(groups, words)}, got {tuple(qzeros.shape)}")
        zero = _unpack(qzeros).to(torch.float32)
    grouped = _unpack(qweight).to(torch.float32).reshape(groups, columns // groups, rows)
    return (scale[:, None] * (grouped - zero[:, None])).reshape(columns, rows).T.contiguous()


def _pack(codes: Tensor) -> Tensor:
    """(n, out) integers to (n, out / 8) words."""
    eights = codes.reshape(codes.shape[0], -1, len(ORDER))[..., ORDER]
    return pack(eights.reshape(codes.shape), BITS)


def _unpack(words: Tensor) -> Tensor:
    """(n, out / 8) words to (n, out) integers."""
    count = words.shape[1] * len(ORDER)
    eights = unpack(words, BITS, count).reshape(len(words), -1, len(ORDER))
    return eights[..., torch.tensor(ORDER).argsort()].reshape(len(words), count)
