"""Options of the methods that change more than single weights: scaling, activations, cache. Loads without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from acgym.compress.options.weights import BITS, PER_CHANNEL, Affine, Options, plain, word

KV_BITS = (2, 4, 8)


@dataclass(frozen=True)
class AwqOptions(Affine):
    """The affine options, ``noclip`` and ``plain``.

    ``awq-w4-g128-sym`` is the setting of ACBench's llmc configuration, ``awq-w4-g128`` that of AutoAWQ.
    """

    clip: bool = word("noclip", lambda text: False, lambda on: "" if on else "noclip", "noclip", default=True)
    """Whether the ends of each group's grid are searched too, after the scales."""
    plain: bool = word("plain", bool, lambda on: "plain" if on else "", "plain", default=False)
    """Only the scales of the paper, mean|x|^alpha. Otherwise also those that are divided by the weights' sizes."""


def _read_formats(text: str) -> tuple[int, int]:
    weights, activations = re.findall(r"\d+", text)
    return int(weights), int(activations)


@dataclass(frozen=True)
class SmoothQuantOptions(Options):
    """``w8a8`` (the default) and the migration strength, ``alpha0.5`` (the default); ACBench uses ``alpha0.8``."""

    formats: tuple[int, int] = word(
        r"w\d+a\d+", _read_formats, lambda bits: f"w{bits[0]}a{bits[1]}", "w8a8", default=(8, 8)
    )
    """Bits of the weights (2, 3, 4, 8 or 16) and of the activations (8 or 16); 16 leaves them as they are."""
    alpha: float = word(
        r"alpha\d+(?:\.\d+)?",
        lambda text: float(text[5:]),
        lambda alpha: "" if alpha == 0.5 else f"alpha{plain(alpha)}",
        "alpha0.8",
        default=0.5,
    )
    """How much of the difficulty is moved from the activations to the weights, from 0 (none) to 1 (all)."""

    def __post_init__(self) -> None:
        """Refuse widths that do not exist and strengths outside [0, 1]."""
        weights, activations = self.formats
        if weights not in BITS or activations not in (8, 16):
            raise ValueError(
                f"weights have {', '.join(map(str, BITS))} bits and activations 8 or 16, "
                f"got w{weights}a{activations}; write w8a8"
            )
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"the migration strength is a number from 0 to 1, got {self.alpha:g}; write alpha0.5")

    @property
    def weights(self) -> Affine:
        """The grid of the weights: symmetric, one scale per output channel."""
        return Affine(self.formats[0], PER_CHANNEL, symmetric=True)

    @property
    def activations(self) -> Literal["int8", "fp8"] | None:
        """Format of the projections' inputs."""
        return "int8" if self.formats[1] == 8 else None

    def stored_bits(self, rows: int, columns: int) -> float | None:
        """Count the integers and a 16-bit scale per row."""
        return self.weights.stored_bits(rows, columns)


@dataclass(frozen=True)
class ActivationOptions(Options):
    """``int8`` or ``fp8``: the format to which the inputs of all projections are rounded, token by token."""

    form: Literal["int8", "fp8"] = word("int8|fp8", str, str, "int8")

    @property
    def activations(self) -> Literal["int8", "fp8"] | None:
        """Format of the projections' inputs."""
        return self.form


KvFormat: TypeAlias = int | Literal["fp8"]
"""How keys, or values, are kept: bits of an integer grid (2, 4, 8), 16 for as they are, or e4m3."""


def _read_cache(text: str) -> KvFormat | tuple[int, int]:
    """Read ``int8``, ``fp8`` or ``k8v4``; equal widths are one."""
    if text == "fp8":
        return "fp8"
    widths = [int(digits) for digits in re.findall(r"\d+", text)]
    return widths[0] if len(set(widths)) == 1 else (widths[0], widths[1])


def _write_cache(form: KvFormat | tuple[int, int]) -> str:
    """Write what :func:`_read_cache` reads."""
    if isinstance(form, tuple):
        return f"k{form[0]}v{form[1]}"
    return form if form == "fp8" else f"int{form}"


@dataclass(frozen=True)
class KvOptions(Options):
    """``int8``, ``int4`` or ``int2``; ``k8v4`` for keys and values apart; ``fp8``; ``g32``: who shares a grid.

    Keys have channels of large values and lose more than values do (KIVI, Liu et al. 2024, arXiv 2402.02750, section
    3.1): ``k8v4`` gives them more bits. ``fp8`` is what servers do when a cache of that format is asked for without
    calibrated scales: e4m3 with the scale 1, cut at 448.
    """

    form: int | Literal["fp8"] | tuple[int, int] = word(r"int\d+|k\d+v\d+|fp8", _read_cache, _write_cache, "int8")
    """Of keys and values alike, or bits of the keys and bits of the values (16: kept as they are)."""
    group: int = word(
        r"g\d+|head",
        lambda text: PER_CHANNEL if text == "head" else int(text[1:]),
        lambda group: "" if group == PER_CHANNEL else f"g{group}",
        "g32",
        default=PER_CHANNEL,
    )
    """Neighbouring features of a head that share a grid; -1, spelled ``head``: all of a head."""

    def __post_init__(self) -> None:
        """Refuse widths and group sizes that do not exist."""
        allowed = (*KV_BITS, 16) if isinstance(self.form, tuple) else (*KV_BITS, "fp8")
        for form in (self.keys, self.values):
            if form not in allowed:
                raise ValueError(f"a cache has {', '.join(map(str, allowed))} bits, got {form}; write int8 or k8v4")
        if self.group != PER_CHANNEL and self.group < 1:
            raise ValueError(f"a group holds at least 1 feature, got {self.group}; write g32, or head for whole heads")
        if self.group != PER_CHANNEL and self.form == "fp8":
            raise ValueError(f"fp8 has one scale, 1, and no groups; leave g{self.group} out")

    @property
    def keys(self) -> KvFormat:
        """Format of the keys."""
        return self.form[0] if isinstance(self.form, tuple) else self.form

    @property
    def values(self) -> KvFormat:
        """Format of the values."""
        return self.form[1] if isinstance(self.form, tuple) else self.form

    def group_size(self, size: int) -> int:
        """Size of a group in a head of ``size`` features."""
        return size if self.group == PER_CHANNEL else self.group

    def check_head(self, size: int) -> None:
        """Raise ValueError if the group does not divide a head of ``size`` features."""
        if size % self.group_size(size):
            fits = ", ".join(f"g{n}" for n in range(2, size) if size % n == 0)
            raise ValueError(f"groups of {self.group} do not divide a head of {size} features; use {fits} or head")
