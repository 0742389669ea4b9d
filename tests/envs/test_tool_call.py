"""ACB/ToolCall: a task worked by hand, every kind of error, the splits, the oracle, and hostile text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acgym  # noqa: F401  (registers the environments)
from acgym.envs.names import HEADS, TAILS
from acgym.envs.tools.call.env import ToolCall
from acgym.envs.tools.call.stock import LEDGER
from acgym.envs.tools.call.words import ASK, rich_tool, simple_tool
from acgym.envs.tools.schema import fault, whole
from acgym.types import Task

ID = "ACB/ToolCall-v0"
LEVELS = (1, 2, 3, 4, 5)
SPLITS = ("eval", "train")
NAMES = {head + tail for head in HEADS for tail in TAILS}


def call(name: str, **arguments: Any) -> str:
    return json.dumps({"name": name, "arguments": arguments})


def put(env: ToolCall, task: Task) -> ToolCall:
    """Open a task that was written by hand."""
    env._task, env._progress = task, 0.0
    env.tell()
    return env


# Find the room of a guest; unlock and cancel it; book a desk on day 3, which is full, so on day 5; tell the price.
HAND_TASK = Task(
    kind="by hand",
    goal='Cancel the room of the guest "belado". Then book a desk for day 3. Then tell me the price of the car "1111".',
    data={
        "tables": {
            "guest": {"belado": {"room": "4821"}},
            "room": {"4821": {"size": 7, "locked": True}, "4822": {"size": 8}},
            "car": {"2222": {"price": 12.5}},
        },
        "tools": {
            "find_guest": {"op": "find", "table": "guest", "key": "guest"},
            "unlock_room": {"op": "unlock", "table": "room", "key": "room"},
            "cancel_room": {"op": "remove", "table": "room", "key": "room"},
            "change_room": {"op": "change", "table": "room", "key": "room"},
            "book_desk": {"op": "add", "table": "desk", "gives": True},
            "find_car": {"op": "find", "table": "car", "key": "car"},
        },
        "moved": {"car": {"1111": "2222"}},
        "full": {"desk": {"day": {"3": 5}}},
        "made": {'["book_desk",{"day":5}]': "7000"},
        "spare": ["8000", "8001"],
    },
    reference={
        "calls": [
            {"name": "find_guest", "arguments": {"guest": "belado"}, "needs": []},
            {"name": "cancel_room", "arguments": {"room": "4821"}, "needs": [0]},
            {"name": "unlock_room", "arguments": {"room": "4821"}, "needs": [1]},
            {"name": "cancel_room", "arguments": {"room": "4821"}, "needs": [2]},
            {"name": "book_desk", "arguments": {"day": 3}, "needs": []},
            {"name": "book_desk", "arguments": {"day": 5}, "needs": [4]},
            {"name": "find_car", "arguments": {"car": "1111"}, "needs": []},
            {"name": "find_car", "arguments": {"car": "2222"}, "needs": [6]},
        ],
        "answer": "12.5",
        "answer_needs": [7],
    },
    tools=(
        rich_tool("find_guest", "Look up a guest.", ["guest"], []),
        rich_tool("unlock_room", "Unlock a room.", ["room"], []),
        rich_tool("cancel_room", "Cancel a room.", ["room"], []),
        rich_tool("change_room", "Update a room.", ["room"], ["size", "start"]),
        rich_tool("book_desk", "Book a desk; gives its code.", ["day"], ["color", "contact"]),
        rich_tool("find_car", "Look up a car.", ["car"], []),
    ),
)


@pytest.fixture
def env() -> ToolCall:
    return put(ToolCall(level=5), HAND_TASK)


def test_hand_worked_task_step_by_step(env: ToolCall) -> None:
    script = [  # action, observation, items that hold afterwards (of 9)
        (call("find_guest", guest="belado"), '{"room": "4821"}', 1),
        (call("cancel_room", room="4821"), '{"error": "room \\"4821\\" is locked; unlock it first"}', 2),
        (call("unlock_room", room="4821"), '{"done": true}', 3),
        (call("cancel_room", room="4821"), '{"done": true}', 4),
        (call("book_desk", day=3), '{"error": "day 3 is full; the next free day is 5"}', 5),
        (call("book_desk", day=5), '{"done": true, "code": "7000"}', 6),
        (call("find_car", car="1111"), '{"error": "car \\"1111\\" is now listed as car \\"2222\\""}', 7),
        (call("find_car", car="2222"), '{"price": 12.5}', 8),
    ]
    for action, expected, held in script:
        wanted = json.loads(env.oracle())
        assert json.loads(action) in (wanted if isinstance(wanted, list) else [wanted])
        observation, reward, terminated, truncated, info = env.step(action)
        assert observation == expected
        assert reward == pytest.approx(1 / 9)
        assert info == {"progress": pytest.approx(held / 9), "success": False, "malformed": False, "error": None}
        assert not terminated
        assert not truncated
    assert env.oracle() == "Answer: 12.5"
    observation, reward, terminated, _, info = env.step('The price is as follows. Answer: "12.5".')
    assert (observation, terminated, info["success"], info["error"]) == ("Solved.", True, True, None)
    assert info["progress"] == 1.0
    assert reward == pytest.approx(1 / 9)


def test_parallel_calls_run_in_order_and_known_values_need_no_look_up(env: ToolCall) -> None:
    calls = [
        {"name": "unlock_room", "arguments": {"room": "4821"}},
        {"name": "cancel_room", "arguments": {"room": "4821"}},
        {"name": "book_desk", "arguments": {"day": 5.0}},
    ]
    observation, _, _, _, info = env.step(json.dumps(calls))
    assert json.loads(observation) == [{"done": True}, {"done": True}, {"done": True, "code": "7000"}]
    assert info["progress"] == pytest.approx(6 / 9)
    assert env.oracle() == '{"name": "find_car", "arguments": {"car": "1111"}}'
    _, _, terminated, _, info = env.step("12.5")
    assert terminated
    assert info["success"]
    assert info["progress"] == 1.0


@pytest.mark.parametrize(
    ("action", "kind", "words"),
    [
        (call("find_gest", guest="belado"), "unknown_tool", 'there is no tool "find_gest"; did you mean find_guest?'),
        (call("find_guest"), "bad_arguments", "argument guest is missing"),
        ('{"name": "find_guest"}', "bad_arguments", "argument guest is missing"),
        (call("find_guest", guest=7), "bad_arguments", "argument guest must be of type string"),
        (call("find_guest", guest="belado", day=3), "bad_arguments", 'unknown argument "day"; it takes guest'),
        (call("book_desk", day="3"), "bad_arguments", "argument day must be of type integer"),
        (call("book_desk", day=True), "bad_arguments", "argument day must be of type integer"),
        (call("book_desk", day=0), "bad_arguments", "argument day must be at least 1"),
        (call("book_desk", day=100), "bad_arguments", "argument day must be at most 99"),
        (call("book_desk", day=5, color="pink"), "bad_arguments", "argument color must be one of red, green"),
        (call("book_desk", day=5, contact={"name": "x"}), "bad_arguments", "argument phone is missing in contact"),
        (
            call("book_desk", day=5, contact={"name": "x", "phone": 1}),
            "bad_arguments",
            "argument contact.phone must be of type string",
        ),
        (call("change_room", room="4822", start="3 May 2031"), "bad_arguments", "argument start must be a date"),
        (call("find_guest", guest="nobody"), "failed_call", 'there is no guest "nobody"'),
    ],
)
def test_decision_errors_change_nothing(env: ToolCall, action: str, kind: str, words: str) -> None:
    observation, reward, terminated, _, info = env.step(action)
    assert words.replace("be a date", "be a date written YYYY-MM-DD") in json.loads(observation)["error"]
    assert (reward, terminated, info["error"], info["malformed"]) == (0.0, False, kind, False)


@pytest.mark.parametrize(
    "action",
    [
        "",
        " \n\t ",
        "{",
        "[]",
        "{}",
        "[1]",
        '{"name": 3}',
        '{"name": "find_guest", "arguments": []}',
        'I call {"name": "find_guest", "arguments": {"guest": "belado"}}',
        '<tool_call>\n{"tool": 1}\n</tool_call>',
        '{"name": "find_guest", "arguments": {"guest": NaN}}',
        "Answer\x00: 3",
        "[" + ", ".join(['{"name": "find_guest"}'] * 17) + "]",
        "[" * 9_000,
    ],
)
def test_malformed_actions_are_answered_in_words(env: ToolCall, action: str) -> None:
    observation, reward, terminated, _, info = env.step(action)
    assert (reward, terminated, info["error"], info["malformed"]) == (0.0, False, None, True)
    assert observation.startswith("Your reply ")


@pytest.mark.parametrize("reply", ["Answer: 12.5%", "Answer: none", "Answer: belado"])
def test_words_where_a_number_is_asked_are_malformed(env: ToolCall, reply: str) -> None:
    _, reward, terminated, _, info = env.step(reply)
    assert (reward, terminated, info["error"], info["malformed"]) == (0.0, False, None, True)


def test_a_failed_call_is_expected_once(env: ToolCall) -> None:
    assert env.step(call("book_desk", day=3))[4]["error"] is None
    assert env.step(call("book_desk", day=3))[4]["error"] == "failed_call"


def test_wrong_changes_cost_until_they_are_put_right(env: ToolCall) -> None:
    env.step(call("find_guest", guest="belado"))
    _, reward, _, _, info = env.step(call("change_room", room="4822", size=9))
    assert info["error"] == "wrong_tool"  # no call that the task needs uses this tool, or names this room
    assert reward == pytest.approx(-1 / 9)
    assert info["progress"] == 0.0
    _, reward, _, _, info = env.step(call("change_room", room="4822", size=8))
    assert (reward, info["error"]) == (pytest.approx(1 / 9), None)
    assert env.step(call("book_desk", day=5, color="red"))[4]["error"] == "wrong_call"  # superfluous argument


def test_a_repeated_booking_spoils_success(env: ToolCall) -> None:
    while not (action := env.oracle()).startswith("Answer"):
        env.step(action)
    observation, _, _, _, info = env.step(call("book_desk", day=5))
    assert json.loads(observation)["code"] == "8000"
    assert info["error"] == "wrong_call"
    _, _, terminated, _, info = env.step("Answer: 12.5")
    assert terminated
    assert (info["success"], info["error"]) == (False, "wrong_call")
    assert info["progress"] == pytest.approx(8 / 9)


@pytest.mark.parametrize(
    ("answer", "error"),
    [("Answer: 12.5", None), ("'12.5'.", None), ("Answer: 13", "wrong_answer"), ("**Answer:** 12.50. Bye!", None)],
)
def test_final_answer_is_compared_by_value(env: ToolCall, answer: str, error: str | None) -> None:
    while not (action := env.oracle()).startswith("Answer"):
        env.step(action)
    info = env.step(answer)[4]
    assert info["error"] == error
    assert info["success"] == (error is None)
    assert info["progress"] == pytest.approx(1.0 if error is None else 8 / 9)


@pytest.mark.parametrize(
    "answer",
    ["**Answer:** 12.5", "Answer: `12.5`", "answer: 12.5", "Answer: 12.5\nLet me know if you need more.",
     "The answer is 12.50.", "Answer: 13\nNo: Answer: 12.5"],
)  # fmt: skip
def test_an_answer_is_read_as_people_write_it(env: ToolCall, answer: str) -> None:
    while not (action := env.oracle()).startswith("Answer"):
        env.step(action)
    assert env.step(answer)[4]["success"]


@pytest.mark.parametrize(
    "text", ["Answer:", "Let me look that up first.", "The price is 12.5 or so.", "Answer: a lot of"]
)
def test_words_without_a_value_are_malformed_where_one_is_asked(env: ToolCall, text: str) -> None:
    _, reward, terminated, _, info = env.step(text)
    assert (reward, terminated, info["malformed"], info["error"]) == (0.0, False, True, None)


def test_a_date_may_be_said_as_the_user_says_it() -> None:
    reference = {"calls": HAND_TASK.reference["calls"][:1], "answer": "2032-05-22", "answer_needs": []}
    for said in ("22 May 2032", "May 22nd, 2032", "2032-05-22"):
        env = put(ToolCall(level=5), replace(HAND_TASK, reference=reference))
        env.step(env.oracle())
        assert env.step(f"Answer: {said}.")[4]["success"]
    env.tell()
    assert env.step("Answer: 05/06/2032")[4]["malformed"]  # may be two days


@pytest.mark.parametrize("level", LEVELS)
def test_a_near_duplicate_s_look_up_is_the_wrong_tool_at_its_turn(level: int) -> None:
    env = gym.make(ID, level=level).unwrapped
    tried = 0
    for seed in range(40):
        task = env.reset(seed=seed)[1]["task"]
        tools = task.data["tools"]
        for step in task.reference["calls"]:
            own = tools[step["name"]]
            for name, tool in tools.items():
                tables = {row["table"].removesuffix(LEDGER) for row in (own, tool) if "table" in row}
                if (own["op"], tool["op"]) == ("find", "find") and len(tables) == 2:
                    key = tool["key"]
                    info = env.step(call(name, **{key: next(iter(step["arguments"].values()))}))[4]
                    assert (info["error"], info["progress"]) == ("wrong_tool", 0.0)
                    tried += 1
    assert tried > 10


@pytest.mark.parametrize("level", LEVELS)
def test_the_oracle_makes_no_error_and_looking_at_what_is_to_be_changed_is_none(level: int) -> None:
    env = gym.make(ID, level=level).unwrapped
    for seed in range(40):
        task = env.reset(seed=seed)[1]["task"]
        tools = task.data["tools"]
        finders = {tool["table"]: name for name, tool in tools.items() if tool["op"] == "find"}
        for step in task.reference["calls"]:
            tool = tools[step["name"]]
            key = step["arguments"].get(tool.get("key"))
            if tool["op"] == "change" and tool["table"] in finders and key in task.data["tables"][tool["table"]]:
                assert env.step(call(finders[tool["table"]], **{tool["key"]: key}))[4]["error"] is None
        done = False
        while not done:
            _, _, done, _, info = env.step(env.oracle())
            assert info["error"] is None


def test_changing_with_a_tool_that_is_not_needed_is_the_wrong_tool(env: ToolCall) -> None:
    for size in ({}, {"size": 8}, {"size": 9}, {"size": 9}):  # also where it changes nothing, or nothing more
        assert env.step(call("change_room", room="4822", **size))[4]["error"] == "wrong_tool"
    assert env.step(call("change_room", room="4822", size=8))[4]["error"] is None  # put right
    assert env.step(call("book_desk", day=9))[4]["error"] == "wrong_call"  # the right tool, another day


def test_ending_too_early_is_unfinished_even_with_the_right_answer(env: ToolCall) -> None:
    _, _, terminated, _, info = env.step("Answer: 12.5")
    assert terminated
    assert info["error"] == "unfinished"
    assert info["progress"] == pytest.approx(3 / 9)  # the answer and the two look-ups that it implies
    info = put(ToolCall(level=5), HAND_TASK).step("Done.")[4]
    assert (info["error"], info["progress"], info["success"]) == ("unfinished", 0.0, False)


def test_oracle_ends_when_a_required_record_is_gone(env: ToolCall) -> None:
    data = {**HAND_TASK.data, "tables": {**HAND_TASK.data["tables"], "room": {"4821": {"size": 7}}}}
    calls = [{"name": "change_room", "arguments": {"room": "4821", "size": 3}, "needs": []}]
    reference = {"calls": calls, "answer": None, "answer_needs": []}
    put(env, Task("by hand", "Change it.", data, reference, HAND_TASK.tools))
    assert env.step(call("cancel_room", room="4821"))[4]["error"] == "wrong_call"
    env.step(env.oracle())
    assert env.oracle() == "Done."


def test_level_one_task_by_hand() -> None:
    task = Task(
        "look_up_then_operate",
        'Please find the day of the room with guest "corami", then paint a boat with this day.',
        {
            "tables": {"room": {"corami": {"day": 7, "price": 42}}},
            "tools": {
                "find_room": {"op": "find", "table": "room", "key": "guest"},
                "paint_boat": {"op": "add", "table": "boat"},
            },
        },
        {
            "calls": [
                {"name": "find_room", "arguments": {"guest": "corami"}, "needs": []},
                {"name": "paint_boat", "arguments": {"day": 7}, "needs": [0]},
            ],
            "answer": None,
            "answer_needs": [],
        },
        (simple_tool("find_room", "Find the day.", ["guest"]), simple_tool("paint_boat", "Paint a boat.", ["day"])),
    )
    env = put(ToolCall(level=1), task)
    assert env.step('{"name": "find_room", "arguments": {"guest": "corami"}}')[:2] == ('{"day": 7, "price": 42}', 0.5)
    assert env.step(env.oracle())[:2] == ('{"done": true}', 0.5)
    assert env.oracle() == "Done."
    _, reward, terminated, _, info = env.step("Painted, enjoy!")
    assert (reward, terminated, info["success"], info["progress"]) == (0.0, True, True, 1.0)


def test_created_records_never_share_an_id(env: ToolCall) -> None:
    seen = [json.loads(env.step(call("book_desk", day=5))[0])["code"] for _ in range(6)]
    assert seen == ["7000", "8000", "8001", "new 4", "new 5", "new 6"]
    assert env.step("Answer: 12.5")[4]["success"] is False


def test_what_a_model_wrote_comes_back_as_valid_text() -> None:
    data = {**HAND_TASK.data, "spare": ["8000"]}
    data["tools"] = {**data["tools"], "find_desk": {"op": "find", "table": "desk", "key": "desk"}}
    tools = (*HAND_TASK.tools, rich_tool("find_desk", "Look up a desk.", ["desk"], []))
    env = put(ToolCall(level=5), Task("by hand", "x", data, HAND_TASK.reference, tools))
    env.step('{"name": "book_desk", "arguments": {"day": 9, "contact": {"name": "\\ud800", "phone": "\\u0000"}}}')
    observation = env.step(call("find_desk", desk="8000"))[0]
    assert observation.encode("utf-8")
    assert json.loads(observation)["contact"] == {"name": "\ud800", "phone": "\x00"}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("level", LEVELS)
def test_oracle_solves_every_task(level: int, split: str) -> None:
    env = gym.make(ID, level=level)
    tools = {1: 3, 2: 6, 3: 10, 4: 14, 5: 22}[level]
    for seed in range(100):
        _, info = env.reset(seed=seed, options={"split": split})
        assert len({spec["function"]["name"] for spec in info["tools"]}) == len(info["tools"]) == tools
        assert json.loads(json.dumps(info["task"].data)) == info["task"].data
        total, done = 0.0, False
        while not done:
            _, reward, terminated, truncated, info = env.step(env.unwrapped.oracle())  # type: ignore[attr-defined]
            assert not info["malformed"]
            assert info["error"] is None
            total, done = total + float(reward), terminated or truncated
        assert info["success"]
        assert total == pytest.approx(1.0)


@pytest.mark.parametrize("level", LEVELS)
def test_silence_scores_zero_and_same_seed_is_the_same_episode(level: int) -> None:
    first, second = gym.make(ID, level=level), gym.make(ID, level=level)
    hashes = set()
    for seed in range(20):
        told, info = first.reset(seed=seed)
        again, other = second.reset(seed=seed)
        assert told == again
        assert info["task"].hash == other["task"].hash
        assert info["tools"] == other["tools"]
        hashes.add(info["task"].hash)
        done = False
        while not done:
            _, reward, terminated, truncated, info = first.step("")
            done = terminated or truncated
            assert reward == 0.0
        assert truncated
        assert not info["success"]
    assert len(hashes) == 20


def varied(task: Task) -> set[str]:
    """Everything in a task that must stay in its split: names, codes, dates, tool names, field-value pairs."""
    found = {f"tool {spec['function']['name']}" for spec in task.tools} - {f"tool {ASK}"}
    found |= {f"code {code}" for code in task.data.get("spare", [])}

    def walk(value: Any, field: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if key in NAMES or (key.isdigit() and len(key) == 4):
                    found.add(f"key {key}")
                walk(item, key)
        elif isinstance(value, str) and (value in NAMES or value[:1].isdigit()):
            found.add(f"text {value}")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found.add(f"{field} {value}")

    walk(task.data["tables"], "")
    for row in task.reference["calls"]:
        walk({name: value for name, value in row["arguments"].items() if name != "page"}, "")
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_splits_share_no_names_values_or_tools(level: int) -> None:
    seen = {}
    for split in SPLITS:
        env = gym.make(ID, level=level)
        tasks = [env.reset(seed=seed, options={"split": split})[1]["task"] for seed in range(300)]
        seen[split] = set().union(*map(varied, tasks))
        assert len(seen[split]) > 300
    assert not seen["eval"] & seen["train"]


def test_level_one_needs_few_words_and_every_value_is_distinct() -> None:
    env = gym.make(ID, level=1)
    words: set[str] = set()
    for seed in range(1_000):
        told, info = env.reset(seed=seed, options={"split": SPLITS[seed % 2]})
        task = info["task"]
        words |= set(re.findall(r"[A-Za-z]+", told + json.dumps(info["tools"]))) - NAMES
        parameters = [p for spec in task.tools for p in spec["function"]["parameters"]["properties"]]
        shared = task.kind == "look_up_then_operate"
        record = next(iter(next(iter(task.data["tables"].values())).values()))
        assert len(set(parameters)) == len(parameters)
        assert len(set(record.values())) == len(record) == 2
        assert len(set(parameters) & set(record)) == shared
    assert len(words) <= 155  # 5 of them say the step limit


@pytest.mark.parametrize("level", [1, 5])
def test_user_mentions_every_literal_argument(level: int) -> None:
    env = gym.make(ID, level=level)
    for seed in range(100):
        task = env.reset(seed=seed)[1]["task"]
        for row in task.reference["calls"]:
            if not row["needs"]:
                names = [v for v in row["arguments"].values() if isinstance(v, str) and v in NAMES]
                assert all(f'"{name}"' in task.goal for name in names)


@pytest.mark.parametrize("level", LEVELS)
def test_random_replies_are_legal(level: int) -> None:
    env = gym.make(ID, level=level)
    rng = np.random.default_rng(0)
    for seed in range(30):
        env.reset(seed=seed)
        done = False
        while not done:
            _, _, terminated, truncated, info = env.step(env.unwrapped.random_reply(rng))  # type: ignore[attr-defined]
            assert not info["malformed"]
            assert info["error"] not in ("unknown_tool", "bad_arguments")
            done = terminated or truncated


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
TOOL_NAMES = st.sampled_from([spec["function"]["name"] for spec in HAND_TASK.tools]) | st.text(max_size=12)
FIELDS = st.sampled_from(["guest", "room", "day", "size", "contact", "color", "car", "start"]) | st.text(max_size=5)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.text(st.characters(), max_size=80)
        | st.builds(
            lambda name, arguments: json.dumps({"name": name, "arguments": arguments}),
            TOOL_NAMES,
            JSON_VALUES | st.dictionaries(FIELDS, JSON_VALUES, max_size=3),
        ),
        max_size=6,
    )
)
def test_any_text_is_answered(actions: list[str]) -> None:
    env = put(ToolCall(level=5), HAND_TASK)
    total = 0.0
    for action in actions:
        observation, reward, terminated, _, info = env.step(action)
        total += reward
        assert env.observation_space.contains(observation)
        assert set(info) == {"progress", "success", "malformed", "error"}
        assert 0.0 <= info["progress"] <= 1.0
        assert total == pytest.approx(info["progress"])
        if terminated:
            break


@pytest.mark.parametrize(
    "action",
    [
        "x" * 10_000_000,
        "\x00",
        "\ud800",
        '{"name": "\ud800"}',
        call("find_guest", guest="\ud800"),
        '{"name": "find_guest", "arguments": {"guest": ' + "[" * 900 + "]" * 900 + "}}",
        '{"name": "find_guest", "arguments": {"guest": ' + '{"a":' * 400 + "1" + "}" * 400 + "}}",
        '{"name": "book_desk", "arguments": {"day": 1e400}}',
        '{"name": "book_desk", "arguments": {"day": ' + "9" * 5_000 + "}}",
        '{"name": "' + "n" * 15_000 + '"}',
        '{"name": "find_guest", "arguments": {"' + "k" * 15_000 + '": 1}}',
    ],
    ids=range(11),
)
def test_hostile_text_never_raises(env: ToolCall, action: str) -> None:
    observation, reward, _, _, info = env.step(action)
    assert env.observation_space.contains(observation)
    assert len(observation) < 400
    assert reward == 0.0
    assert not info["success"]


def test_whole_numbers_and_schema_faults() -> None:
    assert whole({"a": 3.0, "b": {"c": 2.5}, "d": "x"}) == {"a": 3, "b": {"c": 2.5}, "d": "x"}
    assert isinstance(whole(3.0), int)
    schema = simple_tool("book_room", "Book a room.", ["day"])["function"]["parameters"]
    assert fault(schema, {"day": 3}) is None
    assert fault(schema, {"day": 3.5}) == "argument day must be of type integer"
