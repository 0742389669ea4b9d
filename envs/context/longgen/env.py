"""ACB/LongGen-v0: many independent questions, or many records, answered in one long reply."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome
from acgym.envs.context.base import LongEnv
from acgym.envs.context.longgen.problems import problem
from acgym.envs.context.longgen.records import BOOKS
from acgym.envs.context.people import near_people
from acgym.scorers.longgenbench import marks
from acgym.scorers.records import record_marks
from acgym.types import Anchor, FailureClass, Split, Task

ITEMS = {1: 4, 2: 8, 3: 16, 4: 30, 5: 60}
KINDS = ("questions", "records")
MAX_ITEMS = 80
_QUESTIONS = (
    "Below are {count} questions. Answer all of them, in their order, in one reply.\n"
    "Begin the answer to question n with 'Answer_n:', work it out in a line or two, and close it with 'The answer "
    "is' and "
    "the number. Do not repeat the questions, and leave none out.\n"
)
_RECORDS = (
    "Below are {count} entries of a book of {name}, as they came in. Write all of them as one JSON list of {count} "
    "objects, "
    "in the order of their id, smallest first. Each object has exactly these fields:\n{rules}\n"
    "Numbers are JSON numbers. Leave no entry out.\n"
)
_NUMBER = re.compile(r"\d+")


class LongGen(LongEnv):
    """ACB/LongGen-v0: K independent tasks in one prompt, all done in one long reply; accuracy against position.

    What the agent sees: either K word problems numbered from 1 (eggs, wages, fences; one to five steps, whole
    numbers), or K entries of a book in everyday sentences, out of order, that are to become K JSON records (orders,
    loans, boat hires, garden beds): names, dates and sums are to be brought into the form that the rules state.

    What it must say: for questions ``Answer_n: ... The answer is X.`` for each, read by
    :func:`acgym.scorers.longgenbench.marks`; for records a JSON list, in a fence or not, read object by object
    (:func:`acgym.scorers.records.record_marks`), so that one that is cut off costs itself and what follows. Give the
    agent room for it: about 60 new tokens a question and 80 a record.

    What earns progress: the share of questions answered right, each by its own number, or of records with all fields
    exact, each by its id. Success is all of them. One question is as hard as another wherever it stands, so that
    accuracy against position shows what the length of a reply costs.

    When it ends: with the first reply that has an answer or a record. The last observation tells the marks by position,
    ``+`` right, ``-`` wrong, ``.`` not there, and the share right in each quarter. There are three steps.

    ===== ===== ======================================
    level items questions
    ===== ===== ======================================
    1     4     one or two steps
    2     8     one to three steps
    3     16    one to five steps
    4     30    two to five steps
    5     60    two to five steps
    ===== ===== ======================================

    Errors in ``info["error"]``, the first that holds: ``"missing_answer"``, ``"wrong_answer"``. A reply without any
    answer or record is malformed.

    Args:
        level: 1 to 5, see the table.
        items: how many, 1 to 80; None for the level's.
        kind: ``"questions"`` or ``"records"``; None for either by chance.
        render_mode: ``"ansi"`` or None.

    Raises:
        ValueError: for an argument out of range.

    Source: after LongGenBench (Liu et al. 2024, arXiv 2410.04199), one of ACBench's long-context tasks, whose published
    score compares answers by their place, so that one left out spoils all that follow; here each has a number. All
    questions and entries are generated; MIT licence.

    Versions: v0, first.
    """

    env_id = "ACB/LongGen-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "missing_answer": "premature_stop",
        "wrong_answer": "lost_track",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.000, 0.005),
        2: Anchor(0.000, 0.004),
        3: Anchor(0.000, 0.003),
        4: Anchor(0.000, 0.002),
        5: Anchor(0.000, 0.002),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.001, 0.113),
        2: Anchor(0.000, 0.063),
        3: Anchor(0.000, 0.045),
        4: Anchor(0.000, 0.004),
        5: Anchor(0.000, 0.004),
    }

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        items: int | None = None,
        kind: str | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(level, render_mode)
        if items is not None and (isinstance(items, bool) or not isinstance(items, int) or not 1 <= items <= MAX_ITEMS):
            raise ValueError(f"items must be an integer from 1 to {MAX_ITEMS}, got {items!r}")
        if kind not in (None, *KINDS):
            raise ValueError(f"kind must be None, 'questions' or 'records', got {kind!r}")
        self.items = ITEMS[level] if items is None else items
        self.kind = kind

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw the questions or the entries."""
        kind = self.kind or draw.pick(KINDS)
        people = near_people(draw, split, 2 * self.items)
        task = self._questions(draw, people) if kind == "questions" else self._records(draw, people)
        facts = {"questions": float(self.items), "length": float(len(task.data["told"].split()))}
        return Task(task.kind, task.goal, task.data, task.reference, facts=facts)

    def tell(self) -> str:
        """Say the rules and the questions or entries."""
        return f"{self.limit_line()}{self.task.data['told']}"

    def judge(self, action: str) -> Outcome:
        """Mark every question or record."""
        task = self.task
        questions = task.kind == "questions"
        found = (
            marks(action, [f"#### {answer}" for answer in task.reference], 1)
            if questions
            else record_marks(action, task.reference)
        )
        if all(mark is None for mark in found):
            wanted = "'Answer_n: ... The answer is X.'" if questions else "a JSON list of objects with their id"
            return self.malformed(f"Your reply has nothing that can be read: it needs {wanted}.")
        right, missing = found.count(True), found.count(None)
        progress = right / len(found)
        if right == len(found):
            return Outcome("All are right.", progress, success=True, terminated=True)
        error = "missing_answer" if missing else "wrong_answer"
        return Outcome(_summary(found), progress, terminated=True, error=error)

    def oracle(self) -> str:
        """Give all answers without their reasons, or all records."""
        if self.task.kind == "questions":
            return _numbered(self.task.reference)
        return "[\n" + ",\n".join(json.dumps(row) for row in self.task.reference) + "\n]"

    def simple_reply(self) -> str:
        """Answer each question with the sum or the product of its first numbers; copy each entry's id, name and number.

        Both look at no word but the numbers and names.
        """
        lines = self.observations[0].splitlines()
        if any(line.startswith("Question_") for line in lines):
            told = [line for line in lines if line.startswith("Question_")]
            return _numbered([_guess(line) for line in told])
        return "\n".join(json.dumps(_copied(line)) for line in lines if line.startswith("- "))

    def random_reply(self, rng: np.random.Generator) -> str:
        """Answer every question with a number below 100, or write records with nothing but their id."""
        if self.task.kind == "questions":
            return _numbered([str(draw) for draw in rng.integers(100, size=self.items).tolist()])
        return json.dumps([{"id": row["id"]} for row in self.task.reference])

    def _questions(self, draw: Draw, people: Sequence[str]) -> Task:
        drawn = [problem(draw, self.level, *people[2 * i : 2 * i + 2]) for i in range(self.items)]
        lines = [f"Question_{n}: {each.text}" for n, each in enumerate(drawn, 1)]
        told = _QUESTIONS.format(count=self.items) + "\n" + "\n".join(lines)
        goal = f"Answer questions 1 to {self.items}."
        return Task("questions", goal, {"told": told}, [str(each.answer) for each in drawn])

    def _records(self, draw: Draw, people: Sequence[str]) -> Task:
        book = draw.pick(BOOKS)
        first = draw.between(100, 800)
        drawn = [book.entry(draw, first + i, people[i]) for i in range(self.items)]
        rules = "\n".join(book.rules)
        told = _RECORDS.format(count=self.items, name=book.name, rules=rules)
        told += "\n" + "\n".join(f"- {said}" for said in draw.shuffled([said for said, _ in drawn]))
        goal = f"Write {self.items} {book.name} as JSON."
        return Task(f"records: {book.name}", goal, {"told": told}, [row for _, row in drawn])


def _numbered(answers: Sequence[str]) -> str:
    return "\n".join(f"Answer_{n}: The answer is {answer}." for n, answer in enumerate(answers, 1))


def _guess(line: str) -> str:
    numbers = [int(number) for number in _NUMBER.findall(line.partition(":")[2])]
    return str(numbers[0] * numbers[1] if len(numbers) == 2 else sum(numbers))


def _copied(line: str) -> dict[str, object]:
    found = re.search(r"(?:order|loan|hire|bed) (\d+)", line, re.IGNORECASE)
    return {"id": int(found[1]) if found else 0}


def _summary(found: Sequence[bool | None]) -> str:
    """Say the marks by position, and the share right in each quarter."""
    signs = "".join("." if mark is None else "+" if mark else "-" for mark in found)
    cuts = [round(len(found) * part / 4) for part in range(5)]
    quarters = [found[low:high] for low, high in pairwise(cuts) if high > low]
    shares = ", ".join(f"{part.count(True)} of {len(part)}" for part in quarters)
    return (
        f"{found.count(True)} of {len(found)} are right, {found.count(None)} are missing.\n"
        f"Marks from 1 on: {signs}\nRight by quarter: {shares}"
    )
