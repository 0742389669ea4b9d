"""Long-context retrieval: codes of names hidden in generated filler, asked for at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome, TextEnv
from acgym.envs.context.haystack import FILLER_WORDS, Statement, facts_of, filler, hide
from acgym.envs.names import codes, distinct_names, names, similar_names
from acgym.text import excerpt
from acgym.types import Anchor, Split, Task

MAX_LENGTH = 1_000_000
"""Longest text that can be asked for, in words or tokens."""


class Shape(NamedTuple):
    """What a level asks."""

    length: int  # longest first observation, in words
    asked: int  # names asked for
    others: int  # names (or chains of names) that are told and not asked for
    links: int  # statements "has the same code as" between a name asked for and the code


SHAPES = {
    1: Shape(100, 1, 2, 0),
    2: Shape(1000, 1, 8, 0),
    3: Shape(4000, 3, 9, 0),
    4: Shape(8000, 1, 7, 1),
    5: Shape(16000, 3, 7, 2),
}
_READ = "Read the text below. It tells the codes of some names. A code has four digits."
_LINKED = "A name can have the same code as another name."
_ONE = "The last line of your reply must be: Answer: CODE"
_SEVERAL = "The last line of your reply must be: Answer: CODE, CODE, CODE (one code for each name, in the order asked)"
_NO_ANSWER = (
    'Your reply has no "Answer:". The last line of your reply must be: Answer: CODE',
    'Your reply has no "Answer:". The last line of your reply must be: Answer: CODE, CODE, CODE',
)
_AROUND = " \t\r\n\"'`*."
"""What may surround a code in a reply."""


class Needle(TextEnv):
    """ACB/Needle-v0: find the code of a name in a long text.

    What the agent sees: two to four rule lines, a text of generated sentences in which statements such as
    ``The code of "belado" is "4821".`` are hidden, and a question: ``What is the code of "belado"?``.

    What it must say: anything, then ``Answer: 4821`` (several codes: ``Answer: 4821, 1093, 5520``). What follows the
    last ``Answer:`` on its line counts; quotes, asterisks and a final full stop around a code are ignored.

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

    capability = "long-context retrieval"
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.000, 0.000),
        2: Anchor(0.001, 0.001),
        3: Anchor(0.000, 0.000),
        4: Anchor(0.000, 0.000),
        5: Anchor(0.000, 0.000),
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
        chains = _chains(draw, split, shape)
        values = _codes(draw, split, len(chains), plain=self.level == 1)
        told = [_statements(chain, code) for chain, code in zip(chains, values, strict=True)]
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
        facts = facts_of(_observation(text, asked, linked=shape.links > 0), text, asked)
        kind = f"{shape.asked} asked, {shape.links} links"
        return Task(kind, _question(asked), data, values[: shape.asked], facts=facts)

    def tell(self) -> str:
        """Say the rules, the text and the question."""
        data = self.task.data
        return _observation(data["text"], data["asked"], linked=len(data["needed"][0]) > 1)

    def judge(self, action: str) -> Outcome:
        """Compare the codes after the last ``Answer:``, place by place."""
        reference = self.task.reference
        at = action.rfind("Answer:")
        if at < 0:
            return self.malformed(_NO_ANSWER[len(reference) > 1])
        line = action[at + 7 :].strip(_AROUND).split("\n", 1)[0]
        said = [part.strip(_AROUND) for part in line.split(",")]
        if len(said) != len(reference) or not all(part.isascii() and part.isdigit() for part in said):
            wanted = "1 code" if len(reference) == 1 else f"{len(reference)} codes with a comma between them"
            return self.malformed(f'After "Answer:" there must be {wanted}, in digits; it was {excerpt(line)}.')
        right = [mine == true for mine, true in zip(said, reference, strict=True)]
        if all(right):
            return Outcome("Right.", 1.0, success=True, terminated=True)
        wrong = {mine for ok, mine in zip(right, said, strict=True) if not ok}
        error = "distractor_value" if wrong & set(self.task.data["codes"].values()) else "wrong_value"
        return Outcome(
            f"{sum(right)} of {len(right)} codes are right.", sum(right) / len(right), terminated=True, error=error
        )

    def oracle(self) -> str:
        """Restate the statements that the answer needs, then answer."""
        lines = [sentence for group in self.task.data["needed"] for sentence in group]
        return "\n".join([*lines, f"Answer: {', '.join(self.task.reference)}"])

    def random_reply(self, rng: np.random.Generator) -> str:
        """Answer with random codes of four digits, not taken from the text."""
        return "Answer: " + ", ".join(str(rng.integers(1000, 10000)) for _ in self.task.reference)

    def _words_without_filler(self) -> int:
        """Count the words of rules, question and statements, the same in every task of a level."""
        shape = self.shape
        statements = (shape.asked + shape.others) * (6 + 7 * shape.links)
        return statements + len(_observation("", ["name"] * shape.asked, linked=shape.links > 0).split())

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
        count, linked, pool = self._count, self.shape.links > 0, filler(split)
        assert count is not None
        drawn: list[str] = []

        def size(fillers: int) -> int:
            while len(drawn) < fillers:
                drawn.append(draw.pick(pool))
            return count(_observation(hide(drawn[:fillers], hidden, self.depth), asked, linked=linked))

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


def _chains(draw: Draw, split: Split, shape: Shape) -> list[list[str]]:
    """Draw the chains of names, those asked for first: each name has the code of the next, the last has its own."""
    total = shape.asked + shape.others
    if shape == SHAPES[1]:
        return [[name] for name in distinct_names(draw, split, total)]
    first = distinct_names(draw, split, shape.asked)
    used = dict.fromkeys(first)
    near = [similar_names(draw, split, name, 8) for name in first]
    for i in range(shape.others):
        used[next(name for name in near[i % shape.asked] if name not in used)] = None
    firsts = list(used)
    pool = names(split)
    while len(used) < total * (shape.links + 1):
        used[draw.pick(pool)] = None
    rest = list(used)[total:]
    return [[name, *rest[i * shape.links : (i + 1) * shape.links]] for i, name in enumerate(firsts)]


def _codes(draw: Draw, split: Split, count: int, *, plain: bool) -> list[str]:
    """Draw distinct codes; plain ones repeat no digit and differ in the first, so that one digit tells what follows."""
    if not plain:
        return draw.sample(codes(split), count)
    chosen: list[str] = []
    pool = _plain_codes(split)
    while len(chosen) < count:
        code = draw.pick(pool)
        if all(code[0] != other[0] for other in chosen):
            chosen.append(code)
    return chosen


@cache
def _plain_codes(split: Split) -> tuple[str, ...]:
    return tuple(code for code in codes(split) if len(set(code)) == len(code))


def _statements(chain: list[str], code: str) -> list[str]:
    """Say a chain: its links, then the code of its last name."""
    links = [f'"{a}" has the same code as "{b}".' for a, b in pairwise(chain)]
    return [*links, f'The code of "{chain[-1]}" is "{code}".']


def _question(asked: list[str]) -> str:
    if len(asked) == 1:
        return f'What is the code of "{asked[0]}"?'
    listed = ", ".join(f'"{name}"' for name in asked)
    return f"What are the codes of {listed}?"


def _observation(text: str, asked: list[str], *, linked: bool) -> str:
    return f"{_rules(len(asked) > 1, linked)}\nText: {text}\nQuestion: {_question(asked)}"


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
