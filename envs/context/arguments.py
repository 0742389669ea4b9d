"""Arguments that long texts share, checked before anything is drawn."""

from __future__ import annotations

MAX_LENGTH = 1_000_000
"""Longest text that can be asked for, in words or tokens."""


def checked_length(length: int) -> int:
    """Return a length that can be asked for.

    Raises:
        ValueError: for anything but an integer from 1 to MAX_LENGTH.
    """
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= MAX_LENGTH:
        raise ValueError(
            f"length must be an integer from 1 to {MAX_LENGTH} (words, or what count counts), got {length!r}"
        )
    return length


def checked_depth(depth: float) -> float:
    """Return a depth in percent.

    Raises:
        ValueError: for anything but a number from 0 to 100.
    """
    if isinstance(depth, bool) or not isinstance(depth, int | float) or not 0 <= depth <= 100:
        raise ValueError(f"depth must be a number from 0 (start) to 100 (end) percent, got {depth!r}")
    return float(depth)


def checked_count(name: str, value: int | None, default: int, low: int, high: int) -> int:
    """Return ``value``, or the default for None.

    Raises:
        ValueError: for anything but an integer from ``low`` to ``high``.
    """
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer from {low} to {high} here, got {value!r}")
    return value


def too_short(length: int, smallest: int, unit: str) -> str:
    """Say that a length cannot hold what must be in the text."""
    return (
        f"length is {length} {unit}, but the rules, the question and the statements alone are {smallest}; "
        "raise length or lower level"
    )
