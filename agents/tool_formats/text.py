"""What the readers of all tool formats share: words apart from calls, thought apart from words, blocks one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from acgym.text import NotJson, read_json
from acgym.types import Call, Json, ToolSpec

_THOUGHTS = {
    "<think>": "</think>",
    "[THINK]": "[/THINK]",
    "<|thought_start|>": "<|thought_end|>",
    "<|START_THINKING|>": "<|END_THINKING|>",
}
"""How a thought begins and ends, by model family."""
OPENERS = tuple(_THOUGHTS)
"""A prompt that ends with one of these has opened a thought."""

_CLOSERS = re.compile("|".join(rf"{re.escape(end[0])}(?={re.escape(end[1:])})" for end in _THOUGHTS.values()))
_PYTHON_WORDS: Mapping[str, Json] = {"True": True, "False": False, "None": None}


class Said(NamedTuple):
    """A reply without its thought, taken apart."""

    words: str
    """What stands beside the calls."""
    calls: tuple[Call, ...]


class Item(NamedTuple):
    """What stands after the mark that opens a block."""

    calls: tuple[Call, ...]
    end: int
    """Where the text goes on behind it."""


def without_thought(text: str, opened: bool = False) -> str:
    """Return a reply without the thought that is known to stand at its beginning.

    Args:
        text: the model's words, verbatim.
        opened: whether the prompt ended inside a thought that the reply goes on with.

    Returns:
        What follows the first end of a thought that the text begins with, or that the prompt had opened. A thought that
        never ends leaves nothing: its words were not meant for anybody. Else the text itself, see
        :func:`acgym.tool_calls.after_thought` for what is left to find there.
    """
    start = text.lstrip()
    for begin, end in _THOUGHTS.items():
        if start.startswith(begin):
            return start.partition(end)[2].lstrip()
    if not opened:
        return text
    ends = [at for at in ((text.find(end), end) for end in _THOUGHTS.values()) if at[0] >= 0]
    return text[min(ends)[0] + len(min(ends)[1]) :].lstrip() if ends else ""


def escape_json(text: str) -> str:
    r"""Escape the marks of thought in JSON text (``\u003c/think>``), so that no argument ends a thought."""
    return _CLOSERS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def escape_python(text: str) -> str:
    r"""Escape the marks of thought in Python text (``\x3c/think>``), as :func:`escape_json` does."""
    return _CLOSERS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def plain_json(value: Json) -> str:
    """Write JSON as models do: spaces after separators, letters of all scripts as they are."""
    return escape_json(json.dumps(value, ensure_ascii=False))


def canonical(calls: Sequence[Call]) -> str:
    """Write calls as canonical JSON, which every format reads: the way out for names that a syntax cannot write."""
    rows = [call.as_json() for call in calls]
    return plain_json(rows[0] if len(rows) == 1 else rows)


def typed(call: Call, tools: Sequence[ToolSpec] = ()) -> Call:
    """Give the arguments of a call their types, where a format writes every value as bare text.

    An argument that the tool's schema calls a string stays text. Any other is read as JSON, or as Python's ``True``,
    ``False`` and ``None``; where that fails it stays text, for the environment to judge.
    """
    kinds = _kinds(call.name, tools)
    return Call(call.name, {key: _typed(value, kinds.get(key)) for key, value in call.arguments.items()})


def _kinds(name: str, tools: Sequence[ToolSpec]) -> dict[str, Json]:
    """Return argument name -> type (or types) that the schema of a tool names."""
    for tool in tools:
        function = tool.get("function", tool)
        if isinstance(function, Mapping) and function.get("name") == name:
            schema = function.get("parameters")
            fields = schema.get("properties") if isinstance(schema, Mapping) else None
            fields = fields if isinstance(fields, Mapping) else {}
            return {key: field.get("type") for key, field in fields.items() if isinstance(field, Mapping)}
    return {}


def _typed(value: Json, kind: Json) -> Json:
    if not isinstance(value, str) or kind == "string" or (isinstance(kind, list) and "string" in kind):
        return value
    if value.strip() in _PYTHON_WORDS:
        return _PYTHON_WORDS[value.strip()]
    try:
        found = read_json(value)
    except NotJson:
        return value
    return value if isinstance(found, str) else found


ReadItem: TypeAlias = Callable[[str, int], Item | None]


def blocks(said: str, opening: re.Pattern[str], item: ReadItem, closing: re.Pattern[str]) -> Said | None:
    """Read every block of a reply.

    Args:
        said: the reply without its thought.
        opening: the mark that opens a block.
        item: reads what follows the mark, from a position on, and says where it ends: marks inside of strings are part
            of these strings. None if it is broken.
        closing: what may stand behind it; matches the empty text too, because engines that stop at the closing mark
            leave it out.

    Returns:
        The calls of all blocks, and the words around them. None if there is no block, or one is broken.
    """
    words: list[str] = []
    calls: list[Call] = []
    at = 0
    while mark := opening.search(said, at):
        words.append(said[at : mark.start()])
        found = item(said, mark.end())
        if found is None:
            return None
        calls += found.calls
        end = closing.match(said, found.end)
        at = end.end() if end else found.end
    return Said("".join(words) + said[at:], tuple(calls)) if calls else None
