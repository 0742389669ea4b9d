"""The simple heuristic of LongAgent: find the latest message with most words in common, and repeat its value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from acgym.envs.context.stop_words import STOP_WORDS
from acgym.envs.names import words

_MESSAGE = re.compile(r"Message \d+ of \d+: ([^\n]*)")
_WORD = re.compile(r"[A-Za-z']+|\d[\d:]*")
_COMMON = STOP_WORDS | frozenset(words("i we our us has had have go goes come comes me my"))
_COMES = re.compile(
    r"at the (?:desk|gate)|on the telephone|telephone rings|gate:|has come|brings a parcel|signs the book|come to "
    "visit|A (?:parcel|bill) of|sends a bill|has a question|letter asks"
)
_COLOURS = "blue|red|green|grey|yellow|black|white|brown"
_VALUES = (
    re.compile(rf"\b(?:{_COLOURS}) [a-z]+\b|\bthe [a-z ]+ (?:ramp|gate|door|crane|bay|court|shed|rack|shelf)\b"),
    re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b"),
)


def recall(observations: Sequence[str]) -> str:
    """Reply to the last message with a value of the earlier one that shares most words with it.

    The value is the last number of that message, else a colour with its thing or a place, else a full name that this
    message does not have; of several messages the latest. Sums are added. It knows nothing of changes,
    cases and limits.

    Args:
        observations: every observation of the episode so far.
    """
    said = [message for heard in observations if (message := _message(heard))]
    if not said:
        return "Noted."
    last = said[-1]
    numbers = re.findall(r"\d+", last)
    if len(numbers) == 3:
        return f"Answer: {sum(map(int, numbers))}"
    if "?" not in last and not _COMES.search(last):
        return "Noted."
    words = _content(last)
    best = max(range(len(said) - 1), key=lambda i: (len(words & _content(said[i])), i), default=None)
    if best is None or not words & _content(said[best]):
        return "Answer: nothing"
    return f"Answer: {_value(said[best], last)}"


@lru_cache(maxsize=4096)
def _message(heard: str) -> str:
    found = _MESSAGE.search(heard)
    return found[1] if found else ""


@lru_cache(maxsize=4096)
def _content(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text.lower()) if word not in _COMMON)


def _value(text: str, asked: str) -> str:
    numbers: list[str] = [number for number in re.findall(r"\d[\d:]*", text) if number not in asked]
    if numbers:
        return numbers[-1]
    for form in _VALUES:
        found: list[str] = [value for value in form.findall(text) if value not in asked]
        if found:
            return found[-1]
    return "nothing"
