"""Whether a short answer in a model's own words names one thing out of several, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WORD = re.compile(r"\w+(?:[.:'’/-]\w+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CLOCK = re.compile(r"\b(\d{1,2})(?:[:.](\d\d))? ?([ap])\.?m\b\.?")
_ZERO = re.compile(r"\b0(?=\d[:.]\d\d\b)")
_ORDINAL = re.compile(r"\b(\d{1,3})(?:st|nd|rd|th)\b")
_REMARK = re.compile(r"\s\(.*$|\s[-–—]\s.*$", re.DOTALL)
_ARTICLES = frozenset(("the", "a", "an"))
_UNSURE = frozenset(("or", "not", "either", "neither"))
_NOTHING = frozenset(
    ("nothing", "none", "nobody", "no one", "no", "n/a", "na", "no action", "nothing to do", "nothing is due", "nil")
)
_ABSENT = re.compile(
    r"(?:(?:it|this|that|the answer) is )?(?:not|never|nowhere) "
    r"(?:in|mentioned|told|stated|said|given|found|known)\b.*|unknown|absent|not available|no answer",
)


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text: lower case, no articles; ``1,200`` is ``1200``, ``2.30 pm`` is ``14:30``,
    ``09:05`` is ``9:05``, ``12th`` is ``12``.
    """
    plain = _CLOCK.sub(_clock, _THOUSANDS.sub("", text.casefold()))
    plain = _ORDINAL.sub(r"\1", _ZERO.sub("", plain))
    return tuple(word for word in _WORD.findall(plain) if word not in _ARTICLES)


def names_only(said: str, wanted: str, rivals: Iterable[str] = ()) -> bool:
    """Say whether ``said`` names ``wanted`` and nothing else that it could have named.

    A remark in brackets or behind a dash does not count. ``wanted`` must stand in ``said`` with its words in a row; a
    rival, ``or``, ``not``, or, where ``wanted`` is a number, any other number, makes it wrong.

    Args:
        said: a short answer, such as ``the blue folder, please``.
        wanted: the thing, such as ``blue folder``.
        rivals: what else the answer might have been.
    """
    mine = words_of(_REMARK.sub("", said) or said)
    theirs = words_of(wanted)
    at = _find(mine, theirs)
    if at is None:
        return False
    rest = [*mine[:at], "\\n", *mine[at + len(theirs) :]]
    if _UNSURE.intersection(rest):
        return False
    if wanted[:1].isdigit() and any(word[:1].isdigit() and word != theirs[0] for word in rest):
        return False
    return not any(_find(rest, words) is not None for words in map(words_of, rivals) if words and words != theirs)


def names_any(said: str, things: Iterable[str]) -> bool:
    """Say whether ``said`` names at least one of ``things``."""
    mine = words_of(_REMARK.sub("", said) or said)
    return any(_find(mine, words_of(thing)) is not None for thing in things)


def names_nothing(said: str) -> bool:
    """Say whether ``said`` says that there is nothing: ``nothing``, ``None.``, ``no action``."""
    return " ".join(words_of(_REMARK.sub("", said) or said)) in _NOTHING


def says_absent(said: str) -> bool:
    """Say whether ``said`` says that a text does not tell: ``not in the text``, ``not stated``, ``unknown``."""
    return _ABSENT.fullmatch(" ".join(words_of(said))) is not None


def _find(words: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Return where ``wanted`` begins in ``words``, its words in a row."""
    size = len(wanted)
    if not size or wanted[0] not in words:
        return None
    for at in range(len(words) - size + 1):
        if words[at] == wanted[0] and tuple(words[at : at + size]) == tuple(wanted):
            return at
    return None


def _clock(found: re.Match[str]) -> str:
    hour = int(found[1]) % 12 + 12 * (found[3] == "p")
    return f"{hour}:{found[2] or '00'}"
