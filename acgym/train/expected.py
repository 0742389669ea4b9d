"""What the reference agent is expected to say: mostly the oracle's words, which it learnt. Only speed depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import gymnasium as gym

from acgym.types import Json, Split

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent

NAME = "reference"
"""The agent that speaks as the oracle does."""


def expect_oracle(agent: Agent, env_id: str, seeds: Sequence[int], kwargs: Mapping[str, Json], split: Split) -> None:
    """Let the reference agent expect the oracle's replies in episodes that it is about to play; leave others alone.

    It changes no reply, see :meth:`acgym.agents.local.LocalAgent.expect`. Where there is no oracle, or it fails,
    nothing is expected: what is wrong with an environment shows when it is played.

    Args:
        agent: its name tells whether it is the reference agent.
        env_id: Gymnasium id.
        seeds: of the episodes.
        kwargs: arguments of ``gym.make``.
        split: which stream the tasks are drawn from.
    """
    if agent.name != NAME or not seeds:
        return
    from acgym.train.data import tokenise
    from acgym.train.demonstrations import demonstrate

    reference = cast("LocalAgent", agent)
    env = gym.make(env_id, **{"disable_env_checker": True, **kwargs})
    for seed in seeds:
        with suppress(Exception):
            ids, targets = tokenise(reference.tokenizer, demonstrate(env, seed, split))
            reference.expect([(ids, spoken(targets))])
    env.close()


def spoken(targets: Sequence[int]) -> list[tuple[int, int]]:
    """Return the half-open ranges of the agent's tokens; ``targets`` are the next tokens, negative if not its own."""
    spans: list[tuple[int, int]] = []
    for at, target in enumerate(targets, 1):
        if target >= 0:
            start = spans.pop()[0] if spans and spans[-1][1] == at else at
            spans.append((start, at + 1))
    return spans
