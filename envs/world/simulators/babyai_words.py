"""What BabyAI shows, in words, and how many of a mission's subgoals are reached."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

VIEW = 7
_CELLS = tuple(
    ((VIEW - 1 - back) * VIEW + column, back, column - VIEW // 2)
    for back in range(VIEW)
    for column in range(VIEW)
    if (back, column) != (0, VIEW // 2)
)
"""Place in Minigrid's list of a view's cells, steps ahead, steps to the right (negative: left); without the agent's own
cell, which shows what is carried."""


def describe(world: Any) -> str:
    """Say what Minigrid shows of a world: what is carried, how far the way is free, and things with their places."""
    grid, seen = world.gen_obs_grid()
    cells, shown = grid.grid, seen.T.ravel().tolist()
    things, ahead = [], ""
    for at, back, side in _CELLS:
        cell = cells[at]
        if cell is None or not shown[at]:
            continue
        kind = cell.type
        if side == 0 and not ahead:
            ahead = _way(back, kind, kind == "door" and cell.is_open)
        if kind == "door":
            state = "open " if cell.is_open else "locked " if cell.is_locked else "closed "
            things.append(_placed(state, cell.color, kind, back, side))
        elif kind != "wall":
            things.append(_placed("", cell.color, kind, back, side))
    held = world.carrying
    carried = "" if held is None else f"You carry {_article(held.color)} {held.color} {held.type}.\n"
    way = ahead or f"You see no end of the way ahead within {VIEW - 1} steps."
    return f"{carried}{way}\nYou see: {'; '.join(things) or 'nothing else'}."


@lru_cache(maxsize=64)
def _way(back: int, kind: str, opened: bool) -> str:
    if back == 1:
        return f"Right in front of you: {'an open door' if opened else f'a {kind}'}."
    steps = f"{back - 1} step" + "s" * (back > 2)
    return f"The way ahead is free for {steps}, then there is {'an open door' if opened else f'a {kind}'}."


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


@lru_cache(maxsize=8192)
def _placed(state: str, colour: str, kind: str, back: int, side: int) -> str:
    parts = []
    if back:
        parts.append(f"{back} step{'s' * (back > 1)} ahead")
    if side:
        parts.append(f"{abs(side)} step{'s' * (abs(side) > 1)} to the {'left' if side < 0 else 'right'}")
    name = f"{state}{colour} {kind}"
    return f"{_article(name)} {name} {' and '.join(parts) or 'where you stand'}"


def subgoals(instruction: Any) -> int:
    """Count the subgoals of a mission: one a part, two where a thing is put next to another."""
    if hasattr(instruction, "instr_a"):
        return subgoals(instruction.instr_a) + subgoals(instruction.instr_b)
    return 2 if hasattr(instruction, "desc_move") else 1


def reached(world: Any, instruction: Any, done: bool = False, turn: bool = True) -> int:
    """Count the subgoals that are reached.

    Args:
        world: Minigrid's environment.
        instruction: the mission, or a part.
        done: whether Minigrid's verifier has it done.
        turn: whether it is its turn; a thing in the hands counts only then.
    """
    if done:
        return subgoals(instruction)
    if hasattr(instruction, "instr_a"):
        order = type(instruction).__name__
        first, second = instruction.a_done == "success", instruction.b_done == "success"
        return reached(world, instruction.instr_a, first, turn and (order != "AfterInstr" or second)) + reached(
            world, instruction.instr_b, second, turn and (order != "BeforeInstr" or first)
        )
    if hasattr(instruction, "desc_move") and turn and world.carrying is not None:
        return int(any(world.carrying is thing for thing in instruction.desc_move.obj_set))
    return 0
