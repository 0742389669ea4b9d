"""Whether a recipe fits the shapes of a model folder: told from its configuration, before any weight is read."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.model_files.gguf import read_header
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.compress import Recipe, Step

_HEADER_BYTES = 100 << 20
"""Longest header that safetensors writes."""


def fit_default(written: str, recipe: Recipe, folder: Path) -> Recipe:
    """Return a recipe whose default group sizes fit a model, and say in a warning which were replaced.

    Args:
        written: the recipe as the user wrote it.
        recipe: the same, parsed; it states every group size.
        folder: of the model, or its GGUF file. Where it cannot be read the recipe stays as it is; who loads it
            says why.
    """
    from acgym.compress.fit import fit

    if not _misfit(recipe.steps, {str(count): count for count in _header_inputs(folder)}):
        return recipe
    found = fit(written, set(_exact_inputs(folder).values()))
    for note in found.notes:
        warnings.warn(note, stacklevel=3)
    return found.recipe


def check_fits(agents: Iterable[tuple[Recipe | None, Path | None, str]]) -> None:
    """Refuse a recipe whose groups do not divide the inputs of its model's projections.

    Args:
        agents: of each its recipe (None: as it is), the folder of its model (None: not on this disk; one that
            cannot be read is left to who loads it too) and the name of the model.

    Raises:
        ValueError: naming a projection and the sizes that fit.
    """
    for recipe, folder, name in agents:
        if recipe is None or folder is None:
            continue
        steps = recipe.steps
        if _misfit(steps, {str(count): count for count in _header_inputs(folder)}):
            wrong = _misfit(steps, _exact_inputs(folder))
            if wrong is not None:
                raise ValueError(f"{wrong[0]} does not fit {wrong[1]} of {name}: {wrong[2]}")


def _misfit(steps: tuple[Step, ...], inputs: Mapping[str, int]) -> tuple[Step, str, ValueError] | None:
    """Return the first step that does not fit a projection; ``inputs`` are name to number of input features."""
    for step in steps:
        for name, count in inputs.items():
            try:
                step.options.check(count)
            except ValueError as error:
                return step, name, error
    return None


def _header_inputs(folder: Path) -> Iterator[int]:
    """Go through the last dimensions of all matrices in a folder's numbered layers; more than are compressed."""
    if folder.is_file():
        yield from _gguf_inputs(folder).values()
        return
    for file in sorted(folder.glob("*.safetensors")):
        for name, entry in _header(file).items():
            shape = entry.get("shape") if isinstance(entry, dict) else None
            if isinstance(shape, list) and len(shape) > 1 and _numbered(name):
                yield from (shape[-1:] if isinstance(shape[-1], int) and shape[-1] > 0 else ())


def _numbered(name: str) -> bool:
    return any(part.isdigit() for part in name.split("."))


def _gguf_inputs(file: Path) -> dict[str, int]:
    """Return name in the file -> number of input features, of all matrices in a GGUF file's layers."""
    tensors = read_header(file).tensors
    return {name: tensor.shape[-1] for name, tensor in tensors.items() if len(tensor.shape) > 1 and _numbered(name)}


def _header(file: Path) -> dict[str, Json]:
    """Return the header of a safetensors file: name to dtype and shape; empty where it is damaged."""
    try:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            read = json.loads(stream.read(size)) if size <= _HEADER_BYTES else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _exact_inputs(folder: Path) -> dict[str, int]:
    """Return full name to number of input features of what would be compressed; empty where that cannot be told."""
    if folder.is_file():
        return _gguf_inputs(folder)
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from acgym.compress.walk.projections import input_sizes

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        auto: Any = AutoModelForCausalLM
        with torch.device("meta"):
            return input_sizes(auto.from_config(config, trust_remote_code=False))
    except Exception:  # whatever a strange configuration raises; loading it will say so
        return {}
