"""Plays hand-offs: recorded first turns are replayed exactly, then another agent goes on; resumable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from acgym.agents.base import Agent
from acgym.agents.scripted import Relay, Replay
from acgym.agents.shots import ShownAgent
from acgym.analysis.handoff import DIRECTIONS, EPISODES, LIMITS, First, Limits, Pair, choose, relay_name
from acgym.asynchronous import wait_for
from acgym.loop import EnvBug, play_async
from acgym.record.episode import Episode
from acgym.record.lines import EpisodeLog, by_agent_and_task
from acgym.record.pairing import shared
from acgym.record.replay import replay_episode
from acgym.record.run import Run
from acgym.types import canonical_json


def play_handoffs(
    run: Run,
    agent: str,
    make: Callable[[str], Agent],
    limits: Limits = Limits(),  # noqa: B008  (a NamedTuple: cannot be changed)
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Play the hand-offs between a run's first agent and another of its agents, those that are not on the disk yet.

    They are appended to ``handoff.jsonl`` in the agent's folder, as episodes whose ``agent`` says who played how long,
    and ``limits`` go into ``handoff.json`` beside it; :func:`acgym.analysis.handoff.attribute` reads both.

    Args:
        run: in which both have played.
        agent: spec of the other agent, as the run names it.
        make: makes the agent of a spec; called at most once for each of the two, and only if it has something to play.
        limits: how many pairs to look at.
        tell: hears how many hand-offs are done, of how many.

    Returns:
        How many hand-offs there are, those of earlier sessions included.

    Raises:
        ValueError: if the run has no such agent, or a recorded episode can no longer be replayed bit-equal.
        RecordNotWritten, OSError: if the disk is full; all hand-offs that were played stay readable.
    """
    pairs = _pairs(run, agent, limits)
    _refuse_changed(pairs)
    total = _count(pairs)
    log = EpisodeLog(run.folder(agent) / EPISODES, by_agent_and_task)
    try:
        run.write_json(LIMITS, limits._asdict(), agent)
        cells = {first: _cells(pairs, first, log) for first in DIRECTIONS}
        done = total - sum(map(len, cells.values()))
        tell(done, total)

        def write(episode: Episode) -> None:
            nonlocal done
            done += 1
            log.append(episode)
            tell(done, total)

        for first in DIRECTIONS:
            if cells[first]:
                then = _Then(
                    make(agent if first == "dense" else run.settings["agents"][0]),
                    run.settings.get("shots", 0),
                    run.settings.get("malformed_limit"),
                )
                _play(cells[first], first, then, write)
    finally:
        log.close()
    return total


def count_handoffs(run: Run, agent: str, limits: Limits) -> int:
    """Count the hand-offs that :func:`play_handoffs` would play in a first session; raises as that does."""
    return _count(_pairs(run, agent, limits))


def _pairs(run: Run, agent: str, limits: Limits) -> list[Pair]:
    names = list(run.settings["agents"])
    if agent not in names[1:]:
        raise ValueError(f"the run compares {names[0]} with {', '.join(names[1:]) or 'nothing'}; there is no {agent!r}")
    other = run.episodes(agent)
    return choose(shared(run.episodes(names[0]), other), other, limits)


def _count(pairs: Sequence[Pair]) -> int:
    return sum(len(pair.to_play(first)) for pair in pairs for first in DIRECTIONS)


Cell: TypeAlias = tuple[int, Pair]
"""A number of first turns, and the pair."""


class _Then(NamedTuple):
    """Who plays the rest, and how the run has it play."""

    agent: Agent
    shots: int
    malformed_limit: int | None


AT_ONCE = 128
"""Hand-offs under way at once."""


def _cells(pairs: Sequence[Pair], first: First, log: EpisodeLog) -> list[Cell]:
    """List what is left to play, by rising number of first turns."""
    left = []
    for pair in pairs:
        own, then = pair.plays_first(first), pair.plays_then(first)
        for turns in pair.to_play(first):
            if (relay_name(own.agent, turns, then.agent), own.key) not in log.finished:
                left.append((turns, pair))
    return sorted(left, key=lambda cell: cell[0])


def _play(cells: Sequence[Cell], first: First, then: _Then, write: Callable[[Episode], None]) -> None:
    """Play cells, many at once, so that the agent can answer them in batches."""
    for start in range(0, len(cells), AT_ONCE):
        wait_for(_play_together(cells[start : start + AT_ONCE], first, then, write))


async def _play_together(cells: Sequence[Cell], first: First, then: _Then, write: Callable[[Episode], None]) -> None:
    groups: dict[str, list[Cell]] = {}
    for turns, pair in cells:
        own = pair.plays_first(first)
        groups.setdefault(canonical_json([turns, own.env, own.kwargs, own.split]), []).append((turns, pair))
    await asyncio.gather(*(_play_group(group, first, then, write) for group in groups.values()))


async def _play_group(cells: Sequence[Cell], first: First, then: _Then, write: Callable[[Episode], None]) -> None:
    """Play cells with the same number of first turns in the same environment."""
    turns, (sample, *_) = cells[0][0], [pair.plays_first(first) for _, pair in cells]
    recorded = {pair.plays_first(first).key: pair.plays_first(first) for _, pair in cells}
    relay = Relay(
        Replay.of(recorded.values(), sample.agent),
        turns,
        ShownAgent(then.agent, then.shots, sample.kwargs) if then.shots else then.agent,
        same_tokens=all(pair.same_tokens for _, pair in cells),
        name=relay_name(sample.agent, turns, cells[0][1].plays_then(first).agent),
    )

    def checked(episode: Episode) -> None:
        _refuse_other_prefix(recorded[episode.key], episode, turns)
        write(episode)

    seeds = [episode.seed for episode in recorded.values()]
    await play_async(
        relay,
        sample.env,
        seeds,
        kwargs=sample.kwargs,
        split=sample.split,
        on_episode=checked,
        malformed_limit=then.malformed_limit,
    )


def _refuse_changed(pairs: Sequence[Pair]) -> None:
    """Refuse episodes whose environment no longer does what was recorded: a hand-off would start from another state."""
    for pair in pairs:
        for episode in (pair.dense, pair.other):
            mismatch = replay_episode(episode)
            if mismatch is not None:
                raise ValueError(
                    f"a recorded episode cannot be replayed, so nothing can be handed over in it: {mismatch}. "
                    "Play the run again with this version, or use the version that it was played with"
                )


def _refuse_other_prefix(recorded: Episode, played: Episode, turns: int) -> None:
    """Check that the first turns were those recorded, to the last bit."""
    if played.outcome == "failed" and len(played.turns) < turns:
        return
    for i, (a, b) in enumerate(zip(recorded.turns[:turns], played.turns[:turns], strict=True)):
        same = [
            getattr(a, name) == getattr(b, name) for name in ("observation", "action", "reward", "progress", "error")
        ]
        if not all(same):
            raise EnvBug(f"{recorded.env} seed {recorded.seed}, turn {i}: the replayed turn is not the recorded one")
