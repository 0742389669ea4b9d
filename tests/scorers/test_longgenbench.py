"""LongGenBench's marks: by hand, by number of the question, and as the published code finds its answers."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.scorers.longgenbench import gold_number, marks, published_marks


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("a\n#### 18", "18"),
        ("#### 1,200", "1200"),
        ("####-5", "-5"),
        ("#### $2.50", "2.5"),
        ("#### 104,500", "104500"),
        ("18", None),
        ("#### none", None),
    ],
)
def test_gold_numbers(answer: str, number: str | None) -> None:
    assert gold_number(answer) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("Answer_9:\n6 * 3 = 18.\nThe answer is 18.", True),
        ("Answer_9: The answer is $18.", True),
        ("Answer_9: the answer is 18.00 dollars", True),
        ("**Answer_9:** The answer is **18**.", True),
        ("### Answer 9\nThe answer is:\n\n18", True),
        ("Answer_9: The answer is \\(\\boxed{18}\\).", True),
        ("Answer_9: The answer is 3 * 6 = 18.", True),
        ("Answer_9: The answer is 18. So the answer is clear.", True),
        ("Answer_9: The answer is 20. No, the answer is 18.", True),
        ("Answer_9: 18", True),
        ("Answer_9: so\n#### 18", True),
        ("Answer_9: The answer is 18.\nAnswer_9: The answer is 20.", True),
        ("Answer_9: The answer is 1,800.", False),
        ("Answer_9: The answer is -18.", False),
        ("Answer_9: The answer is 180.", False),
        ("Answer_9: The answer is 18/7.", None),
        ("Answer_9: The answer is eighteen.", None),
        ("Answer_9: I do not know, maybe 18 or 20 of them.", None),
        ("Answer_1: The answer is 18.", None),
        ("Answer_9: hard.\nQuestion_10: what is it?\nThe answer is 18.", None),
        ("The answer is 18.", None),
        ("", None),
    ],
)
def test_one_number(said: str, mark: bool | None) -> None:
    assert marks(said, ["#### 18"], 9) == [mark]


@pytest.mark.parametrize("said", ["-1,200", "$-1,200", "-$1200", "−1,200.0", "**-1200**"])
def test_signs_and_thousands(said: str) -> None:
    assert marks(f"Answer_9: The answer is {said}.", ["#### -1,200"], 9) == [True]


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("Answer_6: \nThe answer is (B) Business ethics", True),
        ("Answer_6: The answer is B.", True),
        ("Answer_6: The answer is (b)", True),
        ("Answer_6: (B)", True),
        ("Answer_6: **B**", True),
        ("Answer_6: The answer is: **(B)**", True),
        ("Answer_6: The answer is (C)", False),
        ("Answer_6: The answer is Berlin", None),
        ("Answer_6: Because of it.", None),
    ],
)
def test_one_letter(said: str, mark: bool | None) -> None:
    assert marks(said, ["B"], 6) == [mark]


def test_a_question_left_out_costs_itself_alone_and_in_the_published_code_all_that_follow() -> None:
    answers = [f"#### {n}" for n in (1, 2, 3, 4)]
    reply = "\n".join(f"Answer_{8 + n}: The answer is {n}." for n in (1, 3, 4))
    assert marks(reply, answers, 9) == [True, None, True, True]
    assert published_marks(reply, answers) == [True, False, False, None]


def test_the_published_defects() -> None:
    assert published_marks("Answer_9: The answer is $18.", ["#### 18"]) == [None]
    assert published_marks("Answer_9: The answer is 1,300.", ["#### 1,200"]) == [True]
    assert published_marks("Answer_9: The answer is 5.", ["#### -5"]) == [False]
    assert published_marks("Answer_6:\nfirst line\nThe answer is (B)", ["B"]) == [None]


PIECES = [
    "Answer_1:",
    "Answer_22:",
    "Answer_",
    " ",
    "\n",
    "x",
    "answer is ",
    "answer is (",
    "(B)",
    "B)",
    ")",
    "7",
    "12",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_the_published_code_finds_what_its_patterns_find(reply: str) -> None:
    numbers = re.findall(r"Answer_\d+:\s*.*?answer is (\d+)", reply, re.DOTALL)
    letters = re.findall(r"Answer_\d+:\s*.*?answer is \((.*?)\)", reply)
    golds = ["#### 7", "#### 12", "#### 7"]
    assert [m for m in published_marks(reply, golds) if m is not None] == [
        one == gold[5:] for one, gold in zip(numbers, golds, strict=False)
    ]
    choices = ["B", "A", "B"]
    assert [m for m in published_marks(reply, choices) if m is not None] == [
        one == gold for one, gold in zip(letters, choices, strict=False)
    ]


@given(st.text(max_size=200))
def test_any_text_is_marked(reply: str) -> None:
    for golds in (["#### 7", "#### 8"], ["A", "B"]):
        assert len(marks(reply, golds, 1)) == len(published_marks(reply, golds)) == 2
