"""The oracle's conversations: what behaviour cloning learns from, and what is shown to models as examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from acgym.tool_calls import parse_reply, render_hermes
from acgym.types import Message, Reply, Split, ToolSpec, spoken_by


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One conversation that solves one task, in the words that a model would use."""

    env: str
    """Gymnasium id of the environment, or the name of a practice family that is none."""
    messages: tuple[Message, ...]
    """What the environment said and what the oracle replied, in turns; tool calls in Hermes syntax."""
    tools: tuple[ToolSpec, ...]

    def as_chat(self) -> list[dict[str, str]]:
        """Return the messages in the form that chat templates read."""
        return [{"role": message.role, "content": message.content} for message in self.messages]


def demonstrate(env: gym.Env[str, str], seed: int, split: Split = "train") -> Demonstration:
    """Let the oracle play one episode of ``env``.

    Args:
        env: an environment with an ``oracle``, made by ``gym.make``.
        seed: names the episode.
        split: which stream the task is drawn from.

    Raises:
        RuntimeError: if the oracle did not solve the task; nothing may learn from that.
    """
    unwrapped: Any = env.unwrapped
    name = env.spec.id if env.spec is not None else type(unwrapped).__name__
    observation, info = env.reset(seed=seed, options={"split": split})
    tools = tuple(info["tools"])
    messages: list[Message] = []
    previous: Reply | None = None
    done = False
    while not done:
        messages.append(Message(spoken_by(previous), observation))
        text = render_hermes(unwrapped.oracle())
        action, calls = parse_reply(text)
        previous = Reply(text=text, action=action, calls=calls)
        messages.append(Message("assistant", text, previous))
        observation, _, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    if not info["success"]:
        raise RuntimeError(f"the oracle of {name} did not solve the {split} task of seed {seed}: {info}")
    return Demonstration(name, tuple(messages), tools)


def demonstrations(env_id: str, seeds: Sequence[int], split: Split = "train", **kwargs: Any) -> Iterator[Demonstration]:
    """Play the oracle on the given seeds of one environment, made with ``kwargs``."""
    env = gym.make(env_id, disable_env_checker=True, **kwargs)
    for seed in seeds:
        yield demonstrate(env, seed, split)
