"""JSON to frozen dataclasses and back, by their annotations: what is read from a file is checked once, by name.

A field may be a number, text, a flag, ``Json`` (taken as it is), another dataclass, a tuple or a mapping of these, or
one of several; an integer is read where a float is expected. A field's ``metadata`` may say
``json``, its key if that is not its name; ``optional``, that it is left out if it is None; ``kept=False``, that it is
never written. A field ``more`` takes the
keys that the class does not know, so that nothing of a newer file is lost.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from acgym.types import Json

T = TypeVar("T")
MORE = "more"


class Written:
    """Base of dataclasses that are written as JSON."""

    __slots__ = ()
    omit_none: ClassVar[bool] = False
    """Leave fields out that are None; a null that was read stays, in ``more``."""

    def to_json(self) -> dict[str, Json]:
        """Return the object as JSON, the keys in the order of the fields."""
        row: dict[str, Json] = dict(getattr(self, MORE, {}))
        for each in _written_of(type(self)):
            value = getattr(self, each.name)
            if each.name != MORE and not (value is None and (self.omit_none or each.metadata.get("optional"))):
                row[_key(each)] = to_json(value)
        return row


def to_json(value: Any) -> Json:
    """Return dataclasses, tuples and mappings as JSON."""
    if isinstance(value, Written):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {_key(each): to_json(getattr(value, each.name)) for each in _written_of(type(value))}
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(one) for one in value]
    return value


def from_json(kind: type[T], value: Json, where: str = "") -> T:
    """Read an object of a dataclass from JSON.

    Args:
        kind: the class.
        value: what ``json.loads`` returned.
        where: what the value is called in errors, such as a file's name.

    Raises:
        ValueError: naming the place, what was expected there and what came.
    """
    read: T = _read(kind, value, where or kind.__name__)
    return read


def _read(kind: Any, value: Json, where: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value, where)
    if origin is Literal:
        return (
            value if value in get_args(kind) else _wrong(f"one of {', '.join(map(str, get_args(kind)))}", value, where)
        )
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    if origin is tuple:
        rows = value if isinstance(value, list | tuple) else _wrong("a list", value, where)
        return tuple(_read(get_args(kind)[0], one, f"{where}[{i}]") for i, one in enumerate(rows))
    if origin is not None and issubclass(origin, Mapping):
        table = value if isinstance(value, Mapping) else _wrong("an object", value, where)
        return {key: _read(get_args(kind)[1], one, f"{where}.{key}") for key, one in table.items()}
    return _plain(kind, value, where)


def _plain(kind: Any, value: Json, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return value  # written back as it was read
    if kind in (int, float) and isinstance(value, bool):
        return _wrong("a number", value, where)
    if isinstance(value, kind):
        return value
    return _wrong({int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(kind, "null"),
                  value, where)  # fmt: skip


def _one_of(kinds: tuple[Any, ...], value: Json, where: str) -> Any:
    """Read the first of several kinds that fits; of classes, the first whose required keys are all there."""
    if value is None and type(None) in kinds:
        return None
    classes: list[Any] = [kind for kind in kinds if is_dataclass(kind)]
    if classes and isinstance(value, Mapping):
        fitting = [kind for kind in classes if _required(kind) <= set(value)]
        return _read(fitting[0] if fitting else classes[-1], value, where)
    reasons = []
    for kind in kinds:
        try:
            return _read(kind, value, where) if kind is not type(None) else _wrong("null", value, where)
        except ValueError as why:
            reasons.append(str(why))
    raise ValueError(reasons[0])


def _dataclass(kind: Any, value: Json, where: str) -> Any:
    if not isinstance(value, Mapping):
        return _wrong("an object", value, where)
    hints, given = _hints(kind), {}
    known = set()
    for each in _written(kind):
        key = _key(each)
        if each.name == MORE:
            continue
        known.add(key)
        if value.get(key, MISSING) is None and getattr(kind, "omit_none", False):
            known.remove(key)
        elif key in value:
            given[each.name] = _read(hints[each.name], value[key], f"{where}.{key}")
        elif _needed(each):
            raise ValueError(f"{where} has no {key!r}; it has {', '.join(map(str, value)) or 'nothing'}")
    if MORE in hints:
        # what this class does not know, and the nulls that it would not write
        given[MORE] = {key: one for key, one in value.items() if key not in known}
    return kind(**given)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _required(kind: Any) -> frozenset[str]:
    return frozenset(_key(each) for each in _written(kind) if _needed(each))


def _written_of(kind: type) -> tuple[Field[Any], ...]:
    known: tuple[Field[Any], ...] = _written(kind)
    return known


@cache
def _written(kind: Any) -> tuple[Field[Any], ...]:
    return tuple(each for each in fields(kind) if each.metadata.get("kept", True))


def _needed(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _key(each: Field[Any]) -> str:
    return str(each.metadata.get("json", each.name))


def _wrong(expected: str, value: Json, where: str) -> Any:
    raise ValueError(f"{where} must be {expected}, got {repr(value)[:60]}")
