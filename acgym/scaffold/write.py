"""Writes a new package from the templates beside this file; nothing of it is run."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from string import Template

KINDS = {"env": "environment", "method": "compression method", "agent": "agent"}
"""What can be begun, and what it is called."""


def write_package(kind: str, name: str, folder: Path) -> list[Path]:
    """Write a package with a module, its test, its entry point and a README.

    Args:
        kind: one of KINDS.
        name: of the package: small letters, digits and ``-`` or ``_``, starting with a letter.
        folder: where its folder ``name`` is made.

    Returns:
        The files, in the order of their names.

    Raises:
        ValueError: for an unknown kind, a name that cannot be a package's, or one that is taken here.
        FileExistsError: if something lies in its place.
    """
    if kind not in KINDS:
        raise ValueError(f"acgym new begins {', '.join(KINDS)}, got {kind!r}; write for example: acgym new env {name}")
    module = name.replace("-", "_")
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,60}[a-z0-9]", name, re.ASCII) is None or keyword.iskeyword(module):
        raise ValueError(
            f"a package's name is small letters, digits, '-' and '_', starts with a letter and is no word of Python, "
            f"got {name!r}; write for example: acgym new {kind} farm"
        )
    if module in sys.stdlib_module_names or find_spec(module) is not None:
        raise ValueError(f"there is a module {module!r} here already, which a package would hide; choose another name")
    target = folder / name
    if target.exists():
        raise FileExistsError(f"{target} is there already; choose another name, or move it away")
    words = {"name": name, "module": module, "word": module.replace("_", ""), "title": _title(module)}
    written = []
    for path, text in _templates(files("acgym.scaffold") / "templates" / kind, ""):
        file = target / path.removesuffix(".txt").replace("MODULE", module)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(file)
    return written


def _title(module: str) -> str:
    """Write a module's name as a class is named: two_farms as TwoFarms."""
    return "".join(part.capitalize() for part in module.split("_"))


def _templates(folder: Traversable, before: str) -> list[tuple[str, str]]:
    """List the templates of a kind, in folders or not: path and text."""
    found: list[tuple[str, str]] = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            found += _templates(entry, f"{before}{entry.name}/")
        elif entry.name.endswith(".txt"):
            found.append((before + entry.name, entry.read_text(encoding="utf-8")))
    return found
