"""Missions in the grid: what actions do, what parts count, how replies are read, and that the expert solves all."""

from __future__ import annotations

import gymnasium as gym
import pytest

from acgym.envs.world.gridnav.acts import act
from acgym.envs.world.gridnav.grid import Grid, Pose
from acgym.envs.world.gridnav.words import Action, read_action

TWO_ROOMS = {
    "rows": 1,
    "columns": 2,
    "things": {"red ball": [3, 3], "blue key": [5, 5], "grey box": [9, 3]},
    "boxes": {"grey box": "pink key"},
    "doors": {"blue door": [7, 2, "locked"]},
    "start": [1, 1, 1],
}


def made(level=3, seed=0, split="eval"):
    env = gym.make("ACB/GridNav-v0", level=level, disable_env_checker=True).unwrapped
    env.reset(seed=seed, options={"split": split})
    return env


def done(grid, reply):
    return act(grid, read_action(reply))


def test_places_are_told_from_where_one_looks():
    grid = Grid(TWO_ROOMS)
    assert "- the red ball: 2 steps ahead, 2 steps to the right" in grid.describe()
    grid.turned(2)
    assert "- the red ball: 2 steps behind, 2 steps to the left" in grid.describe()
    assert "Right in front of you: the wall." in grid.describe()
    assert "grey box" not in grid.describe()  # another room


def test_a_locked_door_wants_the_key_of_its_colour():
    grid = Grid(TWO_ROOMS)
    assert done(grid, "open the blue door")[1] == "locked"
    assert done(grid, "go through the blue door")[1] == "closed"
    assert done(grid, "pick up the blue key")[1] is None
    assert done(grid, "pick up the red ball")[1] == "hands_full"
    assert done(grid, "unlock the blue door")[1] is None
    assert done(grid, "Action: go through the blue door") == ("You go through the blue door.", None)
    assert grid.here == (0, 1)
    assert grid.pose == Pose(8, 2, 1)
    assert done(grid, "open the grey box")[0].startswith("You open the grey box: the pink key was in it.")
    assert grid.things["pink key"] == (9, 3)
    assert "grey box" not in grid.things


def test_steps_stop_at_what_is_in_the_way():
    grid = Grid(TWO_ROOMS)
    assert done(grid, "move forward 20") == ("You go 5 steps forward.", None)
    assert done(grid, "forward")[1] == "blocked"
    assert done(grid, "drop")[1] == "not_holding"
    assert done(grid, "pick up the green ball")[1] == "not_here"
    assert done(grid, "pick up the blue door")[1] == "cannot"
    assert done(grid, "open the red ball")[1] == "cannot"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("I should turn.\nAction: turn left", Action("left")),
        ("**Action:** `Go to the gray key.`", Action("go", "grey key")),
        ("take red ball", Action("pick", "red ball")),
        ("Action: move forward 3 steps", Action("forward", "", 3)),
        ("go forward", Action("forward")),
        ("walk through the red door", Action("through", "red door")),
        ("toggle", Action("open")),
        ("put down the red ball", Action("drop", "red ball")),
        ("turn around", Action("around")),
    ],
)
def test_actions_are_read_generously(said, read):
    assert read_action(said) == read


@pytest.mark.parametrize("said", ["", "Action:", "dance", "go to the moon", "x" * 500])
def test_what_is_no_action_is_malformed(said):
    assert read_action(said) is None
    assert made().judge(said).malformed


def test_a_thing_of_a_later_part_loses_the_mission_when_it_is_picked_up():
    for seed in range(200):
        env = made(level=3, seed=seed)
        part = env.task.reference[1]
        if part[0] in ("pick", "put") and part[1] in env.grid.seen():
            *_, terminated, _, info = env.step(f"pick up the {part[1]}")
            assert terminated
            assert info["error"] == "too_early"
            return
    raise AssertionError("no such mission among 200")


def test_no_thing_is_in_two_parts_and_the_mission_names_all():
    for level in (3, 4, 5):
        for seed in range(30):
            task = made(level=level, seed=seed).task
            names = [name for part in task.reference for name in part[1:]]
            assert len(set(names)) == len(names)
            assert all(name in task.goal for name in names)


def test_progress_counts_the_thing_that_is_carried_in_its_turn():
    for seed in range(50):
        env = made(level=2, seed=seed)
        if env.task.reference[0][0] == "put":
            seen = []
            terminated = False
            while not terminated:
                *_, terminated, _, info = env.step(env.oracle())
                seen.append(info["progress"])
            assert 0.5 in seen
            assert seen[-1] == 1.0
            return
    raise AssertionError("no such mission among 50")


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_expert_does_a_thousand_missions_within_the_limit(level):
    env = made(level=level)
    for seed in range(1000):
        env.reset(seed=seed)
        terminated, steps, info = False, 0, {}
        while not terminated:
            *_, terminated, _, info = env.step(env.oracle())
            steps += 1
            assert steps * 1.5 <= 105
        assert info["success"]
