"""Stop words: those that every question has, and that the simple heuristics of long texts do not search for."""

from __future__ import annotations

from acgym.envs.names import words

STOP_WORDS = frozenset(
    words(
        "the a an of is was in on to for and from which what who whom where when how many does did do it that "
        "this be by with will at"
    )
)
"""Articles, prepositions, question words and forms of be and do, in small letters."""
