"""Tool calls in text: canonical JSON, and the Hermes syntax of Qwen and other model families. Reading never raises."""

from __future__ import annotations

import json
import re

from acgym.text import NotJson, read_json
from acgym.types import Call, Json, calls_to_action

PARSER = "hermes"
"""Name of the syntax that ``parse_reply`` reads, for records."""

_BLOCK = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_TAG = re.compile(r"<(?=/?(?:tool_call|think)>)")
_END_OF_THOUGHT = "</think>"


def read_calls(text: str) -> tuple[Call, ...]:
    """Read canonical call JSON: one object ``{"name": ..., "arguments": {...}}``, or a list of them.

    A call without arguments may leave ``arguments`` out or null. Any other key, an empty name, a value that is not
    JSON (NaN, numbers beyond a float) or one bad call among several makes the whole text no call.

    Returns:
        The calls in order; empty when ``text`` is anything else. Never raises.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return ()
    try:
        value = read_json(text)
    except NotJson:
        return ()
    rows = value if isinstance(value, list) else [value]
    calls = [_call(row) for row in rows]
    return tuple(call for call in calls if call is not None) if None not in calls else ()


def parse_reply(text: str) -> tuple[str, tuple[Call, ...]]:
    """Split a model's words into the action for the environment and the tool calls in it.

    Everything up to a first ``</think>`` is thought and no part of the action. Then every ``<tool_call>`` block must
    hold one call; words around the blocks are dropped, and the closing tag of the last block may be missing (engines
    that stop at it leave it out). Without a block, a reply that as a whole is canonical call JSON is read as calls.

    Args:
        text: the model's words, verbatim, without the end-of-turn token.

    Returns:
        (action, calls). With calls, the action is their canonical JSON: one object, or a list when there are several.
        Without, or when any block is broken, it is the text itself, for the environment to answer as malformed.
        Never raises.
    """
    said = text.partition(_END_OF_THOUGHT)[2].lstrip() if _END_OF_THOUGHT in text else text
    calls = read_hermes(said)
    return (calls_to_action(calls), calls) if calls else (said, ())


def read_hermes(said: str) -> tuple[Call, ...]:
    """Return the calls in a reply without its thought, as :func:`parse_reply` reads them; empty if one is broken."""
    blocks = [match[1] for match in _BLOCK.finditer(said)]
    if not blocks:
        return read_calls(said)
    found: list[Call] = []
    for block in blocks:
        calls = read_calls(block)
        if len(calls) != 1:
            return ()
        found += calls
    return tuple(found)


def render_hermes(action: str) -> str:
    r"""Write an action as a model of the Hermes family would say it; the inverse of ``parse_reply``.

    Canonical call JSON becomes one ``<tool_call>`` block per call; any other text stays as it is. Tags inside
    argument strings are escaped (``\u003c``), so that they cannot end a block.
    """
    calls = read_calls(action)
    payloads = [_TAG.sub(r"\\u003c", json.dumps(call.as_json(), ensure_ascii=False)) for call in calls]
    return "\n".join(f"<tool_call>\n{payload}\n</tool_call>" for payload in payloads) or action


def _call(row: Json) -> Call | None:
    """Read one call; None if it is not one."""
    if not isinstance(row, dict) or not row.keys() <= {"name", "arguments"}:
        return None
    name, arguments = row.get("name"), row.get("arguments")
    if arguments is None:
        arguments = {}
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    return Call(name, arguments)


def shared_out(observation: str, calls: int) -> list[str]:
    """Give each call its own result, if the observation is a list of as many; else all of it to the first."""
    if calls == 1:
        return [observation]
    try:
        results = read_json(observation)
    except NotJson:
        results = None
    if isinstance(results, list) and len(results) == calls:
        return [json.dumps(result, ensure_ascii=False) for result in results]
    return [observation, *[""] * (calls - 1)]
