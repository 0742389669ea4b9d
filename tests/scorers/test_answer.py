"""Reading answers: what people write, by value; what cannot be read; in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.scorers.answer import read_answer, read_answers


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ("Answer: 42", "42"),
        ("**Answer:** 42", "42"),
        ("**Answer**: 42", "42"),
        ("__Answer:__ *42*", "42"),
        ("### Final answer: 42", "42"),
        ("Answer: `42`", "42"),
        ("answer: 42", "42"),
        ("ANSWER = 42", "42"),
        ("Answer:\n\n42", "42"),
        ("The answer is 42.", "42"),
        ("Answer: 42. I hope this helps!", "42"),
        ("Answer: 42\nLet me know if you need anything else.", "42"),
        ("Answer: 42 (the floor)", "42"),
        ('Answer: "42" is the floor', "42"),
        ("Answer: 7\nNo, wait.\nAnswer: 42", "42"),
        ("Answer: 42\nMy answer: see above.", "42"),
        ("42", "42"),
        ("'12.5'.", "12.5"),
        ("Answer: 1,200", "1200"),
        ("Answer: 1200.0", "1200"),
        ("Answer: 1200", "1,200"),
        ("Answer: $1,200.50", "1200.5"),
        ("Answer: -3", "-3"),
        ("Answer: Belado", "belado"),
        ('Answer: **"belado"**.', "belado"),
        ('Answer: "New  York"', "new york"),
        ("Answer:\n```\n1.75\n```", "1.75"),
        ("Answer: ```text\r\n1.75\r\n```\r\n", "1.75"),
        ("Answer: (1.75)", "1.75"),
        ("Answer: [1.75]", "1.75"),
        ("Answer: \\boxed{1.75}", "1.75"),
        ("The answer is $\\boxed{1.75}$.", "1.75"),
        ("Answer: \\(1.75\\)", "1.75"),
        ("Answer: <b>1.75</b>", "1.75"),
        ("Answer: «1.75»", "1.75"),
        ("Answer: 1.75\u200b", "1.75"),
        ("Answer:\u00a042", "42"),
        ("Answer: 42 units", "42"),
        ("Answer: **42** units. Bye!", "42"),
        ("Answer: 42, as you asked.", "42"),
        ("Answer: 42 is the value.", "42"),
        ("### Answer\n42", "42"),
        ("**Final answer**\n\n42", "42"),
        ("### Answer\nThe answer is 42.", "42"),
        ("The answer to your question is 42.", "42"),
        ("Answer: (belado)", "belado"),
    ],
)
def test_what_people_write_is_read(reply, wanted):
    assert read_answer(reply).same_as(wanted)


DAYS = ["2032-05-22", "2032/05/22", "2032.5.22", "22 May 2032", "22nd of May 2032", "the 22nd of May, 2032",
        "May 22, 2032", "May 22nd, 2032", "May 22 2032", "Saturday, 22 May 2032", "22/05/2032", "05/22/2032",
        "22.05.2032", "22-May-2032", "on 22 May, 2032", "2032 May 22", "22 may 2032",
        "22. May 2032", "Sat, 22 May 2032", "Sat 22 May 2032", "(22 May 2032)"]  # fmt: skip


@pytest.mark.parametrize("said", DAYS)
@pytest.mark.parametrize("frame", ["{}", "Answer: {}", "**Answer:** `{}`", "Answer: {}. Bye!", "The answer is {}."])
def test_a_date_is_read_however_it_is_written(said, frame):
    value = read_answer(frame.format(said))
    assert value.same_as("2032-05-22")
    assert value.same_as("May 22, 2032")
    assert not value.same_as("2032-05-23")
    assert not value.same_as("2032")


def test_months_may_be_cut_short():
    assert read_answer("Answer: Sept. 9, 2032").same_as("2032-09-09")
    assert read_answer("Answer: 9 Sep 2032").same_as("2032-09-09")


@pytest.mark.parametrize(
    "reply",
    [
        *["", " ", "Answer:", "**Answer:**", "Answer: the floor is 42", "The floor is 42.", "Answer: ```\n```"],
        *["Answer: 42 million", "Answer: 22 May", "Answer: 42 percent", "Answer: 42 or 43", "Answer: the code 42"],
        *["Answer: 03/04/2032", "Answer: 31/31/2032", "Answer: " + "x" * 600 + " 1"],
    ],
)
def test_what_cannot_be_read_is_no_answer(reply):
    assert read_answer(reply) is None


def test_a_date_that_is_one_day_in_both_readings_is_read():
    assert read_answer("Answer: 03/03/2032").same_as("2032-03-03")


@pytest.mark.parametrize(("reply", "wanted"), [("Answer: 41", "42"), ("Answer: Belad", "belado"), ("Answer: no", "42"),
                                               ("Answer: 42", "2032-05-22"), ("Answer: 2032-05-21", "2032-05-22"),
                                               ("Answer: 1.200", "1200"), ("Answer: 12,00", "1200"),
                                               ("Answer: 1.75%", "1.75"), ("Answer: 22. May 2032", "22")])  # fmt: skip
def test_another_value_is_not_the_same(reply, wanted):
    assert not read_answer(reply).same_as(wanted)


@pytest.mark.parametrize(
    ("reply", "wanted", "can_be"),
    [
        *[("Answer: 1.75%", "1.75", False), ("Answer: none", "2032-05-22", False), ("Answer: 42", "2032-05-22", True)],
        *[("Answer: 42", "belado", True), ("Answer: ulima", "belado", True), ("Answer: 41", "42", True)],
    ],
)
def test_words_are_no_number_and_no_date(reply, wanted, can_be):
    assert read_answer(reply).comparable(wanted) is can_be


def test_case_counts_where_the_environment_says_so():
    assert not read_answer("Answer: Belado").same_as("belado", ignore_case=False)
    assert read_answer("Answer: belado").same_as("belado", ignore_case=False)


def test_a_mark_may_be_required():
    assert read_answer("42", marked=True) is None
    assert read_answer("answer: 42", marked=True).same_as("42")


@pytest.mark.parametrize(
    "reply",
    [
        "Answer: 4821, 1093, 5520",
        "answer: 4821, 1093 and 5520.",
        "Answer: 4821, 1093, and 5520",
        "Answer: 4821,1093,5520. I hope this helps.",
        "**Answer: 4821; 1093; 5520**",
        "Answer: `4821`, `1093`, `5520`",
        "Answer:\n- belado: 4821\n- kinola: 1093\n- ulima: 5520\nBye.",
        "Answer:\n1. 4821\n2. 1093\n3. 5520",
        "Answer: 1, 2, 3\nAnswer: 4821, 1093, 5520\nAnswer: that was it",
        "Answer: 4,821, 1,093, 5,520",
    ],
)
def test_several_values_are_read_in_their_order(reply):
    values = read_answers(reply, 3)
    assert [value.same_as(code) for value, code in zip(values, ("4821", "1093", "5520"), strict=True)] == [True] * 3
    assert read_answers(reply, 5) is None


@pytest.mark.parametrize("reply", ["4821, 1093, 5520", "Answer: 4821, 1093", "Answer: 4821 1093 5520", "Answer: ,,"])
def test_another_number_of_values_is_no_answer(reply):
    assert read_answers(reply, 3) is None


@given(st.text(), st.integers(1, 4))
def test_no_text_raises(text, count):
    for reply in (text, f"Answer: {text}"):
        read_answer(reply)
        read_answers(reply, count)


@settings(max_examples=200)
@given(st.integers(-(10**9), 10**9), st.booleans())
def test_a_number_is_itself(number, grouped):
    said = f"Answer: {number:,}" if grouped else f"Answer: {number}"
    assert read_answer(said).same_as(str(number))
    assert not read_answer(said).same_as(str(number + 1))


@pytest.mark.parametrize(
    "piece",
    [
        "Answer:",
        "answer: x, ",
        " ",
        ", ",
        "answer is ",
        "`",
        "answer:1,",
        "\n- ",
        "1",
        "a. ",
        "answer to ",
        "### Answer\n",
        "# ",
        "```\n",
        "(",
        "<b>",
        "22. May ",
    ],
)
def test_time_grows_with_the_text_and_no_faster(piece):
    """Processor time of a text eight times as long, against eight times that of the short one; squared it were 64."""

    def seconds(size):
        text = "Answer: " + piece * (size // len(piece))
        times = []
        for _ in range(3):
            began = time.process_time()
            read_answer(text)
            read_answers(text, 3)
            times.append(time.process_time() - began)
        return min(times)

    assert seconds(160_000) < 8 * 4 * max(seconds(20_000), 0.002)
