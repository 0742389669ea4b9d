"""Replies that have come apart: loops, runaways, silence, calls that are told and not made. One class a reply at most.

Compression that goes too far shows here before it shows in words. The rules read the recorded reply alone, in time
linear in its length; the first that holds gives the class:

1. ``repetition``: the reply ends in a loop (the same 1 to n units three times or more in a row, 24 units or more in
   all), or more than half of its runs of eight units were in it before (48 units or more). Units are tokens where they
   are recorded, else words.
2. ``runaway``: it went on until the token limit cut it off, without such a loop.
3. ``silent``: it is empty, and so is its action.
4. ``narrated``: it names one of the task's tools, makes no call that could be read, and the environment found it
   malformed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from acgym.record.episode import Episode, Turn
from acgym.tool_calls import read_calls
from acgym.typed import Written
from acgym.types import Json

Kind: TypeAlias = Literal["repetition", "runaway", "silent", "narrated"]
KINDS: tuple[Kind, ...] = get_args(Kind)

TIMES = 3
"""What is said so often in a row may be a loop."""
LOOP = 24
"""Units that a loop at the end of a reply has at least."""
GRAM = 8
LONG = 6 * GRAM
"""Units of a reply whose runs are counted."""
MOST_PLACES = 5
"""Places that are named of each class."""


@dataclass(frozen=True, slots=True)
class Place(Written):
    """Where a reply of a class is."""

    env: str
    seed: int
    turn: int
    """From 0."""


@dataclass(frozen=True, slots=True)
class Degenerate(Written):
    """The degenerate replies of one agent in its finished episodes."""

    replies: int
    """All of its replies."""
    counts: Mapping[str, int]
    """Class -> replies, every class of :data:`KINDS`."""
    episodes: int
    """Episodes with at least one such reply."""
    unsolved: int
    """Of these, not solved."""
    places: Mapping[str, tuple[Place, ...]]
    """Class -> the first few, by environment and seed."""


def degenerate(episodes: Sequence[Episode]) -> Degenerate:
    """Count the degenerate replies of one agent, and say where the first of them are."""
    counts: Counter[str] = Counter()
    places: dict[str, list[Place]] = {kind: [] for kind in KINDS}
    done = [episode for episode in episodes if episode.outcome == "finished"]
    replies = touched = unsolved = 0
    for episode in done:
        names = tool_names(episode.tools)
        found = [(i, kind) for i, turn in enumerate(episode.turns) if (kind := reply_kind(turn, names)) is not None]
        replies += len(episode.turns)
        touched += bool(found)
        unsolved += bool(found) and not episode.success
        for i, kind in found:
            counts[kind] += 1
            if len(places[kind]) < MOST_PLACES:
                places[kind].append(Place(episode.env, episode.seed, i))
    kept = {kind: tuple(rows) for kind, rows in places.items() if rows}
    return Degenerate(replies, {kind: counts[kind] for kind in KINDS}, touched, unsolved, kept)


def reply_kind(turn: Turn, tools: Collection[str] = ()) -> Kind | None:
    """Say how a reply has come apart; None if it has not.

    Args:
        turn: with the reply.
        tools: names of the task's tools.
    """
    units: Sequence[Hashable] = turn.token_ids if turn.token_ids is not None else turn.text.split()
    if repeats(units):
        return "repetition"
    if turn.finish_reason == "length":
        return "runaway"
    if not turn.text.strip() and not turn.action.strip():
        return "silent"
    if turn.malformed and any(name in turn.text for name in tools) and not read_calls(turn.action):
        return "narrated"
    return None


def tool_names(tools: Sequence[Json]) -> tuple[str, ...]:
    """Return the names of tools as a record holds them."""
    rows = [tool.get("function", tool) for tool in tools if isinstance(tool, Mapping)]
    return tuple(str(row["name"]) for row in rows if isinstance(row, Mapping) and row.get("name"))


def repeats(units: Sequence[Hashable]) -> bool:
    """Say whether a reply ends in a loop or is mostly made of what it said before."""
    spare = len(units) - len(set(units))
    if spare < LOOP - LOOP // TIMES:  # what is said three times in a row has at most a third of its units anew
        return False
    return _ends_in_loop(units) or _mostly_said_before(units)


def _ends_in_loop(units: Sequence[Hashable]) -> bool:
    """Find a suffix with a short period by the failure function of the reversed reply (Knuth, Morris & Pratt 1977)."""
    back = units[::-1]
    borders = [0] * len(back)
    border = 0
    for i in range(1, len(back)):
        while border and back[i] != back[border]:
            border = borders[border - 1]
        border += back[i] == back[border]
        borders[i] = border
        if i + 1 >= LOOP and i + 1 >= TIMES * (i + 1 - border):
            return True
    return False


def _mostly_said_before(units: Sequence[Hashable]) -> bool:
    if len(units) < LONG:
        return False
    grams = [tuple(units[i : i + GRAM]) for i in range(len(units) - GRAM + 1)]
    return 2 * (len(grams) - len(set(grams))) > len(grams)
