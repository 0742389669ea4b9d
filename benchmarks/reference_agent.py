"""Held-out scores of the reference agent: greedy, level 1, evaluation seeds that no test and no comparison uses.

python benchmarks/reference_agent.py [EPISODES] [AGENT]
"""

from __future__ import annotations

import sys

import acgym
from acgym.analysis.score import score
from acgym.suites import QUICK, suite_named

FIRST_SEED = 900_000_000


def main() -> None:
    episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    agent = acgym.agent(sys.argv[2] if len(sys.argv) > 2 else "reference")
    for env_id in suite_named(QUICK):
        seeds = range(FIRST_SEED, FIRST_SEED + episodes)
        row = score(acgym.play(agent, env_id, seeds, kwargs={"level": 1}))
        low, high = row.success_interval.low, row.success_interval.high
        print(
            f"{env_id:18} success {row.success:.3f} (95 % interval {low:.3f} to {high:.3f}), "
            f"progress {row.progress:.3f}, "
            f"format errors {row.format_error_rate:.4f} and decision errors {row.decision_error_rate:.4f} of turns, "
            f"n = {row.n}",
            flush=True,
        )


if __name__ == "__main__":
    main()
