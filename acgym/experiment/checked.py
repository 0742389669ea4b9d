"""The types of what ``acgym.compare`` is given: one sentence for each wrong one, before any work."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from os import PathLike
from typing import Any

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(
        ("episodes", "seed", "level", "workers", "shots", "malformed_limit"), ((Integral,), "a whole number")
    ),
    **dict.fromkeys(("until", "margin", "episode_seconds"), ((Real,), "a number")),
    **dict.fromkeys(("out", "add", "calibration"), ((str, PathLike), "a path")),
    **dict.fromkeys(("suite", "ray", "tool_format"), ((str,), "a str")),
    **dict.fromkeys(("kwargs", "decoding"), ((Mapping,), "a mapping such as {'level': 2}")),
}
"""Option -> the types that it may have beside None, and what they are called."""


def check_types(given: Mapping[str, Any]) -> None:
    """Refuse options of a wrong type, and fewer than one worker.

    Args:
        given: options by their names; names that are not in the table are not looked at.

    Raises:
        TypeError, ValueError: naming the option, what was expected, and what came.
    """
    for name, value in given.items():
        types, called = _TYPES.get(name, ((), ""))
        if types and value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            raise TypeError(f"{name} must be {called}, got {type(value).__name__}: {str(value)[:60]!r}")
    workers = given.get("workers")
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be 1 or more, or None for one a core, got {workers}")
