"""The library of goals: what it promises of number, wordings, dependencies, failures and splits."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from acgym.envs.workflow.decompose import SIZES, _strangers, fitting, name
from acgym.envs.workflow.library import SCENARIOS, Goal, goals
from acgym.scorers.workflow_match import ancestors

LEVELS = (1, 2, 3, 4, 5)
ALL = [(scenario, goal) for scenario in SCENARIOS for split in ("eval", "train") for goal in goals(scenario, split)]


def above(goal: Goal) -> list[set[int]]:
    return ancestors(len(goal.steps), [(a, b) for b, step in enumerate(goal.steps) for a in step.after])


def test_there_are_two_hundred_goals_of_many_fields() -> None:
    assert len(ALL) >= 200
    assert len({goal.name for _, goal in ALL}) == len(ALL)
    assert min(Counter(scenario for scenario, _ in ALL).values()) >= 50
    assert len({goal.field for _, goal in ALL}) >= 60


def test_every_goal_has_its_steps_wordings_and_distractors() -> None:
    for scenario, goal in ALL:
        assert 4 <= len(goal.steps) <= 15
        assert len(goal.says) >= 3
        assert len(goal.near) >= 5
        assert all(len(step.says) >= 3 for step in goal.steps)
        assert bool(goal.things) == (scenario == "embodied")
        texts = [*goal.says, *goal.near, *goal.things, *(text for step in goal.steps for text in step.says)]
        assert all(text == text.strip() and "\n" not in text and text.isprintable() for text in texts)
        names = [name(text, scenario) for step in goal.steps for text in step.says]
        names += [name(text, scenario) for text in goal.near]
        assert len(set(names)) == len(names), f"{goal.name}: two lines have one name"


def test_dependencies_lead_forward_and_none_follows_from_others() -> None:
    for _, goal in ALL:
        before = above(goal)
        for number, step in enumerate(goal.steps):
            assert all(other < number for other in step.after)
            assert not any(one in before[other] for one in step.after for other in step.after)


def test_not_every_goal_is_a_chain() -> None:
    """About every second goal has steps that may change places."""
    free = sum(any(a not in above(goal)[b] for b in range(len(goal.steps)) for a in range(b)) for _, goal in ALL)
    assert free > 0.6 * len(ALL)


def test_a_failure_says_all_that_lies_between() -> None:
    for _, goal in ALL:
        assert goal.failures
        before = above(goal)
        for failure in goal.failures:
            assert set(failure.redo) <= before[failure.at]
            between = {step for step in before[failure.at] if before[step] & set(failure.redo)}
            assert between <= set(failure.redo), goal.name
            assert len(failure.says.split()) >= 6


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_splits_share_no_goal_and_each_level_has_enough(scenario: str) -> None:
    names = {split: {goal.name for goal in goals(scenario, split)} for split in ("eval", "train")}
    assert not names["eval"] & names["train"]
    assert 0.3 < len(names["eval"]) / len(names["eval"] | names["train"]) < 0.65
    for level in LEVELS:
        for split in ("eval", "train"):
            assert len(fitting(scenario, split, level)) >= 8, (level, split)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_line_of_another_goal_shares_no_telling_word(scenario: str) -> None:
    for split in ("eval", "train"):
        for lent in _strangers(scenario, split).values():
            assert len(lent) >= 100
            assert not any("gloves" in text for text in lent)


def test_levels_grow() -> None:
    sizes = [SIZES[level] for level in LEVELS]
    assert all(a.steps[1] < b.steps[1] for a, b in itertools.pairwise(sizes))
    assert all(a.near <= b.near for a, b in itertools.pairwise(sizes))
