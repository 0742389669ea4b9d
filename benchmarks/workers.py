"""Two workers on two cores against one single-threaded one: the reference agent's episodes a second.

Run ``python benchmarks/workers.py [--episodes 200] [--workers 2] [--ray]`` on a quiet machine. Seconds are those of
playing, as the run's ``agent.json`` holds them: loading the model and probing are not in them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded: one thread a worker

from acgym.experiment.run import prepare, run_comparison
from acgym.record.run import Run
from acgym.suites import QUICK, suite_named

ENVS = tuple(suite_named(QUICK))


def played(folder: Path, episodes: int, **how: Any) -> tuple[float, list[Any]]:
    """Play the reference agent; return seconds and what it said."""
    settings = prepare(["reference"], ENVS, episodes=episodes, level=1)
    run_comparison(settings, folder, **how)
    run = Run.read(folder)
    said = sorted((e.env, e.seed, [(turn.text, turn.token_ids) for turn in e.turns]) for e in run.episodes("reference"))
    return run.read_json("agent.json", "reference")["play"]["seconds"], said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=200, help="in each of the four environments")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ray", action="store_true", help="a local Ray cluster too")
    options = parser.parse_args()
    ways: dict[str, dict[str, Any]] = {
        "1 process": {},
        f"{options.workers} processes": {"workers": options.workers},
    }
    if options.ray:
        ways[f"{options.workers} Ray actors"] = {"workers": options.workers, "ray": "local"}
    first: tuple[float, list[Any]] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, how) in enumerate(ways.items()):
            seconds, said = played(Path(folder) / str(number), options.episodes, **how)
            first = first or (seconds, said)
            rate, same = len(said) / seconds, "the same episodes" if said == first[1] else "OTHER EPISODES"
            print(f"{name:15} {seconds:7.1f} s {rate:7.1f} episodes/s {first[0] / seconds:5.2f}x  {same}", flush=True)


if __name__ == "__main__":
    main()
