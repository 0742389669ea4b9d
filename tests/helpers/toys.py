"""A small environment and agent for tests of everything that is not an environment."""

from __future__ import annotations

from typing import ClassVar

import gymnasium as gym
import numpy as np

from acgym.agents.base import Agent
from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.types import Anchor, Reply, Split, Task

ECHO = "Toy/Echo-v0"


class Echo(TextEnv):
    """Say ``level`` words back, one a turn; the tool is only there to be listed."""

    capability = "repeating"
    error_kinds: ClassVar = {"wrong_word": "wrong_argument"}
    anchors: ClassVar = {level: Anchor(0.25**level, 0.25) for level in (1, 2, 3, 4, 5)}

    def draw_task(self, draw: Draw, split: Split) -> Task:
        words = [split[0] + "abcd"[draw.below(4)] for _ in range(self.level)]
        number = draw.below(10**9)
        tool = {"type": "function", "function": {"name": "say", "description": "Say.", "parameters": {}}}
        return Task("echo", f"Echo {number} for {split}.", {"words": words}, words, (tool,))

    def tell(self) -> str:
        self._said = 0
        self._right = 0
        return f"{self.task.goal} Say one word of two letters at a time: {' '.join(self.task.data['words'])}"

    def judge(self, action: str) -> Outcome:
        if len(action) != 2:
            return self.malformed("Say one word of two letters.")
        right = action == self.task.data["words"][self._said]
        self._said += 1
        self._right += right
        over = self._said == self.level
        error = None if right else "wrong_word"
        return Outcome("Go on.", self._right / self.level, over and self._right == self.level, over, error=error)

    def oracle(self) -> str:
        return str(self.task.data["words"][self._said])

    def random_reply(self, rng: np.random.Generator) -> str:
        return self.task.data["words"][0][0] + "abcd"[int(rng.integers(4))]


class Tokens(Agent):
    """Says 'zz' in given token ids, after given prompts."""

    name = "tokens"

    def __init__(self, turns, calls=()):
        self.turns = turns
        self.calls = calls
        self.heard = []

    async def reply(self, messages, tools):
        self.heard.append([message.role for message in messages])
        prompt, said = self.turns[len(messages) // 2]
        return Reply("zz", "zz", self.calls, prompt, said)


def register() -> None:
    """Register the toys once."""
    if ECHO not in gym.registry:
        gym.register(ECHO, Echo, max_episode_steps=8)


register()
