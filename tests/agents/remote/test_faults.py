"""Servers that are busy, broken or hostile: asked again within limits, then counted as failed and never scored."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from dataclasses import replace
from email.utils import formatdate

import pytest
from tenacity import RetryCallState

from acgym.agents.base import AgentFailure
from acgym.agents.remote.agent import RemoteAgent
from acgym.agents.remote.http import Refused, TooLong, Unanswered
from acgym.agents.remote.spec import Endpoint, Key, Limits, key_for, parse_endpoint
from acgym.loop import play
from acgym.types import Message
from tests.helpers.misbehaving_server import (
    Server,
    completion,
    drips,
    drops,
    endless,
    half,
    late,
    never,
    no_http,
    raw,
    says,
)
from tests.helpers.toys import ECHO

QUICK = Limits(timeout=0.5, retries=2, first_wait=0.001, longest_wait=0.002, patience=10, max_bytes=100_000)
PATIENT = Limits(timeout=5, retries=4, first_wait=0.001, longest_wait=0.002, patience=10)
SECRET = "sk-very-secret"


def ask(server, limits=QUICK, key=None):
    made = RemoteAgent(parse_endpoint(f"tiny@{server.url}#text"), "remote", limits, key)
    return asyncio.run(made.reply([Message("user", "x")], ())), made


FAULTS = {
    "busy": (raw(429, '{"error": {"message": "slow down"}}'), 'status 429: "slow down"'),
    "broken": (raw(500, "Traceback: ..."), 'status 500: "Traceback: ..."'),
    "overloaded": (raw(503, ""), 'status 503: ""'),
    "silent": (never, "no whole answer within 0.5 s"),
    "dripping": (drips, "no whole answer within 0.5 s"),
    "late": (late(1, says()), "no whole answer within 0.5 s"),
    "drops the connection": (drops, "RemoteProtocolError"),
    "half a body": (half, "RemoteProtocolError"),
    "no HTTP": (no_http, "RemoteProtocolError"),
    "half a JSON": (raw(200, '{"choices": ['), "a body that is no JSON"),
    "nested": (raw(200, "[" * 50_000), "nested too deeply"),
    "NaN": (raw(200, '{"choices": NaN}'), "a body that is no JSON"),
    "empty": (raw(200, ""), "a body that is no JSON"),
    "no UTF-8": (raw(200, b'{"choices": "\xff"}'), "no UTF-8 from byte 13 on"),
    "wrong type": (raw(200, "<html>", "text/html"), 'of type "text/html"; expected application/json'),
    "no type": (raw(200, "{}", None), 'of type ""; expected application/json'),
    "wrong schema": (raw(200, '{"choices": [{"text": "x"}]}'), "'message' must be of type dict"),
    "compressed": (raw(200, gzip.compress(b"0" * 99), Content_Encoding="gzip"), "a compressed body"),
    "huge": (endless, "a body of more than 100,000 bytes"),
}


def limits_for(said):
    """A short limit only where nothing whole comes: a busy machine may take long for everything else."""
    return QUICK if "no whole answer" in said else replace(QUICK, timeout=10.0)


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_fault_is_asked_again_within_limits_and_then_fails(fault, said):
    with Server(fault) as server, pytest.raises(Unanswered) as error:
        ask(server, limits_for(said))
    assert len(server.requests) == 3
    assert said in str(error.value)
    assert "after 3 requests" in str(error.value)
    assert isinstance(error.value, AgentFailure)


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_fault_that_passes_is_forgotten(fault, said):
    with Server(fault, says()) as server:
        reply, made = ask(server, limits_for(said))
    assert reply.text == "fine"
    assert made.usage["retries"] >= 1
    assert made.usage["requests"] == len(server.requests)


def test_nobody_listens():
    with Server(says()) as server:
        pass
    with pytest.raises(Unanswered, match=r"ConnectError .*after|after 3 requests.*ConnectError"):
        ask(server)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 413, 422])
def test_refusal_is_not_asked_again(status):
    refusal = raw(status, '{"detail": "no"}', Location="http://other.example/v1")
    with Server(refusal) as server, pytest.raises(Refused, match=f"status {status}"):
        ask(server)
    assert len(server.requests) == 1


OVERFULL = {
    "openai": {"error": {"message": "Too many tokens.", "code": "context_length_exceeded"}},
    "vllm": {"object": "error", "message": "This model's maximum context length is 64 tokens, and you asked for 70."},
    "sglang": {"message": "The input (70 tokens) is longer than the model's context length (64 tokens)."},
    "llama.cpp": {"error": {"message": "the request exceeds the available context size (64 tokens)"}},
}


@pytest.mark.parametrize("body", OVERFULL.values(), ids=OVERFULL)
def test_conversation_that_fills_the_window_goes_on_without_a_word_and_is_scored(body):
    """Nobody is left out of the sample for talking too much; a task that does not fit from the start is a failure."""
    refusal = raw(400, json.dumps(body))
    with Server(says(), refusal) as server:
        made = RemoteAgent(parse_endpoint(f"tiny@{server.url}#text"), "remote", QUICK)
        [episode] = play(made, ECHO, [0], concurrency=1)
        with pytest.raises(TooLong, match=r"64 tokens|Too many"):
            ask(server)
    assert episode.outcome == "finished"
    assert episode.success is False
    assert [turn.text for turn in episode.turns[:2]] == ["fine", ""]
    assert {turn.finish_reason for turn in episode.turns[1:]} == {"length"}


def test_other_refusals_of_a_conversation_are_failures():
    with Server(says(), raw(400, '{"message": "context of the tool call is missing"}')) as server:
        made = RemoteAgent(parse_endpoint(f"tiny@{server.url}#text"), "remote", QUICK)
        [episode] = play(made, ECHO, [0], concurrency=1)
    assert episode.outcome == "failed"


def test_redirect_is_not_followed_with_the_key():
    with (
        Server(says()) as other,
        Server(raw(307, "", Location=other.url + "/chat/completions")) as server,
        pytest.raises(Refused, match="no redirect is followed"),
    ):
        ask(server, key=Key(SECRET))
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert other.requests == []


def test_cookies_are_not_kept():
    with Server(raw(500, "", Set_Cookie="a=b; Path=/"), says()) as server:
        ask(server)
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("header", ["0.2", "1", "date"])
def test_retry_after_is_waited_for(header):
    """Whole seconds and dates are the two forms of RFC 9110; anything else is left aside."""
    value = formatdate(time.time() + 2, usegmt=True) if header == "date" else header
    with Server(raw(429, "", Retry_After=value), says()) as server:
        ask(server, PATIENT)
    first, second = (request.at for request in server.requests)
    least = {"0.2": 0.0, "1": 1.0, "date": 0.9}[header]
    assert least <= second - first < least + 1.5


def test_longer_than_patience_is_given_up_at_once():
    started = time.monotonic()
    with (
        Server(raw(429, "", Retry_After="86400"), says()) as server,
        pytest.raises(Unanswered, match="after 1 request "),
    ):
        ask(server, PATIENT)
    assert time.monotonic() - started < 1


def test_waits_double_and_are_drawn():
    """Full jitter: wait n lies between 0 and a bound that doubles up to the longest, and nearly reaches both."""
    with Server(says()) as server:
        _, made = ask(server, Limits(first_wait=0.5, longest_wait=3.0))
    state = RetryCallState(None, None, (), {})
    for number, bound in enumerate([0.5, 1.0, 2.0, 3.0, 3.0], start=1):
        state.attempt_number = number
        waits = [made.caller._wait(state) for _ in range(300)]
        assert 0 <= min(waits) < 0.1 * bound
        assert 0.9 * bound < max(waits) <= bound


def test_after_one_was_given_up_others_are_sent_once_until_one_is_answered():
    with Server(raw(500, ""), raw(500, ""), raw(500, ""), raw(500, ""), says(), raw(500, ""), says()) as server:
        made = RemoteAgent(parse_endpoint(f"tiny@{server.url}#text"), "remote", QUICK)

        async def one():
            return await made.reply([Message("user", "x")], ())

        for sent in (3, 4):
            with pytest.raises(Unanswered):
                asyncio.run(one())
            assert len(server.requests) == sent
        asyncio.run(one())
        asyncio.run(one())  # asked twice
    assert len(server.requests) == 7


def test_server_that_comes_back_ends_no_episode():
    with Server(says()) as first:
        port = first.port
    made = RemoteAgent(
        parse_endpoint(f"tiny@http://127.0.0.1:{port}/v1#text"),
        "remote",
        Limits(timeout=5, retries=50, first_wait=0.05, longest_wait=0.1, patience=20),
    )

    async def meanwhile():
        waiting = asyncio.create_task(made.reply([Message("user", "x")], ()))
        await asyncio.sleep(0.2)
        with Server(says("back"), port=port):
            return await waiting

    assert asyncio.run(meanwhile()).text == "back"


def test_failed_episodes_are_counted_and_never_scored():
    """Every third request is refused; the episodes that it ended have no score, the others have one."""
    answers = [raw(400, '{"error": {"message": "too long"}}') if n % 3 == 2 else says("zz") for n in range(9)]
    with Server(*answers) as server:
        made = RemoteAgent(parse_endpoint(f"tiny@{server.url}#text"), "remote", QUICK)
        episodes = play(made, ECHO, range(9), kwargs={"level": 1}, concurrency=1)
    assert [episode.outcome for episode in episodes] == ["finished", "finished", "failed"] * 3
    for episode in episodes[2::3]:
        assert episode.success is episode.progress is None
        assert 'status 400: "too long"' in episode.failure
    assert all(episode.success is False for episode in episodes[:2])


# The key.


def test_key_shows_itself_to_the_server_alone(caplog):
    caplog.set_level(logging.DEBUG)
    answers = raw(500, f"bad {SECRET}"), raw(500, ""), raw(401, json.dumps({"error": {"message": f"key {SECRET}?"}}))
    with Server(*answers) as server, pytest.raises(Refused) as error:
        ask(server, key=Key(SECRET))
    assert all(request.headers["authorization"] == f"Bearer {SECRET}" for request in server.requests)
    assert "key ***?" in str(error.value)
    with Server(raw(500, "x" * 280 + SECRET)) as server, pytest.raises(Unanswered) as error:
        ask(server, key=Key(SECRET))
    made = RemoteAgent(Endpoint("m", "http://127.0.0.1:9/v1"), "remote", key=Key(SECRET))
    for shown in (
        caplog.text,
        str(error.value),
        repr(Key(SECRET)),
        repr(vars(made)),
        repr(vars(made.caller)),
        str(made.facts),
    ):
        assert "very-secret" not in shown


@pytest.mark.parametrize(
    ("url", "environment", "key"),
    [
        ("http://127.0.0.1:1/v1", {}, None),
        ("http://h/v1", {"ACGYM_API_KEY": " a ", "OPENAI_API_KEY": "b"}, "a"),
        ("https://h/v1", {"OPENAI_API_KEY": "b"}, "b"),
        ("http://localhost/v1", {"OPENAI_API_KEY": "b"}, "b"),
        ("http://[::1]:5/v1", {"OPENAI_API_KEY": "b", "ACGYM_API_KEY": ""}, "b"),
        ("http://h/v1", {"OPENAI_API_KEY": "b"}, None),
        ("http://localhost.evil.example/v1", {"OPENAI_API_KEY": "b"}, None),
    ],
)
def test_key_comes_from_the_environment_and_goes_where_it_may(url, environment, key):
    found = key_for(parse_endpoint(f"m@{url}"), environment)
    assert (found and found.secret) == key


@pytest.mark.parametrize("value", ["sk-a\nb", "sk a", "sk-ü"])
def test_odd_key_is_refused_without_showing_it(value):
    with pytest.raises(ValueError, match="ACGYM_API_KEY holds characters") as error:
        key_for(Endpoint("m", "http://h/v1"), {"ACGYM_API_KEY": value})
    assert value not in str(error.value)


def test_proxies_do_not_stand_before_this_machine(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Server(raw(200, json.dumps(completion({"content": "direct"})))) as server:
        assert ask(server)[0].text == "direct"
