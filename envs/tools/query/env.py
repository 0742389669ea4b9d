"""ACB/ToolQuery: a question about an in-memory database, answered through read-only functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.tools.query.answer import holds, said_right
from acgym.envs.tools.query.asked import Asked, Missing, call_key
from acgym.envs.tools.query.evaluate import answer_of
from acgym.envs.tools.query.evidence import Evidence
from acgym.envs.tools.query.functions import DOMAINS, run, tools
from acgym.envs.tools.query.heuristic import overlap
from acgym.envs.tools.query.schema import Domain, Pick
from acgym.envs.tools.query.tasks import draw_question
from acgym.envs.tools.schema import random_arguments, whole
from acgym.envs.tools.turns import MAX_CALLS, join_results, read_turn, refused
from acgym.types import Anchor, Call, FailureClass, Json, Split, Task, calls_to_action

RULES = """\
Answer the question with what the tools say. They only read; lists may have several pages.
When you know the answer, reply without a tool call: Answer: value
The value is a name, a word, a whole number, or a date as YYYY-MM-DD."""

_GRAMMAR = (
    'Expected a tool call as JSON, {"name": "tool", "arguments": {...}}, a list of such calls, or the final answer '
    "as Answer: value."
)
_NO_VALUE = {
    "number": "Your reply has no number that can be read as the answer. ",
    "date": "Your reply has no date that can be read as the answer. ",
    "name": "Your reply has no answer that can be read. ",
}


class ToolQuery(TextEnv):
    """ACB/ToolQuery-v0: questions over a small relational database that only functions can read.

    What the agent sees:
        The rules, the step limit, and a question in the words of one of more than 20 people. The functions are in
        ``info["tools"]`` (OpenAI function form). The database is a film archive, a weather service, a conference, a
        hospital, a shipping line or a parks service: 5 or 6 tables, 38 to 166 rows, drawn anew for each task. After a
        call: its result as JSON, a record or ``{"rows": [...]}`` with ``page`` and ``pages`` if it has several;
        ``{"error": sentence}`` if it failed. After a list of calls: the list of their results.

    What it must say:
        ``{"name": ..., "arguments": {...}}``, or a list of at most 16 such calls; or the final answer,
        ``Answer: value``. Numbers and dates are read as :func:`acgym.scorers.answer.read_answer` reads them, names as
        :func:`acgym.envs.tools.query.answer.said_right` does. Other words are malformed, and the episode goes on.

    What earns progress:
        1 for the right answer, however it was found. Before that, half of the share of the cells that the answer rests
        on which results have shown (any function that shows a cell counts), in [0, 1/2].

    When it ends:
        With the first answer that can be read (terminated); success if it is right. Truncated after 30 steps.

    Levels:
        ===== ===== ==========================================================================================
        level tools what is asked
        ===== ===== ==========================================================================================
        1     6     a field of a thing that is named
        2     7     a field of what it points at; how many things point at it
        3     8     superlatives, sums and counts with a condition over joined tables; dates in words; pages
        4     9     what never happened, what one has and another lacks, days between two dates, sums over two joins
        5     10    chains of three joins, who has the most of something, several conditions, sets left out
        ===== ===== ==========================================================================================

    Info:
        ``error``: ``unknown_tool``, ``bad_arguments`` (breaks the schema), ``wrong_tool`` (reads a table that has no
        part in the question), ``failed_call`` (an id or a page that is not there), ``repeated_call`` (the same call
        again), and at the end ``wrong_answer``. Of several in one list of calls, the first. ``found``, after a reply
        that is no call: whether it holds the right answer as its only number, date or name, whatever its form.

    Splits share no name: titles, people, places, ships and rooms of evaluation never occur in training.

    Args:
        level: 1 to 5.
        render_mode: ``"ansi"`` or None.

    Source:
        Generated, MIT. Stands for ACBench's real-world tasks of the kind tool-query (arXiv 2505.19433; AgentBoard,
        arXiv 2401.13178). Departs from AgentBoard: the database is in memory and drawn anew, no service is asked, and
        progress counts cells that were seen, not one path of calls.

    Version history:
        v0: first version.
    """

    env_id = "ACB/ToolQuery-v0"
    capability = "tool calling"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_tool": "wrong_tool",
        "bad_arguments": "wrong_argument",
        "failed_call": "wrong_argument",
        "repeated_call": "loop",
        "wrong_answer": "lost_track",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.002, 0.041),
        2: Anchor(0.035, 0.070),
        3: Anchor(0.046, 0.057),
        4: Anchor(0.079, 0.086),
        5: Anchor(0.018, 0.023),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.291, 0.534),
        2: Anchor(0.101, 0.291),
        3: Anchor(0.081, 0.281),
        4: Anchor(0.133, 0.252),
        5: Anchor(0.033, 0.111),
    }

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw the database, the question and the functions."""
        return draw_question(draw, split, self.level)

    def tell(self) -> str:
        """Say the rules and the question; the functions are in ``task.tools``."""
        self._heard: dict[str, Json] = {}
        self._evidence: Evidence | None = None
        return f"{RULES}\n{self.limit_line()}{self.task.goal}"

    @property
    def _domain(self) -> Domain:
        return DOMAINS[str(self.task.data["domain"])]

    def judge(self, action: str) -> Outcome:
        """Run the calls, or compare the final answer."""
        turn = read_turn(action, _GRAMMAR)
        if turn.malformed:
            return self.malformed(turn.malformed)
        if not turn.calls:
            return self._finish(turn.words)
        told, error = join_results([self._run(call) for call in turn.calls], turn.listed)
        progress = self._progress if self._evidence is None else self._evidence.share / 2
        return Outcome(told, progress, error=error)

    def _run(self, call: Call) -> tuple[Json, str | None]:
        """Run one call; return what the agent is told and the kind of error, if any."""
        wrong = refused(call, {spec["function"]["name"]: spec["function"] for spec in self.task.tools})
        if wrong is not None:
            return wrong
        arguments = whole(call.arguments)
        tool, data = tools(self.task.data["domain"])[call.name], self.task.data
        result = run(self._domain, tool, data["tables"], arguments, data["page"])
        evidence = self._opened()
        if "error" in result:
            return result, "wrong_tool" if tool.table not in evidence.tables else "failed_call"
        key = call_key(call.name, arguments)
        again = key in self._heard
        self._heard[key] = result
        evidence.see(tool, arguments, result)
        return result, "wrong_tool" if tool.table not in evidence.tables else "repeated_call" if again else None

    def _opened(self) -> Evidence:
        """Return what the answer rests on; made at the first call, since many episodes never make one."""
        if self._evidence is None:
            self._evidence = Evidence(self._domain, self.task.data["tables"], self.task.reference["tree"])
        return self._evidence

    def _names(self) -> list[str]:
        """List what a name in an answer could mean: every name and every word of a few in the database."""
        found = []
        for name, table in self._domain.tables.items():
            if table.label is not None:
                found += [row[table.label] for row in self.task.data["tables"][name].values()]
            for column in table.columns.values():
                found += column.options if isinstance(column, Pick) else ()
        return found

    def _finish(self, text: str) -> Outcome:
        """End the episode with the final answer ``text``, if it has one."""
        answer = self.task.reference["answer"]
        right = said_right(text, answer, self._names())
        if right is None:
            kind = "number" if isinstance(answer, int) else "date" if answer[:4].isdigit() else "name"
            return self.malformed(_NO_VALUE[kind] + _GRAMMAR, found=holds(text, answer, self._names()))
        if right:
            return Outcome("Right.", 1.0, success=True, terminated=True, found=True)
        return Outcome("That is not the answer.", self._progress, terminated=True, error="wrong_answer", found=False)

    def oracle(self) -> str:
        """Return the calls that the evaluation of the question is waiting for, or the answer that follows from them."""
        offered = [spec["function"]["name"] for spec in self.task.tools]
        try:
            answer = answer_of(self.task.reference["tree"], Asked(self._domain, offered, self._heard))
        except Missing as missing:
            return calls_to_action(tuple(missing.calls[:MAX_CALLS]))
        return f"Answer: {answer}"

    def heuristic_reply(self) -> str:
        """Follow names and ids by shared words; see :mod:`acgym.envs.tools.query.heuristic`."""
        return overlap(self.observations, self.replies, self.task.tools)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a call of a random function with random legal arguments, or, one time in five, a random number."""
        draw = Draw(rng)
        if draw.chance(0.2):
            return f"Answer: {draw.between(0, 9)}"
        function = draw.pick(self.task.tools)["function"]
        return calls_to_action((Call(function["name"], random_arguments(draw, function["parameters"])),))
