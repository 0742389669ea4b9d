"""LongBench's metrics: by hand, and what the packages that the published code calls return for the same texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.scorers.longbench import (
    METRICS,
    class_score,
    code_similarity,
    number_share,
    reply_score,
    rouge_l,
    token_f1,
)


@pytest.mark.parametrize(
    ("said", "wanted", "score"),
    [
        ("The Eiffel Tower.", "eiffel tower", 1.0),
        ("It is the Eiffel Tower", "Eiffel Tower", 2 * 2 / 6),
        ("red red blue", "red blue blue", 2 * 2 / 6),
        ("Rome", "Paris", 0.0),
        ("", "Paris", 0.0),
        ("the", "a", 0.0),
    ],
)
def test_token_f1(said: str, wanted: str, score: float) -> None:
    assert token_f1(said, wanted) == pytest.approx(score)


def test_chinese_is_compared_by_characters_or_as_one_likes() -> None:
    assert token_f1("北京。", "北京", cut=list) == 1.0
    assert token_f1("在北京", "北京", cut=list) == pytest.approx(4 / 5)
    assert token_f1("在 北京", "北京", cut=str.split) == pytest.approx(2 / 3)
    assert rouge_l("在北京", "北京", cut=list) == pytest.approx(4 / 5)
    assert reply_score("multifieldqa_zh", "在北京", ["上海", "北京"]) == pytest.approx(4 / 5)
    assert reply_score("dureader", "在 北京", ["北京"], cut=str.split) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("said", "wanted", "score"),
    [  # what rouge 1.0.1 returns
        ("a b c", "a x c", 2 / 3),
        ("the cat sat. on the mat", "the cat. sat on a mat", 10 / 11),
        ("b a", "a b", 0.5),
        ("a a a", "a", 1.0),
        ("d e the c. the b e", "e the. d b b a", 0.8),
        ("", "a", 0.0),
        (".", "a", 0.0),
    ],
)
def test_rouge_l(said: str, wanted: str, score: float) -> None:
    assert rouge_l(said, wanted) == pytest.approx(score)


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("Type: City", 1.0),
        ("City or State", 0.5),
        ("Other location", 1.0 / 1),
        ("State", 0.0),
        ("", 0.0),
    ],
)
def test_class_score(said: str, score: float) -> None:
    wanted = "Other location" if said.startswith("Other") else "City"
    assert class_score(said, wanted, ["City", "State", "location", "Other", "Other location", ""]) == score


@pytest.mark.parametrize(
    ("said", "wanted", "score"),
    [
        ("There are 7.", "7", 1.0),
        ("7 of 12", "7", 0.5),
        ("07", "7", 0.0),
        ("Paragraph 12", "Paragraph 12", 1.0),
        ("段落3或段落4", "段落4", 0.5),
        ("none", "7", 0.0),
        ("7", "none", 0.0),
    ],
)
def test_number_share(said: str, wanted: str, score: float) -> None:
    assert number_share(said, wanted) == score


@pytest.mark.parametrize(
    ("said", "score"),
    [  # what fuzzywuzzy 0.18 returns without python-Levenshtein, a hundredth of it
        ("return x + 1", 1.0),
        ("```python\n# the sum\nreturn x + 1\nmore", 1.0),
        ("return x", 0.8),
        ("retrun x + 2", 0.83),
        ("```", 0.0),
        ("", 0.0),
    ],
)
def test_code_similarity(said: str, score: float) -> None:
    assert code_similarity(said, "return x + 1") == score


def test_the_best_answer_counts_and_of_few_shot_data_sets_the_first_line() -> None:
    assert reply_score("hotpotqa", "Paris", ["Rome", "Paris"]) == 1.0
    assert reply_score("triviaqa", "\nParis\nQuestion: next", ["Paris"]) == 1.0
    assert reply_score("narrativeqa", "\nParis\nQuestion: next", ["Paris"]) == pytest.approx(0.5)
    assert reply_score("trec", "City\nState", ["City"], ["City", "State"]) == 1.0
    assert reply_score("lcc", "x = 1  # one", ["x = 1  # one"]) == 1.0
    assert reply_score("qasper", "a", ["A"]) == 0.0
    assert reply_score("qasper", " A ", ["A"]) == 1.0
    assert reply_score("qasper", "", [""]) == 0.0


def test_the_data_sets() -> None:
    assert len(METRICS) == 21
    with pytest.raises(KeyError):
        reply_score("other", "a", ["b"])


@settings(max_examples=40)
@given(st.sampled_from(sorted(METRICS)), st.text(max_size=60), st.text(max_size=60))
def test_scores_are_shares_and_an_answer_itself_is_right(dataset: str, said: str, wanted: str) -> None:
    classes = ["x", wanted]
    assert 0.0 <= reply_score(dataset, said, [wanted], classes) <= 1.0
    assert reply_score(dataset, wanted, [wanted], classes) == float(bool(wanted.strip()))


def test_a_reply_of_blanks_scores_nothing() -> None:
    for dataset in METRICS:
        assert reply_score(dataset, "\r", ["\r"], ["x", "\r"]) == 0.0
