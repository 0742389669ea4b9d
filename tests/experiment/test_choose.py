"""Choosing among agents, played for real."""

from __future__ import annotations

import json

import pytest

from acgym.experiment.choose import AMONG, bits_of, prepare_choice, run_choice
from acgym.record.run import Run

ENV = "ACB/Needle-v0"


def test_recipes_race_from_the_smallest_up_to_the_most_bits():
    settings = prepare_choice("reference", 0.02, [ENV], max_bits=4.5)
    sizes = [bits_of(name) for name in settings.agents[1:]]
    assert sizes == sorted(sizes)
    assert len(sizes) == len(AMONG) - 1
    assert max(sizes) <= 4.5
    with pytest.raises(ValueError, match=r"at most 1 bits.*the smallest is reference\+gptq-w2"):
        prepare_choice("reference", 0.02, [ENV], max_bits=1)
    with pytest.raises(ValueError, match="without one"):
        prepare_choice("reference+rtn-w4", 0.02, [ENV])
    with pytest.raises(ValueError, match=r"0\.02 for two points"):
        prepare_choice("reference", 2, [ENV])


def test_a_hopeless_agent_is_dropped_early_and_the_same_command_goes_on(tmp_path):
    settings = prepare_choice("oracle", 0.1, [ENV], among=["silent"], episodes=60)
    found = run_choice(settings, 0.1, tmp_path / "c")
    [silent] = found.runners
    assert (silent.state, silent.standings[ENV].lost, silent.episodes) == ("dropped", 25, 25)
    assert found.dense_episodes == 25
    kept = (tmp_path / "c" / "silent" / "episodes.jsonl").read_bytes()
    again = run_choice(settings, 0.1, tmp_path / "c")
    assert again.runners == found.runners
    assert (tmp_path / "c" / "silent" / "episodes.jsonl").read_bytes() == kept
    assert json.loads((tmp_path / "c" / "race.json").read_text())["seconds"] > found.seconds
    assert "The race" in (tmp_path / "c" / "report.html").read_text("utf-8")


def test_a_first_agent_that_solves_nothing_ends_the_race(tmp_path):
    settings = prepare_choice("silent", 0.1, [ENV], among=["oracle"], episodes=60)
    found = run_choice(settings, 0.1, tmp_path / "c")
    assert (found.blind, found.runners[0].state) == ((ENV,), "cannot")
    assert len(Run.read(tmp_path / "c").episodes("oracle")) == 25
