"""LongGenBench's rows as an environment: many questions at once, all answered in one long reply."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.rows import Row, RowEnv, read_rows
from acgym.scorers.longgenbench import LETTERS, gold_number, is_letter, marks, published_marks
from acgym.types import FailureClass, Task

_QUESTION = re.compile(r"^Question_(\d{1,6}):", re.MULTILINE)
_RULES = (
    "Below are worked examples, then more questions. Answer all of those questions, in their order, in one reply.\n"
    "Begin the answer to question n with 'Answer_n:', reason step by step as the examples do, and close it with "
    "'The answer is' and the answer. Do not repeat the questions and leave none out, however many there are.\n\n"
)


class LongGenBench(RowEnv):
    """ACB/LongGenBench-v0: rows of LongGenBench (Liu et al. 2024, arXiv 2410.04199), K questions a row, one reply.

    What the agent sees: rules in words of our own, then the row's prompt as it is in the file: worked examples
    numbered from 1, then K questions whose numbers go on.

    What it must say: one text with ``Answer_n: ... The answer is X`` for each question, X a number (GSM8K) or a letter
    (MMLU, CSQA). Give the agent room for it: the published runs allow 4,096 new tokens for 30 GSM8K questions and
    7,950 for MMLU. Replies of up to ``max_action_chars`` characters are read.

    What earns progress: the share of questions answered right, by their numbers
    (:func:`acgym.scorers.longgenbench.marks`). Success is all of them.

    When it ends: with the first reply; there is one step. The last observation tells the marks by position, ``+``
    right, ``-`` wrong, ``.`` not answered, so that accuracy against position can be read off a record.

    Errors in ``info["error"]``, the first that holds: ``"missing_answer"``, ``"wrong_answer"``. A reply in which no
    question is answered is malformed.

    The data (Apache-2.0; questions from GSM8K and MMLU, MIT) are not part of acgym: github.com/kengchiawu/SCOPE.

    Args:
        path: one file of rows (JSON Lines): ``prompt``, ``questions``, ``answers``, and maybe ``task``. Or a folder, of
            which all ``.jsonl`` files are played; None for the one that ``acgym data use longgenbench`` named.
        compat: None for the score by number; ``"acbench"`` for what the published code computes, defects included
            (:func:`acgym.scorers.longgenbench.published_marks`); a gold answer below 0 is then never right.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if the data is not here, saying how to get it.
        ValueError: for an unknown argument, or a folder without such files.
        BadRow: for a row that is not in the official form, with file, line and reason.

    Versions: v0, first.
    """

    capability = "long-context retrieval"
    max_action_chars = 200_000  # K answers with their steps: about 25,000 characters for 60 of GSM8K, more for a talker
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "missing_answer": "premature_stop",
        "wrong_answer": "lost_track",
    }

    def __init__(
        self, path: str | Path | None = None, compat: str | None = None, render_mode: str | None = None
    ) -> None:
        if compat not in (None, "acbench"):
            raise ValueError(f"compat must be None or 'acbench', got {compat!r}")
        self.compat = compat
        super().__init__([row for file in _files(path) for row in read_rows(file)], render_mode)

    def task_of(self, row: Row) -> Task:
        """Read the prompt, the numbers of its questions and the gold answers of a row."""
        prompt = row.need("prompt", str)
        questions, answers = row.need("questions", list), row.need("answers", list)
        if not answers or not all(isinstance(one, str) for one in [*questions, *answers]):
            raise row.bad("'questions' and 'answers' must be lists of texts, at least one")
        if len(questions) != len(answers):
            raise row.bad(f"it has {len(questions)} questions and {len(answers)} answers")
        letters = all(map(is_letter, answers))
        for place, answer in enumerate(answers, 1):
            if not letters and gold_number(answer) is None:
                raise row.bad(
                    f"answer {place} must end in '#### NUMBER', or all must be letters from A to {LETTERS[-1]}"
                )
        numbers = [int(number) for number in _QUESTION.findall(prompt)][-len(answers) :]
        if numbers != list(range(numbers[0] if numbers else 1, len(answers) + (numbers[0] if numbers else 1))):
            raise row.bad(
                f"its prompt must end with {len(answers)} questions, each on a line that begins with 'Question_n:', "
                "numbered without a gap"
            )
        kind = row.value.get("task")
        data = {"prompt": prompt, "first": numbers[0], "compat": self.compat}
        return Task(
            kind if isinstance(kind, str) and kind else "choices" if letters else "numbers",
            f"Answer questions {numbers[0]} to {numbers[-1]}.",
            data,
            list(answers),
            source="LongGenBench (Apache-2.0; questions MIT)",
            facts={"questions": len(answers)},
        )

    def tell(self) -> str:
        """Say the rules and the row's prompt."""
        prompt: str = self.task.data["prompt"]
        return _RULES + prompt

    def judge(self, action: str) -> Outcome:
        """Mark every question."""
        task = self.task
        found = (
            published_marks(action, task.reference)
            if self.compat
            else marks(action, task.reference, task.data["first"])
        )
        if all(mark is None for mark in found):
            return self.malformed(
                "Your reply has no answer that can be read: it needs 'Answer_n: ... The answer is X'."
            )
        right, missing = found.count(True), found.count(None)
        signs = "".join("." if mark is None else "+" if mark else "-" for mark in found)
        sentence = (
            f"{right} of {len(found)} answers are right, {missing} are missing.\n"
            f"Marks from question {task.data['first']} on: {signs}"
        )
        progress = right / len(found)
        if right == len(found):
            return Outcome(sentence, progress, success=True, terminated=True)
        return Outcome(sentence, progress, terminated=True, error="missing_answer" if missing else "wrong_answer")

    def oracle(self) -> str:
        """Return the gold answers without their reasons."""
        return self._reply([_said(answer, self.compat) for answer in self.task.reference])

    def random_reply(self, rng: np.random.Generator) -> str:
        """Answer every question with a number below 100, or with one of the first four letters."""
        count = len(self.task.reference)
        if is_letter(self.task.reference[0]):
            return self._reply([f"({LETTERS[draw]})" for draw in rng.integers(4, size=count).tolist()])
        return self._reply([str(draw) for draw in rng.integers(100, size=count).tolist()])

    def _reply(self, answers: list[str]) -> str:
        first = self.task.data["first"]
        return "\n\n".join(f"Answer_{n}:\nThe answer is {answer}." for n, answer in enumerate(answers, first))


def _said(answer: str, compat: str | None) -> str:
    """Write a gold answer as a reply says it; for the published code as it reads it, up to its first comma or point."""
    if is_letter(answer):
        return f"({answer.strip().upper()})"
    number = f"{gold_number(answer):f}"
    literal = re.search(r"####\s*(\d+)", answer) if compat else None
    return literal[1] if literal else number


def _files(path: str | Path | None) -> Sequence[Path]:
    """Find the files to play."""
    folder = data_folder("longgenbench") if path is None else Path(path).expanduser()
    if not folder.is_dir():
        return [folder]
    found = sorted(folder.glob("*.jsonl"))
    if not found:
        raise ValueError(f"{folder} holds no file of LongGenBench; expected NAME.jsonl")
    return found
