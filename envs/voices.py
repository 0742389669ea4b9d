"""Voices: how different people word one request; a voice wraps it, misspells it, or takes a word back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from acgym.draw import Draw
from acgym.types import Split

FILE = Path(__file__).resolve().parent / "data" / "voices.json"
MIND = (
    "No, wait: not {wrong}, {right}.",
    "Sorry, not {wrong}. I meant {right}.",
    "Hm, {wrong} is wrong. Make that {right}.",
    "Scratch {wrong}: {right} it is.",
    "Oh, I said {wrong}; it should be {right}.",
    "On second thoughts, {right} instead of {wrong}.",
    "Did I say {wrong}? I mean {right}.",
    "Correction: {right}, and not {wrong}.",
    "Wrong, wrong: {right}, forget about {wrong}.",
    "Make it {right} rather than {wrong}, please.",
    "My mistake, {right} is right and {wrong} isn't.",
    "Actually {right}, not {wrong}.",
)
"""How a word is taken back."""


_ENDS = ("", ".", "!", "?")


class Voice(NamedTuple):
    """One way to word requests.

    ``form`` says which form of a request it takes: ``do`` (a verb phrase: "book a table"), ``say`` (whole sentences) or
    ``short`` (a note in a few words). ``style`` holds ``typos``, ``lower`` and ``mind`` (says a wrong value first).
    """

    name: str
    split: Split
    form: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    style: frozenset[str]

    @property
    def changes_mind(self) -> bool:
        """Whether it says one value wrong and then takes it back."""
        return "mind" in self.style

    def dress(self, draw: Draw, pieces: Sequence[str], wrong: tuple[int, str] | None = None) -> str:
        """Word a request.

        Args:
            draw: the source of choices.
            pieces: the request, words at even places and values at odd ones; values are never changed.
            wrong: the place of a value and another one that is said first and then taken back; None in other voices.
        """
        words = list(pieces)
        if "typos" in self.style:
            words[::2] = [mistyped(draw, text) for text in words[::2]]
        if "lower" in self.style:
            words[::2] = [text.lower() for text in words[::2]]
        tail = ""
        if wrong is not None:
            tail = " " + draw.pick(MIND).format(wrong=wrong[1], right=words[wrong[0]])
            words[wrong[0]] = wrong[1]
        before, after = draw.pick(self.before), draw.pick(self.after)
        if "lower" not in self.style and self.form == "say" and not words[0] and before.rstrip()[-1:] in _ENDS:
            words[1] = capitalised(words[1])
        text = "".join(words)
        if after and text[-1] in ".!?" and after[0] in ".!?":
            after = after[1:]
        said = f"{before}{text}{after}{tail}"
        return said if "lower" in self.style or before or not words[0] else said[0].upper() + said[1:]


@cache
def voices(split: Split) -> tuple[Voice, ...]:
    """Return the voices of a split; no voice is in both."""
    return tuple(voice for voice in _all() if voice.split == split)


@cache
def _all() -> tuple[Voice, ...]:
    rows = json.loads(FILE.read_bytes())
    return tuple(
        Voice(
            row["name"],
            row["split"],
            row["form"],
            tuple(row["before"]),
            tuple(row["after"]),
            frozenset(row.get("style", ())),
        )
        for row in rows
    )


def capitalised(text: str) -> str:
    """Begin a sentence with a word that may be a value: names of things with marks or digits in them stay as spelt."""
    return text[:1].upper() + text[1:] if text.split(" ")[0].isalpha() else text


_OTHER_WORDS = frozenset((
    "angel", "angle", "back", "bead", "cart", "cock", "cues", "cunt", "dairy", "diary", "diner", "dinner",
    "form", "from", "later", "latter", "pint", "pubic", "quiet", "quite", "print", "sick", "super", "supper",
    "thee", "though", "thought", "three", "through", "tile", "trail", "tree", "trial", "were",
))  # fmt: skip
"""What a slip would turn a word into that means something else, or that nobody wants to read."""


def mistyped(draw: Draw, text: str, share: float = 0.2) -> str:
    """Misspell some words of five letters or more, each by one slip that leaves it readable."""
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) >= 5 and word.isalpha() and word.islower() and draw.chance(share):
            slip = _slip(draw, word)
            words[i] = word if slip in _OTHER_WORDS else slip
    return " ".join(words)


def _slip(draw: Draw, word: str) -> str:
    at = draw.between(1, len(word) - 3)
    kind = draw.below(3)
    if kind == 0:  # two letters change places
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:  # one is left out
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at] + word[at:]  # one is doubled
