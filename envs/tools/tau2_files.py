"""Reads files of tau2-bench, packed or plain: whole or refused in one sentence with file and line."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

from acgym.rows import BadRow
from acgym.types import Json

MAX_BYTES = 1 << 28
"""A larger file, unpacked, is refused."""


def read_text(file: Path) -> str:
    """Return a UTF-8 file as text, unpacked if it ends in ``.gz``.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is too large, no UTF-8 or no whole gzip file (:class:`acgym.rows.BadRow`).
    """
    if not file.is_file():
        raise FileNotFoundError(f"there is no data file {str(file)!r}")
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            read = opened.read(MAX_BYTES + 1)
        if len(read) > MAX_BYTES:
            raise ValueError(f"{file} has more than {MAX_BYTES:,} bytes")
        return read.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRow(f"{file}: it is not UTF-8 at byte {error.start}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise BadRow(f"{file}: it is no whole gzip file") from None


def read_json(file: Path) -> Json:
    """Parse a JSON file; a tidy parser of models' text would take seconds over the eight megabytes of all tasks.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is no JSON, NaN and infinite numbers included (:class:`acgym.rows.BadRow`).
    """

    def refuse(name: str) -> None:
        raise BadRow(f"{file}: a number in the file is {name}, which is not JSON")

    try:
        return json.loads(read_text(file), parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise BadRow(
            f"{file}, line {error.lineno}: it is not JSON ({error.msg.removesuffix(' starting at')})"
        ) from None
    except RecursionError:
        raise BadRow(f"{file}: it is nested too deeply") from None
