"""Long-context retrieval: codes of names hidden in generated filler, asked for at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome, TextEnv
from acgym.envs.context.chains import SHAPES, draw_chains, draw_codes, statements_of
from acgym.envs.context.haystack import FILLER_WORDS, Statement, facts_of, filler, hide
from acgym.envs.context.heuristic import copy_codes
from acgym.scorers.answer import read_answers
from acgym.types import Anchor, FailureClass, Split, Task

MAX_LENGTH = 1_000_000
"""Longest text that can be asked for, in words or tokens."""


_READ = "Read the text below. It tells the codes of some names. A code has four digits."
_LINKED = "A name can have the same code as another name."
_ONE = "The last line of your reply must be: Answer: CODE"
_SEVERAL = "The last line of your reply must be: Answer: CODE, CODE, CODE (one code for each name, in the order asked)"
_NO_ANSWER = (
    "Your reply has no answer that can be read. The last line of your reply must be: Answer: CODE",
    "Your reply has no answer that can be read. The last line of your reply must be: Answer: CODE, CODE, CODE",
)


class Needle(TextEnv):
    """ACB/Needle-v0: find the code of a name in a long text.

    What the agent sees: two to four rule lines, a text of generated sentences in which statements such as
    ``The code of "belado" is "4821".`` are hidden, and a question: ``What is the code of "belado"?``.

    What it must say: anything, then ``Answer: 4821`` (several codes: ``Answer: 4821, 1093, 5520``), as
    :func:`acgym.scorers.answer.read_answers` reads it: the last answer counts, in any case and markdown, and codes are
    compared as numbers. An answer that has not as many codes as were asked for cannot be read.

    What earns progress: the share of the codes asked for that are exactly right, each in its place.

    When it ends: with the first answer that can be read. A reply without one changes nothing; there are three steps.

    Levels (words in all; names asked; other names or chains told; links to follow):

    ===== ====== ===== ====== ===== =======================================
    level words  asked others links names
    ===== ====== ===== ====== ===== =======================================
    1     100    1     2      0     share no half, codes without equal digits
    2     1,000  1     8      0     similar
    3     4,000  3     9      0     similar
    4     8,000  1     7      1     similar, ``"a" has the same code as "b".``
    5     16,000 3     7      2     similar, two links each
    ===== ====== ===== ====== ===== =======================================

    What guessing scores: any code of the text wins 33 % at level 1, 11 % at level 2, 13 % at level 4; a search for the
    name (``heuristic_anchors``) wins where there are no links.

    Length: the first observation, rules and question included, never counts more than ``length``; it is at most one
    filler sentence shorter (8 words, or the tokens that 8 words make).

    Errors in ``info["error"]``: ``"distractor_value"`` (a wrong code is another name's code in the text),
    ``"wrong_value"`` (a wrong code is nowhere in the text).

    Args:
        level: 1 to 5.
        length: longest first observation; None for the level's default. ``task.data`` records what was asked
            (``length``), what was counted (``unit``: ``"words"`` or ``"tokens"``) and how many there are (``size``).
        depth: where the statements that the answer needs lie, in percent of the filler sentences before them: 0 is
            the start of the text, 100 its end; None for a random place each. The other statements lie anywhere.
        count: counts a text in an agent's tokens; None to count words. The environment knows no tokenizer itself.
        render_mode: ``"ansi"`` or None.

    Raises:
        ValueError: for a length, a depth or a level out of range, or a length that cannot hold rules and statements.

    Source: ACBench (arXiv 2505.19433), long context; stands for Needle-in-a-Haystack. Everything is generated (MIT)
    and scored by exact match, where the original counts shared words with one public needle.

    Versions: v0, first.
    """

    env_id = "ACB/Needle-v0"
    capability = "long-context retrieval"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "distractor_value": "wrong_argument",
        "wrong_value": "wrong_argument",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.000, 0.000),
        2: Anchor(0.001, 0.001),
        3: Anchor(0.000, 0.000),
        4: Anchor(0.000, 0.000),
        5: Anchor(0.000, 0.000),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(1.000, 1.000),
        2: Anchor(1.000, 1.000),
        3: Anchor(1.000, 1.000),
        4: Anchor(0.129, 0.129),
        5: Anchor(0.000, 0.098),
    }

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        length: int | None = None,
        depth: float | None = None,
        count: Callable[[str], int] | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(level, render_mode)
        self.shape = SHAPES[level]
        self.length = self.shape.length if length is None else _checked_length(length)
        self.depth = None if depth is None else _checked_depth(depth)
        self.unit = "words" if count is None else "tokens"
        self._count = count
        self._fixed = 0 if count else self._words_without_filler()
        self.draw_task(Draw(np.random.default_rng(0)), "eval")  # raises here, not at a reset, if length is too short

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw names, codes, filler and places; the text is as long as ``length`` allows."""
        shape = self.shape
        chains = draw_chains(draw, split, shape)
        values = draw_codes(draw, split, len(chains), plain=self.level == 1)
        told = [statements_of(chain, code) for chain, code in zip(chains, values, strict=True)]
        asked = [chain[0] for chain in chains[: shape.asked]]
        hidden = [Statement(line, i < shape.asked, draw.unit()) for i, group in enumerate(told) for line in group]
        if self._count is None:
            text, size = self._fit_words(draw, split, hidden)
        else:
            text, size = self._fit_tokens(draw, split, hidden, asked)
        data = {
            "text": text,
            "asked": asked,
            "codes": {name: code for chain, code in zip(chains, values, strict=True) for name in chain},
            "needed": told[: shape.asked],
            "length": self.length,
            "unit": self.unit,
            "size": size,
            "depth": self.depth,
        }
        facts = facts_of(self._observation(text, asked), text, asked)
        kind = f"{shape.asked} asked, {shape.links} links"
        return Task(kind, _question(asked), data, values[: shape.asked], facts=facts)

    def tell(self) -> str:
        """Say the rules, the text and the question."""
        data = self.task.data
        return self._observation(data["text"], data["asked"])

    def judge(self, action: str) -> Outcome:
        """Compare the codes after the last ``Answer:``, place by place."""
        reference = self.task.reference
        said = read_answers(action, len(reference))
        if said is None or not all(value.number is not None for value in said):
            return self.malformed(_NO_ANSWER[len(reference) > 1])
        right = [mine.same_as(true) for mine, true in zip(said, reference, strict=True)]
        if all(right):
            return Outcome("Right.", 1.0, success=True, terminated=True)
        wrong = {mine.number for ok, mine in zip(right, said, strict=True) if not ok}
        told = {Decimal(code) for code in self.task.data["codes"].values()}
        error = "distractor_value" if wrong & told else "wrong_value"
        return Outcome(
            f"{sum(right)} of {len(right)} codes are right.", sum(right) / len(right), terminated=True, error=error
        )

    def oracle(self) -> str:
        """Restate the statements that the answer needs, then answer."""
        lines = [sentence for group in self.task.data["needed"] for sentence in group]
        return "\n".join([*lines, f"Answer: {', '.join(self.task.reference)}"])

    def heuristic_reply(self) -> str:
        """Search the text for each name and copy the code beside it; see :mod:`acgym.envs.context.heuristic`."""
        return copy_codes(self.observations[0])

    def random_reply(self, rng: np.random.Generator) -> str:
        """Answer with random codes of four digits, not taken from the text."""
        return "Answer: " + ", ".join(str(rng.integers(1000, 10000)) for _ in self.task.reference)

    def _observation(self, text: str, asked: list[str]) -> str:
        rules = _rules(len(asked) > 1, self.shape.links > 0)
        return f"{rules}\n{self.limit_line()}Text: {text}\nQuestion: {_question(asked)}"

    def _words_without_filler(self) -> int:
        """Count the words of rules, question and statements, the same in every task of a level."""
        shape = self.shape
        statements = (shape.asked + shape.others) * (6 + 7 * shape.links)
        return statements + len(self._observation("", ["name"] * shape.asked).split())

    def _fit_words(self, draw: Draw, split: Split, hidden: list[Statement]) -> tuple[str, int]:
        """Return the longest text whose observation has at most ``length`` words, and the observation's words."""
        fillers = (self.length - self._fixed) // FILLER_WORDS
        if fillers < 0:
            raise ValueError(_too_short(self.length, self._fixed, "words"))
        pool = filler(split)
        drawn = [draw.pick(pool) for _ in range(fillers)]
        return hide(drawn, hidden, self.depth), self._fixed + fillers * FILLER_WORDS

    def _fit_tokens(self, draw: Draw, split: Split, hidden: list[Statement], asked: list[str]) -> tuple[str, int]:
        """Return the longest text whose observation counts at most ``length``, and that count."""
        count, pool = self._count, filler(split)
        assert count is not None
        drawn: list[str] = []

        def size(fillers: int) -> int:
            while len(drawn) < fillers:
                drawn.append(draw.pick(pool))
            return count(self._observation(hide(drawn[:fillers], hidden, self.depth), asked))

        smallest = size(0)
        if smallest > self.length:
            raise ValueError(_too_short(self.length, smallest, "tokens"))
        fits, above = 0, 1
        while above <= self.length and size(above) <= self.length:
            fits, above = above, above * 2
        while above - fits > 1:
            middle = (fits + above) // 2
            fits, above = (middle, above) if size(middle) <= self.length else (fits, middle)
        return hide(drawn[:fits], hidden, self.depth), size(fits)


def _question(asked: list[str]) -> str:
    if len(asked) == 1:
        return f'What is the code of "{asked[0]}"?'
    listed = ", ".join(f'"{name}"' for name in asked)
    return f"What are the codes of {listed}?"


@cache
def _rules(several: bool, linked: bool) -> str:
    return "\n".join([_READ] + [_LINKED] * linked + [_SEVERAL if several else _ONE])


def _too_short(length: int, smallest: int, unit: str) -> str:
    return (
        f"length is {length} {unit}, but the rules, the question and the statements alone are {smallest}; "
        "raise length or lower level"
    )


def _checked_length(length: int) -> int:
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= MAX_LENGTH:
        raise ValueError(
            f"length must be an integer from 1 to {MAX_LENGTH} (words, or what count counts), got {length!r}"
        )
    return length


def _checked_depth(depth: float) -> float:
    if isinstance(depth, bool) or not isinstance(depth, int | float) or not 0 <= depth <= 100:
        raise ValueError(f"depth must be a number from 0 (start) to 100 (end) percent, got {depth!r}")
    return float(depth)
