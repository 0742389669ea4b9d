"""Writes conversations as chat JSONL: messages and tools in OpenAI form, a conversation a line, as TRL's SFT reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import gymnasium as gym

from acgym.agents.tool_formats.in_words import tools_in_words
from acgym.demonstrations import demonstrate
from acgym.files import write_whole
from acgym.record.episode import Episode
from acgym.seeds import TRAINING_SEEDS
from acgym.tool_calls import render_hermes, shared_out, whole_json
from acgym.train.mix import Part
from acgym.types import Call, Json, Message, Reply, ToolSpec, calls_to_action


def demonstrated(
    mix: Sequence[Part], count: int, seed: int = 0
) -> Iterator[tuple[Sequence[Message], Sequence[ToolSpec]]]:
    """Let the oracle play on the training split.

    Args:
        mix: of which each part gets its share of the conversations, at least one.
        count: conversations in all.
        seed: moves on to other conversations; 0 or larger.

    Yields:
        Messages and tools of each conversation, part by part.
    """
    whole = sum(part.share for part in mix)
    for part in mix:
        env = gym.make(part.env, disable_env_checker=True, **part.kwargs)
        wanted = max(1, round(count * part.share / whole))
        first = TRAINING_SEEDS[0] + 10**12 * (1 + seed)
        for number in range(wanted):
            found = demonstrate(env, first + number, "train")
            yield found.messages, found.tools
        env.close()


def recorded(episodes: Iterable[Episode]) -> Iterator[tuple[Sequence[Message], Sequence[ToolSpec]]]:
    """Yield messages and tools of recorded episodes, without what the environment said last."""
    for episode in episodes:
        messages: list[Message] = []
        for turn in episode.turns:
            messages.append(Message(turn.role, turn.observation))
            messages.append(Message("assistant", turn.text, Reply(turn.text, turn.action, whole_json(turn.action))))
        if messages:
            yield messages, episode.tools


def chat_row(messages: Sequence[Message], tools: Sequence[ToolSpec], in_words: bool = False) -> dict[str, Json]:
    """Return a conversation as a JSON object.

    Args:
        messages: the conversation.
        tools: that may be called in it.
        in_words: for models whose chat template shows no tools: they are described in front of the first message, as
            acgym's agents show them to such models, and calls stand in the text, in Hermes syntax.

    Returns:
        ``messages`` (``role``, ``content``, for calls ``tool_calls`` with ``id``, ``type`` and ``function``, for their
        results ``tool_call_id`` and ``name``) and ``tools`` (OpenAI function form; empty for a conversation in words).
    """
    rows: list[dict[str, Json]] = []
    waiting: list[tuple[str, str]] = []  # id and name of the calls that are not answered yet
    ahead = tools_in_words(tools) + "\n\n" if in_words and tools else ""
    for at, message in enumerate(messages):
        calls: tuple[Call, ...] = () if message.reply is None else message.reply.calls
        if calls and in_words:
            rows.append({"role": "assistant", "content": render_hermes(calls_to_action(calls))})
        elif calls:
            waiting = [(f"c{at:04d}{number:04d}", call.name) for number, call in enumerate(calls)]
            written = [
                {"id": id_, "type": "function", "function": {"name": call.name, "arguments": dict(call.arguments)}}
                for (id_, _), call in zip(waiting, calls, strict=True)
            ]
            rows.append({"role": "assistant", "content": "", "tool_calls": written})
        elif message.role == "tool" and waiting:
            shares = shared_out(message.content, len(waiting))
            rows += [_result(id_, name, share) for (id_, name), share in zip(waiting, shares, strict=True)]
            waiting = []
        else:
            rows.append({"role": message.role, "content": ahead + message.content})
            ahead = ""
    return {"messages": rows, "tools": [] if in_words else [dict(tool) for tool in tools]}


def _result(id_: str, name: str, content: str) -> dict[str, Json]:
    return {"role": "tool", "tool_call_id": id_, "name": name, "content": content}


def write_chats(
    conversations: Iterable[tuple[Sequence[Message], Sequence[ToolSpec]]], file: Path, in_words: bool = False
) -> int:
    """Write conversations to a file, one a line, replacing it in one go; return how many there are.

    Raises:
        OSError: if it cannot be written.
    """
    lines = [json.dumps(chat_row(messages, tools, in_words), ensure_ascii=False) for messages, tools in conversations]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass"))
    return len(lines)
