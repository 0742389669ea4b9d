"""Prose around hidden statements: as many sentences as fit a length in words or in an agent's tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.context.haystack import Statement
from acgym.envs.context.prose import prose
from acgym.types import Split

_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\bSt\.)(?<!\bMr\.)(?<!\bDr\.) (?=[A-Z\"])|(?<=[.!?]\") (?=[A-Z\"])"
)
_MOST_CALLS = 40


class Sentence(NamedTuple):
    """A sentence of the filler with the space or line end before it."""

    text: str
    words: int


@cache
def sentences_of(paragraph: str) -> tuple[Sentence, ...]:
    """Cut a paragraph into sentences, the first of which begins a line."""
    parts = _SENTENCE_END.split(paragraph)
    return tuple(Sentence(f"{' ' if i else chr(10)}{part}", len(part.split())) for i, part in enumerate(parts))


def prose_sentences(draw: Draw, split: Split, words: int) -> list[Sentence]:
    """Draw sentences of the prose library, paragraph by paragraph, of at least ``words`` words in all."""
    found: list[Sentence] = []
    for paragraph in prose(draw, split, words + 400):
        found += sentences_of(paragraph.text)
    return found


def folder_sentences(folder: str | Path) -> tuple[Sentence, ...]:
    """Read the sentences of all ``.txt`` files of a folder, in the order of their names.

    Raises:
        ValueError: if there is no such folder, or no text in it.
    """
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise ValueError(f"haystack must be a folder with .txt files, {str(folder)!r} is none")
    found: list[Sentence] = []
    for file in sorted(path.glob("*.txt"), key=lambda file: file.name):
        for block in re.split(r"\n\s*\n", file.read_text("utf-8", errors="replace")):
            text = " ".join(block.split())
            if text:
                found += sentences_of(text)
    if not found:
        raise ValueError(f"haystack {str(folder)!r} has no .txt file with text in it")
    return tuple(found)


def repeated(sentences: Sequence[Sentence], start: int, words: int) -> list[Sentence]:
    """Take sentences from ``start`` on, round and round, of at least ``words`` words in all."""
    found: list[Sentence] = []
    at, left = start, words
    while left > 0:
        found.append(sentences[at % len(sentences)])
        left -= found[-1].words
        at += 1
    return found


def bury(sentences: Sequence[Sentence], statements: Iterable[Statement], depth: float | None) -> str:
    """Put statements between sentences and join all; places are those of :func:`acgym.envs.context.haystack.hide`."""
    count = len(sentences)
    spots: list[tuple[int, int, int, str]] = []
    for order, (sentence, needed, place) in enumerate(statements):
        if needed and depth is not None:
            spots.append((round(depth / 100 * count), 1 if depth > 50 else -1, order, sentence))
        else:
            spots.append((int(place * (count + 1)), 0, order, sentence))
    pieces: list[str] = []
    at = 0
    for spot, _, _, said in sorted(spots):
        pieces += [sentence.text for sentence in sentences[at:spot]]
        pieces.append(f" {said}")
        at = spot
    pieces += [sentence.text for sentence in sentences[at:]]
    return "".join(pieces).lstrip()


def fitting_words(sentences: Sequence[Sentence], words: int) -> int:
    """Return how many of the sentences, from the first, have at most ``words`` words together."""
    for count, sentence in enumerate(sentences):
        words -= sentence.words
        if words < 0:
            return count
    return len(sentences)


def fitting(size: Callable[[int], int], limit: int, most: int) -> int | None:
    """Return the largest n up to ``most`` with ``size(n) <= limit``, for a size that grows, about evenly, with n.

    None if even ``size(0)`` is larger. A call may be dear, so few are made:
    the next n is where a straight line puts it.
    """
    low, at_low = 0, size(0)
    if at_low > limit:
        return None
    high, at_high = most, size(most)
    if at_high <= limit:
        return most
    calls = 0
    while high - low > 1:
        share = (limit - at_low) / (at_high - at_low) if calls < _MOST_CALLS else 0.5
        guess = min(max(low + int((high - low) * share), low + 1), high - 1)
        found = size(guess)
        calls += 1
        if found <= limit:
            low, at_low = guess, found
        else:
            high, at_high = guess, found
    return low
