"""Level 1 of the needle: one code among three in short generated sentences, as the reference agent learned it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from acgym.draw import Draw
from acgym.env import Outcome
from acgym.envs.context.arguments import too_short
from acgym.envs.context.first_codes import NAMES, draw_codes, statement_of
from acgym.envs.context.fit import fitting
from acgym.envs.context.haystack import FILLER_WORDS, Statement, facts_of, filler, hide
from acgym.envs.names import distinct_names
from acgym.scorers.answer import read_answers
from acgym.types import Json, Split, Task

_READ = "Read the text below. It tells the codes of some names. A code has four digits."
_ONE = "The last line of your reply must be: Answer: CODE"
NO_CODE = "Your reply has no answer that can be read. The last line of your reply must be: Answer: CODE"


def say_first(text: str, name: str, limit: str) -> str:
    """Say the rules, the text and the question."""
    return f"{_READ}\n{_ONE}\n{limit}Text: {text}\nQuestion: {_question(name)}"


def draw_first(
    draw: Draw,
    split: Split,
    length: int,
    depth: float | None,
    count: Callable[[str], int] | None,
    limit: str,
) -> Task:
    """Draw names, codes, filler and places; the text is as long as ``length`` allows.

    Args:
        draw: source of all choices.
        split: whose names, codes and sentences.
        length: longest observation, in words or as ``count`` counts.
        depth: place of the statement asked for, in percent; None for any.
        count: counts an observation; None for words.
        limit: the line that tells the step limit.

    Raises:
        ValueError: if the length cannot hold rules and statements.
    """
    names = distinct_names(draw, split, NAMES)
    values = draw_codes(draw, split, NAMES)
    told = [statement_of(*each) for each in zip(names, values, strict=True)]
    name = names[0]
    hidden = [Statement(line, i == 0, draw.unit()) for i, line in enumerate(told)]
    pool = filler(split)
    drawn: list[str] = []

    def text_of(fillers: int) -> str:
        while len(drawn) < fillers:
            drawn.append(draw.pick(pool))
        return hide(drawn[:fillers], hidden, depth)

    fixed = len(say_first("", name, limit).split()) + 6 * len(hidden)
    if count is None:
        fillers = (length - fixed) // FILLER_WORDS
        if fillers < 0:
            raise ValueError(too_short(length, fixed, "words"))
        text, size = text_of(fillers), fixed + fillers * FILLER_WORDS
    else:
        most = fitting(lambda fillers: count(say_first(text_of(fillers), name, limit)), length, length)
        if most is None:
            raise ValueError(too_short(length, count(say_first(text_of(0), name, limit)), "tokens"))
        text = text_of(most)
        size = count(say_first(text, name, limit))
    data = {
        "text": text,
        "asked": [name],
        "codes": dict(zip(names, values, strict=True)),
        "needed": [told[:1]],
        "length": length,
        "unit": "words" if count is None else "tokens",
        "size": size,
        "depth": depth,
    }
    facts = facts_of(say_first(text, name, limit), text, [name])
    return Task("1 asked, 0 links", _question(name), data, values[:1], facts=facts)


def judge_first(action: str, codes: Mapping[str, Json], wanted: str) -> Outcome | None:
    """Judge a reply by the code that it answers with; None if none can be read."""
    said = read_answers(action, 1)
    if said is None or said[0].number is None:
        return None
    if said[0].same_as(wanted):
        return Outcome("Right.", 1.0, success=True, terminated=True)
    error = "distractor_value" if said[0].number in {Decimal(code) for code in codes.values()} else "wrong_value"
    return Outcome("0 of 1 codes are right.", 0.0, terminated=True, error=error)


def _question(name: str) -> str:
    return f'What is the code of "{name}"?'
