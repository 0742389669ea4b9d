"""Tells whether a model says that it is done, in its own words."""

from __future__ import annotations

import re

_DONE = r"(?:done|finished|complete|completed|accomplished|achieved|fulfilled)"
_WHAT = r"(?:(?:the|this|that|your|my) )?(?:whole )?(?:task|goal|job|work|request|everything|all|it|that)"
_FINAL = re.compile(
    rf"(?:(?:ok|okay|great|good|now|so|yes|well|i think|i believe|i think that|i believe that),? ){{0,3}}"
    rf"(?:all )?(?:{_DONE}|stop|finish|the end"
    rf"|(?:i am|i'm|we are|we're|i have|i've|we have) (?:now |all |already )?{_DONE}(?: (?:with )?{_WHAT})?"
    rf"|{_WHAT} (?:is|are|has been|have been|was|were) (?:now |all |already |successfully )?{_DONE}"
    rf"|task {_DONE})(?: now| successfully| already)?"
)
_EDGES = " \t\r*_`\"'“”‘’#>-"
_LONGEST = 100


def says_done(text: str) -> bool:
    """Say whether a sentence of ``text`` says that all is done and no more.

    ``Done.``, ``The task is complete.``, ``I have finished the task.``, ``Everything is done now!`` do, in any case and
    markdown; ``The mug is clean.``, ``Is it done?`` and ``The task is not done.`` do not. Linear in the length.
    """
    for sentence in re.findall(r"[^.!?\n]+[.!?\n]?", text.lower().replace("’", "'")):
        said = sentence.rstrip(".!\n").strip(_EDGES)
        if len(said) <= _LONGEST and not said.endswith("?") and _FINAL.fullmatch(said):
            return True
    return False
