"""ACB/BabyAI-v0: Minigrid's BabyAI levels in words, with BabyAI's bot as the expert."""

from __future__ import annotations

import contextlib
import copy
import io
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, TextEnv
from acgym.envs.world.simulators.babyai_words import describe, reached, subgoals
from acgym.envs.world.simulators.base import Heard, Simulator, checked_choice, package, source_of
from acgym.types import Anchor, FailureClass, Split, Task

TESTED = "3.2.0"
LEVELS: dict[int, tuple[str, ...]] = {
    1: ("GoToObj", "GoToRedBall", "GoToLocal"),
    2: ("OpenDoor", "PickupLoc", "PutNextLocal", "ActionObjDoor"),
    3: ("GoTo", "Pickup", "Open", "UnlockPickup"),
    4: ("Unlock", "Synth", "SynthLoc", "GoToSeq"),
    5: ("SynthSeq", "BossLevelNoUnlock", "BossLevel"),
}
"""BabyAI's levels that are drawn from at each level here, by number of rooms, kinds of instruction and parts."""

RULES = """\
You walk in a grid of rooms. You see the cells before you and beside you, at most 6 steps ahead and 3 to each side, as
far as walls and closed doors allow. Do the task. One action in each reply:
turn left, turn right, move forward N (N steps; it stops where the way is not free), pick up, drop, toggle (opens and
shuts a door or a box; a locked door needs the key of its colour in your hands).
pick up, drop and toggle act on the cell right in front of you. You can carry one thing. To go to a thing means to stand
in front of it and face it. Next to means: on cells that share a side.
You may think first. End with one line such as
Action: move forward 2"""

_TURN = re.compile(r"(?:turn |rotate )?(?:to the )?(left|right)\b")
_FORWARD = re.compile(r"(?:(?:move|go|walk|step) )?(?:forwards?|ahead|straight)\b")
_OTHERS = (
    (3, re.compile(r"(?:pick ?up|pick|take|grab|get)\b")),
    (4, re.compile(r"(?:drop|put down|put|place|release)\b")),
    (5, re.compile(r"(?:toggle|open|unlock|close|shut)\b")),
    (6, re.compile(r"(?:done|wait|look)\b")),
)
_NAMED = re.compile(r"\b(red|green|blue|purple|yellow|gr[ae]y) (ball|box|key|door)\b")
_AHEAD = ((1, 0), (0, 1), (-1, 0), (0, -1))
_NUMBER = re.compile(r"\b(\d{1,2})\b")


@lru_cache(maxsize=1024)
def read_steps(command: str) -> tuple[int, ...] | None:
    """Read a command as BabyAI's actions: 0 left, 1 right, 2 forward, 3 pick up, 4 drop, 5 toggle, 6 done.

    Returns:
        One action, or several times 2; None if the command is none.
    """
    text = command.lower()
    if turn := _TURN.match(text):
        return (0,) if turn[1] == "left" else (1,)
    if _FORWARD.match(text):
        number = _NUMBER.search(text)
        return (2,) * max(1, int(number[1]) if number else 1)
    return next(((action,) for action, pattern in _OTHERS if pattern.match(text)), None)


class BabyAI(Simulator, TextEnv):
    """Missions of BabyAI, played by Minigrid itself and told in words: go to, pick up, open, put next to, sequences.

    What the agent sees: rules, the mission as Minigrid writes it, and what Minigrid shows of the grid: each thing and
    door in the view of 7 by 7 cells with its place in steps from where the agent stands and looks, how far the way is
    free, and what is carried. Nothing behind walls and closed doors, nothing remembered.

    What it must say: one action a reply, by itself or behind ``Action:``. ``move forward N`` is N of Minigrid's
    actions, every other one is one. Said of a thing that is not in front, an action is not carried out.

    What earns progress: subgoals reached of all, as AgentBoard counts: each part of the mission by Minigrid's own
    verifier, and the thing in the hands that is to be put next to another. Success is Minigrid's.

    When it ends: when Minigrid ends it, with success, with a failed mission, or at Minigrid's own limit of actions.

    ===== ==========================================================
    level levels of BabyAI, drawn with equal chance
    ===== ==========================================================
    1     GoToObj, GoToRedBall, GoToLocal
    2     OpenDoor, PickupLoc, PutNextLocal, ActionObjDoor
    3     GoTo, Pickup, Open, UnlockPickup
    4     Unlock, Synth, SynthLoc, GoToSeq
    5     SynthSeq, BossLevelNoUnlock, BossLevel
    ===== ==========================================================

    Errors: ``blocked`` (no step could be made), ``nothing_there`` (nothing in front that could be taken or toggled),
    ``not_in_front`` (the thing that was named), ``hands_full``, ``not_holding``, ``locked``; ``failed``: the mission
    was lost; ``truncation``: at Minigrid's limit. A reply without an action is malformed.

    The oracle is BabyAI's bot, which sees what the agent sees and remembers it.

    Splits: Minigrid's seeds, even ones for evaluation and odd ones for training.

    Source: Minigrid (arXiv 2306.13831, Apache-2.0), which ``pip install 'acgym[minigrid]'`` installs; BabyAI is arXiv
    1810.08272. Words and reading are ours.

    Args:
        level: 1 to 5, see the table.
        task: a level of BabyAI by name, such as ``"BossLevel"``, instead of those of the table; None for those.
        valid_actions: ``"ask"``: ``check valid actions`` lists what can be done, as in AgentBoard; ``"always"``: each
            observation does; ``"never"``.
        render_mode: ``"ansi"`` or None.

    Raises:
        ImportError: if Minigrid is not installed, with the command that installs it.
        ValueError: for a level of BabyAI that Minigrid does not have.
    """

    env_id = "ACB/BabyAI-v0"
    needs = "Minigrid: pip install 'acgym[minigrid]'"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "blocked": "wrong_argument",
        "nothing_there": "wrong_argument",
        "not_in_front": "wrong_order",
        "hands_full": "wrong_order",
        "not_holding": "wrong_order",
        "locked": "wrong_order",
        "failed": "wrong_order",
    }
    unclear_errors = frozenset()
    anchors: ClassVar[Mapping[int, Anchor]] = {}
    live = ("_worlds", "_world")

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        task: str | None = None,
        valid_actions: str = "ask",
        render_mode: str | None = None,
    ) -> None:
        super().__init__(level, render_mode)
        self.valid_actions = checked_choice("valid_actions", valid_actions, ("ask", "always", "never"))
        package("minigrid", "minigrid", TESTED)
        self.names = LEVELS[level] if task is None else (task,)
        known = sorted(key[7:-3] for key in gym.registry if key.startswith("BabyAI-") and key.endswith("-v0"))
        checked_choice("task", self.names[0], known)
        self._plan: list[str] = []

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a level of BabyAI and the seed that Minigrid is reset with."""
        name = draw.pick(self.names)
        seed = 2 * draw.below(2**30) + (split == "train")
        mission = str(self._reset(name, seed).mission)
        return Task(name, mission, {"babyai": name, "seed": seed}, None, source=source_of("minigrid"))

    def _reset(self, name: str, seed: int) -> Any:
        """Return Minigrid's environment of a level, reset; it says on stdout what layouts it threw away."""
        worlds: dict[str, Any] = self.__dict__.setdefault("_worlds", {})
        with contextlib.redirect_stdout(io.StringIO()):
            if name not in worlds:
                worlds[name] = gym.make(f"BabyAI-{name}-v0", disable_env_checker=True).unwrapped
                # The agent hears words of the cells, not an image of them: none is made.
                worlds[name].gen_obs = dict
            worlds[name].reset(seed=seed)
        return worlds[name]

    def open(self) -> Heard:
        """Reset Minigrid."""
        self._plan = []
        self._world = self._reset(self.task.data["babyai"], self.task.data["seed"])
        self._of, self._first = subgoals(self._world.instrs), reached(self._world, self._world.instrs)
        return Heard(describe(self._world))

    def rules(self) -> str:
        """Say the actions."""
        head, mark, tail = RULES.rpartition("You may think first.")
        return f"{head}{self.help_line()}{mark}{tail}"

    def send(self, command: str) -> Heard:
        """Carry an action out, or say why it is none."""
        world, steps = self._world, read_steps(command)
        if steps is None:
            return Heard("That is no action here.", progress=self._best, error="refused")
        error = None
        if steps[0] > 2:
            error = _fault(world, _front(world), steps[0], command)
            if error == "not_in_front":
                return Heard(f"That is not right in front of you.\n{describe(world)}", progress=self._best, error=error)
        reward, begin = 0.0, world.agent_pos
        for number, action in enumerate(steps):
            if number and not _free(world):
                break
            _, reward, ended, cut, _ = world.step(action)
            if ended or cut:
                return self._end(float(reward), bool(ended))
        if steps[0] == 2 and world.agent_pos is begin:
            error = "blocked"
        return Heard(describe(world), float(reward), progress=self._share(), error=error)

    def _end(self, reward: float, ended: bool) -> Heard:
        if ended and reward > 0:
            return Heard("The task is done.", reward, True, 1.0, success=True)
        said = "The task is lost." if ended else "The simulator's own limit of actions is reached."
        return Heard(said, reward, True, self._share(), error="failed" if ended else "truncation")

    def _share(self) -> float:
        count = reached(self._world, self._world.instrs)
        if count == self._first:
            return 0.0
        return (count - self._first) / (self._of - self._first)

    def path(self) -> Sequence[str]:
        """Play BabyAI's bot on a copy of the world as it is, from there to the end."""
        if not self._plan or self._plan[: len(self._sent)] != self._sent[: len(self._plan)]:
            self._plan = [*self._sent, *_joined(_bot(self._world))]
        return self._plan

    def actions(self) -> Sequence[str]:
        """List BabyAI's actions, those left out that would do nothing."""
        world = self._world
        front, found = _front(world), ["turn left", "turn right"]
        if _free(world):
            found.append("move forward 1")
        found += [
            words for action, words in ((3, "pick up"), (4, "drop"), (5, "toggle")) if not _fault(world, front, action)
        ]
        return found

    def random_reply(self, rng: np.random.Generator) -> str:
        """Turn, go or act, each with equal chance."""
        draw = Draw(rng)
        said = ["turn left", "turn right", f"move forward {draw.between(1, 5)}", "pick up", "drop", "toggle"]
        return f"Action: {draw.pick(said)}"


def _front(world: Any) -> Any:
    """Return what is in the cell in front; Minigrid's own ``front_pos`` makes an array, ten times as slow."""
    (x, y), (right, down) = world.agent_pos, _AHEAD[world.agent_dir]
    return world.grid.get(int(x) + right, int(y) + down)


def _free(world: Any) -> bool:
    front = _front(world)
    return front is None or bool(front.can_overlap())


def _fault(world: Any, front: Any, action: int, command: str = "") -> str | None:
    """Return why an action would do nothing, None if it does something."""
    named = _NAMED.search(command.lower()) if action in (3, 4, 5) else None
    if named:
        seen = world.carrying if action == 4 else front
        if seen is None or (seen.color, seen.type) != (named[1].replace("gray", "grey"), named[2]):
            return "not_holding" if action == 4 else "not_in_front"
    if action == 3 and world.carrying is not None:
        return "hands_full"
    if action == 3 and (front is None or not front.can_pickup()):
        return "nothing_there"
    if action == 4 and world.carrying is None:
        return "not_holding"
    if action == 4 and front is not None:
        return "blocked"
    if action == 5 and (front is None or front.type not in ("door", "box")):
        return "nothing_there"
    if action == 5 and front.type == "door" and front.is_locked:
        held = world.carrying
        return None if held is not None and (held.type, held.color) == ("key", front.color) else "locked"
    return None


def _bot(world: Any) -> list[int]:
    """Return what BabyAI's bot does from here to the end, on a copy of the world."""
    bot_module = package("minigrid.utils.baby_ai_bot", "minigrid", TESTED)
    twin, actions = copy.deepcopy(world), []
    del twin.gen_obs  # the bot looks at images
    with contextlib.redirect_stdout(io.StringIO()):
        bot, action, done = bot_module.BabyAIBot(twin), None, False
        while not done:
            action = int(bot.replan(action))
            actions.append(action)
            _, _, ended, cut, _ = twin.step(action)
            done = ended or cut
    return actions


def _joined(actions: Sequence[int]) -> list[str]:
    """Write actions as commands, steps forward joined."""
    words = ("turn left", "turn right", "", "pick up", "drop", "toggle", "done")
    found: list[str] = []
    forward = 0
    for action in (*actions, -1):
        if action == 2:
            forward += 1
            continue
        if forward:
            found.append(f"move forward {forward}")
            forward = 0
        if action >= 0:
            found.append(words[action])
    return found
