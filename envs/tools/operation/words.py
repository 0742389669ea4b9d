"""What an agent's words mean: that it is done, that a policy forbids something, or that it asks the user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from acgym.scorers.final_word import says_done
from acgym.types import Json

Meaning: TypeAlias = Literal["done", "refused", "question", "other"]

_REFUSED = re.compile(
    r"(?<![a-z])(?:refused?|not allowed|not permitted|polic(?:y|ies) (?:forbids?|prohibits?|(?:does|do) not allow)"
    r"|forbidden|prohibited|against (?:the |our |house )*polic(?:y|ies)|violates? (?:the |our |house )*polic(?:y|ies))"
    r"(?![a-z])"
)


def meaning(text: str) -> Meaning:
    """Tell what a reply without a tool call means.

    A reply that says that something is refused, forbidden or against the policy is a refusal, unless all that it does
    beside is ask; one with a sentence that says that all is done is ``done``; another one with a question mark is a
    question.
    """
    said = " ".join(text.lower().split())
    done, asks = says_done(text), "?" in said
    if said.startswith("refused") or (_REFUSED.search(said) and (done or not asks)):
        return "refused"
    return "done" if done else "question" if asks else "other"


def answered(text: str, asks: Sequence[dict[str, Json]]) -> list[str]:
    """Return the user's answers to a question: to each thing left unsaid that a word of the question is about."""
    said = text.lower()
    return [str(ask["answer"]) for ask in asks if any(word in said for word in ask["words"])]
