"""What a job is: something to be done, in words, as calls, and as the change of state that it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from acgym.envs.tools.operation.office import Conditions, Office
from acgym.types import Json

Made = list[Json]
"""A call: name and arguments."""


@dataclass
class Job:
    """Something that the user wants done."""

    says: str
    """One or two whole sentences."""
    looks: list[Made]
    """Look-ups that reveal what the words leave to find out, in order."""
    acts: list[Made]
    """Calls that change something."""
    wants: list[dict[str, Json]]
    """What each of the acts comes to: ``{"table", "id", "set": {column: value}}``, with ``"push": {column: value}`` or
    ``"pull"`` in the place of ``set``; ``{"table", "id", "gone": true}``; or ``{"table", "new": row}``."""
    about: list[tuple[str, Conditions, list[str]]] = field(default_factory=list)
    """What the words say of the rows concerned, and the rows that this means: table, conditions, ids."""
    ask: dict[str, Json] | None = None
    """What the user forgot to say: ``words`` (a question about it has one of them), ``question``, ``answer``."""


class Maker(NamedTuple):
    """A kind of job."""

    level: int
    """It occurs from this level on."""
    apps: tuple[str, ...]
    make: Callable[[Office, bool], Job | None]
    """Draws one in an office, or None if it does not work out there; if the flag is set, the user forgets something."""
    forgets: bool = False
    """Whether the user can forget something."""


def changed(table: str, key: str, **cells: Json) -> dict[str, Json]:
    """Return the want that cells of a row hold values."""
    return {"table": table, "id": key, "set": cells}


def gone(table: str, key: str) -> dict[str, Json]:
    """Return the want that a row is no more."""
    return {"table": table, "id": key, "gone": True}


def new(table: str, **row: Json) -> dict[str, Json]:
    """Return the want that there is one more row."""
    return {"table": table, "new": row}
