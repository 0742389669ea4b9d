"""Finds planning problems in a folder, each with its domain."""

from __future__ import annotations

import re
from pathlib import Path

from acgym.envs.world.planning.pddl import MAX_CHARS
from acgym.rows import BadRow, Row

_KIND = re.compile(r"(?:\s|;[^\n]*\n)*\(\s*define\s*(?:\s|;[^\n]*\n)*\(\s*(domain|problem)\s+([^\s()]+)", re.IGNORECASE)


def problem_rows(path: Path, domain: str | None) -> list[Row]:
    """Read the problems at ``path`` as rows with the texts of ``problem`` and ``domain``, and their ``family``.

    A problem's domain is the file ``NAME.pddl`` beside its folder ``NAME`` (as AgentBoard lays them out), else
    ``domain.pddl`` in its own folder (as the planning competitions do), else the only domain file in its folder.

    Args:
        path: a problem file, or a folder that is searched with its sub-folders.
        domain: keep the problems of this family only: the stem of the domain file, or its folder's name where it is
            ``domain.pddl``.

    Raises:
        FileNotFoundError, BadRow, ValueError: see :class:`acgym.envs.world.planning.env.PDDL`.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no PDDL file or folder {str(path)!r}")
    root = path if path.is_dir() else path.parent
    files = sorted(path.rglob("*.pddl")) if path.is_dir() else [path]
    rows = []
    families = set()
    for file in files:
        text = _text(file)
        if _kind(text, file) == "domain":
            continue
        home = _domain_file(file)
        family = home.parent.name if home.stem == "domain" else home.stem
        families.add(family)
        if domain in (None, family):
            name = file.relative_to(root).with_suffix("").as_posix()
            rows.append(Row(file, 1, name, {"family": family, "domain": _text(home), "problem": text}))
    if not rows:
        wanted = f" of the domain {domain!r}; there are {', '.join(sorted(families))}" if domain and families else ""
        raise ValueError(f"{path} holds no PDDL problem{wanted}")
    return rows


def _domain_file(problem: Path) -> Path:
    beside = problem.parent.parent / f"{problem.parent.name}.pddl"
    own = problem.parent / "domain.pddl"
    for file in (beside, own):
        if file.is_file():
            return file
    found = [file for file in sorted(problem.parent.glob("*.pddl")) if _kind(_text(file), file) == "domain"]
    if len(found) != 1:
        raise BadRow(
            f"{problem}: its domain was not found; put it at {beside} or {own}"
            f"{f' ({len(found)} domains lie beside the problem)' if found else ''}"
        )
    return found[0]


def _kind(text: str, file: Path) -> str:
    match = _KIND.match(text)
    if match is None:
        raise BadRow(f"{file}: expected PDDL that begins with (define (domain NAME) or (define (problem NAME)")
    return match[1].lower()


def _text(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadRow(f"{file}: it is not UTF-8 at byte {error.start}") from None
    if len(text) > MAX_CHARS:
        raise BadRow(f"{file}: {len(text)} characters; at most {MAX_CHARS} are read")
    return text
