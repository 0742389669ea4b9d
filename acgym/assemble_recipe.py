"""Reads the recipe of an agent's spec, with the calibration that may stand behind it."""

from __future__ import annotations

from math import inf, prod

from acgym.calibration_spec import PRESETS, Calibration, parse_calibration

_SHAPE = (1024, 1024)
"""Of a weight that recipes are asked about."""


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


def fewest_bits(recipe: str) -> float:
    """Return the fewest bits a weight that a step of a recipe leaves in packed storage; infinity if none packs any."""
    from acgym.compress.recipe import parse

    stored = (step.options.stored_bits(*_SHAPE) for step in parse(recipe))
    return min((bits / prod(_SHAPE) for bits in stored if bits is not None), default=inf)


def has_integers(recipe: str) -> bool:
    """Whether a step of a recipe leaves weights as integers."""
    from acgym.compress.recipe import parse

    options = [step.options for step in parse(recipe)]
    return any(each.stored_bits(*_SHAPE) is not None and each.activations != "fp8" for each in options)
