"""Level 1 of ACB/Needle-v0: a task worked by hand, what is fitted into a length, splits, hostile replies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.envs.context.haystack import FILLER_WORDS, Statement, filler, hide
from acgym.envs.context.needle import Needle
from acgym.envs.names import codes, names
from acgym.types import Task

HAND = Task(
    "by hand",
    'What is the code of "ann"?',
    {
        "text": 'The code of "bob" is "2222". The code of "ann" is "1111". The code of "eve" is "4444".',
        "asked": ["ann"],
        "codes": {"ann": "1111", "bob": "2222", "eve": "4444"},
        "needed": [['The code of "ann" is "1111".']],
        "length": 100,
        "unit": "words",
        "size": 100,
        "depth": None,
    },
    ["1111"],
)


def opened(task: Task = HAND) -> tuple[Needle, str]:
    env = Needle(level=1)
    env.reset(seed=0)
    env._task = task
    return env, env.tell()


def test_the_hand_task_is_told_whole() -> None:
    _, shown = opened()
    assert shown == (
        "Read the text below. It tells the codes of some names. A code has four digits.\n"
        "The last line of your reply must be: Answer: CODE\n"
        "You can reply at most 3 times.\n"
        f"Text: {HAND.data['text']}\n"
        'Question: What is the code of "ann"?'
    )


@pytest.mark.parametrize(
    ("reply", "reward", "error"),
    [
        ("Answer: 1111", 1.0, None),
        ('Answer: 9\nHm.\n**Answer:** "1111".\nBye', 1.0, None),
        ("The answer is 1,111.", 1.0, None),
        ("Answer: 2222", 0.0, "distractor_value"),
        ("Answer: 9999", 0.0, "wrong_value"),
    ],
)
def test_hand_answers(reply: str, reward: float, error: str | None) -> None:
    env, _ = opened()
    _, got, terminated, truncated, info = env.step(reply)
    assert (got, terminated, truncated) == (reward, True, False)
    assert info == {"progress": got, "success": reward == 1.0, "malformed": False, "error": error}


@pytest.mark.parametrize("reply", ["", "1111", "Answer:", "Answer: one", "Answer: 1111, 2222", "Answer: ١١١١"])
def test_what_cannot_be_read_changes_nothing(reply: str) -> None:
    env, _ = opened()
    shown, reward, terminated, _, info = env.step(reply)
    assert (reward, terminated) == (0.0, False)
    assert info == {"progress": 0.0, "success": False, "malformed": True, "error": None}
    assert shown.isascii()
    assert "Answer" in shown
    assert env.step(env.oracle())[1] == 1.0


def test_the_oracle_restates_what_it_needs() -> None:
    env, _ = opened()
    assert env.oracle() == 'The code of "ann" is "1111".\nAnswer: 1111'


@pytest.mark.parametrize("split", ["eval", "train"])
def test_oracle_scores_one_and_every_statement_stands_in_the_text(split: str) -> None:
    env = gym.make("ACB/Needle-v0", level=1)
    for seed in range(100):
        shown, info = env.reset(seed=seed, options={"split": split})
        data = info["task"].data
        size = len(shown.split())
        assert size == data["size"]
        assert 100 - FILLER_WORDS < size <= 100
        assert all(shown.count(sentence) == 1 for group in data["needed"] for sentence in group)
        assert len(set(re.findall(r'is "(\d{4})"', shown))) == 3
        *_, last = env.step(env.unwrapped.oracle())
        assert last["success"]
        assert last["progress"] == 1.0


def test_splits_share_no_name_no_code_and_no_sentence() -> None:
    seen: dict[str, set[str]] = {"eval": set(), "train": set()}
    env = Needle(level=1)
    for split, found in seen.items():
        for seed in range(300):
            shown, _ = env.reset(seed=seed, options={"split": split})
            text = shown.split("Text: ")[1].split("\nQuestion:")[0]
            found.update(re.findall(r'"(\w+)"', text))
            found.update(sentence for sentence in text.split(". ") if '"' not in sentence)
    assert seen["eval"]
    assert not seen["eval"] & seen["train"]
    assert not set(names("eval")) & set(names("train"))
    assert not set(codes("eval")) & set(codes("train"))
    assert not set(filler("eval")) & set(filler("train"))


def test_episodes_of_level_1_are_those_that_the_reference_agent_was_measured_on() -> None:
    """Arguments that came later change no seed of those that give none."""
    shown = Needle(level=1).reset(seed=0)[0]
    assert shown.endswith('Question: What is the code of "inado"?')


@pytest.mark.parametrize("split", ["eval", "train"])
def test_filler_has_eight_words_and_gives_nothing_away(split: Any) -> None:
    for sentence in filler(split):
        assert len(sentence.split()) == FILLER_WORDS
        assert re.fullmatch(r"[A-Z][a-z ]+\.", sentence)


@pytest.mark.parametrize(("depth", "at"), [(0, 0), (25, 1), (50, 2), (100, 5)])
def test_hide_by_hand(depth: float, at: int) -> None:
    statements = [Statement("x.", False, 0.999), Statement("N.", True, 0.0)]
    lines = hide(["a.", "b.", "c.", "d."], statements, depth).split()
    assert lines.index("N.") == at
    assert len(lines) == 6


@pytest.mark.parametrize("depth", [0, 33.3, 100])
def test_depth_places_what_is_asked_for(depth: float) -> None:
    env = Needle(level=1, length=2000, depth=depth)
    for seed in range(20):
        shown, info = env.reset(seed=seed)
        text = shown.split("Text: ")[1].split("\nQuestion:")[0]
        share = text.index(info["task"].data["needed"][0][0]) / len(text)
        assert share == pytest.approx(depth / 100, abs=0.04)


@pytest.mark.parametrize("length", [250, 1000, 3001])
@pytest.mark.parametrize("count", [len, lambda text: len(re.findall(r"\w|\S", text)) + 3])
def test_a_tokenizer_s_count_is_never_exceeded(length: int, count: Callable[[str], int]) -> None:
    if count is len:
        length *= 6
    env = Needle(level=1, length=length, count=count)
    longest = max(count(f"{sentence} ") for sentence in filler("eval"))
    for seed in range(5):
        shown, info = env.reset(seed=seed)
        assert length - longest <= count(shown) <= length
        assert info["task"].data["unit"] == "tokens"
        assert info["task"].data["size"] == count(shown)
        assert env.step(env.oracle())[1] == 1.0


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"length": 0}, "length must be an integer from 1"),
        ({"length": 2.5}, "length must be an integer from 1"),
        ({"length": True}, "length must be an integer from 1"),
        ({"length": 10}, "length is 10 words, but .* alone are"),
        ({"length": 10, "count": len}, "length is 10 tokens, but .* alone are"),
        ({"depth": -1}, "depth must be a number from 0"),
        ({"depth": float("nan")}, "depth must be a number from 0"),
        ({"depth": "deep"}, "depth must be a number from 0"),
        ({"level": 6}, "level must be an integer from 1"),
    ],
)
def test_bad_arguments_are_refused_at_once(kwargs: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Needle(**kwargs)


HOSTILE = [
    "\x00" * 500,
    "Answer: " + "9" * 19_000,
    "[" * 20_000,
    "\ud800Answer: \udfff",
    "x" * 10_000_000,
    "Answer:" * 2000,
    "Answer: " + "," * 19_000,
    "Answer: 1e3",
    "Answer: ²",
]


@pytest.mark.parametrize("reply", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_replies_are_answered(reply: str) -> None:
    env = Needle(level=1)
    env.reset(seed=0)
    shown, reward, _, _, info = env.step(reply)
    assert env.observation_space.contains(shown)
    assert len(shown) < 300
    assert reward == 0.0
    assert not info["success"]


@given(st.text(max_size=200), st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_text_raises_or_scores(text: str, prefixed: bool) -> None:
    env, _ = opened()
    shown, reward, _, _, info = env.step("Answer: " + text if prefixed else text)
    assert env.observation_space.contains(shown)
    assert 0.0 <= reward <= 1.0
    assert set(info) == {"progress", "success", "malformed", "error"}
