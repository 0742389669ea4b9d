"""Decision tokens: the tokens that the agent generated, collected from episodes and laid out in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from acgym.episode import Episode

TokenSequence: TypeAlias = tuple[Sequence[int], Sequence[tuple[int, int]]]
"""(ids, spans): token ids, and the half-open ranges of them that the agent generated; see ``Episode.sequences``."""


def decision_sequences(episodes: Iterable[Episode]) -> list[TokenSequence]:
    """Collect the token sequences of finished episodes, every generated token in exactly one span.

    An episode gives one sequence, and one more for each prompt that does not extend what came before it; a span that
    such sequences share is kept in the first of them. Episodes without tokens give none.
    """
    found: list[TokenSequence] = []
    for episode in episodes:
        earlier: list[tuple[list[int], list[tuple[int, int]]]] = []
        for ids, spans in episode.sequences() if episode.outcome == "finished" else ():
            seen = {span for past, old in earlier for span in old if past[: span[1]] == ids[: span[1]]}
            fresh = [span for span in spans if span not in seen and span[0] < span[1]]
            if fresh:
                found.append((ids, fresh))
            earlier.append((ids, spans))
    return found


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
