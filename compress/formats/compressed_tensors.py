"""The layouts of compressed-tensors, which llm-compressor writes and vLLM reads: pack-, int- and float-quantized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from acgym.compress.formats.bits import WORD, pack, unpack, words_for
from acgym.compress.formats.compressed_tensors_config import widths
from acgym.compress.formats.scheme import WHOLE, Scheme
from acgym.compress.formats.tensors import expect
from acgym.compress.methods.grid import Grid
from acgym.types import Json

METHOD = "compressed-tensors"
PARTS = ("weight_packed", "weight", "weight_scale", "weight_shape", "weight_zero_point", "weight_g_idx")
VERSION = "0.19.0"
"""Release of compressed-tensors whose description of these layouts is written."""

LARGEST_E4M3 = 448.0


def refuse(scheme: Scheme) -> None:
    """Raise ValueError for what the layout cannot hold."""
    if scheme.act_order:
        raise ValueError(
            "compressed-tensors holds groups of neighbouring inputs only; write the recipe with '-static', which keeps "
            "groups in place under act order, or use the gptq format"
        )
    if scheme.activations is None or scheme.kind == "float":
        return
    if scheme.activations == "fp8" or scheme.bits != 8 or not scheme.symmetric or scheme.group != -1:
        raise ValueError(
            "with quantised activations, compressed-tensors holds w8-channel-sym weights under int8 activations, or "
            "fp8 weights"
        )


def check_shape(scheme: Scheme, rows: int, columns: int) -> None:
    """Accept every shape: words that are not full are padded."""


def layout_name(scheme: Scheme) -> str:
    """Return the name that the layout has in the configuration."""
    if scheme.kind == "float":
        return "float-quantized"
    return "int-quantized" if scheme.activations else "pack-quantized"


def settings(scheme: Scheme, ignored: Sequence[str]) -> dict[str, Json]:
    """Return quantization_config.

    Args:
        scheme: how the weights are stored.
        ignored: names of all linear modules that stay as they are, lm_head included.
    """
    strategy = {-1: "channel", WHOLE: "tensor"}.get(scheme.group, "group")
    weights: dict[str, Json] = {
        "num_bits": scheme.bits,
        "type": scheme.kind,
        "symmetric": scheme.symmetric,
        "strategy": strategy,
        "group_size": scheme.group if strategy == "group" else None,
        "dynamic": False,
        "block_structure": None,
        "actorder": None,
        "observer": "minmax",
        "observer_kwargs": {},
    }
    inputs: dict[str, Json] | None = None
    if scheme.activations:
        inputs = {**weights, "symmetric": True, "strategy": "token", "group_size": None, "dynamic": True}
        inputs |= {"observer": None, "type": "int" if scheme.activations == "int8" else "float", "num_bits": 8}
    group = {"targets": ["Linear"], "weights": weights, "input_activations": inputs, "output_activations": None}
    return {
        "quant_method": METHOD,
        "format": layout_name(scheme),
        "quantization_status": "compressed",
        "config_groups": {"group_0": {**group, "format": layout_name(scheme)}},
        "global_compression_ratio": None,
        "ignore": list(ignored),
        "kv_cache_scheme": None,
        "version": VERSION,
    }


def stored_bytes(scheme: Scheme, rows: int, columns: int) -> int:
    """Return the bytes that a (rows, columns) weight takes."""
    groups = scheme.groups(columns)
    if scheme.kind == "float":
        return rows * columns + 4 * (rows if scheme.group else 1)
    if scheme.activations:
        return rows * columns + 4 * rows
    zeros = 0 if scheme.symmetric else 4 * words_for(rows, scheme.bits) * groups
    return 4 * rows * words_for(columns, scheme.bits) + 2 * rows * groups + 16 + zeros


def pack_linear(grid: Grid, codes: Tensor) -> dict[str, Tensor]:
    """Store one projection as pack-quantized.

    Args:
        grid: scale (out, groups), zero (out, groups); groups are neighbours.
        codes: (out, in), integers in [0, 2^bits - 1].

    Returns:
        weight_packed int32 (out, ceil(in * bits / 32)), weight_scale float16 (out, groups), weight_shape int64 (2,),
        and, if asymmetric, weight_zero_point int32 (ceil(out * bits / 32), groups), packed along the output.
    """
    stored = {
        "weight_packed": pack(codes, grid.bits),
        "weight_scale": grid.scale.to(torch.float16),
        "weight_shape": torch.tensor(codes.shape),
    }
    if not grid.symmetric:
        stored["weight_zero_point"] = pack(grid.zero.T.long(), grid.bits).T.contiguous()
    return stored


def plain_int8(grid: Grid, codes: Tensor) -> dict[str, Tensor]:
    """Store one projection as int-quantized: weight int8 (out, in), weight_scale float32 (out, 1)."""
    return {"weight": (codes.to(torch.int16) - 128).to(torch.int8), "weight_scale": grid.scale.float()}


def plain_fp8(weight: Tensor, whole: bool) -> dict[str, Tensor]:
    """Store one projection that lies on an e4m3 grid as float-quantized.

    The largest value of a row (or of the ``whole`` weight) is 448 times its scale, which gives the scale back.

    Returns:
        weight float8_e4m3fn (out, in), weight_scale float32 (out, 1), or (1,) for the whole weight.
    """
    sizes = weight.float().abs()
    scale = (sizes.amax().reshape(1) if whole else sizes.amax(1, keepdim=True)) / LARGEST_E4M3
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    values = (weight.float() / scale).clamp(-LARGEST_E4M3, LARGEST_E4M3)
    return {"weight": values.to(torch.float8_e4m3fn), "weight_scale": scale}


def unpack_linear(stored: Mapping[str, Tensor], found: Mapping[str, Json]) -> Tensor:
    """Return the (out, in) float32 weight of one stored projection: scale * (value - zero).

    Args:
        stored: a packed weight as of :func:`pack_linear`, or an int8 or e4m3 ``weight`` with its ``weight_scale`` of
            one number, one per row, per group or per block.
        found: quantization_config of the checkpoint: the widths in its config groups are read.

    Raises:
        ValueError: if shapes, dtypes or indices do not fit each other.
    """
    scale = stored["weight_scale"].float() if "weight_scale" in stored else torch.empty(0)
    if not scale.numel() or not bool(torch.isfinite(scale).all()) or scale.dim() > 2:
        raise ValueError("its weight_scale must be finite numbers of at most two dimensions")
    scale = scale.reshape(-1, 1) if scale.dim() < 2 else scale
    if "weight_packed" in stored:
        values, bits = _unpacked(stored, found)
        zero = _packed_zero(stored, bits, scale, len(values))
    else:
        weight = expect(stored, "weight", None, 2)
        if weight.dtype not in (torch.int8, torch.float8_e4m3fn):
            raise ValueError(f"its weight must be int8 or float8_e4m3fn, got {weight.dtype}")
        values, zero = weight.float(), stored.get("weight_zero_point", torch.zeros(1)).float()
        if not bool(torch.isfinite(values).all()):
            raise ValueError("its weight is not finite (NaN)")
    rows, columns = values.shape
    place = _places(stored, columns, scale.shape[1])
    zero = zero.reshape(scale.shape) if zero.numel() == scale.numel() else zero.reshape(-1)[:1].expand(scale.shape)
    if rows % len(scale):
        raise ValueError(f"its weight_scale has {len(scale)} rows, which do not divide its {rows} outputs")
    tall = rows // len(scale)
    values -= zero.repeat_interleave(tall, 0)[:, place]
    return values.mul_(scale.repeat_interleave(tall, 0)[:, place])


def _unpacked(stored: Mapping[str, Tensor], found: Mapping[str, Json]) -> tuple[Tensor, int]:
    """Return the signed integers of a packed weight, (out, in) float32, and their width."""
    packed, shape = expect(stored, "weight_packed", torch.int32, 2), expect(stored, "weight_shape", None, 1)
    rows, columns = (int(size) for size in shape) if len(shape) == 2 else (0, 0)
    if rows != len(packed) or columns < 1:
        raise ValueError(f"its weight_shape {shape.tolist()} does not fit its packed weight {tuple(packed.shape)}")
    for bits in dict.fromkeys(widths(found)):
        half = 2.0 ** (bits - 1)
        if packed.shape[1] == words_for(columns, bits):
            return unpack(packed, bits, columns).float() - half, bits
        each = WORD // bits  # older files: integers of 3 bits do not straddle words (the same width below 100 inputs)
        if packed.shape[1] == -(-columns // each):
            single = unpack(packed.reshape(-1, 1), bits, each).reshape(rows, -1)[:, :columns]
            return single.float() - half, bits
    raise ValueError(
        f"its packed weight {tuple(packed.shape)} is not {columns} integers of any width in quantization_config"
    )


def _packed_zero(stored: Mapping[str, Tensor], bits: int, scale: Tensor, rows: int) -> Tensor:
    """Return the signed zero points, (out, groups) float32; zeros if none are stored."""
    if "weight_zero_point" not in stored:
        return torch.zeros_like(scale)
    zero = expect(stored, "weight_zero_point", None, 2)
    if zero.dtype != torch.int32:
        if zero.shape != scale.shape or zero.dtype != torch.int8:
            raise ValueError(f"its weight_zero_point must be int8 {tuple(scale.shape)}, got {tuple(zero.shape)}")
        return zero.float()
    if zero.shape[1] != scale.shape[1]:
        raise ValueError(f"its weight_zero_point has {zero.shape[1]} groups, its weight_scale {scale.shape[1]}")
    return (unpack(zero.T, bits, rows).float() - 2.0 ** (bits - 1)).T


def _places(stored: Mapping[str, Tensor], columns: int, groups: int) -> Tensor:
    """Return the group of each input feature, (in,), int64."""
    if "weight_g_idx" in stored and groups > 1:
        place = expect(stored, "weight_g_idx", None, 1).long()
        if len(place) != columns or int(place.max()) >= groups or int(place.min()) < -1:
            raise ValueError(f"its weight_g_idx must be {columns} groups from 0 to {groups - 1}")
        if int(place.min()) >= 0:  # -1 means: not used
            return place
    if columns % groups:
        raise ValueError(f"{groups} groups do not divide its {columns} input features")
    return torch.arange(columns) // (columns // groups)
