"""How a request is worded: each kind of goal in several wordings and three forms, put together in a voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.tools.call.stock import VALUE
from acgym.envs.voices import Voice, voices
from acgym.types import Split

WORDINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "cancel": {
        "do": (
            "cancel {x}",
            "call off {x}",
            "withdraw {x}",
            "see to it that {x} gets cancelled",
            "put a stop to {x}",
            "have {x} cancelled",
            "cancel {x} for me",
        ),
        "say": (
            "{X} is no longer needed and should be cancelled.",
            "I want {x} cancelled.",
            "Nobody will use {x}, so it has to be called off.",
            "{X} can be cancelled.",
            "We have no use for {x} any more; cancel it.",
            "{X} was a mistake, call it off.",
            "It is time to cancel {x}.",
        ),
        "short": ("cancel {x}", "{x}: cancel", "{x} - call off", "call off {x}", "{x} not needed, cancel"),
    },
    "change": {
        "do": (
            "change {x} to {v}",
            "update {x} to {v}",
            "set {x} to {v}",
            "correct {x}, which should have {v}",
            "let {x} have {v} from now on",
            "put {v} down for {x}",
            "see that {x} has {v}",
        ),
        "say": (
            "{X} should have {v} from now on.",
            "What is written down for {x} is wrong: it has to be {v}.",
            "I want {x} changed to {v}.",
            "{X} needs an update, to {v}.",
            "For {x}, it must say {v}.",
            "There is something new about {x}, to be put in: {v}.",
            "I'd like {x} to have {v}.",
        ),
        "short": ("{x}: now {v}", "change {x} to {v}", "{x} -> {v}", "update {x}, {v}", "{x}, set {v}"),
    },
    "add": {
        "do": (
            "{verb} {x} with {v}",
            "{verb} {x}: {v}",
            "{verb} me {x} with {v}",
            "go and {verb} {x} with {v}",
            "arrange {x} for me ({verb} it), with {v}",
            "{verb} {x} that has {v}",
        ),
        "say": (
            "I want to {verb} {x} with {v}.",
            "We have to {verb} {x} with {v}.",
            "It would suit me to {verb} {x} with {v}.",
            "My plan is to {verb} {x}: {v}.",
            "I would like to {verb} {x}. It goes with {v}.",
            "Somebody has to {verb} {x} with {v}, and that is you.",
            "I need to {verb} {x}; put down {v}.",
        ),
        "short": ("{verb} {x}: {v}", "{verb} {x}, {v}", "{x} to {verb} - {v}", "{verb} {x} ({v})"),
    },
    "each": {
        "do": ("{verb} {x} for each {word} of {v}{rest}", "{verb} {x} for every {word} among {v}{rest}"),
        "say": (
            "I have to {verb} {x} for each {word} of {v}{rest}.",
            "For each {word} of {v}, {verb} {x}{rest}.",
            "There is {x} to {verb} for every {word} of {v}{rest}.",
            "One by one, {verb} {x} for each {word} of {v}{rest}.",
        ),
        "short": ("{verb} {x} for each {word} of {v}{rest}", "each {word} of {v}: {verb} {x}{rest}"),
    },
    "tell": {
        "do": (
            "tell me {x}",
            "let me know {x}",
            "find out {x} and tell me",
            "look into the matter and say {x}",
            "report {x} to me",
            "check {x} and write it to me",
        ),
        "say": (
            "I need to know {x}.",
            "I want to hear {x}.",
            "What I have to know is {x}.",
            "My question is about {x}: tell me.",
            "Nobody here can tell me {x}, so you have to.",
            "I have been asked to find out {x}.",
            "I can't remember {x}; look it up.",
        ),
        "short": ("{x}?", "need {x}", "find {x}", "{x} - tell me", "question: {x}"),
    },
}
"""Kind of goal -> form of the voice -> wordings; every form of a kind says the same."""
JOINS = {
    "do": ("Then ", "After that, ", "Next, ", "Also, ", "And then ", "I also want you to ", "You should also "),
    "say": ("", "", "Also: ", "Another thing: ", "Then this: ", "And: ", "Next: ", "Besides: "),
    "short": ("; ", " / ", "; then ", " + ", "; also ", ". then "),
}
"""What stands before the second goal and the following ones."""


class Said(NamedTuple):
    """A goal of a request, before it is worded."""

    kind: str
    """A key of WORDINGS."""
    parts: Mapping[str, str]
    """What stands in its wordings; values stand between VALUE marks."""
    swap: tuple[str, str] | None = None
    """A value of it, marks left out, and another one that a user might say first by mistake."""


def request(draw: Draw, split: Split, goals: Sequence[Said], plain: bool = False) -> str:
    """Word a request.

    Args:
        draw: choices.
        split: whose voices speak.
        goals: what is wanted, in order.
        plain: keep to voices that neither misspell nor take anything back.
    """
    swaps = [goal.swap for goal in goals if goal.swap is not None]
    among = [v for v in voices(split) if not (plain and v.style) and (swaps or not v.changes_mind)]
    voice = draw.pick(among)
    left: dict[str, list[str]] = {}
    worded = [_worded(draw, voice.form, goal, left) for goal in goals]
    order = draw.shuffled(JOINS[voice.form])
    joins = [order[i % len(order)] for i in range(len(worded) - 1)]
    if voice.form == "do":
        swap = goals[0].swap if voice.changes_mind else None
        first = _dressed(draw, voice, worded[0], swap)
        rest = " ".join(f"{join}{text}." for join, text in zip(joins, worded[1:], strict=True))
        if not rest:
            return first
        plainly = voice._replace(before=("",), after=("",))
        return f"{_ended(first)} {_dressed(draw, plainly, rest, None)}"
    glue = " " if voice.form == "say" else ""
    text = worded[0] + "".join(f"{glue}{join}{text}" for join, text in zip(joins, worded[1:], strict=True))
    return _dressed(draw, voice, text, draw.pick(swaps) if voice.changes_mind else None)


def _worded(draw: Draw, form: str, goal: Said, left: dict[str, list[str]]) -> str:
    """Word a goal as no other goal of the request is, if there are enough wordings; ``left`` holds those not used."""
    among = left.get(goal.kind) or draw.shuffled(WORDINGS[goal.kind][form])
    left[goal.kind] = among[:-1]
    x = goal.parts["x"]
    return among[-1].format(**goal.parts, X=x[0].upper() + x[1:])


def _dressed(draw: Draw, voice: Voice, text: str, swap: tuple[str, str] | None) -> str:
    pieces = text.split(VALUE)
    if swap is None or pieces.count(swap[0]) != 1 or swap[1] in pieces:
        plainly = voice._replace(style=voice.style - {"mind"})
        return plainly.dress(draw, pieces)
    return voice.dress(draw, pieces, (pieces.index(swap[0]), swap[1]))


def _ended(text: str) -> str:
    return text if text[-1] in ".!?:)" else f"{text}."


def listed(said: Sequence[str]) -> str:
    """Join phrases as a list in words; items may hold "and", so the last comma stays."""
    return ", and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]
