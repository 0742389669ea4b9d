"""How often each test cries wolf, how often each interval holds the truth, and whether the planner keeps its word.

    python benchmarks/calibration_of_tests.py [--runs 2000] [--seed 0]

Simulated comparisons, put through the very functions that a comparison uses. Null comparisons (an agent against itself)
should be rejected in 5 % of the runs at 0.05, 95 % intervals should hold the true value in 95 % of them. With 2,000
runs, a figure is off by 1 point in one case of twenty. Some tests are below 5 % by construction: an exact test of few
discordant pairs cannot come near it, and a test that may be looked at all the time pays for that (docs/statistics.md).
Tests and intervals of success are simulated ten times as often, what takes long (tasks that repeat, progress) half as
often, stopping at will a twentieth.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache

import numpy as np

from acgym.statistics import bootstrap
from acgym.statistics.cluster import cluster_mcnemar, cluster_mcnemar_mid_p, clustered_difference
from acgym.statistics.paired import Interval, holm, mcnemar, mcnemar_mid_p, mean_interval, paired_difference, tango
from acgym.statistics.power import mcnemar_power, minimum_detectable_drop
from acgym.statistics.sequential import confidence_sequence, largest_log_wealth

SIZES = (30, 200, 2000)
RATES = (0.02, 0.1, 0.2, 0.4)
ENVIRONMENTS = 4
CHEAP = 10
"""So many times the runs where they cost little."""
RESAMPLES = 1000
"""Of a bootstrap here; the package draws 4,000."""

exact, middle, score_interval = cache(mcnemar), cache(mcnemar_mid_p), cache(tango)


def tango_of(pair: tuple[int, int], n: int) -> Interval:
    """The interval of a comparison of success."""
    return score_interval(*pair, n)


def discordant(rng: np.random.Generator, n: int, lost: float, won: float, runs: int) -> list[tuple[int, int]]:
    """(lost, won) of simulated comparisons."""
    return [(int(a), int(b)) for a, b, _ in rng.multinomial(n, [lost, won, 1 - lost - won], size=runs)]


def show(head: str, row: Callable[[int, float], float]) -> None:
    """Print a line for each number of pairs: a figure for each share of discordant pairs."""
    for n in SIZES:
        cells = "".join(f"{100 * row(n, rate):9.1f}" for rate in RATES)
        print(f"{head:34s}{n:7,}{cells}", flush=True)
        head = ""


def rejections(runs: int, seed: int) -> None:
    """Null comparisons of success."""
    print("Rejected at 0.05 where nothing was lost, %, by share of discordant pairs")
    print(f"{'':34s}{'pairs':>7s}" + "".join(f"{rate:9.0%}" for rate in RATES))

    def null(n: int, rate: float, times: int = CHEAP) -> list[tuple[int, int]]:
        return discordant(np.random.default_rng([seed, n]), n, rate / 2, rate / 2, runs * times)

    def families(test: Callable[[int, int], float], n: int, rate: float) -> float:
        rows = np.reshape([test(*pair) for pair in null(n, rate, ENVIRONMENTS)], (runs, ENVIRONMENTS))
        return float(np.mean([min(holm(row)) <= 0.05 for row in rows]))

    show("exact McNemar (p)", lambda n, rate: float(np.mean([exact(*pair) <= 0.05 for pair in null(n, rate)])))
    show("mid-p", lambda n, rate: float(np.mean([middle(*pair) <= 0.05 for pair in null(n, rate)])))
    show("interval without 0", lambda n, rate: float(np.mean([0 not in tango_of(pair, n) for pair in null(n, rate)])))
    show("any of 4 by Holm, exact", lambda n, rate: families(exact, n, rate))
    show("any of 4 by Holm, mid-p", lambda n, rate: families(middle, n, rate))
    for head, test in (("tasks of 4 alike tries, exact", cluster_mcnemar), ("... mid-p", cluster_mcnemar_mid_p)):
        show(head, lambda n, rate, test=test: clustered(test, n, rate, runs // 2, seed))
    show("looked at after every pair", lambda n, rate: peeking(n, rate, runs, seed))


def clustered(test: Callable[..., float], n: int, rate: float, runs: int, seed: int) -> float:
    """Null comparisons in which the four tries of a task share an outcome half of the time."""
    rng, chances, found = np.random.default_rng([seed, n]), [rate / 2, rate / 2, 1 - rate], 0
    for _ in range(runs):
        shared, own = rng.choice([-1, 1, 0], (n // 4, 1), p=chances), rng.choice([-1, 1, 0], (n // 4, 4), p=chances)
        d = np.where(rng.random((n // 4, 1)) < 0.5, shared, own)
        found += test((d == -1).sum(1).tolist(), (d == 1).sum(1).tolist()) <= 0.05
    return found / runs


def peeking(n: int, rate: float, runs: int, seed: int) -> float:
    """Null comparisons that would have been stopped at any pair at which the sequential test rejects."""
    rng, found = np.random.default_rng([seed, n]), 0
    for _ in range(0, runs, 100):
        x = rng.choice([0.0, 0.5, 1.0], p=[rate / 2, 1 - rate, rate / 2], size=(100, n))
        wealth = np.maximum(largest_log_wealth(x, 0.5), largest_log_wealth(1 - x, 0.5))
        found += int((wealth >= np.log(40)).sum())
    return found / runs


def coverage(runs: int, seed: int) -> None:
    """Intervals of success and of progress."""
    print("\n95 % intervals that held the true value, %, by share of discordant pairs or of values below 1")
    print(f"{'':34s}{'pairs':>7s}" + "".join(f"{rate:9.0%}" for rate in RATES))

    def success(n: int, rate: float) -> float:
        lost, won = 0.8 * rate, 0.2 * rate
        pairs = discordant(np.random.default_rng([seed, n]), n, lost, won, CHEAP * runs)
        return float(np.mean([won - lost in tango_of(pair, n) for pair in pairs]))

    show("difference in success", success)
    show("difference in progress", lambda n, rate: progress(n, rate, runs // 2, seed))
    show("... tasks of 4 alike tries", lambda n, rate: alike(n, rate, runs // 2, seed))
    show("progress of one agent", lambda n, rate: alone(n, rate, runs // 2, seed))
    show("success, stopped at will", lambda n, rate: stopped(n, rate, runs // 20, seed))


def progress(n: int, rate: float, runs: int, seed: int) -> float:
    """Pairs of which a share differs by quarters."""
    rng, steps, held = np.random.default_rng([seed, n]), np.array([-0.75, -0.5, -0.25, 0.25]), 0
    for _ in range(runs):
        change = np.where(rng.random(n) < rate, rng.choice(steps, n), 0.0)
        held += rate * steps.mean() in paired_difference(np.full(n, 0.75), 0.75 + change)
    return held / runs


def alike(n: int, rate: float, runs: int, seed: int) -> float:
    """Tasks with four tries each that share an outcome half of the time."""
    rng, chances, held = np.random.default_rng([seed, n]), [0.8 * rate, 0.2 * rate, 1 - rate], 0
    labels = np.repeat(np.arange(n // 4), 4).tolist()
    for _ in range(runs):
        shared, own = rng.choice([-1, 1, 0], (n // 4, 1), p=chances), rng.choice([-1, 1, 0], (n // 4, 4), p=chances)
        d = np.where(rng.random((n // 4, 1)) < 0.5, shared, own).ravel()
        held += -0.6 * rate in clustered_difference((d == -1).astype(float), (d == 1).astype(float), labels)
    return held / runs


def alone(n: int, rate: float, runs: int, seed: int) -> float:
    """Values of one agent: solved but for a share, whose progress is anything."""
    rng, held = np.random.default_rng([seed, n]), 0
    for _ in range(runs):
        held += 1 - rate / 2 in mean_interval(np.where(rng.random(n) < rate, rng.random(n), 1.0))
    return held / runs


def stopped(n: int, rate: float, runs: int, seed: int) -> float:
    """The anytime-valid interval at the pair at which it first leaves out 0 or is narrow enough, at the latest at n."""
    rng, held = np.random.default_rng([seed, n]), 0
    lost, won = 0.8 * rate, 0.2 * rate
    for _ in range(runs):
        d = rng.choice([-1.0, 1.0, 0.0], p=[lost, won, 1 - rate], size=n)
        for at in sorted({min(n, int(25 * 1.25**i)) for i in range(40)}):
            seen = confidence_sequence(d[:at])
            if seen is None or 0 not in seen or seen.high - seen.low < 0.1:
                break
        held += seen is not None and won - lost in seen
    return held / runs


def planner(runs: int, seed: int) -> None:
    """Power as planned and as simulated, at the smallest drop that is promised to be found with 0.8."""
    print(f"\nPower at the smallest drop that n pairs show with 0.8: planned, simulated with {runs:,} runs")
    for n in SIZES:
        cells = []
        for rate in RATES:
            drop = minimum_detectable_drop(n, rate) or 1.0
            share = max(rate, drop)
            pairs = discordant(np.random.default_rng([seed, n]), n, (share + drop) / 2, (share - drop) / 2, runs)
            found = np.mean([exact(*pair) <= 0.05 for pair in pairs])
            cells.append(f"{100 * drop:5.1f}: {mcnemar_power(n, drop, rate):.3f} {found:.3f}")
        print(f"{n:7,} pairs   " + "   ".join(cells), flush=True)


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    bootstrap.RESAMPLES = RESAMPLES
    rejections(arguments.runs, arguments.seed)
    coverage(arguments.runs, arguments.seed)
    planner(arguments.runs, arguments.seed)


if __name__ == "__main__":
    main()
