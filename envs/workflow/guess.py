"""Plans that need no understanding: a random chain, and a guess by the words that lines share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from acgym.types import Json

_WORD = re.compile(r"[a-z]{3,}")
_LISTS = {
    "small": "the and for with from that are its into out this then over them has have been not but off",
    "early": "find look read measure take get fetch open unplug switch turn fill count weigh load search list",
    "late": "check compare test pay send mail serve put add write say name report notify carry set hang",
}
_SMALL, _EARLY, _LATE = (frozenset(words.split()) for words in _LISTS.values())
_LABEL = re.compile(r"^(?:Goal|Request|Question|Task): (.*)$", re.MULTILINE)
_LIST = re.compile(r"^(?:Steps|Functions|Actions):\n((?:- .*\n?)*)", re.MULTILINE)


def random_plan(data: Mapping[str, Json], rng: np.random.Generator) -> str:
    """Write as many of the listed lines as are needed, give or take one, in random order, as a chain."""
    lines = data["listed"]
    count = min(len(lines), max(1, len(data["steps"]) + int(rng.integers(-1, 2))))
    return write_chain([lines[i] for i in rng.permutation(len(lines))[:count].tolist()], data["scenario"])


def write_chain(lines: Sequence[str], scenario: str) -> str:
    """Write a plan in which each line needs the one before."""
    texts = [line.partition(":")[0] for line in lines] if scenario == "function_call" else lines
    nodes = "\n".join(f"{number}: {text}" for number, text in enumerate(texts, 1))
    edges = " ".join(f"({number},{number + 1})" for number in range(1, len(texts)))
    return f"Node:\n{nodes}\nEdge: (START,1) {edges} ({len(texts)},END)"


def guess_plan(observation: str) -> str:
    """Choose and order lines by their words alone; see :func:`choose` and :func:`order`."""
    chosen = _guessed(observation)
    return write_chain(chosen, "function_call" if "\nFunctions:\n" in observation else "")


def _guessed(observation: str) -> list[str]:
    task = observation.rpartition("\nUse this format:\n")[2]
    listed = _LIST.search(task)
    lines = [line[2:] for line in listed[1].splitlines()] if listed else []
    wanted = next(iter(_LABEL.findall(task)), "")
    done = [line[2:] for line in task[: listed.start() if listed else 0].splitlines() if line.startswith("- ")]
    return order(choose(lines, wanted, done))


def choose(lines: Sequence[str], wanted: str, done: Sequence[str]) -> list[str]:
    """Leave out the lines that share the fewest words with the rest: one of up to six, else two in five.

    A word shared with what is wanted counts twice; words shared with what has been done count against a line.
    """
    words = [set(_words(line)) for line in lines]
    goal, past = set(_words(wanted)), [set(_words(line)) for line in done]
    score = [
        2 * len(own & goal)
        + sum(bool(own & other) for j, other in enumerate(words) if j != i) / 2
        - sum(len(own & other) >= 2 for other in past)
        for i, own in enumerate(words)
    ]
    least = sorted(range(len(lines)), key=score.__getitem__)[: 1 if len(lines) <= 6 else len(lines) * 2 // 5]
    return [line for i, line in enumerate(lines) if i not in least]


def order(lines: Sequence[str]) -> list[str]:
    """Put lines that begin with a verb of fetching first, of finishing last, and between them those with participles.

    What ends in "ed" (the washed pan) was made by another line; what takes a thing that other lines end with comes
    later too. Ties keep the order of the list.
    """
    words = [_words(line) for line in lines]
    rank = []
    for i, own in enumerate(words):
        ends = sum(bool(set(own[:-2]) & set(other[-2:])) for j, other in enumerate(words) if j != i)
        made = sum(word.endswith("ed") for word in own)
        first = own[0] if own else ""
        rank.append(2 * (first in _LATE) - 2 * (first in _EARLY) + made + ends / len(words))
    return [lines[i] for i in sorted(range(len(lines)), key=rank.__getitem__)]


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower().replace("_", " ")) if word not in _SMALL]


def guess_step(observations: Sequence[str], replies: Sequence[str]) -> str:
    """Go through the lines of :func:`guess_plan` in their order, from the front again while any is left undone.

    What was done, or is no step, is not said again; what was too early is said after the next line that was done. When
    a step fails, the lines that share a word with the reason are said again, then the step.
    """
    listed = _LIST.search(observations[0])
    lines = [line[2:] for line in listed[1].splitlines()] if listed else []
    left = _guessed(observations[0])
    if "\nFunctions:\n" in observations[0]:
        left = [line.partition(":")[0] for line in left]
    early: list[str] = []
    for reply, heard in zip(replies, observations[1:], strict=False):
        said = reply.removeprefix("Do: ")
        left = [line for line in left if line != said]
        if heard.startswith("Done."):
            left, early = [*early, *left], []
        elif heard.startswith("That is too early"):
            early.append(said)
        elif heard.startswith("It did not work."):
            reason = set(_words(heard))
            again = [line for line in lines if reason & set(_words(line)) and line != said]
            left = [*again, said, *(line for line in left if line not in again)]
    return f"Do: {[*left, *early, *lines, 'nothing'][0]}"
