"""Writes a file so that readers see the old content or the new, whole; clears up after processes that were killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, durably; what was there before is replaced in one step or not at all.

    Raises:
        OSError: if it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what processes of this machine that were killed while writing left in a folder and those right in it."""
    for file in (*folder.glob(".*.tmp"), *folder.glob("*/.*.tmp")):
        writer = file.name.split(".")[-2]
        if writer.isdecimal() and not _runs(int(writer)):
            file.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    """Say whether a process runs, or cannot be told."""
    if sys.platform == "win32":  # there, the question would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
