"""Reads the recipe of an agent's spec, with the calibration that may stand behind it."""

from __future__ import annotations

from math import inf, prod
from pathlib import Path

from acgym.assemble.fit import fit_default
from acgym.calibrate.spec import PRESETS, Calibration, parse_calibration

_SHAPE = (1024, 1024)
"""Of a weight that recipes are asked about."""


def read_recipe(written: str, folder: Path | None = None) -> tuple[str, str | None]:
    """Read a recipe, or the name of one of ACBench's, and the calibration after ``@``; return both canonically.

    With the folder of a model, group sizes that are not said are such that fit it (:mod:`acgym.assemble.fit`).
    """
    from acgym.compress.recipe import parse

    text, at, after = written.partition("@")
    preset = PRESETS.get(text.strip().lower())
    if preset is not None and preset.recipe is None:
        raise ValueError(f"{text!r} names no recipe; write one before it: gptq-w4@{after or 'text:FILE'},{text}")
    recipe = parse(text if preset is None or preset.recipe is None else preset.recipe)
    said = parse_calibration(after) if at else Calibration()
    if at and not recipe.needs_calibration:
        raise ValueError(f"{str(recipe)!r} reads no calibration; drop '@{after}'")
    if preset is not None:
        if said.samples is not None or said.seed is not None:
            fixed = Calibration((), preset.samples, preset.length, preset.seed)
            raise ValueError(f"{text!r} is calibrated on {fixed}; for another shape write the recipe out: {recipe}")
        said = said.over(Calibration((), preset.samples, preset.length, preset.seed))
    fitted = str(recipe) if preset is not None or folder is None else fit_default(text, str(recipe), folder)
    return fitted, str(said) or None


def play_order(recipe: str) -> tuple[float, bool, bool]:
    """Return what recipes are sorted by to have those first that will take longest.

    What breaks an agent lets it play longest: fewest bits a weight in packed storage first (infinity if no step packs
    any), n:m patterns before shares. Then what is calibrated: the last one is compressed by all who share its episodes.
    """
    from acgym.compress.recipe import parse

    steps = parse(recipe)
    options = [step.options for step in steps]
    stored = [bits / prod(_SHAPE) for bits in (each.stored_bits(*_SHAPE) for each in options) if bits is not None]
    patterned = any(isinstance(getattr(each, "sparsity", None), tuple) for each in options)
    return min(stored, default=inf), not patterned, not steps.needs_calibration


def has_integers(recipe: str) -> bool:
    """Whether a step of a recipe leaves weights as integers."""
    from acgym.compress.options_fp4 import BlockFp4
    from acgym.compress.options_fp8 import Fp8Options
    from acgym.compress.recipe import parse

    options = [step.options for step in parse(recipe)]
    floats = (BlockFp4, Fp8Options)
    return any(each.stored_bits(*_SHAPE) is not None and not isinstance(each, floats) for each in options)
