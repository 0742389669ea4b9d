"""Twenty ways in which people write a request: what they say before and after it, and how they type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from acgym.draw import Draw

OPEN, CLOSE = "\x02", "\x03"
"""Marks around text that a voice never alters: names, quoted text, values."""


class Voice(NamedTuple):
    """One way to write."""

    name: str
    before: tuple[str, ...]
    """Sentences that may stand before the request; one is drawn."""
    after: tuple[str, ...] = ("",)
    """Sentences that may stand after it; one is drawn."""
    lower: bool = False
    """Types without capitals, and leaves out the final period."""
    typos: bool = False
    """Misspells common words, never names or values."""
    joiners: tuple[str, ...] = ("", "Then: ", "Next: ", "Also: ", "After that: ")
    """What may stand before the second and each further part of a request."""
    corrects: bool = False
    """Starts with something else, and takes it back."""


def kept(text: object) -> str:
    """Mark a name, a quotation or a value as text that no voice alters."""
    return f"{OPEN}{text}{CLOSE}"


def plain(text: str) -> str:
    """Take the marks off."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def dress(draw: Draw, voice: Voice, parts: list[str], taken_back: str | None = None) -> str:
    """Write a request as a voice would.

    Args:
        draw: choices.
        voice: who writes.
        parts: whole sentences with their capitals and periods, names between marks (:func:`kept`).
        taken_back: for a voice that corrects itself: what it asks first, and does not mean.

    Returns:
        The request on one line, without marks.
    """
    said = [draw.pick(voice.before)]
    if voice.corrects and taken_back is not None:
        said += [taken_back, draw.pick(TAKEN_BACK)]
    for i, part in enumerate(parts):
        joiner = draw.pick(voice.joiners) if i else ""
        said.append(joiner + (_after_comma(part) if said[-1].endswith(",") else part))
    said.append(draw.pick(voice.after))
    text = " ".join(sentence for sentence in said if sentence)
    if voice.lower:
        text = _outside(text, str.lower)
        text = text.removesuffix(".")
    if voice.typos:
        text = _outside(text, lambda free: _WORD.sub(lambda found: _misspelt(draw, found[0]), free))
    return plain(text)


def _outside(text: str, change: Callable[[str], str]) -> str:
    """Apply a change to what stands outside of the marks."""
    parts = _KEPT.split(text)
    return "".join(part if part.startswith(OPEN) else change(part) for part in parts)


def _after_comma(sentence: str) -> str:
    """Begin a sentence small, as after ``Dear colleague,``; names and I stay as they are."""
    begins = sentence[:1].isupper() and not sentence.startswith(("I ", "I'"))
    return sentence[:1].lower() + sentence[1:] if begins else sentence


def _misspelt(draw: Draw, word: str) -> str:
    wrong = TYPOS.get(word)
    return wrong if wrong is not None and draw.chance(0.5) else word


_KEPT = re.compile(f"({OPEN}[^{CLOSE}]*{CLOSE})")
_WORD = re.compile(r"[a-z]+")

TAKEN_BACK = (
    "No, forget that.",
    "Wait, scratch that, wrong one.",
    "Sorry, that is not what I meant.",
    "Hm, no. Leave that one.",
    "Actually no, I mixed something up.",
    "Oh, strike that, I was thinking of something else.",
)
"""How somebody takes back what was just asked; what follows is what counts."""

TYPOS = {
    **{
        "which": "wich",
        "their": "thier",
        "the": "teh",
        "with": "wiht",
        "about": "abuot",
        "many": "mnay",
        "have": "ahve",
    },
    **{"please": "plese", "that": "taht", "what": "waht", "from": "form", "there": "ther", "where": "wher"},
    **{"because": "becuase", "before": "befor", "message": "mesage", "meeting": "meetign", "ticket": "tikcet"},
    **{"calendar": "calender", "sheet": "shet", "change": "chnage", "should": "shoud", "number": "nubmer"},
    **{"longest": "longst", "highest": "higest", "most": "msot", "been": "bene", "together": "togther", "know": "knwo"},
    **{"would": "woudl", "could": "coudl", "really": "realy", "until": "untill", "thanks": "thnaks", "just": "jsut"},
    **{"people": "poeple", "again": "agian", "every": "evry", "move": "mvoe", "write": "wirte", "them": "tehm"},
}
"""Common words and how a hurried hand writes them; none becomes another word that would make sense."""
del TYPOS["from"]  # "form" is a word

VOICES = (
    Voice("plain", ("",), ("", "Thank you.", "Thanks.", "That is all.", "Thanks in advance.", "No rush.")),
    Voice(
        "terse",
        ("", "Quick one:", "Need this now.", "Short question:", "One thing:"),
        ("", "Asap.", "Be quick."),
        joiners=("", "And: ", "Plus: "),
    ),
    Voice(
        "polite",
        ("Good morning.", "Good afternoon.", "Hello, I hope you are well.", "Dear assistant,"),
        ("I would be grateful.", "Many thanks for your help.", "With kind regards.", "Much obliged."),
    ),
    Voice(
        "chatty",
        (
            "Hi there! Busy day here, the phone has not stopped ringing.",
            "Hey! Hope the coffee is better where you are.",
            "Hello again, me once more, I know, I know.",
            "Hi! I promised myself to clear my list before lunch, so here goes.",
        ),
        ("You are a star!", "That would really make my day.", "Right, back to the phone for me.", ""),
    ),
    Voice(
        "hurried",
        ("sorry, in a rush.", "on my way out the door.", "typing on my phone, sorry.", "no time, so"),
        ("thanks", "cheers", "back in an hour"),
        lower=True,
        typos=True,
    ),
    Voice("careless", ("hi", "hey,", "hello,", "ok so"), ("thx", "ta", "many thanks", ""), lower=True, typos=True),
    Voice(
        "lower case",
        ("hey.", "hi there.", "morning.", "me again."),
        ("thanks a lot", "all for now.", "ta!"),
        lower=True,
    ),
    Voice(
        "indirect",
        (
            "I have been asked something that I cannot answer from memory.",
            "My manager wants this from me by noon.",
            "Somebody at the front desk came to me with this.",
            "This came up in this morning's meeting, and everybody looked at me.",
        ),
        ("If you could see to it, please.", "I said that you would take care of it.", ""),
    ),
    Voice(
        "formal",
        (
            "I am writing with the following request.",
            "Kindly attend to the matter below.",
            "For the file, please deal with this today.",
            "The following is needed for our records.",
        ),
        ("Your assistance is appreciated.", "Please treat this as ordinary business.", ""),
    ),
    Voice(
        "uncertain",
        (
            "I am not sure that I am asking the right one here.",
            "Sorry if this is a silly thing to ask.",
            "I may be holding the wrong end of the stick, but here it is.",
            "I never know how to put these things.",
        ),
        ("Hope that makes sense.", "I hope that is clear enough.", ""),
    ),
    Voice(
        "second thoughts", ("Hi.", "Hello.", "Good day.", "Right."), ("Yes, that.", "That is it.", ""), corrects=True
    ),
    Voice(
        "changes their mind",
        ("Let me see.", "So.", "Well.", "Now then."),
        ("Sorry for the back and forth.", ""),
        corrects=True,
    ),
    Voice(
        "new here",
        (
            "It is my first week and I do not know the system yet.",
            "I am covering for a colleague who is on leave.",
            "I am new to this desk.",
            "My login for this still does not work, so I have to ask you.",
        ),
        ("Thanks for bearing with me.", "Sorry to bother you.", ""),
    ),
    Voice(
        "dictating",
        ("Take this down, please.", "Ready? Here we go.", "Are you listening? Good.", "Right, new item."),
        ("Full stop, end of message.", "Over to you.", ""),
    ),
    Voice(
        "grumpy",
        (
            "I asked for this yesterday.",
            "Third time that I ask.",
            "Nobody here seems to be able to do this.",
            "I really should not have to chase this.",
        ),
        ("Get it right this time.", "I will not ask again.", ""),
    ),
    Voice(
        "cheerful",
        ("Happy to be back!", "Lovely day, is it not?", "Guess who!", "What a week!"),
        ("You make this look easy!", "High five!", "Brilliant, thank you!"),
    ),
    Voice(
        "explains",
        (
            "I am writing up notes for the file, so it has to be exact.",
            "We are getting ready for an inspection and must have our facts straight.",
            "I am filling in for the office and want to leave things tidy.",
            "Before the weekend I want this off my list.",
        ),
        ("Accuracy matters more than speed here.", "Take the time that you need.", ""),
    ),
    Voice(
        "second language",
        (
            "Excuse me for my English.",
            "Hello, I write from the other office.",
            "Good day, I have one demand.",
            "Please to help me with this.",
        ),
        ("I thank you very much.", "Thank you for your time.", ""),
    ),
    Voice(
        "old school",
        ("To whom it may concern:", "My dear colleague,", "Sir or madam,", "Memo:"),
        ("Yours faithfully.", "Yours, in haste.", "End of memo."),
    ),
    Voice(
        "thinking aloud",
        (
            "Hmm, where was I. Oh yes.",
            "Now what did I want. Ah.",
            "Let me think how to say this.",
            "There was something else. Got it.",
        ),
        ("I think that is everything.", "Yes, I think so.", ""),
    ),
    Voice(
        "passing on",
        (
            "A colleague asked me to pass this on.",
            "This is from the people upstairs.",
            "Copying this over from a note on my desk.",
            "Word for word, this is what I was given.",
        ),
        ("I only pass it on.", "They are waiting for it.", ""),
    ),
)
"""Who writes; at least 20 voices, each with openings of its own."""
