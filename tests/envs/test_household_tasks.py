"""The household's tasks: disjoint splits, an expert who solves all of them honestly, stated random scores."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import acgym
from acgym.envs.world.household.env import Household
from acgym.envs.world.household.large import SIZES
from acgym.envs.world.household.tasks import goal_key, layout_key
from acgym.envs.world.household.words import COLOURS, FITS, OBJECTS, PLACES, ROOMS, TOOLS, plural
from tests.helpers.households import Fixed

ID = "ACB/Household-v0"
LEVELS = (1, 2, 3, 4, 5)


def play_oracle(env, seed, split):
    _, info = env.reset(seed=seed, options={"split": split})
    rewards, turns, done = [], 0, False
    while not done:
        _, reward, terminated, truncated, info = env.step(env.unwrapped.oracle())
        assert info["error"] is None
        assert not info["malformed"]
        rewards.append(reward)
        turns += 1
        done = terminated or truncated
    return info, sum(rewards), turns


@pytest.mark.parametrize("level", LEVELS)
def test_splits_share_nothing(level):
    env = gym.make(ID, level=level).unwrapped
    found = {}
    for split in ("eval", "train"):
        layouts, goals = set(), set()
        for seed in range(300):
            data = env.reset(seed=seed, options={"split": split})[1]["task"].data
            layouts.add(layout_key(data["objects"]))
            put = [goal for goal in data["goals"] if not goal.get("lamp")]
            goals |= {goal_key(goal["needs"], goal["things"][0], goal["to"]) for goal in put}
        found[split] = layouts, goals
    for evaluation, training in zip(found["eval"], found["train"], strict=True):
        assert min(len(evaluation), len(training)) > 50
        assert not evaluation & training


@pytest.mark.parametrize("split", ["eval", "train"])
@pytest.mark.parametrize("level", LEVELS)
def test_the_expert_solves_every_task_in_28_steps(level, split):
    env = gym.make(ID, level=level)
    for seed in range(100):
        info, total, turns = play_oracle(env, seed, split)
        assert info["success"]
        assert total == pytest.approx(1.0)
        assert turns <= 28


@pytest.mark.parametrize("level", LEVELS)
def test_the_expert_goes_on_from_anywhere(level):
    env = gym.make(ID, level=level).unwrapped
    for seed in range(40):
        env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        done = any(env.step(env.random_reply(rng))[2] for _ in range(30))
        for _ in range(80):
            if done:
                break
            info = env.step(env.oracle())[4]
            assert info["error"] is None
            done = info["success"]
        assert done


def test_the_expert_of_small_houses_knows_only_what_was_shown():
    """Whatever is hidden in places not seen yet, she says the same."""
    env = gym.make(ID, level=1).unwrapped
    for seed in range(20):
        _, info = env.reset(seed=seed)
        goals, done = info["task"].data["goals"], False
        while not done:
            reply, house = env.oracle(), env.house
            hidden = [thing for thing in house.where if not house.knows(thing)]
            places = [place for place in house.contents if place not in house.seen]
            for thing in hidden:
                truth = house.where[thing]
                for place in places:
                    if all(place != goal["to"] for goal in goals if thing in goal["things"]):
                        house.where[thing] = place
                        assert env.oracle() == reply
                house.where[thing] = truth
            done = env.step(reply)[2]


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_is_done_at_the_start(level):
    env = gym.make(ID, level=level).unwrapped
    for seed in range(50):
        task = env.reset(seed=seed)[1]["task"]
        assert not any(map(env.house.holds, task.reference))
        assert task.data["level"] == level
        assert level == 1 or len(task.data["places"]) == SIZES[level].places * SIZES[level].rooms


def test_level_1_is_small():
    env = gym.make(ID, level=1)
    words = set()
    for seed in range(300):
        observation, info = env.reset(seed=seed)
        data = info["task"].data
        names = [name for name, _ in data["objects"]] + [row[0] for row in data["places"]] + list(data["tools"])
        assert len(set(names)) == len(names)
        assert all(name.isalpha() for name in names)
        assert 4 <= len(data["places"]) <= 5
        assert 3 <= len(data["objects"]) <= 4
        done = False
        while not done:
            reply = env.unwrapped.oracle()
            words |= set(f"{observation} {reply}".replace(".", " ").replace(",", " ").replace(";", " ").split())
            observation, _, done, _, _ = env.step(reply)
    assert len(words) <= 250


def test_closed_words_are_apart():
    words = [*OBJECTS, *PLACES, *TOOLS.values(), *COLOURS, *ROOMS]
    assert len(set(words)) == len(words)
    assert all(word.isalpha() and word[0] not in "aeiou" for word in words)
    assert all(set(kinds) <= set(OBJECTS) for kinds in FITS.values())
    assert [plural(kind) for kind in ("mug", "glass", "potato")] == ["mugs", "glasses", "potatoes"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_task_reopened_from_json_plays_the_same(level):
    env = gym.make(ID, level=level).unwrapped
    first, info = env.reset(seed=7)
    task = info["task"]
    again = replace(task, data=json.loads(json.dumps(task.data)), reference=json.loads(json.dumps(task.reference)))
    assert again.hash == task.hash
    copy = Fixed(again)
    assert copy.reset(seed=1)[0] == first
    done = False
    while not done:
        assert copy.oracle() == env.oracle()
        answer = copy.step(copy.oracle())
        assert answer == env.step(env.oracle())
        done = answer[2]


def test_same_seed_same_task_in_another_process():
    code = (
        "import gymnasium as gym, acgym\n"
        "for level in (1, 3, 5):\n"
        f"    env = gym.make({ID!r}, level=level)\n"
        "    print(*[env.reset(seed=seed)[1]['task'].hash for seed in range(5)])"
    )
    home = Path(acgym.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home)
    here = [gym.make(ID, level=level) for level in (1, 3, 5)]
    hashes = [" ".join(env.reset(seed=seed)[1]["task"].hash for seed in range(5)) for env in here]
    assert run.stdout.split("\n")[:3] == hashes
    assert len(set(" ".join(hashes).split())) == 15


@pytest.mark.parametrize("level", LEVELS)
def test_silence_earns_nothing(level):
    env = gym.make(ID, level=level)
    env.reset(seed=0)
    for turn in range(env.spec.max_episode_steps):
        _, reward, terminated, truncated, info = env.step("")
        assert (reward, terminated, truncated, info["malformed"]) == (
            0.0,
            False,
            turn == env.spec.max_episode_steps - 1,
            True,
        )
    assert info["progress"] == 0.0


@pytest.mark.parametrize("level", LEVELS)
def test_random_replies_are_legal_and_score_as_stated(level):
    env = gym.make(ID, level=level)
    scores = []
    for seed in range(150):
        env.reset(seed=seed)
        rng, done = np.random.default_rng(seed), False
        while not done:
            _, _, terminated, truncated, info = env.step(env.unwrapped.random_reply(rng))
            assert info["error"] is None
            assert not info["malformed"]
            done = terminated or truncated
        scores.append((info["success"], info["progress"]))
    success, progress = np.mean(scores, axis=0)
    anchor = Household.anchors[level]
    assert success == pytest.approx(anchor.success, abs=0.05)
    assert progress == pytest.approx(anchor.progress, abs=0.06)
