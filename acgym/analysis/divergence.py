"""Where two agents on the same task first went separate ways: the turn, the token, the state there, the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from acgym.record.episode import Episode, Turn
from acgym.record.pairing import Key
from acgym.tool_calls import read_calls
from acgym.types import canonical_json

MARKS = ("Action:", "Answer:", "Node:")
"""What stands before it in a reply is thought; the environments read from the last of these marks on."""
SHORT = 1000
"""Letters of an action up to which what it decides is remembered: agents say the same short things again and again."""


def decision(action: str) -> str:
    """Reduce an action to what it decides, so that two wordings of one decision are equal.

    Tool calls: their canonical JSON, so that the order of keys and a list of one call make no difference. Other text:
    from the last of :data:`MARKS` on, or all of it, with every run of white space as one space. Nothing else is
    forgiven: two decisions that are equal are the same action, two that differ may still mean the same.
    """
    return _remembered(action) if len(action) <= SHORT else _reduced(action)


def _reduced(action: str) -> str:
    calls = read_calls(action)
    if calls:
        return canonical_json([call.as_json() for call in calls])
    start = max(0, *(action.rfind(mark) for mark in MARKS))
    return " ".join(action[start:].split())


_remembered = lru_cache(maxsize=1 << 14)(_reduced)


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """Where the replies of one pair first differ. Turns and tokens count from 0."""

    key: Key
    turn: int
    """First turn whose words differ, or that only one of the two episodes has."""
    token: int | None
    """First differing token of the two replies in ``turn``; None if one has none, or if the prompts there are not the
    same tokens (two vocabularies cannot be compared by their numbers)."""
    decision_turn: int | None
    """First turn whose decisions differ, at or after ``turn``; None if the agents differed in words alone."""
    dense: Turn | None
    """The dense agent's turn at ``turn``: observation, words, and what the environment made of them; None if its
    episode had ended."""
    other: Turn | None
    """The other agent's; the observation is the same."""
    progress: float
    """Progress before ``turn``, in [0, 1]."""
    lost: bool
    """The dense agent solved the task, the other did not."""
    won: bool
    """The other way round."""
    kept: bool
    """Both solved it."""
    progress_lost: float
    """Final progress of the dense agent minus the other's, in [-1, 1]."""

    @property
    def equivalent(self) -> bool:
        """Whether the differing replies in ``turn`` were the same decision."""
        return self.decision_turn != self.turn

    @property
    def observation(self) -> str:
        """What both agents were told before they differed."""
        turn = self.dense or self.other
        assert turn is not None  # at most one of two different episodes has ended
        return turn.observation


def first_difference(dense: Episode, other: Episode) -> FirstDifference | None:
    """Find where two finished episodes of one task first differ; None if they never do.

    Two replies are the same decision if :func:`decision` makes them equal and the environment made the same of them
    (reward, format error, decision error).

    Raises:
        ValueError: if the episodes are not of the same task, one of them is not finished, or the environment told them
            different things after the same actions: then they were recorded with different versions of it.
    """
    key = dense.key
    if key != other.key:
        raise ValueError(f"two episodes of different tasks cannot be compared: {key} and {other.key}")
    if not dense.outcome == other.outcome == "finished":
        raise ValueError(f"an episode that failed has no outcome to compare: {key}")
    turns = list(zip_longest(dense.turns, other.turns))
    at = next((i for i, (a, b) in enumerate(turns) if a is None or b is None or a.text != b.text), None)
    _refuse_two_worlds(dense, other, at)
    if at is None:
        return None
    a, b = turns[at]
    ours, theirs = bool(dense.success), bool(other.success)
    return FirstDifference(
        key=key,
        turn=at,
        token=_first_token(a, b),
        decision_turn=next((i for i in range(at, len(turns)) if not same_decision(*turns[i])), None),
        dense=a,
        other=b,
        progress=dense.turns[at - 1].progress if at else 0.0,
        lost=ours and not theirs,
        won=theirs and not ours,
        kept=ours and theirs,
        progress_lost=float(dense.progress or 0.0) - float(other.progress or 0.0),
    )


def same_decision(a: Turn | None, b: Turn | None) -> bool:
    """Say whether two turns made the same decision, whatever their words; False where one of them is missing."""
    if a is None or b is None:
        return False
    if (a.reward, a.malformed, a.error) != (b.reward, b.malformed, b.error):
        return False
    return a.action == b.action or decision(a.action) == decision(b.action)


def _first_token(a: Turn | None, b: Turn | None) -> int | None:
    """Return the index of the first differing token of two replies to the same prompt."""
    if a is None or b is None or a.token_ids is None or b.token_ids is None:
        return None
    if (a.kept, a.prompt_ids) != (b.kept, b.prompt_ids):
        return None
    return next((i for i, (x, y) in enumerate(zip_longest(a.token_ids, b.token_ids)) if x != y), None)


def _refuse_two_worlds(dense: Episode, other: Episode, at: int | None) -> None:
    """Refuse episodes whose environments answered the same actions differently, up to turn ``at``."""
    end = len(dense.turns) if at is None else at
    rows = [(i, a.observation, b.observation) for i, (a, b) in enumerate(zip(dense.turns, other.turns, strict=False))]
    told = [*rows[: end + 1], *([(end, dense.final_observation, other.final_observation)] if at is None else [])]
    for i, a, b in told:
        same_actions = all(x.action == y.action for x, y in zip(dense.turns[:i], other.turns[:i], strict=True))
        if a != b and same_actions:
            raise ValueError(
                f"{dense.env} seed {dense.seed} told {dense.agent} and {other.agent} different things in turn {i + 1} "
                "after the same actions, so they were played with different versions of it. Play both again with one "
                "version"
            )
