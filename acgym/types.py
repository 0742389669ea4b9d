"""The plain records that travel between the rooms: Task, Message, Reply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

Json: TypeAlias = Any
"""Anything that ``json.dumps`` writes and ``json.loads`` reads back equal."""

ToolSpec: TypeAlias = dict[str, Json]
"""One tool in OpenAI function form: ``{"type": "function", "function": {"name", "description", "parameters"}}``,
where ``parameters`` is a JSON Schema of type object."""

Split: TypeAlias = Literal["eval", "train"]
"""Evaluation tasks and training tasks share no names, values or layouts."""

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


FailureClass: TypeAlias = Literal[
    "format", "wrong_tool", "wrong_argument", "wrong_order", "premature_stop", "loop", "lost_track", "truncation"
]
"""How an episode can be lost; see :mod:`acgym.analysis.failure`."""


def canonical_json(value: Json) -> str:
    """Write ``value`` so that equal values give equal text: sorted keys, no spaces, UTF-8 kept."""
    return _CANONICAL(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True)
class Task:
    """One frozen row of an environment: what is asked, and the answer that earns full marks.

    A task is plain data: ``data`` and ``reference`` are JSON, so a result can be scored again without the generator.
    """

    kind: str
    """Family of the task inside its environment, such as ``"lookup_then_book"``; clusters for statistics."""
    goal: str
    """What is asked, in words."""
    data: Mapping[str, Json]
    """What the environment needs to open and to judge the task."""
    reference: Json
    """The reference answer; its meaning is the environment's."""
    tools: tuple[ToolSpec, ...] = ()
    """Tools that the agent may call; they go to the agent with the first message."""
    source: str = "generated"
    """``"generated"``, or the name and licence of the data file that the row comes from."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """Numbers that describe the task for those who look at results, such as ``length`` (words of the first observation)
    and ``depth`` (percent of it before what is asked for). They ride in the record, and are no part of the identity."""

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the row's content, 16 hexadecimal digits: its identity in records and pairings."""
        row = [self.kind, self.goal, self.data, self.reference, self.tools, self.source]
        return hashlib.sha256(canonical_json(row).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Anchor(NamedTuple):
    """What an uninformed policy scores, so that a report can show (score - random) / (1 - random) beside the score."""

    success: float
    """Share of episodes that ``random_reply`` solves, in [0, 1]."""
    progress: float
    """Mean final progress of ``random_reply``, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call in the canonical form that environments read."""

    name: str
    arguments: Mapping[str, Json]

    def as_json(self) -> dict[str, Json]:
        """Return ``{"name": ..., "arguments": {...}}``."""
        return {"name": self.name, "arguments": dict(self.arguments)}


def calls_to_action(calls: tuple[Call, ...]) -> str:
    """Write calls as the action text of an environment: one object, or a list of objects when there are several."""
    rows = [call.as_json() for call in calls]
    return json.dumps(rows[0] if len(rows) == 1 else rows, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent said in one turn."""

    text: str
    """The model's words, verbatim, in its own tool-call syntax, without the end-of-turn token."""
    action: str
    """What the environment is handed: ``text``, or its tool calls in canonical JSON."""
    calls: tuple[Call, ...] = ()
    """The tool calls found in ``text``; after them the next observation is a tool message."""
    prompt_ids: tuple[int, ...] | None = None
    """Token ids of the whole prompt; None for an agent without tokens."""
    token_ids: tuple[int, ...] | None = None
    """Token ids generated, the end-of-turn token included when it was generated."""
    finish_reason: Literal["stop", "length"] = "stop"
    seconds: float = 0.0
    """Wall-clock seconds from request to reply, waiting in a batch included."""
    logprobs: tuple[float | None, ...] | None = None
    """Natural log of each generated token's probability under the model, before temperature and constraints; None for a
    token that was written for the model, and None as a whole if they were not asked for."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. ``reply`` rides on assistant messages, so that no token is made twice."""

    role: Role
    content: str
    reply: Reply | None = field(default=None, compare=False)


def spoken_by(previous: Reply | None) -> Role:
    """Role of the observation that follows ``previous``: a tool's result after a tool call, else the user's words."""
    return "tool" if previous is not None and previous.calls else "user"


def stated_anchor(env: object) -> Anchor | None:
    """Return what an environment states its random policy to score, or None: ``anchor``, or ``anchors[level]``."""
    if hasattr(env, "anchor"):
        stated: Anchor | None = env.anchor
        return stated
    by_level: Mapping[object, Anchor] = getattr(env, "anchors", {})
    return by_level.get(getattr(env, "level", None))
