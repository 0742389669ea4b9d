"""Agents behind a server: what is sent, what is made of the answers, and how tools are told."""

from __future__ import annotations

import asyncio
import json

import pytest

import acgym
from acgym.agents.base import AgentFailure
from acgym.agents.decoding import Decoding
from acgym.agents.remote.agent import RemoteAgent
from acgym.agents.remote.spec import Limits, parse_endpoint
from acgym.agents.remote.wire import read_reply
from acgym.types import Call, Message
from tests.helpers.misbehaving_server import Server, calls, completion, late, raw, says, thinks

TOOL = {"type": "function", "function": {"name": "add", "description": "Add.", "parameters": {"type": "object"}}}
QUICK = Limits(timeout=5, retries=2, first_wait=0.001, longest_wait=0.002, patience=10)
ONE = Call("add", {"a": 1})


def agent(server, mode="#native", limits=QUICK, **options):
    return RemoteAgent(parse_endpoint(f"tiny@{server.url}{mode}"), "remote", limits, **options)


def ask(made, *conversations, tools=(TOOL,)):
    async def everyone():
        talks = [made.reply([Message("user", words)], tools) for words in conversations]
        return await asyncio.gather(*talks, return_exceptions=True)

    return asyncio.run(everyone())


def reply_of(**message):
    return read_reply(completion(message))


def native(name, arguments, id_="id1"):
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


# What is sent.


def test_request_is_greedy_and_names_the_model():
    with Server(says("fine")) as server:
        [reply] = ask(agent(server), "hello", tools=())
    [request] = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0,
        "max_tokens": 512,
    }
    assert "authorization" not in request.headers
    assert (reply.text, reply.action, reply.calls, reply.finish_reason) == ("fine", "fine", (), "stop")
    assert reply.prompt_ids is None
    assert reply.seconds > 0


def test_sampling_options_are_passed_on():
    with Server(says()) as server:
        how = Decoding(
            temperature=0.7, top_p=0.9, top_k=5, seed=3, stop="END", max_new_tokens=9, json_schema={"type": "object"}
        )
        made = agent(server, decoding=how)
        ask(made, "x", tools=())
    body = server.requests[0].body
    assert body.items() >= {"temperature": 0.7, "top_p": 0.9, "top_k": 5, "seed": 3, "max_tokens": 9}.items()
    assert body["stop"] == ["END"]
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert made.facts["decoding"] == how.to_dict()
    for other in ({"thinking_tokens": 5}, {"logprobs": True}):
        with pytest.raises(ValueError, match=f"has no '{next(iter(other))}'"):
            agent(server, decoding=Decoding(**other))


# How tools are told.


def probed(*answers):
    with Server(*answers) as server:
        made = agent(server, "")
        made.prepare()
        mode, reason = made.facts["tools"].values()
        return mode, reason, server.requests


def counts(without, with_):
    """A server that counts prompt tokens and never calls."""

    def says_tokens(tokens):
        return raw(200, json.dumps(completion({"content": "hm"}, usage=(tokens, 1))))

    return says_tokens(without), says_tokens(with_)


@pytest.mark.parametrize(
    ("answers", "mode", "reason"),
    [
        ((says(), calls(("1", "acgym_probe", "{}"))), "native", "the server finds tool calls"),
        ((says(), says('<tool_call>{"name": "acgym_probe"}</tool_call>')), "native", "leaves calls in its words"),
        (counts(10, 60), "native", "more tokens"),
        (counts(10, 10), "text", "nothing shows"),
        ((says(), raw(400, '{"error": {"message": "no tool parser"}}')), "text", "refuses tools with status 400"),
    ],
)
def test_probe_finds_how_tools_are_told(answers, mode, reason):
    found, why, requests = probed(*answers)
    assert found == mode
    assert reason in why
    assert ["tools" in request.body for request in requests] == [False, True]


def test_probe_is_left_out_where_the_spec_says_how():
    with Server(says()) as server:
        for mode in ("native", "text"):
            made = agent(server, f"#{mode}")
            made.prepare()
            assert made.facts["tools"]["mode"] == mode
    assert len(server.requests) == 2  # one each, to see that the server is there
    with Server(says()) as server, pytest.raises(RuntimeError, match=r"call prepare\(\) first"):
        asyncio.run(agent(server, "").reply([Message("user", "x")], ()))


def test_newer_name_of_the_bound_is_found_out():
    def newer(body):
        assert "max_tokens" not in body
        return {"content": str(body["max_completion_tokens"])}

    with Server(raw(400, '{"error": {"message": "use \'max_completion_tokens\' instead"}}'), thinks(newer)) as server:
        made = agent(server, "#text")
        made.prepare()
        assert ask(made, "x")[0].text == "512"


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "ACGYM_API_KEY"), (404, "should end in /v1"), (422, "model's name and the address")]
)
def test_refused_probe_says_what_to_do(status, remedy):
    with Server(raw(status, '{"detail": "not so"}')) as server, pytest.raises(ValueError, match=remedy) as error:
        agent(server).prepare()
    assert "not so" in str(error.value)
    assert len(server.requests) == 1


# Around it.


def test_requests_under_way_are_bounded_and_share_connections():
    with Server(late(0.02, says())) as server:
        made = agent(server, limits=Limits(concurrency=3, timeout=5, retries=0))
        replies = ask(made, *"abcdefghijkl")
        assert [reply.text for reply in replies] == ["fine"] * 12
        assert server.most_under_way == 3
        assert server.connections <= 3
        ask(made, "in another event loop")
        assert server.connections <= 3
    assert made.usage == {
        "requests": 13,
        "retries": 0,
        "prompt_tokens": 13 * 7,
        "completion_tokens": 13 * 3,
        "uncounted_tokens": 0,
    }


def test_waiting_for_a_place_is_no_silence():
    with Server(late(0.2, says())) as server:
        replies = ask(agent(server, limits=Limits(concurrency=1, timeout=1, retries=0)), *"abcdefgh")
    assert [reply.text for reply in replies] == ["fine"] * 8


def test_cancelled_reply_gives_its_place_back():
    async def two(made):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await made.reply([Message("user", "slow")], ())
        return await made.reply([Message("user", "quick")], ())

    with Server(late(30, says()), says("quick")) as server:
        made = agent(server, limits=Limits(concurrency=1, timeout=60, retries=0))
        assert asyncio.run(two(made)).text == "quick"


def test_conversation_in_a_script(monkeypatch):
    monkeypatch.delenv("ACGYM_API_KEY", raising=False)
    with Server(says(), says("more")) as server:
        made = acgym.agent(f"openai:tiny@{server.url}#text")
        chat = made.chat({"tools": ()})
        assert [chat("a"), chat("b")] == ["more", "more"]
        assert [message["content"] for message in server.requests[-1].body["messages"]] == ["a", "more", "b"]


def test_text_may_be_anything():
    """A lone surrogate comes in as an escape and goes out as one."""
    body = json.dumps(completion({"content": "\ud800\x00\u202e"}))
    with Server(raw(200, body), says()) as server:
        made = agent(server)
        [odd] = ask(made, "x")
        asyncio.run(
            made.reply([Message("user", "x"), Message("assistant", odd.text, odd), Message("user", "\udfff")], ())
        )
    assert server.requests[1].body["messages"][1]["content"] == "\ud800\x00\u202e"


def test_failure_is_not_for_the_model_to_blame():
    with Server(raw(400, '{"error": {"message": "context length exceeded"}}')) as server:
        [failure] = ask(agent(server), "x")
    assert isinstance(failure, AgentFailure)
    assert "context length exceeded" in str(failure)
    assert len(server.requests) == 1
