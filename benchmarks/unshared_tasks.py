"""Tasks of every tool and workflow environment in both splits: how many hashes stand in both, which should be none.

    python benchmarks/unshared_tasks.py [TASKS] [ID ...]

So many tasks (100,000) are drawn of each split, a fifth of them at each level. Nothing is told or played.
"""

from __future__ import annotations

import sys
import time

import gymnasium as gym

import acgym
from acgym.env import LEVELS, TextEnv
from acgym.suites import suite_named
from acgym.types import Split

TASKS = 100_000


def hashes(env_id: str, split: Split, tasks: int) -> list[int]:
    """Draw tasks; return their hashes as numbers."""
    found = []
    for level in LEVELS:
        env = gym.make(env_id, level=level).unwrapped
        assert isinstance(env, TextEnv)
        found += [int(env.choose_task(seed, split).hash, 16) for seed in range(tasks // len(LEVELS))]
    return found


def main() -> None:
    """Print a row for each environment that generates its tasks."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    print(f"acgym {acgym.__version__}, {tasks:,} tasks of each split")
    for env_id in sys.argv[2:] or [*suite_named("tools"), *suite_named("workflow")]:
        started = time.process_time()
        one, other = (hashes(env_id, split, tasks) for split in ("eval", "train"))
        both = len({*one} & {*other})
        print(
            f"{env_id:28} {both} in both; {len({*one}):,} and {len({*other}):,} different ones; "
            f"{time.process_time() - started:,.0f} s",
            flush=True,
        )
        if both:
            sys.exit(f"{env_id} shares {both} tasks between its splits")


if __name__ == "__main__":
    main()
