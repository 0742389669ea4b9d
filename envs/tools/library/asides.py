"""Sentences beside a request that mention a value which is not meant: what it was once, what others want."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.spoken import Spoken
from acgym.envs.tools.library.model import Ask
from acgym.envs.tools.library.words import Words
from acgym.types import Json

MOST_WORDS = 4
"""A value of more words reads ill in such a sentence."""
ASIDES = (
    "{other} was the last time, and that's over.",
    "Somebody seems to have told you {other} yesterday; that wasn't me.",
    "On my old note it says {other}, which no longer holds.",
    "A friend of mine would have taken {other}.",
    "I had thought of {other} at first, but not any more.",
    "What you have from me as {other} is out of date.",
    "You may still find {other} in your papers: forget about that.",
    "For my neighbour it was {other}.",
    "If anybody says {other}, that's not what I want.",
    "{other} would have been the alternative; I've decided against it.",
    "My sister always says {other}, but I'm not my sister.",
    "Last year I'd have said {other}.",
    "Please don't confuse that with {other}.",
    "Where I got {other} from the other day, I can't say; it was a mistake.",
    "Nobody wants {other} any longer.",
    "There was talk of {other}, but that's another matter.",
    "Don't take {other}, whatever your computer proposes.",
    "{other} belongs to something else, about which I'll write later.",
    "The form showed {other} when I opened it, and that's wrong.",
    "Yesterday's request with {other} has been dealt with.",
    "Anything but {other}!",
    "With {other} I had nothing but trouble.",
    "Once upon a time it was {other}; things change.",
    "Whoever wrote {other} in there didn't ask me.",
    "My colleague gets {other}, which is no reason for me to.",
    "Whatever stands in your books about {other} is an old story.",
    "It used to be {other} before we moved.",
    "They first offered me {other}, and I said no.",
    "{other} is what my father would do.",
    "I keep reading {other} in your letters; it isn't so.",
    "Other people may like {other}.",
    "Just so that nobody mixes it up: {other} is my brother's.",
)
"""How a value is mentioned that is not for this call."""
_ENDS = (".", "!", "?")
_FIRST_PERSON = re.compile(r"\b(?:I|I'\w+|my|me|we|our)\b")


class Aside(NamedTuple):
    """A sentence beside a request."""

    text: str
    """The request with it."""
    args: dict[str, Json]
    """The arguments that somebody would give who takes its value for the one that is meant."""


def beside(draw: Draw, ask: Ask, words: Words, text: str, args: Mapping[str, Json]) -> Aside | None:
    """Put a sentence with another value before or behind a request; None if the request has no value for one."""
    free = [slot for slot in ask.slots if _fits(ask.tool.domain.pool(slot))]
    if not free:
        return None
    slot = draw.pick(free)
    try:
        other = words.other(slot)
    except ValueError:
        return None
    if not _tells(other, text, args):
        return None
    right = words.of(slot)
    words.keep(slot, other)
    taken: dict[str, Json] = words.values(ask.args)
    words.keep(slot, right)
    said = draw.pick(ASIDES).format(other=other.said)
    said = said[0].upper() + said[1:]
    if draw.chance(0.5):
        return Aside(f"{said} {text}", taken)
    return Aside(f"{text}{'' if text.endswith(_ENDS) else '.'} {said}", taken)


def _fits(pool: Json) -> bool:
    """Say whether values of a pool are nouns: drawn ones but days with their own preposition, and plain lists."""
    if isinstance(pool, str):
        return not pool.startswith("@day")
    return isinstance(pool, list) and not any(isinstance(entry, list) for entry in pool)


def _tells(other: Spoken, text: str, args: Mapping[str, Json]) -> bool:
    """Say whether a value can be mentioned so that nobody takes it for another one of the request."""
    said = other.said
    if len(said.split()) > MOST_WORDS or said.endswith(_ENDS) or _FIRST_PERSON.search(said):
        return False
    meant = {str(value).casefold() for value in args.values()}
    return said.casefold() not in text.casefold() and str(other.value).casefold() not in meant
