"""Draws a game: which puzzles in which order, how many rooms, what misleads, how many moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.world.adventure.build import Builder
from acgym.envs.world.adventure.keepers import beast, disguise, guard
from acgym.envs.world.adventure.locks import balance, code, levers, lock, password
from acgym.envs.world.adventure.passages import gap, ice, machine, plant
from acgym.envs.world.adventure.setting import NAMES, Setting, setting
from acgym.envs.world.adventure.sources import SOURCES
from acgym.types import Json, Split

GATES: dict[str, Callable[[Builder, int], None]] = {
    "lock": lock, "guard": guard, "code": code, "gap": gap, "machine": machine, "plant": plant, "levers": levers,
    "balance": balance, "disguise": disguise, "ice": ice, "beast": beast, "password": password,
}  # fmt: skip
"""Kinds of puzzle that open a way."""
NEEDS = {
    "lock": ("door", "key"), "guard": (), "code": ("code",), "gap": ("gap", "rope"), "machine": ("machine", "part"),
    "plant": ("plant", "vessel", "well"), "levers": ("levers",), "balance": ("scale", "weight"),
    "disguise": ("dress",), "ice": ("ice", "kettle", "stove", "well"), "beast": ("animal", "food"),
    "password": ("tube",), "dark": ("dark", "lamp", "fuel"), "trade": ("trinket",), "buried": ("tool",),
    "safe": ("safe",), "wax": ("block", "heater", "matches"), "grate": ("grate", "magnet", "string"),
}  # fmt: skip
"""Kind of puzzle -> the parts that a setting must have for it."""
READING = ("guard", "code", "safe", "levers", "balance", "disguise", "beast", "buried", "password")
"""Kinds that hands alone do not solve."""
EXCLUDE = (("code", "safe"), ("plant", "ice"))
"""Kinds of which a game has one at most."""


class Size(NamedTuple):
    """How large the games of a level are."""

    puzzles: tuple[int, int]
    rooms: tuple[int, int]
    reading: int
    """How many of the puzzles at least must be read."""
    astray: int
    """Things that nobody needs, beside the wrong keys, foods and answers of the puzzles."""


SIZES = {
    1: Size((1, 2), (3, 4), 0, 0),
    2: Size((2, 3), (5, 6), 1, 1),
    3: Size((4, 4), (7, 8), 2, 2),
    4: Size((5, 6), (9, 11), 3, 3),
    5: Size((7, 8), (12, 14), 4, 4),
}


def kinds_of(place: Setting) -> list[str]:
    """Name the kinds of puzzle that a setting has the parts for."""
    return [kind for kind, parts in NEEDS.items() if all(part in place.rows for part in parts)]


def draw_game(draw: Draw, split: Split, level: int) -> tuple[str, Json, Json]:
    """Draw a game; return what is asked for, its data (the limit on moves is not in it yet), and the expert's plan."""
    place = setting(draw.pick(NAMES[split]))
    size = SIZES[level]
    kinds = _draw_kinds(draw, kinds_of(place), size)
    gates = sum(kind in GATES for kind in kinds)
    builder = Builder(draw, place, split, level)
    total = draw.between(*size.rooms) - ("dark" in kinds)
    sizes = _share_out(draw, total, gates)
    _first_rooms(builder, sizes[0])
    for kind in kinds:
        if kind in GATES:
            GATES[kind](builder, sizes.pop())
        else:
            SOURCES[kind](builder)
    goal = builder.next("goal")
    builder.item(goal, builder.place)
    builder.marks.append(goal[0])
    held = builder.fact(f"held:{goal[0]}")
    builder.step(None, f"take {goal[0]}", [held], (goal[0],))
    _mislead(builder, size.astray)
    if level >= 4:
        _slide(builder)
    return f"{place.intro} Find and take the {goal[0]}.", _data(builder, kinds, goal[0]), builder.plan


def _draw_kinds(draw: Draw, kinds: list[str], size: Size) -> list[str]:
    """Draw which puzzles there are, none twice; there is a gate among them, and enough to read."""
    count = draw.between(*size.puzzles)
    while True:
        found = draw.sample(kinds, count)
        if any(sum(kind in pair for kind in found) > 1 for pair in EXCLUDE):
            continue
        if sum(kind in READING for kind in found) >= size.reading and any(kind in GATES for kind in found):
            return found


def _share_out(draw: Draw, total: int, gates: int) -> list[int]:
    """Share rooms out to the first region and one region behind each gate."""
    sizes = [2] + [1] * gates
    for _ in range(total - sum(sizes)):
        sizes[draw.below(len(sizes))] += 1
    return sizes


def _first_rooms(builder: Builder, count: int) -> None:
    first = [builder.room(None)]
    for _ in range(count - 1):
        first.append(builder.room(*builder.free_way(("north", "south", "east", "west"), first)))
    builder.place = builder.draw.pick(first)


def _mislead(builder: Builder, count: int) -> None:
    """Scatter things that nobody needs, and a paper that says nothing of use."""
    for i in range(count):
        parts = [part for part in ("trinket", "trinket", "key") if builder.left(part) > 0]
        if i == 1 and builder.left("tale") and builder.left("paper"):
            paper, look = builder.next("paper")
            builder.item((paper, f'{look} It says: "{builder.next("tale")[0]}"'), builder.somewhere())
        elif parts:
            builder.item(builder.next(builder.draw.pick(parts)), builder.somewhere())


def _slide(builder: Builder) -> None:
    """Add a passage that leads back one way only, so that nothing is ever out of reach."""
    rooms = builder.lighted()
    for room in reversed(rooms):
        if "down" not in builder.rooms[room]["exits"]:
            to = builder.draw.pick(rooms[: max(1, len(rooms) // 2)])
            if to != room:
                builder.rooms[room]["exits"]["down"] = [to, [], "", ""]
                builder.rooms[room]["text"] += " A smooth chute leads down; nobody could climb back up it."
                return


def _data(builder: Builder, kinds: list[str], goal: str) -> Json:
    return {
        "setting": builder.setting.title,
        "kinds": kinds,
        "start": next(iter(builder.rooms)),
        "rooms": builder.rooms,
        "things": builder.things,
        "rules": builder.rules,
        "facts": builder.facts,
        "marks": builder.marks,
        "lamp": builder.lamp,
        "tool": builder.tool,
        "goal": goal,
    }
