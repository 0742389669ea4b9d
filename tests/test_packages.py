"""Every folder with code is a package that an installation brings along."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def folders() -> set[str]:
    """The packages that the four folders of code hold."""
    found = set()
    for top in ("acgym", "envs", "agents", "compress"):
        for door in (ROOT / top).rglob("__init__.py"):
            parts = door.parent.relative_to(ROOT).parts
            found.add(".".join(parts if top == "acgym" else ("acgym", *parts)))
    return found


def test_every_package_is_listed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    assert set(listed) == folders()
    assert len(listed) == len(set(listed))


def test_every_folder_with_code_is_a_package():
    for top in ("acgym", "envs", "agents", "compress"):
        for file in (ROOT / top).rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), f"{file.parent} has no __init__.py"
