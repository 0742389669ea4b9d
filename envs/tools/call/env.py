"""ACB/ToolCall: tool calls over several turns, judged by the state that they leave in an in-memory world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import LEVELS, Outcome, TextEnv
from acgym.envs.tools.call.heuristic import overlap
from acgym.envs.tools.call.progress import Progress
from acgym.envs.tools.call.simple import draw_simple
from acgym.envs.tools.call.tasks import draw_composed
from acgym.envs.tools.call.user import asks, refuses
from acgym.envs.tools.call.words import ASK
from acgym.envs.tools.schema import random_arguments
from acgym.envs.tools.turns import MAX_CALLS, join_results, read_turn
from acgym.scorers.answer import Value, read_answer
from acgym.scorers.final_word import says_done
from acgym.types import Anchor, Call, FailureClass, Split, Task, calls_to_action

RULES = """\
Do what the user asks with the tools.
When all is done, reply without a tool call: Done.
If the user asks for a value, reply: Answer: value"""
MORE_RULES = {
    2: """
Use optional arguments only for what the user says.
If a tool returns an error, do what it says and go on.
Calls that do not wait for one another may go into one reply, as a list.
If the user leaves out something that you need, ask with ask_user.""",
    3: """
If no tool can do a part of the request, or the policy forbids it, do the rest, and say so in your last reply: \
Refused: the thing""",
    4: """
A look-up may show a copy. If the record was changed after the copy was made, read it again with fresh true.
Lists come in pages.""",
}
"""Level -> what the rules say beside RULES from that level on."""

_NO_VALUE = (
    "Your reply has no value that can be read. Write the value alone after Answer:, a date as YYYY-MM-DD. "
    "Or call a tool first."
)
_GRAMMAR = (
    'Expected a tool call as JSON, {"name": "tool", "arguments": {...}}, '
    "a list of such calls, or the final answer in words."
)


class ToolCall(TextEnv):
    """Multi-turn tool calling over a generated set of tools, scored by the state of the world.

    What the agent sees:
        First the rules (constant lines), from level 3 on a policy, and the request of a user. The tools are not in the
        text: they are in ``info["tools"]`` (OpenAI function form with JSON Schema) for the agent's chat template. After
        a tool call: its result as JSON, ``{"error": sentence}`` if it failed; after a list of calls: the list of their
        results. The user answers to ``ask_user``: with what was left out, if the question names it, else with no idea.

    What it must say:
        ``{"name": ..., "arguments": {...}}``; or a list of at most 16 such calls, run in order; or plain text, which
        is the final answer to the user. Arguments may be left out when there are none. Text that starts with a brace
        or bracket, or holds ``"name"`` or ``<tool_call>``, is read as a call or is malformed, never an answer; so is
        text with control characters. When a value is asked, the text must give one, as
        :func:`acgym.scorers.answer.read_answer` reads it (after the last ``Answer:``, or alone; any case and
        markdown), or say that all is done; else it is malformed, as are words where a number or date is asked.
        Numbers and dates are compared by what they mean, names in any case. When no value is asked, any text does.
        From level 2 on, text that ends with a question is one to the user. What is refused stands after ``Refused:``,
        or in a clause that says that it cannot be done (``I could not cancel the old ticket``); the thing's noun is
        enough.

    What earns progress:
        Required items: the required calls in order, the answer if one is asked, and each refusal. A call that changes
        something holds while the world holds its effect; a look-up, or a call that fails with advice, holds once it
        was made. What an effect needed holds with it (a model that knows a value need not look it up), and a right
        answer or refusal implies its look-ups. An item counts if all items that it needs hold. progress = (items that
        count - records left in a state that the required calls never produce) / items, in [0, 1]. It can fall: then
        the reward is negative.

    When it ends:
        With the final answer (terminated). success: every item holds and no other record was created, changed or
        removed, and nothing is refused that can be done. Without a final answer the episode is truncated after 30
        steps, without success.

    Levels:
        ===== ===== ====== ==========================================================================================
        level tools calls  what is new
        ===== ===== ====== ==========================================================================================
        1     3     1-2    strings, integers, enums; operate, look up, or both; nothing looks alike
        2     6     2-4    near-duplicate tools and optional arguments; an id that has moved, a day that is full;
                           requests in many voices; several things alike; a value left out, to be asked for
        3     10    4-6    synonyms, dates, numbers, two goals, locked records, chains of 2 look-ups, a word taken
                           back; a part that no tool serves or that a policy forbids, always or under a condition
        4     14    6-10   nested objects, dates in words, two fields changed at once; lists of 2 pages (the one with
                           the lowest fee, how many), stale copies that must be read again
        5     22    10-19  more goals, chains of 3 look-ups, codes, 3 pages; values on which record and ledger differ
        ===== ===== ====== ==========================================================================================

        One call a reply, the longest task takes 20 replies: 40 turns with what the agent hears.

    Info:
        ``error``: ``unknown_tool``, ``bad_arguments`` (breaks the schema), ``wrong_tool`` (a tool of another kind of
        thing than the id that it was given belongs to, such as a near-duplicate's look-up; or a tool that the task
        does not need changed something or failed), ``failed_call`` (failed, and no required call or a repeated one),
        ``wrong_call`` (changed what should not change), ``forbidden_call`` (did what had to be refused),
        ``needless_question`` (about nothing that was left out; costs no progress), and at the end ``unfinished`` (a
        required call is missing), ``wrong_answer``, ``missed_refusal`` (of what cannot be done) or ``wrong_refusal``
        (of what can). Of several in one list of calls, the first. A look-up with the wrong tool costs no progress,
        but it is an error at its turn: who tries every tool with every code makes one with nearly every call.

    Args:
        level: 1 to 5.
        render_mode: ``"ansi"`` or None.

    Source:
        Generated, MIT. Stands for ACBench's action execution, tool use (arXiv 2505.19433; T-Eval, arXiv 2312.14033).
        Departs from T-Eval: calls are run and judged by their effects, not compared with a reference text.

    Version history:
        v0: first version. Levels 2 to 5 have grown since; their earlier scores do not compare, those of level 1 do.
    """

    env_id = "ACB/ToolCall-v0"
    capability = "tool calling"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_tool": "wrong_tool",
        "bad_arguments": "wrong_argument",
        "failed_call": "wrong_argument",
        "wrong_call": "wrong_argument",
        "forbidden_call": "wrong_tool",
        "needless_question": "lost_track",
        "wrong_answer": "wrong_argument",
        "missed_refusal": "lost_track",
        "wrong_refusal": "premature_stop",
        "unfinished": "premature_stop",
    }
    unclear_errors = frozenset(("failed_call", "wrong_call"))
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.001, 0.002),
        2: Anchor(0.003, 0.003),
        3: Anchor(0.000, 0.000),
        4: Anchor(0.000, 0.001),
        5: Anchor(0.000, 0.002),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(1.000, 1.000),
        2: Anchor(0.081, 0.424),
        3: Anchor(0.009, 0.314),
        4: Anchor(0.001, 0.270),
        5: Anchor(0.000, 0.235),
    }

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw the tools, the records, the policy, the request and the calls that it takes."""
        return draw_simple(draw, split) if self.level == 1 else draw_composed(draw, split, self.level)

    def tell(self) -> str:
        """Open the world of the task and say the rules, the policy and the request; the tools are in ``task.tools``."""
        self._opened: Progress | None = None
        policy = self.task.data.get("policy", ())
        rules = f"Policy:\n- {_LINES.join(policy)}\n" if policy else ""
        return f"{_RULES[self.level]}\n{self.limit_line()}{rules}{self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Run the calls, ask the user, or compare the final answer."""
        turn = read_turn(action, _GRAMMAR)
        if turn.malformed:
            return self.malformed(turn.malformed)
        if turn.calls:
            return self._run(turn.calls, turn.listed)
        if self._is_question(turn.words):
            return self._run((Call(ASK, {"question": turn.words}),), listed=False)
        return self._finish(turn.words)

    def _run(self, calls: tuple[Call, ...], listed: bool) -> Outcome:
        """Run the calls in order."""
        here = self._open()
        told, error = join_results([here.run(call) for call in calls], listed)
        return Outcome(told, here.score(here.held()), error=error)

    def _is_question(self, text: str) -> bool:
        """Say whether a reply in words asks the user something, in a task whose user can be asked."""
        return ASK in self.task.data["tools"] and asks(text) and read_answer(text, marked=True) is None

    def _open(self) -> Progress:
        """Return the world and the gold run; made at the first call, since many episodes never make one."""
        if self._opened is None:
            self._opened = Progress(self.task)
        return self._opened

    def _finish(self, text: str) -> Outcome:
        """End the episode with the final answer ``text``; one that gives no value where one is asked is malformed."""
        reference = self.task.reference
        answer = reference["answer"]
        said = None if answer is None else _said(text)
        unread = said is None or not said.comparable(answer)
        if answer is not None and unread and not says_done(text):
            return self.malformed(_NO_VALUE)
        answered = said is not None and said.same_as(answer)
        nouns = {*(row["noun"] for row in reference.get("refused", ())), *reference.get("served", ())}
        refused = refuses(text, nouns) if nouns else frozenset()
        if self._opened is None and not answered and not refused:  # no call was made: spare the gold run
            return Outcome("Not solved: unfinished.", 0.0, terminated=True, error="unfinished")
        here = self._open()
        held = here.held(answered, refused)
        error = here.fault(held, refused)
        told = "Solved." if error is None else f"Not solved: {error.replace('_', ' ')}."
        return Outcome(told, here.score(held), success=error is None, terminated=True, error=error)

    def oracle(self) -> str:
        """Return the next required calls, all that are ready at once, or the final answer when none can be made."""
        ready = self._open().ready()
        if ready:
            return calls_to_action(tuple(ready[:MAX_CALLS]))
        reference = self.task.reference
        answer, refused = reference["answer"], [row["noun"] for row in reference.get("refused", ())]
        last = "Done." if answer is None else f"Answer: {answer}"
        return last if not refused else f"{last}\nRefused: {', '.join(refused)}"

    def heuristic_reply(self) -> str:
        """Call the tool that shares most words; see :mod:`acgym.envs.tools.call.heuristic`."""
        return overlap(self.observations, self.task.tools)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a call of a random tool with random legal arguments, or, one time in five, a random final answer."""
        draw = Draw(rng)
        if draw.chance(0.2):
            return f"Answer: {draw.between(1, 99)}"
        function = draw.pick(self.task.tools)["function"]
        return calls_to_action((Call(function["name"], random_arguments(draw, function["parameters"])),))


_LINES = "\n- "
_RULES = {level: RULES + "".join(more for least, more in MORE_RULES.items() if least <= level) for level in LEVELS}


def _said(text: str) -> Value | None:
    """Return the value that a final answer gives; ``Done.`` gives none."""
    marked = read_answer(text, marked=True)
    return marked if marked is not None or says_done(text) else read_answer(text)
