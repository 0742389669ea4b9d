"""Compression of a model that is larger than memory: its layers come from the disk one by one and go back to it."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch

from acgym.compress.calibration import Replay, capture, check_calibration
from acgym.compress.layer import compress_layer
from acgym.compress.plan import plan
from acgym.compress.projections import Projection, decoder_layers, projections, unreached
from acgym.compress.recipe import Recipe, parse
from acgym.compress.record import CompressionRecord, LayerRecord, storage
from acgym.compress.stream_record import check_plan, count_zeros, hidden_file, read_record
from acgym.compress.stream_skeleton import empty, move_buffers, put, skeleton, stored_names
from acgym.compress.stream_source import Source
from acgym.compress.stream_work import Work
from acgym.compress.walk import Progress, _check_weights, _filled, _stored_bits

SHARD_BYTES = 1 << 30
"""Tensors outside the decoder layers share a shard up to this size."""


def compress_folder(
    source: str | Path,
    recipe: Recipe | str,
    calibration: Sequence[Sequence[int]] | None,
    out: str | Path,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    progress: Progress | None = None,
    measure: bool = False,
    ignore: Sequence[str] = (),
    overrides: Mapping[str, Recipe | str] | None = None,
) -> CompressionRecord:
    """Compress a model folder into another one, with memory for about two of its decoder layers.

    The weights are those that :func:`acgym.compress.compress` makes of the whole model, bit for bit. One layer is in
    memory at a time, with the statistics of the step on it, and, where calibration is read, the hidden states of all
    calibration tokens three times (input, dense output, compressed output). Each step of the recipe goes through the
    folder once. A run that was killed goes on behind the last finished layer when it is called again with the same
    arguments, and ends with the same bytes; until then the output is called ``OUT.unfinished``.

    Args:
        source: folder with config.json and safetensors (one file, or shards with an index), in the layout that
            transformers has in memory. Its tokenizer and other small files are copied.
        recipe: see :func:`acgym.compress.parse`. Steps that change how the model runs and not its weights (rounded
            inputs, a quantised cache) are refused: a folder of plain weights cannot say so.
        calibration: token ids, a list per sequence; see :func:`acgym.compress.compress`.
        out: the output folder: new, empty, or left by the same call. Dense safetensors, one shard per decoder layer
            (weights hold the values that packed storage would hold).
        dtype: of computing forward passes and of the output; None for the configuration's.
        device: where layers are computed; None for a GPU if there is one. Hidden states are kept there too.
        progress: called after each layer with those done, those in all, and what was done; once at the start of a run
            that goes on with another one's work.
        measure: as in :func:`acgym.compress.compress`.
        ignore: as in :func:`acgym.compress.compress`.
        overrides: as in :func:`acgym.compress.compress`.

    Returns:
        What was done; ``seconds`` counts the work on finished layers, over all runs.

    Raises:
        ValueError: before any work, as :func:`acgym.compress.compress`; for a folder that is no model, is quantised
            already, is damaged or has another layout. At its layer: weights or inputs that are not finite.
        FileExistsError: if OUT holds something else, or an unfinished compression with other settings.
        OSError: if the disk is, or gets, full; finished layers are kept.
    """
    recipe = parse(recipe) if isinstance(recipe, str) else recipe
    opened = Source(Path(source).expanduser())
    place = torch.device(device if device is not None else "cuda" if torch.cuda.is_available() else "cpu")
    stream = _Stream(opened, dtype or opened.dtype, place, recipe, tuple(ignore), overrides or {}, measure)
    work = stream.prepare(Path(out).expanduser(), calibration)
    if (record := work.finished()) is not None:
        return read_record(record)
    try:
        work.open()
        return stream.run(work, progress or (lambda done, total, label: None))
    finally:
        work.close()


@dataclass
class _Stream:
    """A streamed compression under way."""

    source: Source
    dtype: torch.dtype
    device: torch.device
    recipe: Recipe
    ignore: tuple[str, ...]
    overrides: Mapping[str, Recipe | str]
    measure: bool
    work: Work = field(init=False)
    rows: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        """Make the skeleton, and see that source, recipe and model fit."""
        self.model = skeleton(self.source, self.dtype)
        self.stored = stored_names(self.model, self.source)
        self.layers = decoder_layers(self.model)
        self.names = list(self.layers)
        found = self._projections(self.names)
        modules = [name for name, _ in self.model.named_modules()]
        self.plan = plan(self.recipe, found, modules, self.ignore, self.overrides)
        check_plan(self.plan, found)
        self.rest = self._rest()

    def prepare(self, out: Path, calibration: Sequence[Sequence[int]] | None) -> Work:
        """Check the calibration, and return the folder to work in, not yet opened."""
        needed = self.measure or self.plan.needs_calibration
        self.rows = check_calibration(self.model, calibration, str(self.recipe)) if needed else []
        settings = {
            "recipe": str(self.recipe),
            "ignored": list(self.ignore),
            "overrides": {pattern: str(instead) for pattern, instead in self.overrides.items()},
            "source": self.source.digest(),
            "calibration": hashlib.sha256(json.dumps(self.rows).encode()).hexdigest(),
            "dtype": str(self.dtype).removeprefix("torch."),
            "device": self.device.type,
            "measure": self.measure,
            "torch": torch.__version__,
        }
        self.work = Work(out, settings)
        return self.work

    def run(self, work: Work, tell: Progress) -> CompressionRecord:
        """Do what is left to do."""
        self._check_room()
        total = len(self.recipe) * len(self.layers)
        if work.done:
            tell(len(work.done), total, "finished before")
        move_buffers(self.model, self.device)
        with torch.no_grad():
            for at in range(len(work.done) // len(self.layers), len(self.recipe)):
                self._step(at, tell)
        record = self._record()
        self._finish(record)
        return record

    def _step(self, at: int, tell: Progress) -> None:
        """Take one step through the layers that it has not gone through."""
        first = len(self.work.done) - at * len(self.layers)
        replay = self._replay(at, first) if self.rows and (self.measure or self.plan.needs(at) != "nothing") else None
        for index in range(first, len(self.layers)):
            label = self._layer(at, index, replay)
            tell(len(self.work.done), len(self.recipe) * len(self.layers), label)

    def _layer(self, at: int, index: int, replay: Replay | None) -> str:
        """Bring one layer in, compress it, write it, note it, let it go; return what was done."""
        started = time.perf_counter()
        name, layer = self.names[index], self.layers[self.names[index]]
        self._fill(at, index)
        linears = {key: item for key, item in self._projections([name]).items() if self.plan.steps[key]}
        _check_weights(self.plan, linears)
        zeros, notes = count_zeros(linears), cast("list[str]", [])
        record = compress_layer(self.plan, at, index, name, layer, replay, notes)
        self.work.save(self._file(at, index), {f"{name}.{key}": t for key, t in layer.state_dict().items()})
        if replay is not None and index + 1 < len(self.layers):
            self.work.save(hidden_file(at, index + 1), {f"{row:06d}": t for row, t in enumerate(replay.hidden)})
        entry = {"record": asdict(record), "notes": notes, "zeros": [zeros, count_zeros(linears)]}
        self.work.layer_done({**entry, "seconds": time.perf_counter() - started})
        self.work.drop(hidden_file(at, index))
        if at:
            self.work.drop(self._file(at - 1, index))
        empty(layer)
        return f"{self.recipe.steps[at]}: {name}"

    def _replay(self, at: int, first: int) -> Replay:
        """Return the hidden states at the input of layer ``first``: from the embedding, or as they were kept."""
        self._fill(at, 0)
        body = {id(p) for p in cast(Any, getattr(self.model, "base_model", self.model)).parameters()}
        outside = {n: p for n, p in self.model.named_parameters() if id(p) in body and not self._inside(n)}
        for name in outside:
            put(self.model, name, self.source.read(self.stored[name], self.dtype).to(self.device))
        replay = capture(self.model, list(self.layers.values()), self.rows)
        for name, parameter in outside.items():  # the very same objects: tied ones stay tied
            put(self.model, name, parameter)
        empty(self.layers[self.names[0]])
        if first:
            kept = self.work.load(hidden_file(at, first))
            replay.hidden = [kept[key].to(self.device) for key in sorted(kept)]
        return replay

    def _fill(self, at: int, index: int) -> None:
        """Bring in a layer as the step before ``at`` left it; if that is gone already, as ``at`` left it."""
        name = self.names[index]
        if at == 0:
            names = [key for key in self.stored if key.startswith(f"{name}.")]
            tensors = {key: self.source.read(self.stored[key], self.dtype) for key in names}
        else:
            before = self._file(at - 1, index)
            tensors = self.work.load(before if (self.work.folder / before).exists() else self._file(at, index))
        for key, tensor in tensors.items():
            put(self.model, key, tensor.to(self.device))

    def _file(self, at: int, index: int) -> str:
        """Name of the file with what step ``at`` made of a layer."""
        if at + 1 < len(self.recipe):
            return f"step{at}-layer{index:05d}.safetensors"
        return f"model-{index + 1:05d}-of-{len(self.layers) + len(self.rest):05d}.safetensors"

    def _finish(self, record: CompressionRecord) -> None:
        """Write what is outside the layers and all small files, and give the folder its name."""
        weight_map: dict[str, str] = {}
        size = 0
        for index in range(len(self.layers)):
            name = self.names[index]
            keys = [f"{name}.{key}" for key in self.layers[name].state_dict()]
            weight_map |= dict.fromkeys(keys, self._file(len(self.recipe) - 1, index))
            size += sum(p.numel() * p.element_size() for p in self.layers[name].state_dict().values())
        for number, names in enumerate(self.rest, len(self.layers)):
            file = self._file(len(self.recipe) - 1, number)
            tensors = {name: self.source.read(name, self.dtype) for name in names}
            self.work.save(file, tensors)
            weight_map |= dict.fromkeys(names, file)
            size += sum(t.numel() * t.element_size() for t in tensors.values())
        for path in self.source.small_files():
            self.work.copy(path)
        self.work.write_json("config.json", self.source.config_as(self.dtype))
        self.work.finish(weight_map, size, asdict(record))

    def _record(self) -> CompressionRecord:
        """Put the record together from what the journal holds."""
        linears = {key: item for key, item in self._projections(self.names).items() if self.plan.steps[key]}
        weights = sum(linear.weight.numel() for linear in linears.values())
        notes, share = unreached(self.layers), 0.0
        for at, step in enumerate(self.recipe):
            entries = self.work.done[at * len(self.layers) : (at + 1) * len(self.layers)]
            notes += [note for entry in entries for note in entry["notes"]]
            before, share = (sum(entry["zeros"][i] for entry in entries) / weights for i in (0, 1))
            notes += _filled(step, before, share)
        bits_per_weight, weight_bytes = storage(self.model, linears, _stored_bits(self.plan, linears))
        return CompressionRecord(
            recipe=str(self.recipe),
            simulated=True,
            layers=tuple(LayerRecord(**entry["record"]) for entry in self.work.done),
            bits_per_weight=bits_per_weight,
            sparsity=share,
            compressed_weights=weights,
            total_weights=sum(p.numel() for p in self.model.parameters()),
            weight_bytes=weight_bytes,
            calibration_tokens=sum(map(len, self.rows)),
            seconds=sum(entry["seconds"] for entry in self.work.done),
            notes=tuple(notes),
            ignored=self.ignore,
            overrides={pattern: str(instead) for pattern, instead in self.overrides.items()},
        )

    def _projections(self, names: Sequence[str]) -> dict[str, Projection]:
        """Return full name to projection of some layers."""
        return {f"{name}.{key}": item for name in names for key, item in projections(self.layers[name]).items()}

    def _inside(self, name: str) -> bool:
        """Whether a parameter belongs to a decoder layer."""
        return name.startswith(tuple(f"{layer}." for layer in self.names))

    def _rest(self) -> list[list[str]]:
        """Sort the folder's tensors outside the decoder layers into shards."""
        shards: list[list[str]] = []
        room = 0
        for name in sorted({stored for own, stored in self.stored.items() if not self._inside(own)}):
            size = math.prod(self.source.shapes[name]) * self.dtype.itemsize
            if size > room:
                shards.append([])
                room = SHARD_BYTES
            shards[-1].append(name)
            room -= size
        return shards

    def _check_room(self) -> None:
        """Refuse to begin what the disk has no room for."""
        inside = sum(p.numel() for layer in self.layers.values() for p in layer.parameters())
        weights = sum(p.numel() for p in self.model.parameters()) + (inside if len(self.recipe) > 1 else 0)
        width = int(getattr(self.source.config.get_text_config(), "hidden_size", 0))
        self.work.check_room((weights + 2 * width * sum(map(len, self.rows))) * self.dtype.itemsize)
