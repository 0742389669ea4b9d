"""Reads the final answer to a question: a number, a date, or one of the names in the database."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from acgym.scorers.answer import MAX_LINE, Value, read_answer
from acgym.types import Json

_MARK = re.compile(r"(?<![a-z])answers?[ \t*_`\"']{0,8}(?:[:=]|is\b:?)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,:-])-?\d{1,3}(?:,\d{3})+(?![\w:-])|(?<![\w.,:-])-?\d{1,15}(?![\w:-]|\.\d)")
_DATE = re.compile(
    r"(?<!\d)(?:\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)? [A-Z][a-z]{2,8} \d{4}|[A-Z][a-z]{2,8} \d{1,2}, \d{4})(?!\d)"
)
_EDGES = " \t\r\n*_`\"'“”‘’«»()[]{}.!,;:"


def said_right(reply: str, wanted: Json, names: Iterable[str]) -> bool | None:
    """Compare the answer in a reply with the right one.

    A number or a date is read by :func:`acgym.scorers.answer.read_answer`. A name is the one of ``names`` that stands
    in the line after the last ``Answer:`` (or that is the whole reply), in any case, with or without quotes and
    remarks; a line that holds two of them names neither, unless one is a part of the other.

    Args:
        reply: any text.
        wanted: whole number, ISO date, or name.
        names: the names and words that could be meant, the right one among them.

    Returns:
        Whether it is right; None if no answer of the right kind can be read.
    """
    if isinstance(wanted, int):
        value = _counted(reply, str(wanted))
        return None if value is None else value.same_as(str(wanted))
    if _is_date(wanted):
        value = _counted(reply, wanted)
        return None if value is None else value.same_as(wanted)
    marks = list(_MARK.finditer(reply))
    if not marks:
        whole = reply.strip(_EDGES).casefold()
        known = {name.casefold() for name in names}
        return whole == str(wanted).casefold() if whole in known else None
    after = reply[marks[-1].end() :].lstrip(_EDGES)
    line = " ".join(after.partition("\n")[0][:MAX_LINE].split()).casefold()
    if not line.strip(_EDGES):
        return None
    return _named(line, names) == str(wanted).casefold()


def holds(reply: str, wanted: Json, names: Iterable[str]) -> bool:
    """Say whether a reply holds the right answer, whatever its form: as the only number, date or name in it."""
    text = " ".join(reply[: 4 * MAX_LINE].split())
    if isinstance(wanted, int):
        return {number.replace(",", "") for number in _NUMBER.findall(text)} == {str(wanted)}
    if _is_date(wanted):
        return {said_right(f"Answer: {day}", wanted, ()) for day in _DATE.findall(text)} == {True}
    return _named(text.casefold(), names) == str(wanted).casefold()


def _counted(reply: str, wanted: str) -> Value | None:
    value = read_answer(reply)
    return value if value is not None and value.comparable(wanted) else None


def _named(line: str, names: Iterable[str]) -> str | None:
    """Return the one name in a line; longer names hide the shorter ones that they hold."""
    found: list[str] = []
    for name in sorted({name.casefold() for name in names}, key=lambda name: (-len(name), name)):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line):
            found.append(name)
            line = line.replace(name, " ")
    return found[0] if len(found) == 1 else None


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
