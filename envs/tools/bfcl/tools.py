"""The data's function descriptions as tool specs: JSON Schema types, and how Java and JavaScript values are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acgym.draw import Draw
from acgym.scorers.bfcl import Language
from acgym.types import Json, ToolSpec

_SCHEMA_TYPES = {
    **dict.fromkeys(["integer", "byte", "short", "long", "Bigint"], "integer"),
    **dict.fromkeys(["number", "float", "double"], "number"),
    **dict.fromkeys(["string", "any", "Any", "String", "char"], "string"),
    **dict.fromkeys(["boolean", "bool", "Boolean"], "boolean"),
    **dict.fromkeys(["array", "list", "tuple", "ArrayList", "Array", "Queue", "Stack", "Set"], "array"),
    **dict.fromkeys(["dict", "object", "HashMap", "Hashtable"], "object"),
}
_LANGUAGES = {"java": "Java 8", "javascript": "JavaScript"}


def tool_spec(function: Mapping[str, Json], language: Language = "python") -> ToolSpec:
    """Return a function of the data as a tool spec.

    Args:
        function: ``name``, ``description``, ``parameters``; what else it holds, such as ``response``, is left out.
        language: whose types its parameters have. Values of Java and JavaScript are texts of source code, and the
            descriptions say so.
    """
    parameters = function["parameters"]
    properties = parameters["properties"]
    if language == "python":
        schema = {name: _schema(one) for name, one in properties.items()}
    else:
        schema = {name: _as_text(one, _LANGUAGES[language]) for name, one in properties.items()}
    described = function.get("description", "")
    if language != "python":
        described = f"{described} The function is written in {_LANGUAGES[language]}."
    required = [name for name in parameters.get("required") or () if name in properties]
    whole = {"type": "object", "properties": schema, "required": required}
    return {
        "type": "function",
        "function": {"name": function["name"], "description": described, "parameters": whole},
    }


def _schema(described: Any) -> dict[str, Json]:
    """Translate the type names of a description, inner ones included; a type that no schema knows is left open."""
    if not isinstance(described, dict):
        return {}
    found = {key: value for key, value in described.items() if key in ("description", "enum", "default")}
    named = described.get("type")
    if isinstance(named, str) and named in _SCHEMA_TYPES:
        found["type"] = _SCHEMA_TYPES[named]
    if isinstance(described.get("properties"), dict):
        found["properties"] = {name: _schema(one) for name, one in described["properties"].items()}
        required = described.get("required")
        if isinstance(required, list):
            found["required"] = [name for name in required if name in found["properties"]]
    if isinstance(described.get("items"), dict):
        found["items"] = _schema(described["items"])
    return found


def _as_text(described: Any, language: str) -> dict[str, Json]:
    row = described if isinstance(described, dict) else {}
    inner = row.get("items")
    items = f" of {inner['type']}" if isinstance(inner, dict) and "type" in inner else ""
    how = f"Write the {language} value of type {row.get('type', 'any')}{items} as a string of source code."
    return {"type": "string", "description": f"{row.get('description', '')} {how}".strip()}


def random_arguments(draw: Draw, schema: Mapping[str, Json]) -> dict[str, Json]:
    """Draw arguments of the types that a tool's parameters have; optional ones are given half of the time."""
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    chosen = [name for name in properties if name in required or draw.chance(0.5)]
    return {name: _random_value(draw, properties[name]) for name in chosen}


def _random_value(draw: Draw, schema: Mapping[str, Json]) -> Json:
    """Draw a value, such as one that somebody might name who did not read the request."""
    if schema.get("enum"):
        return draw.pick(schema["enum"])
    named = schema.get("type", "string")
    if named == "object":
        return random_arguments(draw, schema)
    if named == "array":
        return [_random_value(draw, schema.get("items", {}))]
    if named == "boolean":
        return draw.chance(0.5)
    if named == "integer":
        return draw.between(1, 99)
    return draw.between(1, 99) + 0.5 if named == "number" else f"x{draw.between(1, 999)}"
