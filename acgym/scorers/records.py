"""Records in a model's JSON: found one by one, also in a reply that was cut off, and compared field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acgym.text import json_at
from acgym.types import Json

_TRIES = 200
"""Objects that cannot be read before the rest of a reply is given up."""


def read_records(reply: str) -> list[dict[str, Json]]:
    """Return the JSON objects of a reply that lie in a list, in lines or anywhere, in their order.

    An object that holds a list of objects stands for that list. What is cut off at the end is left out; of one that
    cannot be read, the objects inside it are looked at.
    """
    found: list[dict[str, Json]] = []
    at, failed = reply.find("{"), 0
    while at >= 0 and failed < _TRIES:
        value = json_at(reply, at)
        if value is None:
            failed += 1
            at = reply.find("{", at + 1)
            continue
        inside = [
            each for rows in value[0].values() if isinstance(rows, list) for each in rows if isinstance(each, dict)
        ]
        found += inside or [value[0]]
        at = reply.find("{", value[1])
    return found


def record_marks(reply: str, wanted: Sequence[Mapping[str, Json]], key: str = "id") -> list[bool | None]:
    """Mark each wanted record: True if all its fields are exact, False if one is not, None if it is not there.

    Records are known by their ``key``; of two with the same key the first counts. Numbers count by value, 12.0 being
    12; a number in quotes is a text. Texts are compared without spaces around them. Fields that were not asked for make
    a record wrong.
    """
    said: dict[str, dict[str, Json]] = {}
    for record in read_records(reply):
        said.setdefault(str(record.get(key)), record)
    return [_same(said[str(row[key])], row) if str(row[key]) in said else None for row in wanted]


def _same(mine: Mapping[str, Json], wanted: Mapping[str, Json]) -> bool:
    return mine.keys() == wanted.keys() and all(_equal(mine[name], value) for name, value in wanted.items())


def _equal(mine: Json, wanted: Json) -> bool:
    if isinstance(mine, str) and isinstance(wanted, str):
        return mine.strip() == wanted
    if isinstance(mine, bool) or isinstance(wanted, bool):
        return mine is wanted
    return bool(mine == wanted)
