"""What the loop and the record cost around scripted agents: steps/s, ms a step, and memory over many episodes.

Run ``python benchmarks/harness.py [--episodes 2000] [--memory 100000]``. "harness" is what ``play`` takes beyond the
environment and the agent themselves (the same episodes in a bare loop). Resets are included everywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from pathlib import Path

import gymnasium as gym

import acgym
from acgym.agents.scripted import Oracle
from acgym.loop import play
from acgym.record.run import Run
from acgym.suites import QUICK, suite_named

ENVS = tuple(suite_named(QUICK))


def bare(env_id: str, episodes: int) -> tuple[float, int]:
    """Play in a loop without a harness; return seconds and steps."""

    async def loop() -> int:
        env, agent, steps = gym.make(env_id, level=1, disable_env_checker=True), Oracle(), 0
        for seed in range(episodes):
            env.reset(seed=seed, options={"split": "eval"})
            bound, over = agent.for_episode(env), False
            while not over:
                _, _, terminated, truncated, _ = env.step((await bound.reply((), ())).action)
                over, steps = terminated or truncated, steps + 1
        return steps

    started = time.perf_counter()
    steps = asyncio.run(loop())
    return time.perf_counter() - started, steps


def through_play(env_id: str, episodes: int, concurrency: int, record: bool) -> float:
    """Play through ``play``; return seconds."""
    with tempfile.TemporaryDirectory() as folder, Run.open(Path(folder) / "run", {}) as run:
        write = (lambda episode: run.append("oracle", episode)) if record else None
        started = time.perf_counter()
        play(
            Oracle(),
            env_id,
            range(episodes),
            kwargs={"level": 1},
            concurrency=concurrency,
            on_episode=write,
            keep=False,
        )
        return time.perf_counter() - started


def resident() -> float:
    """Return the memory that this process holds, in MB; on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def memory(episodes: int) -> None:
    """Show the memory after each tenth of the episodes."""
    marks: list[str] = []

    def hear(_: object) -> None:
        nonlocal count
        count += 1
        if count % (episodes // 10) == 0:
            gc.collect()
            marks.append(f"{resident():.1f}")

    count = 0
    started = time.perf_counter()
    play(Oracle(), "ACB/Household-v0", range(episodes), kwargs={"level": 1}, on_episode=hear, keep=False)
    print(f"MB after each tenth of {episodes} episodes: {' '.join(marks)} ({time.perf_counter() - started:.0f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--memory", type=int, default=100_000)
    options = parser.parse_args()
    print(f"acgym {acgym.__version__}, {options.episodes} episodes of the oracle, level 1")
    print(
        "steps/s: bare, through play at 64 and at 256 at once, recorded at 256; ms of harness a step at 256, recorded"
    )
    for env_id in ENVS:
        through_play(env_id, 100, 64, False)  # warm
        alone, steps = bare(env_id, options.episodes)
        few, many, kept = (
            through_play(env_id, options.episodes, *how) for how in ((64, False), (256, False), (256, True))
        )
        rates = "".join(f"{steps / seconds:12.0f}" for seconds in (alone, few, many, kept))
        print(f"{env_id:17}{rates}{(many - alone) / steps * 1e3:12.3f}{(kept - alone) / steps * 1e3:12.3f}", flush=True)
    memory(options.memory)


if __name__ == "__main__":
    main()
