"""The expert of the grid: finds the next action for the part under way by breadth-first search over rooms and cells."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from acgym.envs.world.gridnav.grid import Cell, Grid, Pose, beside

Room = tuple[int, int]


def expert(grid: Grid, part: Sequence[str]) -> str:
    """Return the next action towards a part."""
    verb, name = part[0], part[1]
    if verb == "put":
        return _put(grid, name, part[2])
    if verb == "go":
        if name == grid.carried:
            return _put_down(grid)
        return _reach(grid, name) or f"go to the {name}"
    if verb == "open":
        if grid.state[name] == "locked":
            return _unlock(grid, name)
        return _reach(grid, name) or f"open the {name}"
    return _take(grid, name)


def _put(grid: Grid, name: str, other: str) -> str:
    if grid.carried == other:
        return _put_down(grid)
    if grid.carried != name:
        way = _doors(grid, _room(grid, name), _room(grid, other)) if name in grid.things else []
        locked = next((door for door in way if grid.state[door] == "locked"), None)
        return _unlock(grid, locked) if locked else _take(grid, name)
    step = _reach(grid, other)
    if step:
        return step
    cell = grid.things[other]
    return _walk_and_drop(grid, lambda front: beside(front, cell))


def _take(grid: Grid, name: str) -> str:
    step = _reach(grid, name)
    if step:
        return step
    return _put_down(grid) if grid.carried else f"pick up the {name}"


def _unlock(grid: Grid, door: str) -> str:
    """Return the next action to get a locked door open."""
    way = min((_doors(grid, grid.here, side) for side in grid.sides(door)), key=len)
    before = next((one for one in way if grid.state[one] == "locked"), None)
    if before:
        return _unlock(grid, before)
    key = f"{door.split()[0]} key"
    if grid.carried == key:
        return _reach(grid, door) or f"open the {door}"
    if key in grid.things:
        return _take(grid, key)
    box = next(box for box, thing in grid.inside.items() if thing == key)
    if grid.carried == box:
        return _put_down(grid)
    return _reach(grid, box) or f"open the {box}"


def _reach(grid: Grid, name: str) -> str | None:
    """Return the next action on the way to the room of a thing or door; None if the walker is there."""
    if name in grid.doors:
        ways = [_doors(grid, grid.here, side) for side in grid.sides(name)]
        way = min(ways, key=len)
    else:
        way = _doors(grid, grid.here, _room(grid, name))
    locked = next((door for door in way if grid.state[door] == "locked"), None)
    if locked:
        return _unlock(grid, locked)
    if not way:
        return None
    return f"{'go through' if grid.state[way[0]] == 'open' else 'open'} the {way[0]}"


def _room(grid: Grid, name: str) -> Room:
    return grid.room(grid.things[name])


def _doors(grid: Grid, start: Room, goal: Room) -> list[str]:
    """Return the doors from one room to another, locked ones too."""
    before: dict[Room, tuple[Room, str] | None] = {start: None}
    queue = deque([start])
    while queue:
        room = queue.popleft()
        for door in grid.doors:
            sides = grid.sides(door)
            if room in sides:
                other = sides[1] if room == sides[0] else sides[0]
                if other not in before:
                    before[other] = (room, door)
                    queue.append(other)
    way = []
    while (last := before[goal]) is not None:
        goal = last[0]
        way.append(last[1])
    return way[::-1]


def _put_down(grid: Grid) -> str:
    """Put down what is carried where it is in nobody's way."""
    others = list(grid.things.values())
    doors = list(grid.doors.values())

    def fits(front: Cell) -> bool:
        apart = all(max(abs(front[0] - x), abs(front[1] - y)) > 1 for x, y in others)
        return apart and not any(beside(front, door) for door in doors)

    return _walk_and_drop(grid, fits)


def _walk_and_drop(grid: Grid, fits: Callable[[Cell], bool]) -> str:

    def here(pose: Pose) -> bool:
        return grid.is_floor(pose.front) and grid.thing_at(pose.front) is None and fits(pose.front)

    def clear(pose: Pose) -> bool:
        return here(pose) and not any(beside(pose.front, door) for door in grid.doors.values())

    way = grid.walk(clear) or grid.walk(here) or grid.walk(lambda pose: grid.free(pose.front))
    if way is None or len(way) == 1:
        return "drop"
    turn = (way[1].turn - way[0].turn) % 4
    if turn == 0:
        steps = next((i for i, pose in enumerate(way) if pose.turn != way[0].turn), len(way)) - 1
        return f"move forward {steps}"
    if turn == 3 and len(way) > 2 and (way[2].turn - way[1].turn) % 4 == 3:
        return "turn around"
    return "turn left" if turn == 3 else "turn right"
