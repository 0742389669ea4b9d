"""The weight files of a model folder, looked over before anything reads a weight. Loads without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from acgym.types import Json

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"


def weight_files(folder: Path, there: bool = True) -> list[Path]:
    """Return the weight files that the index names, or the only one there is.

    Args:
        folder: of the model.
        there: whether the files that the index names must be there already.

    Raises:
        ValueError: if there is none; if the index is damaged, or names what is no plain ``*.safetensors`` file right in
            the folder (pickled weights can run code when read); or if it stands beside a ``model.safetensors`` that
            it does not name, so that which weights are meant depends on the reader.
    """
    index, single = folder / INDEX, folder / SINGLE
    if index.is_file():
        names = _indexed(index)
        odd = [name for name in names if not isinstance(name, str) or not _plain(name)]
        if odd:
            raise ValueError(
                f"{index} names {odd[0]!r}, which is not the plain name of a *.safetensors file in {folder}; expected "
                "files right in the same folder. Copy or download the model again."
            )
        missing = [name for name in names if there and not (folder / name).is_file()]
        if missing:
            raise ValueError(
                f"{index} names {missing[0]!r}, which is not there; expected *.safetensors files right in the same "
                "folder. Copy or download the model again."
            )
        if single.is_file() and SINGLE not in names:
            raise ValueError(
                f"{folder} holds {SINGLE} and an index that names other files; expected one of them. Remove the other."
            )
        return [folder / name for name in names]
    if single.is_file():
        return [single]
    found = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
    if len(found) != 1:
        raise ValueError(f"{folder} holds {len(found)} weight files and no index; expected {SINGLE}")
    return found


def _plain(name: str) -> bool:
    return name.endswith(".safetensors") and not set(name) & set("/\\:\0") and not name.startswith(".")


def check_metadata(folder: Path) -> None:
    """Refuse an index that transformers cannot read, although it names the weights.

    Raises:
        ValueError: if there is an index without the object ``metadata``; says how to add it.
    """
    index = folder / INDEX
    if not index.is_file():
        return
    try:
        content = json.loads(index.read_text("utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{index} is damaged: expected an object with a weight_map of file names")
    if not isinstance(content.get("metadata"), dict):
        raise ValueError(
            f'{index} has no object "metadata", without which transformers does not read it. Add "metadata": {{}} '
            'beside "weight_map".'
        )


def _indexed(index: Path) -> list[Json]:
    """Return the file names in an index, each once."""
    try:
        named = json.loads(index.read_text("utf-8"))["weight_map"]
        names = sorted(set(named.values()))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        names = []
    if not names:
        raise ValueError(f"{index} is damaged: expected an object with a weight_map of file names") from None
    return names


def tensor_sizes(paths: Sequence[Path]) -> Mapping[str, int]:
    """Return tensor name -> number of elements as stored; only the headers of the files are read.

    Raises:
        ValueError: if a file is damaged (no safetensors, cut off) or holds a tensor that another one holds too.
    """
    found: dict[str, int] = {}
    for path in paths:
        state = path.stat()
        for name, size in _header(path, state.st_size, state.st_mtime_ns).items():
            if name in found:
                raise ValueError(f"{path.parent} holds the tensor {name} twice; expected each weight in one file")
            found[name] = size
    return found


@lru_cache(maxsize=1024)
def _header(path: Path, size: int, changed: int) -> Mapping[str, int]:
    """Read a header; once for each state of the file, since specs of agents are parsed often."""
    from math import prod

    from safetensors import safe_open

    try:
        with safe_open(path, framework="np") as file:
            return {name: prod(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  # not a dict
    except Exception as error:  # safetensors raises an error type of its own, and OSError
        raise ValueError(f"{path} is damaged: {error}. Copy or download the model again.") from None
