"""Agents out of a script: a function that answers conversations, and any agent under the name that a run gives it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from acgym.agents.base import Agent, AgentFailure
from acgym.tool_calls import parse_reply
from acgym.types import Json, Message, Reply, ToolSpec

Said: TypeAlias = str | Reply
Function: TypeAlias = Callable[[list[dict[str, str]], list[dict[str, Json]]], Said | Awaitable[Said]]
"""``(messages, tools) -> text``, plain or ``async``; see :class:`FunctionAgent`."""


class FunctionAgent(Agent):
    """An agent whose replies come from a function.

    Args:
        function: called once a turn with

            * ``messages``: the whole conversation as chat APIs take it, a list of ``{"role": "user" | "assistant",
              "content": text}``; results of tools are the user's words;
            * ``tools``: the tools that may be called, in OpenAI's form (``{"type": "function", "function": {...}}``).

            It returns the reply's text: words, or a tool call as JSON, ``{"name": ..., "arguments": {...}}``, also in
            ``<tool_call>`` tags; or an :class:`acgym.types.Reply` of its own making. A plain function is asked for one
            reply at a time; one that is ``async`` is asked for many at once.
        name: in records and folder names; None for the function's own name.

    What it raises stops the run as it is, so that a mistake in it is found at once; but a ``ConnectionError``,
    ``TimeoutError`` or ``AgentFailure`` is an infrastructure failure: that episode is counted as failed and never
    scored.
    """

    def __init__(self, function: Function, name: str | None = None) -> None:
        named = str(name or getattr(function, "__name__", "") or type(function).__name__)
        self.name = named.strip("<>") or "function"
        self._function = function

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say what the function returns.

        Raises:
            AgentFailure: if the function's connection broke.
            TypeError: if it returns anything but text or a reply.
        """
        started = time.perf_counter()
        told = [{"role": "user" if m.role == "tool" else m.role, "content": m.content} for m in messages]
        try:
            found: Any = self._function(told, [dict(tool) for tool in tools])
            said = await found if inspect.isawaitable(found) else found
        except (ConnectionError, TimeoutError) as error:
            raise AgentFailure(f"{type(error).__name__}: {error}") from error
        except Exception as error:
            turn = sum(message.role == "assistant" for message in messages) + 1
            error.add_note(f"The agent {self.name!r} raised this in turn {turn} of an episode.")
            raise
        if isinstance(said, Reply):
            return said
        if not isinstance(said, str):
            raise TypeError(
                f"the agent {self.name!r} must return its reply as a str, got {type(said).__name__}: {str(said)[:60]!r}"
            )
        action, calls = parse_reply(said)
        return Reply(said, action, calls, seconds=time.perf_counter() - started)


class NamedAgent(Agent):
    """Another agent under another name: that by which a run knows it."""

    def __init__(self, agent: Agent, name: str) -> None:
        self.agent, self.name = agent, name

    def for_episode(self, env: Any) -> Agent:
        """Return the agent of one episode, under this name."""
        return NamedAgent(self.agent.for_episode(env), self.name)

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Let the agent reply."""
        return await self.agent.reply(messages, tools)

    def rest(self) -> None:
        """Let the agent rest."""
        self.agent.rest()
