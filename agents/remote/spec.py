"""Where a remote agent's model is, and how patiently it is asked: read from the agent's spec and the environment."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias, cast, get_args
from urllib.parse import urlsplit, urlunsplit

from acgym.types import Json

ToolMode: TypeAlias = Literal["auto", "native", "text"]
"""How tools are told: in the request's own field (native), in the prompt (text), or whichever a probe finds (auto)."""

KEYS = ("ACGYM_API_KEY", "OPENAI_API_KEY")
"""Environment variables that may hold the key, the first one first."""
LIMITS = "ACGYM_REMOTE_"
"""Begins the environment variables that set a field of :class:`Limits`: ``ACGYM_REMOTE_TIMEOUT=600``."""

_AT_URL = re.compile(r"@(?=https?://)", re.IGNORECASE)
_EXAMPLE = "openai:MODEL@http://127.0.0.1:8000/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model on a server that speaks OpenAI's chat completions protocol."""

    model: str
    """The name that the server knows it by."""
    url: str
    """Base of the server's addresses, such as ``https://host/v1``, without a slash at its end."""
    tools: ToolMode = "auto"

    @property
    def source(self) -> str:
        """The endpoint as it is written in a spec."""
        return f"{self.model}@{self.url}" + ("" if self.tools == "auto" else f"#{self.tools}")

    @property
    def chat(self) -> str:
        """Address of chat completions; a query of the base stays behind it."""
        scheme, host, path, query, _ = urlsplit(self.url)
        return urlunsplit((scheme, host, f"{path}/chat/completions", query, ""))

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


def parse_endpoint(text: str) -> Endpoint:
    """Read ``MODEL@URL``, with ``#native`` or ``#text`` behind it where no probe shall choose.

    A URL without a path gets ``/v1``, where such servers answer.

    Raises:
        ValueError: if there is no model, no address, a user name or password in the address, or an unknown mode.
    """
    cut = _AT_URL.search(text)
    model, written = (text[: cut.start()], text[cut.end() :]) if cut else (text, "")
    model = model.strip()
    if not model or cut is None:
        raise ValueError(f"the agent 'openai:{text}' should be written {_EXAMPLE!r}: the model's name and the address")
    try:
        scheme, host, path, query, mode = urlsplit(written.strip())
        named, _ = urlsplit(written).hostname, urlsplit(written).port
    except ValueError as error:
        raise ValueError(f"{written!r} is no address ({error}); write {_EXAMPLE!r}") from None
    if "@" in host:
        raise ValueError(
            f"an address holds no user name or password; put the key into {KEYS[0]} and write {_EXAMPLE!r}"
        )
    if not named or re.search(r"[\s\x00-\x1f\x7f]", written.strip()):
        raise ValueError(f"{written!r} is no address; write {_EXAMPLE!r}")
    mode = mode.lower() or "auto"
    if mode not in get_args(ToolMode):
        raise ValueError(
            f"tools are told to a remote model as '#native' or '#text' (or as a probe finds), got '#{mode}'"
        )
    path = path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return Endpoint(model, urlunsplit((scheme, host, path, query, "")), cast(ToolMode, mode))


@dataclass(frozen=True, slots=True)
class Limits:
    """How patiently a server is asked. None of it changes what a deterministic server says."""

    concurrency: int = 32
    """Most requests under way at once, which is also the size of the connection pool."""
    timeout: float = 300.0
    """Seconds that one request may take, from the first byte sent to the last one received."""
    retries: int = 6
    """How often a request is sent again when it failed in a way that may pass."""
    patience: float = 900.0
    """Seconds after which a reply is given up, waits and repetitions included."""
    first_wait: float = 0.5
    """Seconds of the first wait at most; waits double and are drawn evenly between 0 and their bound."""
    longest_wait: float = 60.0
    """Seconds of any such wait at most."""
    max_bytes: int = 16 << 20
    """Bytes of a response's body at most."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for each in fields(self):
            value, least = getattr(self, each.name), {"retries": 0, "first_wait": 0}.get(each.name, 1e-9)
            if not math.isfinite(value) or value < least:
                raise ValueError(
                    f"{LIMITS}{each.name.upper()} must be {'0 or more' if not least else 'above 0'}, got {value}"
                )


def limits_of(environ: Mapping[str, str] | None = None) -> Limits:
    """Read the limits from the environment, so that a run can go on under others.

    Raises:
        ValueError: naming the variable that holds no number, or one that cannot be.
    """
    environ = os.environ if environ is None else environ
    given: dict[str, float] = {}
    for each in fields(Limits):
        name = LIMITS + each.name.upper()
        if name not in environ:
            continue
        try:
            given[each.name] = int(environ[name]) if isinstance(each.default, int) else float(environ[name])
        except ValueError:
            raise ValueError(f"{name} must be a number, such as {each.default}, got {environ[name]!r}") from None
    return Limits(**given)  # type: ignore[arg-type]


_SECRET_CHARS = 8


@dataclass(frozen=True, slots=True)
class Key:
    """A key that shows itself to the server alone."""

    secret: str = field(repr=False)

    def hidden_in(self, text: str) -> str:
        """Return a text without the key."""
        return text.replace(self.secret, "***")

    def hidden_within(self, value: Json) -> Json:
        """Return JSON without the key in any of its texts: a server may repeat what it was sent.

        A key of fewer than 8 characters (``EMPTY``, ``none``) is no secret, and may be a word of a reply: it stays.
        """
        if isinstance(value, str):
            return self.hidden_in(value) if len(self.secret) >= _SECRET_CHARS else value
        if isinstance(value, list):
            return [self.hidden_within(each) for each in value]
        if isinstance(value, dict):
            return {self.hidden_within(name): self.hidden_within(each) for name, each in value.items()}
        return value


def key_for(endpoint: Endpoint, environ: Mapping[str, str] | None = None) -> Key | None:
    """Take the key from the environment.

    ``ACGYM_API_KEY`` is for whatever server is named. ``OPENAI_API_KEY`` is on many machines for other reasons: it is
    sent over https and to this machine alone.

    Raises:
        ValueError: if it holds characters that no key has; the message does not show them.
    """
    environ = os.environ if environ is None else environ
    for name in KEYS:
        secret = environ.get(name, "").strip()
        if not secret or (name != KEYS[0] and not (endpoint.url.startswith("https:") or endpoint.is_loopback)):
            continue
        if not re.fullmatch(r"[\x21-\x7e]+", secret):
            raise ValueError(f"{name} holds characters that no key has (spaces, controls or letters beyond ASCII)")
        return Key(secret)
    return None
