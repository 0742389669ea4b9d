"""The codes of level 1 of the needle: three of four digits, of which no two begin alike."""

from __future__ import annotations

from functools import cache

from acgym.draw import Draw
from acgym.envs.names import codes
from acgym.types import Split

LENGTH = 100
"""Longest first observation of level 1, in words."""
NAMES = 3
"""Names that are told of, the one asked for included."""


def draw_codes(draw: Draw, split: Split, count: int) -> list[str]:
    """Draw codes that repeat no digit and differ in the first, so that one digit tells what follows."""
    chosen: list[str] = []
    pool = _plain_codes(split)
    while len(chosen) < count:
        code = draw.pick(pool)
        if all(code[0] != other[0] for other in chosen):
            chosen.append(code)
    return chosen


@cache
def _plain_codes(split: Split) -> tuple[str, ...]:
    return tuple(code for code in codes(split) if len(set(code)) == len(code))


def statement_of(name: str, code: str) -> str:
    """Say the code of a name."""
    return f'The code of "{name}" is "{code}".'
