"""What the readers of all tool formats share: words apart from calls, thought apart from words, blocks one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from acgym.text import read_json
from acgym.types import Call, Json

_THOUGHTS = {"<think>": "</think>", "[THINK]": "[/THINK]", "<|thought_start|>": "<|thought_end|>"}
"""How a thought begins and ends, by model family."""
_EVERYWHERE = "</think>"
"""Ends a thought wherever it stands: several chat templates write its beginning into the prompt."""

_CLOSERS = re.compile("|".join(rf"{re.escape(end[0])}(?={re.escape(end[1:])})" for end in _THOUGHTS.values()))
_ABOUT_A_CALL = {"id", "type", "index"}
"""Keys that some models repeat beside name and arguments."""


class Said(NamedTuple):
    """A reply without its thought, taken apart."""

    words: str
    """What stands beside the calls."""
    calls: tuple[Call, ...]
    """At least one."""


class Item(NamedTuple):
    """What stands after the mark that opens a block."""

    calls: tuple[Call, ...]
    end: int
    """Where the text goes on behind it."""


def without_thought(text: str, opened: bool = False) -> str:
    """Return a reply without what the model thought before it spoke.

    Args:
        text: the model's words, verbatim.
        opened: whether the prompt ended inside a thought that the reply goes on with.

    Returns:
        What follows the first ``</think>``, or the end of a thought that the text begins with in another family's
        marks. A thought that never ends leaves nothing: its words were not meant for anybody. Else the text itself.
    """
    if _EVERYWHERE in text:
        return text.partition(_EVERYWHERE)[2].lstrip()
    start = text.lstrip()
    for begin, end in _THOUGHTS.items():
        if start.startswith(begin):
            return start.partition(end)[2].lstrip()
    return "" if opened else text


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


def call_of(row: Json) -> Call | None:
    """Read one call from a JSON value; None if it is not one.

    Arguments may be called ``arguments`` or ``parameters``, be missing or null, or be JSON text of an object; the call
    may lie under ``function``, and may carry an id, an index or a type. Values of arguments are kept whatever they are.
    """
    if not isinstance(row, dict):
        return None
    if isinstance(row.get("function"), dict) and row.keys() <= {"function", *_ABOUT_A_CALL}:
        row = row["function"]
    named = [key for key in ("arguments", "parameters") if key in row]
    if len(named) > 1 or not row.keys() <= {"name", *named, *_ABOUT_A_CALL}:
        return None
    name, arguments = row.get("name"), row[named[0]] if named else None
    if isinstance(arguments, str):
        try:
            arguments = read_json(arguments)
        except ValueError:
            return None
    return made_call(name, {} if arguments is None else arguments)


def made_call(name: Json, arguments: Json) -> Call | None:
    """Return a call if there is a name, and an object of arguments that JSON can write; else None."""
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    try:
        json.dumps(arguments, allow_nan=False)  # refuses numbers beyond a float, and nesting beyond the stack
    except (ValueError, RecursionError):
        return None
    return Call(name, arguments)


def all_calls(value: Json) -> tuple[Call, ...] | None:
    """Read one call or a list of calls from a JSON value; None if any of them is not one, or there is none."""
    rows = value if isinstance(value, list) else [value]
    calls = [call for call in map(call_of, rows) if call is not None]
    return tuple(calls) if calls and len(calls) == len(rows) else None


def json_at(text: str, start: int) -> tuple[Json, int] | None:
    """Read the JSON value that begins at ``start``, spaces before it skipped; None if there is none."""
    while start < len(text) and text[start].isspace():
        start += 1
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None


def whole_json(said: str) -> tuple[Call, ...]:
    """Return the calls of a reply that is JSON from its first letter to its last, and nothing but calls; else none."""
    found = json_at(said, 0) if said.lstrip()[:1] in ("{", "[") else None
    return (all_calls(found[0]) or ()) if found is not None and not said[found[1] :].strip() else ()


ReadItem: TypeAlias = Callable[[str, int], Item | None]


def blocks(said: str, opening: re.Pattern[str], item: ReadItem, closing: re.Pattern[str]) -> Said | None:
    """Read every block of a reply.

    Args:
        said: the reply without its thought.
        opening: the mark that opens a block.
        item: reads what follows the mark, from a position on; None if it is broken.
        closing: what may stand behind it; matches the empty text too, because engines that stop at the closing mark
            leave it out.

    Returns:
        The calls of all blocks, and the words around them. None if there is no block, or one is broken.
    """
    words, at = "", 0
    calls: list[Call] = []
    while mark := opening.search(said, at):
        words += said[at : mark.start()]
        found = item(said, mark.end())
        if found is None:
            return None
        calls += found.calls
        end = closing.match(said, found.end)
        at = end.end() if end else found.end
    return Said(words + said[at:], tuple(calls)) if calls else None


def _refuse(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
