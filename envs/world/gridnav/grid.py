"""The grid: rooms of 6 by 6 cells, doors, things, one walker; what an action does to it, and what is seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from acgym.types import Json

SIZE = 6
"""Cells of a room in each direction; walls lie between."""
STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))
"""North, east, south, west: x grows to the east, y to the south."""
FACING = ("north", "east", "south", "west")
Cell = tuple[int, int]


class Pose(NamedTuple):
    """Where the walker stands, and which way it looks."""

    x: int
    y: int
    turn: int

    @property
    def cell(self) -> Cell:
        """The cell stood on."""
        return self.x, self.y

    @property
    def front(self) -> Cell:
        """The cell looked at."""
        return self.x + STEPS[self.turn][0], self.y + STEPS[self.turn][1]


class Grid:
    """A state of the grid, from the data of a task: ``rows``, ``columns``, ``things``, ``doors``, ``boxes``, ``start``.

    ``things`` maps a name to its cell, ``boxes`` the name of a box to that of the thing in it, ``doors`` a name to cell
    and state. A room is a pair of row and column.
    """

    def __init__(self, data: Mapping[str, Json]) -> None:
        self.rows: int = data["rows"]
        self.columns: int = data["columns"]
        self.things: dict[str, Cell] = {name: (x, y) for name, (x, y) in data["things"].items()}
        self.inside: dict[str, str] = dict(data["boxes"])
        self.doors: dict[str, Cell] = {name: (x, y) for name, (x, y, _) in data["doors"].items()}
        self.state: dict[str, str] = {name: state for name, (_, _, state) in data["doors"].items()}
        self.pose = Pose(*data["start"])
        self.carried: str | None = None

    def room(self, cell: Cell) -> tuple[int, int]:
        """Return the room of a cell that is no wall and no door."""
        return (cell[1] - 1) // (SIZE + 1), (cell[0] - 1) // (SIZE + 1)

    @property
    def here(self) -> tuple[int, int]:
        """The room that the walker is in; it never stops in a doorway."""
        return self.room(self.pose.cell)

    def is_floor(self, cell: Cell) -> bool:
        """Say whether a cell lies in a room."""
        x, y = cell
        inside = 0 < x < self.columns * (SIZE + 1) and 0 < y < self.rows * (SIZE + 1)
        return inside and x % (SIZE + 1) != 0 and y % (SIZE + 1) != 0

    def door_at(self, cell: Cell) -> str | None:
        """Return the door in a cell."""
        return next((name for name, at in self.doors.items() if at == cell), None)

    def thing_at(self, cell: Cell) -> str | None:
        """Return the thing in a cell."""
        return next((name for name, at in self.things.items() if at == cell), None)

    def free(self, cell: Cell) -> bool:
        """Say whether one can step onto a cell."""
        door = self.door_at(cell)
        if door is not None:
            return self.state[door] == "open"
        return self.is_floor(cell) and self.thing_at(cell) is None

    def sides(self, door: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the two rooms that a door joins."""
        x, y = self.doors[door]
        if x % (SIZE + 1) == 0:
            return self.room((x - 1, y)), self.room((x + 1, y))
        return self.room((x, y - 1)), self.room((x, y + 1))

    def seen(self) -> dict[str, Cell]:
        """Return the things and doors of the room where the walker is, with their cells."""
        here = self.here
        found = {name: cell for name, cell in self.things.items() if self.room(cell) == here}
        return found | {name: cell for name, cell in self.doors.items() if here in self.sides(name)}

    def walk(self, fits: Callable[[Pose], bool]) -> list[Pose] | None:
        """Return the shortest way, by turns and steps inside the room, to a pose that fits; None if there is none."""
        first, taken = self.pose, set(self.things.values())
        before: dict[Pose, Pose | None] = {first: None}
        queue = deque([first])
        while queue:
            pose = queue.popleft()
            if fits(pose):
                way = [pose]
                while (last := before[way[-1]]) is not None:
                    way.append(last)
                return way[::-1]
            x, y, turn = pose
            ahead = (x + STEPS[turn][0], y + STEPS[turn][1])
            near = [Pose(x, y, (turn + 3) % 4), Pose(x, y, (turn + 1) % 4)]
            if ahead not in taken and self.is_floor(ahead):
                near.insert(0, Pose(*ahead, turn))
            for after in near:
                if after not in before:
                    before[after] = pose
                    queue.append(after)
        return None

    def face(self, cell: Cell) -> bool:
        """Walk to where the walker looks at a cell; False, and nothing changes, if there is no way."""
        way = self.walk(lambda pose: pose.front == cell)
        if way is None:
            return False
        self.pose = way[-1]
        return True

    def step(self) -> bool:
        """Go one step ahead, through an open door to the cell behind; False, and nothing changes, if it is not free."""
        ahead = Pose(*self.pose.front, self.pose.turn)
        if self.door_at(ahead.cell) is not None and self.free(ahead.cell):
            ahead = Pose(*ahead.front, ahead.turn)
        if not self.free(ahead.cell):
            return False
        self.pose = ahead
        return True

    def turned(self, by: int) -> None:
        """Turn clockwise by quarters."""
        self.pose = self.pose._replace(turn=(self.pose.turn + by) % 4)

    def describe(self) -> str:
        """Say what is seen, in steps from the walker."""
        held = f"You carry the {self.carried}." if self.carried else "You carry nothing."
        lines = [f"You look {FACING[self.pose.turn]}. {held} You see in this room:"]
        lines += [f"- the {name}{self._state(name)}: {self.offset(cell)}" for name, cell in self.seen().items()]
        front = self.thing_at(self.pose.front) or self.door_at(self.pose.front)
        if front is None and not self.is_floor(self.pose.front):
            front = "wall"
        return "\n".join([*lines, f"Right in front of you: {'the ' + front if front else 'nothing'}."])

    def _state(self, name: str) -> str:
        return f" ({self.state[name]})" if name in self.state else ""

    def offset(self, cell: Cell) -> str:
        """Say where a cell is, seen from the walker: "2 steps ahead, 1 step to the left"."""
        x, y = cell[0] - self.pose.x, cell[1] - self.pose.y
        ahead_x, ahead_y = STEPS[self.pose.turn]
        ahead = x * ahead_x + y * ahead_y
        right = -x * ahead_y + y * ahead_x
        parts = []
        if ahead:
            parts.append(f"{_count(ahead)} {'ahead' if ahead > 0 else 'behind'}")
        if right:
            parts.append(f"{_count(right)} to the {'right' if right > 0 else 'left'}")
        return ", ".join(parts) or "here"


def _count(steps: int) -> str:
    return f"{abs(steps)} step{'s' if abs(steps) != 1 else ''}"


def beside(one: Cell, other: Cell) -> bool:
    """Say whether two cells share a side."""
    return abs(one[0] - other[0]) + abs(one[1] - other[1]) == 1
