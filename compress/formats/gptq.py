"""The AutoGPTQ layout, first and second version: integers along the input, zero points along the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from acgym.compress.formats.bits import WORD, pack, unpack
from acgym.compress.formats.scheme import Scheme
from acgym.compress.formats.tensors import expect, positive, scales
from acgym.compress.methods.grid import Grid
from acgym.types import Json

METHOD = "gptq"
MARK = "qweight"
PARTS = ("qweight", "qzeros", "scales", "g_idx")
WIDTHS = (2, 3, 4, 8)


def refuse(scheme: Scheme) -> None:
    """Raise ValueError for what the layout cannot hold."""
    if scheme.kind != "int" or scheme.activations:
        raise ValueError("the gptq layout holds integer weights only, with inputs left as they are")


def check_shape(scheme: Scheme, rows: int, columns: int) -> None:
    """Raise ValueError for a weight that does not fill whole 32-bit words."""
    for count, what in ((columns, "input"), (rows, "output")):
        if count * scheme.bits % WORD:
            raise ValueError(
                f"the gptq layout packs {scheme.bits}-bit integers into whole 32-bit words, which {count} {what} "
                "features do not fill; use compressed-tensors"
            )


def settings(scheme: Scheme, ignored: Sequence[str]) -> dict[str, Json]:
    """Return quantization_config.

    Symmetric weights are written in the first version of the layout, which every loader knows. It stores a zero point
    less one, in which 0 has no place; asymmetric weights are therefore written in the second, ``gptq_v2``. ``desc_act``
    says whether a loader has to look at g_idx: with static groups it has not, whatever the order of the sweep was.

    Args:
        scheme: how the weights are stored.
        ignored: names of the linear modules in the decoder layers that stay as they are.
    """
    version = "gptq" if scheme.symmetric else "gptq_v2"
    return {
        "quant_method": METHOD,
        "bits": scheme.bits,
        "group_size": scheme.group,
        "sym": scheme.symmetric,
        "desc_act": scheme.act_order,
        "checkpoint_format": version,
        "format": version,
        "pack_dtype": "int32",
        "lm_head": False,
        **({"dynamic": {f"-:^{name.replace('.', chr(92) + '.')}$": {} for name in ignored}} if ignored else {}),
    }


def stored_bytes(scheme: Scheme, rows: int, columns: int) -> int:
    """Return the bytes that a (rows, columns) weight takes."""
    groups = scheme.groups(columns)
    return rows * columns * scheme.bits // 8 + groups * rows * scheme.bits // 8 + 2 * groups * rows + 4 * columns


def pack_linear(grid: Grid, codes: Tensor) -> dict[str, Tensor]:
    """Store one projection.

    Args:
        grid: scale (out, groups), zero (out, groups), groups (in,).
        codes: (out, in), integers in [0, 2^bits - 1].

    Returns:
        qweight int32 (in * bits / 32, out), qzeros int32 (groups, out * bits / 32), scales float16 (groups, out),
        g_idx int32 (in,).
    """
    zeros = grid.zero.T.long()
    if grid.symmetric:
        zeros = (zeros - 1) % 2**grid.bits
    return {
        "qweight": pack(codes, grid.bits).T.contiguous(),
        "qzeros": pack(zeros, grid.bits),
        "scales": grid.scale.T.to(torch.float16).contiguous(),
        "g_idx": grid.groups.int(),
    }


def unpack_linear(stored: Mapping[str, Tensor], found: Mapping[str, Json]) -> Tensor:
    """Return the (out, in) float32 weight of one stored projection: scale * (code - zero).

    Args:
        stored: the tensors of :func:`pack_linear`; g_idx may be missing, or all zero, where groups are neighbours.
        found: quantization_config of the checkpoint: ``bits``, ``format``, ``sym``, ``desc_act`` and ``dynamic`` are
            read. Where the tensors tell otherwise, they are believed.

    Raises:
        ValueError: if shapes, dtypes or indices do not fit each other, or can be read in two ways.
    """
    qweight, qzeros = expect(stored, "qweight", torch.int32, 2), expect(stored, "qzeros", torch.int32, 2)
    scale = scales(stored, "scales")
    groups, rows = scale.shape
    bits = _bits(found, qzeros.shape[1] * WORD, rows)
    columns = qweight.shape[0] * WORD // bits
    if qweight.shape[1] != rows or qzeros.shape[0] != groups:
        raise ValueError(
            f"its qweight {tuple(qweight.shape)}, qzeros {tuple(qzeros.shape)} and scales {tuple(scale.shape)} do not "
            "fit each other"
        )
    zero = _zeros(unpack(qzeros, bits, rows), bits, found).to(torch.float32)
    place = _places(stored, columns, groups, found)
    codes = unpack(qweight.T, bits, columns).to(torch.float32)
    return scale.T[:, place] * (codes - zero.T[:, place])


def widths(found: Mapping[str, Json]) -> list[int]:
    """Return the widths that the projections of a checkpoint may have, that of most of them first.

    GPTQModel's ``dynamic`` maps regular expressions of names to other settings, or, where they begin with ``-:``, to
    none. They are not evaluated: which width a projection has shows in its tensors.

    Raises:
        ValueError: for a width that there is not, or a ``dynamic`` that is no object of objects.
    """
    others = found.get("dynamic") or {}
    if not isinstance(others, dict) or not all(isinstance(each, dict) for each in others.values()):
        raise ValueError("dynamic in quantization_config must be an object of objects")
    mixed = [positive(each, "bits", WIDTHS) for each in others.values() if "bits" in each]
    return list(dict.fromkeys([positive(found, "bits", WIDTHS), *mixed]))


def _bits(found: Mapping[str, Json], zeros: int, rows: int) -> int:
    """Return the width of a projection, from the bits that a row of zero points takes."""
    known = widths(found)
    if len(known) == 1:
        return known[0]
    bits = zeros // rows
    if zeros % rows or bits not in known:
        raise ValueError(
            f"its {rows} zero points take {zeros} bits a row, which is none of the widths in quantization_config, "
            f"{', '.join(map(str, known))}"
        )
    return bits


def _zeros(stored: Tensor, bits: int, found: Mapping[str, Json]) -> Tensor:
    """Return the zero points of the stored ones, (groups, out).

    The first version of the layout stores them less one, the second as they are, and many checkpoints name the wrong
    one or none. Symmetric weights have their zero point in the middle of the grid, which tells the versions apart.
    """
    version = str(found.get("format") or "gptq").lower()
    middle = 2 ** (bits - 1)
    if found.get("sym") is True and not any("sym" in each for each in (found.get("dynamic") or {}).values()):
        if bool((stored == middle - 1).all()):
            return stored + 1
        if bool((stored == middle).all()):
            return stored
        raise ValueError(
            f"quantization_config says sym, but its stored zero points, {int(stored.min())} to {int(stored.max())}, "
            f"are not all {middle - 1} or all {middle}: which version of the layout it is cannot be told. Set sym to "
            "false if the weights are asymmetric"
        )
    return (stored + 1) % 2**bits if version == "gptq" else stored


def _places(stored: Mapping[str, Tensor], columns: int, groups: int, found: Mapping[str, Json]) -> Tensor:
    """Return the group of each input feature, (in,), int64."""
    index = stored.get("g_idx")
    blank = index is not None and groups > 1 and index.numel() == columns and not bool(index.any())
    if blank and found.get("desc_act") is True:
        raise ValueError(
            f"its g_idx is all zero, but it has {groups} groups and desc_act says that g_idx orders them: the order is "
            "lost. Set desc_act to false if groups are neighbours"
        )
    if index is None or blank:  # tools that need no g_idx leave it out, or as they made it
        if columns % groups:
            raise ValueError(f"{groups} groups do not divide its {columns} input features")
        return torch.arange(columns) // (columns // groups)
    place = expect(stored, "g_idx", None, 1)
    if place.is_floating_point() or place.shape[0] != columns:
        raise ValueError(f"its g_idx must be {columns} integers, got {tuple(place.shape)} {place.dtype}")
    if int(place.min()) < 0 or int(place.max()) >= groups:
        raise ValueError(
            f"its g_idx names groups {int(place.min())} to {int(place.max())}, but there are groups 0 to {groups - 1}"
        )
    return place.long()
