"""ACB/GridNav-v0: missions in a grid of rooms, seen one room at a time, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.world.gridnav.acts import act
from acgym.envs.world.gridnav.grid import Grid, beside
from acgym.envs.world.gridnav.heuristic import in_order_of_words
from acgym.envs.world.gridnav.mission import draw_mission
from acgym.envs.world.gridnav.oracle import expert
from acgym.envs.world.gridnav.words import read_action
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Split, Task

RULES = """\
You are in a building of square rooms with {rooms}. You see the room where you are. Do the mission, one action in each
reply:
turn left, turn right, turn around, move forward N (N steps; through an open door too),
go to the X (walks up to a thing or door of this room and faces it), pick up the X (walks there and takes it),
open the X (a door, or a box to see what is in it), go through the X door (an open one), drop (puts what you carry on
the cell in front of you), look.
You can carry one thing. A locked door opens while you carry the key of its colour. Some keys may lie in boxes.
Next to means: on cells that share a side. Do the parts of the mission in the order that it asks for: if you pick up a
thing of a later part before its turn, the mission is lost. It ends when all is done.
You may think first. End with one line such as
Action: go to the red ball"""


class GridNav(TextEnv):
    """Missions of BabyAI in words: go to, pick up, open, put next to, unlock, and sequences of them.

    What the agent sees: rules, a mission in one of many voices and wordings, and the room where it is: what it carries,
    and each thing and door with its place in steps from where it stands and looks ("2 steps ahead, 1 step to the
    left"). Other rooms are not seen.

    What it must say: one action a reply, by itself or behind ``Action:``; verbs are read generously (``take``,
    ``unlock``, ``walk to``, ``forward``).

    What earns progress: the subgoals that were reached, as in AgentBoard: each part of the mission, in order, and the
    pick-up of each thing that is to be put next to another. Success is all parts. A part counts when what it asks for
    holds while it is its turn.

    When it ends: with the last part, or with the pick-up of a thing of a later part before its turn.

    ===== ===== ====== ===== ====== ====================================================
    level rooms things parts locked also
    ===== ===== ====== ===== ====== ====================================================
    1     1     4      1     0      go to, pick up
    2     2     6      1     0      open, put next to
    3     4     9      2     1      parts said in another order than they are done
    4     6     13     3     1
    5     8     18     4     2      keys in boxes
    ===== ===== ====== ===== ====== ====================================================

    Errors: ``malformed`` (no action was read), ``not_here``, ``blocked``, ``closed``, ``locked``, ``cannot``,
    ``not_holding``, ``hands_full``, ``already``; none changes anything but where the walker stands. ``too_early`` loses
    the mission.

    Splits: missions (which things and doors, in which parts), voices and wordings belong to one split each.

    Source: ours, in the manner of BabyAI (arXiv 1810.08272), which ACBench (arXiv 2505.19433) has through AgentBoard
    and does not report. The view of a whole room replaces the cone of 7 by 7 cells. MIT licence.

    Versions: v0, first.

    Args:
        level: 1 to 5, see the table.
        render_mode: ``"ansi"`` or None.
    """

    env_id = "ACB/GridNav-v0"
    capability = "real-world applications"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "not_here": "wrong_argument",
        "blocked": "wrong_argument",
        "cannot": "wrong_argument",
        "closed": "wrong_order",
        "locked": "wrong_order",
        "not_holding": "wrong_order",
        "hands_full": "wrong_order",
        "too_early": "wrong_order",
        "already": "lost_track",
    }
    # Measured over seeds 0 to 399.
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.740, 0.740),
        2: Anchor(0.468, 0.522),
        3: Anchor(0.022, 0.092),
        4: Anchor(0.000, 0.062),
        5: Anchor(0.000, 0.032),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.995, 0.995),
        2: Anchor(0.935, 0.961),
        3: Anchor(0.040, 0.118),
        4: Anchor(0.050, 0.175),
        5: Anchor(0.010, 0.094),
    }
    grid: Grid
    """State of the task under way."""
    done: int
    """Parts that are done."""

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw rooms and a mission in them."""
        mission, data, parts = draw_mission(draw, split, self.level)
        return Task(" ".join(sorted(part[0] for part in parts)), mission, data, parts)

    def tell(self) -> str:
        """Say the rules, the mission and the first room."""
        data = self.task.data
        self.grid, self.done = Grid(data), 0
        count = data["rows"] * data["columns"]
        rules = RULES.format(rooms="doors between them" if count > 1 else "walls around it")
        return f"{rules}\n{self.limit_line()}{self.grid.describe()}\nMission: {self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Carry out one action and see which parts are done."""
        read = read_action(action)
        if read is None:
            return self.malformed(f"{excerpt(action, 30)} is no action. Write one such as: Action: move forward 2")
        sentence, error = act(self.grid, read)
        heard = f"{sentence}\n{self.grid.describe()}"
        if error is not None:  # one may have walked up to something all the same
            self._advance()
            return Outcome(heard, max(self._progress, self._share()), error=error)
        later = [part[1] for part in self.task.reference[self.done + 1 :] if part[0] in ("pick", "put")]
        if self.grid.carried in later and read.verb == "pick":
            text = f"{sentence} That came too early: the mission is lost."
            return Outcome(text, self._progress, terminated=True, error="too_early")
        self._advance()
        if self.done == len(self.task.reference):
            return Outcome(f"{sentence} The mission is done.", 1.0, success=True, terminated=True)
        return Outcome(heard, max(self._progress, self._share()))

    def _advance(self) -> None:
        while self.done < len(self.task.reference) and self._holds(self.task.reference[self.done]):
            self.done += 1

    def _holds(self, part: list[str]) -> bool:
        grid, name = self.grid, part[1]
        if part[0] == "go":
            return (grid.things.get(name) or grid.doors.get(name)) == grid.pose.front
        if part[0] == "pick":
            return grid.carried == name
        if part[0] == "open":
            return grid.state[name] == "open"
        return name in grid.things and part[2] in grid.things and beside(grid.things[name], grid.things[part[2]])

    def _share(self) -> float:
        """Return the share of subgoals reached so far; a thing to be put counts when it is carried in its turn."""
        parts = self.task.reference
        weights = [2 if part[0] == "put" else 1 for part in parts]
        held = self.done < len(parts) and parts[self.done][0] == "put" and self.grid.carried == parts[self.done][1]
        return (sum(weights[: self.done]) + held) / sum(weights)

    def oracle(self) -> str:
        """Do the part under way by the shortest way through the rooms."""
        return f"Action: {expert(self.grid, self.task.reference[self.done])}"

    def heuristic_reply(self) -> str:
        """Do what is named in the order of the words; see :mod:`acgym.envs.world.gridnav.heuristic`."""
        return in_order_of_words(self.observations, self.replies)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return any action on anything that is seen."""
        draw = Draw(rng)
        names = [f"{verb} the {name}" for name in self.grid.seen() for verb in ("go to", "pick up", "open")]
        doors = [f"go through the {name}" for name in self.grid.seen() if name in self.grid.doors]
        moves = ["turn left", "turn right", f"move forward {draw.between(1, 5)}", "drop"]
        return f"Action: {draw.pick(draw.pick([rows for rows in (names, doors, moves) if rows]))}"
