"""Tokens of episodes: those that the agent generated and those that it was told, and their layout in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from acgym.record.episode import Episode

TokenSequence: TypeAlias = tuple[Sequence[int], Sequence[tuple[int, int]]]
"""(ids, spans): token ids, and the half-open ranges of them that the agent generated; see ``Episode.sequences``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the spans of one token sequence come from."""

    episode: int
    """Index of the episode among those that were given."""
    seed: int
    turns: tuple[int, ...]
    """Of each span, the index of its turn in the episode; an observation is of the turn that answers it."""


def decision_sequences(episodes: Iterable[Episode]) -> list[TokenSequence]:
    """Collect the token sequences of finished episodes, every generated token in exactly one span.

    An episode gives one sequence, and one more for each prompt that does not extend what came before it; a span that
    such sequences share is kept in the first of them. Episodes without tokens give none.
    """
    return placed_sequences(episodes)[0]


def observation_sequences(episodes: Iterable[Episode]) -> list[TokenSequence]:
    """Collect the same sequences with the other tokens in spans: those that the agent was told.

    Prompts, observations and what the chat template puts around them, each token in exactly one span, without the first
    token of a sequence, which nothing predicts.
    """
    return placed_sequences(episodes, observations=True)[0]


def placed_sequences(
    episodes: Iterable[Episode], observations: bool = False
) -> tuple[list[TokenSequence], list[Place]]:
    """Collect :func:`decision_sequences` or :func:`observation_sequences`, and of each sequence its place."""
    sequences: list[TokenSequence] = []
    places: list[Place] = []
    for number, episode in enumerate(episodes):
        earlier: list[tuple[list[int], set[tuple[int, int]]]] = []
        for ids, spans, kept in _told_and_said(episode) if episode.outcome == "finished" else ():
            chosen = _told(spans, kept) if observations else spans
            known = {s for past, old in earlier for s in old if past[: s[1]] == ids[: s[1]]}
            fresh = [(start, end, turn) for start, end, turn in chosen if (start, end) not in known and start < end]
            if fresh:
                sequences.append((ids, [(start, end) for start, end, _ in fresh]))
                places.append(Place(number, episode.seed, tuple(turn for _, _, turn in fresh)))
            earlier.append((ids, {(start, end) for start, end, _ in chosen}))
    return sequences, places


def _told_and_said(episode: Episode) -> list[tuple[list[int], list[tuple[int, int, int]], int]]:
    """Rebuild ``episode.sequences()`` with the turn of each span, and how many ids are those of the one before."""
    done: list[tuple[list[int], list[tuple[int, int, int]], int]] = []
    ids: list[int] = []
    spans: list[tuple[int, int, int]] = []
    shared = 0
    for number, turn in enumerate(episode.turns):
        if turn.prompt_ids is None or turn.token_ids is None:
            continue
        if turn.kept < len(ids):
            done.append((ids, spans, shared))
            shared = turn.kept
            spans = [span for span in spans if span[1] <= turn.kept]
        ids = ids[: turn.kept] + list(turn.prompt_ids)
        spans = [*spans, (len(ids), len(ids) + len(turn.token_ids), number)]
        ids = ids + list(turn.token_ids)
    return [*done, (ids, spans, shared)] if ids else done


def _told(spans: Sequence[tuple[int, int, int]], kept: int) -> list[tuple[int, int, int]]:
    """Return the gaps before the spans, from the ``kept``-th id on."""
    starts = [1, *(end for _, end, _ in spans)]
    return [(max(begin, kept), start, turn) for begin, (start, _, turn) in zip(starts, spans, strict=False)]


@dataclass(frozen=True)
class Batch:
    """Sequences of similar length that go through a model together."""

    ids: tuple[tuple[int, ...], ...]
    """Each sequence up to its last decision token, that token included: it is predicted, not read."""
    kept: tuple[tuple[int, int, int], ...]
    """For each decision token: row in the batch, index of its sequence in the input, its index in the sequence."""

    @property
    def targets(self) -> list[int]:
        """The decision tokens themselves."""
        return [self.ids[row][at] for row, _, at in self.kept]


def plan_batches(sequences: Sequence[TokenSequence], batch_tokens: int) -> tuple[Batch, ...]:
    """Sort sequences by length and fill batches of up to ``batch_tokens`` tokens, padding included.

    Sequences without a decision token are left out; a sequence longer than ``batch_tokens`` is a batch of its own.

    Raises:
        ValueError: for a span outside its sequence or at its first token, no decision token at all, or a
            ``batch_tokens`` below 1.
    """
    if batch_tokens < 1:
        raise ValueError(f"batch_tokens must be at least 1, got {batch_tokens}")
    wanted = [(i, ids, _positions(i, len(ids), spans)) for i, (ids, spans) in enumerate(sequences)]
    wanted = sorted((item for item in wanted if item[2]), key=lambda item: item[2][-1])
    if not wanted:
        raise ValueError("there is no decision token to probe; an agent without tokens is not measured")
    groups: list[list[tuple[int, Sequence[int], list[int]]]] = [[]]
    for item in wanted:
        if groups[-1] and (len(groups[-1]) + 1) * item[2][-1] > batch_tokens:
            groups.append([])
        groups[-1].append(item)
    return tuple(
        Batch(
            ids=tuple(tuple(ids[: at[-1] + 1]) for _, ids, at in group),
            kept=tuple((row, i, t) for row, (i, _, at) in enumerate(group) for t in at),
        )
        for group in groups
    )


def _positions(index: int, length: int, spans: Sequence[tuple[int, int]]) -> list[int]:
    for start, end in spans:
        if not 1 <= start <= end <= length:
            raise ValueError(
                f"a span of sequence {index} must lie in its {length} tokens after the first one, which nothing "
                f"predicts; got ({start}, {end})"
            )
    return sorted({t for start, end in spans for t in range(start, end)})
