"""Values as people say them, beside what they mean: dates, times, lengths of time, numbers, names, codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.names import words
from acgym.types import Json


class Spoken(NamedTuple):
    """A value in a user's words."""

    said: str
    value: Json


FIRST_NAMES = words(
    "Adele Amir Anja Bela Bruno Carla Chidi Dalia Daniel Edith Emeka Fatima Felix Gita Greta Hugo Ines Ivan Jonas Joy "
    "Kamal Keiko Lars Leila Lucia Malik Maren Mateo Mina Nadia Nils Noor Olga Omar Paula Pavel Priya Quentin Rafael "
    "Rosa Samir Sofia Tamar Theo Uma Viktor Wanda Yara Yusuf Zofia"
)
LAST_NAMES = words(
    "Abara Almeida Bauer Beck Castro Conti Dahl Dubois Eriksen Fischer Fontaine Garber Hale Hansen Ibarra Ito Jansen "
    "Kaya Keller Kovacs Lang Lindqvist Marek Meyer Moreau Nakata Novak Okafor Olsen Osei Park Pereira Quist Rahman "
    "Ricci Roth Sandoval Sato Silva Sorensen Tanaka Torres Umarov Varga Vogel Weber Winter Yilmaz Young Ziegler"
)
WORDS = words("zero one two three four five six seven eight nine ten eleven twelve")
MONTHS = words("January February March April May June July August September October November December")
DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and O, which look like digits
_DOMAINS = ("mail.example", "post.example", "inbox.example", "work.example")


def today(draw: Draw) -> date:
    """Draw the day on which a user speaks: from March to October, so that no date said nearby leaves the year."""
    return date(draw.between(2027, 2036), draw.between(3, 10), draw.between(1, 28))


def today_line(day: date) -> str:
    """Say what day it is."""
    return f"Today is {DAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year}."


def spoken(draw: Draw, kind: str, day: date) -> Spoken:
    """Draw a value of a kind.

    Args:
        draw: the source of choices.
        kind: one of ``KINDS``, with numbers behind colons where it takes them, such as ``"int:2:9"``.
        day: the day on which it is said.

    Raises:
        KeyError: for an unknown kind.
    """
    name, *arguments = _parts(kind)
    return KINDS[name](draw, day, arguments)


@cache
def _parts(kind: str) -> tuple[str, ...]:
    return tuple(kind.split(":"))


def _date(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a date of the next 60 days (or of the last 60, ``date:past``) as a noun: ``Friday, 14 March``."""
    sign = -1 if "past" in arguments else 1
    then = day + timedelta(sign * draw.between(2, 60))
    return Spoken(_named(draw, then), then.isoformat())


def _named(draw: Draw, then: date) -> str:
    month, n = MONTHS[then.month - 1], then.day
    forms = (
        f"{n} {month}",
        f"{month} {n}",
        f"the {_ordinal(n)} of {month}",
        f"{DAYS[then.weekday()]}, {n} {month}",
        f"{DAYS[then.weekday()]} the {_ordinal(n)} of {month}",
        f"{month} {_ordinal(n)}",
    )
    return draw.pick(forms)


def _ordinal(n: int) -> str:
    return f"{n}{'th' if 10 < n < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def _day(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a day with its own preposition: ``tomorrow``, ``in five days``, ``on 14 March``; or with ``day:past``."""
    past = "past" in arguments
    if draw.chance(0.5):
        found = _date(draw, day, arguments)
        return Spoken(f"on {found.said}", found.value)
    n = draw.pick((1, 1, 2, 3, 4, 5, 6, 7, 10, 14, 21))
    then = day + timedelta(-n if past else n)
    if n == 1:
        return Spoken("yesterday" if past else "tomorrow", then.isoformat())
    if n == 2:
        said = "the day before yesterday" if past else "the day after tomorrow"
    elif n % 7 == 0:
        weeks = "a week" if n == 7 else f"{WORDS[n // 7]} weeks"
        said = f"{weeks} ago" if past else f"{weeks} from today"
    else:
        said = f"{WORDS[n]} days ago" if past else f"in {WORDS[n]} days"
    return Spoken(said, then.isoformat())


def _time(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a time of day as a noun; ``time:9:17`` keeps to hours from 9 to 17, without it from 7 to 21."""
    low, high = (int(arguments[0]), int(arguments[1])) if arguments else (7, 21)
    hour, minute = draw.between(low, high), draw.pick((0, 0, 5, 10, 15, 20, 30, 30, 40, 45, 50))
    return Spoken(_clock(draw, hour, minute), f"{hour:02}:{minute:02}")


def _clock(draw: Draw, hour: int, minute: int) -> str:
    if draw.chance(0.3):
        return f"{hour:02}:{minute:02}"
    short, half = hour % 12 or 12, "am" if hour < 12 else "pm"
    if draw.chance(0.4) or minute not in (0, 15, 30, 45):
        return f"{short}:{minute:02} {half}" if minute else f"{short} {half}"
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    if hour == 12 and minute == 0:
        return "noon"
    following = WORDS[short % 12 + 1]
    said = {
        0: f"{WORDS[short]} o'clock",
        15: f"a quarter past {WORDS[short]}",
        30: f"half past {WORDS[short]}",
        45: f"a quarter to {following}",
    }
    if minute == 45 and hour in (11, 17):  # a quarter to the next part of the day
        part = "in the morning" if hour == 11 else "in the afternoon"
        return f"{short}:45 {half}"
    return f"{said[minute]} {part}"


def _datetime(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a date and a time as a noun: ``14 March at half past two in the afternoon``."""
    then, time = _date(draw, day, ()), _time(draw, day, arguments)
    return Spoken(f"{then.said} at {time.said}", f"{then.value}T{time.value}")


def _month(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a month: ``May 2031`` means 2031-05."""
    year, month = day.year - draw.below(2), draw.between(1, day.month)
    return Spoken(f"{MONTHS[month - 1]} {year}", f"{year}-{month:02}")


def _int(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a whole number, small ones in words or digits: ``int:2:9``; a third number is the step."""
    low, high, step = (*map(int, arguments), 1)[:3]
    n = low + step * draw.below((high - low) // step + 1)
    return Spoken(WORDS[n] if 1 < n <= 12 and draw.chance(0.5) else f"{n:,}" if draw.chance(0.5) else str(n), n)


def _num(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a number with decimals in digits: ``num:0.5:20:0.5`` (from, to, step)."""
    low, high, step = map(float, arguments)
    value = round(low + step * draw.below(round((high - low) / step) + 1), 4)
    return Spoken(f"{value:g}", int(value) if value.is_integer() else value)


def _minutes(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Say a length of time that is meant in minutes: ``minutes:15:120:15``; ``an hour and a half`` means 90."""
    low, high, step = map(int, arguments)
    n = low + step * draw.below((high - low) // step + 1)
    hours, rest = divmod(n, 60)
    plural = f"{WORDS[hours]} hours" if 1 < hours < len(WORDS) else "an hour"
    if n == 30 and draw.chance(0.5):
        return Spoken("half an hour", n)
    if 0 < hours < 6 and rest in (0, 15, 30) and draw.chance(0.7):
        said = {0: plural, 15: f"{plural} and a quarter", 30: f"{plural} and a half"}[rest]
        if rest and hours > 1:
            said = f"{hours} hours {rest} minutes" if rest == 15 else f"{WORDS[hours]} and a half hours"
        return Spoken(said, n)
    return Spoken(f"{n} minutes", n)


def _person(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    name = f"{draw.pick(FIRST_NAMES)} {draw.pick(LAST_NAMES)}"
    return Spoken(name, name)


def _first(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    name = draw.pick(FIRST_NAMES)
    return Spoken(name, name)


def _email(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    mail = f"{draw.pick(FIRST_NAMES)}.{draw.pick(LAST_NAMES)}@{draw.pick(_DOMAINS)}".lower()
    return Spoken(mail, mail)


def _phone(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    a, b = draw.between(100, 999), draw.between(1000, 9999)
    return Spoken(f"+44 7700 {a} {b}", f"+447700{a}{b}")


def _code(draw: Draw, day: date, arguments: Sequence[str]) -> Spoken:
    """Draw a code by a pattern: ``code:RB-&&###`` (``&`` a capital letter, ``#`` a digit, others as they are)."""
    marks = ":".join(arguments)
    made = "".join(
        str(draw.below(10)) if c == "#" else _LETTERS[draw.below(len(_LETTERS))] if c == "&" else c for c in marks
    )
    return Spoken(made, made)


KINDS: dict[str, Callable[[Draw, date, Sequence[str]], Spoken]] = {
    "date": _date,
    "day": _day,
    "time": _time,
    "datetime": _datetime,
    "month": _month,
    "int": _int,
    "num": _num,
    "minutes": _minutes,
    "person": _person,
    "first": _first,
    "email": _email,
    "phone": _phone,
    "code": _code,
}
"""Kind of value -> how one is drawn and said; see the functions for what stands behind its colons."""
