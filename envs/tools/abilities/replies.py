"""Replies with numbered answers, as JSON or as lines of text: read generously, written for the oracle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring as _quoted
from typing import Any, Literal, TypeAlias

from acgym.scorers.literals import MISSING, between, literal, plain, read_value
from acgym.types import Call, Json

Form: TypeAlias = Literal["json", "string"]
FORMS: tuple[Form, ...] = ("json", "string")
"""How a reply is written."""
_LINE = re.compile(
    r"^[ \t>*_`#-]{0,8}(?:(?:answer|request|case|item|situation|no\.?|#)[ \t]{0,3})?"
    r"(\d{1,3})(?:[ \t*_`]{0,4}[.:)=\]]|[ \t]{1,3}[-\u2013\u2014\u2192]+>?(?=[ \t]))[ \t*_`]{0,4}(\S.*)$",
    re.I | re.M,
)
_NUMBER = re.compile(r"\W*(?:(?:answer|request|case|item|situation|number|no)[\W_]*)?(\d{1,3})\W*\Z", re.I)
_SAME_LINE = re.compile(r"[,;][ \t]+(?=\d{1,3}[:)])")
_MARKS = re.compile(r"[{}\[\]]")
_PLACE_KEYS = ("number", "request", "situation", "item", "no", "id", "index")
_JSON_WORD = re.compile(r"\b(?:true|false|null)\b")
_REMARK = re.compile(r"\)\s*(?:[-\u2013\u2014#;,.:].*)?\Z", re.S)
MAX_VALUES = 64
"""Of more values in one reply, the last so many are read."""
_NAME = re.compile(r"\w+")
_FIRST = re.compile(r"\W*(?:\d{1,3}[.):]\s*)?(?:functions\.)?([A-Za-z_][\w-]*)")
_HEAD = re.compile(r"\s*([A-Za-z_][\w.]*)\s*\(")
_ARGUMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*=")
_CUTS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\'[^\'\\]*+(?:\\.[^\'\\]*+)*+\'?|([\[({\])}])|(,)', re.DOTALL)
_WORDS: Mapping[str, Json] = {"true": True, "false": False, "null": None}
_EDGES = " \t\r\n*_`\"'"


def read_items(text: str, form: Form, count: int) -> list[Json] | None:
    """Read ``count`` numbered answers; None stands for one that is missing.

    JSON is an object with the numbers as keys, one such object after another, or a list of as many answers, anything
    around it being ignored. Text is lines such as ``1: answer``. Of two answers with one number the last counts. A
    single answer in text may stand alone.

    Returns:
        The answers in order, or None if there is none that can be read.
    """
    return _json_items(text, count) if form == "json" else _lines(text, count)


def _json_items(text: str, count: int) -> list[Json] | None:
    found: dict[int, Json] = {}
    for value in json_values(text, "{", "}"):
        for row in value if isinstance(value, list) else [value]:
            found.update(_by_number(row))
    items = [found.get(i) for i in range(1, count + 1)]
    if any(item is not None for item in items):
        return items
    lists = [value for value in json_values(text, "[", "]") if isinstance(value, list) and len(value) == count]
    return lists[-1] if lists else None


def _by_number(row: Json) -> dict[int, Json]:
    """Return the numbered answers of an object: by its keys, below a single key, or one that says its own number."""
    if not isinstance(row, dict):
        return {}
    found: dict[int, Json] = {}
    for key, item in row.items():
        number = _NUMBER.match(key) if isinstance(key, str) else None
        if number is not None:
            found[int(number[1])] = "null" if item is None else item
    if found:
        return found
    if len(row) == 1:
        inner = next(iter(row.values()))
        rows = inner if isinstance(inner, list) else [inner]
        return {n: item for one in rows if isinstance(one, dict) and one is not row for n, item in _flat(one).items()}
    return _flat(row)


def _flat(row: Mapping[str, Json]) -> dict[int, Json]:
    """Return what an object says by numbers as keys, or for the one number that it names."""
    by_key = {_NUMBER.match(key): item for key, item in row.items() if isinstance(key, str)}
    found = {int(number[1]): item for number, item in by_key.items() if number is not None}
    place = next((key for key in _PLACE_KEYS if key in row and str(row[key]).isdecimal()), None)
    if found or place is None:
        return found
    rest = {key: item for key, item in row.items() if key != place}
    return {int(row[place]): next(iter(rest.values())) if len(rest) == 1 else rest}


def json_values(text: str, opening: str, closing: str) -> list[Json]:
    """Read the JSON values or Python literals in a text that begin and end with a pair of brackets, in their order.

    If all from the first bracket to the last is one value, that is it; else each stretch in which brackets are even and
    that no other one holds. Time is linear.
    """
    whole = _value(between(text, opening, closing))
    if whole is not MISSING:
        return [whole]
    stretches: list[str] = []
    start = depth = 0
    for found in _MARKS.finditer(text):
        if found[0] == opening:
            start = found.start() if depth == 0 else start
            depth += 1
        elif found[0] == closing and depth:
            depth -= 1
            if depth == 0:
                stretches.append(text[start : found.end()])
    read = (_value(stretch) for stretch in stretches[-MAX_VALUES:])
    return [value for value in read if value is not MISSING]


def _value(text: str) -> Any:
    """Read a JSON value, a Python literal, or one in which the words of the two are mixed."""
    value = read_value(text)
    if value is MISSING and _JSON_WORD.search(text):
        value = plain(literal(_JSON_WORD.sub(lambda found: str(_WORDS[found[0]]), text)))
    return value


def only(said: Json, *keys: str) -> Json:
    """Return what an object holds under one of some keys, or a list of one entry; anything else as it is."""
    if isinstance(said, Mapping):
        said = next((said[key] for key in keys if key in said), None)
    return said[0] if isinstance(said, list) and len(said) == 1 else said


def _lines(text: str, count: int) -> list[Json] | None:
    found = {int(number): said.strip(_EDGES) for number, said in _LINE.findall(text)}
    if len(found) < count and _SAME_LINE.search(text):
        found = {int(number): said.strip(_EDGES) for number, said in _LINE.findall(_SAME_LINE.sub("\n", text))}
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
        lists = [value for value in json_values(text, "[", "]") if isinstance(value, list)]
        rows = lists[-1] if lists else [item for value in json_values(text, "{", "}") for item in _numbered(value)]
        said = [only(row, "name", "tool", "function", "action") for row in rows]
        if not said or not all(isinstance(name, str) and name for name in said):
            return []
        return [known.get(first_name(name).casefold(), name) for name in said if isinstance(name, str)]
    found = []
    text = _SAME_LINE.sub("\n", text)
    for line in text.split("\n"):
        word = next((word for word in _NAME.findall(line) if word.casefold() in known), None)
        if word is not None:
            found.append(known[word.casefold()])
    return found


def _numbered(value: Json) -> list[Json]:
    """Return what an object holds under numbers, in their order."""
    found = _by_number(value)
    return [found[number] for number in sorted(found)]


def first_name(text: str) -> str:
    """Return the first name in a text, ``f`` of ``functions.f(x=1)`` or of ``f - because``; the text if it has none."""
    found = _FIRST.match(text)
    return text if found is None else found[1]


_encode = json.JSONEncoder(ensure_ascii=False).encode


def as_json(value: Json) -> str:
    """Write a value as JSON, letters of all alphabets as they are; texts and whole numbers go the short way."""
    kind = type(value)
    return _quoted(value) if kind is str else str(value) if kind is int else _encode(value)


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
    end = text.rfind(")")
    if _REMARK.match(text, end) is None:
        return None
    for part in _parts(text[head.end() : end]):
        named = _ARGUMENT.match(part)
        if named is None:
            if part.strip():
                return None
            continue
        said = part[named.end() :].strip()
        value = read_value(said)
        arguments[named[1]] = _WORDS.get(said, said) if value is MISSING else value
    return Call(head[1], arguments)


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
