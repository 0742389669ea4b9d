"""Trains the reference agent whole: with a key-value head for every query head, then with half as many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from acgym.train.trainer import Trainer, TrainingRecipe, train

MERGED = "merged"
"""Folder of the second run, in that of the first."""


def after_merging(recipe: TrainingRecipe) -> TrainingRecipe:
    """Return how a model is trained on whose key-value heads were merged: a seventh of the steps, at half of the rates.

    Heads are merged late because, trained with half of them from the start, the agent never learned in 3,000 steps to
    look for the value that was asked for where a tool told two (tool calling 0.83).
    """
    return replace(
        recipe,
        key_value_heads=max(1, recipe.key_value_heads // 2),
        steps=max(1, round(recipe.steps * 5 / 36)),
        matrix_rate=recipe.matrix_rate / 2,
        other_rate=recipe.other_rate / 2,
        warm_up_steps=max(1, recipe.warm_up_steps // 2),
        decay_share=0.5,
        practice_fades_over=1,
        seed=recipe.seed + 1,  # other conversations
    )


def train_reference(
    recipe: TrainingRecipe, folder: Path, report: Callable[[str], None] = print, stop_at: int | None = None
) -> Trainer | None:
    """Train, or go on training, both runs.

    Args:
        recipe: of the first run.
        folder: of the first run; the second has a folder in it.
        report: is told lines, see :func:`acgym.train.trainer.train`.
        stop_at: stop at this step, counted over both runs.

    Returns:
        The second run if it is finished; None if steps are left.

    Raises:
        ValueError: before any training, if the recipe's key-value heads cannot be merged in pairs.
    """
    if recipe.key_value_heads % 2 and recipe.key_value_heads != 1:
        raise ValueError(f"key_value_heads must be even to be merged in pairs, or 1, got {recipe.key_value_heads}")
    first = train(recipe, folder, report, stop_at=stop_at)
    if first.step < recipe.steps:
        return None
    last = after_merging(recipe)
    report(f"{recipe.key_value_heads} key-value heads are merged to {last.key_value_heads}")
    left = None if stop_at is None else stop_at - recipe.steps
    second = train(last, folder / MERGED, report, stop_at=left, before=first)
    return second if second.step >= last.steps else None
