"""ACB/Needle-v0: a task worked by hand, what is fitted into a length, every error, splits, hostile replies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acgym  # noqa: F401  (registers the environments)
from acgym.envs.context.chains import SHAPES
from acgym.envs.context.haystack import FILLER_WORDS, Statement, filler, hide
from acgym.envs.context.needle import Needle
from acgym.envs.names import codes, names
from acgym.types import Task, canonical_json

LEVELS = (1, 2, 3, 4, 5)
HAND = Task(
    "by hand",
    'What are the codes of "ann", "bob", "cy"?',
    {
        "text": '"ann" has the same code as "dot". The code of "bob" is "2222". The code of "dot" is "1111". '
        'The code of "cy" is "3333". The code of "eve" is "4444".',
        "asked": ["ann", "bob", "cy"],
        "codes": {"ann": "1111", "dot": "1111", "bob": "2222", "cy": "3333", "eve": "4444"},
        "needed": [
            ['"ann" has the same code as "dot".', 'The code of "dot" is "1111".'],
            ['The code of "bob" is "2222".'],
            ['The code of "cy" is "3333".'],
        ],
        "length": 100,
        "unit": "words",
        "size": 100,
        "depth": None,
    },
    ["1111", "2222", "3333"],
)


def opened(task: Task = HAND) -> tuple[Needle, str]:
    env = Needle(level=5)
    env.reset(seed=0)
    env._task = task
    return env, env.tell()


def test_the_hand_task_is_told_whole() -> None:
    _, shown = opened()
    assert shown == (
        "Read the text below. It tells the codes of some names. A code has four digits.\n"
        "A name can have the same code as another name.\n"
        "The last line of your reply must be: Answer: CODE, CODE, CODE (one code for each name, in the order asked)\n"
        "You can reply at most 3 times.\n"
        f"Text: {HAND.data['text']}\n"
        'Question: What are the codes of "ann", "bob", "cy"?'
    )


@pytest.mark.parametrize(
    ("reply", "reward", "error"),
    [
        ("Answer: 1111, 2222, 3333", 1.0, None),
        ('Answer: 9\nHm.\n**Answer:** "1111", `2222`,3333.\nBye', 1.0, None),
        ("answer: 1111, 2222 and 3333. I hope this helps.", 1.0, None),
        ("Answer:\n1. ann: 1111\n2. bob: 2222\n3. cy: 3333\nBye.", 1.0, None),
        ("Answer: 1111, 3333, 2222", 1 / 3, "distractor_value"),
        ("Answer: 1111, 2222, 4444", 2 / 3, "distractor_value"),
        ("Answer: 1111, 2222, 9999", 2 / 3, "wrong_value"),
        ("Answer: 2222, 9999, 8888", 0.0, "distractor_value"),
        ("Answer: 0, 0, 0", 0.0, "wrong_value"),
    ],
)
def test_hand_answers(reply: str, reward: float, error: str | None) -> None:
    env, _ = opened()
    _, got, terminated, truncated, info = env.step(reply)
    assert (got, terminated, truncated) == (pytest.approx(reward), True, False)
    assert info == {"progress": got, "success": reward == 1.0, "malformed": False, "error": error}


@pytest.mark.parametrize(
    "reply",
    ["", "1111, 2222, 3333", "Answer:", "Answer: 1111", "Answer: 1111, 2222, 3333, 4444", "Answer: one, two, three",
     "Answer: ١١١١, 2222, 3333", "Answer: 1111 2222 3333", "Answer: ,,"],
)  # fmt: skip
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
    assert env.oracle() == (
        '"ann" has the same code as "dot".\nThe code of "dot" is "1111".\nThe code of "bob" is "2222".\n'
        'The code of "cy" is "3333".\nAnswer: 1111, 2222, 3333'
    )


@pytest.mark.parametrize("split", ["eval", "train"])
@pytest.mark.parametrize("level", LEVELS)
def test_oracle_scores_one_and_every_statement_stands_in_the_text(level: int, split: str) -> None:
    env = gym.make("ACB/Needle-v0", level=level)
    for seed in range(100):
        shown, info = env.reset(seed=seed, options={"split": split})
        data = info["task"].data
        size = len(shown.split())
        assert size == data["size"]
        assert SHAPES[level].length - FILLER_WORDS < size <= SHAPES[level].length
        assert all(shown.count(sentence) == 1 for group in data["needed"] for sentence in group)
        asked, others = SHAPES[level].asked, SHAPES[level].others
        assert len(set(re.findall(r'is "(\d{4})"', shown))) == asked + others
        *_, last = env.step(env.unwrapped.oracle())
        assert last["success"]
        assert last["progress"] == 1.0


def test_splits_share_no_name_no_code_and_no_sentence() -> None:
    for level in (1, 2, 4):
        seen: dict[str, set[str]] = {"eval": set(), "train": set()}
        env = Needle(level=level, length=None if level == 1 else 300)
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
    env = Needle(level=2, length=2000, depth=depth)
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


@pytest.mark.parametrize("level", LEVELS)
def test_same_seed_same_task_and_tasks_are_json(level: int) -> None:
    one, two = Needle(level=level), Needle(level=level)
    shown, info = one.reset(seed=7)
    two.reset(seed=3)
    again, info_again = two.reset(seed=7)
    assert shown == again
    assert info["task"].hash == info_again["task"].hash
    assert one.reset(seed=8)[0] != shown
    assert canonical_json(info["task"].data)


@pytest.mark.parametrize("level", LEVELS)
def test_random_replies_can_be_read_and_know_nothing(level: int) -> None:
    env = Needle(level=level)
    rng = np.random.default_rng(0)
    for seed in range(20):
        env.reset(seed=seed)
        *_, info = env.step(env.random_reply(rng))
        assert not info["malformed"]
        assert not info["success"]


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


@pytest.mark.parametrize("depth", [0, 50, 100])
@pytest.mark.parametrize("level", [1, 3, 4])
def test_a_task_says_its_length_in_words_and_where_the_answer_lies(level, depth):
    env = gym.make("ACB/Needle-v0", level=level, length=2000, depth=depth)
    seen, info = env.reset(seed=1)
    facts = info["task"].facts
    assert facts["length"] == len(seen.split())
    assert 1900 < facts["length"] <= 2000
    assert abs(facts["depth"] - depth) < 8
