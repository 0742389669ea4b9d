"""A streamed compression under way: one layer after the other comes in, is compressed, leaves and is noted."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch

from acgym.compress.formats.layouts import Kept
from acgym.compress.formats.packing import packing_of
from acgym.compress.formats.scheme import Scheme
from acgym.compress.plan import plan
from acgym.compress.recipe import Recipe
from acgym.compress.stream.output import Output, kept_tensors, read_kept
from acgym.compress.stream.record import check_plan, count_zeros, hidden_file, record_of
from acgym.compress.stream.skeleton import Stored, empty, move_buffers, put, skeleton
from acgym.compress.stream.source import Source
from acgym.compress.stream.work import Work
from acgym.compress.walk.collector import Replay, capture, check_calibration
from acgym.compress.walk.head import refuse_head
from acgym.compress.walk.layer import compress_layer, round_inputs
from acgym.compress.walk.layers import check_weights
from acgym.compress.walk.projections import Projection, decoder_layers, projections, routers
from acgym.compress.walk.same_bits import compression_threads, fixed_threads
from acgym.listener import Progress
from acgym.machine import trim
from acgym.types import Json

SHARD_BYTES = 1 << 30
"""Tensors outside the decoder layers share a shard up to this size."""


@dataclass
class Stream:
    """What is compressed and how; :meth:`make` does it."""

    source: Source
    dtype: torch.dtype
    """Of the computing."""
    device: torch.device
    recipe: Recipe
    ignore: tuple[str, ...]
    overrides: Mapping[str, Recipe | str]
    measure: bool
    format: str
    scheme: Scheme | None
    """How the recipe leaves the weights; None for plain ones."""
    noted: tuple[str, ...] = field(default=(), init=False)
    """What the record says before all other notes."""
    work: Work = field(init=False)
    rows: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        """Make the skeleton, and see that source, recipe, format and model fit."""
        self.model = skeleton(self.source, self.dtype)
        self.stored = Stored.of(self.model, self.source)
        self.layers = decoder_layers(self.model)
        self.names = list(self.layers)
        found = self._projections(self.names)
        modules = [name for name, _ in self.model.named_modules()]
        refuse_head(self.model, self.overrides)
        gates = [f"{name}.{key}" for name in self.names for key in routers(self.layers[name])]
        self.plan = plan(self.recipe, found, modules, self.ignore, self.overrides, routers=gates)
        check_plan(self.plan, found, self.format != "dense")
        ignored = [name for name, steps in self.plan.steps.items() if not steps]
        places = {stored: piece for pieces in self.stored.pieces.values() for stored, piece in pieces.items()}
        self.packing = packing_of(self.model, self.format, self.scheme, places, ignored)
        self.rest = self._rest()

    def make(
        self, out: Path, calibration: Sequence[Sequence[int]] | None, tell: Progress, about: Mapping[str, Json]
    ) -> dict[str, Json]:
        """Make a folder, or what of it is not made yet, and return its record."""
        self._prepare(out, calibration)
        record = self.work.finished()
        if record is None:
            try:
                self.work.open()
                with fixed_threads():
                    record = self._run(tell, about)
            except ValueError:  # these settings can never be finished; others may begin anew
                self.work.discard()
                raise
            finally:
                self.work.close()
        return record

    def _prepare(self, out: Path, calibration: Sequence[Sequence[int]] | None) -> None:
        """Check the calibration, and say where the work is done and how it leaves."""
        needed = self.measure or self.plan.needs_calibration
        self.rows = check_calibration(self.model, calibration, str(self.recipe)) if needed else []
        settings = {
            "recipe": str(self.recipe),
            "format": self.format,
            "ignored": list(self.ignore),
            "overrides": {pattern: str(instead) for pattern, instead in self.overrides.items()},
            "source": self.source.digest(),
            "calibration": hashlib.sha256(json.dumps(self.rows).encode()).hexdigest(),
            "dtype": str(self.dtype).removeprefix("torch."),
            "device": self.device.type,
            "measure": self.measure,
            "torch": torch.__version__,
            "threads": compression_threads(),
        }
        self.work = Work(out, settings)
        self.output = Output(self.work, self.stored, self.packing, self.dtype)

    def _run(self, tell: Progress, about: Mapping[str, Json]) -> dict[str, Json]:
        """Do what is left to do, and return the record."""
        self._check_room()
        total = len(self.recipe) * len(self.layers)
        if self.work.done:
            tell(len(self.work.done), total, "finished before")
        move_buffers(self.model, self.device)
        with torch.no_grad():
            for at in range(len(self.work.done) // len(self.layers), len(self.recipe)):
                self._step(at, tell)
        return self._finish(about)

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
        kept = self._fill(at, index)
        linears = self._projections([name])
        chosen = {key: item for key, item in linears.items() if self.plan.steps[key]}
        check_weights(self.plan, chosen)
        zeros, notes = count_zeros(chosen), cast("list[str]", [])
        record = compress_layer(self.plan, at, index, name, layer, replay, notes, kept if self.packing.parts else None)
        size = self._write(at, index, linears, kept)
        if replay is not None and index + 1 < len(self.layers):
            self.work.save(hidden_file(at, index + 1), {f"{row:06d}": t for row, t in enumerate(replay.hidden)})
        entry = {"record": asdict(record), "notes": notes, "zeros": [zeros, count_zeros(chosen)], "bytes": size}
        self.work.layer_done({**entry, "seconds": time.perf_counter() - started})
        self.work.drop(hidden_file(at, index))
        if at and index:  # the first one shows the step what layers return, also when it goes on after a kill
            self.work.drop(self._file(at - 1, index), self._grids(at - 1, index))
        empty(layer)
        trim()
        return f"{self.recipe.steps[at]}: {name}"

    def _write(self, at: int, index: int, linears: Mapping[str, Projection], kept: Kept) -> int:
        """Write what a step made of a layer: as a shard after the last step, for the next one after others."""
        name = self.names[index]
        state = {f"{name}.{key}": tensor for key, tensor in self.layers[name].state_dict().items()}
        if at + 1 == len(self.recipe):
            return self.output.write(self._file(at, index), state, linears, kept)
        self.work.save(self._file(at, index), state)
        if kept.weights:
            self.work.save(self._grids(at, index), kept_tensors(kept))
        return 0

    def _replay(self, at: int, first: int) -> Replay:
        """Return the hidden states at the input of layer ``first``: from the embedding, or as they were kept."""
        self._fill(at, 0)
        body = {id(p) for p in cast(Any, getattr(self.model, "base_model", self.model)).parameters()}
        outside = {n: p for n, p in self.model.named_parameters() if id(p) in body and not self._inside(n)}
        for name in outside:
            put(self.model, name, self.stored.read(name).to(self.device))
        replay = capture(self.model, list(self.layers.values()), self.rows)
        for name, parameter in outside.items():  # the very same objects: tied ones stay tied
            put(self.model, name, parameter)
        empty(self.layers[self.names[0]])
        if first:
            hidden = self.work.load(hidden_file(at, first))
            replay.hidden = [hidden[key].to(self.device) for key in sorted(hidden)]
        return replay

    def _fill(self, at: int, index: int) -> Kept:
        """Bring in a layer as the step before ``at`` left it; return the grids that it left its weights on."""
        name, kept = self.names[index], Kept()
        layer = self.layers[name]
        if at == 0:
            here = [key for key in (f"{name}.{own}" for own in layer.state_dict()) if key in self.stored.pieces]
            tensors = {key: self.stored.read(key) for key in here}
        else:
            tensors = self.work.load(self._file(at - 1, index))
            if self.work.holds(self._grids(at - 1, index)):
                kept = read_kept(self.work.load(self._grids(at - 1, index)))
        for key, tensor in tensors.items():
            put(self.model, key, tensor.to(self.device))
        for before in range(at):
            round_inputs(self.plan, before, self._projections([name]), [])
        return kept

    def _file(self, at: int, index: int) -> str:
        """Name of the file with what step ``at`` made of a layer."""
        if at + 1 < len(self.recipe):
            return f"step{at}-layer{index:05d}.safetensors"
        return f"model-{index + 1:05d}-of-{len(self.layers) + len(self.rest):05d}.safetensors"

    def _grids(self, at: int, index: int) -> str:
        """Name of the file with the grids that step ``at`` left a layer's weights on."""
        return f"step{at}-grids{index:05d}.safetensors"

    def _finish(self, about: Mapping[str, Json]) -> dict[str, Json]:
        """Write what is outside the layers and all small files, and give the folder its name."""
        last = len(self.recipe) - 1
        shards = [self._file(last, index) for index in range(len(self.layers) + len(self.rest))]
        expected = sum(entry["bytes"] for entry in self.work.done)
        for file, names in zip(shards[len(self.layers) :], self.rest, strict=True):
            state = {name: self.source.read(name, self.output.dtype_of(name)) for name in names}
            expected += self.output.write(file, state, {}, Kept())
        for path in self.source.small_files():
            self.work.copy(path)
        linears = {key: item for key, item in self._projections(self.names).items() if self.plan.steps[key]}
        record = record_of(self.plan, self.model, self.layers, linears, self.work.done, self.rows)
        record = replace(record, notes=(*self.noted, *record.notes))
        config = self.source.config_as(self.source.dtype, self.packing.settings())
        sheet = {**about, "format": self.format, "compression": asdict(record)}
        return dict(self.output.finish(shards, expected, config, sheet))

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
        outside = {stored for own, found in self.stored.pieces.items() if not self._inside(own) for stored in found}
        for name in sorted(outside):
            size = math.prod(self.source.shapes[name]) * self.source.dtype.itemsize
            if size > room:
                shards.append([])
                room = SHARD_BYTES
            shards[-1].append(name)
            room -= size
        return shards

    def _check_room(self) -> None:
        """Refuse to begin what the disk has no room for."""
        found = {key: item for key, item in self._projections(self.names).items() if key in self.packing.parts}
        packed = sum(self.packing.stored_bytes(name, item.in_features) for name, item in found.items())
        plain = sum(p.numel() for p in self.model.parameters()) - sum(item.weight.numel() for item in found.values())
        width = int(getattr(self.source.config.get_text_config(), "hidden_size", 0))
        spare = 2 * width * sum(map(len, self.rows))
        if len(self.recipe) > 1:
            spare += sum(p.numel() for layer in self.layers.values() for p in layer.parameters())
        self.work.check_room(packed + plain * self.source.dtype.itemsize + spare * self.dtype.itemsize)
