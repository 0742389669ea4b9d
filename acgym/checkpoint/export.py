"""The job of ``acgym compress``: compress a model, write it in a format that others load, read it back and compare."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from acgym.assemble.make import calibration_of, local
from acgym.assemble.spec import model_spec
from acgym.calibrate.files import check_files, read_calibration
from acgym.calibrate.sample import draw
from acgym.checkpoint.autoawq import run_autoawq
from acgym.checkpoint.job import ExportJob, begin, check_backend, finish, refuse_folder, resolution
from acgym.listener import Progress
from acgym.suites import default_envs
from acgym.types import Json


def prepare_export(
    model: str,
    recipe: str,
    out: Path,
    format: str = "dense",
    calibration: str | Path | None = None,
    ignore: Sequence[str] = (),
    backend: str = "acgym",
    overrides: Mapping[str, str] | None = None,
) -> ExportJob:
    """Look an export over, and refuse what cannot work before any model is loaded.

    Args:
        model: ``reference``, a folder, or a hub id; also with ``hf:`` before it.
        recipe: what stands after ``+`` in an agent spec (:func:`acgym.assemble.spec.parse_spec`).
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

    instead = {pattern: parse(given) for pattern, given in (overrides or {}).items()}
    spec, chosen_recipe = model_spec(model, recipe)
    scheme = scheme_for(format, chosen_recipe)
    check_overrides(format, instead)
    check_backend(backend, chosen_recipe, format, ignore)
    chosen = calibration_of(spec, read_calibration(calibration), instead.values())
    files = {} if chosen is None else check_files(chosen)
    place = out.expanduser().absolute()
    job = ExportJob(spec, format, place, chosen, files, scheme, tuple(ignore), instead, backend)
    refuse_folder(job)
    return job


def run_export(
    job: ExportJob, tell: Callable[[str], None] = lambda line: None, progress: Progress | None = None
) -> Json:
    """Compress, write, read back, compare; only then give the folder its name.

    Args:
        job: from :func:`prepare_export`.
        tell: hears one line for each stage.
        progress: see :data:`acgym.listener.Progress`.

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
    from acgym.compress.walk.layers import planned

    if job.backend == "autoawq":
        return run_autoawq(job, tell)
    tell(f"loading {job.spec.base.text}")
    agent = local(job.spec.base)
    if agent.checkpoint:
        raise ValueError(f"the weights of {job.spec.base.text} are quantised already; export from the dense model")
    ignored = ignored_names(agent.model, job.ignore)
    check_model(agent.model, job.format, job.scheme, ignored)
    planned(agent.model, job.recipe, job.ignore, job.overrides)  # refuses before anything is played
    tell("calibrating")
    envs = default_envs(job.spec.defaults)
    tokens = [] if job.calibration is None else draw(job.calibration, agent, envs).sequences
    tell(f"compressing by {job.recipe}")
    kept = Kept()
    record = compress(
        *(agent.model, job.recipe, tokens), progress=progress, keep=kept, ignore=job.ignore, overrides=job.overrides
    )
    tell(f"writing {job.format}")
    begin(job)
    try:
        expected = write_checkpoint(agent.model, job.partial, job.format, job.scheme, kept, ignored)
    except ValueError:  # what the format cannot hold: nothing here is of use to another one
        shutil.rmtree(job.partial)
        raise
    agent.tokenizer.save_pretrained(job.partial)
    tell("reading it back")
    verify_weights(agent.model, job.partial, expected)
    wanted, coarsest = outputs_of(agent.model), min(stored_dtype(agent.model), agent.model.dtype, key=resolution)
    del agent  # only one model at a time
    return finish(job, record, wanted, str(coarsest).removeprefix("torch."))
