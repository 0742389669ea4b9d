"""Reads the answer in a model's words: one value, or several; numbers and dates are compared by what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_MARK = re.compile(r"(?<![a-z])answers?[ \t*_`\"']{0,8}[:=：]", re.IGNORECASE)
_SPOKEN_MARK = re.compile(r"(?<![a-z])answers? (?:is|are)\b:?", re.IGNORECASE)
_EDGES = " \t\r\n*_`\"'“”‘’"
_END = ".!,;:"
MAX_LINE = 500
"""A longer line after ``Answer:`` is no answer."""

_NUMBER = re.compile(r"[$€£]?([-+−]?)(\d{1,3}(?:,\d{3}){1,9}|\d{1,40})(\.\d{1,40})?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_LEAD = r"(?:on )?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?(?:the )?"
_DATES = (
    re.compile(rf"{_LEAD}(?P<d>{_DAY})(?: of)?[ -](?P<m>{_MONTH}),?[ -](?P<y>\d{{4}})", re.ASCII),
    re.compile(rf"{_LEAD}(?P<m>{_MONTH})[ -](?:the )?(?P<d>{_DAY}),?[ -](?P<y>\d{{4}})", re.ASCII),
    re.compile(rf"(?P<y>\d{{4}}),?[ -](?P<m>{_MONTH})[ -](?P<d>{_DAY})", re.ASCII),
    re.compile(r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})", re.ASCII),
)
_DAY_AND_MONTH = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Value:
    """One value that was said."""

    text: str
    """As it was said, without quotes, markdown and final period."""
    number: Decimal | None = None
    """What it counts, if it is a number: 1,200 and 1200.0 are 1200."""
    day: date | None = None
    """The day, if it is a date in full."""

    def same_as(self, wanted: str, *, ignore_case: bool = True) -> bool:
        """Say whether this means ``wanted``: equal as numbers, or as dates, else as texts.

        Args:
            wanted: a reference value, as text.
            ignore_case: whether ``Belado`` is ``belado``.
        """
        other = _value(wanted) or Value(wanted)
        if other.number is not None:
            return self.number == other.number
        if other.day is not None:
            return self.day == other.day
        mine, theirs = " ".join(self.text.split()), " ".join(other.text.split())
        return mine == theirs or (ignore_case and mine.casefold() == theirs.casefold())


def read_answer(reply: str, *, marked: bool = False) -> Value | None:
    """Read the value that a reply answers with.

    It stands after the last ``Answer:`` after which a value can be read (any case; ``**Answer:**``, ``Answer =`` and
    ``the answer is`` are marks too), on the same line or the next one. Quotes, backticks, asterisks, a final period, a
    remark in brackets and a closing sentence are no part of it. Without a mark, a reply that is nothing but a value
    answers with it.

    A value is a number (``42``, ``1,200``, ``12.5``), a date in full (``2032-05-22``, ``22 May 2032``,
    ``May 22nd, 2032``, ``22/05/2032``), one word, or a text in quotes. ``03/04/2032``, which may be two days, is none.

    Args:
        reply: any text; linear in its length.
        marked: whether only what follows a mark counts.

    Returns:
        The value; None where none can be read.
    """
    for after in _after_marks(reply):
        marked = True
        value = _in_line(_first_line(after))
        if value is not None:
            return value
    return None if marked else _in_line(reply.strip())


def read_answers(reply: str, count: int) -> list[Value] | None:
    """Read ``count`` values after the last ``Answer:`` after which as many can be read.

    They are divided by commas, semicolons or ``and``, or stand on a line each; ``name: value`` is read as the value.

    Returns:
        The values in their order; None where no mark is followed by exactly as many.
    """
    if count == 1:
        one = read_answer(reply, marked=True)
        return None if one is None else [one]
    for after in _after_marks(reply):
        for parts in _divided(after, count):
            values = [_in_line(_bare(part)) for part in parts]
            found = [value for value in values if value is not None]
            if len(values) == len(found) == count:
                return found
    return None


def _after_marks(reply: str) -> Iterator[str]:
    """Yield what follows each mark up to the next one, the last mark first: no character is looked at twice."""
    marks = list(_MARK.finditer(reply)) or list(_SPOKEN_MARK.finditer(reply))
    end = len(reply)
    for mark in reversed(marks):
        yield reply[mark.end() : end].lstrip(_EDGES[:6])
        end = mark.start()


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _in_line(line: str) -> Value | None:
    """Read the value that a line begins with and that nothing but a remark follows."""
    if not line or len(line) > MAX_LINE:
        return None
    quoted = re.match(r"""(?:\*\*|__)?([`"'“‘])(.{1,200}?)[`"'”’]""", line)
    cuts = (
        line,
        re.split(r"[.!](?=\s+[^\d\s])", line, maxsplit=1)[0],
        re.split(r"\s+(?:\(|[-–—]\s)", line, maxsplit=1)[0],
    )
    for cut in cuts:
        value = _value(cut.strip(_EDGES).rstrip(_END).strip(_EDGES))
        if value is not None:
            return value
    return (_value(quoted[2]) or Value(quoted[2].strip())) if quoted else None


def _value(text: str) -> Value | None:
    """Read a text that is one value and no more."""
    number = _NUMBER.fullmatch(text)
    if number:
        sign = "-" if number[1] in ("-", "−") else ""
        return Value(text, number=Decimal(sign + number[2].replace(",", "") + (number[3] or "")))
    if _DAY_AND_MONTH.fullmatch(text):
        day = _day_and_month(text)
        return None if day is None else Value(text, day=day)
    for form in _DATES:
        found = form.fullmatch(text.lower()) if len(text) < 60 else None
        if found:
            month = found["m"] if found["m"].isdigit() else str(_MONTHS.index(found["m"][:3]) + 1)
            day = _date(found["y"], month, re.sub(r"\D", "", found["d"]))
            return None if day is None else Value(text, day=day)
    return Value(text) if text and not re.search(r"\s", text) else None


def _day_and_month(text: str) -> date | None:
    """Read ``22/05/2032`` or ``05/22/2032``; None where both readings are days, and not the same."""
    first, _, second, year = _DAY_AND_MONTH.fullmatch(text).groups()  # type: ignore[union-attr]
    days = {_date(year, second, first), _date(year, first, second)} - {None}
    return days.pop() if len(days) == 1 else None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _divided(text: str, count: int) -> Iterator[list[str]]:
    """Yield the ways in which a text may be a list: its first line or sentence at the commas, or line by line."""
    line = _first_line(text)[: MAX_LINE * 2]
    sentence = re.split(r"[.!](?=\s+[^\d\s])", line, maxsplit=1)[0]
    for said in (line, sentence):
        yield re.split(r"\s*,\s+and\s+|\s*[,;]\s+|\s+and\s+|\s+&\s+|\n", said)
        yield re.split(r"[,;]", said)
    lines = [part for part in text[: MAX_LINE * 20].splitlines() if part.strip(_EDGES)]
    yield lines[:count]


def _bare(part: str) -> str:
    """Take the bullet and the name off an item: ``- belado: 4821`` is ``4821``."""
    item = re.sub(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", "", part)
    return re.split(r"[:=]", item)[-1].strip()
