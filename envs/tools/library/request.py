"""A request in somebody's voice, with the call that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.tools.library.asides import beside
from acgym.envs.tools.library.model import Ask, Goal, Phrase, Tool
from acgym.envs.tools.library.words import Words
from acgym.envs.voices import Voice, voices
from acgym.types import Json, Split

MAX_TAKEN_BACK = 3
"""Words of a value that may be said wrong first: a longer one reads ill when it is taken back."""


class Request(NamedTuple):
    """What a user says, and what it means."""

    text: str
    tool: Tool
    args: dict[str, Json]
    """Gold arguments."""
    first_said: dict[str, Json] | None
    """The arguments before a word was taken back; None if none was."""
    words: Words
    aside: dict[str, Json] | None = None
    """The arguments with a value that is mentioned beside the request; None if there is none."""


def request(draw: Draw, split: Split, ask: Ask, day: date, plain: bool = False, aside: float = 0.0) -> Request:
    """Word one thing that users ask for, in a voice of the split.

    Args:
        draw: the source of choices.
        split: whose voices speak.
        ask: what is asked for.
        day: the day on which it is said.
        plain: keep to voices that neither misspell nor take anything back.
        aside: chance that a value which is not meant is mentioned beside it, if one can be.
    """
    words = Words(draw, ask.tool.domain.slots, day)
    voice = draw.pick(plain_voices(split) if plain else voices(split))
    phrase = draw.pick(ask.by_form[voice.form])
    text, slip = dressed(draw, voice, phrase, words)
    args: dict[str, Json] = words.values(ask.args)
    first: dict[str, Json] | None = None
    if slip is not None:
        slot, wrong = slip
        right = words.of(slot)
        words.keep(slot, wrong)
        first = words.values(ask.args)
        words.keep(slot, right)
    if first is None and aside and draw.chance(aside):
        found = beside(draw, ask, words, text, args)
        if found is not None:
            return Request(found.text, ask.tool, args, None, words, found.args)
    return Request(text, ask.tool, args, first, words)


def dressed(draw: Draw, voice: Voice, phrase: Phrase, words: Words) -> tuple[str, tuple[str, Json] | None]:
    """Word a phrase; return the text, and the slot that was said wrong first, with its wrong value, if one was."""
    pieces = list(phrase.pieces)
    slots = phrase.slots
    for i, slot in enumerate(slots):
        pieces[2 * i + 1] = words.of(slot).said
    if not voice.changes_mind:
        return voice.dress(draw, pieces), None
    places = [i for i in range(len(slots)) if len(pieces[2 * i + 1].split()) <= MAX_TAKEN_BACK]
    if not places:
        return voice.dress(draw, pieces), None
    place = draw.pick(places)
    try:
        wrong = words.other(slots[place])
    except ValueError:
        return voice.dress(draw, pieces), None
    return voice.dress(draw, pieces, (2 * place + 1, wrong.said)), (slots[place], wrong)


def whole(draw: Draw, voice: Voice, goal: Goal, words: Words) -> str:
    """Word a task of several calls, in one of the ``speakers``."""
    return dressed(draw, voice, draw.pick(goal.phrases), words)[0]


def remark(draw: Draw, split: Split, phrase: Phrase, words: Words) -> str:
    """Word a saying that is in whole sentences and takes nothing back."""
    return dressed(draw, draw.pick(speakers(split)), phrase, words)[0]


@cache
def speakers(split: Split) -> Sequence[Voice]:
    """Voices that take whole sentences and take nothing back."""
    return tuple(voice for voice in voices(split) if voice.form == "say" and not voice.changes_mind)


@cache
def plain_voices(split: Split) -> Sequence[Voice]:
    """Voices that neither misspell nor take anything back."""
    return tuple(voice for voice in voices(split) if not voice.style)
