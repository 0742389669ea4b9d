"""How a remote agent is named, where its limits and its key come from, and what is refused."""

from __future__ import annotations

import pytest

from acgym.agents.remote.spec import Endpoint, Limits, limits_of, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint", "chat"),
    [
        ("m@http://h:8000/v1", Endpoint("m", "http://h:8000/v1"), "http://h:8000/v1/chat/completions"),
        ("m@http://h:8000/", Endpoint("m", "http://h:8000/v1"), "http://h:8000/v1/chat/completions"),
        ("o/m:7b@https://h/a/v1/", Endpoint("o/m:7b", "https://h/a/v1"), "https://h/a/v1/chat/completions"),
        ("a@b@HTTPS://h/v1#TEXT", Endpoint("a@b", "https://h/v1", "text"), "https://h/v1/chat/completions"),
        ("m@http://h/v1/chat/completions", Endpoint("m", "http://h/v1"), "http://h/v1/chat/completions"),
        (
            "m@http://h/v1?api=2#native",
            Endpoint("m", "http://h/v1?api=2", "native"),
            "http://h/v1/chat/completions?api=2",
        ),
        ("/a/b c@http://[::1]:80", Endpoint("/a/b c", "http://[::1]:80/v1"), "http://[::1]:80/v1/chat/completions"),
    ],
)
def test_endpoint_is_read(text, endpoint, chat):
    found = parse_endpoint(text)
    assert found == endpoint
    assert found.chat == chat
    assert parse_endpoint(found.source) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("m", "should be written 'openai:MODEL@http"),
        ("@http://h", "should be written"),
        ("m@ftp://h", "should be written"),
        ("m@http://", "is no address"),
        ("m@http://h:x/v1", "is no address"),
        ("m@http://h/v 1", "is no address"),
        ("m@http://user:secret@h/v1", "no user name or password"),
        ("m@http://h/v1#json", "'#native' or '#text'"),
    ],
)
def test_bad_endpoint_is_refused(text, said):
    with pytest.raises(ValueError, match=said) as error:
        parse_endpoint(text)
    assert "secret" not in str(error.value)


def test_limits_come_from_the_environment():
    assert limits_of({}) == Limits()
    found = limits_of({"ACGYM_REMOTE_TIMEOUT": "1.5", "ACGYM_REMOTE_CONCURRENCY": "9", "ACGYM_REMOTE_RETRIES": "0"})
    assert (found.timeout, found.concurrency, found.retries) == (1.5, 9, 0)
    for name, value in (("TIMEOUT", "soon"), ("CONCURRENCY", "1.5"), ("CONCURRENCY", "0"), ("PATIENCE", "nan")):
        with pytest.raises(ValueError, match=f"ACGYM_REMOTE_{name} must be"):
            limits_of({f"ACGYM_REMOTE_{name}": value})
