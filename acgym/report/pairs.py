"""The report's side-by-side episodes: one row for every pair, and as many whole conversations as a page should hold."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from acgym.analysis.degenerate import reply_kind, tool_names
from acgym.analysis.divergence import FirstDifference, first_difference
from acgym.analysis.failure import CLASSES, classify
from acgym.record.episode import Episode, Turn
from acgym.report.material import Material
from acgym.text import printable
from acgym.types import Json

MOST_BYTES = 192 * 1024
"""Deflated conversations that a page holds; a third more as text."""
MOST_LETTERS = 4000
"""Of one message; what is longer loses its middle."""
OUTCOMES = ("both", "lost", "won", "neither", "failed")
"""Of a pair; of an agent that is compared with none: solved (both), not solved (neither), failed."""
_RANKS = ("lost", "won", "failed", "format", "decision", "neither", "words", "same")
"""Which pairs' conversations come first."""


@dataclass
class Pairs:
    """The pairs of a comparison, ready to be packed."""

    rows: list[dict[str, Json]] = field(default_factory=list)
    """JSON of each pair: ``agent``, ``env`` (indices), ``seed``, ``kind``, ``outcome`` (index of OUTCOMES), ``format``
    (whether the other agent made a format error), ``turn``, ``decision``, ``token`` (of the first difference, from 0),
    ``class`` (index of ``classes``), ``fatal`` (the turn that it points at), ``a`` and ``b`` (indices of the whole
    conversations, if the page has them)."""
    episodes: list[tuple[Episode, Episode | None]] = field(default_factory=list)
    """Dense and other episode of each row."""
    reasons: list[str] = field(default_factory=list)
    """Why pairs could not be compared."""
    classes: list[str] = field(default_factory=lambda: list(CLASSES))
    """Failure classes; after those that everybody knows, the errors that no class was stated for."""


@dataclass(frozen=True)
class Packed:
    """What goes into the page."""

    text: str
    """Base64 of deflated JSON (zlib format): ``{"dense", "agents", "envs", "outcomes", "classes", "pairs",
    "episodes"}``."""
    pairs: int
    whole: int
    """Pairs whose conversations are in it; those that differ most come first."""
    reasons: tuple[str, ...]


def pack(material: Material, most_bytes: int = MOST_BYTES) -> Packed:
    """Pair the episodes of a run and pack them for the page; the same run gives the same text.

    Args:
        material: the comparison and its run.
        most_bytes: deflated size of the conversations; the rows of all pairs come on top, about 10 bytes each.

    Raises:
        acgym.report.material.Missing: if there are no episodes to show.
    """
    pairs = _sorted(collect(material))
    conversations, whole = _choose(pairs, most_bytes)
    content = {
        "dense": printable(material.result.dense),
        "agents": [printable(agent.name) for agent in material.agents],
        "envs": [printable(env) for env in material.envs],
        "outcomes": OUTCOMES,
        "classes": [printable(name) for name in pairs.classes],
        "pairs": pairs.rows,
        "episodes": conversations,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
    return Packed(packed, len(pairs.rows), whole, tuple(dict.fromkeys(pairs.reasons)))


def collect(material: Material) -> Pairs:
    """Pair every agent's episodes with the dense one's; a single agent's stand alone."""
    played, found = material.episodes, Pairs()
    dense = played[material.result.dense]
    for i, agent in enumerate(material.agents[1:], start=1):
        theirs = {episode.key: episode for episode in played[agent.name]}
        for a in dense:
            b = theirs.get(a.key)  # none where the other agent was allowed to stop earlier
            if b is not None:
                _add(found, material, i, a, b)
    if not material.others:
        for episode in dense:
            _add(found, material, 0, episode, None)
    return found


def _add(found: Pairs, material: Material, agent: int, a: Episode, b: Episode | None) -> None:
    judged = a if b is None else b
    row: dict[str, Json] = {"agent": agent, "env": material.envs.index(a.env), "seed": a.seed}
    row |= {"kind": printable(a.task_kind), "outcome": _outcome(a, b), "format": judged.format_errors > 0}
    difference = _difference(found, a, b)
    if difference is not None:
        row |= {"turn": difference.turn, "decision": difference.decision_turn, "token": difference.token}
    how = classify(judged, None if b is None else a)
    if how is not None:
        if how.kind not in found.classes:
            found.classes.append(how.kind)
        row |= {"class": found.classes.index(how.kind), "fatal": how.turn}
    found.rows.append({key: value for key, value in row.items() if value is not None and value is not False})
    found.episodes.append((a, b))


def _outcome(a: Episode, b: Episode | None) -> int:
    if a.outcome == "failed" or (b is not None and b.outcome == "failed"):
        return OUTCOMES.index("failed")
    ours, theirs = bool(a.success), bool((b or a).success)
    return OUTCOMES.index("both" if ours and theirs else "lost" if ours else "won" if theirs else "neither")


def _difference(found: Pairs, a: Episode, b: Episode | None) -> FirstDifference | None:
    if b is None or not a.outcome == b.outcome == "finished":
        return None
    try:
        return first_difference(a, b)
    except ValueError as why:
        found.reasons.append(printable(str(why)))
        return None


def _rank(row: dict[str, Json]) -> int:
    outcome = OUTCOMES[row["outcome"]]
    if outcome in ("lost", "won", "failed"):
        return _RANKS.index(outcome)
    if row.get("format"):
        return _RANKS.index("format")
    if "decision" in row:
        return _RANKS.index("decision")
    return _RANKS.index("neither" if outcome == "neither" else "words" if "turn" in row else "same")


def _sorted(pairs: Pairs) -> Pairs:
    """Order the pairs by what they show; within a rank, agents and environments take turns."""
    seen: dict[tuple[int, int, int], int] = {}
    keys = []
    for i, row in enumerate(pairs.rows):
        group = (_rank(row), row["agent"], row["env"])
        keys.append((group[0], seen.get(group, 0), i))
        seen[group] = seen.get(group, 0) + 1
    order = [i for _, _, i in sorted(keys)]
    return Pairs([pairs.rows[i] for i in order], [pairs.episodes[i] for i in order], pairs.reasons, pairs.classes)


def _choose(pairs: Pairs, most_bytes: int) -> tuple[list[dict[str, Json]], int]:
    """Take conversations until they fill the page, and note in the rows where they are."""
    conversations: list[dict[str, Json]] = []
    dense: dict[tuple[str, str, str, str, int], int] = {}
    meter, size, whole = zlib.compressobj(6), 0, 0
    for row, (a, b) in zip(pairs.rows, pairs.episodes, strict=True):
        new = [] if a.key in dense else [conversation(a)]
        new += [conversation(b, a)] if b is not None else []
        text = json.dumps(new, ensure_ascii=False, separators=(",", ":")).encode()
        size += len(meter.compress(text)) + len(meter.flush(zlib.Z_SYNC_FLUSH))
        if size > most_bytes and whole:
            break
        whole += 1
        at = len(conversations)
        conversations += new
        row["a"] = dense.setdefault(a.key, at)
        if b is not None:
            row["b"] = len(conversations) - 1
    return conversations, whole


def conversation(episode: Episode, like: Episode | None = None) -> dict[str, Json]:
    """Write an episode as the page reads it.

    Args:
        episode: what was said; every text is made printable and cut to MOST_LETTERS.
        like: an episode of the same task; the turns that both share are left out here.

    Returns:
        ``shared`` (how many turns were left out), ``turns`` (rows of role, observation, text, progress, malformed,
        error, finish reason and, of a degenerate reply, its class), ``end`` (the last
        observation), ``success``, ``progress``, ``failure``, ``tools``.
    """
    same = 0 if like is None else sum(1 for _ in _shared(episode.turns, like.turns))
    names = tool_names(episode.tools)
    rows = [(_turn(turn), reply_kind(turn, names)) for turn in episode.turns[same:]]
    turns = [turn if kind is None else [*turn, kind] for turn, kind in rows]
    row: dict[str, Json] = {"shared": same, "turns": turns}
    row |= {"end": readable(episode.final_observation), "success": episode.success, "progress": episode.progress}
    if episode.failure is not None:
        row["failure"] = readable(episode.failure)
    if like is None and episode.tools:
        row["tools"] = [readable(str(_tool_name(tool))) for tool in episode.tools]
    return row


def _shared(ours: Sequence[Turn], theirs: Sequence[Turn]) -> Iterator[None]:
    for a, b in zip_longest(ours, theirs):
        if a is None or b is None or _turn(a) != _turn(b):
            return
        yield


def _turn(turn: Turn) -> list[Json]:
    error = None if turn.error is None else printable(turn.error)
    cut = turn.finish_reason == "length"
    return [turn.role, readable(turn.observation), readable(turn.text), turn.progress, turn.malformed, error, cut]


def _tool_name(tool: Json) -> Json:
    return tool.get("function", {}).get("name", "?") if isinstance(tool, dict) else "?"


def readable(text: str) -> str:
    """Make a text printable and cut the middle out of a long one."""
    if len(text) > MOST_LETTERS:
        half = MOST_LETTERS // 2
        text = f"{text[:half]}\n[... {len(text) - 2 * half:,} letters are left out here ...]\n{text[-half:]}"
    return text if text.replace("\n", "").isprintable() else printable(text)
