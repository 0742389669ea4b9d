"""The user of a tool-calling task: what a question is about and what is answered, and reading what a reply refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from acgym.draw import Draw
from acgym.envs.tools.call.words import CHOICES, CODED, DATES, FLOATS, INTEGERS, NESTED, SPOKEN, STRINGS

ANSWERS = (
    "Oh, I left that out: {it}.",
    "{It}.",
    "{It}, sorry.",
    "Right, that was missing. {It}.",
    "Good that you ask: {it}.",
    "Let me look... {it}.",
    "Did I not say? {It}.",
    "One second. {It}, as far as my notes go.",
    "I thought you knew. {It}.",
    "Of course: {it}. Please go on.",
    "{It}, I nearly forgot.",
    "Fair question. {It}.",
    "Ah, sure, {it}.",
    "My mistake! {It}.",
    "Yes, write down: {it}.",
    "{It}, and that is all I know.",
)
"""How a user gives a value that was missing."""
NO_IDEA = (
    "I have nothing to add to what I wrote.",
    "That I don't know, I'm afraid. All that I have is in my message.",
    "No idea. Can't you find that with the tools?",
    "You have everything from me that there is.",
    "Please read my message again; I know no more.",
    "Sorry, I can't help you with that one.",
    "Hm, I couldn't tell you. Please do what I wrote.",
    "That's for you to find out, I believe.",
    "I already gave you all that I know.",
    "Nothing comes to mind. Go by what I wrote.",
)
"""What a user says to a question about something that was not left out."""

_FIELDS = frozenset((*STRINGS, *INTEGERS, *FLOATS, *DATES, *CODED, *NESTED, *CHOICES))
_CODE = ("code", "codes", "id", "identifier", "number", "which", "what one")
"""Words that ask which thing is meant."""


def missing(noun: str, field: str | None, said: str, form: str) -> dict[str, Any]:
    """Describe something that the request leaves out.

    Args:
        noun: the thing that it belongs to.
        field: the field; None for the thing's own code.
        said: the value in words.
        form: one of ANSWERS.
    """
    words = list(_CODE) if field is None else [field, *filter(None, [SPOKEN.get(field)])]
    it = f"the {field or 'code'} is {said}"
    says = form.format(it=it, It=it[0].upper() + it[1:])
    return {"noun": noun, "field": field, "words": words, "says": says}


def question(field: str | None, phrase: str) -> str:
    """Return the question that an expert asks."""
    return f"Which {phrase} do you mean?" if field is None else f"What is the {field} of the {phrase}?"


def asked_for(data: Mapping[str, Any], text: str) -> list[int]:
    """Return which of what is missing a question is about.

    A question is about the fields that it names, in the tools' words or the user's; of the things that it names, if
    it names some that lack them. One that names no field at all is about all that the named things lack: "Who is the
    room for?"
    """
    rows = data.get("missing", ())
    said = text[:2000].lower()
    named = [i for i, row in enumerate(rows) if _says(said, row["words"])]
    about = [i for i, row in enumerate(rows) if _says(said, (row["noun"], row["noun"] + "s", row["noun"] + "es"))]
    if named:
        return [i for i in named if i in about] or ([] if _others(data, said, rows) else named)
    return [] if _says(said, _FIELDS | frozenset(SPOKEN.values())) else about


def _others(data: Mapping[str, Any], said: str, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether a question names a thing of the task that lacks nothing."""
    nouns = {tool["key"] for tool in data["tools"].values() if "key" in tool} - {row["noun"] for row in rows}
    return _says(said, nouns)


def answer(data: Mapping[str, Any], text: str) -> str:
    """Return what the user says to a question."""
    about = asked_for(data, text)
    return " ".join(data["missing"][i]["says"] for i in about) if about else str(data.get("no_idea", NO_IDEA[0]))


def no_idea(draw: Draw) -> str:
    """Draw what a user says to a question about something that was not left out."""
    return draw.pick(NO_IDEA)


def _says(text: str, words: Iterable[str]) -> bool:
    return any(_word(word).search(text) is not None for word in words)


@cache
def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){re.escape(word)}(?![a-z])")


_LAST = re.compile(r"[^.!?\n]*\?[\s*_\"'`)]*\Z")
_CLOSING = re.compile(r"anything|something else|help|assist|else")


def asks(text: str) -> bool:
    """Say whether a reply in words ends with a question to the user, and not with "Anything else?"."""
    found = _LAST.search(text[-600:])
    return found is not None and not _CLOSING.search(found[0].lower())


_MARK = re.compile(r"(?<![a-z])refused?[ *_`]{0,6}:([^\n]*)", re.IGNORECASE)
_REFUSES = re.compile(
    r"\b(?:refus|declin|forbid|forbad|prohibit|disallow|unable|impossible|not (?:be )?(?:able|possible|allowed"
    r"|permitted|available|done|supported|cancel|chang|book|order|rent|find|reserv|updat|made|make|tell)|cannot|can't|couldn't"
    r"|could not|can not|couldnt|cant|won't|will not|no tool|there is no|mustn't|must not|may not|against the policy"
    r"|does(?:n't| not) allow|unfortunately)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.!?;\n]+(?=\s|\Z)|,? (?:but|while|whereas|however|although)\b")


def refuses(text: str, nouns: Iterable[str]) -> frozenset[str]:
    """Read what a final reply refuses.

    Args:
        text: the reply; linear in its length.
        nouns: the things of the task that may be named.

    Returns:
        Those nouns that stand behind ``Refused:``, or else in a clause that says that something cannot be done (``I
        could not cancel the old ticket``). Of a clause with ``and``, only what stands after the last ``and`` before the
        words that refuse is read: ``I booked the room and could not cancel the ticket``.
    """
    parts = _MARK.findall(text)
    if not parts:
        for clause in _CLAUSE.split(text.replace("’", "'")):
            found = _REFUSES.search(clause)
            if found:
                parts.append(clause[max(clause.rfind(" and ", 0, found.start()), 0) :])
    said = "\n".join(parts).lower()
    return frozenset(noun for noun in nouns if _says(said, (noun, noun + "s", noun + "es")))
