"""Settles how one model's calls are read and how they go back to it: tried out on its own chat template beforehand."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product, takewhile
from typing import Any, Protocol, TypeAlias

from acgym.agents.tool_formats.families import FORMATS, HERMES, ToolFormat, detect, format_named
from acgym.agents.tool_formats.text import without_thought
from acgym.text import excerpt
from acgym.tool_calls import shared_out
from acgym.types import Call, Json, Reply, ToolSpec

Row: TypeAlias = dict[str, Json]
"""A message as chat templates take it."""
Guard: TypeAlias = Callable[[str], str]
"""Makes text harmless that must not spell a special token."""
Decode: TypeAlias = Callable[[Sequence[int], ToolFormat], str]
"""Turns token ids into text as replies are decoded: without special tokens, except the marks of a format."""

_CALL = Call("acgym_probe_tool", {"words": 'a "b"', "number": 3})
_SPEC: ToolSpec = {
    "type": "function",
    "function": {
        "name": _CALL.name,
        "description": "Probe.",
        "parameters": {
            "type": "object",
            "properties": {
                "words": {"type": "string", "description": "Words."},
                "number": {"type": "integer", "description": "A number."},
            },
            "required": ["words", "number"],
        },
    },
}
_RESULT = "acgym probe result"
_ASK: Row = {"role": "user", "content": "x"}


class Render(Protocol):
    """Renders rows with a chat template."""

    def __call__(self, chat: list[Row], tools: list[ToolSpec] | None = None, open_turn: bool = False) -> str:
        """Return the text, with the header of the assistant's next message if ``open_turn``; "" if it is refused."""


@dataclass(frozen=True, slots=True)
class ToolSyntax:
    """How one model's tool calls are read from its replies and written into its history."""

    format: ToolFormat
    round_trip: bool = False
    """Whether a call that the chat template wrote was read back equal, through the tokenizer."""
    reason: str | None = None
    """Why the round trip failed, or why another format was taken than the template seemed to ask for."""
    fields: bool = False
    """Whether calls go back in ``tool_calls``. Else in the model's own words: the template would write the same."""
    several: bool = False
    """Whether several calls of one turn go back in ``tool_calls`` too."""
    as_text: bool = False
    """Whether the template expects the arguments of past calls as JSON text instead of an object."""
    blank: str | None = ""
    """The content of a turn that is calls alone; None where the template shows no calls beside a content."""
    opened: bool = False
    """Whether every prompt ends inside a thought."""

    @property
    def facts(self) -> dict[str, Json]:
        """What a record should say about it."""
        return {
            "tool_call_parser": self.format.name,
            "round_trip": self.round_trip,
            "calls_in_history": "tool_calls" if self.fields else "words",
            **({"tool_call_note": self.reason} if self.reason else {}),
        }

    def parse(self, text: str) -> tuple[str, tuple[Call, ...]]:
        """Split a reply into action and calls: see :meth:`acgym.agents.tool_formats.families.ToolFormat.parse`."""
        return self.format.parse(text, self.opened)

    def in_fields(self, reply: Reply | None) -> bool:
        """Whether a turn's calls go back in ``tool_calls``."""
        return self.fields and reply is not None and 0 < len(reply.calls) <= (len(reply.calls) if self.several else 1)

    def turn(self, reply: Reply, at: int, guard: Guard) -> Row:
        """Write a turn whose calls go into ``tool_calls``, as message number ``at``; its thought stays in its words."""
        found = self.format.take_apart(reply.text, self.opened)
        words = (self._thought(reply.text) + (found.words if found.calls else "")).strip()
        calls = [call_row(call, _made_id(at, n), guard, self.as_text) for n, call in enumerate(reply.calls)]
        content = guard(words) if words and self.blank is not None else self.blank
        return {"role": "assistant", "content": content, "tool_calls": calls}

    def results(self, reply: Reply, at: int, observation: str, guard: Guard) -> list[Row]:
        """Write what was answered to the calls of message number ``at``.

        Where the environment answered several calls with a JSON list of as many results, each call gets its own; else
        the first gets the whole answer.
        """
        shares = shared_out(observation, len(reply.calls))
        return [
            {"role": "tool", "tool_call_id": _made_id(at, n), "name": guard(call.name), "content": guard(share)}
            for n, (call, share) in enumerate(zip(reply.calls, shares, strict=True))
        ]

    def says_the_same(self, text: str, reply: str) -> bool:
        """Whether two texts of a turn differ in nothing but spaces and the way their calls are written."""
        (words, calls), (others, other_calls) = (self.format.take_apart(each, self.opened) for each in (text, reply))
        thoughts = self._thought(text).split() == self._thought(reply).split()
        return thoughts and calls == other_calls and words.split() == others.split()

    def _thought(self, text: str) -> str:
        return text[: len(text) - len(without_thought(text, self.opened))]


def call_row(call: Call, id_: str, guard: Guard, as_text: bool = False) -> Row:
    """Write a call as a row of ``tool_calls``."""
    arguments: Json = _guarded(dict(call.arguments), guard)
    if as_text:
        arguments = json.dumps(arguments, ensure_ascii=False)
    return {"id": id_, "type": "function", "function": {"name": guard(call.name), "arguments": arguments}}


def settle(
    tokenizer: Any,
    render: Render,
    decode: Callable[[Sequence[int], ToolFormat], str],
    shows_tools: bool,
    name: str | None,
) -> ToolSyntax:
    """Choose the format, and try it: a call that the chat template writes must be read back from its token ids.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        render: renders with that template.
        decode: turns ids into text as replies are decoded, with the marks of a format kept.
        shows_tools: whether the template shows tools. If not, they are shown in words, with the format to be used.
        name: the format that a user asked for; None to tell it from the template and the tokenizer, and where the
            template writes calls in another known format, to take that one.

    Warns:
        UserWarning: if the round trip fails; ``reason`` says why.

    Raises:
        ValueError: if there is no format of that name.
    """
    template = str(tokenizer.chat_template)
    added = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    chosen = format_named(name) if name else (detect(template, added) if shows_tools else None) or HERMES
    trial = _Trial(tokenizer, render, decode, [_SPEC] if shows_tools else None)
    opened = render([_ASK], trial.tools, True).rstrip().endswith(("<think>", "[THINK]"))
    syntax = replace(trial.settled(chosen, bool(name), shows_tools or bool(name)), opened=opened)
    if not syntax.round_trip:
        warnings.warn(
            f"tool calls are read as {syntax.format.name!r}, which could not be confirmed: {syntax.reason}. Name the "
            f"format that the model was trained on, if it is another: {', '.join(FORMATS)}",
            stacklevel=4,
        )
    return syntax


@dataclass(frozen=True, slots=True)
class _Trial:
    """One chat template, tried out."""

    tokenizer: Any
    render: Render
    decode: Decode
    tools: list[ToolSpec] | None

    def settled(self, chosen: ToolFormat, named: bool, in_fields: bool) -> ToolSyntax:
        """Find out how calls go back to the model, beginning with ``tool_calls``."""
        ways = [
            ToolSyntax(chosen, fields=True, as_text=as_text, blank=blank)
            for as_text, blank in product((False, True), ("", None))
        ]
        shown = [way for way in ways if _CALL.name in self.turn(way)] if in_fields else []
        for other in [chosen, *([] if named else [HERMES, *FORMATS.values()])]:
            for way in (replace(each, format=other) for each in shown):
                if self.reads(way, 1):
                    note = f"the chat template writes calls in the format {other.name!r}, not {chosen.name!r}"
                    return self.finished(replace(way, round_trip=True, reason=None if other is chosen else note))
        in_words = self.reads(ToolSyntax(chosen), 1)
        if shown:
            wrote = excerpt(self.turn(shown[0]), 120)
            reason = f"the chat template writes a call as {wrote}, which " + (
                f"the format {chosen.name!r} does not read" if named else "no known format reads"
            )
            return ToolSyntax(chosen, reason=reason)
        reason = "a call in words does not come through the chat template and the tokenizer unchanged"
        return ToolSyntax(chosen, round_trip=in_words, reason=None if in_words else reason)

    def finished(self, way: ToolSyntax) -> ToolSyntax:
        """Take the model's own words where the template would write the same, or shows no results of calls."""
        rows = self.rows(way, 1)
        results = way.results(_said(way.format, 1), 1, _RESULT, str)
        full = self.render([*rows, *results], self.tools)
        plain = self.render([*self.rows(ToolSyntax(way.format), 1), {"role": "tool", "content": _RESULT}], self.tools)
        special = set(self.tokenizer.all_special_tokens)
        special |= {str(token) for token in self.tokenizer.added_tokens_decoder.values() if token.special}
        spelled = any(token in way.format.write([_CALL]) for token in special)
        if _RESULT not in full or (full.split() == plain.split() and not spelled):
            return ToolSyntax(way.format, round_trip=way.round_trip, reason=way.reason)
        return replace(way, several=self.reads(way, 2))

    def reads(self, way: ToolSyntax, count: int) -> bool:
        """Whether a turn of so many calls is read back equal."""
        found = way.format.take_apart(self.turn(way, count)).calls
        return len(found) == count and all(call == _CALL for call in found)

    def turn(self, way: ToolSyntax, count: int = 1) -> str:
        """Return a turn as a reply of its tokens would be decoded: what the template writes after the open header."""
        before = self.encode(self.render([_ASK], self.tools, True))
        after = self.encode(self.render(self.rows(way, count), self.tools))
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
        return self.decode(after[shared:], way.format).strip()

    def rows(self, way: ToolSyntax, count: int) -> list[Row]:
        """Return a question, and an answer of so many calls."""
        said = _said(way.format, count)
        return [_ASK, way.turn(said, 1, str) if way.fields else {"role": "assistant", "content": said.text}]

    def encode(self, text: str) -> list[int]:
        """Return token ids."""
        return list(self.tokenizer.encode(text, add_special_tokens=False))


def ids_of(tokenizer: Any, tokens: Sequence[str]) -> frozenset[int]:
    """Return the ids of tokens; those that are no single token of the tokenizer are left out."""
    ids = (tokenizer.convert_tokens_to_ids(token) for token in tokens)
    return frozenset(id_ for id_ in ids if id_ is not None and id_ != tokenizer.unk_token_id)


def _said(format_: ToolFormat, count: int) -> Reply:
    calls = (_CALL,) * count
    return Reply(format_.write(calls), "", calls)


def _guarded(value: Json, guard: Guard) -> Json:
    """Guard every string in a JSON value."""
    if isinstance(value, str):
        return guard(value)
    if isinstance(value, list):
        return [_guarded(item, guard) for item in value]
    if isinstance(value, dict):
        return {guard(key): _guarded(item, guard) for key, item in value.items()}
    return value


def _made_id(at: int, number: int) -> str:
    """Make an id of nine letters and digits, which Mistral's templates insist on; another one for every call."""
    return f"c{at % 10_000:04d}{number % 10_000:04d}"
