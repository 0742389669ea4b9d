"""Tool calls in text: canonical JSON, and the Hermes syntax of Qwen and other model families. Reading never raises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeAlias

from acgym.text import NotJson, json_at, read_json
from acgym.types import Call, Json, calls_to_action

PARSER = "hermes"
"""Name of the syntax that ``parse_reply`` reads, for records."""

_OPEN = "<tool_call>"
_CLOSE = re.compile(r"\s*+(?:</tool_call>|\Z|(?=<tool_call>))")
_TAG = re.compile(r"<(?=/?(?:tool_call|think)>)")
_END_OF_THOUGHT = "</think>"
_NAMES = ("name", "tool_name")
_ARGUMENTS = ("arguments", "parameters")
_ABOUT_A_CALL = {"id", "type", "index", "tool_call_id"}
"""Keys that some models repeat beside name and arguments."""

Read: TypeAlias = Callable[[str], tuple[str, tuple[Call, ...]] | None]
"""Splits a reply without its thought into words and calls; None if it holds no call, or a broken one."""


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


def call_of(row: Json) -> Call | None:
    """Read one call that a model wrote as a JSON value; None if it is not one.

    This is the tolerance of all model families alike. The name may be called ``name`` or ``tool_name``; the arguments
    ``arguments`` or ``parameters``, and they may be missing, null, or JSON text of an object. The call may lie under
    ``function``, and may carry an id, an index or a type. Values of arguments are kept whatever they are.
    """
    if not isinstance(row, dict):
        return None
    if isinstance(row.get("function"), dict) and row.keys() <= {"function", *_ABOUT_A_CALL}:
        row = row["function"]
    names = [key for key in _NAMES if key in row]
    given = [key for key in _ARGUMENTS if key in row]
    if len(names) != 1 or len(given) > 1 or not row.keys() <= {*names, *given, *_ABOUT_A_CALL}:
        return None
    return made_call(row[names[0]], row[given[0]] if given else None)


def made_call(name: Json, arguments: Json) -> Call | None:
    """Return a call if there is a name, and an object of arguments (as in :func:`call_of`) that JSON can write."""
    if isinstance(arguments, str):
        try:
            arguments = read_json(arguments) if arguments.strip() else None
        except NotJson:
            return None
    arguments = {} if arguments is None else arguments
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    try:
        json.dumps(arguments, allow_nan=False)  # refuses numbers beyond a float, and nesting beyond the stack
    except (ValueError, RecursionError):
        return None
    return Call(name, arguments)


def calls_of(value: Json) -> tuple[Call, ...]:
    """Read one call or a list of calls as :func:`call_of` does; none if any of them is not one."""
    calls = [call_of(row) for row in (value if isinstance(value, list) else [value])]
    return tuple(call for call in calls if call is not None) if None not in calls else ()


def whole_json(said: str) -> tuple[Call, ...]:
    """Return the calls of a reply that is JSON from its first letter to its last, and nothing but calls; else none."""
    found = json_at(said, 0) if said.lstrip()[:1] in ("{", "[") else None
    return calls_of(found[0]) if found is not None and not said[found[1] :].strip() else ()


def after_thought(text: str, read: Read) -> str:
    """Return a reply from where it speaks, nothing known of where a thought may have begun.

    A ``</think>`` inside a call is part of that call: nothing was thought. One that stands in the words ends a thought
    (several chat templates write its beginning into the prompt), and what is said begins after the first.
    """
    if _END_OF_THOUGHT not in text:
        return text
    found = read(text)
    thought = _END_OF_THOUGHT in (text if found is None else found[0])
    return text.partition(_END_OF_THOUGHT)[2].lstrip() if thought else text


def parse_reply(text: str) -> tuple[str, tuple[Call, ...]]:
    """Split a model's words into the action for the environment and the tool calls in it.

    What was thought is no part of the action, see :func:`after_thought`. Then what follows every ``<tool_call>`` must
    be calls; words around the blocks are dropped, and the closing tag of the last block may be missing (engines that
    stop at it leave it out). Without a block, a reply that as a whole is JSON of calls is read as calls.

    Args:
        text: the model's words, verbatim, without the end-of-turn token.

    Returns:
        (action, calls). With calls, the action is their canonical JSON: one object, or a list when there are several.
        Without, or when any block is broken, it is the text itself, for the environment to answer as malformed.
        Never raises.
    """
    said = after_thought(text, read_hermes)
    words, calls = read_hermes(said) or (said, ())
    return (calls_to_action(calls), calls) if calls else (words, ())


def read_hermes(said: str) -> tuple[str, tuple[Call, ...]] | None:
    """Return words and calls of a reply without its thought, as :func:`parse_reply` reads them; None if one is broken.

    The end of a call is where its JSON ends, so a tag inside a string is part of that string.
    """
    whole = whole_json(said)
    if whole:
        return "", whole
    words: list[str] = []
    calls: list[Call] = []
    at = 0
    while (start := said.find(_OPEN, at)) >= 0:
        words.append(said[at:start])
        found = json_at(said, start + len(_OPEN))
        some = () if found is None else calls_of(found[0])
        end = None if found is None else _CLOSE.match(said, found[1])
        if not some or end is None:
            return None
        calls += some
        at = end.end()
    return ("".join(words) + said[at:], tuple(calls)) if calls else None


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
