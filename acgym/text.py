"""Safe handling of text that a model wrote: quoting, printing, reading JSON."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_ACTION_CHARS = 20_000
"""Longer actions are answered as malformed without being read, unless an environment states another bound."""
MAX_JSON_DEPTH = 100
"""Deeper JSON is refused without being parsed."""
_SPACES = re.compile(r"\s*+")
_BRACKET_OUTSIDE_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{])|([\]}])', re.DOTALL)


def excerpt(text: str, limit: int = 60) -> str:
    """Quote model text for an error sentence: at most ``limit`` characters, printable ASCII only, on one line."""
    shown = text[:limit].encode("ascii", "backslashreplace").decode("ascii")
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)
    return f'"{shown}"' + ("..." if len(text) > limit else "")


def printable(text: str) -> str:
    """Make control characters visible, so that foreign text cannot steer a terminal; line ends stay."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


class NotJson(ValueError):
    """The text is not JSON; the message says why in words meant for a model.

    Args:
        reason: why.
        line: the line at which it is none, from 1; None where that is not known.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def read_json(text: str, unique: bool = False) -> Any:
    """Parse JSON that a model wrote: never runs anything, never nears the stack's end.

    NaN, Infinity and numbers beyond a float are refused.
    Lists and objects may lie in one another up to ``MAX_JSON_DEPTH`` deep. Depth is told before parsing, so that what
    is refused does not depend on how deep the caller stands, and no finaliser of other objects runs on the last bit of
    the stack.

    Args:
        text: what may be JSON.
        unique: refuse an object that has a key twice, of which the last would count.

    Raises:
        NotJson: with a short reason, whatever the text is.
    """
    if _too_deep(text):
        raise NotJson("it is nested too deeply")
    try:
        return (_UNIQUE if unique else _DECODER).decode(text)
    except ValueError as error:
        reason = error.msg.removesuffix(" starting at") if isinstance(error, json.JSONDecodeError) else str(error)
        raise NotJson(reason[:80], getattr(error, "lineno", None)) from None


def json_at(text: str, start: int) -> tuple[Any, int] | None:
    """Parse the JSON value that begins at a position, spaces before it skipped; what follows it does not matter.

    Returns:
        The value, refused where :func:`read_json` refuses it, and the position behind it. None if there is none.
    """
    spaces = _SPACES.match(text, start)
    try:
        value, end = _DECODER.raw_decode(text, spaces.end() if spaces else start)
    except (ValueError, RecursionError):
        return None
    return None if _too_deep(text[start:end]) else (value, end)


def _too_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > MAX_JSON_DEPTH and _depth(text) > MAX_JSON_DEPTH


def _depth(text: str) -> int:
    """Return how deep lists and objects lie in one another, in text that may be no JSON."""
    depth = deepest = 0
    for found in _BRACKET_OUTSIDE_STRINGS.finditer(text):
        if found[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif found[2]:
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number[:20]} is beyond the largest number")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"an object has the key {excerpt(twice, 40)} twice")
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_UNIQUE = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object)
