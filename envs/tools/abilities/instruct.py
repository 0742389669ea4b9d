"""ACB/ToolInstruct-v0: say a call in a stated form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome, TextEnv
from acgym.envs.spoken import today
from acgym.envs.tools.abilities.base import spread
from acgym.envs.tools.abilities.formats import draw_format, read_formatted, tell_format, write_calls
from acgym.envs.tools.abilities.heuristics import usual_format
from acgym.envs.tools.abilities.replies import FORMS, as_json
from acgym.envs.tools.abilities.values import random_values
from acgym.envs.tools.library.match import share
from acgym.envs.tools.library.model import tools
from acgym.envs.tools.library.request import request
from acgym.types import Anchor, Call, FailureClass, Json, Split, Task

SHAPES = {1: (1, 3, True), 2: (1, 9, True), 3: (2, 9, False), 4: (3, 9, False), 5: (4, 9, False)}
"""Level -> calls, most arguments, whether an example of the form is shown."""
_RULES = "Write the calls below, for the requests beside them, in the form that is stated. Nothing is called by this."


class ToolInstruct(TextEnv):
    """ACB/ToolInstruct-v0: write calls, whose functions and arguments are told, in a stated form.

    What the agent sees: the rules, and for each call a user's request, the function's name and its arguments with their
    values as JSON; then the form of the reply, drawn anew in every episode: at levels 1 and 2 as an example with
    placeholders, from level 3 in sentences alone.

    What it must say: exactly that form. ``form="json"``: an object (a list of them for several calls) with keys for a
    thought, the function and the arguments, called otherwise each time; arguments as an object, as a list of pairs, or
    as JSON text; perhaps a further key with a constant. ``form="string"``: a thought, the function and the arguments
    between marks, the arguments as JSON, as lines, or with semicolons. The thought may be any text that is not empty.

    What earns progress: in the form, the mean over the calls of (function right + arguments right) / (1 + arguments),
    an argument too many counting as one that is wrong. A reply that is not in the form is malformed and earns nothing.
    Success: all is right. ``found``: function names and all values stand in the reply, whatever its form.

    When it ends: with the first reply in the form; at most 3 replies.

    Levels:
        ===== ===== ============ =============================================================
        level calls arguments    the form
        ===== ===== ============ =============================================================
        1     1     1 to 3       an example; arguments as an object
        2     1     any number   an example; arguments in any of three ways
        3     2     any number   in sentences; mostly a key or two more (JSON)
        4     3     any number   in sentences
        5     4     any number   in sentences
        ===== ===== ============ =============================================================

    Args:
        level: 1 to 5.
        form: ``"json"`` or ``"string"``.
        render_mode: ``"ansi"`` or None.

    Errors in ``info["error"]``: ``wrong_tool``, ``wrong_value``, ``unfinished`` (another number of calls).

    Source: generated, MIT. Stands for T-Eval's Instruct (Chen et al. 2023, arXiv 2312.14033) in ACBench's tool use.
    Departs from it: forms vary, several calls in one reply, a reply out of form may be tried again, the form is no half
    of the score but its condition; :func:`acgym.scorers.instruct_score` has the halves.

    Version history: v0, first.
    """

    env_id = "ACB/ToolInstruct-v0"
    capability = "tool calling"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "wrong_value": "wrong_argument",
        "unfinished": "premature_stop",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.000, 0.056),
        2: Anchor(0.001, 0.059),
        3: Anchor(0.000, 0.055),
        4: Anchor(0.000, 0.056),
        5: Anchor(0.000, 0.055),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(1.000, 1.000),
        2: Anchor(0.328, 0.328),
        3: Anchor(0.072, 0.094),
        4: Anchor(0.064, 0.089),
        5: Anchor(0.067, 0.082),
    }

    def __init__(self, level: int = DEFAULT_LEVEL, form: str = "json", render_mode: str | None = None) -> None:
        if form not in FORMS:
            raise ValueError(f"form must be 'json' or 'string', got {form!r}")
        super().__init__(level, render_mode)
        self.form = form

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw calls from what users ask for, and a form."""
        count, most, example = SHAPES[self.level]
        day = today(draw)
        row = draw_format(draw, self.form, self.level)
        blocks, calls, schemas = [], [], []
        for i, tool in enumerate(spread(draw, tools(split), count), 1):
            asks = [ask for ask in tool.asks if len(ask.args) <= most] or tool.asks[:1]
            made = request(draw, split, draw.pick(asks), day, plain=True)
            listed = "".join(f"\n- {name}: {as_json(value)}" for name, value in made.args.items())
            blocks.append(f"Call {i}. Request: {made.text}\nFunction: {tool.name}{listed}")
            calls.append([tool.name, made.args])
            schemas.append(tool.parameters)
        told = tell_format(draw, self.form, row, count, example)
        goal = "\n".join([*blocks, f"The form of the reply:\n{told}"])
        data = {"format": row, "form": self.form, "schemas": schemas}
        return Task("+".join(str(name) for name, _ in calls), goal, data, calls)

    def tell(self) -> str:
        """Say the rules, the calls and the form."""
        return f"{_RULES}\n{self.limit_line()}{self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Read the reply in the stated form and compare its calls."""
        gold = self.task.reference
        calls = read_formatted(self.form, self.task.data["format"], action)
        if calls is None:
            return self.malformed("Your reply is not in the stated form. Read the form once more.", self._holds(action))
        marks, error = [], None
        for i, (name, args) in enumerate(gold):
            if i >= len(calls):
                marks.append(0.0)
                continue
            named = calls[i].name == name
            worth = share(self.task.data["schemas"][i], args, calls[i].arguments)
            marks.append((named + worth * len(args)) / (1 + len(args)))
            if error is None and marks[-1] < 1.0:
                error = "wrong_value" if named else "wrong_tool"
        if error is None and len(calls) != len(gold):
            error = "unfinished"
        progress = sum(marks) / max(len(gold), len(calls))
        told = "That is right." if error is None else "The form is right; not all of the content is."
        return Outcome(told, progress, error is None, True, error=error, found=error is None or self._holds(action))

    def _holds(self, action: str) -> bool:
        """Say whether the names of the functions and all values stand in a reply."""
        plain = action.replace('\\"', '"')
        return all(
            name in plain and all(str(value).casefold() in plain.casefold() for value in _leaves(args))
            for name, args in self.task.reference
        )

    def _written(self, calls: list[Call]) -> str:
        return write_calls(self.form, self.task.data["format"], calls, "This is what the user asked for.")

    def oracle(self) -> str:
        """Write the calls in the form."""
        return self._written([Call(name, args) for name, args in self.task.reference])

    def random_reply(self, rng: np.random.Generator) -> str:
        """Write calls of random functions with random arguments, in the form."""
        draw = Draw(rng)
        names = [tool.name for tool in tools("eval")]
        schemas = self.task.data["schemas"]
        return self._written([Call(draw.pick(names), random_values(draw, schema)) for schema in schemas])

    def heuristic_reply(self) -> str:
        """Copy the calls into the example's keys or marks, or into keys in the order in which they are described."""
        calls: list[Call] = []
        told, _, form = self.observations[0].rpartition("The form of the reply:\n")
        for line in told.split("\n"):
            if line.startswith("Function: "):
                calls.append(Call(line[10:], {}))
            elif line.startswith("- ") and calls:
                name, _, value = line[2:].partition(": ")
                calls[-1] = Call(calls[-1].name, {**calls[-1].arguments, name: json.loads(value)})
        return write_calls(self.form, usual_format(self.form, form), calls, "This is what the user asked for.")


def _leaves(value: Json) -> list[str]:
    """Texts and numbers in a value, as they are written."""
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value] if isinstance(value, str) else [json.dumps(value)]
