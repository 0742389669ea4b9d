"""Tells whether a model says that it is done, in its own words."""

from __future__ import annotations

import re

_DONE = r"(?:done|finished|complete|completed|accomplished|achieved|fulfilled)"
_REACHED = rf"(?:{_DONE}|reached|met)"
_HOW = r"(?:now |all |already |successfully |fully ){0,2}"
_THING = r"(?:task|goal|job|work|request|mission|objective)"
_WHAT = (
    rf"(?:(?:the|this|that|your|my|all|all the) )?(?:whole |given )?(?:{_THING}s?|everything|all|it|that)"
    r"|(?:all )?(?:the )?(?:required |needed )?steps"
)
_NEEDED = r"(?:needed|required|necessary)"
_WHOLE = (
    rf"(?:i am|i'm|we are|we're|i have|i've|we have) {_HOW}{_DONE}(?: (?:with )?(?:{_WHAT}))?"
    rf"|(?:{_WHAT}) (?:is|are|has {_HOW}been|have {_HOW}been|was|were) {_HOW}{_REACHED}"
    rf"|no (?:further|more|other|additional) (?:action|step|move|work)s? (?:is|are) {_NEEDED}"
    rf"|nothing (?:else|more) is {_NEEDED}"
)
_FINAL = re.compile(
    r"(?:(?:final )?(?:action|status) ?: ?\W{0,3})?"
    r"(?:(?:ok|okay|great|good|now|so|yes|well|i think|i believe|i think that|i believe that),? ){0,3}"
    rf"(?:(?:all |successfully )?{_DONE}|stop|finish|end|the end|{_WHOLE}"
    rf"|(?:completed|finished|accomplished|achieved|reached) (?:the|this|your|my) (?:whole )?{_THING}"
    rf"|{_THING}s? {_HOW}{_REACHED})(?: now| successfully| already)?"
)
_SO = re.compile(
    rf"(?!(?:if|when|once|unless|until|after|as soon as)\b)[^,]+(?:,[^,]+)?, (?:so|and|therefore) (?:{_WHOLE})"
)
_REMARK = re.compile(r" \((?!.*\b(?:not|no)\b|.*n't)[^()]*\)\W*$")
_EDGES = " \t\r\n*_`\"'“”‘’#>-.!"
_SYMBOLS = re.compile(r"^[\W_]+|[\W_]+$")  # also emoji
_LONGEST = 200
"""A longer sentence says more than that."""


def says_done(text: str) -> bool:
    """Say whether a sentence of ``text`` says that all is done and no more.

    ``Done.``, ``The task is complete.``, ``I have finished the task.``, ``No further action is needed.`` do, in any
    case and markdown, also as ``Action: done (a remark)`` and as what follows (``It is in the box, so the task is
    done.``). ``The mug is clean.``, ``Is it done?`` and ``The task is not done.`` do not. Linear in the length.
    """
    for sentence in re.findall(r"[^.!?\n]+[.!?\n]?", text.lower().replace("’", "'")):
        if sentence.endswith("?"):
            continue
        said = sentence.strip(_EDGES)
        if len(said) <= _LONGEST:
            said = _SYMBOLS.sub("", _REMARK.sub("", said))
            if _FINAL.fullmatch(said) or _SO.fullmatch(said):
                return True
    return False
