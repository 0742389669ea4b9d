"""ACB/LongGen-v0: questions and records, marked one by one."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from acgym.draw import Draw
from acgym.envs.context.longgen.env import LongGen
from acgym.envs.context.longgen.problems import EASY, HARD, MEDIUM, problem


@pytest.mark.parametrize("make", EASY + MEDIUM + HARD, ids=lambda make: make.__name__.strip("_"))
def test_problems_name_who_they_are_about_and_have_whole_answers(make) -> None:
    draw = Draw(np.random.default_rng(3))
    for _ in range(200):
        found = make(draw, "Ann Reed", "Bob Lund")
        assert isinstance(found.answer, int)
        assert found.text.endswith("?")
        assert not re.search(r"\b1 (?:hours|minutes|days|weeks|crowns|sheets)\b", found.text), found.text


def test_problems_of_a_level_have_answers_from_1_up() -> None:
    draw = Draw(np.random.default_rng(4))
    assert all(problem(draw, level, "Ann Reed", "Bob Lund").answer > 0 for level in (1, 2, 3, 4, 5) for _ in range(300))


def test_a_question_left_out_costs_itself_alone() -> None:
    env = LongGen(level=2, kind="questions")
    answers = env.reset(seed=0)[1]["task"].reference
    said = [f"Answer_{n}: so the answer is {answer}." for n, answer in enumerate(answers, 1)]
    heard, reward, over, _, info = env.step("\n".join([*said[:2], *said[3:]]))
    assert reward == pytest.approx(7 / 8)
    assert (over, info["success"], info["error"]) == (True, False, "missing_answer")
    assert "Marks from 1 on: ++.+++++" in heard
    assert heard.endswith("Right by quarter: 2 of 2, 1 of 2, 2 of 2, 2 of 2")


@pytest.mark.parametrize("seed", range(12))
def test_records_may_be_cut_off_or_wrapped(seed: int) -> None:
    env = LongGen(level=2, kind="records")
    records = env.reset(seed=seed)[1]["task"].reference
    whole = json.dumps(records, indent=2)
    for said in (f"```json\n{whole}\n```", json.dumps({"rows": records}), "\n".join(map(json.dumps, records))):
        env.reset(seed=seed)
        assert env.step(said)[4]["success"]
    env.reset(seed=seed)
    assert env.step(whole[: whole.rindex("{") + 20])[1] == pytest.approx(7 / 8)
    env.reset(seed=seed)
    wrong = [{**records[0], list(records[0])[-1]: "x"}, *records[1:]]
    *_, info = env.step(json.dumps(wrong))
    assert (info["progress"], info["error"]) == (pytest.approx(7 / 8), "wrong_answer")


def test_due_days_are_counted_by_hand() -> None:
    for seed in range(200):
        env = LongGen(level=1, kind="records")
        told, info = env.reset(seed=seed)
        if info["task"].kind == "records: loans":
            row = info["task"].reference[0]
            line = next(line for line in told.splitlines() if line.startswith("- ") and f"{row['id']}" in line)
            weeks = int(re.search(r"(\d) weeks?", line)[1])
            days = (np.datetime64(row["due"]) - np.datetime64(row["taken"])).astype(int)
            assert days == 7 * weeks * (2 if "renewed" in line else 1)
            return
    raise AssertionError("no loans among 200 seeds")


@pytest.mark.parametrize("kwargs", [{"items": 0}, {"items": 81}, {"items": 2.0}, {"kind": "songs"}])
def test_bad_arguments_are_refused_at_once(kwargs) -> None:
    with pytest.raises(ValueError, match="must be"):
        LongGen(**kwargs)


def test_the_longest_replies_can_be_said() -> None:
    for seed in range(8):
        env = LongGen(level=5, items=80)
        env.reset(seed=seed)
        assert env.step(env.oracle())[4]["success"]
