"""From a calibration spec to token ids: reads texts and conversations, and lets the model play."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from acgym.calibrate.chats import DrawnChats, chat_tokens
from acgym.calibrate.files import CHARACTERS_PER_TOKEN, check_files, read_text, too_short
from acgym.calibrate.spec import Calibration, Source
from acgym.seeds import CALIBRATION_SEEDS
from acgym.types import Json, canonical_json

if TYPE_CHECKING:
    from acgym.agents.local import LocalAgent

TRAJECTORIES = 16
"""Episodes of the training split that a model plays in each environment, at once."""
ROUNDS = 64
"""How often it plays so many more when more tokens are asked for."""
SEEDS_APART = 1_000_000
"""Calibration seed s plays the training-split episodes from CALIBRATION_SEEDS + s * SEEDS_APART on."""


class Drawn(NamedTuple):
    """Calibration tokens, and where they are from."""

    sequences: list[list[int]]
    """Token ids, one list for each sequence."""
    facts: dict[str, Json]
    """For the record: ``calibration`` (the spec), ``seed``, ``sequences``, ``tokens``, ``tokens_sha256`` (of the ids)
    and ``sources``: for each ``source``, its ``weight``, ``sha256`` of the file, ``sequences``, ``tokens``,
    ``asked_tokens`` (None: all there are) and ``notes`` (what was short, cut or adapted)."""


def draw(calibration: Calibration, dense: LocalAgent, envs: Mapping[str, Mapping[str, Json]]) -> Drawn:
    """Make the token ids of a calibration; the same spec, files, model and environments give the same ids.

    A text is cut into windows of ``length`` tokens that follow one another, and the seed chooses among them. Each
    begins with the tokens that the tokenizer puts before a text (BOS), if it does; they are part of ``length``. Whole
    conversations and trajectories come in an order chosen by the seed until there are enough tokens; of one that is
    longer than ``length`` the seed chooses a window. So shares of a mixture are shares of tokens, exact to a sample.
    Without a shape, trajectories come whole, in the order they were played in, and conversations whole.

    Args:
        calibration: with sources.
        dense: the agent that will be compressed, as it is.
        envs: environment id -> arguments of ``gym.make``: what it plays for its trajectories.

    Raises:
        ValueError: if fewer tokens are there than were asked for (says how many, and a shape that would do), if
            sequences are longer than the model's context window, or if there is no token at all.
        FileNotFoundError, ValueError: as :func:`check_files`.
    """
    digests = check_files(calibration)
    if calibration.shape[1] > dense.window and calibration.exact:
        raise ValueError(
            f"the calibration {str(calibration)!r} has sequences of {calibration.shape[1]} tokens, and the context "
            f"window of {dense.name} is {dense.window}; write for example ',{calibration.shape[0]}x{dense.window}' at "
            "its end"
        )
    taken: dict[Source, _Taken] = {}
    for index, (source, asked) in enumerate(zip(calibration.sources, calibration.asked(), strict=True)):
        alone = not calibration.exact and source.kind != "text"
        wanted = None if alone and source.kind == "trajectories" else asked
        length = dense.window if alone else min(calibration.shape[1], dense.window)
        taken[source] = _Taken(wanted, length, np.random.default_rng([calibration.seed or 0, index]))
    for source, got in sorted(taken.items(), key=lambda item: item[0].path is None):  # files before hours of play
        if source.kind == "text":
            _take_text(got, str(source.path), dense.tokenizer, calibration.exact)
        elif source.kind == "chats":
            _take_chats(got, str(source.path), dense)
        else:
            _take_trajectories(got, calibration.seed or 0, dense, envs)
        if calibration.exact and got.wanted is not None and got.tokens < got.wanted:
            raise too_short(calibration, source, f"{got.there:,}", got.there, got.wanted)
    sequences = [ids for got in taken.values() for ids in got.sequences]
    if not sequences:
        raise ValueError(f"the calibration {str(calibration)!r} gave {dense.name} no token at all; use another source")
    return Drawn(
        sequences,
        {
            "calibration": str(calibration),
            "seed": calibration.seed or 0,
            "sequences": len(sequences),
            "tokens": sum(map(len, sequences)),
            "tokens_sha256": digest_of(sequences),
            "sources": [got.facts(source, digests) for source, got in taken.items()],
        },
    )


def digest_of(sequences: list[list[int]]) -> str:
    """Return the SHA-256 by which records name calibration tokens."""
    return hashlib.sha256(canonical_json(sequences).encode()).hexdigest()


@dataclass
class _Taken:
    """What one source has given so far."""

    wanted: int | None
    length: int
    rng: np.random.Generator
    sequences: list[list[int]] = field(default_factory=list)
    tokens: int = 0
    unused: int = 0
    """Tokens that were there but fill no window."""
    notes: list[str] = field(default_factory=list)

    @property
    def enough(self) -> bool:
        return self.wanted is not None and self.tokens >= self.wanted

    @property
    def there(self) -> int:
        return self.tokens + self.unused

    def take(self, ids: list[int]) -> None:
        """Add a sequence, or the part of it that is still wanted."""
        start = int(self.rng.integers(len(ids) - self.length + 1)) if len(ids) > self.length else 0
        stop = start + self.length
        if self.wanted is not None:
            stop = min(stop, start + self.wanted - self.tokens)
        if ids[start:stop]:
            self.sequences.append(ids[start:stop])
            self.tokens += len(self.sequences[-1])

    def facts(self, source: Source, digests: Mapping[str, str]) -> dict[str, Json]:
        """What the record says of a source."""
        short = self.wanted is not None and self.tokens < self.wanted
        return {
            "source": source.name,
            "weight": float(source.weight),
            "sha256": None if source.path is None else digests[source.path],
            "sequences": len(self.sequences),
            "tokens": self.tokens,
            "asked_tokens": self.wanted,
            "notes": [*self.notes, *([f"{self.tokens:,} of {self.wanted:,} tokens were there"] if short else [])],
        }


def _take_text(got: _Taken, path: str, tokenizer: Any, exact: bool) -> None:
    """Take windows of a text that follow one another; the last, shorter one only where nothing exact was asked for."""
    assert got.wanted is not None
    text = read_text(path, got.wanted)
    if len(text) == got.wanted * CHARACTERS_PER_TOKEN:
        got.notes.append(f"only the first {len(text):,} characters were looked at")
    begin = text_beginning(tokenizer)
    begin = begin if len(begin) < got.length else []
    body = got.length - len(begin)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False, verbose=False)
    windows = [begin + ids[at : at + body] for at in range(0, len(ids), body)]
    if begin:
        got.notes.append(f"each window begins with token {', '.join(map(str, begin))}, as the tokenizer begins a text")
    if windows and len(windows[-1]) < got.length and (exact or len(ids) > got.wanted):
        got.unused = len(windows.pop())
    chosen = got.rng.permutation(len(windows))[: got.wanted // got.length]
    for index in sorted(chosen):
        got.take(windows[index])


def text_beginning(tokenizer: Any) -> list[int]:
    """Return the special tokens that a tokenizer puts before every text (as a rule one BOS, or none)."""
    bare: list[int] = tokenizer.encode("a", add_special_tokens=False, verbose=False)
    whole: list[int] = tokenizer.encode("a", add_special_tokens=True, verbose=False)
    starts = [at for at in range(len(whole)) if bare and whole[at : at + len(bare)] == bare]
    return whole[: starts[0]] if starts else []


def _take_chats(got: _Taken, path: str, dense: LocalAgent) -> None:
    lines = DrawnChats(path)
    adapted = 0
    for index in got.rng.permutation(len(lines)):
        if got.enough:
            break
        chat, where = lines.read(index)
        tokens = chat_tokens(chat, dense.prompts, where)
        adapted += tokens.adapted
        got.take(tokens.ids)
    if adapted:
        got.notes.append(f"{adapted} conversations were adapted, because the chat template cannot show all of them")


def _take_trajectories(got: _Taken, seed: int, dense: LocalAgent, envs: Mapping[str, Mapping[str, Json]]) -> None:
    for played in _rounds(seed, dense, envs):
        order: Iterable[int] = range(len(played)) if got.wanted is None else got.rng.permutation(len(played))
        for index in order:
            if got.enough:
                return
            got.take(played[index])
        if got.wanted is None or not played:
            return


def _rounds(seed: int, dense: LocalAgent, envs: Mapping[str, Mapping[str, Json]]) -> Iterator[list[list[int]]]:
    """Let a model play the training split, and yield what it read and wrote in each round."""
    from acgym.loop import play

    for number in range(ROUNDS):
        start = CALIBRATION_SEEDS + seed * SEEDS_APART + number * TRAJECTORIES
        played = [
            ids
            for env_id, kwargs in envs.items()
            for episode in play(dense, env_id, range(start, start + TRAJECTORIES), kwargs=kwargs, split="train")
            for ids, _ in episode.sequences()
        ]
        dense.rest()
        yield played
