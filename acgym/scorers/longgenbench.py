"""LongGenBench's score: many numbered answers in one long reply (Liu et al. 2024, arXiv 2410.04199).

A gold answer is a GSM8K rationale that ends in ``#### NUMBER``, or a letter. Both scorers take a reply, never raise on
any, are linear in its length, and return one mark a question, in their order: True, False, or None where the reply has
no answer to it. The score is the share of True.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from acgym.scorers.answer import read_answer

__all__ = ["gold_number", "marks", "published_marks"]

LETTERS = "ABCDE"
_HEAD = re.compile(
    r"(?:^[ \t*#>]{0,8}|(?<![a-z])(?=(?:answer|question)_))(answer|question)[_ ]?(\d{1,6})(?!\d)",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(r"answer (?:is|are)\b", re.IGNORECASE)
_OPEN = r"[\s:*_`\"'$€£\\({\[]{0,12}"
_NUMBER = re.compile(
    rf"{_OPEN}(?:boxed\{{)?([-+−]?)[$€£]?(\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d{{1,40}})(\.\d{{1,40}})?", re.ASCII
)
_FRACTION = re.compile(r"\s?[/:]\s?\d")
_LETTER = re.compile(rf"{_OPEN}([{LETTERS}])(?![A-Za-z0-9'])|[\s:*_`\"']{{0,12}}\(([{LETTERS.lower()}])\)")
_GOLD = re.compile(r"####\s*[$€£]?\s*([-+−]?)[$€£]?(\d{1,3}(?:,\d{3})+(?!\d)|\d{1,40})(\.\d{1,40})?", re.ASCII)
_PUBLISHED_GOLD = re.compile(r"####\s*(\d+)")
_PUBLISHED_HEAD = re.compile(r"Answer_\d+:\s*")
_PUBLISHED_NUMBER = re.compile(r"answer is (\d+)")
_PUBLISHED_LETTER = re.compile(r"answer is \((.*?)\)")


def gold_number(answer: str) -> Decimal | None:
    """Read the number that a GSM8K rationale ends with: signs, ``$``, ``1,200`` and decimals; None if there is none."""
    found = _GOLD.search(answer)
    return None if found is None else _decimal(found)


def marks(reply: str, answers: Sequence[str], first: int) -> list[bool | None]:
    """Mark a reply by the number of each question, so that a question left out costs itself alone.

    The answer to question n stands between ``Answer_n`` (also ``Answer n``, any case, bold or not) and the next
    ``Answer_`` or ``Question_``: the value after the last ``answer is`` that is followed by one, else the one value
    that the part is or that stands after ``####`` or ``Answer:``. Where a question is answered twice the first answer
    counts. Numbers count by value (``$18``, ``18.00`` and ``**18**`` are 18; ``3 * 6 = 18`` is 18); letters may stand
    in brackets or not.

    Args:
        reply: what the model said.
        answers: the gold answers, all rationales or all letters.
        first: number of the first question.

    Returns:
        A mark for each of ``answers``.
    """
    golds = [answer.strip().upper() if is_letter(answer) else gold_number(answer) for answer in answers]
    said: dict[int, Decimal | str] = {}
    for number, part in _parts(reply):
        place = number - first
        if 0 <= place < len(golds) and place not in said:
            value = _letter(part) if isinstance(golds[place], str) else _number(part)
            if value is not None:
                said[place] = value
    return [said[place] == gold if place in said else None for place, gold in enumerate(golds)]


def published_marks(reply: str, answers: Sequence[str]) -> list[bool | None]:
    """Mark a reply as the published ACBench code does, defects included, to explain published numbers.

    The i-th answer found is held against the i-th gold answer whatever number it bears, so that a question left out
    shifts all that follow; numbers are runs of digits, compared as text (``$18`` is not found, ``1,200`` is ``1``, gold
    ones too; a negative gold answer is never right); letters must be in brackets on the first line of their answer.
    """
    letters = bool(answers) and all(map(is_letter, answers))
    found = _published_letters(reply) if letters else _published_numbers(reply)
    said = list(found)[: len(answers)]
    golds: list[str | None] = []
    for answer in answers:
        literal = _PUBLISHED_GOLD.search(answer)
        golds.append(answer if letters else literal[1] if literal else None)
    held = [one == gold for one, gold in zip(said, golds, strict=False)]
    return [*held, *[None] * (len(answers) - len(held))]


def is_letter(answer: str) -> bool:
    """Say whether a gold answer is a letter of a choice."""
    return len(answer.strip()) == 1 and answer.strip().upper() in LETTERS


def _parts(reply: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each answer."""
    heads = list(_HEAD.finditer(reply))
    ends = [*(head.start() for head in heads), len(reply)][1:]
    for head, end in zip(heads, ends, strict=True):
        if head[1].lower() == "answer":
            yield int(head[2]), reply[head.end() : end].lstrip(" \t:.*_`)")


def _after(part: str) -> Iterator[str]:
    """Yield what follows each ``answer is`` on its line, or on the next one that is not empty; the last one first."""
    end = len(part)
    for said in reversed(list(_SAID.finditer(part))):
        yield part[said.end() : end].lstrip(" \t:*_`\r\n").partition("\n")[0]
        end = said.start()


def _number(part: str) -> Decimal | None:
    for said in _after(part):
        result = said.rpartition("=")[2]
        found = _NUMBER.match(result)
        if found and not _FRACTION.match(result, found.end()):
            return _decimal(found)
    if _SAID.search(part):
        return None
    value = read_answer(part)
    return gold_number(part) if "####" in part else None if value is None else value.number


def _letter(part: str) -> str | None:
    for said in [*_after(part), part]:
        found = _LETTER.match(said)
        if found:
            return (found[1] or found[2]).upper()
    return None


def _decimal(found: re.Match[str]) -> Decimal:
    sign = "-" if found[1] in ("-", "−") else ""
    return Decimal(sign + found[2].replace(",", "") + (found[3] or ""))


def _published_numbers(reply: str) -> Iterator[str]:
    r"""Yield what ``findall(r"Answer_\d+:\s*.*?answer is (\d+)", reply, DOTALL)`` finds, in linear time."""
    place = 0
    while head := _PUBLISHED_HEAD.search(reply, place):
        found = _PUBLISHED_NUMBER.search(reply, head.end())
        if found is None:
            return
        yield found[1]
        place = found.end()


def _published_letters(reply: str) -> Iterator[str]:
    r"""Yield what ``findall(r"Answer_\d+:\s*.*?answer is \((.*?)\)", reply)`` finds, in linear time."""
    place, failed = 0, -1
    while head := _PUBLISHED_HEAD.search(reply, place):
        place = head.end()
        end = reply.find("\n", place)
        end = len(reply) if end < 0 else end
        found = None if end == failed else _PUBLISHED_LETTER.search(reply, place, end)
        if found is None:
            failed = end  # a later head on this line finds nothing either
            continue
        yield found[1]
        place = found.end()
