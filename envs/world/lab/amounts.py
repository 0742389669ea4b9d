"""Reads amounts and lengths of time, in figures and in words; says which words it could not read as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from acgym.envs.names import words as listed

MINUTES = {
    "minute": 1.0, "minutes": 1.0, "min": 1.0, "mins": 1.0, "m": 1.0, "hour": 60.0, "hours": 60.0, "h": 60.0,
    "hr": 60.0, "hrs": 60.0, "day": 1440.0, "days": 1440.0, "d": 1440.0, "week": 10080.0, "weeks": 10080.0,
    "second": 1 / 60, "seconds": 1 / 60, "sec": 1 / 60, "secs": 1 / 60, "s": 1 / 60,
}  # fmt: skip
AMOUNTS = {
    "g": "g", "gram": "g", "grams": "g", "gramme": "g", "grammes": "g", "ml": "ml", "mls": "ml", "millilitres": "ml",
    "milliliters": "ml", "millilitre": "ml", "milliliter": "ml", "kg": "kg", "kilogram": "kg", "kilograms": "kg",
    "l": "l", "litre": "l", "liter": "l", "litres": "l", "liters": "l", "mg": "mg", "milligram": "mg",
    "milligrams": "mg", "cc": "ml", "cm3": "ml", "cm³": "ml", "oz": "oz", "ounce": "oz", "ounces": "oz", "lb": "lb",
    "lbs": "lb", "pound": "lb", "pounds": "lb",
}  # fmt: skip
SHARE = "share"
"""Unit of a number that says which part of all there is: "half of the paint"."""
_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_COUNTS = {word: float(n) for n, word in enumerate(listed(f"{_ONES} eighteen nineteen"), 1)} | {
    word: 10.0 * n for n, word in enumerate(listed("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
_TIMES = {"hundred": 100.0, "thousand": 1000.0}
_PARTS = {"half": 0.5, "quarter": 0.25, "½": 0.5, "¼": 0.25, "¾": 0.75}
_ARTICLES = frozenset(("a", "an"))
_BETWEEN = frozenset(listed("a an of more full whole further another"))
"""Words between a number and its unit."""
_AFTER = frozenset(listed("of from in into on onto to the my with and at out some for"))
"""Words behind a number that has no unit."""
_VAGUE = frozenset(
    listed(
        "some few little bit lot lots several couple dozen drop drops cup cups spoon spoons spoonful teaspoon "
        "teaspoons tablespoon tablespoons pinch splash third thirds quarters percent nan inf infinity eighth "
        "fifth sixth tenth most part portion"
    )
)
"""Words that stand for an amount and say none."""
_FILLING = frozenset(listed("for about around now here please in at the and then on"))
_FIGURES = re.compile(
    r"([-−–]?(?:\d{1,15}/\d{1,15}|\d{0,3}[½¼¾]|[1-9]\d{0,2}(?:,\d{3}){1,4}(?:\.\d{1,15})?(?:e[-+]?\d{1,3})?"
    r"|\d{1,15}(?:[.,]\d{1,15})?(?:e[-+]?\d{1,3})?|[.,]\d{1,15}))-?([^\W\d]\S{0,15}|)",
    re.IGNORECASE,
)
_LIKE_FIGURES = re.compile(r"[-−–+.,~<>=]{0,3}[\d½¼¾]")
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")

Words = Sequence[str | None]
"""Words of an action; None where a thing or a room is named."""


class Amount(NamedTuple):
    """What was read of an amount."""

    number: float | None = None
    unit: str = ""
    unread: str = ""
    """Words that stand where an amount would and cannot be read; empty where all was."""
    taken: frozenset[int] = frozenset()
    """Places of the words that say the amount."""


class _Found(NamedTuple):
    value: float
    unit: str
    end: int


def split(words: Sequence[str]) -> list[str]:
    """Take "twenty-five" and "half-litre" apart."""
    return [
        part
        for word in words
        for part in (word.split("-") if word.partition("-")[0] in {**_COUNTS, **_PARTS} else (word,))
    ]


def amount_in(words: Words, known: Callable[[str], bool]) -> Amount:
    """Read how much is to be poured; ``known`` says whether a word is one of the name of a thing."""
    found, taken, unread = _all(words, AMOUNTS, known)
    if unread or len(found) > 1:
        return Amount(unread=unread or "more than one amount", taken=taken)
    if not found:
        return Amount()
    unit = found[0].unit
    return Amount(found[0].value, AMOUNTS.get(unit, unit), taken=taken)


def minutes_in(words: Words) -> Amount:
    """Read a length of time, in minutes; one minute where nothing is said."""
    found, taken, unread = _all(words, MINUTES, lambda word: False)
    rest = [word for i, word in enumerate(words) if word is not None and i not in taken and word not in _FILLING]
    bare = [one for one in found if one.unit not in MINUTES]
    if unread or (not found and rest) or (bare and (len(found) > 1 or bare[0].unit)):
        return Amount(unread=unread or " ".join(rest) or "more than one number", taken=taken)
    total = sum(one.value * MINUTES.get(one.unit, 1.0) for one in found)
    return Amount(total if found else 1.0, "min", taken=taken)


def _all(
    words: Words, units: Mapping[str, object], known: Callable[[str], bool]
) -> tuple[list[_Found], frozenset[int], str]:
    """Return all amounts, the places of their words, and the first words that are like an amount and are none."""
    found: list[_Found] = []
    taken: set[int] = set()
    i = 0
    while i < len(words):
        word = words[i]
        one = None if word is None or known(word) else _found(words, i, units, known)
        if one is not None:
            found.append(one)
            taken.update(range(i, one.end))
            i = one.end
            continue
        if word is not None and not known(word) and _like(word, units):
            return found, frozenset(taken), _said(words, i)
        i += 1
    return found, frozenset(taken), ""


def _like(word: str, units: Mapping[str, object]) -> bool:
    """Say whether a word looks as if it belonged to an amount; "one" alone may be a thing."""
    counts = word in _COUNTS and word != "one"
    return counts or word in units or word in _PARTS or word in _VAGUE or _LIKE_FIGURES.match(word) is not None


def _said(words: Words, i: int) -> str:
    """Return up to three words from a place on, up to a name."""
    said = [words[i] or ""]
    for word in words[i + 1 : i + 3]:
        if word is None or word in _AFTER:
            break
        said.append(word)
    return " ".join(said)


def _found(words: Words, i: int, units: Mapping[str, object], known: Callable[[str], bool]) -> _Found | None:
    """Read a number with its unit at a place."""
    number = _number(words, i)
    if number is None:
        return None
    value, suffix, end = number
    first = words[i]
    if suffix:
        return _with_half(words, value, suffix, end) if suffix in units else None
    unit_at = end
    while unit_at < len(words) and unit_at < end + 3 and words[unit_at] in _BETWEEN:
        unit_at += 1
    unit = words[unit_at] if unit_at < len(words) else None
    if unit is not None and unit in units:
        return _with_half(words, value, unit, unit_at + 1)
    after = words[end] if end < len(words) else ""
    if first in _ARTICLES and words[i + 1] not in _PARTS:
        return None
    if first in _ARTICLES or first in _PARTS or "/" in (first or ""):
        whole = end < len(words) and (after is None or after in ("of", "the", "my") or known(after))
        return _Found(value, SHARE, end) if whole and 0 < value <= 1 else None
    if first == "one" or not (not after or after in _AFTER or known(after)):
        return None
    return _Found(value, "", end)


def _with_half(words: Words, value: float, unit: str, end: int) -> _Found:
    """Add what follows a unit in "an hour and a half"."""
    if tuple(words[end : end + 3]) == ("and", "a", "half"):
        return _Found(value + 0.5, unit, end + 3)
    return _Found(value, unit, end)


def _number(words: Words, i: int) -> tuple[float, str, int] | None:
    """Return the number at a place, what is written right behind it, and the place after it."""
    word, behind = words[i] or "", (words[i + 1] or "") if i + 1 < len(words) else ""
    if word in _ARTICLES:
        if behind in _PARTS:
            return _PARTS[behind], "", i + 2
        return (_TIMES[behind], "", i + 2) if behind in _TIMES else (1.0, "", i + 1)
    if word in _PARTS:
        return _PARTS[word], "", i + 1
    if word in _COUNTS:
        value, end = _counted(words, i)
        suffix = ""
    else:
        figures = _FIGURES.fullmatch(word)
        read = None if figures is None else _value(figures[1])
        if figures is None or read is None:
            return None
        value, suffix, end = read, figures[2], i + 1
    more = None if suffix else _fraction(words, end)
    return (value, suffix, end) if more is None else (value + more[0], more[1], more[2])


def _counted(words: Words, i: int) -> tuple[float, int]:
    """Read a number in words, such as two hundred and twenty five."""
    value, end = _COUNTS[words[i] or ""], i + 1
    if value >= 20 and end < len(words) and _COUNTS.get(words[end] or "", 99.0) < 10:
        value, end = value + _COUNTS[words[end] or ""], end + 1
    if end < len(words) and words[end] in _TIMES:
        value, end = value * _TIMES[words[end] or ""], end + 1
        start = end + (end < len(words) and words[end] == "and")
        if start < len(words) and (words[start] or "") in _COUNTS:
            more, end = _counted(words, start)
            value += more
    return value, end


def _fraction(words: Words, i: int) -> tuple[float, str, int] | None:
    """Read what makes "one and a half" and "1 1/2" more than one."""
    joined = i < len(words) and words[i] == "and"
    i += joined
    i += joined and i < len(words) and words[i] == "a"
    word = (words[i] or "") if i < len(words) else ""
    if word in _PARTS:
        return _PARTS[word], "", i + 1
    figures = _FIGURES.fullmatch(word) if "/" in word else None
    value = None if figures is None else _value(figures[1])
    return None if figures is None or value is None or not 0 < value < 1 else (value, figures[2], i + 1)


def _value(text: str) -> float | None:
    """Return the value of figures; None for a division by zero."""
    text = text.replace("−", "-").replace("–", "-").lower()
    top, slash, below = text.partition("/")
    if slash:
        return float(top) / float(below) if float(below) else None
    if text[-1] in _PARTS:
        return float(text[:-1] or 0) + _PARTS[text[-1]] if text[:1] != "-" else None
    return float(text.replace(",", "" if _GROUPED.match(text) else "."))
