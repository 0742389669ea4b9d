"""Checkpoints of a training run: one file, replaced in one go, and the rule for going on from it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from acgym.types import Json

FILE = "checkpoint.safetensors"
_FACTS = "training"  # key of the file's metadata
_FORMER_FACTS = "checkpoint.json"  # where former versions kept them, beside the tensors
_FORMER_STEP = "optimiser.1.0.step"  # AdamW's own count

CHANGEABLE = ("steps", "decay_share")
"""Fields of a recipe that only decide when the learning rates fall; they may change until it has begun to."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training run after ``step`` steps."""

    tensors: dict[str, torch.Tensor]
    """Weights (``model.NAME``) and optimiser state (``optimiser.I.J.SLOT``), float32."""
    step: int
    tokens: int
    """Tokens read so far, padding included."""
    seconds: float
    """Wall-clock seconds spent in steps."""
    recipe: Mapping[str, Json]


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint over the one before it; a kill at any moment leaves one of the two whole."""
    facts = {
        "step": checkpoint.step,
        "tokens": checkpoint.tokens,
        "seconds": checkpoint.seconds,
        "recipe": dict(checkpoint.recipe),
    }
    fresh = folder / (FILE + ".new")
    save_file(checkpoint.tensors, fresh, metadata={_FACTS: json.dumps(facts)})
    os.replace(fresh, folder / FILE)
    (folder / _FORMER_FACTS).unlink(missing_ok=True)


def read(folder: Path) -> Checkpoint | None:
    """Read the checkpoint of ``folder``; None if there is none yet.

    Checkpoints of the former two-file form are read too. Their two files were replaced one after the other, so the
    step is taken from the optimiser's own count in the tensors.

    Raises:
        ValueError: if the file is damaged, or says nothing of the step and recipe it belongs to.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
        tensors = load_file(file)
    except Exception as error:  # safetensors has an exception class of its own
        raise ValueError(f"the checkpoint {file} is damaged ({error}); train into another folder") from error
    if _FACTS in metadata:
        facts = json.loads(metadata[_FACTS])
    elif (folder / _FORMER_FACTS).exists() and _FORMER_STEP in tensors:
        facts = json.loads((folder / _FORMER_FACTS).read_text(encoding="utf-8"))
        facts["step"] = int(tensors[_FORMER_STEP])
    else:
        raise ValueError(f"{file} does not say which step and recipe it belongs to; train into another folder")
    return Checkpoint(tensors, facts["step"], facts["tokens"], facts["seconds"], facts["recipe"])


def decay_begins(recipe: Mapping[str, Json]) -> int:
    """Return the last step (counted from 0) that has the full learning rate; those after it have less and less.

    Example: 100 steps with a decay share of 0.3 -> 70, whose factor is 30 / 30 = 1; step 71 has 29 / 30.
    """
    steps, share = int(recipe["steps"]), float(recipe["decay_share"])
    return math.floor(steps - max(1.0, share * steps) + 1e-9)


def check_recipe(folder: Path, checkpoint: Checkpoint, recipe: Mapping[str, Json]) -> None:
    """Refuse to go on with a recipe that the checkpoint was not made by.

    ``steps`` and ``decay_share`` may differ as long as the learning rate has not begun to fall under the one recipe and
    need not have begun to under the other: up to then both give the same weights.

    Args:
        folder: where the checkpoint lies; for the message.
        checkpoint: what was read from there.
        recipe: the fields of the recipe to go on with.

    Raises:
        ValueError: naming each field with both values, and what to do.
    """
    wanted = json.loads(json.dumps(dict(recipe)))  # as JSON keeps it
    made_by = {**wanted, **checkpoint.recipe}  # a field that is newer than the checkpoint has not mattered to it
    odd = [name for name in made_by if made_by[name] != wanted.get(name)]
    told = "; ".join(f"{name} was {made_by[name]!r}, now {wanted.get(name)!r}" for name in odd)
    if set(odd) - set(CHANGEABLE):
        raise ValueError(
            f"the checkpoint in {folder} was made by another recipe: {told}. Use the same recipe or another folder."
        )
    if odd and checkpoint.step > min(decay_begins(made_by), decay_begins(wanted)):
        first = math.ceil(checkpoint.step / (1 - wanted["decay_share"])) if wanted["decay_share"] < 1 else None
        if checkpoint.step > decay_begins(made_by):
            why = f"its learning rate has been falling since step {decay_begins(made_by)}. Use the same recipe."
        else:
            why = f"by the new recipe its learning rate would have been falling since step {decay_begins(wanted)}." + (
                f" Use at least {first} steps." if first else ""
            )
        raise ValueError(
            f"the checkpoint in {folder} is at step {checkpoint.step}, too far for a change ({told}): {why}"
        )
