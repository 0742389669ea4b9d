"""What a method can be told, and how each option is spelled in a recipe. Loads without torch."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias, get_type_hints

Needs: TypeAlias = Literal["nothing", "norm", "sizes", "hessian"]
"""Which calibration statistics a method reads, each with all before it: none, the norm of each input feature, also its
mean and largest magnitude, also the Hessian of all features."""

NEEDS: tuple[Needs, ...] = ("nothing", "norm", "sizes", "hessian")

BITS = (2, 3, 4, 8, 16)
PER_CHANNEL = -1
SCALE_BITS = 16
"""Bits that one scale takes in storage; every known checkpoint format keeps scales in 16 bits."""
FP8_BITS = 8

_DECIMAL = r"\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Word:
    """The spelling of one option: which words of a recipe mean it, and how its value is written."""

    pattern: str
    """Regular expression that the whole word matches."""
    read: Callable[[str], Any]
    """Word to value."""
    write: Callable[[Any], str]
    """Value to word; the empty string leaves the option out of the canonical recipe."""
    example: str


def word(
    pattern: str, read: Callable[[str], Any], write: Callable[[Any], str], example: str, *, default: Any = MISSING
) -> Any:
    """Declare a field of an options dataclass that is spelled as said; without a default it must be given."""
    return field(default=default, metadata={"word": Word(pattern, read, write, example)})


def plain(number: float) -> str:
    """Write a number without an exponent and without trailing zeros: 50.0 as 50, 1e-05 as 0.00001."""
    text = format(Decimal(repr(float(number))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Options:
    """Base of every method's options: a frozen dataclass whose fields are the options.

    A field is spelled as ``word(...)`` says. A plain field with a default is spelled by its name:
    ``fast: bool = False`` as ``fast``, ``steps: int = 20`` as ``steps20``, ``alpha: float = 0.5`` as ``alpha0.5``.
    ``__post_init__`` refuses values that make no sense, with ValueError.
    """

    def check(self, columns: int) -> None:
        """Raise ValueError if a weight with ``columns`` input features cannot be compressed with these options."""

    def stored_bits(self, rows: int, columns: int) -> float | None:
        """Bits that a (rows, columns) weight takes in packed storage; None if its storage does not change."""
        return None

    @property
    def activations(self) -> Literal["int8", "fp8"] | None:
        """Format to which the inputs of the projections are rounded, token by token; None if they stay as they are."""
        return None


@dataclass(frozen=True)
class Affine(Options):
    """Group-wise affine integers: ``w4``, ``g128`` (the default) or ``channel`` (also ``g-1``), ``sym`` or ``asym``.

    Asymmetric on the min-max grid is the default, as in the GPTQ paper's experiments (Frantar et al. 2023, section 4);
    AutoGPTQ and ACBench's configurations use ``sym``.
    """

    bits: int = word(r"w\d+", lambda text: int(text[1:]), "w{}".format, "w4")
    """2, 3, 4 or 8; 16 leaves the weights as they are."""
    group: int = word(
        r"g\d+|channel",
        lambda text: PER_CHANNEL if text == "channel" else int(text[1:]),
        lambda group: "channel" if group == PER_CHANNEL else f"g{group}",
        "g64",
        default=128,
    )
    """Neighbouring input features that share a scale; -1: all of a row."""
    symmetric: bool = word("sym|asym", lambda text: text == "sym", lambda on: "sym" if on else "", "sym", default=False)
    """Whether the zero point is fixed at the middle of the grid."""

    def __post_init__(self) -> None:
        """Refuse widths and group sizes that do not exist."""
        if self.bits not in BITS:
            raise ValueError(f"bits must be one of {', '.join(map(str, BITS))}, got {self.bits}; write w4 for 4 bits")
        if self.group != PER_CHANNEL and self.group < 1:
            raise ValueError(
                f"a group holds at least 1 weight, got {self.group}; write g128, or channel for whole rows"
            )

    def group_size(self, columns: int) -> int:
        """Size of a group in a row of ``columns`` weights."""
        return columns if self.group == PER_CHANNEL else self.group

    def check(self, columns: int) -> None:
        """Refuse a group size that does not divide the row; nothing is padded, nothing falls back."""
        if self.bits < 16 and columns % self.group_size(columns):
            fits = [f"g{size}" for size in range(8, min(columns, 1025)) if columns % size == 0]
            raise ValueError(
                f"groups of {self.group} do not divide its {columns} input features; "
                f"use {', '.join([*fits, 'channel'])} (g128 is the default)"
            )

    def stored_bits(self, rows: int, columns: int) -> float | None:
        """Count the integers, a 16-bit scale per group and, if asymmetric, a zero point of ``bits`` bits per group."""
        if self.bits == 16:
            return None
        groups = rows * columns / self.group_size(columns)
        return rows * columns * self.bits + groups * (SCALE_BITS + (0 if self.symmetric else self.bits))


def _damping() -> Any:
    """Declare the option of every method that solves with the Hessian."""
    return word(
        rf"damp{_DECIMAL}",
        lambda text: float(text[4:]),
        lambda damp: "" if damp == 0.01 else f"damp{plain(damp)}",
        "damp0.05",
        default=0.01,
    )


def _check_damping(damp: float) -> None:
    if not 0.0 <= damp <= 1.0:
        raise ValueError(f"damping is a share from 0 to 1, got {damp}; write damp0.01")


@dataclass(frozen=True)
class GptqOptions(Affine):
    """The affine options, ``actorder``, ``nogar``, ``static`` and ``damp0.05``.

    ``gptq-w4-g128-sym-actorder-static`` is the setting of ACBench's configuration for vLLM.
    """

    act_order: bool = word("actorder", bool, lambda on: "actorder" if on else "", "actorder", default=False)
    """Go through the columns by falling diagonal of the Hessian instead of from left to right."""
    static_groups: bool = word("static", bool, lambda on: "static" if on else "", "static", default=False)
    """Fix all grids from the original weights and keep each column in the group where it stands under act order.
    Otherwise a group is ``group`` columns in the order of the sweep, and gets its grid when the sweep reaches it."""
    damp: float = _damping()
    """Share of the Hessian's mean diagonal that is added to its diagonal."""
    group_order: bool = word(
        "gar|nogar", lambda text: text == "gar", lambda on: "" if on else "nogar", "nogar", default=True
    )
    """Go through the groups by falling largest diagonal entry of the Hessian, and through the columns of each by
    falling diagonal (group-aware reordering). Groups stay those of neighbours, so that no list of them is stored. Under
    act order it has no effect: that sorts all columns. On by default, as in GPTQModel: with 3 bits in groups of 64, the
    hidden states of SmolLM2-135M behind 4 layers were off by .160 instead of .184 on held-out text of the calibration's
    kind and by .198 instead of .254 on other text (relative, 8 x 512 calibration tokens), at the same cost."""

    def __post_init__(self) -> None:
        """Refuse a damping outside [0, 1]."""
        super().__post_init__()
        _check_damping(self.damp)


def _read_sparsity(text: str) -> float | tuple[int, int]:
    if ":" in text:
        n, m = text.split(":")
        return int(n), int(m)
    return float(text)


def _write_sparsity(value: float | tuple[int, int]) -> str:
    return f"{value[0]}:{value[1]}" if isinstance(value, tuple) else plain(value)


@dataclass(frozen=True)
class Sparsity(Options):
    """How much is pruned: ``50`` (per cent of the weights) or ``2:4`` (2 of every 4 neighbours in a row are kept)."""

    sparsity: float | tuple[int, int] = word(rf"{_DECIMAL}|\d+:\d+", _read_sparsity, _write_sparsity, "50")
    """Per cent of zeros in [0, 100), or (n, m): n of every m neighbouring weights of a row are kept."""

    def __post_init__(self) -> None:
        """Refuse shares and patterns that make no sense."""
        if isinstance(self.sparsity, tuple):
            n, m = self.sparsity
            if not 0 < n <= m:
                raise ValueError(f"an n:m pattern keeps n of every m weights, 0 < n <= m, got {n}:{m}; write 2:4")
        elif not 0 <= self.sparsity < 100 or not math.isfinite(self.sparsity):
            raise ValueError(f"sparsity is in per cent, at least 0 and under 100, got {plain(self.sparsity)}; write 50")
        elif 0 < self.sparsity < 1:
            raise ValueError(f"sparsity is in per cent: write 50 for half of the weights, got {plain(self.sparsity)}")

    def zeros(self, weights: int) -> int:
        """Number of zeros among ``weights`` weights: the floor of their share, in exact arithmetic."""
        if isinstance(self.sparsity, tuple):
            n, m = self.sparsity
            return weights // m * (m - n)
        return int(weights * Fraction(repr(float(self.sparsity))) / 100)

    def check(self, columns: int) -> None:
        """Refuse a row that n:m groups do not fill: a ragged tail has no pattern."""
        if isinstance(self.sparsity, tuple) and columns % self.sparsity[1]:
            n, m = self.sparsity
            raise ValueError(
                f"groups of {m} do not divide its {columns} input features, so {n}:{m} has no meaning there"
            )


@dataclass(frozen=True)
class SparseGptOptions(Sparsity):
    """The options of pruning, and ``damp0.05``."""

    damp: float = _damping()
    """Share of the Hessian's mean diagonal that is added to its diagonal."""

    def __post_init__(self) -> None:
        """Refuse a damping outside [0, 1]."""
        super().__post_init__()
        _check_damping(self.damp)


def words(options: type[Options]) -> dict[str, Word]:
    """Return field name to spelling, in the order of the canonical recipe.

    Raises:
        TypeError: for a field that has neither a ``word`` nor a plain bool, int or float with a default.
    """
    hints = get_type_hints(options)
    return {f.name: f.metadata.get("word") or _plain_word(f, hints[f.name]) for f in fields(options)}


def _plain_word(item: Field[Any], kind: Any) -> Word:
    """Spell a plain field by its name."""
    name, default = item.name, item.default
    if default is MISSING or kind not in (bool, int, float) or not re.fullmatch("[a-z_]+", name):
        raise TypeError(f"option {name!r} needs a spelling, word(...), or must be a bool, int or float with a default")
    if kind is bool and default is False:
        return Word(name, lambda text: True, lambda on: name if on else "", name)
    if kind is bool:
        return Word(f"no_{name}", lambda text: False, lambda on: "" if on else f"no_{name}", f"no_{name}")
    pattern = r"\d+" if kind is int else _DECIMAL
    return Word(
        name + pattern,
        lambda text: kind(text[len(name) :]),
        lambda value: "" if value == default else name + plain(value),
        name + plain(default),
    )
