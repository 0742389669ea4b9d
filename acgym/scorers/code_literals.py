"""Values that a call in Java or JavaScript carries as text of source code, read as plain values; never run.

What is not a literal of the named type stays text, so that a comparison of types can fail or a variable's name be
compared. All readers look at each character a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from acgym.types import Json

_INTEGER = re.compile(r"-?\d+")
_EXPONENT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_ARRAY = re.compile(r"new\s+\w+\[\]\s*\{")
_AS_LIST = re.compile(r"new\s+ArrayList<\w*>\(Arrays\.asList\(")
_ADDED = re.compile(r"new\s+ArrayList<\w*>\(\)\s*\{\{")
_EMPTY_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)")
_MAP = re.compile(r"new\s+HashMap<[^>]*>+\s*\(\)")
_KEY = re.compile(r'put\("([^"\n]*)",\s*')
_MAX_DIGITS = 4_000


def read_java(text: str, named: str, items: str | None = None) -> Json:
    """Return the value of a Java literal of type ``named``; a list's elements are of type ``items``.

    ``5`` is an integer, ``5L`` a long, ``5.0f`` a float, ``5.0`` a double, ``true`` a boolean; ``new T[]{...}``,
    ``new ArrayList<>(Arrays.asList(...))`` (or with ``{{ add(...); }}``) are lists, and ``new HashMap<>()
    {{ put("key", value); }}`` is an object. Text of any other form is returned as it is.
    """
    if named in ("byte", "short", "integer"):
        return _number(text, _INTEGER, int)
    if named == "long":
        return _number(text[:-1], _INTEGER, int, text) if text[-1:] in ("l", "L") else text
    if named == "float":
        return _number(text[:-1], _EXPONENT, float, text) if text[-1:] in ("f", "F") else text
    if named == "double":
        return _number(text, _EXPONENT, float)
    if named == "boolean":
        return text == "true" if text in ("true", "false") else text
    if named == "Array":
        return _java_array(text, items)
    if named == "ArrayList":
        return _java_list(text, items)
    if named == "HashMap":
        return _java_map(text)
    return text


def read_javascript(text: str, named: str, items: str | None = None) -> Json:
    """Return the value of a JavaScript literal of type ``named``; an array's elements are of type ``items``.

    A text may be quoted; ``5n`` is a Bigint; ``[...]`` and ``new Array(...)`` are lists, also of lists; ``{a: 1}`` is
    an object. Text of any other form is returned as it is.
    """
    if named == "String":
        return _unquoted(text)
    if named == "integer":
        return _number(text, _INTEGER, int)
    if named == "float":
        return _number(text, _DECIMAL, float)
    if named == "Bigint":
        return _number(text[:-1], _INTEGER, int, text) if text[-1:] == "n" else text
    if named == "Boolean":
        return text == "true" if text in ("true", "false") else text
    if named == "dict":
        return _js_object(text.strip())
    if named == "array":
        return _js_array(text.strip(), items)
    return text


def _number(digits: str, form: re.Pattern[str], kind: Callable[[str], Json], whole: str | None = None) -> Json:
    fits = form.fullmatch(digits) and len(digits) <= _MAX_DIGITS
    return kind(digits) if fits else digits if whole is None else whole


def _unquoted(text: str) -> str:
    """Take off the quotes of a text; a lone quote is opening and closing at once."""
    quoted = text[:1] in ('"', "'") and text[:1] == text[-1:]
    return text[1:-1] if quoted else text


def _between(text: str, head: re.Pattern[str], close: str, least: int = 0) -> str | None:
    """Return what lies between the first ``head`` and the next ``close``, ``least`` characters or more of it."""
    opened = head.search(text)
    end = text.find(close, opened.end() + least) if opened else -1
    return text[opened.end() : end] if opened and end >= 0 else None


def _java_array(text: str, items: str | None) -> Json:
    inside = _between(text, _ARRAY, "}")
    if inside is None or "\n" in inside:
        return text
    parts = [part.strip() for part in inside.split(",")]
    return [_java_element(part, items) for part in parts if part]


def _java_list(text: str, items: str | None) -> Json:
    inside = _between(text, _AS_LIST, "))", least=1)
    if inside is not None and "\n" not in inside:
        return [_java_item(part.strip(), items) for part in inside.split(",")]
    inside = _between(text, _ADDED, "}}", least=1)
    if inside is not None and inside.strip():
        found = [piece.partition(")")[0] for piece in inside.split("add(")[1:] if ")" in piece]
        return [_java_item(part.strip(), items) for part in found]
    return [] if _EMPTY_LIST.search(text) else text


def _java_item(text: str, items: str | None) -> Json:
    """Read an element of an ArrayList: characters and texts are in quotes there."""
    return text[1:-1] if items in ("char", "String") else _java_element(text, items)


def _java_element(text: str, items: str | None) -> Json:
    return read_java(text, items) if items else _java_any(text)


def _java_any(text: str) -> Json:
    """Read a value whose type is not told."""
    if text in ("true", "false"):
        return text == "true"
    if text[:1] == text[-1:] == '"':
        return text[1:-1]
    if text[-1:] in ("l", "L") and _INTEGER.fullmatch(text[:-1]):
        return _number(text[:-1], _INTEGER, int)
    if text[-1:] in ("f", "F") and _EXPONENT.fullmatch(text[:-1]):
        return _number(text[:-1], _EXPONENT, float)
    return _python_number(text)


def _python_number(text: str) -> Json:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _java_map(text: str) -> Json:
    opened = _MAP.search(text)
    if opened is None:
        return text
    body = text[opened.end() :].lstrip()
    end = body.find("}")
    if body[:1] != "{" or end < 0:
        return {}
    found, at = {}, 0
    inside = body[1:end]
    while (key := _KEY.search(inside, at)) is not None:
        close = inside.find(")", key.end())
        if close < 0:
            break
        if "\n" not in inside[key.end() : close]:
            found[key[1]] = _java_any(inside[key.end() : close].strip())
        at = close + 1
    return found


def _js_array(code: str, items: str | None) -> Json:
    table = _js_table(code)
    if table is not None:
        return table
    if code.startswith("["):
        inside = code[1:].partition("]")
    elif head := re.match(r"new\s+Array\(", code):
        inside = code[head.end() :].partition(")")
    else:
        return code
    if not inside[1] or "\n" in inside[0]:
        return code
    parts = [part.strip() for part in inside[0].strip().split(",")] if inside[0].strip() else []
    try:
        return [read_javascript(part, items) if items else _js_any(part) for part in parts]
    except RecursionError:  # an array of arrays of arrays, in text that is none
        return code


def _js_table(code: str) -> list[list[Json]] | None:
    """Read an array of arrays; None if it is none."""
    head = re.match(r"\[\s*(?=\[)|new\s+Array\(\s*(?=\[)", code)
    if head is None:
        return None
    close, at, rows = ("]" if code[0] == "[" else ")"), head.end(), []
    while at < len(code) and code[at] == "[":
        end = code.find("]", at)
        if end < 0 or "\n" in code[at:end]:
            return None
        inner = code[at + 1 : end].strip()
        rows.append([_js_any(part) for part in inner.removeprefix("[").split(",")])
        at = _past_spaces(code, end + 1)
        if at < len(code) and code[at] == close:
            return rows
        if at < len(code) and code[at] == ",":
            at = _past_spaces(code, at + 1)
    return None


def _past_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _js_any(text: str) -> Json:
    """Read a value whose type is not told."""
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    unquoted = _unquoted(text)
    return unquoted if unquoted != text else _python_number(text)


def _js_object(code: str) -> Json:
    if code == "{}":
        return {}
    inside, closed, _ = code[1:].partition("}")
    if code[:1] != "{" or not closed or "\n" in inside:
        return code
    found: dict[str, Json] = {}
    for key, value in _js_pairs(inside):
        if value.startswith("[") and value.endswith("]"):
            found[key] = _js_array(value, None)
        elif value.startswith("{") and value.endswith("}"):
            found[key] = _js_object(value)
        else:
            found[key] = _js_any(value.strip("'\""))
    return found


def _js_pairs(inside: str) -> list[tuple[str, str]]:
    """Split ``a: 1, b: [2, 3]`` at the commas that a further key and colon follow."""
    pairs = []
    pieces = inside.split(":")
    for number, piece in enumerate(pieces[1:], 1):
        key = pieces[number - 1] if number == 1 else pieces[number - 1].rpartition(",")[2]
        value = piece if number == len(pieces) - 1 else piece.rpartition(",")[0] if "," in piece else piece
        pairs.append((key.strip().strip("'\""), value.strip()))
    return pairs
