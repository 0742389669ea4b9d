"""How the finished layers of a streamed compression leave: plain or packed, each read back before it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from acgym.compress.formats.facts import facts_from_headers
from acgym.compress.formats.files import WeightFiles
from acgym.compress.formats.layouts import Kept, OnGrid
from acgym.compress.formats.packing import Packing
from acgym.compress.formats.stored import Piece, whole
from acgym.compress.formats.verify import tolerance, verify_size, verify_tensors
from acgym.compress.formats.write import state_of
from acgym.compress.methods.grid import Grid
from acgym.compress.stream.skeleton import Stored
from acgym.compress.stream.work import Work
from acgym.compress.walk.projections import Projection
from acgym.types import Json


@dataclass(frozen=True)
class Output:
    """Writes shards of a checkpoint into the folder of a streamed compression."""

    work: Work
    stored: Stored
    packing: Packing
    held: torch.dtype
    """Of the weights in memory."""

    def dtype_of(self, name: str) -> torch.dtype:
        """Return the dtype in which a parameter that is not packed is stored: the folder's, with few exceptions."""
        return torch.float32 if name in self.stored.single else self.stored.source.dtype

    def write(self, file: str, state: Mapping[str, Tensor], linears: Mapping[str, Projection], kept: Kept) -> int:
        """Write a part of the model as a shard, read it back and compare it with what is in memory.

        Args:
            file: name of the shard.
            state: parameters and buffers by full name.
            linears: full name to projection of all that are in ``state``.
            kept: what their last step left.

        Returns:
            Bytes of its tensors.

        Raises:
            ExportDiffers: if the shard is not what is in memory.
            OSError: if it cannot be written.
        """
        tensors, expected = state_of(state, linears, self.stored.pieces, self.packing, self.dtype_of, kept)
        self.work.save(file, tensors)
        places: dict[str, Piece | None] = {}
        for name, tensor in state.items():
            places |= self.stored.pieces.get(name, {name: whole(name, tensor)})
        with ExitStack() as stack:
            files = WeightFiles.of([self.work.folder / file], stack)
            verify_size(sum(map(files.nbytes, files.files)), expected)
            slack = tolerance(self.stored.source.dtype, self.held)
            verify_tensors(files, self.packing.settings() or {}, places, state, slack)
        return expected

    def finish(
        self, shards: Sequence[str], expected: int, config: Mapping[str, Any], sheet: Mapping[str, Json]
    ) -> Json:
        """Write configuration, index and record, and give the folder its name.

        Args:
            shards: names of all weight files.
            expected: bytes of their tensors.
            config: config.json.
            sheet: what the record says beside ``checkpoint``.

        Returns:
            The record.

        Raises:
            ExportDiffers: if the shards hold another number of bytes.
        """
        self.work.write_json("config.json", config)
        weights = sheet["compression"]["compressed_weights"]
        with ExitStack() as stack:
            paths = [self.work.folder / name for name in shards]
            files = WeightFiles.of(paths, stack)
            verify_size(sum(map(files.nbytes, files.files)), expected)
            checkpoint = facts_from_headers(files, config, self.work.folder, weights)
            weight_map: dict[str, str] = {}
            for path in paths:
                weight_map |= dict.fromkeys(WeightFiles.of([path], stack).files, path.name)
        return self.work.finish(weight_map, expected, {**sheet, "checkpoint": checkpoint})


def kept_tensors(kept: Kept) -> dict[str, Tensor]:
    """Return what is kept of a layer's projections as tensors, to be continued by the next step of a recipe."""
    tensors: dict[str, Tensor] = {}
    for name, (grid, codes) in kept.weights.items():
        form = torch.tensor([grid.bits, int(grid.symmetric)])
        parts = {"form": form, "scale": grid.scale, "zero": grid.zero, "groups": grid.groups, "codes": codes}
        tensors |= {f"{name}.{part}": tensor for part, tensor in parts.items()}
    return tensors


def read_kept(tensors: Mapping[str, Tensor]) -> Kept:
    """Return what :func:`kept_tensors` took apart."""
    kept = Kept()
    for name in (key.removesuffix(".form") for key in tensors if key.endswith(".form")):
        form, scale, zero, groups, codes = (
            tensors[f"{name}.{part}"] for part in ("form", "scale", "zero", "groups", "codes")
        )
        bits, symmetric = form.tolist()
        kept.weights[name] = OnGrid(Grid(bits, bool(symmetric), scale, zero, groups), codes)
    return kept
