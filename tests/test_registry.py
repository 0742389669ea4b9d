"""What every registered environment must keep; a new one is tested by being registered."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import acgym
from acgym.agents.scripted import Oracle, Random
from acgym.check import check
from acgym.data.cache import use_folder
from acgym.loop import play
from acgym.suites import capability_of
from acgym.types import canonical_json
from tests.helpers.registry import FROM_FILES, IDS, LEVELS, PLAYED

ROOT = Path(acgym.__file__).resolve().parent.parent


def digest(env_id: str) -> str:
    """Hash all that an oracle and a random episode of each level say and hear."""
    rows = []
    for agent in (Oracle(), Random()):
        for level in LEVELS:
            for episode in play(agent, env_id, [0, 1], kwargs={"level": level}):
                turns = [(t.role, t.observation, t.action, t.reward, t.malformed, t.error) for t in episode.turns]
                rows.append([episode.task_hash, episode.tools, turns, episode.final_observation, episode.progress])
    return hashlib.sha256(canonical_json(rows).encode()).hexdigest()


def test_environments_from_files_say_what_to_give(monkeypatch, tmp_path):
    monkeypatch.setenv("ACGYM_DATA", str(tmp_path))  # as on a machine that fetched nothing
    assert set(IDS).isdisjoint(FROM_FILES)
    for env_id in FROM_FILES:
        more = {"ability": "plan"} if "TEval" in env_id else {}
        with pytest.raises(FileNotFoundError, match=r"acgym data (get|use).*path="):
            gym.make(env_id, **more)


def test_environments_from_files_play_the_folder_that_was_named(monkeypatch, tmp_path):
    monkeypatch.setenv("ACGYM_DATA", str(tmp_path / "cache"))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("Some words of a book.", "utf-8")
    use_folder("niah", tmp_path / "texts")
    assert gym.make("ACB/NIAH-v0").unwrapped.rows == 400


def test_every_environment_names_its_capability_and_the_first_of_each_is_played():
    """One capability may have many environments."""
    capabilities = [gym.make(env_id).unwrapped.capability for env_id in IDS]
    assert all(isinstance(name, str) and name for name in capabilities)
    assert set(PLAYED) <= set(IDS)
    assert sorted(capability_of(env_id) for env_id in PLAYED) == sorted(set(capabilities))


@pytest.mark.parametrize("env_id", IDS)
def test_the_contract_is_kept(env_id):
    assert check(env_id, seeds=6).env == env_id


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("env_id", IDS)
def test_the_contract_is_kept_at_every_level(env_id, level):
    check(env_id, seeds=20, level=level)


@pytest.mark.parametrize("env_id", IDS)
def test_anchors_are_stated_for_every_level(env_id):
    env = gym.make(env_id).unwrapped
    assert tuple(sorted(env.anchors)) == LEVELS
    for anchor in env.anchors.values():
        assert 0.0 <= anchor.success <= anchor.progress < 1.0


@pytest.mark.parametrize("env_id", IDS)
def test_what_a_heuristic_scores_is_stated_for_every_level(env_id):
    env = gym.make(env_id).unwrapped
    assert tuple(sorted(env.heuristic_anchors)) == LEVELS
    for level, anchor in env.heuristic_anchors.items():
        assert 0.0 <= anchor.success <= anchor.progress <= 1.0
        assert anchor.progress > env.anchors[level].progress


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("env_id", IDS)
def test_the_step_limit_is_told_and_leaves_half_as_many_steps_again_as_the_oracle_needs(env_id, level):
    env = gym.make(env_id, level=level, disable_env_checker=True)
    limit = env.spec.max_episode_steps
    inside = env.unwrapped
    for seed in range(60):
        for split in ("eval", "train"):
            told, _ = inside.reset(seed=seed, options={"split": split})
            assert f"You can reply at most {limit} times.\n" in told
            steps, done = 0, False
            while not done:
                done = inside.step(inside.oracle())[2]
                steps += 1
            assert limit >= 1.5 * steps, (seed, split, steps)


@pytest.fixture(scope="module")
def digests_elsewhere():
    """Compute all digests in processes of their own, with other hash seeds."""
    code = (
        "import json, sys; sys.path.insert(0, '.'); from tests.test_registry import IDS, digest; "
        "print(json.dumps({env_id: digest(env_id) for env_id in IDS}))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE
        )
        for seed in ("0", "1", "4294967295")
    ]
    return [json.loads(process.communicate(timeout=120)[0]) for process in processes]


@pytest.mark.parametrize("env_id", IDS)
def test_episodes_are_equal_in_every_process(env_id, digests_elsewhere):
    assert {found[env_id] for found in digests_elsewhere} == {digest(env_id)}


@pytest.mark.parametrize("env_id", IDS)
def test_a_vector_of_copies_says_what_each_says_alone(env_id):
    vector = gym.make_vec(env_id, num_envs=3, vectorization_mode="sync")
    alone = [gym.make(env_id) for _ in range(3)]
    told, info = vector.reset(seed=[5, 6, 7])
    single = [env.reset(seed=seed) for env, seed in zip(alone, (5, 6, 7), strict=True)]
    assert told == tuple(observation for observation, _ in single)
    assert [task.hash for task in info["task"]] == [i["task"].hash for _, i in single]
    actions = tuple(env.unwrapped.oracle() for env in alone)
    answers, rewards, terminated, truncated, _ = vector.step(actions)
    for i, env in enumerate(alone):
        observation, reward, ended, cut, _ = env.step(actions[i])
        assert (answers[i], rewards[i], terminated[i], truncated[i]) == (observation, reward, ended, cut)
    vector.close()


@pytest.mark.parametrize("env_id", IDS)
def test_tasks_are_json_and_tools_are_openai_functions(env_id):
    env = gym.make(env_id)
    for seed in range(20):
        task = env.reset(seed=seed)[1]["task"]
        row = [task.kind, task.goal, task.data, task.reference, task.tools, task.source]
        assert canonical_json(json.loads(canonical_json(row))) == canonical_json(row)
        for tool in task.tools:
            assert tool["type"] == "function"
            assert {"name", "description", "parameters"} <= tool["function"].keys()
            assert tool["function"]["parameters"]["type"] == "object"


@pytest.mark.parametrize("env_id", IDS)
def test_an_episode_goes_on_the_same_from_a_pickle_and_from_a_copy(env_id):
    env = gym.make(env_id).unwrapped
    env.reset(seed=3)
    over = False
    while not over:  # at every place where it can be stopped; the first three are enough for long episodes
        twins = [env, pickle.loads(pickle.dumps(env)), copy.deepcopy(env)] if len(env.replies) < 3 else [env]
        steps = [twin.step(twin.oracle()) for twin in twins]
        assert all(step == steps[0] for step in steps)
        over = steps[0][2]
        for twin in twins[1:]:
            ended = over
            while not ended:
                *_, ended, _, info = twin.step(twin.oracle())
            assert over or info["success"]


@pytest.mark.parametrize("env_id", IDS)
def test_a_step_before_reset_is_refused(env_id):
    with pytest.raises(gym.error.ResetNeeded):
        gym.make(env_id).unwrapped.step("")


@pytest.mark.parametrize("env_id", IDS)
def test_the_docstring_is_a_data_sheet(env_id):
    text = inspect.getdoc(type(gym.make(env_id).unwrapped)) or ""
    assert len(text.split()) > 80, f"{env_id} must say what the agent sees, says and earns, and when it ends"


def test_module_and_id_can_be_named_together():
    assert gym.make("acgym:ACB/ToolCall-v0").spec.id == "ACB/ToolCall-v0"
