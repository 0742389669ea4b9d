"""One reply to an environment with tools: its calls or its words, read, checked and answered alike everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from acgym.envs.tools.schema import fault
from acgym.text import excerpt
from acgym.tool_calls import read_calls
from acgym.types import Call, Json

MAX_CALLS = 16
"""A reply with more calls than this is malformed."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # and surrogates: half a character


@dataclass(frozen=True, slots=True)
class Turn:
    """What a reply is: calls, or words, or neither."""

    words: str = ""
    """A reply without a tool call, stripped."""
    calls: tuple[Call, ...] = ()
    listed: bool = False
    """Whether the calls came as a list, and are answered by one."""
    malformed: str = ""
    """Why the reply can be read as neither; a sentence."""


def read_turn(action: str, grammar: str) -> Turn:
    """Tell calls from words.

    Args:
        action: the reply.
        grammar: the sentence that says what is expected, which follows the fault.
    """
    text = action.strip()
    if not text:
        return Turn(malformed=f"Your reply is empty. {grammar}")
    if text[0] not in "{[" and '"name"' not in text and "<tool_call>" not in text:
        if _CONTROL.search(text):
            return Turn(malformed=f"Your reply has control characters. {grammar}")
        return Turn(words=text)
    calls = read_calls(text)
    if not calls:
        return Turn(malformed=f"Your reply is not a tool call. {grammar}")
    if len(calls) > MAX_CALLS:
        return Turn(malformed=f"Your reply has {len(calls)} tool calls; at most {MAX_CALLS} are read.")
    return Turn(calls=calls, listed=text[0] == "[")


def refused(call: Call, specs: Mapping[str, Json]) -> tuple[Json, str] | None:
    """Say why a call cannot be run: there is no such tool, or its arguments do not fit the schema.

    Args:
        call: the call.
        specs: name of a tool -> its function, with ``parameters``.

    Returns:
        What the agent is told and the kind of error (``unknown_tool``, ``bad_arguments``); None if it can be run.
    """
    spec = specs.get(call.name)
    if spec is None:
        near = get_close_matches(call.name[:60], specs, n=1, cutoff=0.0)
        return {"error": f"there is no tool {excerpt(call.name)}; did you mean {near[0]}?"}, "unknown_tool"
    why = fault(spec["parameters"], call.arguments)
    return None if why is None else ({"error": f"{call.name} was not run: {why}"}, "bad_arguments")


def join_results(results: Sequence[tuple[Json, str | None]], listed: bool) -> tuple[str, str | None]:
    """Join the results of a reply's calls.

    Args:
        results: of each call what the agent is told and the kind of its error.
        listed: whether they are told as a list.

    Returns:
        What the agent is told, as JSON in ASCII only (a record may hold text that a model wrote, such as half of a
        surrogate pair), and the first error.
    """
    told = [value for value, _ in results]
    return json.dumps(told if listed else told[0]), next((kind for _, kind in results if kind is not None), None)
