"""Compression of a model that is larger than memory: its layers come from the disk one by one and go back to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from acgym.compress.fit import Fitted, fit
from acgym.compress.formats.layouts import check_overrides, scheme_for
from acgym.compress.recipe import Recipe, parse
from acgym.compress.stream.record import read_record
from acgym.compress.stream.run import Stream
from acgym.compress.stream.skeleton import skeleton
from acgym.compress.stream.source import Source
from acgym.compress.walk.projections import input_sizes
from acgym.compress.walk.record import CompressionRecord
from acgym.listener import Progress
from acgym.types import Json


def compress_folder(
    source: str | Path,
    recipe: Recipe | str,
    calibration: Sequence[Sequence[int]] | None,
    out: str | Path,
    *,
    format: str = "dense",
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    progress: Progress | None = None,
    measure: bool = False,
    ignore: Sequence[str] = (),
    overrides: Mapping[str, Recipe | str] | None = None,
    about: Mapping[str, Json] | None = None,
) -> CompressionRecord:
    """Compress a model folder into another one, with memory for about two of its decoder layers.

    The result is that of :func:`acgym.compress.compress` on the whole model and of
    :func:`acgym.compress.formats.write.write_checkpoint`, bit for bit. In memory are one layer, the statistics of the
    step on it and, where calibration is read, the hidden states of all tokens, those of the first ERROR_TOKENS twice.
    Each step of the recipe goes through the folder once, and each finished layer is read back from its shard and
    compared. A run that was killed goes on behind the last finished layer when it is called again with the same
    arguments, and ends with the same bytes; until then the output is called ``OUT.unfinished``.

    Args:
        source: folder as transformers saves it; its tokenizer and other small files are copied.
        recipe: see :func:`acgym.compress.parse`.
        calibration: token ids, a list per sequence; see :func:`acgym.compress.compress`.
        out: the output folder: new, empty, or left by the same call; one shard per decoder layer.
        format: ``dense`` (plain weights, which hold the values that packed storage would hold), ``gptq``, ``awq`` or
            ``compressed-tensors``. What is not packed keeps the folder's dtype.
        dtype: of computing; None for the configuration's.
        device: where layers are computed; None for a GPU if there is one. Hidden states are kept there too.
        progress: called after each layer, and at the start of a run that goes on with another one's work.
        measure: as in :func:`acgym.compress.compress`.
        ignore: the same.
        overrides: the same, but the head, which is in no layer, takes none; only for ``dense``.
        about: more for the record, ``acgym_compression.json``.

    Returns:
        What was done; ``seconds`` counts the work on finished layers, over all runs.

    Raises:
        ValueError: before any work, as :func:`acgym.compress.compress`, for what the format cannot hold, and for a
            folder that is no dense model. At its layer: weights or inputs that are not finite.
        FileExistsError: if OUT holds something else, or an unfinished compression with other settings.
        ExportDiffers: if a shard is not what was in memory.
        OSError: if the disk is, or gets, full; finished layers are kept.
    """
    scheme_for(format, parse(recipe) if isinstance(recipe, str) else recipe)
    check_overrides(format, overrides := overrides or {})
    opened = Source(Path(source).expanduser())
    recipe, notes = _fitted(recipe, opened)
    scheme = scheme_for(format, recipe)  # with the group that fits
    place = torch.device(device if device is not None else "cuda" if torch.cuda.is_available() else "cpu")
    stream = Stream(*(opened, dtype or opened.dtype, place, recipe, tuple(ignore), overrides), measure, format, scheme)
    stream.noted = notes
    tell = progress or (lambda done, total, label: None)
    record = stream.make(Path(out).expanduser(), calibration, tell, about or {})
    return read_record(record["compression"])


def _fitted(recipe: Recipe | str, source: Source) -> Fitted:
    """Read a recipe for the model of a folder; no weight is read."""
    if not isinstance(recipe, str):
        return Fitted(recipe, ())
    return fit(recipe, set(input_sizes(skeleton(source, source.dtype)).values()))
