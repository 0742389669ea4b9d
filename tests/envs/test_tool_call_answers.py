"""ACB/ToolCall from level 2 on: a second solver finds no other answer; policies, questions, lists, copies by hand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import pytest

from acgym.envs.tools.call.env import ToolCall
from acgym.envs.tools.call.policy import DONE
from acgym.envs.tools.call.user import asks, refuses
from acgym.envs.tools.call.words import CHOICES
from acgym.envs.tools.call.world import World
from acgym.types import Task, canonical_json

ID = "ACB/ToolCall-v0"
NUMBER = re.compile(r"(more than|over|above|higher than|less than|under|below|lower than) (\d+)")


def made(level: int) -> ToolCall:
    return gym.make(ID, level=level).unwrapped  # type: ignore[return-value]


def tasks(level: int, count: int) -> Iterator[Task]:
    env = made(level)
    for seed in range(count):
        yield env.reset(seed=seed)[1]["task"]


def meets(sentence: str, row: dict[str, Any]) -> bool:
    """Say whether a record meets the condition of a rule, read from the sentence alone."""
    fields = [field for field in row if re.search(rf"\b{field}\b", sentence)]
    for field in fields:
        found = NUMBER.search(sentence)
        if found and isinstance(row[field], (int, float)):
            above = found[1] in ("more than", "over", "above", "higher than")
            return row[field] > int(found[2]) if above else row[field] < int(found[2])
        if isinstance(row[field], str) and re.search(rf"\b(?:is|being) {row[field]}\b", sentence):
            return True
    return False


def forbidden(task: Task, verb: str, phrase: str, row: dict[str, Any]) -> bool:
    """Say whether the policy forbids something, read from its sentences alone."""
    for sentence in task.data["policy"]:
        said = sentence.lower()
        about = re.search(rf"\b{phrase}(?:s|es)?\b", said) and re.search(rf"\b(?:{verb}|{DONE[verb]})\b", said)
        if (
            about
            and "ledger" not in said
            and (not re.search(r"\b(?:is|being)\b(?! forbidden)", said) or meets(said, row))
        ):
            return True
    return False


def wanted(task: Task) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what the required calls do: verb, phrase, and the record as it is before (or as it is to be made)."""
    for call in task.reference["calls"]:
        tool = task.data["tools"][call["name"]]
        verb = call["name"].partition("_")[0]
        if verb in DONE:
            rows = task.data["tables"].get(tool["table"], {})
            yield (
                verb,
                tool["noun"],
                call["arguments"] if tool["op"] == "add" else rows.get(call["arguments"][tool["key"]], {}),
            )


@pytest.mark.parametrize("level", [3, 4, 5])
def test_what_is_done_is_allowed_and_what_is_refused_is_forbidden_or_has_no_tool(level: int) -> None:
    kinds, judged = set(), 0
    for task in tasks(level, 70):
        assert len(task.data["policy"]) >= 3
        for verb, phrase, row in wanted(task):
            assert not forbidden(task, verb, phrase, row), (task.goal, task.data["policy"])
        for refused in task.reference["refused"]:
            verb, qualifier, noun = refused["tool"].split("_")
            names = {spec["function"]["name"] for spec in task.tools}
            if refused["tool"] not in names:
                kinds.add("unserved")
                assert any(name.startswith(f"{verb}_") and name.endswith(f"_{noun}") for name in names)
                continue
            kinds.add("forbidden")
            table = f"{qualifier}_{noun}"
            new = task.data["moved"].get(table, {})
            said = {new.get(code, code) for code in re.findall(r'"(\d{4})"', task.goal)}
            rows = [row for key, row in task.data["tables"].get(table, {}).items() if key in said]
            if verb in ("cancel", "change"):
                assert len(rows) == 1
                assert forbidden(task, verb, f"{qualifier} {noun}", rows[0]), (task.goal, task.data["policy"])
                judged += 1
            else:  # the values that would be forbidden stand in the request alone
                assert any(f"{qualifier} {noun}" in sentence.lower() for sentence in task.data["policy"])
    assert judged > 10
    assert kinds == {"unserved", "forbidden"}


def final_state(env: ToolCall) -> str:
    assert env._opened is not None
    world = env._opened.world
    return canonical_json({table: rows for table, rows in world.tables.items() if rows})


def played(env: ToolCall, calls: list[dict[str, Any]], last: str) -> tuple[bool, str]:
    env._progress = 0.0
    env.tell()  # begins the same task again
    for call in calls:
        env.step(json.dumps({"name": call["name"], "arguments": call["arguments"]}))
    return env.step(last)[4]["success"], final_state(env)


def neighbours(task: Task, at: int) -> Iterator[dict[str, Any] | None]:
    """Yield what might be called instead of a required call: nothing, a near-duplicate, another value of the task."""
    call = task.reference["calls"][at]
    tool = task.data["tools"][call["name"]]
    yield None
    for spec in task.tools:
        function = spec["function"]
        properties = function["parameters"]["properties"]
        if function["name"] != call["name"] and set(call["arguments"]) <= set(properties):
            yield {"name": function["name"], "arguments": call["arguments"]}
    pool = [row["arguments"] for i, row in enumerate(task.reference["calls"]) if i != at and tool["op"] != "ask"]
    for name, value in call["arguments"].items():
        for other in pool:
            for held in other.values():
                if held != value and type(held) is type(value):
                    yield {"name": call["name"], "arguments": {**call["arguments"], name: held}}


def search_other_answers(level: int, count: int) -> int:
    """Try every single change of the required calls: who succeeds all the same must leave the same world."""
    env = made(level)
    tried = 0
    for seed in range(count):
        task = env.reset(seed=seed)[1]["task"]
        calls = task.reference["calls"]
        while (last := env.oracle()).startswith(("[", "{")):
            env.step(last)
        good, state = played(env, calls, last)
        assert good
        for at in range(len(calls)):
            for other in list(neighbours(task, at))[seed % level :: level - 1]:
                changed = [*calls[:at], *([other] if other else []), *calls[at + 1 :]]
                won, left = played(env, changed, last)
                tried += 1
                assert not won or left == state, (task.goal, calls[at], other)
    return tried


@pytest.mark.parametrize("level", [2, 3])
def test_no_single_change_of_the_calls_is_accepted_with_another_outcome(level: int) -> None:
    assert search_other_answers(level, 12) > 50


@pytest.mark.slow
@pytest.mark.parametrize("level", [2, 3, 4, 5])
def test_no_single_change_of_the_calls_is_accepted_in_200_tasks(level: int) -> None:
    assert search_other_answers(level, 50) > 400


@pytest.mark.parametrize("level", [4, 5])
def test_lists_name_one_record_and_counts_are_right(level: int) -> None:
    seen = 0
    for task in tasks(level, 150):
        words = "|".join(word for among in CHOICES.values() for word in among)
        said = re.search(rf"how many (\w+ \w+?)e?s there are with \w+ ({words})\b", task.goal)
        if said and task.kind.endswith("question") and task.reference["answer"].isdecimal():
            table = said[1].replace(" ", "_")
            rows = task.data["tables"].get(table) or task.data["tables"].get(table + "e")
            if rows is not None and len(rows) > 5:
                count = sum(said[2] in row.values() for row in rows.values())
                assert str(count) == task.reference["answer"], task.goal
                seen += 1
    assert seen


def test_what_is_missing_stands_nowhere_else_and_the_user_tells_it_once_asked() -> None:
    env = made(2)
    asked = 0
    for seed in range(120):
        task = env.reset(seed=seed)[1]["task"]
        for row in task.data["missing"]:
            asked += 1
            value = re.findall(r" is (?:name )?\"?([\w.-]+?)\"?(?=[.,]|$)", row["says"])
            words = [row["field"] or "code", row["noun"]]
            for question in ("Which {} of the {} should I use?", "The {} for the {} is missing. What is it?"):
                told = World(task.data).call("ask_user", {"question": question.format(*words)})
                assert told.value == {"user": row["says"]}
            assert value
            if row["field"] is None:
                assert f'"{value[0]}"' not in task.goal
        if not task.data["missing"]:
            observation, _, _, _, info = env.step("What is the price of the room?")
            assert info["error"] == "needless_question"
            assert json.loads(observation)["user"]
    assert asked > 15


def test_a_question_in_words_is_a_question() -> None:
    env = made(2)
    for seed in range(60):
        task = env.reset(seed=seed)[1]["task"]
        if task.data["missing"]:
            row = task.data["missing"][0]
            observation, reward, terminated, _, info = env.step(f"Before I start: what is the {row['words'][0]}?")
            assert (json.loads(observation)["user"], terminated, info["error"]) == (row["says"], False, None)
            assert reward > 0
            return
    raise AssertionError("no task leaves anything out")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Which guest is it for?", True),
        ("I need one detail. What is the day?\n", True),
        ("Done. Is there anything else I can help you with?", False),
        ("Done.", False),
        ("Did it work? Yes.", False),
    ],
)
def test_what_is_a_question(text: str, question: bool) -> None:
    assert asks(text) == question


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("Done.\nRefused: old ticket", {"ticket"}),
        ("**Refused:** the ticket, the boxes", {"ticket", "box"}),
        ("I could not cancel the old ticket, since the policy forbids it.", {"ticket"}),
        ("I booked the room and could not cancel the ticket.", {"ticket"}),
        ("The room is booked, but there is no tool to change the ticket.", {"ticket"}),
        ("I’m unable to change the box; the room is booked.", {"box"}),
        ("I cancelled the ticket and booked the room.", set()),
        ("Done.", set()),
    ],
)
def test_what_a_reply_refuses(text: str, things: set[str]) -> None:
    assert refuses(text, ("ticket", "box", "room")) == things


def test_doing_what_is_forbidden_loses_and_refusing_all_does_not_help() -> None:
    env = made(3)
    tried = 0
    for seed in range(80):
        task = env.reset(seed=seed)[1]["task"]
        names = {spec["function"]["name"] for spec in task.tools}
        while (reply := env.oracle()).startswith(("[", "{")):
            env.step(reply)
        served, refused = task.reference["served"], [row["noun"] for row in task.reference["refused"]]
        if served:
            last = reply.partition("\nRefused:")[0]
            info = env.step(f"{last}\nRefused: {', '.join([*served, *refused])}")[4]
            assert (info["success"], info["error"]) == (False, "wrong_refusal")
        for row in task.reference["refused"]:
            found = re.search(rf'{row["noun"]} "(\d+)"', task.goal)
            if row["tool"].startswith("cancel") and row["tool"] in names and found:
                env.reset(seed=seed)
                key = task.data["moved"].get(row["tool"].partition("_")[2], {}).get(found[1], found[1])
                info = env.step(json.dumps({"name": row["tool"], "arguments": {row["noun"]: key}}))[4]
                if info["error"] == "forbidden_call":
                    while (reply := env.oracle()).startswith(("[", "{")):
                        env.step(reply)
                    assert not env.step(reply)[4]["success"]
                    tried += 1
        if refused:
            env.reset(seed=seed)
            while (reply := env.oracle()).startswith(("[", "{")):
                env.step(reply)
            assert env.step(reply.partition("\nRefused")[0])[4]["error"] == "missed_refusal"
    assert tried > 2


def test_a_stale_copy_and_a_list_by_hand() -> None:
    data = {
        "tables": {"old_room": {"1111": {"fee": 2, "locked": True}, "2222": {"fee": 3}, "3333": {"fee": 4}}},
        "tools": {
            "find_old_room": {"op": "find", "table": "old_room", "key": "room"},
            "list_old_room": {"op": "list", "table": "old_room", "key": "room"},
        },
        "stamps": {"old_room": {"1111": ["2031-01-01", "2032-01-01"]}},
        "stale": {"old_room": {"1111": {"fee": 9}}},
        "page_size": 2,
    }
    world = World(data)
    assert world.call("find_old_room", {"room": "1111"}).value == {
        "fee": 9, "copied": "2031-01-01", "changed": "2032-01-01",
    }  # fmt: skip
    assert world.call("find_old_room", {"room": "1111", "fresh": True}).value == {"fee": 2, "changed": "2032-01-01"}
    assert world.call("find_old_room", {"room": "2222"}).value == {"fee": 3}
    page = world.call("list_old_room", {"page": 2}).value
    assert page == {"page": 2, "pages": 2, "records": [{"room": "3333", "fee": 4}]}
    assert world.call("list_old_room", {}).value["records"][0] == {"room": "1111", "fee": 2}  # type: ignore[index, call-overload]
    assert world.call("list_old_room", {"page": 3}).value == {"error": "there is no page 3; the last page is 2"}


@pytest.mark.parametrize("level", [2, 3, 4, 5])
def test_one_call_at_a_time_is_in_time(level: int) -> None:
    for task in tasks(level, 60):
        assert (len(task.reference["calls"]) + 1) * 1.5 <= 30


@pytest.mark.parametrize("level", [2, 3, 5])
def test_no_sentence_comes_in_many_requests(level: int) -> None:
    counts: Counter[str] = Counter()
    for task in tasks(level, 300):
        blank = re.sub(r'"[^"]*"|\b\d[\d.-]*\b', "#", task.goal)
        counts.update(set(re.split(r"(?<=[.!?]) ", blank)))
    said, most = counts.most_common(1)[0]
    assert most <= 0.02 * 300 + 3, said  # 2 %, and what 300 tasks scatter
