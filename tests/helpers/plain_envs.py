"""Somebody's environments, which keep the contract without acgym's base class."""

from __future__ import annotations

from typing import ClassVar

import gymnasium as gym

from acgym.space import Utf8
from acgym.types import Anchor, Task

SAY, LEVELLED = "Bare/Say-v0", "Bare/Level-v0"


class Bare(gym.Env):
    """Say the number you are told; there is no level."""

    def __init__(self, words=1):
        self.observation_space, self.action_space, self.words = Utf8(), Utf8(), words

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.task = Task("bare", f"Say {seed}.", {}, str(seed))
        return self.task.goal, {"task": self.task, "tools": (), "progress": 0.0, "success": False}

    def step(self, action):
        right = action == self.task.reference
        info = {"progress": float(right), "success": right, "malformed": False, "error": None}
        return "Done.", float(right), True, False, info

    def oracle(self):
        return self.task.reference

    def random_reply(self, rng):
        return "1"


class Levelled(Bare):
    anchors: ClassVar = {1: Anchor(0.25, 0.5)}

    def __init__(self, level=1, **kwargs):
        super().__init__(**kwargs)
        self.level = level


gym.register(SAY, Bare, max_episode_steps=2)
gym.register(LEVELLED, Levelled, max_episode_steps=2)
