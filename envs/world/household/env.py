"""ACB/Household-v0: find, treat, examine and place things in a house seen one place at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.world.household.actions import DONE, LARGE_ONLY, read_action
from acgym.envs.world.household.guide import guide
from acgym.envs.world.household.heuristic import search
from acgym.envs.world.household.house import House
from acgym.envs.world.household.large import draw_large, say_large
from acgym.envs.world.household.oracle import expert
from acgym.envs.world.household.roam import roam
from acgym.envs.world.household.tasks import draw_small
from acgym.envs.world.household.words import TOOLS
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Split, Task

RULES = """\
You are in a house. Do the task with one action in each reply.
Actions: go to X, open X, close X, take O, put O in X, clean O, heat O, cool O, look, inventory, done.
X is the name of a place, O is the name of a thing. You can hold one thing.
You see what is in a place when you are there and it is open.
Clean at the sink, heat at the microwave, cool at the fridge. Nothing is kept in these three.
The task ends when all is done, or when you say done.
You may think first. End with one line such as
Action: go to X"""
LARGE_RULES = """\
You are in a house. Do the task with one action in each reply.
Actions: go to X, open X, close X, take O, put O in X, clean O, heat O, cool O, examine O, turn on X, turn off X, look,
inventory, done.
X is the name of a place, or of a room that a door leads to. O is the whole name of a thing. You can hold one thing.
You see what is in a place when you are there and it is open.
Clean at the sink, heat at the microwave, cool at the fridge. Nothing is kept in these three or at a lamp.
To clean a thing makes it not hot and not cold.
To examine a thing tells whether it is dirty or clean, warm or cold. To see it in the light of a lamp, hold it at the
lamp, turn the lamp on and examine it.
Where things of a kind are asked for, no other thing of that kind may be with them in the end.
The task ends when all is done, or when you say done.
You may think first. End with one line such as
Action: go to X"""


class Household(TextEnv):
    """Household tasks, in words, with partial observability.

    **What the agent sees.** First the rules, then (from level 2 on) the doors between the rooms, where appliances and
    lamps are and what the people of the house do, keep and are; the task; and the room with the names of its places.
    Then what each action brought. What is in a place is shown only when one stands there and it is open; the places of
    a room only when one has entered it.

    **What it must say.** One action: ``go to X``, ``open X``, ``close X``, ``take O``, ``put O in X``, ``clean O``,
    ``heat O``, ``cool O``, ``look``, ``inventory`` or ``done``; from level 2 on also ``examine O``, ``turn on X`` and
    ``turn off X``. The action is the line after the last ``Action:``; without that mark, the whole reply. Case,
    articles, a final period, ``take O from X``, ``put O on X``, ``clean O with X``, ``look at O`` and ``use X`` (a
    lamp) are accepted. What is none of these but says that all is done (``The task is complete.``, ``I have
    finished!``; see :func:`acgym.scorers.final_word.says_done`) is ``done``.

    **What earns progress.** Subgoals are states of the house: a thing has been held; it is clean, hot or cold; it was
    seen in the light of a lamp; it is in its place as asked, from level 2 on with no other thing of its kind; the place
    is closed. Progress is the largest share of subgoals that held at once so far, so it never falls (AgentBoard, arXiv
    2401.13178, section 3).

    **When it ends.** When every subgoal holds (success), or with the word ``done``, which always comes too early: the
    progress made so far stays. ``gym.make`` cuts it at 42 steps. The oracle needs at most 28.

    ===== ===== ====== ====== ====== ==========================================================================
    Level Rooms Places Things People Task
    ===== ===== ====== ====== ====== ==========================================================================
    1     1     4-5    3-4    0      put one thing, or clean, heat or cool it first; names are single words
    2     4     12     8      1      ALFWorld's six: put, clean, heat, cool, see under a lamp, any two of a kind;
                                     some things are told by what Ana did where she left them
    3     5     20     14     2      people told by their trade, look-alikes where they did other things; two things
                                     of a kind, conditions ("if it is warm"), destinations told by what people do
    4     6     24     18     3      two goals of these kinds, or two things that are treated
    5     7     28     24     3      two goals, look-alikes also in the same place, told apart by how they look
    ===== ===== ====== ====== ====== ==========================================================================

    Doors form a tree; a room is entered through a door only. The words of a task ("the mug that the one who works in a
    hospital left behind after reading") share none that matters with the facts that answer it ("Ana is a nurse. Ana
    goes through novels on the sofa"). What is not told so lies where everybody looks first: a comb in the bathroom.

    **Errors.** ``malformed``: no action was read. Decision errors (``info["error"]``): ``not_here``, ``unknown_place``,
    ``unknown_object``, ``closed``, ``cannot_open``, ``already``, ``not_holding``, ``hands_full``, ``wrong_place`` (a
    treatment away from its appliance, or something put into one). All leave the house as it is. ``premature_stop``:
    ``done`` was said.

    **Splits.** Layouts (which thing is in which place), combinations of treatment, kind of thing and kind of
    destination, and what people do, keep and are belong to one split each. The names of things and places are shared.

    **Source.** Stands for the capability "real-world applications" of ACBench (arXiv 2505.19433), which takes it from
    AgentBoard; the tasks are in the manner of ALFWorld (arXiv 2010.03768). All of it is generated here; MIT licence.

    **Versions.** v0: first.

    Args:
        level: 1 to 5, see the table.
        render_mode: ``"ansi"`` or None.
    """

    env_id = "ACB/Household-v0"
    capability = "real-world applications"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_place": "wrong_argument",
        "unknown_object": "wrong_argument",
        "not_here": "wrong_argument",
        "cannot_open": "wrong_argument",
        "closed": "wrong_order",
        "not_holding": "wrong_order",
        "hands_full": "wrong_order",
        "wrong_place": "wrong_order",
        "already": "lost_track",
    }
    unclear_errors = frozenset(("not_here", "cannot_open", "wrong_place"))
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.018, 0.160),
        2: Anchor(0.003, 0.057),
        3: Anchor(0.000, 0.051),
        4: Anchor(0.000, 0.029),
        5: Anchor(0.000, 0.019),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(1.000, 1.000),
        2: Anchor(0.824, 0.824),
        3: Anchor(0.078, 0.233),
        4: Anchor(0.007, 0.185),
        5: Anchor(0.000, 0.074),
    }
    house: House
    """State of the task under way."""

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a house and what is asked in it."""
        return draw_small(draw, split) if self.level == 1 else draw_large(draw, split, self.level)

    def tell(self) -> str:
        """Open the house; say the rules, the task, the rooms and the first room."""
        data = self.task.data
        self.house = House(data)
        if "doors" not in data:
            return f"{RULES}\n{self.limit_line()}Task: {self.task.goal}.\n{self.house.describe_room()}"
        known = say_large(data)
        return f"{LARGE_RULES}\n{self.limit_line()}{known}Task: {self.task.goal}\n{self.house.describe_room()}"

    def judge(self, action: str) -> Outcome:
        """Read one action, carry it out, count the subgoals that hold."""
        read = read_action(action)
        if read is None or (read.verb in LARGE_ONLY and self.level == 1):
            return self.malformed(f'{excerpt(action, 30)} is not an action. Write one such as "Action: go to X".')
        if read.verb == DONE:
            return Outcome("The task is not done.", self._progress, terminated=True, error="premature_stop")
        sentence, error = self.house.act(read)
        if error is not None:
            return self.mistake(sentence, error)
        held = [self.house.holds(row) for row in self.task.reference]
        if all(held):
            return Outcome(f"{sentence} The task is done.", 1.0, success=True, terminated=True)
        return Outcome(sentence, max(self._progress, sum(held) / len(held)))

    def oracle(self) -> str:
        """Return a line ``Thought: ...`` and a line ``Action: ...``, from whatever state the house is in."""
        return (expert if self.level == 1 else guide)(self.house, self.task.data["goals"])

    def heuristic_reply(self) -> str:
        """Search a small house in a fixed order (``heuristic.py``), a large one by shared words (``roam.py``)."""
        return (search if self.level == 1 else roam)(self.observations)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return an action that can be carried out now: first a verb is drawn, then what it is done to.

        It knows what has been shown, not what is asked.
        """
        house, draw = self.house, Draw(rng)
        at, hand = house.at, house.hand
        near = [*house.places_in(house.room), *(tool for tool, room in house.tools.items() if room == house.room)]
        near += [lamp for lamp, room in house.lamps.items() if room == house.room]
        rooms = house.rooms if house.doors is None else house.doors[house.room]
        choices = [[f"go to {name}" for name in [*near, *rooms] if name not in (at, house.room)], ["look"]]
        if at in house.open:
            choices.append([f"{'close' if house.open[at] else 'open'} {at}"])
        if at in house.contents and house.accessible(at):
            choices.append([f"take {thing}" for thing in house.contents[at] if hand is None])
            choices.append([f"put {hand} in {at}"] if hand else [])
        if at in house.tools and hand:
            choices.append([f"{treatment} {hand}" for treatment, tool in TOOLS.items() if tool == at])
        if at in house.lamps:
            choices.append([f"turn {'off' if at in house.shining else 'on'} {at}"])
        if hand and house.doors is not None:
            choices.append([f"examine {hand}"])
        return f"Action: {draw.pick(draw.pick([actions for actions in choices if actions]))}"
