"""acgym plan: its sentences, what it refuses, and its figures by simulation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.cli.plan import plan_lines
from acgym.statistics.paired import holm, mcnemar
from acgym.statistics.power import episodes_needed, mcnemar_power, minimum_detectable_drop


def test_the_command_says_what_the_planner_computes():
    given = ["--difference", "0.1", "--discordant", "0.2", "--episodes", "100", "--recipes", "8"]
    done = CliRunner().invoke(app, ["plan", *given])
    assert done.exit_code == 0
    one, pooled, shows, together = done.output.splitlines()
    assert one == (
        f"{episodes_needed(0.1, 0.2, alpha=0.05 / 4)} episodes of each agent find a drop of 10 points in one of 4 "
        "environments with power 0.8 (20 % of episodes discordant, level 0.05, Holm-corrected over 4 environments)."
    )
    each = -(-episodes_needed(0.1, 0.2, alpha=0.05 / 8) // 4)
    assert pooled.startswith(f"{each} episodes of each agent in each environment find a drop of 10 points over all 4")
    assert "Holm-corrected over 8 recipes" in pooled
    least = minimum_detectable_drop(100, 0.2, alpha=0.05 / 4)
    assert shows.startswith(f"100 episodes find drops of {100 * least:.1f} points and more in one of 4 environments")
    assert f"with power {mcnemar_power(400, 0.1, 0.2, 0.05 / 8):.2f}." in together
    assert "no drop at all" in plan_lines(0.1, 0.2, episodes=3)[2]


def test_one_environment_is_corrected_over_the_recipes():
    [line] = plan_lines(0.1, 0.2, environments=1)
    assert line == (
        f"{episodes_needed(0.1, 0.2)} episodes of each agent find a drop of 10 points with power 0.8 (20 % of episodes "
        "discordant, level 0.05)."
    )
    assert "Holm-corrected over 3 recipes" in plan_lines(0.1, 0.2, environments=1, recipes=3)[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"difference": 0}, "difference must be above 0"),
        ({"difference": 2}, "difference must be above 0"),
        ({"difference": 0.2, "discordant": 0.1}, "at least 20 % discordant"),
        ({"power": 80}, "such as 0.8 and 0.05"),
        ({"episodes": 0}, "episodes must be at least 1"),
        ({"environments": 0}, "environments must be at least 1"),
        ({"recipes": 0}, "recipes must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        plan_lines(**{"difference": 0.02, "discordant": 0.05, **given})
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    assert CliRunner().invoke(app, ["plan", *options]).exit_code == 2


def found(rng, n, drop, rate, runs):
    counts = rng.multinomial(n, [(rate + drop) / 2, (rate - drop) / 2, 1 - rate], size=runs)
    return np.mean([mcnemar(int(lost), int(won)) <= 0.05 for lost, won, _ in counts])


@pytest.mark.parametrize(("drop", "rate"), [(0.1, 0.2), (0.05, 0.05)])
def test_planned_episodes_have_the_power(drop, rate):
    n = episodes_needed(drop, rate)
    assert found(np.random.default_rng(0), n, drop, rate, 1000) == pytest.approx(0.8, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "rate"), [(0.02, 0.05), (0.03, 0.03), (0.1, 0.4), (0.3, 0.5)])
def test_planned_episodes_have_the_power_closely(drop, rate):
    n = episodes_needed(drop, rate)
    assert found(np.random.default_rng(1), n, drop, rate, 4000) == pytest.approx(0.805, abs=0.025)


def holm_power(seed, n, drop, rate, tests, damaged, runs):
    """Share of runs in which the first of several tests, as it is printed, finds its drop; ``damaged`` of them have."""
    rng = np.random.default_rng(seed)
    drops = [drop] * damaged + [0.0] * (tests - damaged)
    p = np.ones((runs, tests))
    for i, fall in enumerate(drops):
        counts = rng.multinomial(n, [(rate + fall) / 2, (rate - fall) / 2, 1 - rate], size=runs)
        p[:, i] = [cached(int(lost), int(won)) for lost, won, _ in counts]
    return np.mean([holm(row)[0] <= 0.05 for row in p])


cached = cache(mcnemar)


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "rate"), [(0.02, 0.05), (0.1, 0.2)])
@pytest.mark.parametrize("tests", [4, 8])
def test_planned_episodes_have_the_power_of_the_p_that_is_printed(drop, rate, tests):
    """One environment (or recipe) is damaged: the stated power is reached; all are damaged: it is passed."""
    n = episodes_needed(drop, rate, alpha=0.05 / tests)
    assert holm_power(0, n, drop, rate, tests, 1, 2000) == pytest.approx(0.81, abs=0.03)
    assert holm_power(1, n, drop, rate, tests, tests, 1000) > 0.85
    uncorrected = episodes_needed(drop, rate)
    assert holm_power(2, uncorrected, drop, rate, tests, 1, 1000) < 0.7  # what planning for one test would give
