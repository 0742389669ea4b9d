"""Long-context retrieval: statements hidden in a long text, near others that look alike, and a question at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome
from acgym.envs.context.arguments import checked_count, checked_depth, checked_length, too_short
from acgym.envs.context.base import LongEnv
from acgym.envs.context.first_codes import LENGTH
from acgym.envs.context.first_level import NO_CODE, draw_first, judge_first, say_first
from acgym.envs.context.fit import bury, fitting, fitting_words, folder_sentences, prose_sentences, repeated
from acgym.envs.context.haystack import Statement
from acgym.envs.context.heuristic import copy_codes, search
from acgym.envs.context.needles import ABSENT, KINDS, LEVELS, hide_kind
from acgym.scorers.answer import answer_line, read_answers
from acgym.scorers.naming import names_only, says_absent
from acgym.types import Anchor, FailureClass, Json, Split, Task

_READ_ALL = (
    "Read the text below. Some sentences in it tell of people, and the question at the end is about them. Mind that "
    "many "
    "names are nearly the same, and that the text also tells what nobody asks for."
)
_ONE_VALUE = "The last line of your reply must be: Answer: X (X is only the number or the name asked for)"
_VALUES = "The last line of your reply must be: Answer: X, Y, Z (the numbers asked for, in the order asked)"
_OR_ABSENT = f"If the text does not tell it, the last line must be: Answer: {ABSENT}"
_NO_ANSWER = "Your reply has no answer that can be read. {}"
GRID = tuple((1000 * (i + 1), float(round(j * 100 / 9))) for i in range(40) for j in range(10))
"""The paper's cells: 1,000 to 40,000 by 0, 11, ..., 100 percent."""


class Needle(LongEnv):
    """ACB/Needle-v0: find what a long text tells of somebody, among much that looks alike.

    What the agent sees: two to four rule lines, a text, a question. At level 1 the text is of short generated sentences
    with three statements such as ``The code of "belado" is "4821".``. From level 2 on it is connected prose (essays
    written for this library, with numbers, quotes and names of their own; paragraphs drawn anew for each text), and in
    it statements about people with nearly equal names: codes of lockers, badges, boats, safes and cards, offices,
    parcels, animals. Those that the answer needs are hidden among ``load`` others of the same wording.

    Kinds of question (``task.kind``): ``single``; ``several`` (three codes, one by a link); ``share`` (whose thing
    somebody uses, two links); ``hop`` (by an office), ``hops`` (by kinship and an office); ``latest`` (by date, where
    the order in the text says nothing); ``count``, ``count to``, ``sum``, ``last``, ``heaviest`` (over all parcels
    that somebody sent, not those that came); ``without`` (who of six keeps no bees); ``absent`` (not in the text).

    What it must say: anything, then ``Answer: X`` (several codes: ``Answer: 4821, 1093, 5520``), as
    :mod:`acgym.scorers.answer` reads it: the last answer counts, in any case and markdown, numbers by value. Names may
    stand among other words, if no other name does.

    What earns progress: the share of the values asked for that are right, each in its place; one value, 0 or 1.

    When it ends: with the first answer that can be read. A reply without one changes nothing; there are three steps.

    ===== ====== ==== ====================================================================================
    level words  load kinds
    ===== ====== ==== ====================================================================================
    1     100    2    one code; names share no half, codes repeat no digit
    2     1,000  8    single, several, latest, hop
    3     4,000  20   several, latest, hop (twice as often), count, sum, share, last, without, absent
    4     8,000  30   hops (twice), latest, hop, count, sum, heaviest, last, without, absent
    5     16,000 48   hops (twice), share, count to, sum, heaviest, last, without, latest, absent
    ===== ====== ==== ====================================================================================

    Length: the first observation, rules and question included, never counts more than ``length``; it is at most one
    filler sentence shorter.

    Errors in ``info["error"]``: ``"distractor_value"`` (another value that the text tells), ``"wrong_value"``,
    ``"missed"`` (``not in the text``, where it is), ``"made_up"`` (a value, where there is none).

    Args:
        level: 1 to 5.
        length: longest first observation; None for the level's default. ``task.data`` records what was asked
            (``length``), what was counted (``unit``: ``"words"`` or ``"tokens"``) and how many there are (``size``).
            A text of 128k tokens has about 96,000 words.
        depth: where the statements that the answer needs lie, in percent of the filler sentences before them: 0 is
            the start of the text, 100 its end; None for a random place each. The other statements lie anywhere.
        count: counts a text in an agent's tokens; None to count words. The environment knows no tokenizer itself.
        render_mode: ``"ansi"`` or None.
        load: how many other statements, 4 to 400, from level 2 on; None for the level's.
        task: one of the kinds above, from level 2 on; None to draw one.
        grid: ``"acbench"`` plays the cells of the paper's heat map: seed s has cell s modulo 400 of 40 lengths (1,000
            to 40,000) by 10 depths (0 to 100 percent); 400 seeds fill it once.
        haystack: a folder with ``.txt`` files to take the filler from, in their order; None for the prose library.

    Raises:
        ValueError: for an argument out of range, or a length that cannot hold rules and statements.

    Source: ACBench (arXiv 2505.19433), long context; stands for Needle-in-a-Haystack. Everything is written or
    generated here (MIT) and scored exactly, where the original counts shared words with one public needle.

    Versions: v0, first.
    """

    env_id = "ACB/Needle-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "distractor_value": "wrong_argument",
        "wrong_value": "wrong_argument",
        "missed": "lost_track",
        "made_up": "wrong_argument",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.000, 0.000),
        2: Anchor(0.000, 0.000),
        3: Anchor(0.002, 0.002),
        4: Anchor(0.002, 0.002),
        5: Anchor(0.001, 0.001),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(1.000, 1.000),
        2: Anchor(0.334, 0.495),
        3: Anchor(0.059, 0.130),
        4: Anchor(0.091, 0.091),
        5: Anchor(0.080, 0.080),
    }

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        length: int | None = None,
        depth: float | None = None,
        count: Callable[[str], int] | None = None,
        render_mode: str | None = None,
        load: int | None = None,
        task: str | None = None,
        grid: str | None = None,
        haystack: str | None = None,
    ) -> None:
        super().__init__(level, render_mode)
        if level == 1 and any(each is not None for each in (load, task, haystack)):
            raise ValueError("load, task and haystack begin at level 2; level 1 is one code in generated sentences")
        if task is not None and task not in KINDS:
            raise ValueError(f"task must be None or one of {', '.join(KINDS)}, got {task!r}")
        if grid not in (None, "acbench"):
            raise ValueError(f"grid must be None or 'acbench', got {grid!r}")
        if grid is not None and (length, depth) != (None, None):
            raise ValueError("grid sets lengths and depths itself; leave length and depth out")
        # Arguments that are not given leave the seeds of an episode as they were before there were such arguments.
        late = {"load": load, "task": task, "grid": grid, "haystack": haystack}
        self._arguments = {k: v for k, v in self._arguments.items() if late.get(k, k) is not None}
        self.default = LENGTH if level == 1 else LEVELS[level].length
        self.length = self.default if length is None else checked_length(length)
        self.depth = None if depth is None else checked_depth(depth)
        self.unit = "words" if count is None else "tokens"
        self.load = checked_count("load", load, LEVELS[max(level, 2)].load, 4, 400)
        self.kind, self.grid = task, grid
        self._count = count
        self._own = None if haystack is None else folder_sentences(haystack)
        self.draw_task(Draw(np.random.default_rng(0)), "eval")  # raises here, not at a reset, if length is too short

    @property
    def as_measured(self) -> bool:
        """Whether no argument but the level was given; at level 1, where length and depth change nothing, always."""
        counts = "count" in self._arguments  # a function has no name there
        return self._arguments.get("level") == 1 or (counts and super().as_measured)

    def choose_task(self, seed: int | None, split: Split) -> Task:
        """Take the cell of the grid that a seed names, if there is a grid; draw the task."""
        if self.grid is not None:
            cell = int(self.np_random.integers(len(GRID))) if seed is None else seed % len(GRID)
            self.length, self.depth = GRID[cell]
        return super().choose_task(seed, split)

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw what is hidden and asked, filler and places; the text is as long as ``length`` allows."""
        if self.level == 1:
            return draw_first(draw, split, self.length, self.depth, self._count, self.limit_line())
        kind = self.kind or draw.pick(LEVELS[self.level].kinds)
        hidden = hide_kind(draw, split, kind, self.load)
        statements = [Statement(said, True, draw.unit()) for said in hidden.needed]
        statements += [Statement(said, False, draw.unit()) for said in hidden.others]
        text, size = self._fit(draw, split, statements, hidden.question, len(hidden.wanted))
        at = [text.index(said) for said in hidden.needed]
        data = {
            "text": text, "question": hidden.question, "needed": hidden.needed, "rivals": hidden.rivals,
            "length": self.length, "unit": self.unit, "size": size, "depth": self.depth,
        }  # fmt: skip
        words = size if self._count is None else len(self._say(text, hidden.question, len(hidden.wanted)).split())
        facts = {"length": words, "depth": 100 * float(np.mean(at)) / max(1, len(text)), "load": self.load}
        return Task(kind, hidden.question, data, hidden.wanted, facts=facts)

    def tell(self) -> str:
        """Say the rules, the text and the question."""
        data = self.task.data
        if self.level == 1:
            return say_first(data["text"], data["asked"][0], self.limit_line())
        return self._say(data["text"], data["question"], len(self.task.reference))

    def judge(self, action: str) -> Outcome:
        """Compare what stands after the last ``Answer:``, value by value."""
        if self.level == 1:
            outcome = judge_first(action, self.task.data["codes"], self.task.reference[0])
            return self.malformed(NO_CODE) if outcome is None else outcome
        wanted = self.task.reference
        line = answer_line(action)
        said: Sequence[str] = () if line is None else (line,)
        absent = line is not None and says_absent(line)
        if len(wanted) > 1 and not absent:
            values = read_answers(action, len(wanted))
            said = () if values is None else tuple(value.text for value in values)
        if not said:
            return self.malformed(_NO_ANSWER.format(_form(len(wanted))))
        if absent or wanted == [ABSENT]:
            if absent and wanted == [ABSENT]:
                return Outcome("Right.", 1.0, success=True, terminated=True)
            error = "missed" if absent else "made_up"
            return Outcome("That is not right.", 0.0, terminated=True, error=error)
        rivals = self.task.data["rivals"]
        right = [names_only(mine, true, rivals) for mine, true in zip(said, wanted, strict=True)]
        if all(right):
            return Outcome("Right.", 1.0, success=True, terminated=True)
        wrong = [mine for ok, mine in zip(right, said, strict=True) if not ok]
        told = any(mine.strip() and mine in self.task.data["text"] for mine in wrong)
        sentence = f"{sum(right)} of {len(right)} values are right."
        error = "distractor_value" if told else "wrong_value"
        return Outcome(sentence, sum(right) / len(right), terminated=True, error=error)

    def oracle(self) -> str:
        """Restate the statements that the answer needs, then answer."""
        needed: Json = self.task.data["needed"]
        lines = [said for group in needed for said in group] if self.level == 1 else needed
        return "\n".join([*lines, f"Answer: {', '.join(self.task.reference)}"])

    def simple_reply(self) -> str:
        """Search the text for the words of the question; see :mod:`acgym.envs.context.heuristic`."""
        return copy_codes(self.observations[0]) if self.level == 1 else search(self.observations[0])

    def random_reply(self, rng: np.random.Generator) -> str:
        """Answer with random codes of four digits, or now and then with a count, not taken from the text."""
        low, high = (1000, 10000) if self.level == 1 or rng.random() < 0.8 else (1, 30)
        return "Answer: " + ", ".join(str(rng.integers(low, high)) for _ in self.task.reference)

    def _say(self, text: str, question: str, count: int) -> str:
        return f"{_rules(count)}\n{self.limit_line()}Text: {text}\nQuestion: {question}"

    def _fit(self, draw: Draw, split: Split, statements: list[Statement], question: str, count: int) -> tuple[str, int]:
        """Return the longest text whose observation counts at most ``length``, and that count."""
        own = self._own
        fixed = len(self._say("", question, count).split()) + sum(len(each.sentence.split()) for each in statements)
        words = self.length - (fixed if self._count is None else 0)
        if words < 0:
            raise ValueError(too_short(self.length, fixed, self.unit))
        drawn = repeated(own, draw.below(len(own)), words + 1) if own else prose_sentences(draw, split, words)
        measure = self._count
        if measure is None:
            fits = fitting_words(drawn, words)
            return bury(drawn[:fits], statements, self.depth), fixed + sum(each.words for each in drawn[:fits])

        def size(sentences: int) -> int:
            return measure(self._say(bury(drawn[:sentences], statements, self.depth), question, count))

        most = fitting(size, self.length, len(drawn))
        if most is None:
            raise ValueError(too_short(self.length, size(0), self.unit))
        return bury(drawn[:most], statements, self.depth), size(most)


@cache
def _rules(count: int) -> str:
    return f"{_READ_ALL}\n{_form(count)}\n{_OR_ABSENT}"


def _form(count: int) -> str:
    return _VALUES if count > 1 else _ONE_VALUE
