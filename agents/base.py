"""What an agent is: something that answers a conversation, and knows nothing of the environment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from acgym.asynchronous import wait_for
from acgym.types import Message, Reply, ToolSpec, spoken_by


class Agent(ABC):
    """Answers conversations. Stateless about them: all that it needs to know is in the messages."""

    name: str
    """Names the agent in records and file names; an agent spec such as ``reference+gptq-w4-g64``."""

    @abstractmethod
    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say the next assistant message.

        Args:
            messages: the whole conversation so far; the last one is not the assistant's. Assistant messages carry the
                :class:`Reply` they came from.
            tools: the tools that may be called, the same in every turn of a conversation.

        Raises:
            AgentFailure: when the infrastructure broke (memory, time, connection); never for what the model says.
        """

    def for_episode(self, env: Any) -> Agent:
        """Return the agent that plays one episode of ``env``; scripted agents look inside it, all others do not."""
        return self

    def rest(self) -> None:  # noqa: B027 - most agents hold nothing
        """Let go of what is held for conversations that may go on; those that do only take longer."""

    def chat(self, info: Mapping[str, Any]) -> Chat:
        """Open a conversation for a raw Gymnasium loop; ``info`` is what ``reset`` returned, for its ``tools``."""
        return Chat(self, tuple(info.get("tools", ())))


class Chat:
    """One conversation: call it with an observation, get the action. It holds the history and blocks meanwhile."""

    def __init__(self, agent: Agent, tools: tuple[ToolSpec, ...]) -> None:
        self.agent = agent
        self.tools = tools
        self.messages: list[Message] = []

    def __call__(self, observation: str) -> str:
        """Hear ``observation``, say the next action."""
        previous = self.messages[-1].reply if self.messages else None
        self.messages.append(Message(spoken_by(previous), observation))
        reply = wait_for(self.agent.reply(self.messages, self.tools))
        self.messages.append(Message("assistant", reply.text, reply))
        return reply.action


class AgentFailure(Exception):
    """The agent's infrastructure broke: the episode is recorded as failed and never scored."""


def outgrown(messages: Sequence[Message], why: AgentFailure) -> Reply:
    """Answer a conversation that no longer fits into a model's context window: with nothing, cut off by its length.

    So an agent that talks until its window is full plays on without a word, and its episode is scored with what it had
    reached. Were such episodes failures, those that a compressed agent babbled away would quietly leave the sample.

    Args:
        messages: the conversation.
        why: says how long it is, and how long it may be.

    Returns:
        An empty reply without tokens.

    Raises:
        AgentFailure: ``why``, if the agent has said nothing yet: the task does not fit, which tells nothing about what
            the agent does.
    """
    if not any(message.role == "assistant" for message in messages):
        raise why
    return Reply("", "", finish_reason="length")


def too_long(tokens: int, window: int) -> AgentFailure:
    """Say that a prompt of so many tokens does not fit into a context window of so many."""
    return AgentFailure(f"the prompt has {tokens} tokens, and the model's context window is {window}")
