"""Steps per second of every environment through gym.make, resets included, on one core.

    python benchmarks/env_steps.py [LEVEL]

The floor is Gymnasium itself: an environment of the same text spaces that does nothing, through the same wrappers.
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium as gym
from gymnasium.utils.performance import benchmark_step

import acgym
from acgym.space import Utf8

SECONDS = 3
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


def main() -> None:
    level = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    gym.register("Nothing-v0", Nothing, max_episode_steps=3)
    ids = [env_id for env_id in gym.registry if env_id.startswith("ACB/")]
    floor = max(benchmark_step(gym.make("Nothing-v0"), SECONDS, seed=0) for _ in range(REPEATS))
    print(f"acgym {acgym.__version__}, level {level}, best of {REPEATS} x {SECONDS} s")
    print(f"{'an environment that does nothing':34} {floor:10,.0f} steps/s")
    for env_id in ids:
        best = max(benchmark_step(gym.make(env_id, level=level), SECONDS, seed=0) for _ in range(REPEATS))
        print(f"{env_id:34} {best:10,.0f} steps/s  {best / floor:.2f} of the floor")


if __name__ == "__main__":
    main()
