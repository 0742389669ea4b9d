"""Environments whose tasks are the rows of a published file: rows are read, checked, ordered, and played by seed."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from acgym.env import TaskEnv
from acgym.text import NotJson, excerpt, read_json
from acgym.types import Json, Split, Task

__all__ = ["BadRow", "Row", "RowEnv", "read_rows", "refuse_repeats"]

_JSON_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}
MAX_FILE_BYTES = 1 << 30
"""A larger file is refused: its rows are held in memory."""


class BadRow(ValueError):
    """A row cannot be played; the message names file, line or id, and the reason in one sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a data file, and where it stands."""

    file: Path
    line: int
    """Line of the file, from 1; for a file that is one JSON list, the place in the list, from 1."""
    id: str
    """What the file calls the row; ``"NAME:LINE"`` where it has no id. No two rows of an environment share one."""
    value: Mapping[str, Json]
    listed: bool = False
    """Whether the file is one JSON list."""

    @property
    def place(self) -> str:
        """Where the row stands in its file, for a sentence."""
        return _place(self.line, self.listed)

    def bad(self, reason: str) -> BadRow:
        """Return the error that names this row; ``reason`` is one sentence without a full stop."""
        return BadRow(f"{self.file}, {self.place}, row {excerpt(self.id)}: {reason}")

    def need(self, key: str, kind: type[Any] | tuple[type[Any], ...], where: Mapping[str, Json] | None = None) -> Any:
        """Return the value of ``key``, which must be there and of JSON type ``kind``.

        Args:
            key: name of a field.
            kind: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` or ``type(None)``, or several. True is
                no integer; an integer is a ``float`` too, and comes as it is.
            where: the object that holds the field; None for the row itself.

        Raises:
            BadRow: if it is missing or of another type.
        """
        held = self.value if where is None else where
        kinds = kind if isinstance(kind, tuple) else (kind,)
        taken = (*kinds, int) if float in kinds else kinds
        if key not in held:
            raise self.bad(f"it has no {key!r}")
        value = held[key]
        if not isinstance(value, taken) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(_JSON_NAMES[one] for one in kinds)
            raise self.bad(f"{key!r} must be {names}, it is {type(value).__name__}")
        return value


def read_rows(path: str | Path, id_key: str = "id") -> tuple[Row, ...]:
    """Read the rows of a JSON Lines file, or of a file that is one JSON list of objects.

    A file is parsed once for as long as its size and time of change stay the same; do not change the rows.

    Args:
        path: the file, UTF-8, at most ``MAX_FILE_BYTES``.
        id_key: the field that names a row; a row without it is named by file and line.

    Raises:
        FileNotFoundError: if there is no such file.
        BadRow: naming file, line and reason: no UTF-8, no JSON, no object, a key twice, an id that is no text or a
            repeated one.
        ValueError: if the file is too large or has no rows.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"there is no data file {str(file)!r}")
    state = file.stat()
    if state.st_size > MAX_FILE_BYTES:
        raise ValueError(f"{file} has {state.st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    return _read_rows(file, id_key, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=16)
def _read_rows(file: Path, id_key: str, size: int, changed: int) -> tuple[Row, ...]:
    """Read a file in the state that ``size`` and ``changed`` (nanoseconds) stand for."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRow(f"{file}: it is not UTF-8 at byte {error.start}") from None
    listed = text.lstrip()[:1] == "["
    values = _list(file, text) if listed else _lines(file, text)
    rows: list[Row] = []
    lines: dict[str, int] = {}
    for line, value in values:
        row = _row(file, line, value, id_key, listed)
        if row.id in lines:
            raise row.bad(f"{_place(lines[row.id], listed)} has the same id")
        lines[row.id] = line
        rows.append(row)
    if not rows:
        raise ValueError(f"{file} has no rows")
    return tuple(rows)


def _list(file: Path, text: str) -> list[tuple[int, Json]]:
    try:
        return list(enumerate(read_json(text, unique=True), 1))
    except NotJson as error:
        line = "" if error.line is None else f", line {error.line}"
        raise BadRow(f"{file}{line}: it begins as a JSON list and is none ({error})") from None


def _lines(file: Path, text: str) -> list[tuple[int, Json]]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append((number, read_json(line, unique=True)))
            except NotJson as error:
                raise BadRow(f"{file}, line {number}: it is not JSON ({error})") from None
    return found


def _row(file: Path, line: int, value: Json, id_key: str, listed: bool) -> Row:
    place = _place(line, listed)
    if not isinstance(value, dict):
        raise BadRow(f"{file}, {place}: a row must be an object, it is {type(value).__name__}")
    name = value.get(id_key, f"{file.name}:{line}")
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise BadRow(f"{file}, {place}: {id_key!r} must be a text or an integer, it is {type(name).__name__}")
    return Row(file, line, str(name), value, listed)


def _place(line: int, listed: bool) -> str:
    return f"row {line} of the list" if listed else f"line {line}"


class RowEnv(TaskEnv):
    """A :class:`acgym.env.TaskEnv` whose tasks are rows of a published file.

    A subclass supplies ``task_of`` (row -> task, raising ``row.bad(...)``) beside what every ``TaskEnv`` supplies. All
    rows are turned into tasks when the environment is made, so that a malformed one stops it before any play.

    Which row a seed plays: the rows, sorted by the SHA-256 of their id, in a circle: seed s plays row s modulo their
    number. The order depends on the ids alone: neither on the file's order nor on a library's random numbers. Two runs
    over the same seeds play the same rows, and the first k seeds are a fixed sample without repetition. A seed beyond
    the number of rows plays a row again (same task hash); a comparison that would count a row twice is refused
    (:func:`refuse_repeats`). A reset without a seed draws a row from the environment's own generator.

    There is no level and no training split: published test rows are not for training.

    What ``random_reply`` scores is not known beforehand (``anchor`` is None) unless a subclass states it.

    Args:
        rows: rows with distinct ids, at least one.
        render_mode: ``"ansi"`` or None.

    Raises:
        BadRow: for a row that cannot be played.
    """

    needs: ClassVar[str] = "rows of a file, given by path="
    splits: ClassVar[tuple[Split, ...]] = ("eval",)

    def __init__(self, rows: Sequence[Row], render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        if not rows:
            raise ValueError("there are no rows to play")
        by_order = sorted(rows, key=_order)
        for one, other in pairwise(by_order):
            if one.id == other.id:
                raise other.bad(f"{one.place} of {one.file} has the same id")
        self._rows = by_order
        self._tasks = [self.check_row(row) for row in by_order]

    @property
    def rows(self) -> int:
        """Number of rows, at least 1."""
        return len(self._rows)

    @abstractmethod
    def task_of(self, row: Row) -> Task:
        """Turn a row into a task, whose ``data`` is given the row's id under ``"id"`` if it has none.

        Raises:
            BadRow: if it is malformed; make it with ``row.bad``.
        """

    def check_row(self, row: Row) -> Task | None:
        """Check a row when the environment is made.

        Returns:
            Its task, which is then kept; None to have ``task_of`` called when it is played, for an environment that
            checks a row faster than it makes a task.

        Raises:
            BadRow: if it is malformed.
        """
        return self.task_of(row)

    def choose_task(self, seed: int | None, split: Split) -> Task:
        """Return the row of ``seed``, see the class; without a seed, one drawn from ``self.np_random``."""
        place = int(self.np_random.integers(self.rows)) if seed is None else seed % self.rows
        row = self._rows[place]
        task = self._tasks[place] or self.task_of(row)
        if self._tasks[place] is None or "id" not in task.data:
            task = self._tasks[place] = replace(task, data={**task.data, "id": row.id})
        fresh = replace(task, tools=deepcopy(task.tools))  # who is handed the tools may change them
        fresh.__dict__["hash"] = task.hash  # of equal content, and not computed twice
        return fresh


def _order(row: Row) -> bytes:
    return hashlib.sha256(row.id.encode("utf-8", "surrogatepass")).digest()


def refuse_repeats(name: str, env: object, seeds: Sequence[int]) -> None:
    """Refuse seeds of which two play the same row: an interval over them would count one task twice.

    Args:
        name: the environment's id, for the sentence.
        env: any environment; only a :class:`RowEnv` has rows.
        seeds: seeds of the episodes to play.

    Raises:
        ValueError: saying how many episodes there can be at most.
    """
    if isinstance(env, RowEnv) and len({seed % env.rows for seed in seeds}) < len(seeds):
        raise ValueError(
            f"{name} has {env.rows:,} rows and {len(seeds):,} episodes would play some of them twice; "
            f"play at most {env.rows:,} episodes"
        )
