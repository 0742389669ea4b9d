"""The recipe of an agent spec: read, by its words or one of ACBench's names, with the calibration behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acgym.assemble.fit import fit_default
from acgym.calibrate.spec import PRESETS, Calibration, parse_calibration

if TYPE_CHECKING:
    from acgym.compress.recipe import Recipe


def read_recipe(written: str, folder: Path | None = None) -> tuple[Recipe, Calibration | None]:
    """Read a recipe, or the name of one of ACBench's, and the calibration after ``@``; None if it says none.

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
        fixed = Calibration((), preset.samples, preset.length, preset.seed)
        if said.samples is not None or said.seed is not None:
            raise ValueError(f"{text!r} is calibrated on {fixed}; for another shape write the recipe out: {recipe}")
        said = said.over(fixed)
    elif folder is not None:
        recipe = fit_default(text, recipe, folder)
    return recipe, said if str(said) else None
