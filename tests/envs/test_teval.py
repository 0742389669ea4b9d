"""ACB/TEval-v0 on rows written here in the official form: every ability in every form, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import acgym  # noqa: F401  (registers the environments)
from acgym.check import check
from acgym.rows import BadRow

ID = "ACB/TEval-v0"
PROMPT = [
    {"role": "system", "content": "Tools: [{'name': 'Air.search'}, {'name': 'Air.book'}]"},
    {"role": "user", "content": "Book me a room in Oslo."},
]
STEP = {"thought": "I search for rooms in Oslo.", "name": "Air.search", "args": {"place": "Oslo", "guests": 2}}
PLAN = [
    {"id": 0, "name": "Air.search", "args": {"place": "Oslo"}},
    {"id": 1, "name": "Air.book", "args": {"id": 7}},
    {"id": 2, "name": "FinishAction", "args": {}},
]
KEYS = {"thought": "thought", "action": "name", "args": "args"}
MARKS = dict(
    zip(
        ("thought_start", "thought_end", "action_start", "action_end", "args_start", "args_end"),
        ("T:", "\n", "A:", "\n", "I:", "#"),
        strict=True,
    )
)
CALL = {"action": "Air.search", "args": {"place": "Oslo"}}
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "instruct json": (
        "instruct_v2",
        {"ground_truth": CALL, "template": KEYS, "meta_data": {"response_format": "json"}},
    ),
    "instruct string": (
        "instruct_v2",
        {"ground_truth": CALL, "template": MARKS, "meta_data": {"response_format": "string"}},
    ),
    "plan json": ("plan_json_v2", {"ground_truth": PLAN, "meta": {"prompt_type": "json"}}),
    "plan string": (
        "plan_str_v2",
        {"ground_truth": PLAN, "meta": {"prompt_type": "str", "API_list": ["Air.search", "Air.book", "FinishAction"]}},
    ),
    "reason string": ("reason_str_v2", {"ground_truth": STEP, "meta_data": {"response_format": "str"}}),
    "retrieve string": ("retrieve_str_v2", {"ground_truth": STEP, "meta_data": {"response_format": "str"}}),
    "understand string": ("understand_str_v2", {"ground_truth": STEP, "meta_data": {"response_format": "str"}}),
    "reason json": ("reason_retrieve_understand_json_v2", {"ground_truth": STEP}),
    "retrieve json": ("reason_retrieve_understand_json_v2", {"ground_truth": json.dumps(STEP)}),
    "understand json": ("reason_retrieve_understand_json_v2", {"ground_truth": STEP}),
    "review string": (
        "review_str_v2",
        {"ground_truth": {"answer": "B"}, "template": {}, "meta_data": {"response_format": "str"}},
    ),
}


def written(folder: Path, kind: str, **change: Any) -> dict[str, Any]:
    """Write two rows of a kind; return the arguments that play them."""
    name, row = FILES[kind]
    path = folder / f"{name}.json"
    path.write_text(json.dumps({f"query_{i}": {"origin_prompt": PROMPT, **row, **change} for i in range(2)}))
    return {"path": str(path), "ability": kind.split()[0] if name.startswith("reason_re") else None}


@pytest.mark.parametrize("kind", FILES)
def test_the_contract_is_kept_and_gold_scores_one(kind: str, tmp_path: Path) -> None:
    check(ID, seeds=2, **written(tmp_path, kind))


WRONG = {
    "instruct json": ('{"thought": "", "name": "Air.book", "args": {"place": "Oslo"}}', 3 / 4, "wrong_call"),
    "instruct string": ("T:\nA:Air.book\nI:{'place': 'Oslo'}#", 3 / 4, "wrong_call"),
    "plan json": (json.dumps(PLAN[:1]), 2 / 3, "wrong_plan"),
    "plan string": ("First Air.search. Then nothing.", 2 / 3, "wrong_plan"),
    "reason string": ("I search for rooms in Rome.", 10 / 12, "wrong_thought"),
    "retrieve string": ("Air.book", 0.0, "wrong_tool"),
    "understand string": ('{"place": "Oslo"}', 1 / 2, "wrong_arguments"),
    "reason json": ('{"thought": "I search for rooms in Rome."}', 10 / 12, "wrong_thought"),
    "retrieve json": ('{"name": "Air.book"}', 0.0, "wrong_tool"),
    "understand json": ('{"args": {"place": "Oslo", "guests": 3}}', 1 / 2, "wrong_arguments"),
    "review string": ("Answer: C", 0.0, "wrong_choice"),
}


@pytest.mark.parametrize("kind", FILES)
def test_wrong_replies_by_hand(kind: str, tmp_path: Path) -> None:
    reply, progress, error = WRONG[kind]
    env = gym.make(ID, **written(tmp_path, kind))
    shown, _ = env.reset(seed=0)
    assert shown.startswith("system: Tools:")
    assert shown.endswith("user: Book me a room in Oslo.")
    _, reward, terminated, _, info = env.step(reply)
    assert float(reward) == pytest.approx(progress)
    assert (terminated, info["success"], info["malformed"], info["error"]) == (True, False, False, error)


@pytest.mark.parametrize("kind", ["plan json", "instruct json", "understand json", "review string"])
def test_an_empty_reply_is_malformed(kind: str, tmp_path: Path) -> None:
    env = gym.make(ID, **written(tmp_path, kind))
    env.reset(seed=0)
    assert env.step("")[4]["malformed"]


def test_compat_gives_the_published_score(tmp_path: Path) -> None:
    env = gym.make(ID, **written(tmp_path, "understand json"), compat="acbench")
    env.reset(seed=0)
    assert float(env.step(json.dumps(STEP))[1]) == pytest.approx(2 / 2.00001)


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("plan json", {"ground_truth": {"name": "x"}}, "'ground_truth' of a plan must be a list of calls"),
        ("plan string", {"meta": {"prompt_type": "str"}}, "a plan in sentences needs 'API_list'"),
        ("plan json", {"meta": {"prompt_type": "ReWOO"}}, "the form of its reply must be"),
        ("review string", {"ground_truth": "B"}, "'ground_truth' must be an object with 'answer'"),
        ("review string", {"ground_truth": {"answer": "F"}}, "must be a letter from A to E, it is 'F'"),
        ("reason string", {"ground_truth": {"thought": 7}}, "'thought' must be a text, it is int"),
        ("instruct json", {"template": {}}, "in 'template' the texts thought, action, args"),
        ("reason string", {"origin_prompt": []}, "'origin_prompt' must be a list of turns"),
    ],
)
def test_a_malformed_row_is_named(kind: str, change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    arguments = written(tmp_path, kind, **change)
    with pytest.raises(BadRow, match="query_") as caught:
        gym.make(ID, **arguments)
    assert reason in str(caught.value)


def test_wrong_arguments_are_answered_with_what_was_expected(tmp_path: Path) -> None:
    rru = written(tmp_path, "reason json")["path"]
    torn = tmp_path / "plan_json_v2.json"
    torn.write_text('{"a": ')
    for arguments, words in (
        ({"path": rru}, "does not say which ability it tests"),
        ({"path": rru, "ability": "guess"}, "ability must be one of instruct, plan"),
        ({"path": rru, "ability": "reason", "compat": "x"}, "compat must be None or 'acbench'"),
        ({"path": str(torn)}, "line 1: it is not JSON"),
    ):
        with pytest.raises(ValueError, match=words):
            gym.make(ID, **arguments)


def test_a_folder_is_played_in_both_forms_of_an_ability(tmp_path: Path) -> None:
    for file, more in FILES.values():
        path = tmp_path / f"{file}.json"
        rows = json.loads(path.read_text()) if path.is_file() else {}
        rows[f"query_{len(rows)}"] = {"origin_prompt": PROMPT, **more}
        path.write_text(json.dumps(rows))
    played = {}
    for ability in ("instruct", "plan", "reason", "retrieve", "understand", "review"):
        env = gym.make(ID, path=str(tmp_path), ability=ability).unwrapped
        played[ability] = {row.id.partition(":")[0] for row in env._rows}
    joint = "reason_retrieve_understand_json_v2"
    assert played["reason"] == {joint, "reason_str_v2"}
    assert played["retrieve"] == {joint, "retrieve_str_v2"}
    assert played["plan"] == {"plan_json_v2", "plan_str_v2"}
    assert played["review"] == {"review_str_v2"}


def test_a_folder_without_the_ability_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no file of T-Eval for plan; expected plan_NAME\.json"):
        gym.make(ID, path=str(tmp_path), ability="plan")
    with pytest.raises(ValueError, match="give ability="):
        gym.make(ID, path=str(tmp_path))


def test_a_bad_row_is_named_with_its_line(tmp_path: Path) -> None:
    rows = {f"query_{i}": {"origin_prompt": PROMPT, **FILES["plan json"][1]} for i in range(3)}
    del rows["query_2"]["ground_truth"]
    path = tmp_path / "plan_json_v2.json"
    path.write_text(json.dumps(rows, indent=1))
    line = 1 + path.read_text().split('"query_2"')[0].count("\n")
    with pytest.raises(BadRow, match=f'line {line}, row "query_2"'):
        gym.make(ID, path=str(path))
