"""The one record of a run: an episode with every message, its token ids, rewards and outcome, as one JSON line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from acgym.record.typed import STRICT, adapter, read_typed, sentence
from acgym.types import Json, Role, Split, canonical_json

FORMAT = 2
"""Version of the line format; readers refuse newer ones by name."""


_MOST_TOKENS = 2**63
"""Arrays of token ids hold none from here on."""


class NewerFormat(ValueError):
    """The line was written by a newer acgym; nothing is wrong with it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: what the agent was told, what it said, what the environment made of it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    role: Role
    """Role of ``observation``: ``user``, or ``tool`` for the result of a tool call."""
    observation: str
    text: str
    """The agent's words, verbatim."""
    action: str
    """What the environment was handed."""
    reward: float
    progress: float
    malformed: bool
    error: str | None
    finish_reason: str
    seconds: float
    """Seconds in the agent, waiting in a batch included."""
    kept: int = 0
    """How many leading token ids of the sequence so far (prompt and reply of the turn before) this prompt keeps."""
    prompt_ids: tuple[int, ...] | None = None
    """Token ids of the prompt after the first ``kept``; None for an agent without tokens."""
    token_ids: tuple[int, ...] | None = None
    """Token ids that the agent generated: the decision tokens."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One finished episode, or one that an infrastructure failure ended."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    env: str
    """Gymnasium id."""
    kwargs: Mapping[str, Json]
    """Arguments of ``gym.make``."""
    split: Split
    seed: int
    agent: str
    task_hash: str
    task_kind: str
    tools: tuple[Json, ...]
    random_success: float | None
    """Anchor: what ``random_reply`` scores on this environment and level; None if the environment states none."""
    random_progress: float | None
    turns: tuple[Turn, ...]
    final_observation: str
    outcome: Literal["finished", "failed"]
    """``failed``: the agent's infrastructure broke (out of memory, timeout). Counted, never scored."""
    failure: str | None
    """Why it failed; None if it finished."""
    success: bool | None
    """None if it failed."""
    progress: float | None
    """Final progress in [0, 1]; None if it failed."""
    truncated: bool
    """Whether a limit ended it: of its steps or of equal malformed replies (it is finished) or of its time (it has
    failed)."""
    seconds: float
    """Wall-clock seconds from reset to the end."""
    capability: str | None = None
    """What the environment measures, in words; None if it does not say, or in a record of format 1."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """Numbers that describe the task, see :attr:`acgym.types.Task.facts`; empty in a record of format 1."""
    heuristic_success: float | None = None
    """Anchor: what the best simple heuristic scores; None if the environment states none."""
    heuristic_progress: float | None = None
    error_kinds: Mapping[str, str] = field(default_factory=dict)
    """Kinds of decision error that the environment can name -> the failure class of each."""
    unclear_errors: tuple[str, ...] = ()
    """Those of the kinds that do not say what was wrong with an action, only that it did not work."""
    format: int = FORMAT
    _key: tuple[str, str, str, str, int] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What pairs two episodes: environment, arguments, split, task hash, seed. Made once: it is asked for often."""
        if self._key is None:
            key = (self.env, canonical_json(self.kwargs), self.split, self.task_hash, self.seed)
            object.__setattr__(self, "_key", key)
            return key
        return self._key

    @property
    def task(self) -> tuple[str, str, str, str]:
        """What repeated plays of one task share: environment, arguments, split, task hash."""
        return self.key[:4]

    @property
    def format_errors(self) -> int:
        """Number of turns whose action was not in the grammar."""
        return sum(turn.malformed for turn in self.turns)

    @property
    def decision_errors(self) -> int:
        """Number of turns whose action was well formed but wrong."""
        return sum(turn.error is not None for turn in self.turns)

    def sequences(self) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Rebuild the token sequences that the agent saw and wrote.

        Returns:
            A list of (ids, spans): ``ids`` is prompt and reply of a turn and of all turns whose tokens it keeps whole;
            ``spans`` are the half-open ranges of generated tokens in ``ids``. One entry when each prompt extends the
            sequence before it; one more for each turn whose prompt does not. Empty for an agent without tokens.
        """
        done: list[tuple[list[int], list[tuple[int, int]]]] = []
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        for turn in self.turns:
            if turn.prompt_ids is None or turn.token_ids is None:
                continue
            if turn.kept < len(ids):
                done.append((ids, spans))
                spans = [span for span in spans if span[1] <= turn.kept]
            ids = ids[: turn.kept] + list(turn.prompt_ids)
            spans = [*spans, (len(ids), len(ids) + len(turn.token_ids))]
            ids = ids + list(turn.token_ids)
        return [*done, (ids, spans)] if ids else done

    def to_line(self) -> str:
        """Write the episode as one line of JSON, without the newline."""
        row = {name: getattr(self, name) for name in _EPISODE}  # asdict would copy every token id
        row["turns"] = [{name: getattr(turn, name) for name in _TURN} for turn in self.turns]
        return json.dumps(row, ensure_ascii=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Episode:
        """Read a line written by :meth:`to_line`.

        Raises:
            ValueError: if the line is not an episode of this format or an older one; the message says what is wrong.
                :class:`NewerFormat` if it is one of a newer format.
        """
        from pydantic import ValidationError

        if not all(mark in line for mark in _MARKS):
            return _reread(line, "it lacks fields")
        try:
            episode: Episode = adapter(cls).validate_json(line)
        except ValidationError as error:
            return _reread(line, sentence(error))
        return _plausible(episode)


def _plausible(episode: Episode) -> Episode:
    """Refuse numbers that their type allows and no episode has."""
    if episode.format > FORMAT:
        raise NewerFormat(f"episode format {episode.format} is newer than {FORMAT}, the newest known; update acgym")
    for turn in episode.turns:
        for ids in (turn.prompt_ids, turn.token_ids):
            if ids and not 0 <= min(ids) <= max(ids) < _MOST_TOKENS:
                raise ValueError(f"token ids are from 0 to {_MOST_TOKENS - 1}, got {min(ids)} to {max(ids)}")
        if turn.kept < 0:
            raise ValueError(f"kept is the number of leading token ids, got {turn.kept}")
    return episode


def _reread(line: str, why: str) -> Episode:
    """Read what pydantic's parser refuses and is an episode all the same, or say what is wrong with it.

    That parser takes no lone surrogates, which a model may well say; Python's does.
    """
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(row, dict):
        raise ValueError("an episode is a JSON object")
    version = row.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise NewerFormat(f"episode format {version} is newer than {FORMAT}, the newest known; update acgym")
    older = version == 1
    if older:
        row = {**_SINCE_FORMAT_1, **row}
    if row.keys() != _EPISODE:
        odd = sorted(row.keys() ^ _EPISODE)
        raise ValueError(f"episode fields differ from format {FORMAT}: {', '.join(odd)}")
    text = json.dumps(row, ensure_ascii=False)
    legible = text.encode("utf-8", "replace").decode("utf-8")
    if text == legible and older:
        return _plausible(read_typed(Episode, legible))
    if text == legible:  # no surrogates: what was said of it holds
        raise ValueError(why)
    _plausible(read_typed(Episode, legible))
    row["tools"], row["unclear_errors"] = tuple(row["tools"]), tuple(row["unclear_errors"])
    return Episode(**{**row, "turns": tuple(map(_turn, row["turns"]))})


def _turn(row: dict[str, Json]) -> Turn:
    for name in ("prompt_ids", "token_ids"):
        if row.get(name) is not None:
            row[name] = tuple(row[name])
    return Turn(**row)


_KINDS_OF_FORMAT_1 = {
    "wrong_tool": "unknown_tool unknown_step extra_step",
    "wrong_argument": "bad_arguments failed_call wrong_call wrong_answer wrong_value distractor_value unknown_place "
    "unknown_object not_here cannot_open",
    "wrong_order": "wrong_edges closed not_holding hands_full wrong_place",
    "premature_stop": "unfinished missing_step",
    "lost_track": "already",
}
"""Failure class -> the kinds of error that acgym's environments named while lines did not hold them; it never grows."""
_SINCE_FORMAT_1: dict[str, Json] = {
    "capability": None,
    "facts": {},
    "heuristic_success": None,
    "heuristic_progress": None,
    "error_kinds": {kind: name for name, kinds in _KINDS_OF_FORMAT_1.items() for kind in kinds.split()},
    "unclear_errors": ("failed_call", "wrong_call", "not_here", "cannot_open", "wrong_place"),
}
"""What lines of format 1 do not have."""
_MARKS = tuple(f'"{name}":' for name in _SINCE_FORMAT_1)
"""What a line of this format has somewhere, since those fields are written always and have defaults."""
_EPISODE = {f.name: None for f in fields(Episode) if f.init}.keys()
_TURN = {f.name: None for f in fields(Turn)}.keys()
"""Names in a line, in their order."""
