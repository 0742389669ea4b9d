"""Reads the answer in a model's words: one value, or several; numbers and dates are compared by what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_MARK = re.compile(
    r"(?<![a-z])answers?[ \t*_`\"']{0,8}[:=：]"
    r"|^[ \t]*(?:#{1,6}[ \t]*|\*\*|__)(?:(?:the|my|final)[ \t]+){0,2}answers?[ \t*_]{0,8}\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_SPOKEN_MARK = re.compile(r"(?<![a-z])answers?(?: (?:to|for) [^.!?:\n]{1,80}?)? (?:is|are)\b:?", re.IGNORECASE)
_FENCE = re.compile(r"```[ \t]*\w{0,20}[ \t]*\r?\n\s*")
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f"), " ") | dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u2060\ufeff")
)
"""Spaces of other widths are spaces; those of no width are nothing."""
_EDGES = " \t\r\n*_`\"'“”‘’«»"
_END = ".!,;:"
MAX_LINE = 500
"""A longer line after ``Answer:`` is no answer."""

_NUMBER = re.compile(r"[$€£]?([-+−]?)(\d{1,3}(?:,\d{3}){1,9}|\d{1,40})(\.\d{1,40})?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(\d{1,2})(?:st|nd|rd|th|\.)?"
_WEEKDAY = r"(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?[.,]{0,2} "
_LEAD = rf"(?:on )?(?:{_WEEKDAY})?(?:the )?"
_DATES = (
    re.compile(rf"{_LEAD}(?P<d>{_DAY})(?: of)?[ -](?P<m>{_MONTH}),?[ -](?P<y>\d{{4}})", re.ASCII),
    re.compile(rf"{_LEAD}(?P<m>{_MONTH})[ -](?:the )?(?P<d>{_DAY}),?[ -](?P<y>\d{{4}})", re.ASCII),
    re.compile(rf"(?P<y>\d{{4}}),?[ -](?P<m>{_MONTH})[ -](?P<d>{_DAY})", re.ASCII),
    re.compile(r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})", re.ASCII),
)
_SENTENCE_END = re.compile(rf"[.!](?=\s+[^\d\s])(?!\s+{_MONTH},?\s+\d{{4}})", re.IGNORECASE)
_REMARK = re.compile(r"\s+(?:\(|[-–—]\s)")
_QUOTED = re.compile(r"""(?:\*\*|__)?([`"'“‘«])(.{1,200}?)[`"'”’»]""")
_TAG = re.compile(r"</?[a-z]{1,10}>|\\(?:boxed|text|textbf|mathbf|mathrm)(?=\{)", re.IGNORECASE)
_AROUND = (("(", ")"), ("[", "]"), ("{", "}"), ("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$"))
_FOLLOWED = re.compile(
    r"(.{1,60}?)(?: is (?:the|your|my|what)\b.*|, (?:as|which|because|since|according|based|per|just)\b.*"
    r"| (?P<unit>[a-z]{2,20}))",
    re.IGNORECASE,
)
"""A number or date, and a remark or a unit behind it."""
_NO_UNIT = re.compile(
    rf"{_MONTH}|and|or|to|plus|minus|times|per|not|but|half|percent|dozens?|hundreds?|thousands?|(?:m|b|tr)illions?",
    re.IGNORECASE,
)
"""What makes another value of the number that it follows."""
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

    def comparable(self, wanted: str) -> bool:
        """Say whether this can be ``wanted`` at all: where that is a number or a date, this must be one of them."""
        other = _value(wanted)
        counted = other is not None and other.is_counted
        return self.is_counted or not counted

    @property
    def is_counted(self) -> bool:
        """Whether this is a number or a date, and not a text."""
        return self.number is not None or self.day is not None

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
    answers with it. Also read: a heading ``Answer`` over the value, the value in a fence, in brackets, in ``boxed{}``,
    in HTML tags; and a number or date with a unit or a remark behind it (``42 units``, ``42 is the value``).

    A value is a number (``42``, ``1,200``, ``12.5``), a date in full (``2032-05-22``, ``22 May 2032``,
    ``May 22nd, 2032``, ``22/05/2032``), one word, or a text in quotes. ``03/04/2032``, which may be two days, is none.
    ``1.75%`` is a text and not the number 1.75, since it may as well mean 0.0175; so is every word with a number in it.

    Args:
        reply: any text; linear in its length.
        marked: whether only what follows a mark counts.

    Returns:
        The value; None where none can be read.
    """
    reply = reply.translate(_SPACES)
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
    for after in _after_marks(reply.translate(_SPACES)):
        for parts in _divided(after, count):
            if len(parts) != count:
                continue
            values = [_in_line(_bare(part)) for part in parts]
            found = [value for value in values if value is not None]
            if len(found) == count:
                return found
    return None


def answer_line(reply: str) -> str | None:
    """Return the words after the last ``Answer:``: one line, without quotes, markdown, brackets and its final period.

    Marks are those of :func:`read_answer`. None where there is no mark, or none that a line of at most ``MAX_LINE``
    characters follows.
    """
    for after in _after_marks(reply.translate(_SPACES)):
        line = _first_line(after)
        if len(line) <= MAX_LINE and re.search(r"\w", line):
            return _bared(_TAG.sub("", line))
    return None


def _after_marks(reply: str) -> Iterator[str]:
    """Yield what follows each mark up to the next one, the last mark first, then so for ``the answer is``.

    No character is yielded more than twice.
    """
    for form in (_MARK, _SPOKEN_MARK):
        end = len(reply)
        for mark in reversed(list(form.finditer(reply))):
            after = reply[mark.end() : end].lstrip(_EDGES[:6])
            fence = _FENCE.match(after)
            yield after[fence.end() :] if fence else after
            end = mark.start()


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _sentence(line: str) -> str:
    """Return the first sentence; the period of ``22. May 2032`` ends none."""
    end = _SENTENCE_END.search(line)
    return line[: end.start()] if end else line


def _in_line(line: str) -> Value | None:
    """Read the value that a line begins with and that nothing but a remark follows."""
    if not line or len(line) > MAX_LINE:
        return None
    line = _TAG.sub("", line)
    quoted = _QUOTED.match(line)
    cuts = [_bared(cut) for cut in (line, _sentence(line), _REMARK.split(line, maxsplit=1)[0])]
    for read in (_value, _followed):
        for cut in cuts:
            value = read(cut)
            if value is not None:
                return value
    return (_value(quoted[2]) or Value(quoted[2].strip())) if quoted and re.search(r"\w", quoted[2]) else None


def _bared(text: str) -> str:
    """Take off marks, quotes, the final period and brackets around the whole."""
    for _ in range(4):
        text = text.strip(_EDGES).rstrip(_END).strip(_EDGES)
        for left, right in _AROUND:
            inner = text[len(left) : -len(right)]
            if inner and text.startswith(left) and text.endswith(right):
                text = inner
                break
        else:
            break
    return text


def _followed(text: str) -> Value | None:
    """Read a number or a date that a unit or a remark follows."""
    found = _FOLLOWED.fullmatch(text)
    if found is None or (found["unit"] and _NO_UNIT.fullmatch(found["unit"])):
        return None
    value = _value(_bared(found[1]))
    return value if value is not None and value.is_counted else None


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
    return Value(text) if re.search(r"\w", text) and not re.search(r"\s", text) else None


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
    sentence = _sentence(line)
    for said in (line, sentence):
        yield re.split(r"\s*,\s+and\s+|\s*[,;]\s+|\s+and\s+|\s+&\s+|\n", said)
        yield re.split(r"[,;]", said)
    lines = [part for part in text[: MAX_LINE * 20].splitlines() if part.strip(_EDGES)]
    yield lines[:count]


def _bare(part: str) -> str:
    """Take the bullet and the name off an item: ``- belado: 4821`` is ``4821``."""
    item = re.sub(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+", "", part)
    return re.split(r"[:=]", item)[-1].strip()
