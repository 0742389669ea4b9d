"""Arguments against gold arguments: by value and in any case of letters, or leniently by content alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acgym.types import Json, canonical_json


def share(parameters: Mapping[str, Json], gold: Mapping[str, Json], given: Mapping[str, Json]) -> float:
    """Return the share of right arguments among those that the gold call or the given one has.

    An argument that is null, or that equals its stated default, counts as left out. 1.0 where neither has any.

    Args:
        parameters: the JSON Schema of the tool's arguments.
        gold: the right arguments.
        given: what an agent wrote.
    """
    properties = parameters["properties"]
    one, other = _meant(properties, gold), _meant(properties, given)
    names = one.keys() | other.keys()
    right = sum(name in one and name in other and alike(one[name], other[name]) for name in names)
    return right / len(names) if names else 1.0


def holds(gold: Mapping[str, Json], given: Mapping[str, Json]) -> bool:
    """Say whether the content of all gold arguments is there, whatever their types, spelling and company."""
    return all(name in given and _content(value) == _content(given[name]) for name, value in gold.items())


def alike(one: Json, other: Json) -> bool:
    """Compare two values: numbers by value, texts without regard to case and spaces around, lists in any order."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and sorted(map(_key, one)) == sorted(map(_key, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return bool(one == other)


def _meant(properties: Mapping[str, Any], arguments: Mapping[str, Json]) -> dict[str, Json]:
    meant = {}
    for name, value in arguments.items():
        form = properties.get(name)
        if form is not None and (value is None or ("default" in form and alike(form["default"], value))):
            continue
        meant[name] = value
    return meant


def _key(value: Json) -> str:
    return canonical_json(_folded(value))


def _folded(value: Json) -> Json:
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _folded(item) for key, item in value.items()}
    return [_folded(item) for item in value] if isinstance(value, list) else value


def _content(value: Json) -> str:
    return "".join(c for c in _key(value) if c.isalnum() or c == ".")
