"""Attribution by hand-off: which turn lost an episode, read off episodes in which one agent took over from another.

A pair's agents play one task apart. In a hand-off one of them plays the first k turns, exactly as recorded, and the
other one the rest. If the dense agent still solves the task after k turns of the compressed one, but no longer after
k + 1, then turn k (from 0) was the fatal one. The reverse, the dense agent's first k turns and the compressed agent's
rest, shows how much help the compressed agent needs.

Most of the curve is known without playing: up to the first reply that differs the hand-off changes nothing, so that the
second agent's own episode is the outcome; and after all turns the first agent's own is. This holds for agents that
answer the same conversation with the same words; a sampling agent's curve has that noise in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

from acgym.analysis.divergence import FirstDifference, first_difference
from acgym.record.episode import Episode
from acgym.record.lines import by_agent_and_task, read_episodes
from acgym.record.pairing import Key, pair
from acgym.statistics.paired import wilson
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.record.run import Run

First: TypeAlias = Literal["other", "dense"]
"""Who plays the first turns: ``"other"`` shows which turn was fatal, ``"dense"`` how much help was needed."""
DIRECTIONS: tuple[First, ...] = get_args(First)

EPISODES, LIMITS = "handoff.jsonl", "handoff.json"
"""Files in an agent's folder: the hand-offs that were played, and :class:`Limits`."""


class Limits(NamedTuple):
    """How many pairs of an environment are looked at, those with the lowest seeds."""

    lost: int = 20
    """Of those that only the dense agent solved."""
    kept: int = 5
    """Of those that both solved by different decisions."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair that went separate ways."""

    dense: Episode
    other: Episode
    difference: FirstDifference

    def plays_first(self, first: First) -> Episode:
        """Return the episode of the agent that plays the first turns."""
        return self.dense if first == "dense" else self.other

    def plays_then(self, first: First) -> Episode:
        """Return the episode of the agent that takes over."""
        return self.other if first == "dense" else self.dense

    def to_play(self, first: First) -> range:
        """Return the numbers of first turns after which the outcome is not known without playing."""
        return range(self.difference.turn + 1, len(self.plays_first(first).turns))

    @property
    def same_tokens(self) -> bool:
        """Whether both agents read the task as the same tokens, so that they have one vocabulary and template."""
        ours, theirs = (episode.turns[0].prompt_ids if episode.turns else None for episode in (self.dense, self.other))
        return ours is not None and ours == theirs


def choose(dense: Iterable[Episode], other: Iterable[Episode], limits: Limits) -> list[Pair]:
    """Choose the pairs to look at: within each environment the first ``limits`` by seed.

    They are the same whatever order the episodes come in: a run holds them as they ended, a comparison by seed.

    Raises:
        ValueError: if the runs cannot be paired, see :func:`acgym.record.pairing.pair`, or are of different versions
        of an
            environment, see :func:`acgym.analysis.divergence.first_difference`.
    """
    counts: Counter[tuple[str, str]] = Counter()
    chosen = []
    for a, b in sorted(pair(dense, other), key=lambda both: (both[0].env, both[0].seed)):
        if not a.outcome == b.outcome == "finished" or not a.success:
            continue
        difference = first_difference(a, b)
        if difference is None or difference.decision_turn is None:
            continue
        kind = "lost" if difference.lost else "kept"
        if counts[a.env, kind] < getattr(limits, kind):
            counts[a.env, kind] += 1
            chosen.append(Pair(a, b, difference))
    return chosen


def relay_name(first: str, turns: int, then: str) -> str:
    """Name the agent of a hand-off in records."""
    return f"{first} for {turns} turns, then {then}"


def outcomes(pair: Pair, first: First, played: Mapping[tuple[str, Key], Episode]) -> list[bool | None]:
    """Return success after 0, 1, ... all turns of the agent that plays first.

    Args:
        pair: a chosen pair.
        first: who plays the first turns.
        played: (agent's name, key) -> hand-off episode.

    Returns:
        One value for each number of first turns; None where a hand-off is not played yet, or failed.
    """
    own, then = pair.plays_first(first), pair.plays_then(first)
    row: list[bool | None] = [then.success] * (pair.difference.turn + 1)
    for turns in pair.to_play(first):
        episode = played.get((relay_name(own.agent, turns, then.agent), own.key))
        row.append(episode.success if episode is not None else None)
    return [*row[: len(own.turns)], own.success]


def fatal_turn(row: Sequence[bool | None]) -> int | None:
    """Return the turn, from 0, after which the dense agent first no longer solved the task.

    Args:
        row: :func:`outcomes` of a lost pair with ``first="other"``: True at 0, False at the end.

    Returns:
        None if an outcome before the first failure is missing.
    """
    end = next((i for i, success in enumerate(row) if success is False), None)
    return None if end is None or end == 0 or None in row[:end] else end - 1


def attribute(pairs: Sequence[Pair], played: Iterable[Episode]) -> dict[str, Json]:
    """Summarise the hand-offs of some pairs.

    Returns:
        JSON, for ``lost`` and for ``kept`` pairs:

        * ``pairs``: how many were chosen.
        * ``curves``: who plays first (``other``, ``dense``) -> rows ``{"k", "n", "success", "low", "high"}``: the share
          of pairs that were solved after k first turns, with its 95 % Wilson interval, over the ``n`` pairs whose
          outcome is known. A pair with fewer turns than k counts with its last outcome.
        * for lost pairs, ``fatal_turns``: rows ``{"turn", "lost"}``, turns from 0; ``fatal_at_difference``: how many
          had their fatal turn at the first decision that differed; ``unknown``: how many lack a hand-off.
    """
    table = {(episode.agent, episode.key): episode for episode in played}
    lost, kept = [p for p in pairs if p.difference.lost], [p for p in pairs if p.difference.kept]
    fatal = [(p, fatal_turn(outcomes(p, "other", table))) for p in lost]
    turns = Counter(turn for _, turn in fatal if turn is not None)
    return {
        "lost": {
            "pairs": len(lost),
            "curves": {first: _curve([outcomes(p, first, table) for p in lost]) for first in DIRECTIONS},
            "fatal_turns": [{"turn": turn, "lost": turns[turn]} for turn in sorted(turns)],
            "fatal_at_difference": sum(turn is not None and turn == p.difference.decision_turn for p, turn in fatal),
            "unknown": sum(turn is None for _, turn in fatal),
        },
        "kept": {
            "pairs": len(kept),
            "curves": {first: _curve([outcomes(p, first, table) for p in kept]) for first in DIRECTIONS},
        },
    }


def _curve(rows: Sequence[Sequence[bool | None]]) -> list[dict[str, Json]]:
    curve: list[dict[str, Json]] = []
    for k in range(max(map(len, rows), default=0)):
        known = [value for row in rows if (value := row[min(k, len(row) - 1)]) is not None]
        if known:
            interval, share = wilson(sum(known), len(known)), sum(known) / len(known)
            curve.append({"k": k, "n": len(known), "success": share, "low": interval.low, "high": interval.high})
    return curve


def handoff_section(run: Run, agent: str, dense: Sequence[Episode], other: Sequence[Episode]) -> dict[str, Json] | None:
    """Read and summarise an agent's hand-offs.

    Args:
        run: the run.
        agent: spec of the other agent.
        dense: all episodes of the dense agent.
        other: all episodes of the other agent.

    Returns:
        Environment -> :func:`attribute` of its pairs, and ``"all"`` together; None if hand-offs were never played.

    Raises:
        RecordDamaged: if the file of hand-offs is damaged.
        ValueError: as :func:`choose`.
    """
    limits = run.read_json(LIMITS, agent)
    file = run.folder(agent) / EPISODES
    if limits is None or not file.is_file():
        return None
    pairs, played = choose(dense, other, Limits(**limits)), read_episodes(file, by_agent_and_task)
    envs = dict.fromkeys(episode.env for episode in dense)
    rows = {env: attribute([pair for pair in pairs if pair.dense.env == env], played) for env in envs}
    return {**rows, "all": attribute(pairs, played)}
