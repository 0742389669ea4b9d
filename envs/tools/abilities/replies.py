"""Replies with numbered answers, as JSON or as lines of text: read generously, written for the oracle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from acgym.scorers.literals import MISSING, between, read_value
from acgym.types import Call, Json

Form: TypeAlias = Literal["json", "string"]
FORMS: tuple[Form, ...] = ("json", "string")
"""How a reply is written."""
_LINE = re.compile(
    r"^[ \t>*_`#-]{0,8}(?:(?:answer|request|case|item|situation|no\.?|#)[ \t]{0,3})?"
    r"(\d{1,3})[ \t*_`]{0,4}[.:)=\]][ \t*_`]{0,4}(\S.*)$",
    re.I | re.M,
)
_NAME = re.compile(r"\w+")
_HEAD = re.compile(r"\s*([A-Za-z_][\w.]*)\s*\(")
_ARGUMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*=")
_CUTS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\'[^\'\\]*+(?:\\.[^\'\\]*+)*+\'?|([\[({\])}])|(,)', re.DOTALL)
_WORDS: Mapping[str, Json] = {"true": True, "false": False, "null": None}
_EDGES = " \t\r\n*_`\"'"


def read_items(text: str, form: Form, count: int) -> list[Json] | None:
    """Read ``count`` numbered answers; None stands for one that is missing.

    JSON is an object with the numbers as keys, or a list of as many answers, anything around it being ignored. Text is
    lines such as ``1: answer``; of two with one number the last counts. A single answer may stand alone.

    Returns:
        The answers in order, or None if there is none that can be read.
    """
    return _json_items(text, count) if form == "json" else _lines(text, count)


def _json_items(text: str, count: int) -> list[Json] | None:
    value = read_value(between(text, "{", "}"))
    if isinstance(value, dict):
        found = {key.strip().lstrip("#"): item for key, item in value.items() if isinstance(key, str)}
        items = [found.get(str(i)) for i in range(1, count + 1)]
        return items if any(item is not None for item in items) else None
    value = read_value(between(text, "[", "]"))
    return value if isinstance(value, list) and len(value) == count else None


def _lines(text: str, count: int) -> list[Json] | None:
    found = {int(number): said.strip(_EDGES) for number, said in _LINE.findall(text)}
    items: list[Json] = [found.get(i) for i in range(1, count + 1)]
    if any(item is not None for item in items):
        return items
    alone = text.strip(_EDGES)
    whole = read_value(alone)
    if count == 1 and alone and "\n" not in alone and not isinstance(whole, dict | list):
        return [alone.removeprefix("Answer:").strip(_EDGES)]
    return None


def read_names(text: str, form: Form, names: Sequence[str]) -> list[str]:
    """Read a list of tools in their order: JSON texts or objects with ``name``; or lines that hold a name each.

    Returns:
        The names, known ones as they are spelt in ``names``; empty if there are none that can be read.
    """
    known = {name.casefold(): name for name in names}
    if form == "json":
        value = read_value(between(text, "[", "]"))
        rows = value if isinstance(value, list) else []
        said = [row.get("name", row.get("tool")) if isinstance(row, dict) else row for row in rows]
        if not said or not all(isinstance(name, str) and name for name in said):
            return []
        return [known.get(name.strip().removesuffix("()").casefold(), name) for name in said if isinstance(name, str)]
    found = []
    for line in text.split("\n"):
        word = next((word for word in _NAME.findall(line) if word.casefold() in known), None)
        if word is not None:
            found.append(known[word.casefold()])
    return found


as_json = json.JSONEncoder(ensure_ascii=False).encode
"""Writes a value as JSON, letters of all alphabets as they are."""


def write_items(answers: Sequence[Json], form: Form) -> str:
    """Write numbered answers."""
    if form == "json":
        return as_json({str(i): answer for i, answer in enumerate(answers, 1)})
    return "\n".join(f"{i}: {answer}" for i, answer in enumerate(answers, 1))


def read_call(text: Json) -> Call | None:
    """Read one call as text, ``name(argument="value", other=3)``: values are JSON or Python literals, or bare words.

    Any word may name an argument, also one that Python keeps for itself, such as ``from``. Time is linear.

    Returns:
        The call, or None if the text is not one call with named arguments.
    """
    head = _HEAD.match(text) if isinstance(text, str) else None
    if head is None:
        return None
    arguments: dict[str, Json] = {}
    for part in _parts(text[head.end() : text.rstrip().rfind(")")]):
        named = _ARGUMENT.match(part)
        if named is None:
            if part.strip():
                return None
            continue
        said = part[named.end() :].strip()
        value = read_value(said)
        arguments[named[1]] = _WORDS.get(said, said) if value is MISSING else value
    return Call(head[1], arguments) if text.rstrip().endswith(")") else None


def _parts(text: str) -> Iterator[str]:
    """Cut at commas outside quotes and brackets."""
    start = depth = 0
    for found in _CUTS.finditer(text):
        if found[1]:
            depth += 1 if found[1] in "([{" else -1
        elif found[2] and depth <= 0:
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]


def write_call(name: str, arguments: Mapping[str, Json]) -> str:
    """Write one call as text; values are JSON."""
    said = ", ".join([f"{key}={as_json(value)}" for key, value in arguments.items()])
    return f"{name}({said})"


def as_mapping(value: Json) -> Mapping[str, Json] | None:
    """Take an object, or JSON text of one, for what it holds; None if it is neither."""
    if isinstance(value, str):
        value = read_value(value)
    return value if value is not MISSING and isinstance(value, dict) else None
