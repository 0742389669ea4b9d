"""Draws a grid of rooms and a mission in it, and words the mission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.names import in_split
from acgym.envs.voices import voices
from acgym.envs.world.gridnav.grid import SIZE
from acgym.envs.world.gridnav.words import COLOURS, KINDS
from acgym.types import Json, Split


class Shape(NamedTuple):
    """What a level draws."""

    rows: int
    columns: int
    things: int
    parts: int
    locked: int
    verbs: tuple[str, ...]


SHAPES = {
    1: Shape(1, 1, 4, 1, 0, ("go", "pick")),
    2: Shape(1, 2, 6, 1, 0, ("go", "pick", "open", "put")),
    3: Shape(2, 2, 9, 2, 1, ("go", "pick", "put", "put")),
    4: Shape(2, 3, 13, 3, 1, ("go", "pick", "open", "put", "put")),
    5: Shape(2, 4, 18, 4, 2, ("go", "pick", "open", "put", "put")),
}
_WORDS: Mapping[Split, Mapping[str, Sequence[str]]] = {
    "eval": {
        "go": ("go to {}", "walk up to {}", "stand in front of {}"),
        "pick": ("pick up {}", "take {}", "lift {} off the floor"),
        "open": ("open {}", "see that {} stands open"),
        "put": ("put {} next to {}", "bring {} to {} and leave it right beside it", "set {} down beside {}"),
    },
    "train": {
        "go": ("head for {}", "make your way to {}", "find {} and face it"),
        "pick": ("grab {}", "get hold of {}", "collect {}"),
        "open": ("get {} open", "make sure that {} is open"),
        "put": ("place {} beside {}", "carry {} to {} and drop it by its side", "lay {} down next to {}"),
    },
}
_JOINS: Mapping[Split, Sequence[tuple[str, str, str, bool]]] = {
    "eval": (
        ("", ", then ", "", False),
        ("first ", ", and when that is done ", "", False),
        ("", " after you ", "", True),
        ("before you ", ", ", "", True),
        ("", ", but not until you ", "", True),
    ),
    "train": (
        ("", " and afterwards ", "", False),
        ("start with this: ", "; next, ", "", False),
        ("", " once you ", "", True),
        ("prior to the moment you ", ", ", "", True),
        ("", ", yet only after you ", "", True),
    ),
}
"""Words before, between and behind two parts, and whether the part said last is done first."""
_LAST: Mapping[Split, Sequence[tuple[str, str, str, bool]]] = {
    "eval": (
        ("", ", and last of all ", "", False),
        ("in the end ", ", but before that, in this order: ", "", True),
        ("", ", though only when you have done this, in turn: ", "", True),
    ),
    "train": (
        ("", ", and finally ", "", False),
        ("to finish, ", "; what comes before it, one by one: ", "", True),
        ("", " as the last step, behind these: ", "", True),
    ),
}
"""The same for the last of several parts."""


def draw_mission(draw: Draw, split: Split, level: int) -> tuple[str, dict[str, Json], list[list[str]]]:
    """Return the mission in words, the grid as data, and the parts in the order in which they are to be done.

    A part is ``["go", name]``, ``["pick", name]``, ``["open", door]`` or ``["put", name, name]``. No thing is in two.
    """
    shape = SHAPES[level]
    while True:
        data = _grid(draw, shape, level)
        parts = _parts(draw, shape, data)
        if parts and in_split("mission " + " ".join(word for part in parts for word in part), split):
            return _say(draw, split, parts), data, parts


def _grid(draw: Draw, shape: Shape, level: int) -> dict[str, Json]:
    rooms = [(row, column) for row in range(shape.rows) for column in range(shape.columns)]
    start = draw.pick(rooms)
    doors, order = _doors(draw, shape, start)
    locked = draw.sample(range(len(doors)), min(shape.locked, len(doors)))
    names = draw.sample([f"{colour} {kind}" for colour in COLOURS for kind in KINDS], shape.things)
    things: dict[str, list[int]] = {}
    boxes: dict[str, str] = {}
    keyless = [name for name in names if not name.endswith("key")]
    for i in locked:
        key = f"{doors[i][0].split()[0]} key"
        reached = order[: i + 1]  # rooms that are reached without this door
        box = next((name for name in keyless if name.endswith("box") and name not in things), None)
        if level == 5 and box is not None and draw.chance(0.5):
            _place(draw, things, box, reached)
            boxes[box] = key
        else:
            _place(draw, things, key, reached)
    keys = {f"{doors[i][0].split()[0]} key" for i in locked}
    for name in names:
        if name not in things and name not in keys:
            _place(draw, things, name, rooms)
    x, y = draw.between(0, SIZE - 1), 0
    return {
        "rows": shape.rows,
        "columns": shape.columns,
        "things": things,
        "boxes": boxes,
        "doors": {
            name: [x, y, "locked" if i in locked else ("closed" if draw.chance(0.7) else "open")]
            for i, (name, x, y) in enumerate(doors)
        },
        "start": [start[1] * (SIZE + 1) + 1 + x, start[0] * (SIZE + 1) + 1 + y, draw.below(4)],
    }


def _doors(
    draw: Draw, shape: Shape, start: tuple[int, int]
) -> tuple[list[tuple[str, int, int]], list[tuple[int, int]]]:
    """Join the rooms to a tree; return the doors, and the rooms in the order in which they are joined.

    Door i joins room i + 1 of that order to one before it.
    """
    colours = draw.shuffled(COLOURS)
    order = [start]
    doors: list[tuple[str, int, int]] = []
    while len(order) < shape.rows * shape.columns:
        row, column = draw.pick(order)
        down, right = draw.pick(((0, 1), (0, -1), (1, 0), (-1, 0)))
        other = (row + down, column + right)
        inside = 0 <= other[0] < shape.rows and 0 <= other[1] < shape.columns
        if other in order or not inside:
            continue
        at = draw.between(1, SIZE)
        if right:
            x, y = max(column, other[1]) * (SIZE + 1), row * (SIZE + 1) + at
        else:
            x, y = column * (SIZE + 1) + at, max(row, other[0]) * (SIZE + 1)
        doors.append((f"{colours[len(doors)]} door", x, y))
        order.append(other)
    return doors, order


def _place(draw: Draw, things: dict[str, list[int]], name: str, rooms: Sequence[tuple[int, int]]) -> None:
    """Put a thing where no wall and no other thing is near, so that no way is blocked."""
    while True:
        row, column = draw.pick(rooms)
        x = column * (SIZE + 1) + draw.between(2, SIZE - 1)
        y = row * (SIZE + 1) + draw.between(2, SIZE - 1)
        if all(max(abs(x - a), abs(y - b)) > 1 for a, b in things.values()):
            things[name] = [x, y]
            return


def _parts(draw: Draw, shape: Shape, data: Mapping[str, Json]) -> list[list[str]]:
    """Draw the parts of a mission; keys of locked doors and boxes with something in them are left alone."""
    doors = data["doors"]
    keys = {f"{name.split()[0]} key" for name in doors}
    things = draw.shuffled([name for name in data["things"] if name not in data["boxes"] and name not in keys])
    closed = draw.shuffled([name for name, (_, _, state) in doors.items() if state != "open"])
    parts: list[list[str]] = []
    for _ in range(shape.parts):
        verb = draw.pick(shape.verbs)
        if verb == "open" and not closed:
            verb = "pick"
        if len(things) < 2:
            return []
        if verb == "open":
            parts.append([verb, closed.pop()])
        else:
            parts.append([verb, *(things.pop() for _ in range(2 if verb == "put" else 1))])
    return parts


def _say(draw: Draw, split: Split, parts: Sequence[Sequence[str]]) -> str:
    """Word a mission: names at odd places, which no voice changes."""
    voice = draw.pick([voice for voice in voices(split) if not voice.changes_mind])
    said = [_part(draw, split, part) for part in parts]
    pieces = said[0]
    for part in said[1:]:
        last = part is said[-1]
        joins = _JOINS[split] if len(said) == 2 else _LAST[split] if last else (_JOINS[split][0],)
        before, between, behind, reverse = draw.pick(joins)
        one, two = (part, pieces) if reverse else (pieces, part)
        pieces = [before + one[0], *one[1:-1], one[-1] + between + two[0], *two[1:-1], two[-1] + behind]
    if voice.form == "say":
        pieces = ["Your mission: " + pieces[0], *pieces[1:-1], pieces[-1] + "."]
    return voice.dress(draw, pieces)


def _part(draw: Draw, split: Split, part: Sequence[str]) -> list[str]:
    words = draw.pick(_WORDS[split][part[0]]).split("{}")
    pieces = [words[0]]
    for name, behind in zip(part[1:], words[1:], strict=True):
        pieces[-1] += "the "
        pieces += [name, behind]
    return pieces
