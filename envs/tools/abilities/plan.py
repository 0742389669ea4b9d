"""ACB/ToolPlan-v0: which calls reach a goal, in which order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome, TextEnv
from acgym.envs.spoken import today
from acgym.envs.tools.abilities.base import dated, numbered, spread
from acgym.envs.tools.abilities.heuristics import mentioned
from acgym.envs.tools.abilities.ordering import ordered
from acgym.envs.tools.abilities.replies import FORMS, Form, read_names
from acgym.envs.tools.library.model import Goal, Tool, domains, goals
from acgym.envs.tools.library.request import speakers, whole
from acgym.envs.tools.library.words import Words
from acgym.types import Anchor, FailureClass, Json, Split, Task

SHAPES = {1: (1, 2, 3, 1), 2: (1, 2, 9, 3), 3: (1, 3, 9, 99), 4: (2, 2, 9, 99), 5: (3, 2, 9, 99)}
"""Level -> goals, fewest and most steps of each, further tools of its domain that are shown."""
_RULES = """\
Plan the calls that do what is wanted, with the tools below.
List every call that is needed, and no other, in an order in which they can be made: a call that uses what another one
returns comes after it. List a tool twice if it must be called twice. Where something is wanted under a condition only,
plan for the case that the condition holds. Arguments are not asked for. Call nothing."""
_HOW = {
    "json": 'Reply with one JSON list of the names of the tools, such as ["first_tool", "second_tool"].',
    "string": "Reply with one tool's name on each line, such as\n1: first_tool\n2: second_tool",
}


class ToolPlan(TextEnv):
    """ACB/ToolPlan-v0: list the tool calls that reach a goal, in an order in which they can be made.

    What the agent sees: the rules, the day, the tools by name, description, parameters and what they return, and what a
    user wants, in the user's words. Ids that later calls need come from the results of earlier ones, which is not told:
    it follows from what the tools take and return.

    What it must say: ``form="json"``: a JSON list of names (or of objects with ``name``); ``form="string"``: a name on
    each line, numbered or not.

    What earns progress: F1 of the longest part of the plan that keeps to the order: 2k / (calls said + calls needed),
    k being the most calls, each one that is needed, no two of which stand in an order that cannot be. Success: the
    calls needed, no others, in any order that can be. ``found``: those calls in whatever order and form.

    When it ends: with the first reply that names a tool; at most 3 replies.

    Levels:
        ===== ======= ============ =========================================
        level goals   steps each   tools
        ===== ======= ============ =========================================
        1     1       2 to 3       those needed and 1 other
        2     1       2 and more   those needed and 3 others
        3     1       3 and more   all of the domain
        4     2       2 and more   all of two domains
        5     3       2 and more   all of three domains
        ===== ======= ============ =========================================

    Args:
        level: 1 to 5.
        form: ``"json"`` or ``"string"``.
        render_mode: ``"ansi"`` or None.

    Errors in ``info["error"]``: ``wrong_order`` (the right calls, in an order that cannot be), ``missing_call`` (and no
    call too many), ``extra_call`` (a call too many), ``unknown_tool``.

    Source: generated, MIT. Stands for T-Eval's Plan (Chen et al. 2023, arXiv 2312.14033) in ACBench's tool use. Departs
    from it: every order that can be made counts, calls are compared exactly, arguments are not asked for.

    Version history: v0, first.
    """

    env_id = "ACB/ToolPlan-v0"
    capability = "tool calling"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "missing_call": "premature_stop",
        "extra_call": "wrong_tool",
        "unknown_tool": "wrong_tool",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.062, 0.646),
        2: Anchor(0.004, 0.480),
        3: Anchor(0.001, 0.312),
        4: Anchor(0.000, 0.228),
        5: Anchor(0.000, 0.178),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.244, 0.765),
        2: Anchor(0.068, 0.672),
        3: Anchor(0.021, 0.577),
        4: Anchor(0.000, 0.552),
        5: Anchor(0.000, 0.540),
    }

    def __init__(self, level: int = DEFAULT_LEVEL, form: str = "json", render_mode: str | None = None) -> None:
        if form not in FORMS:
            raise ValueError(f"form must be 'json' or 'string', got {form!r}")
        super().__init__(level, render_mode)
        self.form: Form = "json" if form == "json" else "string"

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw goals of different domains and the tools that are shown."""
        count, least, most, others = SHAPES[self.level]
        day = today(draw)
        shown: list[Tool] = []
        said, steps = [], []
        voices = spread(draw, speakers(split), count)
        for i, goal in enumerate(_goals(draw, split, count, least, most)):
            words = Words(draw, goal.domain.slots, day)
            said.append(whole(draw, voices[i], goal, words))
            steps += [[s.tool, f"{i}.{s.id}", [f"{i}.{need}" for need in s.needs]] for s in goal.steps]
            used = {step.tool for step in goal.steps}
            rest = [tool for tool in goal.domain.tools if tool.name not in used]
            shown += [tool for tool in goal.domain.tools if tool.name in used]
            shown += draw.sample(rest, min(others, len(rest)))
        docs = "\n".join(tool.signature for tool in draw.shuffled(shown))
        wish = said[0] if count == 1 else numbered(said)
        who = "The user wants" if count == 1 else f"{count} users want"
        goal_text = dated(day, f"Tools:\n{docs}\n{who}:\n{wish}")
        kind = f"{len(steps)} calls"
        return Task(kind, goal_text, {"names": sorted(tool.name for tool in shown)}, {"steps": steps})

    def tell(self) -> str:
        """Say the rules, the tools and the goal."""
        return f"{_RULES}\n{_HOW[self.form]}\n{self.limit_line()}{self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Compare the plan with the calls that are needed."""
        steps = self.task.reference["steps"]
        names = self.task.data["names"]
        said = read_names(action, self.form, names)
        wanted = sorted(step[0] for step in steps)
        if not said:
            other = read_names(action, "string" if self.form == "json" else "json", names)
            how = 'a JSON list such as ["some_tool"]' if self.form == "json" else "lines such as 1: some_tool"
            return self.malformed(f"Your reply holds no plan that can be read. Write {how}.", sorted(other) == wanted)
        kept = ordered([step[0] for step in steps], _closed(steps), said)
        progress = 2 * kept / (len(said) + len(steps))
        found = sorted(said) == wanted
        if found and kept == len(steps):
            return Outcome("That is right.", 1.0, True, True, found=True)
        error = "wrong_order" if found else "missing_call"
        if not set(said) <= set(names):
            error = "unknown_tool"
        elif Counter(said) - Counter(wanted):
            error = "extra_call"
        return Outcome("That is not all right.", progress, terminated=True, error=error, found=found)

    def oracle(self) -> str:
        """Write the calls in the order in which the library lists them."""
        return self._written([step[0] for step in self.task.reference["steps"]])

    def _written(self, names: list[str]) -> str:
        return json.dumps(names) if self.form == "json" else "\n".join(f"{i}: {n}" for i, n in enumerate(names, 1))

    def random_reply(self, rng: np.random.Generator) -> str:
        """List some of the tools in random order."""
        draw, names = Draw(rng), self.task.data["names"]
        return self._written(draw.sample(names, draw.between(2, min(6, len(names)))))

    def heuristic_reply(self) -> str:
        """For each clause of the goal, the tool that shares most rare words with it."""
        return self._written(mentioned(self.observations[0]))


@cache
def _fitting(split: Split, least: int, most: int) -> tuple[Goal, ...]:
    return tuple(goal for goal in goals(split) if least <= len(goal.steps) <= most and not goal.branches)


def _goals(draw: Draw, split: Split, count: int, least: int, most: int) -> list[Goal]:
    """Draw goals with so many steps, of different domains if there are enough."""
    fitting = _fitting(split, least, most)
    if count == 1:
        return [draw.pick(fitting)]
    found: dict[str, Goal] = {}
    while len(found) < min(count, len(domains(split))):
        goal = draw.pick(fitting)
        found.setdefault(goal.domain.name, goal)
    return spread(draw, list(found.values()), len(found))


def _closed(steps: Json) -> list[set[int]]:
    """Return, for each step, the places of all steps that must come before it."""
    place = {step[1]: i for i, step in enumerate(steps)}
    before: list[set[int]] = []
    for _, _, needs in steps:
        direct = {place[need] for need in needs}
        before.append(direct.union(*(before[i] for i in direct)))
    return before
