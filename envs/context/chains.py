"""What is hidden in a haystack: names asked for and others, their codes, and the links between names."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.names import codes, distinct_names, names, similar_names
from acgym.types import Split


class Shape(NamedTuple):
    """What a level asks."""

    length: int  # longest first observation, in words
    asked: int  # names asked for
    others: int  # names (or chains of names) that are told and not asked for
    links: int  # statements "has the same code as" between a name asked for and the code


FIRST = Shape(100, 1, 2, 0)
"""Level 1: what the reference agent was trained on."""


def draw_chains(draw: Draw, split: Split, shape: Shape) -> list[list[str]]:
    """Draw the chains of names, those asked for first: each name has the code of the next, the last has its own."""
    total = shape.asked + shape.others
    if shape == FIRST:
        return [[name] for name in distinct_names(draw, split, total)]
    first = distinct_names(draw, split, shape.asked)
    used = dict.fromkeys(first)
    near = [similar_names(draw, split, name, 8) for name in first]
    for i in range(shape.others):
        used[next(name for name in near[i % shape.asked] if name not in used)] = None
    firsts = list(used)
    pool = names(split)
    while len(used) < total * (shape.links + 1):
        used[draw.pick(pool)] = None
    rest = list(used)[total:]
    return [[name, *rest[i * shape.links : (i + 1) * shape.links]] for i, name in enumerate(firsts)]


def draw_codes(draw: Draw, split: Split, count: int, *, plain: bool) -> list[str]:
    """Draw distinct codes; plain ones repeat no digit and differ in the first, so that one digit tells what follows."""
    if not plain:
        return draw.sample(codes(split), count)
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


def statements_of(chain: list[str], code: str) -> list[str]:
    """Say a chain: its links, then the code of its last name."""
    links = [f'"{a}" has the same code as "{b}".' for a, b in pairwise(chain)]
    return [*links, f'The code of "{chain[-1]}" is "{code}".']
