"""What the environments of tau2-bench have in common: how a reply's calls are run, and when the task is judged."""

from __future__ import annotations

import json
from abc import abstractmethod
from dataclasses import replace

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome
from acgym.envs.tools.bfcl.tools import random_arguments
from acgym.envs.tools.tau2_refused import Refused
from acgym.rows import RowEnv
from acgym.text import excerpt
from acgym.tool_calls import read_calls
from acgym.types import Call, Json, calls_to_action

MAX_CALLS = 20
"""Calls of one reply that are run; a reply with more is malformed. The policy asks for one at a time."""
DONE = "done"
"""The call that ends the episode."""
NO_CALL = 'That is no tool call. Write {"name": ..., "arguments": {...}}.'


class Tau2Env(RowEnv):
    """A domain of tau2-bench, played without a simulated user and without a judge model.

    A subclass supplies the domain: which tools there are and what they do (``fault``, ``run``), what a reply in words
    does (``hear``), and the data's verdict. Its ``tell`` calls :meth:`begin` when its state is set up. The task's
    reference is the gold list of calls, each ``[name, arguments]``.
    """

    capability = "tool calling"
    solved = ""
    """What the agent is told at the end of a solved task."""
    unsolved = ""
    """And of one that is not."""
    _silence_scores = False

    @abstractmethod
    def fault(self, call: Call) -> str | None:
        """Say in one sentence why a call does not fit its tool's parameters; None if it does.

        Raises:
            KeyError: if there is no such tool.
        """

    @abstractmethod
    def run(self, call: Call) -> Json:
        """Run a call that fits and return what it shows.

        Raises:
            Refused: if it cannot be carried out; nothing has changed then.
        """

    @abstractmethod
    def hear(self, words: str) -> Outcome:
        """Take a reply in which no call was found."""

    @abstractmethod
    def verdict(self) -> str | None:
        """Return None if the task is solved as it stands, else the kind of error."""

    @property
    def silence_may_score(self) -> bool:
        """Whether the task under way is solved as it begins."""
        return self._silence_scores

    def begin(self) -> None:
        """Note that no call was made yet, and whether the task asks for none."""
        self._called: list[Call] = []
        self._gold_made = 0
        self._silence_scores = self.verdict() is None

    def judge(self, action: str) -> Outcome:
        """Run the calls of a reply; judge the task when it ends, or when no step is left."""
        outcome = self._reply(action)
        last = self.max_steps is not None and len(self.replies) + 1 >= self.max_steps
        if last and not outcome.terminated and self.verdict() is None:
            return replace(outcome, progress=1.0, success=True, terminated=True)
        return outcome

    def _reply(self, action: str) -> Outcome:
        calls = read_calls(action)
        if not calls:
            return self.hear(action)
        if len(calls) > MAX_CALLS:
            return self.malformed(f"Your reply has {len(calls)} tool calls; at most {MAX_CALLS} are run.")
        told: list[Json] = []
        first: str | None = None
        for call in calls:
            if call.name == DONE:
                return self.end()
            shown, error = self._call(call)
            told.append(shown)
            first = first or error
        return Outcome(json.dumps(told if len(told) > 1 else told[0]), 0.0, error=first)

    def _call(self, call: Call) -> tuple[Json, str | None]:
        """Run a call; return what it shows, and the kind of its error."""
        try:
            reason = self.fault(call)
        except KeyError:
            return {"error": f"there is no tool {excerpt(call.name)}"}, "unknown_tool"
        self._called.append(call)
        gold = self.task.reference
        if self._gold_made < len(gold) and [call.name, dict(call.arguments)] == gold[self._gold_made]:
            self._gold_made += 1
        if reason is not None:
            return {"error": reason}, "bad_argument"
        try:
            return self.run(call), None
        except Refused as error:
            return {"error": str(error)[:500]}, "refused"

    def end(self) -> Outcome:
        """End the episode with the verdict."""
        error = self.verdict()
        right = error is None
        return Outcome(self.solved if right else self.unsolved, float(right), right, terminated=True, error=error)

    def next_gold(self) -> str | None:
        """Return the gold call that is due, as an action; None when all were made."""
        gold = self.task.reference
        if self._gold_made == len(gold):
            return None
        name, arguments = gold[self._gold_made]
        return calls_to_action((Call(name, arguments),))

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a call of a random tool, ``done`` among them, with random arguments."""
        draw = Draw(rng)
        function = draw.pick(self.task.tools)["function"]
        return calls_to_action((Call(function["name"], random_arguments(draw, function["parameters"])),))
