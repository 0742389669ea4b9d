"""Arguments against their JSON Schema: what is wrong with them in words, whole numbers, and random legal ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError

from acgym.draw import Draw
from acgym.envs.names import HEADS, TAILS
from acgym.text import excerpt
from acgym.types import Json


def fault(schema: Mapping[str, Json], arguments: Mapping[str, Json]) -> str | None:
    """Say what in ``arguments`` breaks ``schema`` (draft 2020-12), with the field's name; None if nothing does.

    Never raises, however deep the arguments are nested; quotes model text only in excerpts.
    """
    try:
        errors = sorted(_validator(json.dumps(schema)).iter_errors(dict(arguments)), key=_order)
    except RecursionError:
        return "the arguments are nested too deeply"
    return _sentence(errors[0]) if errors else None


@lru_cache(maxsize=4096)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))


def _order(error: ValidationError) -> tuple[int, str]:
    return len(error.absolute_path), str(error.validator)


def _sentence(error: ValidationError) -> str:
    """Say one violation; the path holds names of the schema only, since unknown fields are not looked into."""
    where = ".".join(str(part) for part in error.absolute_path)
    found: Any = error.instance
    expected: Any = error.validator_value
    if error.validator == "additionalProperties":
        known = cast(Mapping[str, Json], error.schema)["properties"]
        extra = next(name for name in found if name not in known)
        return f"unknown argument {excerpt(extra)}; {where or 'it'} takes {', '.join(known)}"
    if error.validator == "required":
        missing = next(name for name in expected if name not in found)
        return f"argument {missing} is missing" + (f" in {where}" if where else "")
    wanted = {
        "type": f"be of type {expected}",
        "enum": f"be one of {', '.join(map(str, expected)) if isinstance(expected, list) else ''}",
        "pattern": "be a date written YYYY-MM-DD",
        "minimum": f"be at least {expected}",
        "maximum": f"be at most {expected}",
    }
    return f"argument {where} must {wanted.get(str(error.validator), 'fit its schema')}"


def whole(value: Any) -> Any:
    """Write whole floats as integers, in objects too: JSON Schema counts 3.0 as an integer, and so does the world."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    return value


def random_arguments(draw: Draw, schema: Mapping[str, Json]) -> dict[str, Json]:
    """Draw legal arguments that know nothing of the task; optional ones are given half of the time."""
    required = schema["required"]
    chosen = [name for name in schema["properties"] if name in required or draw.chance(0.5)]
    return {name: _random_value(draw, schema["properties"][name]) for name in chosen}


def _random_value(draw: Draw, schema: Mapping[str, Json]) -> Json:
    if "enum" in schema:
        return draw.pick(schema["enum"])
    if "pattern" in schema:
        return f"20{draw.between(31, 49)}-{draw.between(1, 12):02}-{draw.between(1, 28):02}"
    if schema["type"] == "object":
        return random_arguments(draw, schema)
    if schema["type"] == "boolean":
        return draw.chance(0.5)
    if schema["type"] == "integer":
        return draw.between(1, 99)
    if schema["type"] == "number":
        return draw.between(1, 99) + draw.pick((0.25, 0.5, 0.75))
    return draw.pick(HEADS) + draw.pick(TAILS) if draw.chance(0.5) else str(draw.between(1000, 9999))
