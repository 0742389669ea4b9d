"""Conversations of a JSONL file, put through a model's own chat template."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from acgym.agents.base import AgentFailure
from acgym.agents.template_date import on_one_day
from acgym.tool_calls import render_hermes
from acgym.types import Call, Json, Message, Role, ToolSpec, calls_to_action

if TYPE_CHECKING:
    from acgym.agents.prompt import PromptBuilder

MOST_BYTES = 64 << 20
"""Of one line: a conversation longer than this is longer than any context window."""
_SHAPE = '{"messages": [{"role": "user", "content": "..."}, ...], "tools": [...]}'
_ROLES: tuple[str, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation in OpenAI form: messages with ``role``, ``content`` and perhaps ``tool_calls``; tools."""

    messages: tuple[dict[str, Json], ...]
    tools: tuple[ToolSpec, ...] = ()


class ChatTokens(NamedTuple):
    """A conversation as a model reads it."""

    ids: list[int]
    adapted: bool
    """Whether the template could not show all of it, so that a part was written in words (see :func:`chat_tokens`)."""


class ChatLine(NamedTuple):
    """A line of a file of conversations."""

    number: int
    """From 1."""
    start: int
    """Where it begins, in bytes."""
    content: bytes


def chat_lines(path: str | Path) -> Iterator[ChatLine]:
    """Go through the lines that are not blank, one in memory at a time.

    Raises:
        FileNotFoundError: if the file is not there.
        ValueError: if it holds no line, or one of more than 64 MiB.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"there are no calibration chats at {str(path)!r}")
    start, number, found = 0, 0, False
    with file.open("rb") as stream:
        while line := stream.readline(MOST_BYTES + 1):
            number += 1
            if len(line) > MOST_BYTES:
                raise ValueError(
                    f"line {number} of {str(path)!r} has more than {MOST_BYTES >> 20} MiB; expected {_SHAPE} in "
                    "each line"
                )
            if line.strip():
                found = True
                yield ChatLine(number, start, line.rstrip(b"\r\n"))
            start += len(line)
    if not found:
        raise ValueError(f"the calibration chats {str(path)!r} are empty; expected {_SHAPE} in each line")


class DrawnChats:
    """The conversations of a file, each read when it is drawn; of the others, only where they begin is kept.

    Args:
        path: as :func:`chat_lines`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._starts, self._numbers = array("Q"), array("Q")
        for line in chat_lines(path):
            self._starts.append(line.start)
            self._numbers.append(line.number)

    def __len__(self) -> int:
        """Return the number of conversations."""
        return len(self._starts)

    def read(self, index: int) -> tuple[Chat, str]:
        """Return a conversation, and what names its line in errors; raises as :func:`read_chat`."""
        where = f"line {self._numbers[index]} of {str(self.path)!r}"
        with Path(self.path).expanduser().open("rb") as stream:
            stream.seek(self._starts[index])
            return read_chat(stream.readline(MOST_BYTES), where), where


def read_chat(line: bytes, where: str) -> Chat:
    """Read one line.

    Args:
        line: a JSON object with ``messages`` and perhaps ``tools``; other keys are left alone.
        where: file and line, for errors.

    Raises:
        ValueError: if it is anything else.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} is not JSON ({error}); expected {_SHAPE}") from None
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not messages:
        raise ValueError(f"{where} has no list of messages; expected {_SHAPE}")
    tools = row.get("tools") or []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise ValueError(f"the tools of {where} are no list of objects; expected tools in OpenAI function form")
    return Chat(tuple(_message(message, where) for message in messages), tuple(tools))


def _message(row: Json, where: str) -> dict[str, Json]:
    """Check one message; content in parts becomes one text."""
    role = row.get("role") if isinstance(row, dict) else None
    if role not in _ROLES:
        raise ValueError(f"a message of {where} has the role {role!r}; expected {', '.join(_ROLES)}")
    content = row.get("content")
    if isinstance(content, list):
        parts: list[Json] = [part.get("text") if isinstance(part, dict) else None for part in content]
        content = "".join(parts) if all(isinstance(part, str) for part in parts) else 0
    if not isinstance(content, str) and (content is not None or not row.get("tool_calls")):
        raise ValueError(f"a message of {where} holds something other than text; only text can be calibrated on")
    message = {**row, "content": content or ""}
    if row.get("tool_calls"):
        if not isinstance(row["tool_calls"], list):
            raise ValueError(f"the tool calls of a message of {where} are no list; expected OpenAI's form")
        message["tool_calls"] = [_tool_call(call, where) for call in row["tool_calls"]]
    return message


def _tool_call(row: Json, where: str) -> dict[str, Json]:
    """Check one tool call; arguments that are written as text become an object, which is what templates expect."""
    function = row.get("function", row) if isinstance(row, dict) else None
    name, arguments = (function.get("name"), function.get("arguments") or {}) if isinstance(function, dict) else (0, 0)
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise ValueError(f"a tool call of {where} has no name or no object of arguments; expected OpenAI's form")
    return {**row, "type": "function", "function": {"name": name, "arguments": arguments}}


def chat_tokens(chat: Chat, prompts: PromptBuilder, where: str) -> ChatTokens:
    """Render a conversation with the model's chat template and tokenise it.

    Where the template refuses a conversation, or its text lacks a message, a call or a tool, the conversation is
    written as acgym's agents see theirs (:class:`acgym.agents.prompt.PromptBuilder`; calls in Hermes syntax), up to the
    header of the assistant's next message.

    Raises:
        ValueError: if the template refuses that too; ``where`` names the conversation.
    """
    tokenizer = prompts.tokenizer
    try:
        text = tokenizer.apply_chat_template(
            list(chat.messages),
            tools=list(chat.tools) or None,
            chat_template=on_one_day(tokenizer.get_chat_template(tools=list(chat.tools) or None)),
            tokenize=False,
        )
    except Exception:  # templates raise whatever they like
        text = ""
    if all(part in text for part in _parts(chat)):
        return ChatTokens(tokenizer.encode(text, add_special_tokens=False, verbose=False), False)
    try:
        return ChatTokens(prompts.ids([_as_message(row) for row in chat.messages], chat.tools), True)
    except AgentFailure as error:  # names the template, the message and what it raised
        raise ValueError(f"the model's chat template cannot show {where}: {error}") from None


def _parts(chat: Chat) -> Iterator[str]:
    """What a rendered conversation must show."""
    for message in chat.messages:
        yield message["content"].strip()
        yield from (call["function"]["name"] for call in message.get("tool_calls") or ())
    for tool in chat.tools:
        function: Any = tool.get("function", tool)
        yield str(function.get("name", "")) if isinstance(function, dict) else ""


def _as_message(row: dict[str, Json]) -> Message:
    """Write a message's calls into its text."""
    calls = tuple(Call(c["function"]["name"], c["function"]["arguments"]) for c in row.get("tool_calls") or ())
    said = [row["content"], render_hermes(calls_to_action(calls)) if calls else ""]
    return Message(cast(Role, row["role"]), "\n".join(filter(None, said)))
