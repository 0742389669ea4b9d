"""Workflow execution: carry a plan out step by step, where steps have preconditions and some fail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome, TextEnv
from acgym.envs.workflow.anchors import ANCHORS, HEURISTIC_ANCHORS
from acgym.envs.workflow.decompose import (
    DONE,
    NOT_NEEDED,
    SIZES,
    UNKNOWN,
    as_written,
    draw_done,
    draw_list,
    fitting,
    known,
    meant,
    say_task,
)
from acgym.envs.workflow.guess import guess_step
from acgym.envs.workflow.library import SCENARIOS, Failure, Goal
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Split, Task

ANY = "any"
"""All scenarios, each equally likely."""
MISTAKES = 3
"""So many mistakes end the episode."""
FAILURES = {1: 0, 2: 1, 3: 1, 4: 2, 5: 2}
"""How many failures a level has at most, if the goal has so many among its steps."""

_RULES = """\
Carry the task out, one line of the list in each reply. Reply with "Do:" and the line{names}, for example
Do: {example}
A line can be done when all that must come before it has been done. Something may go wrong: then you are told what
happened, and what has to be done again.{twins}
A line that is not needed, or comes too early, is a mistake, and the third mistake ends the task.
"""
_TWINS = " Some lines say the same in different words: one of the two is enough."
_NUMBER = r"[ \t>*_`#•–-]*(?:\(?\d{1,2}[.):][ \t*_`]*)?"
"""A bullet, a number, or both, as in a list."""
_DO = re.compile(
    rf"^{_NUMBER}(?:do|action|step|call)(?:[ \t]{{0,3}}\d{{1,2}})?[ \t*_`]*[:：](.*)$", re.IGNORECASE | re.MULTILINE
)
_LISTED = re.compile(rf"\A{_NUMBER}")


class WorkflowRun(TextEnv):
    """ACB/WorkflowRun-v0: reach a goal by doing its steps one by one, and recover when a step fails.

    What the agent sees: a goal, question, request or room of the library behind ``ACB/Workflow-v0``, what has been
    done, and a shuffled list of steps, some of which do not belong. Nothing says what a step needs. After each reply it
    is told what happened. A step may fail once, with a reason in words that says what has to be done again ("the tube
    bulges out beside the rim"): those steps are undone, and the failed one is not done.

    What it must say: one line ``Do: STEP`` in each reply, the step word for word; any wording of the library is
    accepted, of a function the name. The last such line counts; a reply that is nothing but a step is read too. Bullets
    and numbers before ``Do:`` or before the step do not count.

    What earns progress: the largest share of the steps that were done at one time. Success is that all are done.

    When it ends: when all steps are done, or with the third mistake. A mistake is a step that is not needed, or one
    that comes before a step that it needs. Doing again what is done, or naming a step that is not there, changes
    nothing and is no mistake.

    Levels: the table of :class:`acgym.envs.workflow.scenarios.WorkflowOpen` (4 to 12 steps), and failures: none at
    level 1, one at levels 2 and 3, up to two at levels 4 and 5. Which steps fail is drawn with the task.

    Errors in ``info["error"]``: ``"too_early"``, ``"extra_step"``, ``"unknown_step"``, ``"repeated_step"``.

    Splits share no goal.

    Args:
        level: 1 to 5.
        scenario: ``"any"`` (each equally likely), ``"function_call"``, ``"problem_solving"``, ``"embodied"`` or
            ``"open_grounded"``.
        render_mode: ``"ansi"`` or None.

    Raises:
        ValueError: for another scenario.

    Source: WorfBench (arXiv 2410.07869) asks for workflows and does not run them; this plays the run. The library was
    written for it (MIT).

    Versions: v0, first.
    """

    env_id = "ACB/WorkflowRun-v0"
    capability = "workflow generation"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "too_early": "wrong_order",
        "extra_step": "wrong_tool",
        "unknown_step": "wrong_tool",
        "repeated_step": "loop",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = ANCHORS["run"]
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = HEURISTIC_ANCHORS["run"]

    def __init__(self, level: int = DEFAULT_LEVEL, scenario: str = ANY, render_mode: str | None = None) -> None:
        if scenario not in (ANY, *SCENARIOS):
            raise ValueError(f"scenario must be one of {', '.join((ANY, *SCENARIOS))}, got {scenario!r}")
        super().__init__(level, render_mode)
        self.scenario = scenario

    @property
    def anchor(self) -> Anchor | None:
        """What ``random_reply`` scores at this level; not measured for a single scenario."""
        return self.anchors.get(self.level) if self.scenario == ANY else None

    @property
    def heuristic_anchor(self) -> Anchor | None:
        """What ``heuristic_reply`` scores at this level; not measured for a single scenario."""
        return self.heuristic_anchors.get(self.level) if self.scenario == ANY else None

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a goal, what fails, what has been done, and the list of steps."""
        scenario = draw.pick(SCENARIOS) if self.scenario == ANY else self.scenario
        goal = draw.pick(fitting(scenario, split, self.level))
        failures = draw.sample(goal.failures, min(FAILURES[self.level], len(goal.failures)))
        count = len(goal.steps) - draw.between(*SIZES[self.level].steps)
        done = draw_done(draw, goal, count, _open(goal, failures))
        data = draw_list(draw, split, self.level, scenario, goal, done)
        place = {number: step for step, number in enumerate(data["numbers"])}
        data["failures"] = [[place[each.at], [place[number] for number in each.redo], each.says] for each in failures]
        said = draw.pick(goal.says)
        return Task(f"{scenario}: {goal.name}", said, data, None)

    def tell(self) -> str:
        """Set everything back, say the rules, the goal and the list."""
        data = self.task.data
        self._names = known(data)
        self._done: set[int] = set()
        self._failed: set[int] = set()
        self._mistakes = 0
        self._most = 0
        functions = data["scenario"] == "function_call"
        twice = sum(step >= 0 for step in data["is"]) > len(data["steps"])
        rules = _RULES.format(
            names="'s function by its name" if functions else ", word for word",
            example="first_function" if functions else "first step",
            twins=_TWINS if twice else "",
        )
        return f"{rules}{self.limit_line()}{say_task(self.task)}"

    def judge(self, action: str) -> Outcome:
        """Do the step that was named, if it can be done."""
        said = _DO.findall(action)
        scenario = self.task.data["scenario"]
        line = said[-1] if said else action.strip()
        step = meant(line, self._names, scenario)
        if step == UNKNOWN:
            step = meant(_LISTED.sub("", line.strip(), count=1), self._names, scenario)
        if step == UNKNOWN:
            if not said:
                return self.malformed('Reply with one line that begins with "Do:" and names a line of the list.')
            return self.mistake(f"{excerpt(said[-1].strip())} is not in the list.", "unknown_step")
        if step == DONE or step in self._done:
            return self.mistake("That has been done.", "repeated_step")
        if step == NOT_NEEDED:
            return self._wrong("That is not needed.", "extra_step")
        if not self._done.issuperset(self.task.data["after"][step]):
            return self._wrong("That is too early: something that must come before it is not done.", "too_early")
        for number, (at, redo, says) in enumerate(self.task.data["failures"]):
            if at == step and number not in self._failed:
                self._failed.add(number)
                self._done.difference_update(redo)
                return Outcome(f"It did not work. {says}", self._progress)
        self._done.add(step)
        self._most = max(self._most, len(self._done))
        needed = len(self.task.data["steps"])
        if len(self._done) == needed:
            return Outcome("Done. That was the last step.", 1.0, success=True, terminated=True)
        return Outcome("Done.", self._most / needed)

    def _wrong(self, sentence: str, kind: str) -> Outcome:
        """Count a mistake."""
        self._mistakes += 1
        if self._mistakes == MISTAKES:
            return Outcome(f"{sentence} It was the third mistake.", self._progress, terminated=True, error=kind)
        return self.mistake(sentence, kind)

    def oracle(self) -> str:
        """Do the first step of the library's order that is not done."""
        data = self.task.data
        step = next(step for step in range(len(data["steps"])) if step not in self._done)
        return f"Do: {as_written(data, step)}"

    def heuristic_reply(self) -> str:
        """Go through a guessed order; see :func:`acgym.envs.workflow.guess.guess_step`."""
        return guess_step(self.observations, self.replies)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Do any line of the list that was not named before."""
        data = self.task.data
        lines = (
            [line.partition(":")[0] for line in data["listed"]]
            if data["scenario"] == "function_call"
            else data["listed"]
        )
        left = [line for line in lines if f"Do: {line}" not in self.replies] or lines
        return f"Do: {left[int(rng.integers(len(left)))]}"


def _open(goal: Goal, failures: list[Failure]) -> frozenset[int]:
    """List the steps that cannot have been done when the episode begins: those that fail or have to be redone."""
    return frozenset(number for each in failures for number in (each.at, *each.redo))
