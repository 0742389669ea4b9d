"""Conversations and replies in the chat completions protocol: what is written, what is read, what is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.agents.remote.http import BadAnswer
from acgym.agents.remote.wire import native_request, read_reply, text_request
from acgym.agents.tool_formats.families import format_named
from acgym.agents.tool_formats.in_words import tools_in_words
from acgym.tool_calls import read_calls
from acgym.types import Call, Message, Reply, calls_to_action
from tests.helpers.misbehaving_server import completion

TOOL = {"type": "function", "function": {"name": "add", "description": "Add.", "parameters": {"type": "object"}}}
ONE = Call("add", {"a": 1})


def reply_of(**message):
    return read_reply(completion(message))


def native(name, arguments, id_="id1"):
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_native_turns_keep_ids_and_words():
    """Two turns by hand: words beside a call, its result, then two calls at once and a list of two results."""
    first = read_reply(completion({"content": "I add.", "tool_calls": [native("add", '{"a": 1}', "abc")]}))
    second = reply_of(tool_calls=[native("add", '{"a": 1}', "x"), native("list", "", "y")])
    talk = [
        Message("user", "Go."),
        Message("assistant", first.text, first),
        Message("tool", '{"sum": 2}'),
        Message("assistant", second.text, second),
        Message("tool", '[{"sum": 3}, "none"]'),
    ]
    assert native_request(talk, (TOOL,)) == {
        "messages": [
            {"role": "user", "content": "Go."},
            {"role": "assistant", "content": "I add.", "tool_calls": [native("add", '{"a": 1}', "abc")]},
            {"role": "tool", "tool_call_id": "abc", "content": '{"sum": 2}'},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [native("add", '{"a": 1}', "x"), native("list", "{}", "y")],
            },
            {"role": "tool", "tool_call_id": "x", "content": '{"sum": 3}'},
            {"role": "tool", "tool_call_id": "y", "content": '"none"'},
        ],
        "tools": [TOOL],
    }
    one_result = native_request([*talk[:4], Message("tool", "Too many calls.")], ())["messages"]
    assert [message["content"] for message in one_result[-2:]] == ["Too many calls.", ""]
    assert second.action == '[{"name": "add", "arguments": {"a": 1}}, {"name": "list", "arguments": {}}]'


def test_calls_that_a_server_leaves_in_the_words_go_back_in_the_words():
    said = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'
    reply = reply_of(content=said)
    assert (reply.calls, reply.call_ids) == ((ONE,), ())
    talk = [Message("user", "Go."), Message("assistant", reply.text, reply), Message("tool", "2")]
    *_, assistant, result = native_request(talk, ())["messages"]
    assert assistant == {"role": "assistant", "content": said}
    assert (result["role"], result["content"]) == ("tool", "2")


def test_calls_of_another_agent_get_ids():
    """As where a remote agent takes over from a local or a recorded one."""
    other = Reply("<tool_call>...", calls_to_action((ONE, ONE)), (ONE, ONE), (1, 2), (3,))
    talk = [Message("user", "Go."), Message("assistant", other.text, other), Message("tool", "[1, 2]")]
    *_, assistant, first, second = native_request(talk, ())["messages"]
    ids = [call["id"] for call in assistant["tool_calls"]]
    assert [first["tool_call_id"], second["tool_call_id"]] == ids
    assert len(set(ids)) == 2
    assert all(len(id_) == 9 and id_.isalnum() for id_ in ids)
    assert assistant["content"] == ""


def test_text_mode_tells_tools_in_the_first_message_and_results_in_the_users_words():
    first = reply_of(content="Let me.", tool_calls=[native("add", '{"a": 1}')])  # of a server that parses all the same
    talk = [Message("user", "Go."), Message("assistant", first.text, first), Message("tool", "2")]
    body = text_request(talk, (TOOL,))
    assert "tools" not in body
    assert body["messages"] == [
        {"role": "user", "content": f"{tools_in_words((TOOL,))}\n\nGo."},
        {
            "role": "assistant",
            "content": 'Let me.\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>',
        },
        {"role": "user", "content": "2"},
    ]
    assert talk[0].content == "Go."


# What is made of the answers.


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ("", {}),
        (None, {}),
        (" {} ", {}),
        ('{"a": {"b": [1, "ü"]}}', {"a": {"b": [1, "ü"]}}),
    ],
)
def test_arguments_in_every_form(arguments, found):
    reply = reply_of(tool_calls=[native("add", arguments)])
    assert reply.calls == (Call("add", found),)
    assert read_calls(reply.action) == reply.calls
    assert reply.call_ids == ("id1",)


@pytest.mark.parametrize(
    "arguments", ['{"a": 1', "[1]", "1", "NaN", '{"a": 1e999}', '{}, "name": "other"', "[[" * 9999]
)
def test_broken_arguments_are_the_models_fault_and_reach_the_environment(arguments):
    reply = reply_of(content="So:", tool_calls=[native("add", arguments), native("add", "{}")])
    assert reply.calls == reply.call_ids == ()
    assert read_calls(reply.action) == ()
    assert arguments in reply.action
    talk = [Message("user", "Go."), Message("assistant", reply.text, reply), Message("user", "No JSON.")]
    sent = native_request(talk, ())["messages"]
    assert arguments in sent[1]["content"]
    assert "tool_calls" not in sent[1]
    assert sent[2] == {"role": "user", "content": "No JSON."}


def test_reasoning_is_text_and_never_action():
    reply = reply_of(content="42", reasoning_content="</think>7 or <tool_call>")
    assert reply.action == "42"
    assert reply.text.startswith("<think>")
    assert reply.text.endswith("42")
    talk = [Message("user", "?"), Message("assistant", reply.text, reply), Message("user", "Sure?")]
    for write in (native_request, text_request):
        assert write(talk, ())["messages"][1] == {"role": "assistant", "content": "42"}


def test_words_in_parts_refusals_and_nothing():
    assert reply_of(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]).action == "ab"
    assert reply_of(content=None, refusal="I will not.").action == "I will not."
    assert reply_of(content=None).action == ""
    assert reply_of().action == ""


def test_end_and_usage():
    cut = read_reply({**completion({"content": "a"}, "length"), "usage": None})
    assert (cut.finish_reason, cut.prompt_tokens, cut.completion_tokens) == ("length", None, None)
    odd = read_reply({**completion({"content": "a"}, None), "usage": {"prompt_tokens": True, "completion_tokens": -1}})
    assert (odd.finish_reason, odd.prompt_tokens, odd.completion_tokens) == ("stop", None, None)


@pytest.mark.parametrize(
    "answer",
    [
        *(None, [], "x", 1, {}, {"choices": {}}, {"choices": []}, {"choices": [1]}, {"choices": [{}]}),
        completion({"content": 5}),
        completion({"content": ["a"]}),
        completion({"tool_calls": "add"}),
        completion({"tool_calls": [None]}),
        completion({"tool_calls": [{"id": "x"}]}),
        completion({"tool_calls": [native(None, "{}")]}),
        completion({"tool_calls": [native("add", "{}", 7)]}),
        completion({"content": "a"}, ["stop"]),
        {**completion({"content": "a"}), "usage": 3},
    ],
)
def test_answer_outside_the_protocol_is_the_servers_fault(answer):
    with pytest.raises(BadAnswer):
        read_reply(answer)


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(LEAF, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.text(min_size=1), st.dictionaries(st.text(), JSON)), min_size=1, max_size=3),
    st.text(st.characters()),
)
def test_any_native_call_comes_back_as_it_was(made, words):
    """Round trip: what was read is sent back as the server wrote it."""
    rows = [native(name, json.dumps(arguments), f"i{at}") for at, (name, arguments) in enumerate(made)]
    reply = reply_of(content=words, tool_calls=rows)
    talk = [Message("user", "?"), Message("assistant", reply.text, reply)]
    sent = native_request(talk, ())["messages"][1]
    if reply.calls:
        assert [json.loads(row["function"]["arguments"]) for row in sent["tool_calls"]] == [dict(a) for _, a in made]
        assert [row["id"] for row in sent["tool_calls"]] == [row["id"] for row in rows]
        assert sent["content"] == words
    else:  # NaN and infinity are no JSON
        assert any(word in json.dumps([a for _, a in made]) for word in ("NaN", "Infinity"))


@given(JSON | st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"message": JSON}))}))
def test_any_json_is_a_reply_or_a_bad_answer(answer):
    with contextlib.suppress(BadAnswer):
        read_reply(answer)


def test_other_tool_formats_in_words():
    """Asked for and read as the format says; canonical for the environment all the same."""
    mistral = format_named("mistral")
    asked = text_request([Message("user", "Go.")], (TOOL,), mistral)["messages"][0]["content"]
    assert "[TOOL_CALLS]" in asked
    assert "<tool_call>" not in asked
    said = '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}]'
    assert read_reply(completion({"content": said}), mistral).calls == (ONE,)
    assert read_reply(completion({"content": said})).calls == ()
