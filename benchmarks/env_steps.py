"""Steps per second of every generated environment through gym.make, resets included, on one core.

    python benchmarks/env_steps.py [LEVEL]

The floor is Gymnasium itself: an environment of the same text spaces that does nothing, through the same wrappers.
Beside it stands what an episode takes when the oracle plays it, drawing of the task and rendering of texts included.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import gymnasium as gym
from gymnasium.utils.performance import benchmark_step

import acgym
from acgym.env import TextEnv
from acgym.space import Utf8
from acgym.suites import suite_named

SECONDS = 1
REPEATS = 3


class Nothing(gym.Env[str, str]):
    """Answers every action with the same text and ends after as many steps as an answer may take in Workflow."""

    action_space = Utf8()
    observation_space = Utf8()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Start again."""
        super().reset(seed=seed)
        return "text", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do nothing."""
        return "text", 0.0, False, False, {}


def oracle(env: gym.Env[Any, Any], seconds: float) -> tuple[float, float]:
    """Return steps and episodes per second of processor time while the oracle plays."""
    inside: Any = env.unwrapped
    steps = seed = 0
    started = time.process_time()
    while time.process_time() - started < seconds:
        env.reset(seed=seed)
        seed, over = seed + 1, False
        while not over:
            _, _, terminated, truncated, _ = env.step(inside.oracle())
            steps, over = steps + 1, terminated or truncated
    taken = time.process_time() - started
    return steps / taken, seed / taken


def main() -> None:
    """Print a row for each environment of the suite ``full``."""
    level = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    gym.register("Nothing-v0", Nothing, max_episode_steps=3)
    floor = max(benchmark_step(gym.make("Nothing-v0"), SECONDS, seed=0) for _ in range(REPEATS))
    print(f"acgym {acgym.__version__}, level {level}, best of {REPEATS} x {SECONDS} s")
    print(f"{'an environment that does nothing':34} {floor:10,.0f} steps/s of random text")
    for env_id in suite_named("full"):
        env = gym.make(env_id, level=level)
        assert isinstance(env.unwrapped, TextEnv)
        text = max(benchmark_step(env, SECONDS, seed=0) for _ in range(REPEATS))
        steps, episodes = max(oracle(gym.make(env_id, level=level), SECONDS) for _ in range(REPEATS))
        print(
            f"{env_id:34} {text:10,.0f} steps/s of random text, {steps:8,.0f} steps/s and {episodes:6,.0f} episodes/s "
            "of the oracle",
            flush=True,
        )


if __name__ == "__main__":
    main()
