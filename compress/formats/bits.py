"""Integers of 2 to 8 bits in rows of 32-bit words: one little-endian stream of bits, as all known layouts have it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

WORD = 32
OCTET = 8
"""Integers of 1, 2, 4 and 8 bits fill one without straddling: they are shifted, and not taken apart bit by bit."""


def words_for(count: int, bits: int) -> int:
    """Return how many 32-bit words ``count`` integers of ``bits`` bits take: the last word may be partly empty."""
    return -(-count * bits // WORD)


def pack(codes: Tensor, bits: int) -> Tensor:
    """Pack the last dimension: integer i takes bits i * bits to (i + 1) * bits - 1 of its row, low bits first.

    Integers of 3 bits straddle words: 32 of them fill three, as in AutoGPTQ. Bits left over in the last word are 0.

    Args:
        codes: (..., n), integers in [0, 2^bits - 1], any integer dtype.
        bits: 1 to 8.

    Returns:
        (..., ceil(n * bits / 32)), int32.

    Raises:
        ValueError: if an integer does not fit, or ``bits`` is out of range.
    """
    if not 1 <= bits <= 8:
        raise ValueError(f"integers of 1 to 8 bits can be packed, got {bits} bits")
    if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < 2**bits:
        raise ValueError(
            f"codes must lie in 0 to {2**bits - 1} for {bits} bits, got {int(codes.min())} to {int(codes.max())}"
        )
    values = codes.to("cpu", torch.uint8).contiguous().numpy()
    spare = words_for(values.shape[-1], bits) * WORD - values.shape[-1] * bits
    if OCTET % bits == 0:
        values = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, spare // bits)])
        octets = values[..., :: OCTET // bits].copy()
        for place in range(1, OCTET // bits):
            octets |= values[..., place :: OCTET // bits] << place * bits
    else:
        stream = np.unpackbits(values[..., None], axis=-1, count=bits, bitorder="little")
        stream = stream.reshape(*values.shape[:-1], values.shape[-1] * bits)
        stream = np.pad(stream, [(0, 0)] * (stream.ndim - 1) + [(0, spare)])
        octets = np.packbits(stream, axis=-1, bitorder="little")
    return torch.from_numpy(octets.view("<i4").astype(np.int32, copy=False)).to(codes.device)


def unpack(words: Tensor, bits: int, count: int) -> Tensor:
    """Undo :func:`pack`.

    Args:
        words: (..., w), int32.
        bits: 1 to 8.
        count: how many integers a row holds.

    Returns:
        (..., count), uint8.

    Raises:
        ValueError: if the words are not int32, or are not exactly as many as ``count`` integers take.
    """
    if words.dtype != torch.int32:
        raise ValueError(f"packed integers must be int32, got {str(words.dtype).removeprefix('torch.')}")
    if not 1 <= bits <= 8:
        raise ValueError(f"integers of 1 to 8 bits can be unpacked, got {bits} bits")
    if words.shape[-1] != words_for(count, bits):
        raise ValueError(
            f"{count} integers of {bits} bits take {words_for(count, bits)} words, got {words.shape[-1]} words"
        )
    octets = words.cpu().contiguous().numpy().astype("<i4", copy=False).view(np.uint8)
    if OCTET % bits == 0:
        values = np.empty((*octets.shape[:-1], octets.shape[-1] * (OCTET // bits)), np.uint8)
        for place in range(OCTET // bits):
            values[..., place :: OCTET // bits] = (octets >> place * bits) & (2**bits - 1)
        values = values[..., :count]
    else:
        stream = np.unpackbits(octets, axis=-1, count=count * bits, bitorder="little")
        values = np.packbits(stream.reshape(*words.shape[:-1], count, bits), axis=-1, bitorder="little")[..., 0]
    return torch.from_numpy(values).to(words.device)
