"""Suites: groups of environments by name."""

from __future__ import annotations

import pytest

from acgym import suites
from acgym.experiment.environments import chosen_environments, modules_of
from acgym.suites import default_envs, environment_ids, register_suite, suite_named
from tests.helpers.registry import IDS

NEEDLE = "ACB/Needle-v0"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Let no test leave a suite behind."""
    monkeypatch.setattr(suites, "_SUITES", dict(suites._SUITES))


def test_quick_is_the_first_environment_of_each_capability():
    found = list(suite_named("quick"))
    capabilities = [suites.capability_of(env) for env in found]
    assert len(set(capabilities)) == len(found) == len({suites.capability_of(env) for env in IDS})
    order = environment_ids()
    for env, capability in zip(found, capabilities, strict=True):
        assert env == next(each for each in order if suites.capability_of(each) == capability)
    assert found[:2] == ["ACB/ToolCall-v0", "ACB/Workflow-v0"], "the order of the register lines is that of play"


def test_a_suite_sets_arguments_and_the_user_sets_others_over_them():
    register_suite("mine", [NEEDLE, ("ACB/Household-v0", {"level": 2})])
    assert suite_named("mine") == {NEEDLE: {}, "ACB/Household-v0": {"level": 2}}
    found = chosen_environments([], "mine", {}, {"level": 1})
    assert found == {NEEDLE: {"level": 1}, "ACB/Household-v0": {"level": 2}}
    assert modules_of([], "mine") == ()
    assert modules_of(["json:A/B-v0", NEEDLE, "json:A/C-v0"], None) == ("json",)
    assert chosen_environments([], "mine", {"level": 5}, {}) == {env: {"level": 5} for env in found}


def test_a_suite_that_was_handed_out_is_nobodys_to_change():
    register_suite("mine", [(NEEDLE, {"level": 2})])
    suite_named("mine")[NEEDLE]["level"] = 9
    assert suite_named("mine") == {NEEDLE: {"level": 2}}
    assert default_envs({"level": 1})[NEEDLE] == {"level": 1}


@pytest.mark.parametrize(
    ("name", "entries", "said"),
    [
        ("a b", [NEEDLE], "letters, digits"),
        ("mod:name", [NEEDLE], "letters, digits"),
        ("mine", [], "names no environment"),
        ("mine", [NEEDLE, (NEEDLE, {"level": 2})], "twice"),
    ],
)
def test_what_no_comparison_could_play_is_refused(name, entries, said):
    with pytest.raises(ValueError, match=said):
        register_suite(name, entries)


def test_context_is_long_context_and_full_is_all_that_generates_its_tasks():
    context = suite_named("context")
    assert len(context) == 4
    assert {suites.capability_of(env) for env in context} == {"long-context retrieval"}
    assert sorted(suite_named("full")) == IDS
    assert set(context) <= set(suite_named("full"))
