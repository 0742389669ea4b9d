"""The prose library: paragraphs of plain English about the world, and filler of any length made of them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple
from zlib import crc32

from acgym.draw import Draw
from acgym.types import Split

_FOLDER = files(__package__ or "acgym.envs.context") / "library"


class Paragraph(NamedTuple):
    """One paragraph of the library."""

    topic: str
    text: str
    words: int


@cache
def library(split: Split) -> tuple[Paragraph, ...]:
    """Return the paragraphs of a split, three quarters of all for evaluation; none is in both.

    They lie in ``library/TOPIC.txt``, one paragraph a line, UTF-8; lines that are empty or begin
    with ``#`` are skipped.
    """
    found = []
    for file in sorted(_FOLDER.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".txt"):
            continue
        for line in file.read_text("utf-8").splitlines():
            text = line.strip()
            if text and not text.startswith("#") and (crc32(text.encode()) % 4 != 0) == (split == "eval"):
                found.append(Paragraph(file.name.removesuffix(".txt"), text, len(text.split())))
    return tuple(found)


def prose(draw: Draw, split: Split, words: int) -> list[Paragraph]:
    """Draw paragraphs of at most ``words`` words in all, and fewer by less than the library's shortest paragraph.

    The whole library comes in random order before a paragraph comes again. What would be too long is passed over.
    """
    pool = library(split)
    shortest = _shortest(split)
    found: list[Paragraph] = []
    left = words
    while left >= shortest:
        for paragraph in draw.shuffled(pool):
            if paragraph.words <= left:
                found.append(paragraph)
                left -= paragraph.words
                if left < shortest:
                    break
    return found


@cache
def _shortest(split: Split) -> int:
    return min(paragraph.words for paragraph in library(split))
