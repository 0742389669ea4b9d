"""Environments that each break one clause of the contract."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import count

import gymnasium as gym
import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome
from acgym.text import read_json
from acgym.types import Anchor
from tests.helpers.toys import Echo


class Wrong(Echo):
    """Answers the first word with ``change`` applied to the outcome."""

    def judge(self, action):
        return self.change(super().judge(action))

    def change(self, outcome: Outcome) -> Outcome:
        return outcome


class NoSpace(Echo):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.observation_space = gym.spaces.Text(10**6, charset=frozenset(map(chr, range(32, 127))))


class ExtraAtReset(Echo):
    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        return observation, {**info, "seed": 1}


class MissingAtStep(Echo):
    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        del info["error"]
        return observation, reward, terminated, truncated, info


class Surrogate(Wrong):
    def change(self, outcome):
        return replace(outcome, observation="\ud800")


class TooMuch(Wrong):
    def change(self, outcome):
        return replace(outcome, progress=outcome.progress * 2)


class Bonus(Echo):
    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward + 1, terminated, truncated, info


class Counting(Echo):
    """Tells how many episodes this instance has told before."""

    told = 0

    def tell(self):
        self.told += 1
        return f"{super().tell()} ({self.told})"


class Lottery(Echo):
    """Draws from the generators of the whole process."""

    def tell(self):
        random.random()
        np.random.random()
        return super().tell()


class BadOracle(Echo):
    def oracle(self):
        return "zz"


class Endless(Wrong):
    def change(self, outcome):
        return replace(outcome, terminated=False, success=False) if outcome.terminated else outcome

    def judge(self, action):
        return super().judge(action) if self._said < self.level else self.malformed("It is over.")

    def oracle(self):
        return super().oracle() if self._said < self.level else "zz"


class Generous(Echo):
    def judge(self, action):
        return Outcome("Fine.", 1.0, True, True) if action == "" else super().judge(action)


class Babbler(Echo):
    def random_reply(self, rng):
        return "no words\n"


class Braggart(Echo):
    anchors = dict.fromkeys((1, 2, 3, 4, 5), Anchor(0.9, 0.25))


class Trusting(Echo):
    def judge(self, action):
        if action[:1] in ("{", "["):
            read_json(action)
        return super().judge(action)


class Gullible(Echo):
    def judge(self, action):
        return Outcome("Fine.", 1.0, True, True) if "__class__" in action else super().judge(action)


class Parrot(Echo):
    def judge(self, action):
        outcome = super().judge(action)
        return replace(outcome, observation=f"You said {action[:100]}") if outcome.malformed else outcome


class Slow(Echo):
    def judge(self, action):
        end = time.process_time() + 0.05 * (action == "null")
        while time.process_time() < end:
            pass
        return super().judge(action)


class Painter(Echo):
    def render(self):
        return np.zeros((2, 2, 3), np.uint8)


class OneStream(Echo):
    """Has one task, whatever the split."""

    def draw_task(self, draw, split):
        return super().draw_task(Draw(np.random.default_rng(0)), "eval")


class TrainsByDefault(Echo):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed, options=options or {"split": "train"})


class AnyOption(Echo):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed, options={k: v for k, v in (options or {}).items() if v in ("eval", "train")})


class AnyLevel(Echo):
    def __init__(self, level=3, **kwargs):
        super().__init__(**kwargs)
        self.level = min(5, max(1, int(level)))


class Single(Echo):
    """Fails when a second copy lives at the same time as the first and steps."""

    alive = count()

    def reset(self, *, seed=None, options=None):
        observation, info = super().reset(seed=seed, options=options)
        return (observation + "!" if seed == 1 and options is None and next(Single.alive) % 2 else observation), info


class Mute(gym.Env):
    """Plain Gymnasium: no tasks at all."""

    observation_space = action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        return 0, 0.0, True, False, {}


class Untrained(Echo):
    """Says that it has no training split, and plays something else when asked for it."""

    splits = ("eval",)

    def reset(self, *, seed=None, options=None):
        known = options != {"split": "train"}
        return super().reset(seed=seed, options=options if known else None)
