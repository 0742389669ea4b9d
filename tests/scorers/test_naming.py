"""Short answers that name one thing and no other."""

from __future__ import annotations

import pytest

from acgym.scorers.answer import answer_line
from acgym.scorers.naming import names_any, names_nothing, names_only, says_absent

RIVALS = ("blue folder", "red folder", "blue", "Ann Reed", "17", "9:05")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("the blue folder", "blue folder"), ("Blue Folder, please", "blue folder"), ("hook 17", "17"), ("17th", "17"),
        ("hook 17 (not 18)", "17"), ("1,200 crowns", "1200"), ("09:05", "9:05"), ("9.05 am", "9:05"), ("2:30 pm",
                                                                                                       "14:30"),
        ("Ann Reed, of course", "Ann Reed"), ("the 12th of the month", "12"),
    ],
)  # fmt: skip
def test_one_thing_is_named(said: str, wanted: str) -> None:
    assert names_only(said, wanted, RIVALS)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("the blue folder or the red folder", "blue folder"), ("not the blue folder", "blue folder"), ("17 or 18",
                                                                                                       "17"),
        ("17, 18", "17"), ("folder", "blue folder"), ("Reed", "Ann Reed"), ("blue folder for Ann Reed", "blue folder"),
        ("171", "17"), ("", "17"),
    ],
)  # fmt: skip
def test_another_thing_or_none_is_named(said: str, wanted: str) -> None:
    assert not names_only(said, wanted, RIVALS)


def test_nothing_and_absence() -> None:
    assert all(map(names_nothing, ("nothing", "Nothing.", "None", "no action", "N/A")))
    assert not any(map(names_nothing, ("nothing but a folder", "17", "")))
    assert all(map(says_absent, ("not in the text", "Not mentioned in the text.", "It is not stated", "unknown")))
    assert not any(map(says_absent, ("not 17", "in the text", "1234", "")))
    assert names_any("the red folder", RIVALS)
    assert not names_any("a green folder", RIVALS)


def test_the_line_after_the_last_mark_is_taken() -> None:
    assert answer_line("Answer: a\nHm.\n**Answer:** the blue folder.") == "the blue folder"
    assert answer_line("so the answer is: `x y`") == "x y"
    assert answer_line("no mark") is None
    assert answer_line("Answer:") is None
    assert answer_line("Answer: " + "x" * 600) is None
