"""Twenty ways in which people write a request: what they say before and after it, and how they type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from acgym.draw import Draw
from acgym.types import Json

FILE = Path(__file__).resolve().parent.parent / "data" / "request_voices.json"
"""The written voices."""

OPEN, CLOSE = "\x02", "\x03"
"""Marks around text that a voice never alters: names, quoted text, values."""


class Voice(NamedTuple):
    """One way to write."""

    name: str
    before: tuple[str, ...]
    """Sentences that may stand before the request; one is drawn."""
    after: tuple[str, ...] = ("",)
    """Sentences that may stand after it; one is drawn."""
    lower: bool = False
    """Types without capitals, and leaves out the final period."""
    typos: bool = False
    """Misspells common words, never names or values."""
    joiners: tuple[str, ...] = ("", "Then: ", "Next: ", "Also: ", "After that: ")
    """What may stand before the second and each further part of a request."""
    corrects: bool = False
    """Starts with something else, and takes it back."""


def kept(text: object) -> str:
    """Mark a name, a quotation or a value as text that no voice alters."""
    return f"{OPEN}{text}{CLOSE}"


def plain(text: str) -> str:
    """Take the marks off."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def dress(draw: Draw, voice: Voice, parts: list[str], taken_back: str | None = None) -> str:
    """Write a request as a voice would.

    Args:
        draw: choices.
        voice: who writes.
        parts: whole sentences with their capitals and periods, names between marks (:func:`kept`).
        taken_back: for a voice that corrects itself: what it asks first, and does not mean.

    Returns:
        The request on one line, without marks.
    """
    said = [draw.pick(voice.before)]
    if voice.corrects and taken_back is not None:
        said += [taken_back, draw.pick(TAKEN_BACK)]
    for i, part in enumerate(parts):
        joiner = draw.pick(voice.joiners) if i else ""
        said.append(joiner + (_after_comma(part) if said[-1].endswith(",") else part))
    said.append(draw.pick(voice.after))
    text = " ".join(sentence for sentence in said if sentence)
    if voice.lower:
        text = _outside(text, str.lower)
        text = text.removesuffix(".")
    if voice.typos:
        text = _outside(text, lambda free: _WORD.sub(lambda found: _misspelt(draw, found[0]), free))
    return plain(text)


def _outside(text: str, change: Callable[[str], str]) -> str:
    """Apply a change to what stands outside of the marks."""
    parts = _KEPT.split(text)
    return "".join(part if part.startswith(OPEN) else change(part) for part in parts)


def _after_comma(sentence: str) -> str:
    """Begin a sentence small, as after ``Dear colleague,``; names and I stay as they are."""
    begins = sentence[:1].isupper() and not sentence.startswith(("I ", "I'"))
    return sentence[:1].lower() + sentence[1:] if begins else sentence


def _misspelt(draw: Draw, word: str) -> str:
    wrong = TYPOS.get(word)
    return wrong if wrong is not None and draw.chance(0.5) else word


_KEPT = re.compile(f"({OPEN}[^{CLOSE}]*{CLOSE})")
_WORD = re.compile(r"[a-z]+")

TAKEN_BACK = (
    "No, forget that.",
    "Wait, scratch that, wrong one.",
    "Sorry, that is not what I meant.",
    "Hm, no. Leave that one.",
    "Actually no, I mixed something up.",
    "Oh, strike that, I was thinking of something else.",
)
"""How somebody takes back what was just asked; what follows is what counts."""

TYPOS = {
    **{
        "which": "wich",
        "their": "thier",
        "the": "teh",
        "with": "wiht",
        "about": "abuot",
        "many": "mnay",
        "have": "ahve",
    },
    **{"please": "plese", "that": "taht", "what": "waht", "from": "form", "there": "ther", "where": "wher"},
    **{"because": "becuase", "before": "befor", "message": "mesage", "meeting": "meetign", "ticket": "tikcet"},
    **{"calendar": "calender", "sheet": "shet", "change": "chnage", "should": "shoud", "number": "nubmer"},
    **{"longest": "longst", "highest": "higest", "most": "msot", "been": "bene", "together": "togther", "know": "knwo"},
    **{"would": "woudl", "could": "coudl", "really": "realy", "until": "untill", "thanks": "thnaks", "just": "jsut"},
    **{"people": "poeple", "again": "agian", "every": "evry", "move": "mvoe", "write": "wirte", "them": "tehm"},
}
"""Common words and how a hurried hand writes them; none becomes another word that would make sense."""
del TYPOS["from"]  # "form" is a word


def _read(row: dict[str, Json]) -> Voice:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Voice(**values)


VOICES = tuple(_read(row) for row in json.loads(FILE.read_bytes()))
"""Who writes; at least 20 voices, each with openings of its own."""
