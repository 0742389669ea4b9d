"""The header of a GGUF file, read with every count checked before anything relies on it. Loads without torch.

Format: github.com/ggml-org/ggml, docs/gguf.md, versions 2 and 3. Files are untrusted: time and memory are bounded by
the file's size, whatever it claims.
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from math import prod
from pathlib import Path

from acgym.types import Json

PLAIN = ("F32", "F16", "BF16", "F64")
"""Types that are no quantisation."""
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_DIMENSIONS = 4
_LONGEST_NAME = 65_535


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as the file describes it."""

    shape: tuple[int, ...]
    """As torch would have it: rows first (GGUF writes the dimensions the other way round)."""
    type: str
    """Name of its type in ggml: ``F32``, ``Q4_1``, ``IQ2_XXS``."""
    nbytes: int

    @property
    def numel(self) -> int:
        """Its number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Gguf:
    """What a header says."""

    settings: Mapping[str, Json]
    """Key -> value; of an array, its length alone."""
    tensors: Mapping[str, StoredTensor]
    file_bytes: int
    spans: Mapping[str, tuple[int, int]]
    """Key -> where its name, type and value lie in the file: start and end in bytes."""
    described: tuple[int, int]
    """Where the descriptions of the tensors lie."""
    alignment: int

    @property
    def architecture(self) -> str:
        """The model's architecture, such as ``llama``."""
        return str(self.settings.get("general.architecture", ""))

    def is_long(self, key: str) -> bool:
        """Whether a setting takes more than 1,000 bytes."""
        start, end = self.spans[key]
        return end - start > 1_000

    def facts(self) -> dict[str, Json]:
        """Return what a record says of the weights; empty where none of them is quantised.

        Returns:
            ``quant_method`` (``gguf``), ``format`` (the type of most weights), ``types`` (type -> number of tensors),
            ``bits_per_weight`` (of the quantised weights, scales counted), ``weight_bytes`` (of all tensors) and
            ``bytes_on_disk`` (of the file).
        """
        packed = [tensor for tensor in self.tensors.values() if tensor.type not in PLAIN]
        if not packed:
            return {}
        weights: Counter[str] = Counter()
        for tensor in packed:
            weights[tensor.type] += tensor.numel
        return {
            "quant_method": "gguf",
            "format": weights.most_common(1)[0][0],
            "types": dict(sorted(Counter(tensor.type for tensor in self.tensors.values()).items())),
            "bits_per_weight": 8 * sum(tensor.nbytes for tensor in packed) / weights.total(),
            "weight_bytes": sum(tensor.nbytes for tensor in self.tensors.values()),
            "bytes_on_disk": self.file_bytes,
        }


def gguf_file(source: str | Path) -> Path | None:
    """Return the GGUF file that a source means: itself, or the only one in a folder without other weights.

    Raises:
        ValueError: for a folder with several; names them.
    """
    path = Path(source).expanduser()
    if path.suffix.lower() == ".gguf" and path.is_file():
        return path
    if not path.is_dir() or any(path.glob("*.safetensors")) or (path / "model.safetensors.index.json").is_file():
        return None
    found = sorted(file for file in path.glob("*.gguf") if file.is_file())
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:4])
        raise ValueError(f"{path} holds {len(found)} GGUF files ({names}); name one of them: gguf:{found[0]}")
    return found[0] if found else None


def read_header(path: Path) -> Gguf:
    """Read the header of a GGUF file; once for each state of the file.

    Raises:
        ValueError: if it is damaged: no GGUF, of another version or byte order, cut off, with counts, names, sizes or
            types that cannot be; or if it is one part of a model in several files.
        ImportError: if the package gguf, which knows the types, is not installed.
        OSError: if it cannot be read.
    """
    state = path.stat()
    return _header(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _header(path: Path, size: int, changed: int) -> Gguf:
    if find_spec("gguf") is None:
        raise ImportError("GGUF files need the package gguf; install with: pip install 'gguf>=0.17'")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = _Reader(content, size).header()
    except (_Damaged, struct.error, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}. Copy or download the model again.") from None
    if int(found.settings.get("split.count") or 1) > 1:
        raise ValueError(
            f"{path} is one of {found.settings['split.count']} parts of a model; expected one file. Join them with "
            "llama.cpp's gguf-split --merge."
        )
    return found


class _Damaged(Exception):
    """The file cannot be what it says."""


class _Reader:
    """Reads forward through the header; never past the end of the file."""

    def __init__(self, content: mmap.mmap, size: int) -> None:
        self.content, self.size, self.at = content, size, 0

    def number(self, form: str) -> Json:
        """Read a little-endian number or truth value."""
        width = struct.calcsize("<" + form)
        self._ahead(width)
        (value,) = struct.unpack_from("<" + form, self.content, self.at)
        self.at += width
        return value

    def text(self, longest: int | None = None) -> str:
        """Read a string."""
        length = self.number("Q")
        self._ahead(length)
        if longest is not None and length > longest:
            raise _Damaged(f"a name has {length:,} bytes")
        self.at += length
        return self.content[self.at - length : self.at].decode("utf-8")

    def header(self) -> Gguf:
        """Read everything in front of the weights."""
        magic = self.content[:4]
        if magic != b"GGUF":
            raise _Damaged(f"it begins with {magic!r}, expected b'GGUF'")
        self.at = 4
        version, tensors, keys = self.number("I"), self.number("Q"), self.number("Q")
        if version not in (2, 3):
            raise _Damaged(f"it is of version {version}; expected 2 or 3 (little-endian)")
        if tensors * 24 + keys * 13 > self.size:  # no tensor or key takes less
            raise _Damaged(f"{tensors:,} tensors and {keys:,} settings do not fit into {self.size:,} bytes")
        settings: dict[str, Json] = {}
        spans: dict[str, tuple[int, int]] = {}
        for _ in range(keys):
            begun = self.at
            name = self.text(_LONGEST_NAME)
            if name in settings:
                raise _Damaged(f"it says {name!r} twice")
            settings[name] = self._value()
            spans[name] = begun, self.at
        begun = self.at
        described = [self._described() for _ in range(tensors)]
        step = settings.get("general.alignment", 32)
        if not isinstance(step, int) or step < 1 or step > 1 << 20:
            raise _Damaged(f"its alignment is {step!r}")
        start, ended = -(-self.at // step) * step, self.at
        found: dict[str, StoredTensor] = {}
        for name, tensor, offset in described:
            if name in found:
                raise _Damaged(f"it holds the tensor {name!r} twice")
            if offset % step or start + offset + tensor.nbytes > self.size:
                raise _Damaged(f"the tensor {name!r} ends behind the file, or is not aligned")
            found[name] = tensor
        return Gguf(settings, found, self.size, spans, (begun, ended), step)

    def _value(self) -> Json:
        kind = self.number("I")
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            raise _Damaged(f"a setting has the unknown type {kind}")
        inner, count = self.number("I"), self.number("Q")
        if inner in _SCALARS:
            width = struct.calcsize("<" + _SCALARS[inner]) * count
            self._ahead(width)
            self.at += width
        elif inner == _STRING:
            self._ahead(8 * count)
            for _ in range(count):
                length = self.number("Q")
                self._ahead(length)
                self.at += length
        else:
            raise _Damaged(f"an array holds values of the type {inner}")
        return count

    def _described(self) -> tuple[str, StoredTensor, int]:
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

        name = self.text(_LONGEST_NAME)
        count = self.number("I")
        if not 1 <= count <= _MOST_DIMENSIONS:
            raise _Damaged(f"the tensor {name!r} has {count} dimensions")
        shape = tuple(self.number("Q") for _ in range(count))
        kind, offset = self.number("I"), self.number("Q")
        try:
            known = GGMLQuantizationType(kind)
        except ValueError:
            raise _Damaged(f"the tensor {name!r} has the unknown type {kind}") from None
        block, width = GGML_QUANT_SIZES[known]
        if min(shape) < 1 or shape[0] % block:
            raise _Damaged(f"the tensor {name!r} of type {known.name} has the shape {shape}")
        return name, StoredTensor(shape[::-1], known.name, prod(shape) // block * width), offset

    def _ahead(self, count: int) -> None:
        if count > self.size - self.at:
            raise _Damaged("it is cut off")
