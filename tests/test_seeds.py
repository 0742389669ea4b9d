"""Random numbers of episodes: independent between environments and splits, the same however an environment is made."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import gymnasium as gym
import numpy as np
import pytest

from acgym.envs.context.needle import Needle
from acgym.envs.tools.call.env import ToolCall
from acgym.envs.workflow.workflow import Workflow
from acgym.envs.world.household.env import Household
from acgym.seeds import CALIBRATION_SEEDS, TRAINING_SEEDS, episode_generator, named_arguments
from tests.helpers.toys import Echo

CLASSES = (ToolCall, Workflow, Needle, Household)
SEEDS = 2_000


def association(one: list[str], other: list[str]) -> float:
    """Return Cramer's V of two columns: 0 for independent ones, 1 if one follows from the other (phi of two by two)."""
    rows, columns, cells = Counter(one), Counter(other), Counter(zip(one, other, strict=True))
    n = len(one)
    chi = sum((cells[r, c] - rows[r] * columns[c] / n) ** 2 * n / (rows[r] * columns[c]) for r in rows for c in columns)
    return math.sqrt(chi / n / (min(len(rows), len(columns)) - 1))


def kinds(env, split="eval"):
    return [env.reset(seed=seed, options={"split": split})[1]["task"].kind for seed in range(SEEDS)]


def test_association_by_hand():
    assert association(list("aabb"), list("xxyy")) == pytest.approx(1.0)
    assert association(list("aabb"), list("xyxy")) == pytest.approx(0.0)


def test_environments_and_splits_share_no_random_numbers():
    """The kinds of task of ToolCall, Workflow and Household in both splits; 0.08 is over 3.5 standard errors.

    With bare seeds, a Workflow of four steps always came with a Household task of heating or cooling (V = 1).
    """
    columns = {}
    for made in (ToolCall, Workflow, Household):
        env = made(level=1)
        columns[made, "eval"], columns[made, "train"] = kinds(env), kinds(env, "train")
    for one, other in combinations(columns, 2):
        assert association(columns[one], columns[other]) < 0.08, (one, other)
    whole = [kind in ("heat and put", "cool and put") for kind in columns[Household, "eval"]]
    long = [kind.startswith("4") for kind in columns[Workflow, "eval"]]
    assert abs(np.corrcoef(whole, long)[0, 1]) < 3.5 / math.sqrt(SEEDS)


def test_levels_and_arguments_share_no_random_numbers():
    drawn = [Needle(level=4), Needle(level=5), Needle(level=4, length=900), Needle(level=4, depth=50)]
    units = {env.reset(seed=7) and float(env.np_random.random()) for env in drawn}
    assert len(units) == len(drawn)


@pytest.mark.parametrize("made", CLASSES)
def test_an_episode_is_the_same_however_its_environment_is_made(made):
    first = gym.make(made.env_id).reset(seed=11)[0]
    for env in (made(), made(level=3), made(3, render_mode="ansi"), gym.make(made.env_id, level=3)):
        assert env.reset(seed=11)[0] == first
    assert made(level=2).reset(seed=11)[0] != first
    assert made().reset(seed=12)[0] != first


def test_equal_arguments_have_one_name():
    assert named_arguments(Needle, (), {"depth": 50.0}) == named_arguments(Needle, (3,), {"depth": 50})
    assert named_arguments(Needle, (), {"count": len})["level"] == 3
    assert "count" not in named_arguments(Needle, (), {"count": len})
    assert named_arguments(Needle, (), {"no": 1}) == {}
    assert named_arguments(type("Sub", (Echo,), {"__init__": lambda self, **more: None}), (), {"x": 1}) == {"x": 1}


def test_a_class_without_an_id_goes_by_its_name():
    env = Echo(level=2)
    assert env.id == "Echo"
    assert env.reset(seed=1)[0] == Echo(level=2).reset(seed=1)[0]
    assert env.reset(seed=1)[0] != gym.make("Toy/Echo-v0", level=2).reset(seed=1)[0]
    assert (env.max_steps, env.limit_line()) == (None, "")


def test_a_generator_is_named_by_everything():
    names = [("a", {}, "eval", 0), ("b", {}, "eval", 0), ("a", {"x": 1}, "eval", 0), ("a", {}, "train", 0),
             ("a", {}, "eval", 1)]  # fmt: skip
    drawn = [episode_generator(*name).random() for name in names]
    assert len(set(drawn)) == len(names)
    assert episode_generator(*names[0]).random() == drawn[0]
    assert drawn[0] == pytest.approx(0.5272324669757)  # the same in every process


def test_without_a_seed_episodes_go_on_from_the_last():
    env = Household(level=1)
    env.reset(seed=3)
    told = [env.reset()[0] for _ in range(3)]
    env.reset(seed=3)
    assert [env.reset()[0] for _ in range(3)] == told
    assert len(set(told)) == 3


def test_calibration_and_training_are_far_from_evaluation():
    most = 999_999_999  # largest seed of a calibration or a run that can be written
    assert most * 1_000_000 < CALIBRATION_SEEDS
    assert CALIBRATION_SEEDS + most * 1_000_000 + 1_000_000 < TRAINING_SEEDS[0]
    assert TRAINING_SEEDS[1] < 2**53
