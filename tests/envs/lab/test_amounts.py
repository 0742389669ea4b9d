"""Amounts and lengths of time: read as people write them, or refused with nothing changed."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

from acgym.envs.world.lab.units import spelled, unit_named

REFUSED_WAIT = "Wait 1 minute to 60 days, such as: wait 10 minutes"


def mixing_can():
    """Return a laboratory with a paint of 200 ml at hand and an empty mixing can, and the paint's name."""
    for seed in range(300):
        env = gym.make("ACB/Lab-v0", level=1, disable_env_checker=True).unwrapped
        env.reset(seed=seed, options={"split": "eval"})
        paints = [thing.name for thing in env.lab.near() if thing.more.get("paint") and thing.more["contents"]]
        if paints and "mixing can" in env.lab.things:
            contents = env.lab.things[paints[0]].more["contents"]
            contents[next(iter(contents))] = 200.0
            return env, paints[0]
    raise AssertionError("no paint among 300")


def kept(env) -> str:
    """Write the state down."""
    return json.dumps([env.lab.minutes, [[one.name, one.at, one.more] for one in env.lab.things.values()]], default=str)


@pytest.mark.parametrize(
    ("amount", "grams"),
    [
        ("", 200), ("all of", 200), ("the", 200), ("five ml from", 5), ("half of the", 100), ("half", 100),
        ("a half of the", 100), ("1/2 of the", 100), ("1/10 l from", 100), ("0,5 g of", 0.5), ("0,05 l from", 50),
        ("12.5ml", 12.5), ("10 ounces", None), ("2 ounces from", 56.699), ("an ounce of", 28.35), ("1 1/2 g", 1.5),
        ("one and a half g of", 1.5), ("twenty-five ml", 25), ("a hundred grams", 100), ("20 from", 20),
        ("1,000 mg", 1), ("5 ml of", 5),
    ],
)  # fmt: skip
def test_an_amount_is_read(amount, grams):
    env, paint = mixing_can()
    env.judge(f"pour {amount} {paint} into mixing can")
    held = sum(env.lab.things["mixing can"].more["contents"].values())
    assert held == pytest.approx(grams or 0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("amount", "answer"),
    [
        ("five drops of", "cannot be read"), ("10 cups of", "cannot be read"), ("a few ml from", "cannot be read"),
        ("nan ml from", "cannot be read"), ("5-10 ml from", "cannot be read"), ("1/0 l from", "cannot be read"),
        ("5 foo of", "cannot be read"), ("50 % of", "cannot be read"), ("1.2.3 g of", "cannot be read"),
        ("ml from", "cannot be read"), ("5 ml 6 ml from", "cannot be read"), ("some of", "cannot be read"),
        ("an eighth of", "cannot be read"), ("most of", "cannot be read"),
        ("1e9 ml from", "There is less"), ("1/2 l from", "There is less"), ("half a litre of", "There is less"),
        ("1e400 ml from", "There is less"), ("1e-9 ml from", "too little"), ("0 ml from", "above zero"),
        ("-5 ml from", "above zero"),
    ],
)  # fmt: skip
def test_another_amount_is_refused_and_changes_nothing(amount, answer):
    env, paint = mixing_can()
    before = kept(env)
    outcome = env.judge(f"pour {amount} {paint} into mixing can")
    assert answer in outcome.observation
    assert outcome.error == "wrong_amount"
    assert kept(env) == before


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("", 1), ("10", 10), ("ten minutes", 10), ("a day", 1440), ("half an hour", 30), ("1/2 hour", 30),
        ("1 hour 30 minutes", 90), ("1 hour and 30 minutes", 90), ("an hour and a half", 90), ("1,5 hours", 90),
        ("1 1/2 hours", 90), ("for 2 hours", 120), ("five more minutes", 5), ("10 minutes until it melts", 10),
        ("120 seconds", 2), ("a quarter of an hour", 15), ("60 days", 86400), ("90min", 90), ("½ hour", 30),
    ],
)  # fmt: skip
def test_a_length_of_time_is_read(said, minutes):
    env, _ = mixing_can()
    env.judge(f"wait {said}")
    assert env.lab.minutes == pytest.approx(minutes)


@pytest.mark.parametrize(
    "said",
    ["5 seconds", "nan hours", "until it melts", "0.001 minutes", "1e-9 days", "0 minutes", "-5 minutes", "61 days",
     "a few minutes", "10 degrees", "5-10 minutes", "1 hour 5 foo", "1/0 hours", "inf days", "1e400 days", "a moment"],
)  # fmt: skip
def test_another_length_of_time_is_refused_and_changes_nothing(said):
    env, _ = mixing_can()
    before = kept(env)
    outcome = env.judge(f"wait {said}")
    assert (outcome.observation, outcome.error) == (REFUSED_WAIT, "wrong_amount")
    assert kept(env) == before


@pytest.mark.parametrize("unit", ["in", "mm", "cm", "K", "C", "F", "g/cm3", "kg/m3"])
def test_a_unit_within_a_sentence_is_a_unit_of_answers(unit):
    assert spelled(unit) != "in"
    assert unit_named(spelled(unit)) == unit
