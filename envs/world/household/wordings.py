"""How the tasks of a large house are worded: things by where somebody left them, treatments, places, conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.world.household.words import plural

LEFT = (
    "the {kind} that {who} left behind after {ref}",
    "the {kind} that {who} had at hand when last {ref}",
    "the {kind} that is still where {who} was {ref}",
    "the {kind} from the place where {who} was {ref}",
)
KEPT = (
    "the {kind} that {who} has put away with {ref}",
    "the {kind} that {who} keeps together with {ref}",
    "the {kind} that lies beside {ref}, stored there by {who}",
)
LEFT_LEAD = (
    "Yesterday {who} was {ref} and forgot a {kind} on the spot",
    "{who} was {ref} when the doorbell rang, and left a {kind} there",
    "A {kind} has been missed ever since {who} was last {ref}, and it never left that place",
)
KEPT_LEAD = (
    "{who} once put a {kind} away with {ref}",
    "Among {ref}, {who} also has a {kind}",
)
DO_THERE = ("where {who} is usually found {ref}", "where {who} spends hours {ref}")
KEEP_THERE = ("where {who} keeps {ref}", "where {who} has put away {ref}")

_IMPERATIVE = {"clean": ("wash", "rinse", "clean"), "heat": ("warm", "heat"), "cool": ("chill", "cool")}
_DONE = {"clean": ("washed", "rinsed"), "heat": ("warmed", "heated"), "cool": ("chilled", "cooled")}
_STATE = {"clean": ("spotless", "free of dirt"), "heat": ("hot", "piping hot"), "cool": ("cold", "ice-cold")}

_PUT = (
    "put {np} {to}.",
    "{np} belongs {to}.",
    "I would like to find {np} {to}.",
    "please see to it that {np} ends up {to}.",
    "{to} is the place for {np}.",
)
_TREAT = (
    "{imperative} {np} and put it {to}.",
    "I want {np} {to}, and {state}.",
    "before {np} goes {to}, {imperative} it.",
    "once {np} has been {done}, it can go {to}.",
    "{to} I would like to see {np}, but only {done}.",
)
_PUT_BOTH = (
    "put {np} and {other} {to}.",
    "bring {np} together with {other}: both belong {to}.",
    "{to} there should be two {kinds} in the end: {np} and {other}.",
)
_TREAT_BOTH = (
    "{imperative} {np} as well as {other}, and put both {to}.",
    "I want {np} and also {other} {to}, and {state}.",
    "{np} and {other} can both go {to} once they have been {done}.",
)
_ANY_TWO = (
    "put two {kinds} {to}, whichever you find.",
    "two {kinds} are wanted {to}; any will do.",
    "I need any two {kinds} {to}.",
)
_ANY_TWO_TREATED = (
    "{imperative} two {kinds} and put them {to}; any will do.",
    "I need any two {kinds} {to}, and {state}.",
    "two {kinds}, whichever you find, can go {to} once they have been {done}.",
)
_LIGHT = (
    "by the light of the {lamp}, have a close look at {np}.",
    "take {np} to the {lamp} and examine it there with the light on.",
    "has {np} got a scratch? See for yourself under the {lamp}, switched on.",
)
_DIRT = (
    "if {np} is dirty, wash it and put it {to}; otherwise put it {other}.",
    "find out whether {np} is clean. If so, it belongs {other}; if not, it belongs {to}, after a wash.",
    "{np} goes {other}, unless it is dirty: then wash it and put it {to}.",
)
_WARMTH = (
    "if {np} is still warm, chill it and put it {to}; if it is cold already, put it {other}.",
    "find out how {np} feels. Cold, it goes {other}; warm, it must be cooled first and then goes {to}.",
    "{np} goes {other}, unless it is still warm: then cool it and put it {to}.",
)


class Said(NamedTuple):
    """A thing in words: a sentence that may come before, and how the thing is then called."""

    lead: str
    name: str


def upper(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


def name_thing(draw: Draw, kind: str, who: str, reference: str, kept: bool, look: str, alone: bool) -> Said:
    """Name a thing by who left or keeps it where.

    Args:
        draw: the source of choices.
        kind: such as ``"mug"``.
        who: the person, by name or otherwise.
        reference: what she was doing there, or keeps there.
        kept: whether it is what she keeps.
        look: what tells the thing from another in the same place; empty if there is none.
        alone: whether no other thing of the kind is spoken of, so that "that mug" is enough.
    """
    with_look = f", one {look}" if look else ""
    if alone and draw.chance(0.4):
        lead = draw.pick(KEPT_LEAD if kept else LEFT_LEAD).format(kind=kind, who=who, ref=reference)
        return Said(f"{upper(lead)}{with_look}. ", f"that {kind}")
    name = draw.pick(KEPT if kept else LEFT).format(kind=kind, who=who, ref=reference)
    return Said("", f"{name}{f', the one {look},' if look else ''}")


def say_goal(draw: Draw, things: Sequence[Said], kind: str, needs: Sequence[str], to: str, any_two: bool) -> str:
    """Say that one or two things are to be treated and put somewhere."""
    forms = (
        (_ANY_TWO_TREATED if needs else _ANY_TWO)
        if any_two
        else (_TREAT_BOTH if needs else _PUT_BOTH)
        if len(things) > 1
        else (_TREAT if needs else _PUT)
    )
    form = draw.pick(forms)
    return _fill(
        form,
        things,
        kinds=plural(kind),
        to=to,
        imperative=" and then ".join([draw.pick(_IMPERATIVE[need]) for need in needs]),
        done=" and then ".join([draw.pick(_DONE[need]) for need in needs]),
        state=" and ".join([draw.pick(_STATE[need]) for need in needs]),
    )


def say_condition(draw: Draw, thing: Said, about: str, to: str, other: str) -> str:
    """Say that a thing goes one way if it is dirty (or warm), another way otherwise."""
    return _fill(draw.pick(_DIRT if about == "dirty" else _WARMTH), [thing], to=to, other_place=other)


def say_light(draw: Draw, thing: Said, lamp: str) -> str:
    """Say that a thing is to be examined in the light of a lamp."""
    return _fill(draw.pick(_LIGHT), [thing], lamp=lamp)


def _fill(form: str, things: Sequence[Said], **words: str) -> str:
    other = things[1].name if len(things) > 1 else words.pop("other_place", "")
    text = form.format(np=things[0].name if things else "", other=other, **words)
    for mark in (".", ",", ";", ":", "?"):
        text = text.replace(f",{mark}", mark)
    lead = "".join([thing.lead for thing in things])
    return lead + upper(text)
