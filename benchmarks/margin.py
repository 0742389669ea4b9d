"""How often an agent that is worse by the margin is called "not worse", and one at the margin "worse".

    python benchmarks/margin.py [--runs 10000] [--seed 0] [--margin 0.02]

Simulated comparisons whose true loss is exactly the margin, the hardest case, put through the functions that a
comparison uses. Both answers are wrong then, and each may come in at most 5 % (docs/statistics.md). The test that may
be looked at all the time is simulated a tenth as often.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache

import numpy as np

from acgym.analysis.curve import Dose, knee_of
from acgym.statistics.noninferiority import not_worse_p, score_ps, worse_p
from acgym.statistics.paired import Interval, holm, mcnemar
from acgym.statistics.sequential import largest_log_wealth
from acgym.statistics.stratified import paired_ends

SIZES = (60, 200, 1000)
WON = (0.0, 0.02, 0.05, 0.1)
ENVIRONMENTS = 4

exact = cache(mcnemar)


def parts(row: list[tuple[int, int, int]]) -> bool:
    """Say whether a knee is seen in (lost, won, n) of each value."""
    ps = holm([exact(lost, won) for lost, won, _ in row])
    ends = Interval(0.0, 0.0)
    doses = [Dose(i, n, 0.9, ends, (won - lost) / n, ends, p, p)
             for i, ((lost, won, n), p) in enumerate(zip(row, ps, strict=True))]  # fmt: skip
    return knee_of(doses) is not None


better, worse, score = cache(not_worse_p), cache(worse_p), cache(score_ps)


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--margin", type=float, default=0.02)
    parser.add_argument("--only", default="", help="a part of the row's name")
    asked = parser.parse_args()
    margin, runs = asked.margin, asked.runs
    print(f"Wrong at 0.05 where the loss is {100 * margin:g} points, % of {runs:,} comparisons, by share of won pairs")
    print(f"{'':36s}{'pairs':>7s}" + "".join(f"{rate:9.0%}" for rate in WON))

    def drawn(n: int, won: float, times: int = 1) -> list[tuple[int, int]]:
        rng = np.random.default_rng([asked.seed, n])
        shares = [won + margin, won, 1 - 2 * won - margin]
        return [(int(a), int(b)) for a, b, _ in rng.multinomial(n, shares, size=runs * times)]

    def show(head: str, row: Callable[[int, float], float]) -> None:
        for n in SIZES if asked.only in head else ():
            print(f"{head:36s}{n:7,}" + "".join(f"{100 * row(n, won):9.1f}" for won in WON), flush=True)
            head = ""

    def family(n: int, won: float) -> float:
        """The first environment is at the margin, three do not differ: said of the first one."""
        ps = [holm([better(*pair, n, margin), *[better(0, 0, n, margin)] * 3])[0] for pair in drawn(n, won)]
        return float(np.mean(np.array(ps) < 0.05))

    def together(n: int, won: float) -> float:
        rows = np.reshape(drawn(n, won, ENVIRONMENTS), (runs, ENVIRONMENTS, 2)).astype(np.float64)
        low, _ = paired_ends(rows[..., 0], rows[..., 1], np.float64(n) * np.ones(ENVIRONMENTS), 0.90)
        return float(np.mean(low > -margin))  # the same as p < 0.05, one-sided

    def peeking(n: int, won: float) -> float:
        rng, found = np.random.default_rng([asked.seed, n]), 0
        for _ in range(0, runs // 10, 100):
            x = rng.choice([0.0, 0.5, 1.0], p=[won + margin, 1 - 2 * won - margin, won], size=(100, n))
            found += int((largest_log_wealth(x, (1 - margin) / 2) >= np.log(20)).sum())
        return found / (runs // 10)

    def knee(n: int, won: float) -> float:
        """Five values at which nothing is lost: seen to part somewhere."""
        rng = np.random.default_rng([asked.seed, n])
        rows = rng.multinomial(n, [won, won, 1 - 2 * won], size=(runs, 5)).tolist()
        return float(np.mean([parts([(lost, up, n) for lost, up, _ in row]) for row in rows]))

    show('"not worse", exact', lambda n, won: float(np.mean([better(*p, n, margin) < 0.05 for p in drawn(n, won)])))
    show('"not worse", score', lambda n, won: float(np.mean([score(*p, n, margin)[0] < 0.05 for p in drawn(n, won)])))
    show('"worse", exact', lambda n, won: float(np.mean([worse(*p, n, margin) < 0.05 for p in drawn(n, won)])))
    show("one of 4 environments by Holm", family)
    show("mean of 4 environments", together)
    show("a knee of five values, no loss", knee)
    show("looked at after every pair", peeking)


if __name__ == "__main__":
    main()
