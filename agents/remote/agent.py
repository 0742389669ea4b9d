"""Agents whose model is on a server that speaks OpenAI's chat completions protocol."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

from acgym.agents.base import Agent, outgrown
from acgym.agents.decoding import Decoding
from acgym.agents.remote.http import Caller, Refused, TooLong, Unanswered
from acgym.agents.remote.spec import KEYS, LIMITS, Endpoint, Key, Limits
from acgym.agents.remote.wire import RemoteReply, native_request, read_reply, text_request
from acgym.agents.tool_formats.families import format_named
from acgym.tool_calls import PARSER
from acgym.types import Json, Message, Reply, ToolSpec

MAX_NEW_TOKENS = 512
"""Upper bound of one reply, as of an agent whose model runs here and names no other."""

_TOOL: ToolSpec = {
    "type": "function",
    "function": {
        "name": "acgym_probe",
        "description": "Reports that tools can be called. Call it now.",
        "parameters": {"type": "object", "properties": {}, "required": []},
    },
}
_PROBE_TOKENS = 64
_QUESTION = (Message("user", "Call the tool acgym_probe, which takes no arguments."),)


class ToolsFound(NamedTuple):
    """How tools are told to a model, and why so."""

    mode: Literal["native", "text"]
    reason: str


class RemoteAgent(Agent):
    """Plays with a model behind an endpoint. What is inside the model cannot be seen, so it has no signals.

    Tools are told natively (in the request's own field; the server finds the calls) or in words (in front of the first
    message; the calls are read here). Where the endpoint leaves it open, a probe finds out, see :meth:`prepare`. It is
    found once and holds for all episodes: two forms of the prompt in one run would be two agents.

    Args:
        endpoint: the model and its address.
        name: the agent's name in records.
        limits: how patiently the server is asked.
        key: its key; None for a server that asks for none.
        decoding: how the server shall choose tokens, and where a reply ends; greedy for None. What a server makes of
            it is its own affair: a seed need not make its draws reproducible.
        tool_format: how calls are asked for in words, and read where the server leaves them in the words: a name of
            :data:`acgym.agents.tool_formats.families.FORMATS`; Hermes for None.

    Raises:
        ValueError: for an option of decoding that the protocol has no field for, or an unknown tool format.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        limits: Limits | None = None,
        key: Key | None = None,
        decoding: Decoding | None = None,
        tool_format: str | None = None,
    ) -> None:
        decoding = decoding or Decoding()
        self.name = name
        self.endpoint = endpoint
        self.caller = Caller(endpoint, limits or Limits(), key)
        self.max_new_tokens = decoding.max_new_tokens or MAX_NEW_TOKENS
        self.tokens: Counter[str] = Counter()
        """``prompt`` and ``completion`` tokens as the server counts them, and the ``uncounted`` replies."""
        self._syntax = format_named(tool_format or PARSER)
        self._read = partial(read_reply, syntax=self._syntax)
        self._decoding = decoding
        self._fields = decoding_fields(decoding)
        self._bound = "max_tokens"
        self._found: ToolsFound | None = None
        if endpoint.tools != "auto":
            self._found = ToolsFound(endpoint.tools, "as the agent's spec says")

    @property
    def facts(self) -> dict[str, Json]:
        """What a record should say about the agent."""
        tools = None if self._found is None else self._found._asdict()
        return {
            "endpoint": self.endpoint.url,
            "served_model": self.endpoint.model,
            "tools": tools,
            "tool_call_parser": ("the server's, else " if tools and tools["mode"] == "native" else "")
            + self._syntax.name,
            "decoding": self._decoding.to_dict() or "greedy",
            "max_new_tokens": self.max_new_tokens,
        }

    @property
    def usage(self) -> dict[str, int]:
        """Requests, retries and tokens so far; the probe's tokens are not among them."""
        counts = {**self.caller.counts, **{f"{kind}_tokens": count for kind, count in self.tokens.items()}}
        return {name: counts.get(name, 0) for name in _USAGE}

    def prepare(self) -> None:
        """Ask the server once or twice, so that a wrong address, model or key is found before an episode is played.

        Tools are told natively if the model, asked to call one, does so; or if the same question has more tokens with
        tools than without, because the model then sees them. Else they are told in words.

        Raises:
            ValueError: if the server refuses: the model's name, the address or the key is wrong.
            ConnectionError: if it gives no usable answer within the limits.
        """
        try:
            plain = self._ask_now(text_request(_QUESTION, ()))
            if self._found is None:
                self._found = self._find_tools(plain)
        except Refused as error:
            raise ValueError(f"{self.name}: {error.said} (status {error.status}). {_remedy(error.status)}") from None
        except Unanswered as error:
            raise ConnectionError(f"{self.name}: {error}. {_PATIENCE}") from None

    def _find_tools(self, plain: RemoteReply) -> ToolsFound:
        try:
            told = self._ask_now(native_request(_QUESTION, (_TOOL,)))
        except Refused as error:
            return ToolsFound("text", f"the server refuses tools with status {error.status}")
        if told.call_ids:
            return ToolsFound("native", "the server finds tool calls")
        if told.calls:
            return ToolsFound("native", "the model sees tools; the server leaves calls in its words")
        if told.prompt_tokens is not None and told.prompt_tokens > (plain.prompt_tokens or told.prompt_tokens):
            return ToolsFound("native", "the model sees tools: with them the prompt has more tokens")
        return ToolsFound("text", "nothing shows that the model sees the tools of a request")

    def _ask_now(self, conversation: dict[str, Json]) -> RemoteReply:
        """Ask and wait; a server that knows the bound of a reply by its newer name is asked by that one from now on."""
        try:
            return self.caller.wait_for(self._request(conversation, _PROBE_TOKENS), self._read)
        except Refused as error:
            if "max_completion_tokens" not in error.said or self._bound == "max_completion_tokens":
                raise
            self._bound = "max_completion_tokens"
            return self.caller.wait_for(self._request(conversation, _PROBE_TOKENS), self._read)

    def _request(self, conversation: dict[str, Json], most: int) -> dict[str, Json]:
        return {"model": self.endpoint.model, **conversation, **self._fields, self._bound: most}

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Answer with what the server's model says.

        Raises:
            AgentFailure: if the server refuses the conversation, or gives no usable answer within the limits. One that
                has become too long for its model is answered by :func:`acgym.agents.base.outgrown`.
            RuntimeError: if how tools are told is open, because :meth:`prepare` was not called.
        """
        if self._found is None:
            raise RuntimeError(f"{self.name} has not been prepared; call prepare() first (acgym.agent does)")
        started = time.perf_counter()
        native = self._found.mode == "native"
        written = native_request(messages, tools) if native else text_request(messages, tools, self._syntax)
        try:
            said = await self.caller.ask(self._request(written, self.max_new_tokens), partial(self._read, tools=tools))
        except TooLong as refusal:
            return outgrown(messages, refusal)
        self.tokens["prompt"] += said.prompt_tokens or 0
        self.tokens["completion"] += said.completion_tokens or 0
        self.tokens["uncounted"] += said.prompt_tokens is None or said.completion_tokens is None
        return replace(said, seconds=time.perf_counter() - started)


def decoding_fields(decoding: Decoding) -> dict[str, Json]:
    """Write how tokens are chosen as fields of a request; what is left at its default is left to be the server's.

    ``top_k`` is no field of OpenAI's own, but vLLM, SGLang, llama.cpp and others have it. The schema of a constrained
    reply goes as ``response_format``.

    Raises:
        ValueError: for a budget of thinking tokens or log-probabilities, which the protocol has no common field for.
    """
    for name in ("thinking_tokens", "logprobs"):
        if getattr(decoding, name) not in (None, False):
            raise ValueError(f"decoding: a remote agent has no {name!r}; leave it out")
    if decoding.greedy:
        found: dict[str, Json] = {"temperature": 0}
    else:
        found = {"temperature": decoding.temperature, "top_p": decoding.top_p, "seed": decoding.seed}
        found |= {"top_k": decoding.top_k} if decoding.top_k else {}
    if decoding.stop:
        found["stop"] = list(decoding.stop)
    if decoding.json_schema is not None:
        schema = {"name": "reply", "schema": dict(decoding.json_schema), "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    return found


_USAGE = ("requests", "retries", "prompt_tokens", "completion_tokens", "uncounted_tokens")
_PATIENCE = (
    f"Is the server running? How long and how often it is asked is set by {LIMITS}TIMEOUT, {LIMITS}RETRIES, "
    f"{LIMITS}PATIENCE (seconds) and {LIMITS}CONCURRENCY"
)


def _remedy(status: int) -> str:
    """Say what to do about a refusal."""
    if status in (401, 403):
        return f"Put the key into the environment variable {KEYS[0]} ({KEYS[1]} is sent over https and to this machine)"
    if status == 404:
        return (
            "Check the model's name and the address, which should end in /v1 or the like, such as http://host:8000/v1"
        )
    return "Check the model's name and the address"
