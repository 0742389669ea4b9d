"""How often a race of recipes chooses one that is worse, drops one that is not, and how many episodes it takes.

    python benchmarks/race.py [--runs 1000] [--seed 0] [--margin 0.05] [--limit 600]

Simulated races of six recipes in four environments, put through the very function that 'acgym choose' uses
(docs/statistics.md). In the worst case every recipe loses exactly the margin in one environment, so that every choice
is wrong; in the usual one recipes lose less the larger they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from acgym.analysis.race import Gains, Runner, race
from acgym.statistics.sequential import FRACTIONS

ENVS = ("A", "B", "C", "D")
RECIPES = {f"recipe {bits}": float(bits) for bits in (2, 3, 4, 5, 6, 8)}
WON = 0.02
"""Share of pairs that a recipe wins; it loses so many more as its loss is."""


def p_path(x: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """Return p after each of n values: what :func:`acgym.statistics.sequential.margin_ps` gives of so many."""
    total = np.full(x.shape, -np.inf)
    for fraction in FRACTIONS:
        total = np.logaddexp(total, np.cumsum(np.log1p(fraction * (x / mean - 1))))
    return np.asarray(np.exp(-np.maximum.accumulate(np.maximum(0.0, total - np.log(len(FRACTIONS))))))


def one(
    rng: np.random.Generator, losses: Mapping[str, Sequence[float]], margin: float, limit: int
) -> tuple[Runner, ...]:
    """Race once, with a loss of each recipe in each environment."""
    paths: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    drawn: dict[tuple[str, str], list[float]] = {}

    def play(agent: str, counts: Mapping[str, int]) -> Mapping[str, Gains]:
        for env in counts:
            if (agent, env) not in drawn:
                loss = losses[agent][ENVS.index(env)]
                gains = rng.choice([-1.0, 1.0, 0.0], p=[WON + loss, WON, 1 - 2 * WON - loss], size=limit)
                x = (gains + 1) / 2
                drawn[agent, env] = [float(len(paths)), *gains]  # the first says whose it is
                paths[len(paths)] = p_path(x, (1 - margin) / 2), p_path(1 - x, (1 + margin) / 2)
        return {env: drawn[agent, env][: count + 1] for env, count in counts.items()}

    def tests(gains: Gains, _: float) -> tuple[float, float]:
        better, worse = paths[int(gains[0])]
        return float(better[len(gains) - 2]), float(worse[len(gains) - 2])

    return race(RECIPES, ENVS, margin, limit, play, tests=tests)[0]


def report(title: str, losses: Mapping[str, Sequence[float]], runs: int, seed: int, margin: float, limit: int) -> None:
    """Simulate races and print what came of them."""
    rng = np.random.default_rng(seed)
    chosen, wrong, dropped, episodes = dict.fromkeys([*RECIPES, "none"], 0), 0, 0, 0
    for _ in range(runs):
        runners = one(rng, losses, margin, limit)
        best = next((runner for runner in runners if runner.state == "chosen"), None)
        chosen["none" if best is None else best.agent] += 1
        wrong += best is not None and max(losses[best.agent]) >= margin
        dropped += any(r.state == "dropped" and max(losses[r.agent]) <= margin for r in runners)
        episodes += sum(row.n - 1 for runner in runners for row in runner.standings.values())
    print(f"{title}: a worse one chosen {100 * wrong / runs:.1f} %, a good one dropped {100 * dropped / runs:.1f} %, "
          f"{episodes / runs:,.0f} episodes of recipes; chosen: {chosen}", flush=True)  # fmt: skip


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--margin", type=float, default=0.05)
    parser.add_argument("--limit", type=int, default=600)
    asked = parser.parse_args()
    margin = asked.margin
    rest = (asked.runs, asked.seed, margin, asked.limit)
    print(f"{asked.runs:,} races, margin {100 * margin:g} points, at most {asked.limit:,} episodes each")
    report("every recipe at the margin in one environment", dict.fromkeys(RECIPES, (margin, 0, 0, 0)), *rest)
    report("every recipe at the margin in all", dict.fromkeys(RECIPES, (margin,) * 4), *rest)
    usual = dict(zip(RECIPES, [(0.5, 0.3, 0.6, 0.4), (0.2, 0.1, 0.1, 0.2), (0.06, 0, 0.08, 0), (0.01, 0, 0, 0.01),
                               (0, 0, 0, 0), (0, 0, 0, 0)], strict=True))  # fmt: skip
    report("smaller ones lose more", usual, *rest)


if __name__ == "__main__":
    main()
