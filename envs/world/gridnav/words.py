"""Reads an action of the grid in a reply, as people and models write it."""

from __future__ import annotations

import re
from typing import NamedTuple

COLOURS = ("red", "green", "blue", "purple", "yellow", "grey", "orange", "white", "black", "pink")
KINDS = ("ball", "box", "key")
_NAME = re.compile(rf"\b({'|'.join((*COLOURS, 'gray'))}) (ball|box|key|door)\b")
_EDGES = " \t\r\n*_`\"'“”[](){}<>.,;:!?"
_VERBS = (
    ("through", re.compile(r"(?:(?:go|walk|move|step|pass) through|enter)\b")),
    ("pick", re.compile(r"(?:pick up|pick|take|grab|get|fetch)\b")),
    ("open", re.compile(r"(?:open|unlock|toggle)\b")),
    ("drop", re.compile(r"(?:drop|put down|put|place|release)\b")),
    ("left", re.compile(r"(?:turn |rotate )(?:to the )?left\b|left$")),
    ("right", re.compile(r"(?:turn |rotate )(?:to the )?right\b|right$")),
    ("around", re.compile(r"turn (?:around|back)\b")),
    ("go", re.compile(r"(?:go|walk|move|navigate) (?:up |over )?to\b")),
    ("forward", re.compile(r"(?:(?:move|go|walk|step) )?(?:forwards?|ahead|straight)\b")),
    ("look", re.compile(r"(?:look|observe|wait)\b")),
)
_NUMBER = re.compile(r"\b(\d{1,2})\b")


class Action(NamedTuple):
    """What was read."""

    verb: str
    """``go``, ``through``, ``pick``, ``open``, ``drop``, ``left``, ``right``, ``around``, ``forward`` or ``look``."""
    name: str = ""
    """A thing or a door; empty for what is in front."""
    steps: int = 1
    """Steps of ``forward``."""


def read_action(reply: str) -> Action | None:
    """Read the action behind the last ``Action:``, else in the last line; None when there is none."""
    text = reply.lower()
    mark = text.rfind("action:")
    if mark >= 0:
        line = text[mark + 7 :].lstrip(" \t\r\n*`").partition("\n")[0].strip(_EDGES)
    else:
        line = text.strip(_EDGES).rpartition("\n")[2].strip(_EDGES)
    if len(line) > 120:
        return None
    line = " ".join(line.split())
    for verb, pattern in _VERBS:
        if pattern.match(line):
            named = _NAME.search(line)
            name = f"{named[1].replace('gray', 'grey')} {named[2]}" if named else ""
            number = _NUMBER.search(line)
            if verb == "go" and not name:
                return None
            return Action(verb, name, int(number[1]) if number else 1)
    return None
