"""Random values that a JSON Schema allows, as its types and enums go."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.draw import Draw
from acgym.envs.names import HEADS, TAILS
from acgym.types import Json


def random_values(draw: Draw, schema: Mapping[str, Json]) -> dict[str, Json]:
    """Draw the required arguments of a schema, and half of the others, without knowing anything."""
    required = schema.get("required", ())
    named = schema.get("properties", {}).items()
    return {name: _value(draw, form) for name, form in named if name in required or draw.chance(0.5)}


def _value(draw: Draw, form: Mapping[str, Json]) -> Json:
    if "enum" in form:
        return draw.pick(form["enum"])
    kind = form.get("type")
    if kind == "object":
        return random_values(draw, form)
    if kind == "array":
        return [_value(draw, form["items"])]
    if kind == "boolean":
        return draw.chance(0.5)
    if kind in ("integer", "number"):
        low = int(form.get("minimum", 1))
        return draw.between(low, max(low, int(form.get("maximum", low + 99))))
    if form.get("format") == "date":
        return f"20{draw.between(27, 36)}-{draw.between(1, 12):02}-{draw.between(1, 28):02}"
    return draw.pick(HEADS) + draw.pick(TAILS)
