"""ACB/Retail and ACB/Airline: episodes worked by hand, which tasks are played, malformed files."""

from __future__ import annotations

import json
import pickle

import gymnasium as gym
import pytest

from acgym.check import check
from acgym.envs.tools.desk.env import Airline, Retail
from acgym.envs.tools.tau2 import MAX_CALLS
from acgym.rows import BadRow
from tests.helpers.desk_data import AIRLINE_TASKS, CANCEL, RETAIL, RETAIL_TASKS, desk_files, task

MADE = {"retail": Retail, "airline": Airline}
DONE = json.dumps({"name": "done", "arguments": {}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("desks")
    return str(desk_files(desk_files(home, "retail"), "airline"))


def call(name, arguments):
    return json.dumps({"name": name, "arguments": arguments})


def opened(folder, name, made=Retail):
    env = made(path=folder)
    for seed in range(env.rows):
        told, _ = env.reset(seed=seed)
        if env.task.data["id"] == name:
            return env, told
    raise AssertionError


def finished(env):
    info = env.step(DONE)[4]
    return info["success"], info["error"]


@pytest.mark.parametrize(("env_id", "rows"), [("ACB/Retail-v0", 3), ("ACB/Airline-v0", len(AIRLINE_TASKS))])
def test_the_contract_is_kept(folder, env_id, rows):
    check(env_id, seeds=rows, path=folder)
    assert gym.make(env_id, path=folder).unwrapped.rows == rows


def test_tasks_that_take_a_customer_or_a_judge_are_named(folder, tmp_path):
    assert set(Retail(path=folder).not_played) == {"2"}
    assert "rests on the agent's words: 'if the agent asks'" in Retail(path=folder).not_played["2"]
    judged = task("9", "You want to be treated kindly.")
    judged["evaluation_criteria"]["reward_basis"] = ["DB", "NL_ASSERTION"]
    env = Retail(path=str(desk_files(tmp_path, "retail", tasks=[*RETAIL_TASKS, judged])))
    assert env.not_played["9"] == "its reward rests on NL_ASSERTION, which a judge model gives"
    alone = desk_files(tmp_path / "alone", "retail", tasks=[judged])
    with pytest.raises(ValueError, match="none of the 1 tasks"):
        Retail(path=str(alone))


def test_the_agent_reads_rules_policy_and_request(folder):
    _, told = opened(folder, "0")
    assert told.index("at most") < told.index("Be kind.") < told.index("You want to cancel #W1.")
    assert told.endswith("You are Ada.")


def test_the_records_decide(folder):
    env, _ = opened(folder, "0")
    assert finished(env) == (False, "missing_change")
    env, _ = opened(folder, "0")
    env.step(call(*CANCEL))
    assert finished(env) == (True, None), "what only reads is not needed"
    env, _ = opened(folder, "0")
    env.step(call("cancel_pending_order", {"order_id": "#W1", "reason": "ordered by mistake"}))
    assert finished(env) == (False, "wrong_change")
    env, _ = opened(folder, "3")
    env.step(call(*CANCEL))
    assert finished(env) == (False, "wrong_change")


def test_what_the_customer_must_be_told_is_heard_in_any_words(folder):
    env, _ = opened(folder, "1")
    assert "does not answer" in env.step("All the CUPS ...")[0]
    env.step("... cost $1,022.50 together.")
    assert finished(env) == (True, None)
    env, _ = opened(folder, "1")
    env.step("They cost 1022.")
    assert finished(env) == (False, "missing_information")


def test_a_request_that_must_be_denied_is_solved_by_silence_and_says_so(folder):
    env, _ = opened(folder, "3")
    assert env.silence_may_score
    assert finished(env) == (True, None)
    env, _ = opened(folder, "0")
    assert not env.silence_may_score


def test_the_step_limit_judges_too(folder):
    env, _ = opened(folder, "0")
    env.step(call(*CANCEL))
    for _ in range(env.max_steps - 2):
        env.step("One moment.")
    _, reward, terminated, _, info = env.step("One moment.")
    assert (reward, terminated, info["success"]) == (1.0, True, True)


def test_errors_are_told_and_change_nothing(folder):
    env, _ = opened(folder, "0")
    assert env.step(call("fly", {}))[4]["error"] == "unknown_tool"
    assert env.step(call("get_order_details", {}))[4]["error"] == "bad_argument"
    assert env.step(call("get_order_details", {"order_id": "#W9"}))[4]["error"] == "refused"
    assert env.step("")[4]["malformed"]
    assert env.step('{"name": ')[4]["malformed"]
    assert env.step(json.dumps([{"name": "done", "arguments": {}}] * (MAX_CALLS + 1)))[4]["malformed"]
    several = [{"name": CANCEL[0], "arguments": CANCEL[1]}, {"name": "done", "arguments": {}}]
    assert env.step(json.dumps(several))[4]["success"]


def test_an_episode_under_way_can_be_pickled(folder):
    env, _ = opened(folder, "0")
    env.step(call(*CANCEL))
    again = pickle.loads(pickle.dumps(env))
    assert finished(again) == finished(env) == (True, None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks": [{"id": 3}]}, "row 1 of the list: a task must be an object with an 'id'"),
        ({"tasks": [RETAIL_TASKS[0], RETAIL_TASKS[0]]}, "has the same id"),
        ({"split_tasks": {"base": ["77"]}}, "lists '77'"),
        ({"split_tasks": []}, "object of lists"),
        ({"split_tasks": {"base": ["0", ["1"]]}}, "a list of ids that are texts"),
        ({"tasks": [task("0", "x", ("fly", {}))]}, "calls 'fly', which is no tool of retail"),
        ({"tasks": [task("0", "x", (CANCEL[0], {}))]}, "argument order_id is missing"),
        ({"tasks": [{**RETAIL_TASKS[0], "user_scenario": {}}]}, "it has no 'instructions'"),
        ({"tasks": [{**RETAIL_TASKS[0], "evaluation_criteria": {}}]}, "it has no 'actions'"),
        ({"db": {**RETAIL, "users": {"x": {}}}}, r"users 'x': it has no 'name'"),
        ({"db": []}, "a table 'products' of retail"),
    ],
)
def test_malformed_files_are_one_sentence(tmp_path, changes, said):
    with pytest.raises(BadRow, match=said):
        Retail(path=str(desk_files(tmp_path, "retail", **changes)))


def test_torn_files_and_other_subsets(tmp_path):
    home = desk_files(tmp_path, "retail") / "retail"
    with pytest.raises(ValueError, match="subset must be one of base, got 'x'"):
        Retail("x", path=str(tmp_path))
    (home / "tasks.json").write_text('[\n{"id": "0",\n', "utf-8")
    with pytest.raises(BadRow, match=r"tasks\.json, line 3: it is not JSON"):
        Retail(path=str(home))
    (home / "db.json.gz").write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(BadRow, match="no whole gzip file"):
        Retail(path=str(home))
