"""How an episode was lost: exactly one class, of eight, for every episode that was not solved, by countable rules.

The rules read the recorded episode alone, and, where there is one, the recorded episode of an agent that solved the
same task (the reference). They look at the *tail*: the turns after the last gain in progress, or the last turn if that
one brought the gain. The first rule that holds gives the class:

1. ``truncation``: at least half of the tail's replies are format errors that the token limit cut off.
2. ``format``: at least half of the tail's replies are format errors.
3. ``loop``: one decision (:func:`acgym.analysis.divergence.decision`) was made three times or more in the tail, and at
   least half of the tail's turns repeat a decision made before in it.
4. ``wrong_tool``, ``wrong_argument``, ``wrong_order``, ``lost_track``: the tail's first decision error, by the class
   that the environment states for its kind, which rides in the record. A kind that it states no class for is shown as
   it is: it is a class of its own. The environment also says which kinds leave open what was wrong: there the action
   is compared with those of the reference. It made the same one at another time: ``wrong_order``. It used the same tool
   (of a text action: the first word) with other arguments: ``wrong_argument``. Else: ``wrong_tool``. An unclear error
   that the last turn names again is that of the turn that made it.
5. ``premature_stop``: no decision error but one that says that something required is missing, in the last turn.
6. ``truncation``: the step limit ended an episode that gained something in its second half.
7. ``premature_stop``, ``wrong_argument``, ``wrong_tool``: the environment ended the episode and named no error; the
   last action is compared with the reference as in 4, but one that the reference made too came too early.
8. ``lost_track``: nothing of the above; the agent went on without an error that could be named, and without a gain.

A class says what happened, not why: attribution to a turn is :mod:`acgym.analysis.handoff`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, get_args

from acgym.analysis.divergence import decision
from acgym.record.episode import Episode, Turn
from acgym.tool_calls import read_calls
from acgym.types import FailureClass, canonical_json

CLASSES: tuple[FailureClass, ...] = get_args(FailureClass)

REPEATS = 3
"""A decision made so often may be a loop."""


class Failure(NamedTuple):
    """How and where an episode was lost."""

    kind: str
    """One of :data:`CLASSES`, or an error's own word where its environment does not state a class for it."""
    turn: int
    """Turn, from 0, that the rule points at: the first of its errors, the first repetition of a loop, the last turn of
    a stop or a truncation, the first turn without a gain of a lost track. 0 for an episode without turns."""


@dataclass(frozen=True, slots=True)
class Case:
    """An unsolved episode as the rules see it."""

    episode: Episode
    reference: Episode | None
    """An episode of the same task that was solved; None if there is none."""
    start: int
    """Index of the tail's first turn."""

    @property
    def tail(self) -> tuple[Turn, ...]:
        """The turns after the last gain, at least the last one."""
        return self.episode.turns[self.start :]


def classify(episode: Episode, reference: Episode | None = None) -> Failure | None:
    """Say how an episode was lost.

    Args:
        episode: any episode.
        reference: an episode of the same task by another agent; used if it was solved.

    Returns:
        None for an episode that was solved, or that an infrastructure failure ended: that is counted, never judged.

    Raises:
        ValueError: if the reference is of another task.
    """
    if reference is not None and reference.key != episode.key:
        raise ValueError(f"the reference must be of the same task as the episode, got {reference.key}")
    if episode.outcome == "failed" or episode.success:
        return None
    if not episode.turns:
        return Failure("lost_track", 0)
    gains = [i for i, turn in enumerate(episode.turns) if turn.reward > 0]
    start = min(gains[-1] + 1, len(episode.turns) - 1) if gains else 0
    case = Case(episode, reference if reference is not None and reference.success else None, start)
    for rule in RULES:
        found = rule(case)
        if found is not None:
            return found
    return Failure("lost_track", start)


def _cut_replies(case: Case) -> Failure | None:
    at = [i for i, turn in enumerate(case.tail) if turn.malformed and turn.finish_reason == "length"]
    return Failure("truncation", case.start + at[0]) if 2 * len(at) >= len(case.tail) else None


def _format(case: Case) -> Failure | None:
    at = [i for i, turn in enumerate(case.tail) if turn.malformed]
    return Failure("format", case.start + at[0]) if 2 * len(at) >= len(case.tail) else None


def _loop(case: Case) -> Failure | None:
    if len(case.tail) < REPEATS:
        return None
    made = [decision(turn.action) for turn in case.tail]
    counts = Counter(made)
    if max(counts.values()) < REPEATS or 2 * (len(made) - len(counts)) < len(made):
        return None
    first = next(i for i, one in enumerate(made) if one in made[:i])
    return Failure("loop", case.start + first)


def _decision_error(case: Case) -> Failure | None:
    """Class the first error of the tail; that something is missing counts only as the last word, see the next rule."""
    kinds, unclear = case.episode.error_kinds, case.episode.unclear_errors
    for i, turn in enumerate(case.tail, case.start):
        if turn.error is not None and _class_of(turn.error, kinds) != "premature_stop":
            if turn.error not in unclear:
                return Failure(_class_of(turn.error, kinds), i)
            at = _made(case, i)
            action = case.episode.turns[at].action
            by_reference = None if case.reference is None else _against(action, case.reference)
            return Failure(by_reference or _class_of(turn.error, kinds), at)
    return None


def _made(case: Case, i: int) -> int:
    """Return the turn that made the error of turn ``i``: the last word of an episode may name one made long before."""
    turns = case.episode.turns
    if i + 1 < len(turns) or case.episode.truncated:
        return i
    return next(j for j, turn in enumerate(turns) if turn.error == turns[i].error)


def _missing(case: Case) -> Failure | None:
    last = case.tail[-1].error
    found = last is not None and _class_of(last, case.episode.error_kinds) == "premature_stop"
    return Failure("premature_stop", len(case.episode.turns) - 1) if found else None


def _step_limit(case: Case) -> Failure | None:
    turns = len(case.episode.turns)
    late = case.start > 0 and 2 * case.start > turns
    return Failure("truncation", turns - 1) if case.episode.truncated and late else None


def _unnamed(case: Case) -> Failure | None:
    if case.episode.truncated or case.reference is None:
        return None
    kind = _against(case.tail[-1].action, case.reference)
    return Failure("premature_stop" if kind == "wrong_order" else kind, len(case.episode.turns) - 1)


RULES: tuple[Callable[[Case], Failure | None], ...] = (
    _cut_replies,
    _format,
    _loop,
    _decision_error,
    _missing,
    _step_limit,
    _unnamed,
)
"""In the order of precedence; each returns None where it does not hold."""


def _class_of(kind: str, kinds: Mapping[str, str]) -> str:
    return kinds.get(kind, kind)


def _against(action: str, reference: Episode) -> FailureClass:
    """Compare an action with all those of a solved episode: the same at another time, other arguments, another tool."""
    theirs = {act for turn in reference.turns for act in _acts(turn.action)}
    ours = _acts(action)
    if all(act in theirs for act in ours):
        return "wrong_order"
    tools = {tool for tool, _ in theirs}
    return "wrong_argument" if all(tool in tools for tool, _ in ours) else "wrong_tool"


def _acts(action: str) -> list[tuple[str, str]]:
    """Take an action apart into (tool, arguments); of a text: after its mark, the first word and the rest."""
    calls = read_calls(action)
    if calls:
        return [(call.name, canonical_json(dict(call.arguments))) for call in calls]
    tool, _, rest = decision(action).removeprefix("Action: ").partition(" ")
    return [(tool, rest)]
