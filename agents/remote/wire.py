"""Conversations as OpenAI's chat completions protocol writes them, and replies as it answers them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from acgym.agents.remote.http import BadAnswer
from acgym.agents.tool_formats.families import HERMES, ToolFormat
from acgym.agents.tool_formats.in_words import tools_in_words
from acgym.text import NotJson, read_json
from acgym.tool_calls import read_calls, shared_out
from acgym.types import Call, Json, Message, Reply, ToolSpec, calls_to_action

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RemoteReply(Reply):
    """What a server said, with what its next request must repeat."""

    content: str = ""
    """The words that the server answered beside its tool calls; they go back as they came."""
    call_ids: tuple[str, ...] = ()
    """The ids that the server gave its tool calls; empty if it gave no call, or one in words."""
    prompt_tokens: int | None = None
    """As the server counts them; None if it does not."""
    completion_tokens: int | None = None


def native_request(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> dict[str, Json]:
    """Write a conversation with the tools in a field of their own.

    An assistant's calls go back with the ids that they came with, and each result names the call that it answers. Where
    a turn had several calls and the environment answered with a JSON list of as many results, each call gets its own;
    else the first gets the whole answer. Calls that the server left in the words go back in the words.
    """
    chat: list[dict[str, Json]] = []
    last: Reply | None = None
    for at, message in enumerate(messages):
        if message.reply is not None:
            last = message.reply
            chat.append({"role": "assistant", "content": _content(last)})
            if last.calls and not _in_words(last):
                rows = zip(last.calls, _ids(last, at), strict=True)
                chat[-1]["tool_calls"] = [_written(call, id_) for call, id_ in rows]
        elif message.role == "tool" and last is not None and last.calls:
            ids = _ids(last, at - 1)[: 1 if _in_words(last) else None]
            rows_of = zip(ids, shared_out(message.content, len(ids)), strict=True)
            chat += [{"role": "tool", "tool_call_id": id_, "content": result} for id_, result in rows_of]
        else:
            chat.append({"role": message.role, "content": message.content})
    return {"messages": chat, **({"tools": [dict(tool) for tool in tools]} if tools else {})}


def text_request(
    messages: Sequence[Message], tools: Sequence[ToolSpec], syntax: ToolFormat = HERMES
) -> dict[str, Json]:
    """Write a conversation in words alone: the tools in front of the first message, results as the user's words."""
    chat: list[dict[str, Json]] = []
    for message in messages:
        words, reply = message.content, message.reply
        if isinstance(reply, RemoteReply):
            words = reply.content
            if reply.call_ids:  # a server that finds calls in words takes them out of the words
                words = f"{words}\n{syntax.write(reply.calls)}".lstrip()
        chat.append({"role": "user" if message.role == "tool" else message.role, "content": words})
    if tools and chat:
        chat[0]["content"] = f"{tools_in_words(tools, syntax)}\n\n{chat[0]['content']}"
    return {"messages": chat}


def read_reply(answer: Json, syntax: ToolFormat = HERMES, tools: Sequence[ToolSpec] = ()) -> RemoteReply:
    """Read the answer to a request for a chat completion.

    Tool calls in their own field become the action in canonical form; arguments may be a JSON text, an object, or
    nothing. If the model wrote arguments that are no JSON object, the action is the call as it was written: bad words
    of the model are for the environment to judge. Without such calls, the words are read as ``syntax``, with the
    types that ``tools`` give. Reasoning that comes in a field of its own is part of the text, in ``<think>`` tags, and
    never of the action.

    Raises:
        acgym.agents.remote.http.BadAnswer: if the answer is not of the protocol: that is the server's fault, not the
            model's.
    """
    choices = _field(answer, "choices", list, None)
    if not choices:
        raise BadAnswer("'choices' is empty")
    message = _field(choices[0], "message", dict, None)
    content = _words(message)
    thought = _field(message, "reasoning_content", str, "") or _field(message, "reasoning", str, "")
    rows = [_row(row) for row in _field(message, "tool_calls", list, [])]
    usage = _field(answer, "usage", dict, {})
    calls = tuple(call for call in (_call(name, arguments) for _, name, arguments in rows) if call is not None)
    ids: tuple[str, ...] = ()
    if not rows:
        action, calls = syntax.parse(content, tools=tools)
        said = content
    elif len(calls) < len(rows):
        action = "\n".join(f'{{"name": {json.dumps(name)}, "arguments": {given}}}' for _, name, given in rows)
        said = content = f"{content}\n{action}".lstrip("\n")
        calls = ()
    else:
        action = calls_to_action(calls)
        said = f"{content}\n{syntax.write(calls)}".lstrip("\n")
        ids = tuple(id_ or _made_id(0, at) for at, (id_, _, _) in enumerate(rows))
    return RemoteReply(
        text=f"<think>\n{thought}\n</think>\n\n{said}" if thought else said,
        action=action,
        calls=calls,
        finish_reason="length" if _field(choices[0], "finish_reason", str, "") == "length" else "stop",
        content=content,
        call_ids=ids,
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
    )


def _content(reply: Reply) -> str:
    """Return the words that go back beside a reply's calls."""
    if isinstance(reply, RemoteReply):
        return reply.content
    return "" if reply.calls else reply.text  # of an agent that writes calls into its text


def _in_words(reply: Reply) -> bool:
    """Whether a server left the calls of a reply in its words."""
    return isinstance(reply, RemoteReply) and bool(reply.calls) and not reply.call_ids


def _ids(reply: Reply, at: int) -> tuple[str, ...]:
    """Return the ids of a reply's calls; made ones if no server gave them."""
    if isinstance(reply, RemoteReply) and reply.call_ids:
        return reply.call_ids
    return tuple(_made_id(at, number) for number in range(len(reply.calls)))


def _made_id(at: int, number: int) -> str:
    """Make an id of nine letters and digits, which every known server takes (Mistral's takes no other)."""
    return f"c{at % 10_000:04d}{number % 10_000:04d}"


def _written(call: Call, id_: str) -> dict[str, Json]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    return {"id": id_, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _field(value: Json, name: str, kind: type[T], default: T | None) -> T:
    """Return a field of the right type; absent and null are the default, if there is one."""
    if not isinstance(value, dict):
        raise BadAnswer(f"expected an object with {name!r}, got {type(value).__name__}")
    found = value.get(name)
    if found is None and default is not None:
        return default
    if not isinstance(found, kind):
        raise BadAnswer(f"{name!r} must be of type {kind.__name__}, got {type(found).__name__}")
    return found


def _words(message: dict[str, Json]) -> str:
    """Return a message's words: text, a list of parts with text, or a refusal."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(_field(part, "text", str, "") for part in content)
    return _field(message, "content", str, "") or _field(message, "refusal", str, "")


def _row(row: Json) -> tuple[str, str, str]:
    """Return id, name and arguments of a tool call as they came; an id that is missing is empty."""
    function = _field(row, "function", dict, None)
    given = function.get("arguments")
    arguments = given if isinstance(given, str) else json.dumps({} if given is None else given)
    return _field(row, "id", str, ""), _field(function, "name", str, None), arguments.strip() or "{}"


def _call(name: str, arguments: str) -> Call | None:
    """Read a call whose arguments are JSON text; None if they are no object that every reader of JSON reads alike."""
    try:
        value = read_json(arguments)
    except NotJson:
        return None
    calls = read_calls(json.dumps({"name": name, "arguments": value})) if isinstance(value, dict) else ()
    return calls[0] if calls else None


def _count(usage: dict[str, Json], name: str) -> int | None:
    found = usage.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
