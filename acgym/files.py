"""Writes a file so that readers see the old content or the new, whole; clears up after processes that were killed."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)


class NotRegular(ValueError):
    """A link, a pipe or a device lies where a file of a record is expected."""


def open_regular(path: Path, append: bool = False) -> BinaryIO:
    """Open a regular file to read it, or to read and append to it (it is then made if it is not there; unbuffered).

    A link is not followed, so that a record can make nobody write elsewhere; a pipe is not waited for.

    Raises:
        NotRegular: if it is anything but a regular file.
        OSError: if it cannot be opened.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT if append else os.O_RDONLY
    try:
        if path.is_symlink():
            raise NotRegular(f"{path} is a link; expected a regular file. Put the file itself there")
        number = os.open(path, flags | _NO_LINK | _BINARY, 0o666)
    except OSError as error:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise NotRegular(f"{path} is no regular file; put one there, or remove it") from error
        raise
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NotRegular(f"{path} is no regular file; put one there, or remove it")
    if append:
        return open(number, "a+b", buffering=0)
    return open(number, "rb")


def read_regular(path: Path) -> bytes:
    """Return the content of a regular file; raises as :func:`open_regular`."""
    with open_regular(path) as file:
        return file.read()


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, durably; what was there before is replaced in one step or not at all.

    Raises:
        OSError: if it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:  # a link that lies there is not written through
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
