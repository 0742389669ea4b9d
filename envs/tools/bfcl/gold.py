"""Gold answers as the words of an expert: for each parameter a value that the scorer accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from acgym.scorers.bfcl import Language, match_value
from acgym.types import Call, Json

_JAVA_SUFFIXES = {"long": "L", "float": "f"}
_JAVASCRIPT_SUFFIXES = {"Bigint": "n"}


def gold_calls(
    functions: list[Mapping[str, Json]], gold: list[Mapping[str, Json]], language: Language
) -> tuple[Call, ...]:
    """Return one call for each gold call, with the first values that the scorer accepts.

    A parameter that may be left out is left out. Where the scorer accepts no value that can be written, as in a few
    rows whose gold answer contradicts the function's description, the first one is said all the same.
    """
    by_name = {function["name"]: function for function in functions}
    return tuple(_call(by_name[name], answer, language) for one in gold for name, answer in one.items())


def _call(function: Mapping[str, Json], answer: Mapping[str, list[Json]], language: Language) -> Call:
    properties = function["parameters"]["properties"]
    required = function["parameters"].get("required") or ()
    arguments: dict[str, Json] = {}
    for name, right in answer.items():
        if "" in right and name not in required:
            continue
        described = properties.get(name, {"type": "any"})
        written = list(_candidates(right, described, language))
        accepted = [value for value in written if match_value(value, described, right, language) is None]
        if written:
            arguments[name] = (accepted or written)[0]
    return Call(function["name"], arguments)


def _candidates(right: list[Json], described: Mapping[str, Json], language: Language) -> Iterator[Json]:
    """Give ways to write the right values, the likeliest first."""
    values = [value for value in right if value != ""] + [value for value in right if value == ""]
    for value in values:
        plain = _one_of_each(value)
        if language == "python":
            yield plain
        else:
            yield from (_java if language == "java" else _javascript)(plain, described)


def _one_of_each(value: Json) -> Json:
    """Choose from ``{key: [right values]}``, also in lists of such objects; keys that may be left out are."""
    if isinstance(value, dict):
        chosen = {}
        for key, right in value.items():
            if not isinstance(right, list):
                chosen[key] = right
            elif "" not in right and right:
                chosen[key] = right[0]
        return chosen
    return (
        [_one_of_each(item) if isinstance(item, dict) else item for item in value] if isinstance(value, list) else value
    )


def _scalar(value: Json, named: str | None, suffixes: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value}{suffixes.get(str(named), '')}"


def _java(value: Json, described: Mapping[str, Json]) -> Iterator[str]:
    named = described["type"]
    inner = (described.get("items") or {}).get("type")
    if isinstance(value, list):
        parts = ", ".join(
            item if inner == "any" and isinstance(item, str) else _scalar(item, inner, _JAVA_SUFFIXES) for item in value
        )
        bare = ", ".join(item if isinstance(item, str) else _scalar(item, inner, _JAVA_SUFFIXES) for item in value)
        yield f"new ArrayList<>(Arrays.asList({parts}))" if named == "ArrayList" else f"new Object[]{{{parts}}}"
        yield f"new ArrayList<>(Arrays.asList({bare}))" if named == "ArrayList" else f"new Object[]{{{bare}}}"
        yield "new ArrayList<>()"
    elif isinstance(value, dict):
        puts = " ".join(f'put("{key}", {_scalar(item, None, {})});' for key, item in value.items())
        yield f"new HashMap<>() {{{{ {puts} }}}}"
    else:
        yield value if isinstance(value, str) else _scalar(value, named, _JAVA_SUFFIXES)


def _javascript(value: Json, described: Mapping[str, Json]) -> Iterator[str]:
    inner = (described.get("items") or {}).get("type")
    if isinstance(value, list):
        yield "[" + ", ".join(_javascript_item(item, inner) for item in value) + "]"
        yield (
            "["
            + ", ".join(item if isinstance(item, str) else _scalar(item, inner, _JAVASCRIPT_SUFFIXES) for item in value)
            + "]"
        )
    elif isinstance(value, dict):
        yield "{" + ", ".join(f"{key}: {_javascript_item(item, None)}" for key, item in value.items()) + "}"
    else:
        yield value if isinstance(value, str) else _scalar(value, described["type"], _JAVASCRIPT_SUFFIXES)


def _javascript_item(value: Any, named: str | None) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_javascript_item(item, None) for item in value) + "]"
    return json.dumps(value) if isinstance(value, dict) else _scalar(value, named, _JAVASCRIPT_SUFFIXES)
