"""What an action does to the grid, in a sentence, and the kind of error if it does nothing."""

from __future__ import annotations

from collections.abc import Callable

from acgym.envs.world.gridnav.grid import Grid
from acgym.envs.world.gridnav.words import Action

Done = tuple[str, str | None]
"""A sentence, and the kind of error."""


def act(grid: Grid, action: Action) -> Done:
    """Carry an action out. One that is an error changes nothing but, at most, where the walker stands."""
    if action.verb in _TURNS:
        grid.turned(_TURNS[action.verb])
        return "You turn.", None
    if action.verb == "look":
        return "You look around.", None
    if action.verb == "forward":
        return _forward(grid, action.steps)
    if action.verb == "drop":
        return _drop(grid)
    name = action.name or grid.thing_at(grid.pose.front) or grid.door_at(grid.pose.front) or ""
    if not name:
        return "There is nothing in front of you.", "not_here"
    if name == grid.carried:
        return f"You carry the {name}.", "already"
    cell = grid.seen().get(name)
    if cell is None:
        return f"You see no {name} in this room.", "not_here"
    if not grid.face(cell):
        return f"There is no free way to the {name}.", "blocked"
    return _WITH[action.verb](grid, name)


def _forward(grid: Grid, count: int) -> Done:
    gone = 0
    while gone < count and grid.step():
        gone += 1
    if not gone:
        return "You cannot go forward: something is in the way.", "blocked"
    return f"You go {gone} step{'s' if gone > 1 else ''} forward.", None


def _drop(grid: Grid) -> Done:
    if grid.carried is None:
        return "You carry nothing.", "not_holding"
    front = grid.pose.front
    if not grid.is_floor(front) or grid.thing_at(front):
        return "There is no room in front of you to put it down.", "blocked"
    name, grid.carried = grid.carried, None
    grid.things[name] = front
    return f"You put the {name} down in front of you.", None


def _go(grid: Grid, name: str) -> Done:
    return f"You stand in front of the {name}.", None


def _pick(grid: Grid, name: str) -> Done:
    if name in grid.doors:
        return "A door cannot be picked up.", "cannot"
    if grid.carried is not None:
        return f"You carry the {grid.carried}: put it down first.", "hands_full"
    del grid.things[name]
    grid.carried = name
    return f"You pick the {name} up.", None


def _open(grid: Grid, name: str) -> Done:
    if name in grid.inside:
        thing = grid.inside.pop(name)
        grid.things[thing] = grid.things.pop(name)
        return f"You open the {name}: the {thing} was in it. The box falls apart.", None
    if name.endswith("box"):
        return f"The {name} is empty.", "cannot"
    if name not in grid.doors:
        return f"The {name} cannot be opened.", "cannot"
    if grid.state[name] == "open":
        return f"The {name} is open.", "already"
    key = f"{name.split()[0]} key"
    if grid.state[name] == "locked" and grid.carried != key:
        return f"The {name} is locked: carry the {key} to open it.", "locked"
    grid.state[name] = "open"
    return f"You open the {name}.", None


def _through(grid: Grid, name: str) -> Done:
    if name not in grid.doors:
        return f"The {name} is no door.", "cannot"
    if grid.state[name] != "open":
        return f"The {name} is {grid.state[name]}.", "closed"
    if not grid.step():
        return f"Something lies behind the {name}, in the way.", "blocked"
    return f"You go through the {name}.", None


_TURNS = {"left": 3, "right": 1, "around": 2}
_WITH: dict[str, Callable[[Grid, str], Done]] = {"go": _go, "pick": _pick, "open": _open, "through": _through}
