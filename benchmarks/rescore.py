"""Seconds to score a run of 10,000 episodes again: reading, comparing, divergence, report; no model takes part.

    python benchmarks/rescore.py [EPISODES]

A dense agent and a compressed one play half of the episodes each, in the four environments. They are the oracle and the
random policy, written down as models of 120 tokens a turn would be.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import acgym
from acgym.agents.base import Agent
from acgym.agents.scripted import Oracle, Random
from acgym.experiment.rescore import rescore
from acgym.loop import play
from acgym.record.episode import Episode
from acgym.record.manifest import MANIFEST
from acgym.record.run import Run
from acgym.suites import QUICK, suite_named

EPISODES = 10_000
TOKENS = tuple(range(1000, 1120))
REPEATS = 3


def write(folder: Path, per_agent: int) -> int:
    """Write a run and return the bytes of its episodes."""
    agents: dict[str, Agent] = {"oracle": Oracle(), "random": Random()}
    envs = {env: {"level": 1} for env in suite_named(QUICK)}
    settings = {"agents": list(agents), "envs": envs, "episodes": per_agent // len(envs)}
    Run.open(folder, settings)
    size = 0
    for name, agent in agents.items():
        file = Run.read(folder).folder(name) / "episodes.jsonl"
        file.parent.mkdir()
        with file.open("w") as lines:
            for env, kwargs in envs.items():
                for episode in play(agent, env, range(settings["episodes"]), kwargs=kwargs):
                    lines.write(with_tokens(episode).to_line() + "\n")
        size += file.stat().st_size
    return size


def with_tokens(episode: Episode) -> Episode:
    """Give every turn the token ids of a prompt and a reply."""
    turns = [replace(turn, prompt_ids=TOKENS, token_ids=TOKENS) for turn in episode.turns]
    return replace(episode, turns=tuple(turns))


def main() -> None:
    """Write a run, score it again, and say how long that took."""
    episodes = int(sys.argv[1]) if len(sys.argv) > 1 else EPISODES
    with tempfile.TemporaryDirectory() as folder:
        size = write(Path(folder) / "run", episodes // 2)
        assert (Path(folder) / "run" / MANIFEST).is_file()
        wall, processor = [], []
        for _ in range(REPEATS):
            started = time.perf_counter(), time.process_time()
            rescore(Path(folder) / "run")
            wall.append(time.perf_counter() - started[0])
            processor.append(time.process_time() - started[1])
    print(f"acgym {acgym.__version__}: {episodes:,} episodes, {size / 1e6:.0f} MB")
    print(f"scored again in {min(wall):.2f} s, {min(processor):.2f} s of processor time (best of {REPEATS})")


if __name__ == "__main__":
    main()
