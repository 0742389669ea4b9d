"""Measures what the random policy and the simple heuristic of an environment score, beside what it states.

    python benchmarks/anchors.py ACB/ToolCall-v0 [--seeds 2000] [--level 1]

The stated anchors of the environments that come along are means over seeds 0 to 1,999.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import fmean, stdev
from typing import Any

import gymnasium as gym
import numpy as np

import acgym


def played(env: gym.Env[Any, Any], seed: int, reply: Callable[[Any], str]) -> tuple[float, float]:
    """Play one episode; return success and progress."""
    env.reset(seed=seed)
    while True:
        _, _, terminated, truncated, info = env.step(reply(env.unwrapped))
        if terminated or truncated:
            return float(info["success"]), float(info["progress"])


def random_policy(seed: int) -> Callable[[Any], str]:
    """Return the random policy as ``acgym.check`` draws it."""
    rng = np.random.default_rng(seed)
    return lambda inside: str(inside.random_reply(rng))


def heuristic(seed: int) -> Callable[[Any], str]:
    """Return the heuristic; it draws nothing."""
    return lambda inside: str(inside.heuristic_reply())


def main() -> None:
    """Print a row for each level and policy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("env", help="Gymnasium id")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--level", type=int, action="append", help="only this level; repeat for several")
    asked = parser.parse_args()
    print(f"acgym {acgym.__version__}, {asked.env}, {asked.seeds} seeds")
    print("level  policy     success  +-      stated  progress  +-      stated")
    for level in asked.level or range(1, 6):
        env = gym.make(asked.env, level=level, disable_env_checker=True)
        inside: Any = env.unwrapped
        for name, policy, stated in (
            ("random", random_policy, inside.anchors), ("heuristic", heuristic, inside.heuristic_anchors)
        ):  # fmt: skip
            if level not in stated:
                continue
            columns = zip(*(played(env, seed, policy(seed)) for seed in range(asked.seeds)), strict=True)
            cells = [
                f"{fmean(values):.4f}  {stdev(values) / asked.seeds**0.5:.4f}  {at:.3f}"
                for values, at in zip(map(list, columns), stated[level], strict=True)
            ]
            print(f"{level}      {name:9}  {'   '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
