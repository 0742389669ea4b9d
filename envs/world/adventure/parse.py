"""Reads a command of interactive fiction in a reply, as players and models write it."""

from __future__ import annotations

import re
from typing import NamedTuple

from acgym.envs.world.adventure.verbs import ALONE, DIRECTIONS, PREPOSITIONS, SECOND, VERBS

LONGEST = 160
"""Characters of a command; a longer line is prose, not a command."""
_EDGES = " \t\r\n*_`\"'“”‘’[](){}<>.,;:!?#-"
_SENTENCE = re.compile(r"(?<=[a-z0-9\"'*`])(?:[.;!?]+(?=\s|$)|,? (?:and then|then|after that)\b|\s->\s)")
_AND = re.compile(
    r",? and (?=(?:go|take|get|open|close|look|examine|read|put|give|unlock|ask|say|use|pull|push|turn)\b)"
)
_SUBJECT = re.compile(
    r"(?:(?:ok|okay|so|now|next|first|firstly|then|well|and|finally|please)\b[,:]? )*"
    r"(?:(?:i|we|you)(?: will|'ll| shall| should| must| would(?: like to)?|'d like to| want to| need to| try to"
    r"| am going to|'m going to| can| could| now| then| first| also)* |let me |let's |let us |try to |trying to )?"
    r"(?:(?:now|then|first|just|also|carefully|again|please) )*"
)
_WORD = re.compile(r"[^\W_][\w']*")
_NOISE = frozenset(("the", "a", "an", "my", "your", "his", "her", "their", "this", "that", "some", "all", "of"))
_MARK = re.compile(r"(?:action|command|move)\s*\d*\s*[:：]")


class Command(NamedTuple):
    """What was read: a verb of :mod:`acgym.envs.world.adventure.verbs` and the words of its objects."""

    verb: str
    first: tuple[str, ...] = ()
    """Words of the thing that something is done to, without articles."""
    second: tuple[str, ...] = ()
    """Words of the other thing, as in ``unlock X with Y``; the topic of a question; what a dial is set to."""
    preposition: str = ""


def read_command(reply: str) -> Command | None:
    """Read the first command of a reply; None when there is none.

    The line behind the last ``Action:`` counts, else the first sentence of the reply that is a command. Of several
    commands ("take the lamp, then go north") the first is read. Linear in the length of the reply.
    """
    text = reply.lower().replace("’", "'")
    marks = list(_MARK.finditer(text))
    if marks:
        rest = text[marks[-1].end() :].lstrip(" \t\r\n*`\"'_")
        return _line(rest.partition("\n")[0][: LONGEST * 2])
    for line in text.splitlines()[:40]:
        found = _line(line) if len(line) <= 2_000 else None
        if found is not None:
            return found
    return None


def _line(line: str) -> Command | None:
    for sentence in _SENTENCE.split(line)[:20]:
        clean = sentence.strip(_EDGES)
        if not clean or len(clean) > LONGEST:
            continue
        found = _sentence(clean)
        if found is not None:
            return found
        whole = _AND.split(clean)[0]
        found = _sentence(whole) if whole != clean else None
        if found is not None:
            return found
    return None


def _sentence(clean: str) -> Command | None:
    start = _SUBJECT.match(clean)
    words = _WORD.findall(_AND.split(clean[start.end() :] if start else clean)[0])
    return _command(words) if words else None


def _command(words: list[str]) -> Command | None:
    """Read words that begin with a verb."""
    if len(words) == 1 and words[0] in DIRECTIONS:
        return Command("go", (DIRECTIONS[words[0]],))
    for length in (3, 2, 1):
        verb = VERBS.get(" ".join(words[:length]))
        if verb is not None and len(words) >= length:
            return _with_verb(verb, words[length:])
    return None


def _with_verb(verb: str, rest: list[str]) -> Command | None:
    rest = [word.strip("'") for word in rest if word not in _NOISE]
    if verb == "go":
        return _go(rest)
    if verb in ALONE:
        return Command(verb) if not rest or verb != "look" else Command("examine", tuple(_bare(rest)))
    if verb in ("say", "set", "ask"):
        return _spoken(verb, rest)
    if not rest:
        return Command(verb)
    if verb in ("turn", "put", "take") and (rest[-1] in ("on", "off", "up", "down", "out") or rest[0] in ("on", "off")):
        return _particle(verb, rest)
    if verb == "turn" and "to" in rest[1:]:
        return _spoken("set", rest)
    wanted = PREPOSITIONS if verb in SECOND else frozenset()
    rest = _bare(rest)
    for i in range(1, len(rest) - 1):
        if rest[i] in wanted:
            more = [word for word in rest[i + 1 :] if word not in PREPOSITIONS]
            return Command(verb, tuple(rest[:i]), tuple(more), rest[i])
    return Command(verb, tuple(word for word in rest if word not in ("up",)))


def _bare(rest: list[str]) -> list[str]:
    """Leave out prepositions that begin an object: "look under the table", "climb up the rope"."""
    i = 0
    while i < len(rest) - 1 and rest[i] in PREPOSITIONS:
        i += 1
    return rest[i:]


def _go(rest: list[str]) -> Command | None:
    words = [word for word in rest if word not in ("to", "through", "into", "in", "towards", "back", "out", "via")]
    if not words:
        return Command("go", ("out",)) if rest else None
    for word in (words[0], words[-1]):
        if word in DIRECTIONS and len(words) <= 3:
            return Command("go", (DIRECTIONS[word],))
    return Command("go", tuple(words))


def _particle(verb: str, rest: list[str]) -> Command:
    """Read "turn the lamp on", "put on the coat", "take the hat off", "pick the key up"."""
    particle = rest[-1] if rest[-1] in ("on", "off", "up", "down", "out") else rest[0]
    things = tuple(word for word in rest if word != particle)
    meant = {
        ("turn", "on"): "light",
        ("turn", "off"): "douse",
        ("turn", "out"): "douse",
        ("put", "on"): "wear",
        ("put", "out"): "douse",
        ("put", "down"): "drop",
        ("take", "off"): "remove",
    }.get((verb, particle), verb)
    if verb == "put" and rest[0] == "on" and "on" in rest[1:]:
        return Command(verb, things)
    return Command(meant, things)


def _spoken(verb: str, rest: list[str]) -> Command | None:
    """Read "ask X about Y", "say W to X", "tell X the word W", "set X to V", "enter V on X"."""
    if not rest:
        return Command(verb)
    marks = {
        "ask": ("about", "for"),
        "set": ("to", "on", "into", "in", "at", "with"),
        "say": ("to", "into", "at", "in"),
    }
    for i in range(1, len(rest) - 1):
        if rest[i] in marks[verb]:
            return Command(verb, tuple(rest[:i]), tuple(rest[i + 1 :]), rest[i])
    return Command(verb, tuple(rest))
