"""ACB/ScienceWorld-v0: ScienceWorld's tasks, played by ScienceWorld itself in Java; its gold paths are the expert."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, TextEnv
from acgym.envs.world.simulators import java
from acgym.envs.world.simulators.base import VALID_ACTIONS, Heard, Simulator, checked_choice, source_of
from acgym.types import Anchor, Split, Task

LEVELS: dict[int, tuple[str, ...]] = {
    1: (
        *("find-non-living-thing", "find-plant", "lifespan-longest-lived", "lifespan-shortest-lived"),
        *("lifespan-longest-lived-then-shortest-lived", "identify-life-stages-2"),
    ),
    2: (
        *("find-animal", "find-living-thing", "power-component", "power-component-renewable-vs-nonrenewable-energy"),
        *("chemistry-mix-paint-secondary-color", "use-thermometer"),
    ),
    3: (
        *("chemistry-mix", "chemistry-mix-paint-tertiary-color", "test-conductivity", "identify-life-stages-1"),
        *("test-conductivity-of-unknown-substances", "measure-melting-point-known-substance"),
    ),
    4: (
        *("measure-melting-point-unknown-substance", "grow-plant", "grow-fruit", "melt"),
        *("change-the-state-of-matter-of", "inclined-plane-friction-named-surfaces"),
    ),
    5: (
        *("boil", "freeze", "inclined-plane-determine-angle", "inclined-plane-friction-unnamed-surfaces"),
        *("mendelian-genetics-known-plant", "mendelian-genetics-unknown-plant"),
    ),
}
"""ScienceWorld's 30 tasks by the length of their gold paths: some ten commands at level 1, around a hundred at 5."""

AGENTBOARD = "selfWateringFlowerPots,openContainers,openDoors,noElectricalAction"
"""AgentBoard's simplifications. ScienceWorld's electrical tasks refuse the last one, which is left out there."""
SIMPLIFICATIONS = frozenset({*AGENTBOARD.split(","), "teleportAction", "easy"})
_ELECTRICAL = re.compile("power-component|conductivity")
_UNKNOWN = "No known action matches that input."
_TRIES = 8

RULES = """\
You are in a text laboratory: a house with rooms, things, instruments and living beings. Do the task, one command in
each reply, such as: look around, go to kitchen, open cupboard, look in fridge, look at thermometer, pick up metal pot,
move seed to flower pot, pour water in glass cup, mix glass cup, use thermometer on water, activate stove, focus on
thermometer, connect battery anode to red wire terminal 1, read recipe, inventory, wait (10 turns), wait1 (1 turn).
Where a command is ambiguous you are asked for a number. To focus on a wrong thing can lose the task.
{help}You may think first. End with one line such as
Action: look around"""


class ScienceWorld(Simulator, TextEnv):
    """Experiments in ScienceWorld: states of matter, measurement, circuits, living things, growth, mixing, genetics.

    What the agent sees: rules, ScienceWorld's own description of the task and its own answers, word for word.

    What it must say: one command of ScienceWorld a reply, by itself or behind ``Action:``.

    What earns progress: ScienceWorld's score, the share of the task's subgoals with their weights, the largest so far
    and counted from what the first look around scores: (s - s0) / (1 - s0). AgentBoard counts subgoals of its own that
    it matches in the answers; those are part of its data. Success: the score is 100 of 100.

    When it ends: when ScienceWorld ends it: solved, or lost, as by focusing on the wrong thing (the score is negative).

    ===== ==========================================================
    level tasks of ScienceWorld, drawn with equal chance
    ===== ==========================================================
    1     find a plant or a non-living thing, life spans, life stages of a plant
    2     find an animal or a living thing, power a component, mix paint, use a thermometer
    3     chemistry, paint in two steps, conductivity, life stages, a known melting point
    4     an unknown melting point, growing, melting, changing state, friction of named surfaces
    5     boiling, freezing, inclined planes, Mendelian genetics
    ===== ==========================================================

    Errors: ``refused`` (ScienceWorld knows no such command), ``failed`` (the task was lost). A reply without a command
    is malformed.

    The oracle follows ScienceWorld's gold path. Animals wander: a path is tried first, and another one made where it
    misses an animal.

    Splits: ScienceWorld's own variations, its test set for evaluation and its training set for training.

    Source: ScienceWorld (arXiv 2203.07540, Apache-2.0), which ``pip install 'acgym[scienceworld]'`` installs; it needs
    Java (17 is tested). The Java process is one for all environments of a process, about 700 MB. It is started with
    equal hash codes, and its random numbers are seeded before each step: the same seed gives the same episode.

    Args:
        level: 1 to 5, see the table.
        task: a task of ScienceWorld by name, such as ``"boil"``, instead of those of the table; None for those.
        variation: a variation of ``task`` in either split, instead of a drawn one; None for a drawn one.
        simplifications: names with commas between them; None for AgentBoard's; the empty string for none.
        valid_actions: ``"ask"``: ``check valid actions`` lists forms of commands and things in reach; ``"always"``:
            each observation does; ``"never"``.
        render_mode: ``"ansi"`` or None.

    Raises:
        ImportError, FileNotFoundError: if ScienceWorld or Java is missing, with the command that installs it.
        ValueError: for an unknown task or simplification.
    """

    env_id = "ACB/ScienceWorld-v0"
    needs = "ScienceWorld and Java: pip install 'acgym[scienceworld]'"
    anchors: ClassVar[Mapping[int, Anchor]] = {}
    """Not measured."""
    live = ("_world",)
    _world: java.World
    _loaded: tuple[Any, ...] = ()

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        task: str | None = None,
        variation: int | None = None,
        simplifications: str | None = None,
        valid_actions: str = "ask",
        render_mode: str | None = None,
    ) -> None:
        super().__init__(level, render_mode)
        self.valid_actions = checked_choice("valid_actions", valid_actions, VALID_ACTIONS)
        self.names = LEVELS[level] if task is None else (task,)
        checked_choice("task", self.names[0], sorted(name for names in LEVELS.values() for name in names))
        if variation is not None and task is None:
            raise ValueError("a variation is one of a task; give task= too")
        self.variation = variation
        self.simplifications = AGENTBOARD if simplifications is None else simplifications
        for name in filter(None, self.simplifications.split(",")):
            checked_choice("each of simplifications", name, sorted(SIMPLIFICATIONS))
        java.needed()
        self._gold: tuple[str, list[str]] = ("", [])

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a task of ScienceWorld, a variation of the split, and the seed of its random numbers."""
        name = draw.pick(self.names)
        variation = draw.pick(java.variations(name, split)) if self.variation is None else self.variation
        words = [one for one in self.simplifications.split(",") if one]
        if _ELECTRICAL.search(name):
            words = [one for one in words if one != "noElectricalAction"]
        data = {"task": name, "variation": variation, "simplifications": ",".join(words), "seed": draw.below(2**31)}
        self._load(data)
        goal = " ".join(str(self._world.inside.getTaskDescription()).split()).removeprefix("Task Description: ")
        return Task(name, goal, data, None, source=source_of("scienceworld"))

    def _load(self, data: Any) -> None:
        self._loaded = tuple(data.values())
        if "_world" not in self.__dict__:
            self._world = java.World(java.java())
        self._world.load(data["task"], data["variation"], data["simplifications"], data["seed"])

    def open(self) -> Heard:
        """Load the variation, if it is not loaded, and look around."""
        data = self.task.data
        if "_world" not in self.__dict__ or self._loaded != tuple(data.values()):
            self._load(data)
        self._loaded = ()
        seen = self._world.reset()
        self._first = self._score = round(float(self._world.inside.getScore()), 2)
        return Heard(seen)

    def rules(self) -> str:
        """Say the commands."""
        return RULES.format(help=self.help_line())

    def send(self, command: str) -> Heard:
        """Give ScienceWorld the command."""
        answer, score, done = self._world.step(command)
        gained = max(0.0, (score - self._first) / (1.0 - self._first))
        error = "refused" if answer == _UNKNOWN else None
        reward, self._score = 100.0 * (score - self._score), score
        return Heard(answer, round(reward), done, gained, success=done and score >= 1.0, error=error)

    def path(self) -> Sequence[str]:
        """Return a gold path that solves the task with its random numbers."""
        if self._gold[0] != self.task.hash:
            self._gold = (self.task.hash, self._gold_path())
        return self._gold[1]

    def _gold_path(self) -> list[str]:
        world, data = java.expert(), self.task.data
        name, variation, words, seed = data["task"], data["variation"], data["simplifications"], data["seed"]
        commands: list[str] = []
        for attempt in range(_TRIES):
            world.load(name, variation, words, seed + attempt, gold=True)
            commands = [str(command) for command in world.inside.getGoldActionSequence()]
            world.load(name, variation, words, seed)
            world.reset()
            for at, command in enumerate(commands, 1):
                _, score, done = world.step(command)
                if done and score >= 1.0:
                    return commands[:at]
                if done:
                    break
        return commands

    def actions(self) -> Sequence[str]:
        """List the forms of commands, OBJ for a thing, and the things in reach."""
        inside = self._world.inside
        forms = sorted(map(str, inside.getPossibleActions()))
        return [*forms, "where OBJ is one of: " + ", ".join(sorted(map(str, inside.getPossibleObjects())))]

    def random_reply(self, rng: np.random.Generator) -> str:
        """Say one of ScienceWorld's valid commands."""
        draw, valid = Draw(rng), sorted(map(str, self._world.inside.getValidActionObjectCombinations()))
        return f"Action: {draw.pick(valid) if valid else 'look around'}"
