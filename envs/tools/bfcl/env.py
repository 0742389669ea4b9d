"""ACB/BFCL: rows of the Berkeley Function-Calling Leaderboard v4, judged as the leaderboard judges them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from acgym.data.cache import data_folder
from acgym.draw import Draw
from acgym.env import Outcome
from acgym.envs.tools.bfcl.dialogue import Dialogue, set_up
from acgym.envs.tools.bfcl.files import (
    Category,
    category_of,
    check_dialogue,
    check_single,
    read_category,
    read_extension,
)
from acgym.envs.tools.bfcl.gold import gold_calls
from acgym.envs.tools.bfcl.replies import calls_in, gold_call, looks_broken
from acgym.envs.tools.bfcl.tools import random_arguments, tool_spec
from acgym.rows import Row, RowEnv
from acgym.scorers.bfcl import match
from acgym.text import NotJson, read_json
from acgym.types import Call, Json, Task, ToolSpec, calls_to_action

STEP_LIMIT = 20
"""Replies with calls that one turn may have; the leaderboard ends the dialogue after one more."""
MAX_CALLS = 100
"""Calls of one reply that are run; more are answered as malformed. No gold turn has more than 34."""
MAX_TOLD_CHARS = 2_000_000
"""Characters of results that one reply is told; what does not fit is left out, though it was run."""
SOURCE = "Berkeley Function-Calling Leaderboard v4 (Apache-2.0)"
_MORE_TOOLS = "There are more tools now, and the request stands."


class BFCL(RowEnv):
    """ACB/BFCL-v0: the Berkeley Function-Calling Leaderboard v4.

    What the agent sees: the row's messages, and the row's functions as tools. Nothing is said about the form of a
    reply: that is the agent's own tool-call syntax, as in the leaderboard's function-calling mode.

    What it must say: one tool call, or several at once (a list in canonical call JSON); or calls as text,
    ``[f(a=1), g(b="x")]`` or one to a line, fenced or not. A reply without calls is a reply in words.

    Single-turn categories end with the first reply. Its calls must match the gold answer: function, required
    parameters, types, one of the right values for each parameter, number of calls; parallel calls in any order
    (:mod:`acgym.scorers.bfcl`). In ``irrelevance`` no call is right, in ``live_relevance`` any call.

    Multi-turn categories are dialogues with simulated services (files, travel, a car, trading, postings, messages,
    tickets, maths). Calls are run and answered; a reply without calls ends the turn. After each turn in which the gold
    run calls anything, states must be equal and gold's responses among the model's
    (:class:`acgym.envs.tools.bfcl.dialogue.Dialogue`); a wrong turn ends the episode. More than 20 replies with calls
    in one turn end it too. In ``multi_turn_miss_func`` tools come later, as a turn of their own; in
    ``multi_turn_miss_param`` the request first lacks something that the agent must ask for.

    What earns progress: single-turn, 1 for a match; multi-turn, the share of the turns with gold calls that were
    right. Success is the leaderboard's verdict on the row.

    Errors in ``info["error"]``: ``no_call``, ``called_although_irrelevant``, ``wrong_count``, ``wrong_function``,
    ``missing_parameter``, ``unexpected_parameter``, ``wrong_type``, ``wrong_value``; multi-turn: ``empty_turn``
    (no call where one is needed), ``state_mismatch``, ``response_mismatch``, ``too_many_steps``.

    Args:
        category: name of a v4 file without ``BFCL_v4_``, such as ``"simple_python"`` or ``"multi_turn_base"``.
        path: folder with the files; None for what ``acgym data get bfcl`` fetched.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if the data is not here, saying how to get it.
        ValueError: for a category that does not exist or cannot be played (``web_search``, ``memory``), or a malformed
            row (:class:`acgym.rows.BadRow`).

    Source: Patil et al., The Berkeley Function Calling Leaderboard, ICML 2025; data and rules of bfcl-eval 2026.3.23
    (Apache-2.0). The rows are public: a model may have been trained on them, which moves its score more than the
    difference between it and its compressed self.

    Versions: v0, first.
    """

    env_id = "ACB/BFCL-v0"
    capability = "tool calling"
    error_kinds = {  # noqa: RUF012  (declared ClassVar by the base)
        "no_call": "premature_stop",
        "empty_turn": "premature_stop",
        "called_although_irrelevant": "wrong_tool",
        "wrong_function": "wrong_tool",
        "wrong_count": "wrong_tool",
        "missing_parameter": "wrong_argument",
        "unexpected_parameter": "wrong_argument",
        "wrong_type": "wrong_argument",
        "wrong_value": "wrong_argument",
        "state_mismatch": "wrong_argument",
        "response_mismatch": "wrong_argument",
        "too_many_steps": "truncation",
    }
    unclear_errors = frozenset(("state_mismatch", "response_mismatch"))

    def __init__(
        self, category: str = "simple_python", path: str | None = None, render_mode: str | None = None
    ) -> None:
        self.category: Category = category_of(category)
        folder = data_folder("bfcl", path)
        self._extension: Mapping[str, Json] | None = None
        if self.category.name == "multi_turn_long_context":
            self._extension = read_extension(folder)
            if not self._extension:
                raise FileNotFoundError(f"{folder} has no long_context.txt, which lengthens this category's texts")
        self._specs: dict[int, ToolSpec] = {}
        super().__init__(read_category(self.category, folder), render_mode)

    def check_row(self, row: Row) -> None:
        """Check a row; its tools are described when it is played."""
        if self.category.judge == "state":
            check_dialogue(row)
            _gold(row)
            set_up(row, self._extension)
        else:
            check_single(row, self.category)

    def task_of(self, row: Row) -> Task:
        """Return the task of a row that was checked."""
        if self.category.judge == "state":
            return _dialogue_task(row, self.category, self._specs)
        functions = row.value["function"]
        tools = tuple(tool_spec(function, self.category.language) for function in functions)
        data = {"category": self.category.name, "question": row.value["question"], "functions": functions}
        goal = _said(row.value["question"][0])
        return Task(self.category.name, goal, data, row.value.get("ground_truth"), tools, SOURCE)

    @property
    def silence_may_score(self) -> bool:
        """True where no call is right, and where any call is."""
        return self.category.judge in ("no_call", "any_call")

    def tell(self) -> str:
        """Open the services of a dialogue, and say the first messages."""
        self._right = 0
        self._steps = 0
        if self.category.judge != "state":
            return self.task.goal
        data = self.task.data
        self._gold = [[Call(name, args) for name, args in turn] for turn in self.task.reference]
        self._dialogue = Dialogue(data, self._gold, self._extension)
        return self._turn_words()

    def judge(self, action: str) -> Outcome:
        """Judge the one reply, or run its calls, or end the turn."""
        calls = calls_in(action, self.category.language)
        if self.category.judge != "state":
            error = self._single_error(calls)
            told = "Right." if error is None else f"Not right: {error.replace('_', ' ')}."
            broken = not calls and error is not None and looks_broken(action)
            return Outcome(told, float(error is None), error is None, True, broken, error)
        return self._call(calls) if calls else self._end_turn(looks_broken(action))

    def _single_error(self, calls: tuple[Call, ...]) -> str | None:
        if self.category.judge == "no_call":
            return "called_although_irrelevant" if calls else None
        if not calls:
            return "no_call"
        if self.category.judge == "any_call":
            return None
        data = self.task.data
        fault = match(calls, data["functions"], self.task.reference, self.category.kind, self.category.language)
        return None if fault is None else fault.kind

    def _call(self, calls: tuple[Call, ...]) -> Outcome:
        if len(calls) > MAX_CALLS:
            return self.malformed(f"Your reply has {len(calls)} tool calls; at most {MAX_CALLS} are run.")
        told = _within(self._dialogue.call(calls), MAX_TOLD_CHARS)
        self._steps += 1
        over = self._steps > STEP_LIMIT
        # ASCII only: a result may hold half of a surrogate pair that a model wrote.
        observation = json.dumps(told if len(told) > 1 else told[0])
        return Outcome(observation, self._progress, terminated=over, error="too_many_steps" if over else None)

    def _end_turn(self, broken: bool) -> Outcome:
        dialogue = self._dialogue
        judged = bool(dialogue.gold[dialogue.turn])
        error = dialogue.end_turn()
        self._steps = 0
        self._right += judged and error is None
        progress = self._right / sum(bool(turn) for turn in dialogue.gold)
        if error is not None:
            told = f"Not right in turn {dialogue.turn}: {error.replace('_', ' ')}."
            return Outcome(told, progress, terminated=True, malformed=broken, error=error)
        if dialogue.over:
            return Outcome("Right.", progress, success=True, terminated=True)
        return Outcome(self._turn_words(), progress)

    def _turn_words(self) -> str:
        """Say the messages of the turn, or the tools that come with it."""
        turn = self._dialogue.turn
        later = self.task.data["later_functions"].get(str(turn))
        if later is None:
            return _said(self.task.data["question"][turn])
        return f"{_MORE_TOOLS} {json.dumps([tool_spec(function) for function in later])}"

    def oracle(self) -> str:
        """Return gold's calls, all of a turn at once, then a word that ends the turn."""
        if self.category.judge == "state":
            calls = self._gold[self._dialogue.turn]
            return calls_to_action(tuple(calls)) if calls and not self._dialogue.called else "Done."
        if self.category.judge == "no_call":
            return "None of the tools can do that."
        functions = self.task.data["functions"]
        if self.category.judge == "any_call":
            return calls_to_action((Call(functions[0]["name"], {}),))
        return calls_to_action(gold_calls(functions, self.task.reference, self.category.language))

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a call of a random tool with random arguments, or, one time in five, no call."""
        draw = Draw(rng)
        if draw.chance(0.2) or not self.task.tools:
            return "Done."
        function = draw.pick(self.task.tools)["function"]
        return calls_to_action((Call(function["name"], random_arguments(draw, function["parameters"])),))


def _gold(row: Row) -> list[list[Call]]:
    """Parse the gold calls of a dialogue's row."""
    parameters = {one["name"]: list(one["parameters"]["properties"]) for one in row.value["function"]}
    try:
        return [[gold_call(text, parameters) for text in turn] for turn in row.value["ground_truth"]]
    except ValueError as error:
        raise row.bad(f"its gold answer is malformed: {error}") from None


def _dialogue_task(row: Row, category: Category, specs: dict[int, ToolSpec]) -> Task:
    """Return the task of a dialogue's row; ``specs`` keeps the tools of functions, which rows share, by identity."""
    value = row.value
    functions = value["function"]
    missed = value.get("missed_function", {})
    later = {turn: [one for one in functions if one["name"] in held] for turn, held in missed.items()}
    missing = {function["name"] for held in later.values() for function in held}
    data = {
        "category": category.name,
        "question": value["question"],
        "initial_config": value["initial_config"],
        "involved_classes": value["involved_classes"],
        "later_functions": later,
    }
    for function in functions:
        if id(function) not in specs:
            specs[id(function)] = tool_spec(function)
    tools = tuple(specs[id(function)] for function in functions if function["name"] not in missing)
    reference = [[[call.name, dict(call.arguments)] for call in turn] for turn in _gold(row)]
    return Task(category.name, _said(value["question"][0]), data, reference, tools, SOURCE)


def _said(messages: list[dict[str, Any]]) -> str:
    """Return the messages of a turn as one text; who speaks is said where it is not only a system and a user."""
    roles = [message.get("role", "user") for message in messages]
    if all(role in ("system", "user") for role in roles):
        return "\n\n".join(message["content"] for message in messages)
    return "\n\n".join(f"{role}: {message['content']}" for role, message in zip(roles, messages, strict=True))


def _within(responses: list[str], most: int) -> list[Json]:
    """Return responses as they are told, those that do not fit left out."""
    told: list[Json] = []
    for response in responses:
        most -= len(response)
        told.append(_shown(response) if most >= 0 else "(left out: the results are too long)")
    return told


def _shown(response: str) -> Json:
    """Return a response as JSON, if it is an object, so that no text is quoted twice."""
    try:
        return read_json(response) if response.startswith("{") else response
    except NotJson:
        return response
