"""The job of ``acgym compress``: compress a model, write it in a format that others load, read it back and compare."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.assemble.agent import CAPABILITIES, AgentSpec, calibration_of, default_kwargs, fingerprint, local, parse_spec
from acgym.calibrate.files import check_files, read_calibration
from acgym.calibrate.sample import draw
from acgym.calibrate.spec import Calibration
from acgym.checkpoint.backends import backend_facts, check_backend
from acgym.checkpoint.card import RECORD, card
from acgym.types import Json, canonical_json

if TYPE_CHECKING:
    from acgym.agents.local import LocalAgent
    from acgym.compress import CompressionRecord
    from acgym.compress.formats.scheme import Scheme
    from acgym.compress.formats.verify import Outputs

MARKER = "acgym_unfinished.json"
"""In the folder of an export until it is finished: the settings it was begun with."""

LOGITS_TOLERANCE = {"float32": 0.02, "float16": 0.02, "bfloat16": 0.1}
"""Largest ||difference|| / ||logits|| between model in memory and export, by the coarser dtype of the two. Every weight
has been compared by then: this sees what goes wrong between files and model."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Job:
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
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Pattern to the recipe that those projections get instead."""
    backend: str = "acgym"
    """Whose method compresses."""

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
            "recipe": self.spec.recipe,
            "format": self.format,
            "ignored": list(self.ignore),
            "overrides": dict(self.overrides),
            "backend": self.backend,
            "calibration": None if self.calibration is None else str(self.calibration),
            "calibration_files": dict(self.calibration_files),
        }


def prepare_export(
    model: str,
    recipe: str,
    out: Path,
    format: str = "dense",
    calibration: str | Path | None = None,
    ignore: Sequence[str] = (),
    backend: str = "acgym",
    overrides: Mapping[str, str] | None = None,
) -> Job:
    """Look an export over, and refuse what cannot work before any model is loaded.

    Args:
        model: ``reference``, a folder, or a hub id; also with ``hf:`` before it.
        recipe: what stands after ``+`` in an agent spec (:func:`acgym.assemble.agent.parse_spec`).
        out: folder to be made.
        format: ``gptq``, ``awq``, ``compressed-tensors`` or ``dense``.
        calibration: the path of a text file, or see :func:`acgym.calibrate.spec.parse_calibration`; None for the
            model's own trajectories.
        ignore: patterns of full names of projections that are left as they are, see :func:`acgym.compress.compress`.
        backend: ``acgym``, or ``autoawq`` for AWQ by AutoAWQ (:mod:`acgym.compress.formats.autoawq`).
        overrides: pattern to the recipe that those projections get instead, ``lm_head`` among them; for ``dense``.

    Raises:
        ValueError: for an unknown model, recipe, format or backend, a recipe that the format cannot hold or the backend
            cannot carry out, a folder that exists.
        FileNotFoundError: if the model or the text is not there.
        ImportError: if the backend is not installed.
    """
    from acgym.compress.formats.layouts import check_overrides, scheme_for
    from acgym.compress.recipe import parse

    instead = {pattern: str(parse(given)) for pattern, given in (overrides or {}).items()}
    spec = parse_spec(f"{model if model == 'reference' or model.startswith('hf:') else f'hf:{model}'}+{recipe}")
    scheme = scheme_for(format, parse(str(spec.recipe)))
    check_overrides(format, instead)
    check_backend(backend, parse(str(spec.recipe)), format, ignore)
    chosen = calibration_of(spec, read_calibration(calibration), instead.values())
    files = {} if chosen is None else check_files(chosen)
    place = out.expanduser().absolute()
    job = Job(spec, format, place, chosen, files, scheme, tuple(ignore), instead, backend)
    _refuse_folder(job)
    return job


def _refuse_folder(job: Job) -> None:
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


def run_export(job: Job, tell: Callable[[str], None] = lambda line: None, progress: Progress | None = None) -> Json:
    """Compress, write, read back, compare; only then give the folder its name.

    Args:
        job: from :func:`prepare_export`.
        tell: hears one line for each stage.
        progress: see :data:`acgym.compress.walk.layers.Progress`.

    Returns:
        What ``acgym_compression.json`` in the folder holds: ``compression`` (a CompressionRecord), ``source``,
        ``format``, ``calibration``, ``checkpoint`` (what the reader says of the files) and ``logit_error`` (export
        against memory, activations as they are: :func:`acgym.compress.formats.verify.logit_error`).

    Raises:
        ValueError: if the recipe or the format does not fit the model.
        ExportDiffers: if what was written is not what was in memory; the unfinished folder is left for a look.
        OSError: if the disk is full.
    """
    from acgym.compress import compress
    from acgym.compress.formats.layouts import Kept
    from acgym.compress.formats.packing import ignored_names
    from acgym.compress.formats.verify import outputs_of, verify_weights
    from acgym.compress.formats.write import check_model, stored_dtype, write_checkpoint
    from acgym.compress.recipe import parse
    from acgym.compress.walk.layers import planned

    if job.backend == "autoawq":
        from acgym.checkpoint.autoawq import run_autoawq

        return run_autoawq(job, tell)
    tell(f"loading {job.spec.base.text}")
    agent = local(job.spec.base)
    if agent.checkpoint:
        raise ValueError(f"the weights of {job.spec.base.text} are quantised already; export from the dense model")
    ignored = ignored_names(agent.model, job.ignore)
    check_model(agent.model, job.format, job.scheme, ignored)
    planned(agent.model, parse(str(job.spec.recipe)), job.ignore, job.overrides)  # refuses before anything is played
    tell("calibrating")
    envs = {env: default_kwargs(job.spec) for env in CAPABILITIES}
    tokens = [] if job.calibration is None else draw(job.calibration, agent, envs).sequences
    tell(f"compressing by {job.spec.recipe}")
    kept = Kept()
    patterns: dict[str, Any] = {"ignore": job.ignore, "overrides": job.overrides}
    record = compress(agent.model, str(job.spec.recipe), tokens, progress=progress, keep=kept, **patterns)
    tell(f"writing {job.format}")
    begin(job)
    expected = write_checkpoint(agent.model, job.partial, job.format, job.scheme, kept, ignored)
    agent.tokenizer.save_pretrained(job.partial)
    tell("reading it back")
    verify_weights(agent.model, job.partial, expected)
    wanted, coarsest = outputs_of(agent.model), min(stored_dtype(agent.model), agent.model.dtype, key=resolution)
    del agent  # only one model at a time
    return finish(job, record, wanted, str(coarsest).removeprefix("torch."))


def resolution(dtype: Any) -> float:
    """Return how fine a dtype is: the coarsest is the least."""
    import torch

    return -torch.finfo(dtype).eps


def begin(job: Job) -> None:
    """Make the unfinished folder, or empty the one that an earlier attempt left."""
    if job.partial.exists():
        shutil.rmtree(job.partial)
    job.partial.mkdir(parents=True)
    (job.partial / MARKER).write_text(canonical_json(job.settings), encoding="utf-8")


def finish(job: Job, record: CompressionRecord, wanted: Outputs, dtype: str) -> Json:
    """Play the export's part as an agent: load it, compare logits, write the record, rename the folder."""
    from acgym.compress.formats.files import tensor_bytes
    from acgym.compress.formats.verify import ExportDiffers, logit_error, outputs_of
    from acgym.weight_files import weight_files

    loaded: LocalAgent = local(AgentSpec(f"hf:{job.partial}", "hf", str(job.partial), None))
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
