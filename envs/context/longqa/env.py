"""ACB/LongQA-v0: questions about long archives, whose answers can be checked exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome
from acgym.envs.context.arguments import checked_count, checked_depth
from acgym.envs.context.base import LongEnv
from acgym.envs.context.longqa.archive import Maker, Order
from acgym.envs.context.longqa.code import code
from acgym.envs.context.longqa.heuristic import skim
from acgym.envs.context.longqa.labels import labels
from acgym.envs.context.longqa.letters import repeats, retrieval
from acgym.envs.context.longqa.mail import mail
from acgym.envs.context.longqa.manual import manual
from acgym.envs.context.longqa.minutes import minutes, told_again, told_facts
from acgym.envs.context.longqa.tables import log, table
from acgym.scorers.answer import answer_line, read_answers
from acgym.scorers.completion import is_call
from acgym.scorers.naming import names_only
from acgym.types import Anchor, FailureClass, Json, Split, Task

LENGTHS = {1: 400, 2: 1500, 3: 4000, 4: 8000, 5: 16000}
"""Words of an archive by level, about."""
GROUPS: dict[str, tuple[Maker, ...]] = {
    "single": (partial(manual, hops=0),),
    "multi": (mail, log, table, partial(manual, hops=1), partial(manual, hops=2)),
    "summary": (minutes,),
    "few-shot": (labels,),
    "synthetic": (retrieval, repeats),
    "code": (code,),
}
"""LongBench's groups -> what draws their archives."""
LENGTH = (200, 150_000)
"""Shortest and longest archive, in words."""
_TURN = ("single", "multi", "multi", "summary", "few-shot", "synthetic", "code")


class LongQA(LongEnv):
    """ACB/LongQA-v0: six groups of questions about long archives, after LongBench's, each exactly checkable.

    What the agent sees: an archive (a manual, a mailbox, a machine's log with a shift book, a table, minutes, letters,
    paragraphs, a museum's list with invented labels, a code base), a question, and what the reply must look like.

    ========== ================================================================================================
    group      what is asked
    ========== ================================================================================================
    single     a value of one machine of a manual, whose section names it only in its head
    multi      what a mail thread agreed in the end; who was on duty at an event of a log; the member who is
               singled out in a table; a count over either; a value that a section of the manual takes from another
    summary    all decisions of minutes, with sum and person, in few words; proposals that fell must not be told
    few-shot   invented labels of 3 to 5 things, after many examples in whose words hardly anything comes again
    synthetic  which letter a summary in other words tells of; how many different paragraphs there are
    code       the missing line of a code base: the right function, its arguments in the right places
    ========== ================================================================================================

    What it must say: ``Answer: X`` on the last line, read generously (:mod:`acgym.scorers.answer`,
    :mod:`acgym.scorers.naming`); for a summary, the summary; for code, one line of Python, compared by its syntax tree
    (:mod:`acgym.scorers.completion`), arguments by place or by name.

    What earns progress: 1 for a right value or line; the share of labels that are right; for code half for the right
    function with wrong arguments; for a summary the decisions told less what was not decided, as a share of all
    decisions. Success is progress 1.

    When it ends: with the first reply that can be read; there are three steps.

    Levels: archives of about 400, 1,500, 4,000, 8,000 and 16,000 words; from level 3 on days agreed by mail are moved
    again and labels hang on two things together, from level 4 on they hang on words that no example has.

    What a script could do: counting different paragraphs, the table and the log fall to a few lines of code; the
    stated heuristic is a search for words.

    Errors in ``info["error"]``: ``"distractor_value"`` (another value of the archive), ``"wrong_value"``,
    ``"partial_answer"``.

    Args:
        level: 1 to 5.
        length: words of the archive, about, 200 to 150,000; None for the level's. Tables, logs and counted
            paragraphs stay shorter if they run out of names or text.
        depth: where the part that is needed lies, in percent, in manuals, mails, letters and code; None for anywhere.
        group: one of the six; None for any, multi twice as often as the others.
        render_mode: ``"ansi"`` or None.

    Raises:
        ValueError: for an argument out of range.

    Source: ACBench (arXiv 2505.19433), long context; stands for LongBench (arXiv 2308.14508), whose questions are
    scored by overlap of words. Everything is written or generated here; MIT licence.

    Versions: v0, first.
    """

    env_id = "ACB/LongQA-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "distractor_value": "wrong_argument",
        "wrong_value": "wrong_argument",
        "partial_answer": "lost_track",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.002, 0.002),
        2: Anchor(0.005, 0.005),
        3: Anchor(0.003, 0.003),
        4: Anchor(0.003, 0.003),
        5: Anchor(0.002, 0.002),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.153, 0.336),
        2: Anchor(0.108, 0.303),
        3: Anchor(0.114, 0.311),
        4: Anchor(0.108, 0.280),
        5: Anchor(0.093, 0.259),
    }

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        length: int | None = None,
        depth: float | None = None,
        group: str | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(level, render_mode)
        self.length = checked_count("length", length, LENGTHS[level], *LENGTH)
        self.depth = None if depth is None else checked_depth(depth)
        if group is not None and group not in GROUPS:
            raise ValueError(f"group must be None or one of {', '.join(GROUPS)}, got {group!r}")
        self.group = group

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a group, an archive and a question."""
        make = draw.pick(GROUPS[self.group or draw.pick(_TURN)])
        found = make(Order(draw, split, self.length, self.level, self.depth))
        data: dict[str, Json] = {
            "told": found.told, "question": found.question, "form": found.form, "reader": found.reader,
            "rivals": sorted(set(found.rivals)), "extra": found.extra,
        }  # fmt: skip
        facts = {"length": float(len(_told(found.told, found.question, found.form, self.limit_line()).split()))}
        if found.place is not None:
            facts["depth"] = found.place
        return Task(found.kind, found.question, data, found.wanted, facts=facts)

    def tell(self) -> str:
        """Say the archive, the question and the form of the reply."""
        data = self.task.data
        return _told(data["told"], data["question"], data["form"], self.limit_line())

    def judge(self, action: str) -> Outcome:
        """Read a reply as the question asks for it."""
        task = self.task
        reader = {"value": self._value, "values": self._values, "code": self._code, "facts": self._facts}
        progress = reader[task.data["reader"]](action)
        if progress is None:
            return self.malformed(f"Your reply has no answer that can be read. {task.data['form']}")
        if progress == 1.0:
            return Outcome("Right.", 1.0, success=True, terminated=True)
        error = "partial_answer" if progress else self._wrong(action)
        return Outcome("That is not all right.", progress, terminated=True, error=error)

    def oracle(self) -> str:
        """Give the answer."""
        wanted, reader = self.task.reference, self.task.data["reader"]
        if reader == "facts":
            return told_again(wanted)
        if reader == "code":
            extra = self.task.data["extra"]
            return f"return {extra['name']}({', '.join(wanted[name] for name in extra['parameters'])})"
        return f"Answer: {wanted if reader == 'value' else ', '.join(wanted)}"

    def simple_reply(self) -> str:
        """Search the archive for the words of the question; see :mod:`acgym.envs.context.longqa.heuristic`."""
        return skim(self.observations[0])

    def random_reply(self, rng: np.random.Generator) -> str:
        """Answer with a number below 100, words that no archive has, a call or a decision that nobody took."""
        reader = self.task.data["reader"]
        if reader == "facts":
            return f"The roof: {rng.integers(11, 98) * 10} crowns, nobody."
        if reader == "code":
            return "return rates.total()"
        count = len(self.task.reference) if reader == "values" else 1
        return "Answer: " + ", ".join(f"{rng.integers(1, 100)}" for _ in range(count))

    def _value(self, action: str) -> float | None:
        said = answer_line(action)
        return None if said is None else float(names_only(said, self.task.reference, self.task.data["rivals"]))

    def _values(self, action: str) -> float | None:
        wanted = self.task.reference
        said = read_answers(action, len(wanted))
        if said is None:
            return None
        return sum(mine.same_as(true) for mine, true in zip(said, wanted, strict=True)) / len(wanted)

    def _code(self, action: str) -> float | None:
        extra = self.task.data["extra"]
        found = is_call(action, extra["name"], extra["parameters"], self.task.reference)
        return None if found is None else (found[0] + found[1]) / 2

    def _facts(self, action: str) -> float | None:
        if not re.search(r"\w", action):
            return None
        extra = self.task.data["extra"]
        told, wrong = told_facts(action, self.task.reference, extra["wrong"], extra["limit"])
        return max(0, told - wrong) / len(self.task.reference)

    def _wrong(self, action: str) -> str:
        said = answer_line(action)
        return "distractor_value" if said and said in self.task.data["told"] else "wrong_value"


def _told(told: str, question: str, form: str, limit: str) -> str:
    return f"Read what follows, then answer the question at its end.\n{limit}\n{told}\n\nQuestion: {question}\n{form}"
