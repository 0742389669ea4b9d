"""ACB/WorkflowRun-v0: an episode by hand, failures and mistakes, and every goal of the library carried out."""

from __future__ import annotations

from typing import Any

import pytest

from acgym.draw import Draw
from acgym.envs.workflow.decompose import draw_list
from acgym.envs.workflow.library import SCENARIOS, goals
from acgym.envs.workflow.run import WorkflowRun
from acgym.types import Task
from tests.helpers.workflow_tasks import HAND

FAILING = {**HAND, "failures": [[1, [0], "The white runs out: it has to boil properly."]]}


def opened(data: dict[str, Any] = FAILING) -> WorkflowRun:
    env = WorkflowRun(level=2, scenario="open_grounded")
    env.reset(seed=0)
    env._task = Task("by hand", "Serve a boiled egg", data, None)
    env.tell()
    return env


def test_an_episode_by_hand() -> None:
    env = opened()
    script = [
        ("Do: Boil the egg", "Done.", 0.25, None),
        ("**Do:** Shell the hot egg.", "It did not work. The white runs out: it has to boil properly.", 0.25, None),
        (
            "Do: Peel the boiled egg",
            "That is too early: something that must come before it is not done.",
            0.25,
            "too_early",
        ),
        ("I see.\nDo: cook the egg in water", "Done.", 0.25, None),
        ("Do: Boil the egg", "That has been done.", 0.25, "repeated_step"),
        ("Do: Wash both hands", "That has been done.", 0.25, "repeated_step"),
        ("Peel the boiled egg", "Done.", 0.5, None),
        ("Do: Freeze the plate", "That is not needed.", 0.5, "extra_step"),
        ("Do: Sing", '"Sing" is not in the list.', 0.5, "unknown_step"),
        ("Do: Get a plate", "Done.", 0.75, None),
    ]
    for action, heard, progress, error in script:
        told, _, terminated, _, info = env.step(action)
        assert (told, info["progress"], info["error"], terminated) == (heard, progress, error, False), action
        assert not info["malformed"]
    told, _, terminated, _, info = env.step("Do: Lay the peeled egg on the plate")
    assert (told, terminated, info["success"], info["progress"]) == ("Done. That was the last step.", True, True, 1.0)


def test_the_third_mistake_ends_the_task() -> None:
    env = opened()
    for action in ("Do: Freeze the plate", "Do: Shell the hot egg"):
        assert not env.step(action)[2]
    told, _, terminated, _, info = env.step("Do: Freeze the plate")
    assert terminated
    assert not info["success"]
    assert told == "That is not needed. It was the third mistake."


@pytest.mark.parametrize(
    "action",
    [
        "1. Do: Boil the egg",
        "- Do: Boil the egg",
        "3) **Do:** boil the egg.",
        "Do: 1. Boil the egg",
        "Step 1: Boil the egg",
        "1. Boil the egg",
        "* Boil the egg",
        "(2) Do: Boil the egg",
        "• Do: Boil the egg",
    ],
)
def test_numbers_and_bullets_do_not_count(action: str) -> None:
    assert opened().step(action)[1] == 0.25


@pytest.mark.parametrize("action", ["", "hello", "Node:\n1: Boil", "\x00" * 99, "Dopamine: Boil the egg"])
def test_what_cannot_be_read_changes_nothing(action: str) -> None:
    env = opened()
    told, reward, terminated, _, info = env.step(action)
    assert (reward, terminated, info["malformed"], info["error"]) == (0.0, False, True, None)
    assert '"Do:"' in told
    assert env.step(env.oracle())[1] == 0.25


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_goal_can_be_carried_out_with_all_its_failures(scenario: str) -> None:
    """Each failure comes once and is followed by its steps and no others; the limit leaves half as much again."""
    env = WorkflowRun(level=1, scenario=scenario)
    env.reset(seed=0)
    for split in ("eval", "train"):
        for goal in goals(scenario, split):
            data = draw_list(Draw(env.np_random), split, 1, scenario, goal, [])
            data["failures"] = [[each.at, list(each.redo), each.says] for each in goal.failures]
            env._task = Task("all", goal.says[0], data, None)
            env.tell()
            heard = [""]
            while not heard[-1].endswith("last step."):
                outcome = env.judge(env.oracle())
                assert outcome.error is None
                heard.append(outcome.observation)
            again = sum(1 + len(each.redo) for each in goal.failures)
            assert len(heard) - 1 == len(goal.steps) + again
            assert sum(word.startswith("It did not work.") for word in heard) == len(goal.failures)
            assert 1.5 * min(12 + again, len(goal.steps) + again) <= 40, goal.name


@pytest.mark.parametrize(("level", "most"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
def test_failures_by_level(level: int, most: int) -> None:
    env = WorkflowRun(level=level)
    for seed in range(40):
        data = env.reset(seed=seed)[1]["task"].data
        assert min(most, 1) <= len(data["failures"]) <= most
        for at, redo, _ in data["failures"]:
            assert 0 <= at < len(data["steps"])
            assert all(0 <= step < len(data["steps"]) for step in redo)


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(ValueError, match="any, function_call"):
        WorkflowRun(scenario="told")
