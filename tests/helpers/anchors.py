"""Measures what the policies of an environment score: ``python -m tests.helpers.anchors ACB/ToolPlan-v0 [seeds]``."""

from __future__ import annotations

import sys

import gymnasium as gym
import numpy as np

import acgym


def measured(env_id: str, level: int, policy: str, seeds: int) -> tuple[float, float]:
    """Share solved and mean progress of ``random_reply`` or ``heuristic_reply``."""
    env = gym.make(env_id, level=level, disable_env_checker=True)
    inside = env.unwrapped
    solved = progress = 0.0
    for seed in range(seeds):
        env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        done = False
        while not done:
            reply = inside.random_reply(rng) if policy == "random" else inside.heuristic_reply()
            _, _, ended, cut, info = env.step(reply)
            done = ended or cut
        solved += info["success"]
        progress += info["progress"]
    return solved / seeds, progress / seeds


def main() -> None:
    """Print both tables as an environment states them."""
    assert acgym, "importing it registers the environments"
    env_id, seeds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    for title, policy in (("anchors", "random"), ("heuristic_anchors", "heuristic")):
        print(f"    {title}: ClassVar[Mapping[int, Anchor]] = {{")
        for level in range(1, 6):
            solved, progress = measured(env_id, level, policy, seeds)
            print(f"        {level}: Anchor({solved:.3f}, {progress:.3f}),")
        print("    }")


if __name__ == "__main__":
    main()
