"""Settles how one model's calls are read and how they go back to it: tried out on its own chat template beforehand."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product, takewhile
from typing import Any, Protocol, TypeAlias

from acgym.agents.tool_formats.families import FORMATS, HERMES, ToolFormat, detect, format_named
from acgym.agents.tool_formats.text import OPENERS, canonical
from acgym.text import excerpt
from acgym.tool_calls import shared_out
from acgym.types import Call, Json, Message, Reply, ToolSpec

Row: TypeAlias = dict[str, Json]
"""A message as chat templates take it."""
Guard: TypeAlias = Callable[[str], str]
"""Makes text harmless that must not spell a special token."""
Decode: TypeAlias = Callable[[Sequence[int], ToolFormat], str]
"""Turns token ids into text as replies are decoded: without special tokens, except the marks of a format."""
Encode: TypeAlias = Callable[[str], list[int]]
"""Turns text into token ids, where a guard's cut is no character."""

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
_AWKWARD: dict[str, Json] = {
    "an apostrophe": "it's",
    "a line break": "a\nb",
    "a backslash": "a\\b",
    "a tag": "a </tool_call> b",
    "true and null": [True, None],
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
    altered: tuple[str, ...] = ()
    """What in the arguments of a call the template does not write so that it reads back equal."""
    keeps: bool = False
    """Whether a turn that the template would alter can go back in the model's own words instead."""
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
            **({"altered_by_template": list(self.altered), "own_tokens_kept": self.keeps} if self.altered else {}),
        }

    def parse(self, text: str, tools: Sequence[ToolSpec] = ()) -> tuple[str, tuple[Call, ...]]:
        """Split a reply into action and calls: see :meth:`acgym.agents.tool_formats.families.ToolFormat.parse`."""
        return self.format.parse(text, self.opened, tools)

    def words(self, message: Message) -> str:
        """Return what goes back as the content of a message whose calls, if any, go back in words."""
        if message.reply is None or not self.format.channels or message.reply.calls:
            return message.content
        return self.format.take_apart(message.content, self.opened).words

    def in_fields(self, reply: Reply | None) -> bool:
        """Whether a turn's calls go back in ``tool_calls``."""
        return self.fields and reply is not None and 0 < len(reply.calls) <= (len(reply.calls) if self.several else 1)

    def turn(self, reply: Reply, at: int, guard: Guard) -> Row:
        """Write a turn whose calls go into ``tool_calls``, as message number ``at``; its thought stays in its words."""
        found = self.format.take_apart(reply.text, self.opened)
        words = (self.format.thought(reply.text, self.opened) + (found.words if found.calls else "")).strip()
        ids = self._ids(reply, at)
        calls = [call_row(call, id_, guard, self.as_text) for call, id_ in zip(reply.calls, ids, strict=True)]
        content = guard(words) if words and self.blank is not None else self.blank
        return {"role": "assistant", "content": content, "tool_calls": calls}

    def results(self, reply: Reply, at: int, observation: str, guard: Guard) -> list[Row]:
        """Write what was answered to the calls of message number ``at``.

        Where the environment answered several calls with a JSON list of as many results, each call gets its own; else
        the first gets the whole answer.
        """
        shares = shared_out(observation, len(reply.calls))
        return [
            {"role": "tool", "tool_call_id": id_, "name": guard(call.name), "content": guard(share)}
            for call, id_, share in zip(reply.calls, self._ids(reply, at), shares, strict=True)
        ]

    def says_the_same(self, text: str, reply: str) -> bool:
        """Whether two texts of a turn differ in nothing but spaces and the way their calls are written."""
        (words, calls), (others, other_calls) = (self.format.take_apart(each, self.opened) for each in (text, reply))
        thought, other = (self.format.thought(each, self.opened).split() for each in (text, reply))
        return thought == other and calls == other_calls and words.split() == others.split()

    def _ids(self, reply: Reply, at: int) -> list[str]:
        return [self.format.call_id(call.name, at, n) for n, call in enumerate(reply.calls)]


def call_row(call: Call, id_: str, guard: Guard, as_text: bool = False) -> Row:
    """Write a call as a row of ``tool_calls``."""
    arguments: Json = _guarded(dict(call.arguments), guard)
    if as_text:
        arguments = json.dumps(arguments, ensure_ascii=False)
    return {"id": id_, "type": "function", "function": {"name": guard(call.name), "arguments": arguments}}


def settle(trial: Trial, shows_tools: bool, name: str | None) -> ToolSyntax:
    """Choose the format, and try it: a call that the chat template writes must be read back from its token ids.

    Args:
        trial: the chat template and its tokenizer.
        shows_tools: whether the template shows tools. If not, they are shown in words, with the format to be used.
        name: the format that a user asked for; None to tell it from the template and the tokenizer, and where the
            template writes calls in another known format, to take that one.

    Warns:
        UserWarning: if the round trip fails; ``reason`` says why.

    Raises:
        ValueError: if there is no format of that name.
    """
    template = str(trial.tokenizer.chat_template)
    added = [str(token) for token in trial.tokenizer.added_tokens_decoder.values()]
    chosen = format_named(name) if name else (detect(template, added) if shows_tools else None) or HERMES
    trial = replace(trial, tools=[_SPEC] if shows_tools else None)
    opened = trial.render([_ASK], trial.tools, True).rstrip().endswith(OPENERS)
    syntax = replace(trial.settled(chosen, bool(name), shows_tools or bool(name)), opened=opened)
    if not syntax.round_trip:
        warnings.warn(
            f"tool calls are read as {syntax.format.name!r}, which could not be confirmed: {syntax.reason}. Name the "
            f"format that the model was trained on, if it is another: {', '.join(FORMATS)}",
            stacklevel=4,
        )
    return syntax


@dataclass(frozen=True, slots=True)
class Trial:
    """One chat template, tried out."""

    tokenizer: Any
    """A transformers tokenizer with that template."""
    render: Render
    decode: Decode
    encode: Encode
    guard: Guard
    tools: list[ToolSpec] | None = None

    def settled(self, chosen: ToolFormat, named: bool, in_fields: bool) -> ToolSyntax:
        """Find out how calls go back to the model, beginning with ``tool_calls``."""
        ways = [
            ToolSyntax(chosen, fields=True, as_text=as_text, blank=blank)
            for as_text, blank in product((False, True), ("", None))
        ]
        wrote = {way: self.turn(way) for way in ways} if in_fields else {}
        shown = [way for way, text in wrote.items() if _CALL.name in text]
        for other in [chosen, *([] if named else [HERMES, *FORMATS.values()])]:
            for way in (replace(each, format=other) for each in shown):
                if self.reads(way):
                    note = f"the chat template writes calls in the format {other.name!r}, not {chosen.name!r}"
                    return self.finished(replace(way, round_trip=True, reason=None if other is chosen else note))
        texts = [wrote[way] for way in shown] or [text for way, text in wrote.items() if text != self.silent(way)]
        if texts:
            known = f"the format {chosen.name!r} does not read" if named else "no known format reads"
            known = known if shown else "does not show what was called"
            return ToolSyntax(
                chosen, reason=f"the chat template writes a call as {excerpt(texts[0], 120)}, which {known}"
            )
        in_words = self.reads(ToolSyntax(chosen))
        reason = "a call in words does not come through the chat template and the tokenizer unchanged"
        return ToolSyntax(chosen, round_trip=in_words, reason=None if in_words else reason)

    def finished(self, way: ToolSyntax) -> ToolSyntax:
        """Take the model's own words where the template would write the same, or shows no results of calls."""
        rows = self.rows(way, [_CALL])
        results = way.results(_said(way.format, [_CALL]), 1, _RESULT, str)
        in_words = self.rows(ToolSyntax(way.format), [_CALL])
        full = self.render([*rows, *results], self.tools)
        plain = self.render([*in_words, {"role": "tool", "content": _RESULT}], self.tools)
        special = set(self.tokenizer.all_special_tokens)
        special |= {str(token) for token in self.tokenizer.added_tokens_decoder.values() if token.special}
        spelled = any(token in way.format.write([_CALL]) for token in special)
        if _RESULT not in full or (full.split() == plain.split() and not spelled):
            return ToolSyntax(way.format, round_trip=way.round_trip, reason=way.reason)
        altered = [
            what for what, value in _AWKWARD.items() if not self.reads(way, [Call(_CALL.name, {"words": value})])
        ]
        keeps = _RESULT in self.render([*in_words, *results], self.tools)
        return replace(way, several=self.reads(way, [_CALL, _CALL]), altered=tuple(altered), keeps=keeps)

    def reads(self, way: ToolSyntax, calls: Sequence[Call] = (_CALL,)) -> bool:
        """Whether a turn of these calls is read back equal."""
        found = way.format.take_apart(self.turn(way, calls)).calls
        return canonical(found) == canonical(way.format.untyped(calls))

    def turn(self, way: ToolSyntax, calls: Sequence[Call] = (_CALL,)) -> str:
        """Return a turn as a reply of its tokens would be decoded: what the template writes after the open header."""
        return self._behind_header(self.rows(way, calls), way.format)

    def silent(self, way: ToolSyntax) -> str:
        """Return the turn of such a way that has no calls."""
        return self._behind_header([_ASK, {"role": "assistant", "content": way.blank}], way.format)

    def _behind_header(self, rows: list[Row], format_: ToolFormat) -> str:
        before = self.encode(self.render([_ASK], self.tools, True))
        after = self.encode(self.render(rows, self.tools))
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
        return self.decode(after[shared:], format_).strip()

    def rows(self, way: ToolSyntax, calls: Sequence[Call]) -> list[Row]:
        """Return a question, and an answer of these calls."""
        said = _said(way.format, calls)
        way = replace(way, opened=False)  # no thought stands before these calls
        answer = way.turn(said, 1, self.guard) if way.fields else {"role": "assistant", "content": said.text}
        return [_ASK, answer]


def ids_of(tokenizer: Any, tokens: Sequence[str]) -> frozenset[int]:
    """Return the ids of tokens; those that are no single token of the tokenizer are left out."""
    ids = (tokenizer.convert_tokens_to_ids(token) for token in tokens)
    return frozenset(id_ for id_ in ids if id_ is not None and id_ != tokenizer.unk_token_id)


def _said(format_: ToolFormat, calls: Sequence[Call]) -> Reply:
    return Reply(format_.write(calls), "", tuple(calls))


def _guarded(value: Json, guard: Guard) -> Json:
    """Guard every string in a JSON value."""
    if isinstance(value, str):
        return guard(value)
    if isinstance(value, list):
        return [_guarded(item, guard) for item in value]
    if isinstance(value, dict):
        return {guard(key): _guarded(item, guard) for key, item in value.items()}
    return value
