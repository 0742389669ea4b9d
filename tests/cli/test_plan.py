"""acgym plan: its sentences, what it refuses, and its figures by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.cli.plan import plan_lines
from acgym.statistics.paired import mcnemar
from acgym.statistics.power import episodes_needed, minimum_detectable_drop


def test_the_command_says_what_the_planner_computes():
    done = CliRunner().invoke(app, ["plan", "--difference", "0.1", "--discordant", "0.2", "--episodes", "100"])
    assert done.exit_code == 0
    assert f"{episodes_needed(0.1, 0.2)} episodes of each agent find a drop of 10 points with power 0.8" in done.output
    assert f"100 episodes find drops of {100 * minimum_detectable_drop(100, 0.2):.1f} points and more" in done.output
    assert "no drop at all" in plan_lines(0.1, 0.2, episodes=3)[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"difference": 0}, "difference must be above 0"),
        ({"difference": 2}, "difference must be above 0"),
        ({"difference": 0.2, "discordant": 0.1}, "at least 20 % discordant"),
        ({"power": 80}, "such as 0.8 and 0.05"),
        ({"episodes": 0}, "episodes must be at least 1"),
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
