"""ACB/Telecom: episodes worked by hand on a small domain, the contract, errors, malformed files, the official tasks."""

from __future__ import annotations

import gzip
import json

import gymnasium as gym
import pytest

from acgym.check import check
from acgym.envs.tools.tau2 import MAX_CALLS
from acgym.envs.tools.telecom.env import Telecom
from acgym.envs.tools.telecom.tools import TOOLS
from acgym.rows import BadRow
from tests.helpers.official import official
from tests.helpers.telecom_data import OWN, SPLITS, TASKS, task, telecom_files

DONE = json.dumps({"name": "done", "arguments": {}})
OFFICIAL = official("tau2_telecom")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(telecom_files(tmp_path_factory.mktemp("telecom")))


def opened(folder, ticket, made=Telecom, **arguments):
    env = made(path=folder, **arguments)
    plain = env.unwrapped
    for seed in range(plain.rows):
        told, _ = env.reset(seed=seed)
        if plain.task.data["id"] == TASKS[ticket]["id"]:
            return env, told
    raise AssertionError


def says(*calls):
    rows = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return json.dumps(rows if len(rows) != 1 else rows[0])


def gold_of(ticket):
    return [(one["name"], one["arguments"]) for one in TASKS[ticket]["evaluation_criteria"]["actions"]]


def finished(env):
    _, _, terminated, _, info = env.step(DONE)
    assert terminated
    return info["success"], info["error"]


def test_the_contract_is_kept(folder):
    check("ACB/Telecom-v0", seeds=len(TASKS), path=folder)


def test_there_are_13_tools_of_the_carrier_30_of_the_phone_and_one_that_ends():
    names = [tool["function"]["name"] for tool in TOOLS]
    assert len(set(names)) == len(names) == 13 + 30 + 1
    assert names.index("check_status_bar") == 13
    assert names[-1] == "done"


def test_the_agent_reads_rules_policy_workflow_and_ticket(folder):
    env, told = opened(folder, 0)
    assert told.index("Be kind.") < told.index("Look first.") < told.index(env.task.goal)
    assert "at most 30 times" in told
    assert env.task.kind == "mobile_data_issue"


def test_each_gold_call_is_needed_and_together_they_solve(folder):
    for ticket in range(4):
        calls = gold_of(ticket)
        for left_out in range(-1, len(calls)):
            env, _ = opened(folder, ticket)
            env.step(says(*(call for place, call in enumerate(calls) if place != left_out)))
            assert finished(env) == ((True, None) if left_out < 0 else (False, "unsolved")), (ticket, left_out)


def test_a_ticket_for_a_human_needs_the_call_with_any_summary(folder):
    env, _ = opened(folder, 4)
    assert not env.silence_may_score
    assert finished(env) == (False, "missing_action")
    env, _ = opened(folder, 4)
    env.step(says(("transfer_to_human_agents", {"summary": "please"})))
    assert finished(env) == (True, None)


def test_silence_scores_where_nothing_is_wrong_and_says_so(folder):
    env, _ = opened(folder, 5)
    assert env.silence_may_score
    _, reward, terminated, _, info = env.step("")
    assert (reward, terminated, info["success"]) == (1.0, True, True)
    env, _ = opened(folder, 0)
    assert not env.silence_may_score
    _, reward, terminated, _, info = env.step("I am done.")
    assert (reward, terminated, info["error"]) == (0.0, True, "unsolved")


def test_errors_are_told_and_change_nothing(folder):
    env, _ = opened(folder, 1)
    for name, arguments, kind in (
        ("fix_phone", {}, "unknown_tool"),
        ("toggle_data", {"on": True}, "bad_argument"),
        ("refuel_data", dict(OWN), "bad_argument"),
        ("refuel_data", {**OWN, "gb_amount": "2.0"}, "bad_argument"),
        ("refuel_data", {**OWN, "gb_amount": True}, "bad_argument"),
        ("refuel_data", {**OWN, "gb_amount": 10**400}, "refused"),
        ("refuel_data", {**OWN, "gb_amount": -2.0}, "refused"),
        ("refuel_data", {"customer_id": "C9", "line_id": "L1", "gb_amount": 2.0}, "refused"),
        ("set_network_mode_preference", {"mode": "6g"}, "refused"),
        ("grant_app_permission", {"app_name": "camera", "permission": "sms"}, "refused"),
        ("resume_line", dict(OWN), "refused"),
    ):
        told, reward, terminated, _, info = env.step(says((name, arguments)))
        assert (info["error"], reward, terminated) == (kind, 0.0, False), name
        assert set(json.loads(told)) == {"error"}
    env.step(says(*gold_of(1)))
    assert finished(env) == (True, None)


def test_calls_of_one_reply_are_run_in_order_and_what_follows_done_is_not(folder):
    env, _ = opened(folder, 0)
    told, *_ = env.step(says(("check_status_bar", {}), ("toggle_airplane_mode", {}), ("check_status_bar", {})))
    first, change, last = json.loads(told)
    assert first["status_bar"][0] == "Airplane Mode"
    assert last["status_bar"] == change["status_bar"]
    assert last["status_bar"] == ["Excellent Signal", "5G", "Data Disabled", "Battery 70%"]
    _, _, terminated, _, info = env.step(says(("done", {}), *gold_of(0)[1:]))
    assert (terminated, info["success"]) == (True, False)


def test_what_cannot_be_read_goes_on_and_too_many_calls_are_not_run(folder):
    env, _ = opened(folder, 0)
    for reply in ('{"name": "toggle_data"', "[1]", says(*[("toggle_data", {})] * (MAX_CALLS + 1))):
        _, _, terminated, _, info = env.step(reply)
        assert (terminated, info["malformed"]) == (False, True)
    env.step(says(*gold_of(0)))
    assert finished(env) == (True, None)


def test_the_step_limit_judges_too(folder):
    def made(**arguments):
        return gym.make("ACB/Telecom-v0", **arguments)

    for solves in (True, False):
        env, _ = opened(folder, 0, made)
        env.step(says(*gold_of(0)) if solves else says(("check_status_bar", {})))
        for left in range(env.unwrapped.max_steps - 1, 0, -1):
            _, _, terminated, truncated, info = env.step(says(("check_status_bar", {})))
            assert (terminated or truncated) == (left == 1)
        assert (info["success"], info["progress"], terminated) == (solves, float(solves), solves)


def test_a_folder_of_all_domains_and_packed_tasks_are_read_alike(folder, tmp_path):
    held = telecom_files(tmp_path / "telecom")
    (held / "tasks.json.gz").write_bytes(gzip.compress((held / "tasks.json").read_bytes()))
    (held / "tasks.json").unlink()
    one, other = Telecom("full", folder), Telecom("full", str(tmp_path))
    assert [one.reset(seed=s)[1]["task"].hash for s in range(6)] == [
        other.reset(seed=s)[1]["task"].hash for s in range(6)
    ]
    assert Telecom("small", str(tmp_path)).rows == 1


def test_an_unknown_subset_lists_the_known(folder):
    with pytest.raises(ValueError, match="subset must be one of base, small, full, got 'big'"):
        Telecom("big", folder)


NO_TICKET = {key: value for key, value in TASKS[0].items() if key != "ticket"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (NO_TICKET, "needs a user"),
        (task("x", [], [], [], ["NL_ASSERTION"]), "judged here"),
        (task("x", [{"env_type": "user", "func_name": "__init__", "arguments": {}}], [], []), "no initialization"),
        (task("x", [{"env_type": "user", "func_name": "lock_sim_card", "arguments": {}}], [], []), "needs 'mode'"),
        (
            task("x", [{"env_type": "user", "func_name": "set_user_location", "arguments": {"abroad": 1}}], [], []),
            "must be of type bool",
        ),
        (
            task("x", [{"env_type": "user", "func_name": "lock_sim_card", "arguments": {"mode": "z"}}], [], []),
            "cannot be set up",
        ),
        (task("x", [], [], [{"env_type": "user", "func_name": "assert_rich", "arguments": {}}]), "no assertion"),
        (task("x", [], [{"name": "fly", "arguments": {}}], []), "must name a tool"),
        (task("x", [], [{"name": "toggle_data", "arguments": {"a": 1}}], []), "is no call"),
        (task("x", [], [], [7]), "must be an object"),
    ],
)
def test_a_task_that_cannot_be_played_is_named(tmp_path, row, reason):
    held = telecom_files(tmp_path, [TASKS[1], row], {"base": [TASKS[1]["id"], row["id"]]})
    with pytest.raises(BadRow, match=reason) as caught:
        Telecom("base", str(held))
    assert "line 2" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("tasks.json", '[{"id": "a"},\n{"id"', "line 2: it is not JSON"),
        ("tasks.json", "[" * 100_000, "it is nested too deeply"),
        ("tasks.json", "{}", "must be a list of tasks"),
        ("tasks.json", "[NaN]", "NaN"),
        ("tasks.json", json.dumps([TASKS[0], TASKS[0]]), "the same id"),
        ("split_tasks.json", "[]", "lists of ids"),
        ("split_tasks.json", json.dumps({**SPLITS, "base": ["?"]}), "does not have"),
        ("db.toml", "a = ", "not TOML"),
        ("db.toml", "plans = 1", "no list 'customers'"),
        ("db.toml", "customers = [1]", "customers 1: it must be a table"),
        ("user_db.toml", "[device]\nsim_card_missing = 1", "must be"),
    ],
)
def test_a_malformed_file_is_one_sentence_with_its_name(tmp_path, name, text, reason):
    held = telecom_files(tmp_path)
    (held / name).write_text(text, "utf-8")
    with pytest.raises(BadRow, match=reason) as caught:
        Telecom("base", str(held))
    assert name in str(caught.value) or reason == "NaN"


@pytest.mark.parametrize("name", ["db.toml", "user_db.toml", "split_tasks.json", "tasks.json", "main_policy_solo.md"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    held = telecom_files(tmp_path)
    (held / name).unlink()
    with pytest.raises(FileNotFoundError, match=name.split(".")[0]):
        Telecom("base", str(held))


@pytest.mark.slow
def test_gold_solves_all_official_tasks_and_silence_none():
    """Where the official files lie beside this checkout; the number of tasks is the data's own."""
    for file in OFFICIAL:
        if file.name == "split_tasks.json":
            env = Telecom("full", str(file.parent))
            assert env.rows == len(json.loads(file.read_text("utf-8"))["full"])
            for seed in range(env.rows):
                env.reset(seed=seed)
                assert not env.silence_may_score
                for _ in range(13):
                    *_, terminated, _, info = env.step(env.oracle())
                    if terminated:
                        break
                assert info["success"], env.task.data["id"]
