"""Conversations are written as chat JSONL that trainers and calibration read."""

from __future__ import annotations

import json

import pytest

from acgym.agents.scripted import Oracle
from acgym.agents.tool_formats.in_words import tools_in_words
from acgym.calibrate.chats import chat_tokens, read_chat
from acgym.demonstrations import demonstrations
from acgym.loop import play
from acgym.tool_calls import parse_reply
from acgym.train.chats import spoken
from acgym.train.export_chats import chat_row, demonstrated, recorded, write_chats
from acgym.train.mix import Part
from acgym.types import Call, Message, Reply
from tests.helpers import small_agent

NEEDLE, TOOL_CALL = "ACB/Needle-v0", "ACB/ToolCall-v0"
MIX = (Part(NEEDLE, {"level": 1}, 3.0), Part(TOOL_CALL, {"level": 1}))


def test_demonstrations_are_shared_out_and_written_a_line_each(tmp_path):
    file = tmp_path / "new" / "chats.jsonl"
    assert write_chats(demonstrated(MIX, 4), file) == 4
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [bool(row["tools"]) for row in rows] == [False, False, False, True]
    assert rows[0]["messages"][-1]["content"].rpartition("\n")[2].startswith("Answer: ")
    calls = [call for message in rows[3]["messages"] for call in message.get("tool_calls", ())]
    assert isinstance(calls[0]["function"]["arguments"], dict)
    answered = [message["tool_call_id"] for message in rows[3]["messages"] if message["role"] == "tool"]
    assert answered == [call["id"] for call in calls][: len(answered)]
    assert len({call["id"] for call in calls}) == len(calls)
    others = [chat_row(*one) for one in demonstrated(MIX, 4, seed=1)]
    assert others != rows


def test_calibration_reads_what_was_written():
    from acgym.agents.prompt import PromptBuilder

    prompts = PromptBuilder(small_agent.tokenizer(), "small")
    (demonstration,) = demonstrations(TOOL_CALL, range(1), "train", level=1)
    line = json.dumps(chat_row(demonstration.messages, demonstration.tools)).encode()
    ids = chat_tokens(read_chat(line, "line 1"), prompts, "line 1").ids
    assert prompts.tokenizer.decode(ids).count("<tool_call>") == prompts.tokenizer.decode(
        spoken(prompts, demonstration)[0].ids
    ).count("<tool_call>")


def test_in_words_a_model_without_tools_in_its_template_sees_what_agents_show_it():
    (demonstration,) = demonstrations(TOOL_CALL, range(1), "train", level=1)
    row = chat_row(demonstration.messages, demonstration.tools, in_words=True)
    assert row["tools"] == []
    assert row["messages"][0]["content"] == (
        tools_in_words(demonstration.tools) + "\n\n" + demonstration.messages[0].content
    )
    assert all(set(message) == {"role", "content"} for message in row["messages"])
    assert parse_reply(row["messages"][1]["content"])[1] == demonstration.messages[1].reply.calls


def test_several_calls_have_a_result_each():
    reply = Reply("", "", (Call("a", {"x": 1}), Call("b", {})))
    messages = [Message("user", "go"), Message("assistant", "", reply), Message("tool", "[1, 2]")]
    rows = chat_row(messages, ())["messages"]
    assert [(row["name"], row["content"]) for row in rows[2:]] == [("a", "1"), ("b", "2")]
    assert [row["tool_call_id"] for row in rows[2:]] == [call["id"] for call in rows[1]["tool_calls"]]


@pytest.mark.parametrize("env", [NEEDLE, TOOL_CALL])
def test_recorded_episodes_are_the_demonstrations_again(env):
    episodes = play(Oracle(), env, range(2), kwargs={"level": 1}, split="train")
    rows = [chat_row(*one) for one in recorded(episodes)]
    assert rows == [chat_row(d.messages, d.tools) for d in demonstrations(env, range(2), "train", level=1)]
