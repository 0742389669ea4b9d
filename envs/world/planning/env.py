"""ACB/PDDL-v0: any planning problem of STRIPS, with AgentBoard's progress and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar
from typing import Literal as Choice

import numpy as np

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.envs.world.planning.files import problem_rows
from acgym.envs.world.planning.ground import Action, State, World
from acgym.envs.world.planning.pddl import BadPddl, read_domain, read_problem
from acgym.envs.world.planning.planner import plan
from acgym.envs.world.planning.words import action_words, read_action, rule, sentence, sentences
from acgym.rows import Row, RowEnv
from acgym.text import excerpt
from acgym.types import FailureClass, Task

CHANGES_ONLY = ("barman", "tyreworld")
"""Domains of which AgentBoard tells only what an action changed."""
LOOK, CHECK = "look around", "check valid actions"
INVALID = f'The action is not valid and therefore takes no effect. Say "{CHECK}" to see which are.'


class PDDL(RowEnv):
    """Acts in a world of facts until the goal holds: planning problems read from PDDL files.

    What the agent sees: the rules (each action with what it needs and what it does), the objects, the facts that never
    change, the goal, and the state, all in words. After each action it sees the state again (in AgentBoard's barman and
    tyreworld only what changed).

    What it says: one action, its name and its objects, as ``pick ball1 rooma left``; ``pick(ball1, rooma, left)`` and
    ``Action: pick ball1 rooma left`` are read alike. ``look around`` tells the whole state and ``check valid actions``
    lists what can be done now; both count as a reply.

    What earns progress: with the share f of goal literals that hold, the largest so far, progress is
    (f - f0) / (1 - f0), where f0 is the share at the start, so that silence earns 0. With ``compat="agentboard"`` it is
    f itself, as AgentBoard counts (arXiv 2401.13178, section 3.2): some problems then begin above 0. Success: all goal
    literals hold at once.

    What ends it: success, or the step limit. AgentBoard stops at 30 steps, within which its larger gripper and
    tyreworld problems cannot be solved; here the limit is at least 1.5 times the longest plan of its 60 problems.

    Errors: ``not_applicable`` (a known action whose preconditions do not hold), ``unknown_object`` (too few known
    objects). A reply in which no action is named is malformed.

    The oracle follows a plan found by :mod:`acgym.envs.world.planning.planner`.

    Args:
        path: a problem file, or a folder in which problems are looked for; see
            :func:`acgym.envs.world.planning.files.problem_rows` for how each finds its domain. None for the folder that
            ``acgym data use pddl`` named.
        domain: play only problems of this domain (the name of its file without ``.pddl``); None for all.
        compat: ``"agentboard"`` for its own progress, or None.
        render_mode: ``"ansi"`` or None.

    Raises:
        BadRow: for a file that is not PDDL or uses parts of it that are not read, by file and reason.
        FileNotFoundError: if there is no such path, or none is given or named, saying how to get it.
        ValueError: if there is no problem in it.
    """

    env_id = "ACB/PDDL-v0"
    capability = "real-world applications"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "not_applicable": "wrong_order",
        "unknown_object": "wrong_argument",
    }

    def __init__(
        self,
        path: str | Path | None = None,
        domain: str | None = None,
        compat: Choice["agentboard"] | None = None,
        render_mode: str | None = None,
    ) -> None:
        if compat not in (None, "agentboard"):
            raise ValueError(f"compat must be None or 'agentboard', got {compat!r}")
        self.compat = compat
        self._plan: list[tuple[State, Action]] = []
        """What is left of the oracle's plan, each action with the state in which it is to be taken."""
        place = data_folder("pddl") if path is None else Path(path).expanduser()
        super().__init__(problem_rows(place, domain), render_mode)

    def task_of(self, row: Row) -> Task:
        """Read the problem and its domain."""
        try:
            world = _world(row.value["domain"], row.value["problem"], str(row.file))
        except BadPddl as error:
            raise row.bad(str(error).removeprefix(f"{row.file}: ")) from None
        if world.goals_met(world.start) == len(world.problem.goal):
            raise row.bad("its goal holds from the start")
        goals = [sentence(each) for each in world.problem.goal]
        goal = f"The goal is that {'; '.join(goals)}."
        return Task(row.value["family"], goal, dict(row.value), goals, source=f"PDDL file {row.id}")

    def tell(self) -> str:
        """Open the problem; tell rules, objects, fixed facts, goal and state."""
        data = self.task.data
        world = self._open(_world(data["domain"], data["problem"], data["id"]))
        kinds: dict[str, list[str]] = {}
        for each in world.problem.objects:
            kinds.setdefault(" or ".join(each.types), []).append(each.name)
        things = "\n".join(f"{kind}: {', '.join(sorted(names))}" for kind, names in sorted(kinds.items()))
        fixed = sentences(fact for fact in world.start if fact[0] not in world.moving)
        never = f"\nWhat never changes: {fixed}\n" if fixed else ""
        rules = "\n".join(map(rule, world.domain.actions))
        return (
            "You act in a small world. Reply with one action a turn: its name and its objects, in the order of the "
            f'rules below. "{LOOK}" tells the whole state, "{CHECK}" lists what can be done now.\n'
            f"{self.limit_line()}\nActions:\n{rules}\n\nObjects:\n{things}\n"
            f"{never}\n{self.task.goal}\n\n{self._state_words()}"
        )

    def judge(self, action: str) -> Outcome:
        """Apply an action, or answer a question about the state."""
        said = " ".join(action.lower().split())
        if LOOK in said:
            return Outcome(self._state_words(), self._progress)
        names = {each.name for each in self._world.domain.actions}
        read = read_action(action, names, self._objects)
        if CHECK in said and (read is None or read[0] not in said.partition(CHECK)[0]):
            return Outcome(f"Valid actions are: {', '.join(self._valid())}.", self._progress)
        if read is None:
            return self.malformed(
                f"No action of the rules was found in {excerpt(action)}. Say one by its name and its objects, such as "
                f'"{self._valid()[0] if self._valid() else CHECK}".'
            )
        name, objects = read
        wanted = next(len(each.parameters) for each in self._world.domain.actions if each.name == name)
        if len(objects) < wanted:
            return self.mistake(
                f'"{name}" takes {wanted} objects, {len(objects)} of this world were named.', "unknown_object"
            )
        done = self._world.actions.get((name, objects[:wanted]))
        if done is None or not done.applicable(self._state):
            return self.mistake(INVALID, "not_applicable")
        return self._do(done)

    def oracle(self) -> str:
        """Return the next action of a plan; a plan is made when there is none or the state left it."""
        if not self._plan or self._plan[0][0] != self._state:
            self._plan = _with_states(plan(self._world, self._state) or [], self._state)
        return action_words(self._plan[0][1].name, self._plan[0][1].arguments) if self._plan else CHECK

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return one of the actions that can be done now."""
        valid = self._valid()
        return valid[int(rng.integers(len(valid)))] if valid else LOOK

    def _open(self, world: World) -> World:
        self._world, self._state = world, world.start
        self._objects = {each.name for each in world.problem.objects}
        self._plan = []
        self._first = world.goals_met(world.start)
        self._best = self._first
        return world

    def _do(self, action: Action) -> Outcome:
        before, self._state = self._state, action.apply(self._state)
        if self._plan and self._plan[0][1] == action:
            self._plan.pop(0)
        goals = len(self._world.problem.goal)
        met = self._world.goals_met(self._state)
        self._best = max(self._best, met)
        least = 0 if self.compat else self._first
        progress = (self._best - least) / (goals - least)
        told = self._changes(before) if self.task.kind in CHANGES_ONLY else self._state_words()
        if met == goals:
            return Outcome(f"{told} The goal is reached.", 1.0, success=True, terminated=True)
        return Outcome(told, progress)

    def _state_words(self) -> str:
        return f"State: {sentences(fact for fact in self._state if fact[0] in self._world.moving)}"

    def _changes(self, before: State) -> str:
        told = sentences(self._state - before)
        return told or "No fact became true."

    def _valid(self) -> list[str]:
        return [action_words(each.name, each.arguments) for each in self._world.applicable(self._state)]


def _with_states(steps: Sequence[Action], state: State) -> list[tuple[State, Action]]:
    """Put before each step the state in which it is taken."""
    found = []
    for action in steps:
        found.append((state, action))
        state = action.apply(state)
    return found


@lru_cache(maxsize=64)
def _world(domain: str, problem: str, where: str) -> World:
    rules = read_domain(domain, f"{where}: its domain")
    return World(rules, read_problem(problem, rules, where))
