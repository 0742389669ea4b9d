"""A JSON value or a Python literal inside a model's text, read without running anything."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping

from acgym.text import NotJson, read_json
from acgym.types import Json

MAX_CHARS = 200_000
"""Longer texts hold no value."""


class _Missing:
    """The type of ``MISSING``."""


MISSING = _Missing()
"""What stands for a text that holds no value."""


def between(text: str, opening: str, closing: str) -> str:
    """Cut ``text`` from the first ``opening`` to the last ``closing``; empty where there is no such stretch."""
    start, end = text.find(opening), text.rfind(closing)
    return text[start : end + 1] if 0 <= start < end else ""


def read_value(text: str) -> Json | _Missing:
    """Read a text that is a JSON value, or else a Python literal of the same kinds; ``MISSING`` for anything else."""
    if not text or len(text) > MAX_CHARS:
        return MISSING
    try:
        return read_json(text)
    except (NotJson, RecursionError):
        return plain(literal(text))


def literal(text: str) -> object:
    """Read a Python literal (``ast.literal_eval``: numbers, texts, containers; no calls, no names); or ``MISSING``."""
    if len(text) > MAX_CHARS:
        return MISSING
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in a text is no matter for the user
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return MISSING


def plain(value: object) -> Json | _Missing:
    """Return a value that is made of JSON's kinds, tuples as lists; ``MISSING`` for others, such as sets and bytes."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        items = [plain(item) for item in value]
        return MISSING if any(item is MISSING for item in items) else items
    if isinstance(value, Mapping):
        found = {str(key): plain(item) for key, item in value.items()}
        return MISSING if any(item is MISSING for item in found.values()) else found
    return MISSING


def same(one: Json, other: Json) -> bool:
    """Compare two JSON values: numbers by value, true and false unlike 1 and 0, texts as they are."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
