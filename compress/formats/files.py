"""The weight files of a checkpoint: which they are, and their tensors one at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor

from acgym.model_files.weights import weight_files

_BITS = re.compile(r"[A-Z]+(\d+)")

MARKS = ("qweight", "weight_packed", "weight_scale")
"""Tensors that show that a projection is quantised."""


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """The tensors of all weight files of a folder by name, each read when it is asked for."""

    files: Mapping[str, Any]
    """Tensor name to the opened file that holds it."""
    bytes_on_disk: int

    @classmethod
    def open(cls, folder: Path, stack: ExitStack) -> WeightFiles:
        """Open all weight files of a folder; ``stack`` closes them.

        Raises:
            ValueError: if a file is missing or damaged, or holds a tensor that another file holds too.
        """
        return cls.of(weight_files(folder), stack)

    @classmethod
    def of(cls, paths: Sequence[Path], stack: ExitStack) -> WeightFiles:
        """Open some weight files; as :meth:`open`."""
        files: dict[str, Any] = {}
        for path in paths:
            try:
                opened = stack.enter_context(safe_open(path, framework="pt", device="cpu"))
            except Exception as error:  # safetensors raises an error type of its own, and OSError
                raise ValueError(f"{path} is damaged: {error}. Copy or download the model again.") from None
            for name in opened.keys():  # noqa: SIM118  # not a dict
                if name in files:
                    raise ValueError(f"{path.parent} holds the tensor {name} twice; expected each weight in one file")
                files[name] = opened
        return cls(files, sum(path.stat().st_size for path in paths))

    def get(self, name: str) -> Tensor:
        """Read one tensor."""
        tensor: Tensor = self.files[name].get_tensor(name)
        return tensor

    def nbytes(self, name: str) -> int:
        """Return the bytes that a tensor takes; only the header of its file is looked at."""
        view = self.files[name].get_slice(name)
        width = _BITS.match(view.get_dtype())
        count: int = math.prod(view.get_shape())
        return count * (1 if width is None else int(width[1]) // 8)  # BOOL has no width

    def quantised(self) -> dict[str, list[str]]:
        """Name of each quantised projection to the names of its tensors' last parts."""
        marked = {name.rpartition(".")[0] for name in self.files if name.rpartition(".")[2] in MARKS}
        parts: dict[str, list[str]] = {name: [] for name in sorted(marked)}
        for name in self.files:
            module, _, part = name.rpartition(".")
            if module in parts and part != "bias":
                parts[module].append(part)
        return parts

    def count(self) -> int:
        """Return the rough number of weights: packed ones are counted as 8 to a word."""
        total = 0
        for name, file in self.files.items():
            view = file.get_slice(name)
            size = 1
            for length in view.get_shape():
                size *= length
            total += size * 8 if view.get_dtype() == "I32" else size
        return total


def tensor_bytes(folder: Path) -> int:
    """Return how many bytes the tensors in a folder's weight files take, headers left out."""
    with ExitStack() as stack:
        files = WeightFiles.open(folder, stack)
        return sum(map(files.nbytes, files.files))
