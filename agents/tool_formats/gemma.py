"""The tool format of FunctionGemma and Gemma 4: ``call:name{key:value}`` with marks of its own around strings."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from acgym.agents.tool_formats.text import Item, Said, blocks, canonical, escape_json
from acgym.text import NotJson, read_json
from acgym.tool_calls import made_call
from acgym.types import Call, Json

_DEEPEST = 60
_SPACE = re.compile(r"\s*+")
_BARE = re.compile(r"[^,{}\[\]<]++")
_KEY = re.compile(r"\s*+([^\s:,{}\[\]<][^:,{}\[\]<]*+):")
_NAME = re.compile(r"\s*+call:\s*+([^\s{}<]++)\s*+(?=\{)")
_SAFE_KEY = re.compile(r"[^\s:,{}\[\]<](?:[^:,{}\[\]<]*[^\s:,{}\[\]<])?")
_SAFE_NAME = re.compile(r"[^\s{}<]+")


class _Broken(ValueError):
    """What stands there is not of the format."""


@dataclass(frozen=True, slots=True)
class CallBrackets:
    """One dialect of the format."""

    opening: str
    closing: str
    quote: str
    """Stands before and after every string."""

    def read(self, said: str) -> Said | None:
        """Read the calls of a reply without its thought; None if there is none, or one is broken. Never raises."""
        closing = re.compile(rf"(?:\s*+{re.escape(self.closing)})?")
        return blocks(said, re.compile(re.escape(self.opening)), self._item, closing)

    def write(self, calls: Sequence[Call]) -> str:
        """Write calls; as canonical JSON where a name or a string holds marks of the format."""
        try:
            rows = [f"call:{self._safe(call.name, _SAFE_NAME)}{self._written(dict(call.arguments))}" for call in calls]
        except _Broken:
            return canonical(calls)
        return "".join(f"{self.opening}{row}{self.closing}" for row in rows)

    def _item(self, text: str, at: int) -> Item | None:
        name = _NAME.match(text, at)
        if name is None:
            return None
        try:
            arguments, end = self._value(text, name.end(), 0)
        except _Broken:
            return None
        call = made_call(name[1], arguments)
        return None if call is None else Item((call,), end)

    def _value(self, text: str, at: int, depth: int) -> tuple[Json, int]:
        """Read the value at a position: an object, a list, a string between quotes, or a bare JSON scalar."""
        at = _skip(text, at)
        if depth > _DEEPEST:
            raise _Broken
        if text.startswith(self.quote, at):
            start = at + len(self.quote)
            end = text.find(self.quote, start)
            if end < 0:
                raise _Broken
            return text[start:end], end + len(self.quote)
        if text[at : at + 1] in ("{", "["):
            return self._many(text, at, depth)
        bare = _BARE.match(text, at)
        if bare is None:
            raise _Broken
        return _scalar(bare[0].strip()), bare.end()

    def _many(self, text: str, at: int, depth: int) -> tuple[Json, int]:
        """Read an object or a list from its opening bracket on."""
        keyed = text[at] == "{"
        end = "}" if keyed else "]"
        found: dict[str, Json] = {}
        items: list[Json] = []
        at = _skip(text, at + 1)
        while not text.startswith(end, at):
            if found or items:
                if not text.startswith(",", at):
                    raise _Broken
                at += 1
            key = ""
            if keyed:
                key, at = self._key(text, at)
            value, at = self._value(text, at, depth + 1)
            if key in found:
                raise _Broken
            if keyed:
                found[key] = value
            else:
                items.append(value)
            at = _skip(text, at)
        return (found if keyed else items), at + 1

    def _key(self, text: str, at: int) -> tuple[str, int]:
        """Read a key and its colon; it may stand between quotes."""
        at = _skip(text, at)
        if text.startswith(self.quote, at):
            key, at = self._value(text, at, 0)
            at = _skip(text, at)
            if not text.startswith(":", at):
                raise _Broken
            return str(key), at + 1
        match = _KEY.match(text, at)
        if match is None:
            raise _Broken
        return match[1].rstrip(), match.end()

    def _written(self, value: Json) -> str:
        if isinstance(value, dict):
            rows = [f"{self._safe(key, _SAFE_KEY)}:{self._written(item)}" for key, item in value.items()]
            return "{" + ",".join(rows) + "}"
        if isinstance(value, list):
            return f"[{','.join(map(self._written, value))}]"
        if isinstance(value, str):
            return f"{self.quote}{self._safe(value)}{self.quote}"
        return json.dumps(value)

    def _safe(self, text: str, shape: re.Pattern[str] | None = None) -> str:
        """Return text that the format can carry.

        Raises:
            _Broken: if it cannot.
        """
        quoted = self.quote in text or (text + self.quote).find(self.quote) != len(text)
        if quoted or escape_json(text) != text or (shape is not None and not shape.fullmatch(text)):
            raise _Broken
        return text


def _scalar(text: str) -> Json:
    """Read a number, true, false or null; other bare words are text."""
    try:
        value = read_json(text)
    except NotJson:
        return text
    return text if isinstance(value, str) else value


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


FUNCTION_GEMMA = CallBrackets("<start_function_call>", "<end_function_call>", "<escape>")
GEMMA_4 = CallBrackets("<|tool_call>", "<tool_call|>", '<|"|>')
