"""What a comparison is asked to do: defaults, and what is refused before any model is loaded."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest

from acgym.experiment.settings import Settings, prepare
from tests.helpers.plain_envs import SAY, Bare
from tests.helpers.tiny import save_model

NEEDLE = "ACB/Needle-v0"


def test_level_default_rule():
    assert prepare(["oracle"], [NEEDLE]).envs == {NEEDLE: {}}
    assert prepare(["oracle", "reference+rtn-w3"], [NEEDLE]).envs == {NEEDLE: {"level": 1}}
    assert prepare(["reference"], [NEEDLE], level=2).envs == {NEEDLE: {"level": 2}}
    assert prepare(["reference"], [NEEDLE], kwargs={"level": 2}).envs == {NEEDLE: {"level": 2}}
    assert prepare(["reference", "oracle"], [SAY], kwargs={"words": 2}).envs == {SAY: {"words": 2}}


@pytest.mark.parametrize("name", ["Needle", "needle", "Needle-v0", "ACB/Needle", "ACB/needle-v0", NEEDLE])
def test_short_names_of_environments_are_taken(name):
    assert prepare(["oracle"], [name]).envs == {NEEDLE: {}}


def test_an_environments_own_arguments_stand_before_those_of_all():
    asked = prepare(["oracle"], [(NEEDLE, {"level": 2}), "ToolCall"], level=1)
    assert asked.envs == {NEEDLE: {"level": 2}, "ACB/ToolCall-v0": {"level": 1}}


def test_settings_are_read_back_as_they_were_written():
    asked = prepare(["oracle", "random"], [NEEDLE], episodes=3, seed=2, malformed_limit=4)
    assert Settings.from_dict(json.loads(json.dumps(asked.to_dict()))) == asked


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"agents": ["oracle", "oracle"]}, "named twice"),
        ({"agents": ["reference+gptq-w4", "reference+gptq-w4-g128"]}, "named twice"),
        ({"episodes": 0}, "episodes must be from 1"),
        ({"seed": -1}, "seed must be 0 or larger"),
        ({"level": 9}, "level must be an integer from 1"),
        ({"level": 1, "kwargs": {"level": 2}}, "level is given twice"),
        ({"kwargs": {"lenght": 3}}, "did you mean 'length'"),
        ({"kwargs": {"length": {3}}}, "must be JSON"),
        ({"envs": ["nedle"]}, "did you mean 'ACB/Needle-v0'"),
        ({"envs": ["ACB/Needle-v7"]}, "did you mean 'ACB/Needle-v0'"),
        ({"envs": [(NEEDLE, {"level": 1}), ("Needle", {"level": 2})]}, "is named twice, with other arguments"),
        ({"envs": [(NEEDLE, {"length": {3}})]}, "must be JSON"),
        ({"envs": ["no_such_module:A-v0"]}, "cannot be imported"),
        ({"envs": ["CartPole-v1"]}, "does not keep acgym's contract"),
    ],
)
def test_bad_request_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        prepare(**{"agents": ["oracle"], "envs": [NEEDLE], **given})


def test_a_group_size_that_does_not_fit_the_model_is_refused_before_anything_is_played(tmp_path):
    model = save_model(tmp_path / "model", width=96)
    with pytest.raises(ValueError, match=r"rtn-w4-g64 does not fit model\.layers\.0\.\S+ of hf:.*use g8, .*g48"):
        prepare([f"hf:{model}", f"hf:{model}+rtn-w4-g64"], [NEEDLE])
    with pytest.warns(UserWarning, match="the default, do not divide the model's 96 input features: rtn-w4 takes g32"):
        assert prepare([f"hf:{model}+rtn-w4"], [NEEDLE]).agents == (f"hf:{model}+rtn-w4-g32",)


def test_an_environment_without_a_step_limit_is_refused_before_anything_is_played():
    """An agent that never finishes would play it forever."""
    gym.register("Bare/Endless-v0", Bare)
    try:
        with pytest.raises(ValueError, match=r"Bare/Endless-v0 has no step limit.*register it with max_episode_steps"):
            prepare(["silent", "random"], ["Bare/Endless-v0"])
    finally:
        del gym.registry["Bare/Endless-v0"]
