"""The JSON files of a model folder, and what tells one folder's files from another's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from acgym.types import Json


def read_settings(file: Path) -> dict[str, Json]:
    """Read a JSON object.

    Raises:
        ValueError: if the file holds anything else.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: it is not JSON ({error}). Copy or download the model again.") from None
    if not isinstance(value, dict):
        raise ValueError(
            f"{file} is damaged: expected a JSON object, got {type(value).__name__}. Copy the model again."
        )
    return value


def digest_of_ends(files: Iterable[Path], end: int, start: bytes = b"") -> str:
    """Return a SHA-256, in hexadecimal, over the names, sizes and first and last ``end`` bytes of files.

    Reading a large model whole would take longer than many a comparison. ``start`` goes before them.
    """
    digest = hashlib.sha256(start)
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(end))
            stream.seek(max(stream.tell(), size - end))
            digest.update(stream.read())
    return digest.hexdigest()
