"""ACB/LongGenBench-v0 on rows written here in the official form: gold answers, every error, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import acgym  # noqa: F401  (registers the environments)
from acgym.check import check
from acgym.rows import BadRow
from tests.helpers.official import official

ID = "ACB/LongGenBench-v0"


def row(answers: list[str], first: int = 3) -> dict[str, Any]:
    """One row with two worked examples."""
    questions = [f"What is case {number}?" for number in range(len(answers))]
    examples = "Question_1:\nOne?\n\nQuestion_2:\nTwo?\n\nAnswer_1:\nThe answer is 1.\n\nAnswer_2:\nThe answer is 2."
    asked = "\n".join(f"Question_{number}:\n{text}" for number, text in enumerate(questions, first))
    return {
        "prompt": f"Examples:\n{examples}\n\nFollowing Question:\n{asked}\n",
        "questions": questions,
        "answers": answers,
    }


NUMBERS = row(["6 * 3 = <<6*3=18>>18\n#### 18", "#### 1,200", "#### 7", "#### 2.5"])
LETTERS = row(["A", "C", "B", "D"])


def file(folder: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.parametrize("rows", [(NUMBERS, row(["#### -5", "#### 0"])), (LETTERS, row(["B"]))])
def test_the_contract_is_kept(tmp_path: Path, rows: tuple[dict[str, Any], ...]) -> None:
    check(ID, seeds=2, path=str(file(tmp_path, *rows)))


def test_the_contract_is_kept_as_published(tmp_path: Path) -> None:
    """Without the negative answer, which the published code never counts as right."""
    check(ID, seeds=2, path=str(file(tmp_path, NUMBERS, LETTERS)), compat="acbench")


@pytest.mark.parametrize(
    ("reply", "progress", "error", "signs"),
    [
        ("Answer_3: The answer is $18.\nAnswer_4: The answer is 1200.\nAnswer_5: The answer is 7.\n"
         "Answer_6: The answer is 2.50.", 1.0, None, "++++"),
        ("Answer_3: The answer is 18.\nAnswer_4: The answer is 12.\nAnswer_5: The answer is 7.\n"
         "Answer_6: The answer is 3.", 0.5, "wrong_answer", "+-+-"),
        ("Answer_6: The answer is 2.5.\nAnswer_4: The answer is 1.", 0.25, "missing_answer", ".-.+"),
        ("Answer_4: The answer is 7.", 0.0, "missing_answer", ".-.."),
    ],
)  # fmt: skip
def test_hand_answers(tmp_path: Path, reply: str, progress: float, error: str | None, signs: str) -> None:
    env = gym.make(ID, path=file(tmp_path, NUMBERS))
    shown, info = env.reset(seed=0)
    assert shown.endswith(NUMBERS["prompt"])
    assert info["task"].facts == {"questions": 4}
    shown, reward, ended, _, info = env.step(reply)
    assert (reward, ended, info["success"], info["error"]) == (progress, True, error is None, error)
    assert shown.endswith(f"Marks from question 3 on: {signs}")


@pytest.mark.parametrize("compat", [None, "acbench"])
def test_a_reply_without_answers_is_malformed_and_worth_nothing(tmp_path: Path, compat: str | None) -> None:
    for reply in ("", "I do not know.", "18, 1200, 7, 2.5"):
        env = gym.make(ID, path=file(tmp_path, NUMBERS), compat=compat)
        env.reset(seed=0)
        _, reward, _, _, info = env.step(reply)
        assert (reward, info["malformed"], info["error"]) == (0.0, True, None)


def test_compat_counts_by_position(tmp_path: Path) -> None:
    reply = "\n".join(f"Answer_{n}: The answer is ({letter})" for n, letter in ((3, "A"), (5, "B"), (6, "D")))
    for compat, progress in ((None, 0.75), ("acbench", 0.25)):
        env = gym.make(ID, path=file(tmp_path, LETTERS), compat=compat)
        env.reset(seed=0)
        assert env.step(reply)[1] == progress


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prompt": 3}, "'prompt' must be a text"),
        ({"answers": []}, "must be lists of texts, at least one"),
        ({"answers": [1, 2, 3, 4]}, "must be lists of texts"),
        ({"questions": ["one"]}, "it has 1 questions and 4 answers"),
        ({"answers": ["#### 1", "#### 2", "3", "#### 4"]}, "answer 3 must end in '#### NUMBER'"),
        ({"prompt": "Question_3:\na\nQuestion_5:\nb\nQuestion_6:\nc\nQuestion_7:\nd"}, "must end with 4 questions"),
        ({"prompt": "nothing"}, "must end with 4 questions"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRow, match=r"rows\.jsonl, line 2") as caught:
        gym.make(ID, path=file(tmp_path, LETTERS, NUMBERS | change))
    assert reason in str(caught.value)


def test_wrong_arguments_are_answered_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no file of LongGenBench"):
        gym.make(ID, path=tmp_path)
    with pytest.raises(ValueError, match="compat must be None or 'acbench'"):
        gym.make(ID, path=file(tmp_path, NUMBERS), compat="x")


@pytest.mark.parametrize("path", official("longgenbench", "*.jsonl"), ids=lambda path: path.stem)
def test_gold_answers_of_official_rows_score_one_and_silence_nothing(path: Path) -> None:
    """Not there, not run: the parameters are the files beside this checkout."""
    env = gym.make(ID, path=path)
    for seed in range(env.unwrapped.rows):  # type: ignore[attr-defined]
        _, info = env.reset(seed=seed)
        assert info["task"].data["first"] in (6, 9)
        assert env.step(env.unwrapped.oracle())[1] == 1.0  # type: ignore[attr-defined]
        env.reset(seed=seed)
        assert env.step("")[1] == 0.0


def test_a_reply_as_long_as_many_answers_take_is_read_and_not_a_longer_one(tmp_path: Path) -> None:
    env = gym.make(ID, path=str(file(tmp_path, NUMBERS)))
    env.reset(seed=0)
    steps = "and so on " * 4_000
    reply = "\n".join(
        f"Answer_{n}: {steps}The answer is {said}." for n, said in enumerate(("18", "1200", "7", "2.5"), 3)
    )
    assert len(reply) > 100_000
    assert env.step(reply)[4]["success"]
    env.reset(seed=0)
    observation, *_, info = env.step("x" * 200_001)
    assert info["malformed"]
    assert "at most 200000" in observation
