"""The grammar of the household's actions: the one that a reply says, however it is worded."""

from __future__ import annotations

from typing import NamedTuple

from acgym.scorers.final_word import says_done

_ARTICLES = frozenset(("the", "a", "an"))
_INTO = frozenset(("in", "on", "into", "onto", "inside"))
_WITH = frozenset(("with", "in", "at", "using", "under"))
_FROM = frozenset(("from",))
_EDGES = " \t\r.!`*\"'"

DONE = "done"
"""The verb of the final word."""


LARGE_ONLY = frozenset(("examine", "turn on", "turn off"))
"""Verbs that houses of level 1 do not have."""


class Action(NamedTuple):
    """One action that was read; empty strings where the verb takes no such argument."""

    verb: str
    """``go``, ``open``, ``close``, ``take``, ``put``, ``clean``, ``heat``, ``cool``, ``look``, ``inventory``, DONE;
    in large houses also ``examine``, ``turn on`` and ``turn off``."""
    thing: str = ""
    place: str = ""


def read_action(reply: str) -> Action | None:
    """Read the action in a reply; None when there is none.

    The action is the line after the last ``Action:``; without that mark, the whole reply. Case, articles and a final
    period do not matter. Names are not checked. What is no action but says that all is done
    (:func:`acgym.scorers.final_word.says_done`) is the final word.
    """
    text = reply.lower()
    mark = text.rfind("action:")
    if mark >= 0:
        text = text[mark + 7 :].lstrip(" \t\r\n*`").partition("\n")[0]
    words = text.strip(_EDGES + "\n").split() if len(text) <= 200 else []
    read = _READERS[words[0]] if words and words[0] in _READERS else None
    action = None if read is None else read([word for word in words if word not in _ARTICLES])
    return Action(DONE) if action is None and says_done(text) else action


def _read_go(words: list[str]) -> Action | None:
    if len(words) < 3 or words[1] != "to":
        return None
    return Action("go", place=" ".join(words[2:]))


def _read_door(words: list[str]) -> Action | None:
    return Action(words[0], place=" ".join(words[1:])) if len(words) > 1 else None


def _read_take(words: list[str]) -> Action | None:
    thing, place = _divide(words[1:], _FROM)
    return Action("take", thing, place) if thing else None


def _read_put(words: list[str]) -> Action | None:
    thing, place = _divide(words[1:], _INTO)
    return Action("put", thing, place) if thing and place else None


def _read_treat(words: list[str]) -> Action | None:
    thing, place = _divide(words[1:], _WITH)
    return Action(words[0], thing, place) if thing else None


def _read_alone(words: list[str]) -> Action | None:
    return Action(words[0]) if len(words) == 1 or words == ["look", "around"] else None


def _divide(words: list[str], at: frozenset[str]) -> tuple[str, str]:
    """Split at the first word of ``at``; without one, all words are the first part."""
    for i, word in enumerate(words):
        if word in at:
            return " ".join(words[:i]), " ".join(words[i + 1 :])
    return " ".join(words), ""


def _read_look(words: list[str]) -> Action | None:
    return _read_examine(words[1:]) if words[1:2] == ["at"] else _read_alone(words)


def _read_examine(words: list[str]) -> Action | None:
    thing, place = _divide(words[1:], _WITH)
    return Action("examine", thing, place) if thing else None


def _read_turn(words: list[str]) -> Action | None:
    for i in (1, -1):
        if len(words) > 2 and words[i] in ("on", "off"):
            return Action(f"turn {words.pop(i)}", place=" ".join(words[1:]))
    return None


def _read_use(words: list[str]) -> Action | None:
    return Action("turn on", place=" ".join(words[1:])) if len(words) > 1 else None


_READERS = {
    "go": _read_go,
    "open": _read_door,
    "close": _read_door,
    "take": _read_take,
    "put": _read_put,
    "clean": _read_treat,
    "heat": _read_treat,
    "cool": _read_treat,
    "look": _read_look,
    "examine": _read_examine,
    "inspect": _read_examine,
    "turn": _read_turn,
    "switch": _read_turn,
    "use": _read_use,
    "inventory": _read_alone,
}
