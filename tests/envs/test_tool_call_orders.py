"""ACB/ToolCall from level 3 on: what a fair judge takes for the same answer is taken, and what differs is not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium as gym
import pytest

from acgym.envs.tools.call.env import ToolCall
from acgym.envs.tools.call.words import ASK
from acgym.types import Task, canonical_json

Calls = list[dict[str, Any]]


def won(env: ToolCall, calls: Calls, last: str, batch: int = 1) -> tuple[bool, str]:
    """Play the same task again, ``batch`` calls in a reply; return success and the world that is left."""
    env._progress = 0.0
    env.tell()
    for start in range(0, len(calls), batch):
        rows = [{"name": row["name"], "arguments": row["arguments"]} for row in calls[start : start + batch]]
        env.step(json.dumps(rows if batch > 1 else rows[0]))
    success = env.step(last)[4]["success"]
    assert env._opened is not None
    tables = env._opened.world.tables
    return success, canonical_json({table: rows for table, rows in tables.items() if rows})


def another_order(calls: Calls, rng: random.Random) -> list[int]:
    """Draw an order in which each call comes after all that it needs, as places."""
    left, order = set(range(len(calls))), []
    while left:
        ready = sorted(i for i in left if left.isdisjoint(calls[i]["needs"]))
        order.append(rng.choice(ready))
        left.remove(order[-1])
    return order


def reworded(task: Task, call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a call with its arguments written otherwise, but meaning the same."""
    tool, given = task.data["tools"][call["name"]], dict(call["arguments"])
    if tool["op"] == "list" and given.get("page", 1) == 1:
        yield {**call, "arguments": {} if "page" in given else {"page": 1}}
    if tool["op"] == "find" and "fresh" not in given and "fresh" in properties(task, call["name"]):
        yield {**call, "arguments": {**given, "fresh": False}}
    if tool["op"] == "ask":
        yield {**call, "arguments": {"question": f"One thing: {given['question']}"}}
    whole = {name: float(value) for name, value in given.items() if type(value) is int}
    if whole:
        yield {**call, "arguments": {**given, **whole}}
    if len(given) > 1:
        yield {**call, "arguments": dict(reversed(given.items()))}


def properties(task: Task, name: str) -> Mapping[str, Any]:
    specs = {spec["function"]["name"]: spec["function"] for spec in task.tools}
    return specs[name]["parameters"]["properties"]


def same_answers(env: ToolCall, task: Task, rng: random.Random) -> Iterator[tuple[str, Calls, int]]:
    """Yield ways to do what is wanted that differ in nothing that the user sees: name, calls, calls in a reply."""
    calls: Calls = task.reference["calls"]
    assert env._opened is not None
    changes = [bool(step.cells) for step in env._opened.gold.steps]
    for _ in range(2):
        order = another_order(calls, rng)
        yield "another order", [calls[i] for i in order], 1
    yield "the order of before, three calls in a reply", [calls[i] for i in order], 3
    for at, call in enumerate(calls):
        for other in reworded(task, call):
            yield "the same in other words", [*calls[:at], other, *calls[at + 1 :]], 1
    looks = [call for call, change in zip(calls, changes, strict=True) if not change]
    yield "every look-up twice", [row for call in calls for row in ([call, call] if call in looks else [call])], 1
    yield "what is known is not looked up", [c for c, change in zip(calls, changes, strict=True) if change], 1


def other_answers(env: ToolCall, task: Task) -> Iterator[tuple[str, Calls]]:
    """Yield plans that do something else: values of two calls exchanged, two changes left out, one made twice."""
    calls: Calls = task.reference["calls"]
    assert env._opened is not None
    at = [i for i, step in enumerate(env._opened.gold.steps) if step.cells]
    for i in at:
        yield "made twice", [*calls[: i + 1], calls[i], *calls[i + 1 :]]
        for j in at:
            one, two = calls[i], calls[j]
            shared = [
                n for n in one["arguments"] if two["arguments"].get(n, one["arguments"][n]) != one["arguments"][n]
            ]
            if i < j and one["name"] != ASK:
                yield "two left out", [call for k, call in enumerate(calls) if k not in (i, j)]
                for name in shared:
                    mixed = [dict(call) for call in calls]
                    for k, other in ((i, two), (j, one)):
                        mixed[k]["arguments"] = {**calls[k]["arguments"], name: other["arguments"][name]}
                    yield f"{name} exchanged", mixed


def search(level: int, count: int) -> tuple[int, int]:
    """Try all of them in ``count`` tasks; return how many were tried of either kind."""
    env = gym.make("ACB/ToolCall-v0", level=level).unwrapped
    assert isinstance(env, ToolCall)
    same = different = 0
    for seed in range(count):
        task = env.reset(seed=seed)[1]["task"]
        while (last := env.oracle()).startswith(("[", "{")):
            env.step(last)
        good, state = won(env, task.reference["calls"], last)
        assert good
        rng = random.Random(seed)
        for name, calls, batch in list(same_answers(env, task, rng)):
            same += 1
            assert won(env, calls, last, batch) == (True, state), (seed, name, task.goal, calls)
        for name, calls in list(other_answers(env, task)):
            different += 1
            success, left = won(env, calls, last)
            assert not success or left == state, (seed, name, task.goal, calls)
    return same, different


@pytest.mark.parametrize("level", [3, 5])
def test_orders_words_and_skipped_look_ups_do_not_matter(level: int) -> None:
    same, different = search(level, 8)
    assert same > 40
    assert different > 10


@pytest.mark.slow
@pytest.mark.parametrize("level", [3, 4, 5])
def test_200_tasks_have_no_other_answer(level: int) -> None:
    same, different = search(level, 200)
    assert same > 1_500
    assert different > 300
