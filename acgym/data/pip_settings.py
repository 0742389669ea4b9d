"""What pip is configured to use: package indexes, find-links, certificates and proxy.

Read from pip's environment variables and configuration files (https://pip.pypa.io/en/stable/topics/configuration/).
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_INDEX = "https://pypi.org/simple"
"""The index that pip asks when nothing else is configured."""
_SECTIONS = ("global", "download", "install")


@dataclass(frozen=True, slots=True)
class PipSettings:
    """Where pip would look for a package, and how it would connect."""

    indexes: tuple[str, ...]
    """Addresses of simple indexes, in pip's order: index-url, then extra-index-url; empty with ``no-index``."""
    find_links: tuple[str, ...]
    """Folders, or addresses or files of pages with links."""
    cert: str | None
    """File of certificate authorities; None for the usual ones."""
    proxy: str | None
    timeout: float
    """Seconds to wait for a connection or for more bytes."""


def pip_settings(environ: Mapping[str, str] | None = None) -> PipSettings:
    """Read pip's configuration: files of the machine, the user, the environment, then variables; the last one wins.

    A file that cannot be read or parsed is as good as absent, since pip itself will say what is wrong with it.

    Args:
        environ: environment variables; None for this process's own.
    """
    environ = os.environ if environ is None else environ
    found: dict[str, str] = {}
    for file in _files(environ):
        found |= _read(file)
    for name in ("index-url", "extra-index-url", "find-links", "no-index", "cert", "proxy", "timeout"):
        for variable in (name, f"default-{name}") if name == "timeout" else (name,):
            value = environ.get(f"PIP_{variable.upper().replace('-', '_')}")
            if value:
                found[name] = value
    off = found.get("no-index", "").strip().lower() in ("1", "true", "yes", "on")
    indexes = (found.get("index-url", DEFAULT_INDEX), *found.get("extra-index-url", "").split())
    return PipSettings(
        () if off else tuple(dict.fromkeys(index.strip() for index in indexes)),
        tuple(found.get("find-links", "").split()),
        found.get("cert"),
        found.get("proxy"),
        _seconds(found.get("timeout", found.get("default-timeout", ""))),
    )


def _seconds(text: str) -> float:
    try:
        return max(1.0, float(text))
    except ValueError:
        return 15.0  # pip's own default


def _read(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    rows = [parser[section] for section in _SECTIONS if parser.has_section(section)]
    return {name.replace("_", "-"): value for row in rows for name, value in row.items()}


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Name pip's configuration files from the weakest to the strongest."""
    asked = environ.get("PIP_CONFIG_FILE")
    if asked == os.devnull:
        return
    home = Path.home()
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    if sys.platform == "win32":
        machine = [Path(environ.get("PROGRAMDATA", r"C:\ProgramData")) / "pip"]
        user = [home / "pip", Path(environ.get("APPDATA", home)) / "pip"]
    elif sys.platform == "darwin":
        machine = [Path("/Library/Application Support/pip")]
        user = [home / ".pip", home / ".config" / "pip", home / "Library" / "Application Support" / "pip"]
    else:
        folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
        machine = [*(Path(folder) / "pip" for folder in reversed(folders) if folder), Path("/etc")]
        user = [home / ".pip", Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"]
    for folder in (*machine, *user, Path(sys.prefix)):
        yield folder / name
    if asked:
        yield Path(asked)
