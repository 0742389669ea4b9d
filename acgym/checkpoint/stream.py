"""The job of ``acgym compress --stream``: a model larger than memory, from its folder to another one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.assemble.folder import fingerprint
from acgym.assemble.make import calibration_of
from acgym.assemble.spec import AgentSpec, model_spec
from acgym.calibrate.files import check_files, read_calibration
from acgym.calibrate.sample import draw
from acgym.calibrate.spec import Calibration
from acgym.checkpoint.card import RECORD, card
from acgym.checkpoint.job import backend_facts
from acgym.files import write_whole
from acgym.listener import Progress
from acgym.types import Json

if TYPE_CHECKING:
    from torch import nn


def run_stream(
    model: str,
    recipe: str,
    out: Path,
    format: str = "dense",
    calibration: str | Path | None = None,
    progress: Progress | None = None,
    ignore: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
) -> dict[str, Json]:
    """Compress a folder layer by layer into another one (:func:`acgym.compress.stream.folder.compress_folder`).

    The tensors are those that :func:`acgym.checkpoint.export.run_export` writes. Each shard is read back and compared
    with the layer in memory; the whole model is never loaded, so its outputs are not compared.

    Args:
        model: ``reference`` or a folder; also with ``hf:`` before it.
        recipe: what stands after ``+`` in an agent spec (:func:`acgym.assemble.spec.parse_spec`).
        out: the output folder: new, empty, or left by the same command.
        format: ``gptq``, ``awq``, ``compressed-tensors`` or ``dense``.
        calibration: texts or chats, see :func:`acgym.calibrate.spec.parse_calibration`. The model's own trajectories
            cannot be had here: to play, a model must be in memory.
        progress: called after each layer.
        ignore: patterns of projections that are left as they are.
        overrides: pattern to the recipe that those projections get instead; for ``dense``.

    Returns:
        What ``acgym_compression.json`` in the folder holds: as of :func:`acgym.checkpoint.export.run_export`, with a
        ``logit_error`` of None.

    Raises:
        ValueError, FileNotFoundError: before any work, for what cannot work.
        FileExistsError, OSError, ExportDiffers: as :func:`acgym.compress.stream.folder.compress_folder`.
    """
    from acgym.agents.local import REFERENCE, held_dtype
    from acgym.compress.formats.layouts import scheme_for
    from acgym.compress.recipe import parse
    from acgym.compress.stream.folder import compress_folder
    from acgym.compress.stream.skeleton import skeleton
    from acgym.compress.stream.source import Source

    spec, chosen_recipe = model_spec(model, recipe)
    scheme_for(format, chosen_recipe)
    folder = REFERENCE if spec.source is None else Path(spec.source).expanduser()
    if not folder.is_dir():
        raise ValueError(f"--stream reads a folder, and {spec.source!r} is none; download the model first")
    instead = {pattern: parse(given) for pattern, given in (overrides or {}).items()}
    chosen = _files_only(calibration_of(spec, read_calibration(calibration), instead.values()), spec)
    source = Source(folder)
    bare = skeleton(source, source.dtype)
    tokens = None if chosen is None else _tokens(chosen, folder, bare, spec)
    dtype = held_dtype(sum(parameter.numel() for parameter in bare.parameters()), source.dtype)
    about: dict[str, Json] = {"source": spec.base.text, "source_files": fingerprint(spec.base), "logit_error": None}
    about |= {"calibration": None if chosen is None else str(chosen), "backend": backend_facts("acgym")}
    how: dict[str, Any] = {"format": format, "dtype": dtype, "ignore": ignore, "overrides": instead, "about": about}
    compress_folder(folder, chosen_recipe, tokens, out, progress=progress, **how)
    sheet: dict[str, Json] = json.loads((out / RECORD).read_text("utf-8"))
    write_whole(out / "README.md", card(out.name, sheet).encode())
    return sheet


def _files_only(chosen: Calibration | None, spec: AgentSpec) -> Calibration | None:
    """Refuse a calibration for which the model would have to play."""
    if chosen is not None and not all(source.path for source in chosen.sources):
        raise ValueError(
            f"{spec.recipe} calibrates on {chosen}, and with --stream the model is never whole in memory, so it cannot "
            "play; give --calibration text:FILE or chats:FILE.jsonl"
        )
    return chosen


def _tokens(chosen: Calibration, folder: Path, bare: nn.Module, spec: AgentSpec) -> list[list[int]]:
    """Draw the calibration with the model's tokenizer, chat template and window; no weight is read."""
    check_files(chosen)
    from transformers import AutoTokenizer

    from acgym.agents.local import Loaded, LocalAgent

    auto: Any = AutoTokenizer
    tokenizer = auto.from_pretrained(folder, trust_remote_code=False)
    return draw(chosen, LocalAgent(Loaded(bare, tokenizer), spec.base.text), {}).sequences
