"""Conversations with tool calls, rendered by the chat template of a model family."""

from __future__ import annotations

from acgym.agents.prompt import PromptBuilder
from acgym.types import Message, Reply
from tests.helpers.tool_families import tokenizer

TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look up.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string", "description": "What."}}},
    },
}


def builder(family, name=None):
    return PromptBuilder(tokenizer(family), family, name)


def said(build, messages, text):
    """The conversation after the model has said ``text``, and the token that its template ends a turn with."""
    ids = build.tokenizer.encode(text.strip() if build.call_ends else text, add_special_tokens=False)
    end = [] if build.turn_end is None else [build.turn_end]
    if ids[-1] in build.call_ends:
        end = [ids.pop()]
    heard = build.said(ids)
    action, calls = build.tools.parse(heard)
    reply = Reply(heard, action, calls, tuple(build.ids(messages, [TOOL])), (*ids, *end))
    return [*messages, Message("assistant", heard, reply)]


def text_of(build, ids):
    return build.tokenizer.decode(ids, skip_special_tokens=False)
