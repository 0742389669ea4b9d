"""The agent that hands over: one agent plays the first turns of an episode, another one the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from acgym.agents.base import Agent
from acgym.types import Message, Reply, ToolSpec


class Relay(Agent):
    """Plays the first turns as one agent and the rest as another, which reads the whole conversation.

    Args:
        first: plays turns 0 to ``turns`` - 1; a :class:`acgym.agents.scripted.Replay` to start from a recorded state.
        turns: how many turns that is, 0 or more.
        then: plays all later turns.
        same_tokens: whether both have one vocabulary and chat template, so that ``then`` may take the tokens of the
            replies before it as they are. If not, it reads the words alone: token numbers of another vocabulary would
            be other words to it.
        name: the agent's name in records.

    Raises:
        ValueError: if ``turns`` is below 0.
    """

    def __init__(self, first: Agent, turns: int, then: Agent, *, same_tokens: bool, name: str | None = None) -> None:
        if turns < 0:
            raise ValueError(f"an agent can play 0 or more first turns, got {turns}")
        self.first, self.turns, self.then, self.same_tokens = first, turns, then, same_tokens
        self.name = name or f"{first.name} for {turns} turns, then {then.name}"

    def for_episode(self, env: Any) -> Agent:
        """Return the agent for one episode, both of its players bound to ``env``."""
        first, then = self.first.for_episode(env), self.then.for_episode(env)
        return Relay(first, self.turns, then, same_tokens=self.same_tokens, name=self.name)

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say what the player of this turn says; errors are the player's."""
        played = sum(message.role == "assistant" for message in messages)
        if played < self.turns:
            return await self.first.reply(messages, tools)
        heard = messages if self.same_tokens else _without_tokens(messages, self.turns)
        return await self.then.reply(heard, tools)


def _without_tokens(messages: Sequence[Message], turns: int) -> list[Message]:
    """Take the token ids off the first ``turns`` replies."""
    heard: list[Message] = []
    for message in messages:
        if message.reply is not None and turns > 0:
            turns -= 1
            message = replace(message, reply=replace(message.reply, prompt_ids=None, token_ids=None))
        heard.append(message)
    return heard
