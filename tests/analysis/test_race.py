"""Races of recipes: what is chosen, dropped and left, and how often wrongly."""

from __future__ import annotations

import numpy as np
import pytest

from acgym.analysis.race import Race, race
from acgym.report.race import race_grid, race_sentences

ENVS = ("ACB/Needle-v0", "B")
BITS = {"dense+small": 2.0, "dense+middle": 4.0, "dense+large": 8.0}


class Simulated:
    """Plays pairs with a given loss of each recipe in each environment; remembers who was asked for what."""

    def __init__(self, losses, seed=0, won=0.02, limit=400):
        self.asked, self.drawn, rng = [], {}, np.random.default_rng(seed)
        for agent, row in losses.items():
            for env, loss in zip(ENVS, row, strict=True):
                shares = [won + loss, won, 1 - 2 * won - loss]
                self.drawn[agent, env] = rng.choice([-1.0, 1.0, 0.0], p=shares, size=limit).tolist()

    def __call__(self, agent, counts):
        self.asked.append((agent, dict(counts)))
        return {env: self.drawn[agent, env][:count] for env, count in counts.items()}


def test_the_smallest_that_is_not_worse_anywhere_is_chosen_and_larger_ones_do_not_play():
    play = Simulated({"dense+small": (0.0, 0.6), "dense+middle": (0.0, 0.0), "dense+large": (0.0, 0.0)})
    runners, blind = race(BITS, ENVS, 0.1, 400, play)
    assert [runner.state for runner in runners] == ["dropped", "chosen", "waiting"]
    assert runners[0].standings["B"].verdict == "no"
    assert runners[0].standings["B"].n <= 50  # hopeless: dropped early
    assert blind == ()
    assert "dense+large" not in {agent for agent, _ in play.asked}


def test_episodes_are_spent_where_the_answer_is_open():
    play = Simulated({"dense+small": (0.0, 0.07)} | dict.fromkeys(["dense+middle", "dense+large"], (0.0, 0.0)), won=0.0)
    runners, _ = race(BITS, ENVS, 0.1, 400, play)
    needle, other = (runners[0].standings[env] for env in ENVS)
    assert needle.verdict == "yes"
    assert needle.n < other.n
    assert {"B"} in [set(counts) for agent, counts in play.asked if agent == "dense+small"]


def test_what_the_limit_leaves_open_says_about_how_much_more():
    play = Simulated(dict.fromkeys(BITS, (0.0, 0.0)))
    runners, _ = race(BITS, ENVS, 0.1, 30, play)
    assert [runner.state for runner in runners] == ["open"] * 3
    assert all(row.further >= 25 for row in runners[0].standings.values())


def test_where_nothing_can_be_measured_nothing_is_chosen():
    play = Simulated(dict.fromkeys(BITS, (0.0, 0.0)))
    runners, blind = race(BITS, ENVS, 0.1, 400, play, blind=lambda: ["B"])
    assert ([runner.state for runner in runners], blind) == (["cannot", "waiting", "waiting"], ("B",))
    assert len(play.asked) == 1


def test_a_recipe_at_the_margin_in_one_environment_is_chosen_in_at_most_five_per_cent():
    """60 races in which every choice is wrong; a race at ten times the level is found out."""
    losses = dict.fromkeys(BITS, (0.2, 0.0))

    def wrong(margin):
        found = 0
        for seed in range(60):
            runners, _ = race(BITS, ENVS, margin, 80, Simulated(losses, seed, limit=80))
            found += any(runner.state == "chosen" for runner in runners)
        return found / 60

    assert wrong(0.2) <= 0.05 + 0.06
    assert wrong(0.35) > 0.5  # it can be chosen: a wider margin is met


def told(play, limit=400, margin=0.1, **more):
    runners, blind = race(BITS, ENVS, margin, limit, play, **more)
    return Race(margin, "dense", ENVS, limit, runners, blind, dense_episodes=150, seconds=12.3)


def test_a_race_is_told_written_and_read_back():
    losses = {"dense+small": (0.0, 0.6), "dense+middle": (0.0, 0.0), "dense+large": (0.0, 0.0)}
    found = told(Simulated(losses))
    from acgym.typed import from_json

    assert from_json(Race, found.to_json()) == found
    said = " ".join(race_sentences(found))
    assert (
        "middle (4.00 bits a weight) is the smallest of 3 recipes that is shown to be not worse than 10 points" in said
    )
    assert "small: worse than that in B" in said
    assert "It took 150 episodes of dense and" in said
    grid = race_grid(found)
    assert [row[2].text for row in grid.rows] == ["dropped", "chosen", "not played"]
    assert grid.heads[3:5] == ("Needle", "B")


@pytest.mark.parametrize("more", [{"limit": 30}, {"blind": lambda: ["B"]}])
def test_a_race_without_a_winner_says_why(more):
    said = " ".join(race_sentences(told(Simulated(dict.fromkeys(BITS, (0.0, 0.0))), **more)))
    assert ("B cannot be measured here" in said) == ("blind" in more)
    assert ("still open in Needle (about" in said) == ("limit" in more)
