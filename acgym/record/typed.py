"""Reads JSON of a record with every type checked, and says in a sentence what is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from acgym.types import Json

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

STRICT: dict[str, Any] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}
"""``__pydantic_config__`` of what a record holds: no type is guessed, no field is made up, numbers are finite."""


_MADE: dict[Any, Any] = {}


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what reads ``kind`` (a dataclass or TypedDict); made once, since that takes milliseconds."""
    from pydantic import TypeAdapter

    if kind not in _MADE:
        _MADE[kind] = TypeAdapter(kind)
    made: TypeAdapter[Any] = _MADE[kind]
    return made


def read_typed(kind: type[T], content: str | bytes) -> T:
    """Read JSON as ``kind``.

    Raises:
        ValueError: naming the first field that is wrong, what was expected there and what came; or that it is no JSON.
    """
    from pydantic import ValidationError

    try:
        found: T = adapter(kind).validate_json(content)
    except ValidationError as error:
        raise ValueError(sentence(error)) from None
    return found


def sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong, and how many more there are."""
    rows = error.errors(include_url=False, include_context=False)
    first = rows[0]
    where = ".".join(str(part) for part in first["loc"])
    came = "" if first["type"] in ("missing", "json_invalid", "unexpected_keyword_argument") else _shown(first["input"])
    more = f" (and {len(rows) - 1} more faults)" if len(rows) > 1 else ""
    said = first["msg"][:1].lower() + first["msg"][1:]
    return f"{where}: {said}{came}{more}" if where else f"{said}{came}{more}"


def _shown(value: Json) -> str:
    text = json.dumps(value, default=str)
    return f", got {text if len(text) <= 60 else text[:57] + '...'}"
