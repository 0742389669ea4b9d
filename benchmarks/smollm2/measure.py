"""Scores of smollm2: greedy, on evaluation seeds that no test and no comparison uses; goes on where it was stopped.

python benchmarks/smollm2/measure.py OUT.jsonl [--agent smollm2] [--episodes 50] [--rounded] [ENV:LEVEL[:N] ...]

OUT.jsonl gets a line for each environment and level; the table of what it holds is printed. Without names, the
environments and levels of mix.json are played. An episode that repeats a malformed reply four times ends there. With
--rounded the factors of matrix products are rounded to bfloat16: faster on some processors, and not how smollm2 plays.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch

import acgym
from acgym.agents.base import Agent
from acgym.analysis.score import score
from acgym.train.mix import Part, read_mix

FIRST_SEED = 900_000_000
SAME_REPLIES = 4
COLUMNS = "| environment | success | 95 % interval | progress | format errors | n |"


def parts(names: list[str], episodes: int) -> list[tuple[Part, int]]:
    """Return what is played, and how often."""
    if not names:
        mix = read_mix(json.loads((Path(__file__).parent / "mix.json").read_text("utf-8")))
        return [(part, episodes) for part in mix]
    found = []
    for name in names:
        env, level, *count = name.split(":")
        found.append((Part(f"ACB/{env}-v0", {"level": int(level)}), int(count[0]) if count else episodes))
    return found


def measured(agent: Agent, part: Part, episodes: int) -> dict[str, object]:
    """Play, and return the line that is written."""
    started = time.perf_counter()
    seeds = range(FIRST_SEED, FIRST_SEED + episodes)
    played = acgym.play(agent, part.env, seeds, kwargs=dict(part.kwargs), malformed_limit=SAME_REPLIES, concurrency=25)
    row = score(played)
    low, high = row.success_interval.low, row.success_interval.high
    return {
        "agent": agent.name,
        "part": part.name,
        "success": row.success,
        "low": low,
        "high": high,
        "progress": row.progress,
        "format": row.format_error_rate,
        "n": row.n,
        "seconds": round(time.perf_counter() - started, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--agent", default="smollm2")
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--rounded", action="store_true")
    asked = parser.parse_intermixed_args()
    lines = [json.loads(line) for line in asked.out.read_text("utf-8").splitlines()] if asked.out.exists() else []
    there = {(line["agent"], line["part"]) for line in lines}
    if asked.rounded:
        torch.set_float32_matmul_precision("medium")
    agent = acgym.agent(asked.agent)
    for part, episodes in parts(asked.names, asked.episodes):
        if (agent.name, part.name) in there:
            continue
        lines.append(measured(agent, part, episodes))
        with asked.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(lines[-1]) + "\n")
        print(f"{lines[-1]['part']}: {lines[-1]['success']:.3f} of {episodes}, {lines[-1]['seconds']} s", flush=True)
    print(COLUMNS + "\n|" + " --- |" * (COLUMNS.count("|") - 1))
    for line in (line for line in lines if line["agent"] == agent.name):
        print(
            f"| {line['part']} | {line['success']:.2f} | {line['low']:.2f} to {line['high']:.2f} | "
            f"{line['progress']:.2f} | {line['format']:.2f} | {line['n']} |"
        )


if __name__ == "__main__":
    main()
