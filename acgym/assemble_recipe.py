"""Reads the recipe of an agent's spec, with the calibration that may stand behind it."""

from __future__ import annotations

from acgym.calibration_spec import PRESETS, Calibration, parse_calibration


def read_recipe(written: str) -> tuple[str, str | None]:
    """Read a recipe, or the name of one of ACBench's, and the calibration after ``@``; return both canonically."""
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
    return str(recipe), str(said) or None


def has_integers(recipe: str) -> bool:
    """Whether a step of a recipe leaves weights as integers."""
    from acgym.compress.recipe import parse

    options = [step.options for step in parse(recipe)]
    return any(each.stored_bits(1024, 1024) is not None and each.activations != "fp8" for each in options)
