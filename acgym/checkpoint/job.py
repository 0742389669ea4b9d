"""An export under way: what it is to do, by whose method, its unfinished folder, and its last step."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.assemble.folder import fingerprint
from acgym.assemble.make import local
from acgym.assemble.spec import AgentSpec
from acgym.calibrate.spec import Calibration
from acgym.checkpoint.card import RECORD, card
from acgym.types import Json, canonical_json

if TYPE_CHECKING:
    from acgym.agents.local import LocalAgent
    from acgym.compress import CompressionRecord, Recipe
    from acgym.compress.formats.scheme import Scheme
    from acgym.compress.formats.verify import Outputs

BACKENDS = ("acgym", "autoawq")
"""Whose code compresses: acgym's own, or AutoAWQ's for AWQ."""

MARKER = "acgym_unfinished.json"
"""In the folder of an export until it is finished: the settings it was begun with."""

LOGITS_TOLERANCE = {"float32": 0.02, "float16": 0.02, "bfloat16": 0.1}
"""Largest ||difference|| / ||logits|| between model in memory and export, by the coarser dtype of the two. Every weight
has been compared by then: this sees what goes wrong between files and model."""


@dataclass(frozen=True)
class ExportJob:
    """An export that was looked over and can begin."""

    spec: AgentSpec
    """Model and recipe."""
    format: str
    out: Path
    calibration: Calibration | None
    """What to calibrate on; None if the recipe reads none."""
    calibration_files: Mapping[str, str]
    """Path of each calibration file -> SHA-256 of its content."""
    scheme: Scheme | None
    """How the recipe leaves the weights that the format packs; None for plain weights."""
    ignore: tuple[str, ...] = ()
    """Patterns of projections that are left as they are."""
    overrides: Mapping[str, Recipe] = field(default_factory=dict)
    """Pattern to the recipe that those projections get instead."""
    backend: str = "acgym"
    """Whose method compresses."""

    @property
    def recipe(self) -> Recipe:
        """How the model is compressed."""
        assert self.spec.recipe is not None, "an export is prepared of a model and a recipe"
        return self.spec.recipe

    @property
    def partial(self) -> Path:
        """Folder of the unfinished export, beside the finished one: renaming it is the last thing that happens."""
        return self.out.with_name(f".{self.out.name}.unfinished")

    @property
    def settings(self) -> dict[str, Json]:
        """What an unfinished export must have been begun with to be taken over."""
        return {
            "model": self.spec.base.text,
            "files": fingerprint(self.spec.base),
            "recipe": str(self.recipe),
            "format": self.format,
            "ignored": list(self.ignore),
            "overrides": {pattern: str(recipe) for pattern, recipe in self.overrides.items()},
            "backend": self.backend,
            "calibration": None if self.calibration is None else str(self.calibration),
            "calibration_files": dict(self.calibration_files),
        }


def refuse_folder(job: ExportJob) -> None:
    """Refuse to write over anything but an unfinished export of the same settings."""
    if job.out.exists() and not (job.out.is_dir() and not any(job.out.iterdir())):
        raise ValueError(f"{job.out} exists already; choose another --out, or remove it")
    if not job.partial.exists():
        return
    try:
        begun = json.loads((job.partial / MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        begun = None
    if begun != json.loads(canonical_json(job.settings)):
        raise ValueError(f"{job.partial} is an unfinished export of something else; finish that, or remove it")


def resolution(dtype: Any) -> float:
    """Return how fine a dtype is: the coarsest is the least."""
    import torch

    return -torch.finfo(dtype).eps


def begin(job: ExportJob) -> None:
    """Make the unfinished folder, or empty the one that an earlier attempt left."""
    if job.partial.exists():
        shutil.rmtree(job.partial)
    job.partial.mkdir(parents=True)
    (job.partial / MARKER).write_text(canonical_json(job.settings), encoding="utf-8")


def finish(job: ExportJob, record: CompressionRecord, wanted: Outputs, dtype: str) -> Json:
    """Play the export's part as an agent: load it, compare logits, write the record, rename the folder."""
    from acgym.compress.formats.files import tensor_bytes
    from acgym.compress.formats.verify import ExportDiffers, logit_error, outputs_of
    from acgym.model_files.weights import weight_files

    loaded: LocalAgent = local(AgentSpec(f"hf:{job.partial}", "hf", str(job.partial)))
    got = outputs_of(loaded.model)
    error = logit_error(loaded.model, got.logits, wanted.logits)
    if error > LOGITS_TOLERANCE[dtype] or got.rounded != wanted.rounded:
        raise ExportDiffers(
            f"the export's logits differ from those in memory by {error:.2%}, more than {LOGITS_TOLERANCE[dtype]:.0%}, "
            f"or other activations are rounded; it is left unfinished in {job.partial}"
        )
    sizes = {
        "weight_bytes": tensor_bytes(job.partial),
        "bytes_on_disk": sum(path.stat().st_size for path in weight_files(job.partial)),
    }
    sheet: dict[str, Json] = {
        "source": job.spec.base.text,
        "source_files": fingerprint(job.spec.base),
        "format": job.format,
        "backend": backend_facts(job.backend),
        "calibration": job.settings["calibration"] if record.calibration_tokens else None,
        "compression": asdict(record),
        "checkpoint": {**loaded.checkpoint, **sizes},
        "logit_error": error,
    }
    (job.partial / RECORD).write_text(json.dumps(sheet, indent=2) + "\n", encoding="utf-8")
    (job.partial / "README.md").write_text(card(job.out.name, sheet), encoding="utf-8")
    (job.partial / MARKER).unlink()
    if job.out.is_dir():
        job.out.rmdir()
    os.replace(job.partial, job.out)
    return sheet


def check_backend(backend: str, recipe: Recipe, format: str, ignore: Sequence[str]) -> None:
    """Refuse what a backend cannot do.

    Raises:
        ValueError: for an unknown backend, or a recipe, format or pattern that it does not take.
        ImportError: if it is not installed; says how to install it.
    """
    if backend not in BACKENDS:
        raise ValueError(f"unknown backend {backend!r}; known: {', '.join(BACKENDS)}")
    if backend == "acgym":
        return
    from acgym.compress.formats.autoawq import check_installed, check_recipe

    if format != "awq":
        raise ValueError(f"AutoAWQ writes the awq format, got {format!r}; add --format awq")
    check_recipe(recipe)
    if ignore:
        raise ValueError(f"AutoAWQ chooses by itself what to leave as it is; drop --ignore {ignore[0]!r}")
    check_installed()


def backend_facts(backend: str) -> dict[str, Json]:
    """Return what a record says of a backend: its name and version."""
    from acgym import __version__

    return {"name": backend, "version": __version__ if backend == "acgym" else version(backend)}
