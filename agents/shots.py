"""Shows an agent solved tasks before its own: demonstrations of the training split as earlier turns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import gymnasium as gym

from acgym.agents.base import Agent
from acgym.demonstrations import demonstrate
from acgym.seeds import TRAINING_SEEDS
from acgym.types import Json, Message, Reply, ToolSpec, canonical_json

MOST_SHOTS = 16


class ShownAgent(Agent):
    """An agent that sees other tasks solved in front of each conversation.

    The oracle plays them on the training split, on the same environment with the same arguments; they are the same for
    every episode and every agent. Tool specs are those of the task that is asked.

    Args:
        agent: who replies.
        shots: how many tasks are shown, 1 to MOST_SHOTS.
        kwargs: arguments of ``gym.make`` of the episodes that are played.
    """

    def __init__(self, agent: Agent, shots: int, kwargs: Mapping[str, Json]) -> None:
        check_shots(shots)
        self.agent, self.shots, self.kwargs = agent, shots, dict(kwargs)
        self.name = agent.name
        self._before: tuple[Message, ...] = ()

    def for_episode(self, env: Any) -> Agent:
        """Return the agent with the examples of an environment."""
        made = ShownAgent(self.agent.for_episode(env), self.shots, self.kwargs)
        made.name = self.name
        made._before = examples(env.spec.id, canonical_json(self.kwargs), self.shots)
        return made

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Answer the conversation with the examples in front of it."""
        return await self.agent.reply([*self._before, *messages], tools)

    def rest(self) -> None:
        """Let the agent rest."""
        self.agent.rest()


def check_shots(shots: int) -> None:
    """Refuse a number of examples outside 0 to MOST_SHOTS.

    Raises:
        ValueError: with the range.
    """
    if not 0 <= shots <= MOST_SHOTS:
        raise ValueError(f"shots must be from 0 to {MOST_SHOTS} solved tasks, got {shots}")


@lru_cache(maxsize=64)
def examples(env_id: str, arguments: str, shots: int) -> tuple[Message, ...]:
    """Return the messages of the first demonstrations of the training split.

    Args:
        env_id: Gymnasium id.
        arguments: of ``gym.make``, as canonical JSON.
        shots: how many.

    Raises:
        ValueError: if the environment has no training split or no oracle.
    """
    env = gym.make(env_id, disable_env_checker=True, **json.loads(arguments))
    inside: Any = env.unwrapped
    if "train" not in getattr(inside, "splits", ("eval", "train")) or not callable(getattr(inside, "oracle", None)):
        raise ValueError(f"{env_id} has no training split with an oracle, so there is nothing to show; drop the shots")
    seeds = range(TRAINING_SEEDS[1] - shots, TRAINING_SEEDS[1])
    found = tuple(message for seed in seeds for message in demonstrate(env, seed, "train").messages)
    env.close()
    return found
