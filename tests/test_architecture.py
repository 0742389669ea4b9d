"""docs/architecture.md and CONTRIBUTING.md are true: the picture is that of the table, and every path exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.rooms import PAGE, ROOMS, mermaid, with_picture

ROOT = PAGE.parents[1]
PAGES = [PAGE, ROOT / "CONTRIBUTING.md"]
TEXT = PAGE.read_text("utf-8")


def test_the_picture_is_that_of_the_table():
    assert with_picture(TEXT) == TEXT, "run 'make docs-picture'"
    assert f"```mermaid\n{mermaid()}\n```" in TEXT


def test_an_old_picture_is_seen():
    assert with_picture(TEXT.replace("  report --> analysis\n", "")) == TEXT
    assert TEXT.replace("  report --> analysis\n", "") != TEXT


def paths(page: Path) -> list[str]:
    """Return what stands in backticks or as a link's target and looks like a path."""
    text = page.read_text("utf-8")
    written = [word for word in re.findall(r"`([\w./-]+)`", text) if "/" in word and word.split("/")[0] in FOLDERS]
    return written + [str((page.parent / to).relative_to(ROOT)) for to in re.findall(r"\]\(([\w./-]+)\)", text)]


FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_exists(page):
    found = [path for path in paths(page) if "CAPABILITY" not in path and "ROOM" not in path]
    assert len(found) > 2
    assert [path for path in found if not (ROOT / path).exists()] == []


def test_every_name_that_the_page_tells_to_use_is_there():
    for file, names in {
        "acgym/rows.py": ["RowEnv"],
        "acgym/suites.py": ["register_suite"],
        "compress/methods/table.py": ["register_method", "METHODS"],
        "agents/base.py": ["Agent"],
        "acgym/export/forms.py": ["FORMS"],
        "acgym/env.py": ["def draw_task", "def tell", "def judge"],
        "acgym/assemble/spec.py": ["recipe: Recipe"],
    }.items():
        for name in names:
            assert name in (ROOT / file).read_text("utf-8"), f"{name} is not in {file}"


def test_every_room_has_its_place_in_the_picture():
    for room, row in ROOMS.items():
        assert room == "acgym" or f"<br/>{row.purpose}" in TEXT
