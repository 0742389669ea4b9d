"""Minutes of meetings: decisions among proposals that fell, to be told again in few words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from acgym.envs.context.longqa.archive import Archive, Order, fill
from acgym.envs.context.people import near_people
from acgym.scorers.naming import words_of
from acgym.types import Json

_MATTERS = (
    "roof", "boiler", "fence", "bridge", "library", "orchard", "bell", "well", "jetty", "stage", "mill", "archive",
    "hedge",
    "stove", "lantern", "bench", "ditch", "tower", "kitchen", "staircase",
)  # fmt: skip
_TALK = (
    "The chair reminded all of the rules of the house.", "There was a long silence.", "Somebody opened a window.",
    "The figures of last year were read out and found in order.", "Several members spoke at once.",
    "The treasurer asked for patience.", "A letter from a former member was read.", "Coffee was served.",
    "The minutes of the last meeting were approved.",
    "A member asked whether this belonged here, and was told that it did.",
    "The secretary could not find the plan and then found it.", "The weather was discussed.",
)  # fmt: skip
_OFFER = (
    "For the {m} {p} proposed to spend {v} crowns.", "{p} asked for {v} crowns for the {m}.",
    "As to the {m}, {p} thought that {v} crowns would do.",
)  # fmt: skip
_FELL = (
    "That was voted down.", "Nobody seconded it.", "It was put off and not taken up again.", "It failed by two votes.",
    "The proposal was withdrawn.",
)  # fmt: skip
_WON = (
    "It was decided to spend {v} crowns on the {m}; {p} is to see to it.",
    "The {m} gets {v} crowns, and {p} takes care of it: carried.",
    "With one vote against, {v} crowns were granted for the {m}, in the hands of {p}.",
    "So it shall be {v} crowns for the {m}. {p} will do it.",
)  # fmt: skip


def minutes(order: Order) -> Archive:
    """Draw minutes of several meetings and ask for all decisions in few words."""
    draw = order.draw
    count = min(3 + 2 * order.level, 10)
    matters = draw.sample(_MATTERS, count + count // 2)
    names = near_people(draw, order.split, 3 * len(matters))
    parts, facts, wrong = [], [], []
    for i, matter in enumerate(matters):
        value = str(draw.between(11, 98) * 10)
        lines = []
        for _ in range(draw.between(0, 2) if i < count else 2):  # those after ``count`` are never decided
            other = str(draw.between(11, 98) * 10)
            if other == value or len(names) < 2:
                continue
            lines += [draw.pick(_OFFER).format(m=matter, p=names.pop(), v=other), draw.pick(_FELL)]
            wrong.append({"matter": matter, "value": other})
        if i < count:
            who = names.pop()
            lines.append(draw.pick(_WON).format(m=matter, p=who, v=value))
            facts.append({"matter": matter, "value": value, "who": who})
        parts.append(" ".join(lines))
    left = order.words - sum(len(part.split()) for part in parts)
    talk = fill(lambda: " ".join(draw.pick(_TALK) for _ in range(draw.between(2, 6))), left)
    documents = draw.shuffled([part for part in parts if part] + talk)
    told = "\n".join(f"{i}. {document}" for i, document in enumerate(documents, 1))
    limit = 14 * count + 20
    question = (
        "What was decided? Tell every decision in a sentence of its own, with the matter, the crowns and the full "
        "name of who is "
        "to see to it, and nothing that was not decided."
    )
    form = f"At most {limit} words are read. There is no line 'Answer:'; the reply is the summary."
    return Archive("summary", told, question, form, "facts", facts, extra={"wrong": wrong, "limit": limit})


_PART = re.compile(r"[\n;]|(?<=[a-z0-9)])\.(?:\s|$)")


def told_facts(
    reply: str, facts: Sequence[Mapping[str, Json]], wrong: Sequence[Mapping[str, Json]], limit: int
) -> tuple[int, int]:
    """Count the decisions that a summary tells, and what it tells that was not decided.

    A sentence, line or part between semicolons tells a decision if its matter, its crowns and its name stand in it, and
    what fell if the matter and the crowns of a lost proposal do.
    """
    read = " ".join(reply.split(" ")[: limit * 4])
    parts, left = [], limit
    for part in _PART.split(read):
        words = words_of(part)[: max(0, left)]
        left -= len(part.split())
        parts.append(set(words))
    told = sum(any(_in(part, fact["matter"], fact["value"], fact["who"]) for part in parts) for fact in facts)
    return told, sum(any(_in(part, fact["matter"], fact["value"]) for part in parts) for fact in wrong)


def _in(part: set[str], *values: str) -> bool:
    return all(word in part for value in values for word in words_of(value))


def told_again(facts: Sequence[Mapping[str, Json]]) -> str:
    """Tell all decisions."""
    return "\n".join(f"The {fact['matter']}: {fact['value']} crowns, {fact['who']}." for fact in facts)
