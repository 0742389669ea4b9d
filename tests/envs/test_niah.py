"""ACB/NIAH: the grid, the place of the needle by hand, both ways to compare words, and what cannot be played."""

from __future__ import annotations

import gymnasium as gym
import pytest

from acgym.check import check
from acgym.envs.context.niah import DEPTHS, LENGTHS, NEEDLE, NIAH, hidden, overlap
from acgym.rows import BadRow
from acgym.suites import suite_named

ESSAYS = {"b.txt": "Four five. Six seven eight.\n", "a.txt": "One two three."}


@pytest.fixture
def folder(tmp_path):
    for name, text in ESSAYS.items():
        (tmp_path / name).write_text(text, "utf-8")
    return str(tmp_path)


def test_the_contract_is_kept(folder):
    check("ACB/NIAH-v0", seeds=10, path=folder, lengths=[300, 500], depths=[0, 50, 100])


def test_the_grid_is_that_of_the_paper(folder):
    env = NIAH(folder)
    assert env.rows == len(LENGTHS) * len(DEPTHS) == 400
    seen = set()
    for seed in range(400):
        env.reset(seed=seed)
        seen.add((env.task.data["length"], env.task.data["depth"]))
    assert seen == {(1000 * i, depth) for i in range(1, 41) for depth in DEPTHS}


def test_a_text_is_the_files_by_name_repeated_to_the_length(folder):
    env = NIAH(folder, lengths=[300], depths=[100])
    told, _ = env.reset(seed=0)
    text = told.partition("<book>\n")[2].partition("\n</book>")[0]
    assert text.startswith("One two three. Four five. Six seven eight. One two")
    assert text.endswith(NEEDLE)
    assert len(text.split()) == round(100 * 0.75)


def test_a_length_is_counted_in_tokens_where_a_counter_is_given(folder):
    env = NIAH(folder, lengths=[1000], depths=[0], count=lambda text: len(text) // 3 + 1)
    told, _ = env.reset(seed=0)
    text = told.partition("<book>\n")[2].partition("\n</book>")[0].removeprefix(NEEDLE)
    room = 1000 - 200 - (len(NEEDLE) // 3 + 1)
    assert room - 5 <= len(text.strip()) // 3 + 1 <= room


@pytest.mark.parametrize(
    ("depth", "text"),
    [(0, "N A b. C d. E"), (20, "N A b. C d. E"), (50, "A b. N C d. E"), (80, "A b. C d. N E"), (100, "A b. C d. E N")],
)
def test_the_needle_goes_in_after_a_full_stop(depth, text):
    assert hidden(["A", "b.", "C", "d.", "E"], "N", depth) == text


def test_words_are_compared_with_and_without_punctuation():
    answer = "eat a sandwich and sit in dolores park on a sunny day."
    assert overlap("Eat a sandwich, and sit in Dolores Park on a sunny DAY!", answer) == 1.0
    assert overlap("Eat a sandwich, and sit in Dolores Park on a sunny day!", answer, "acbench") == 9 / 11
    assert overlap(answer, answer, "acbench") == 1.0
    assert overlap("a in on", answer) == 3 / 11
    assert overlap("...", answer) == 0.0


def test_replies_are_scored(folder):
    env = NIAH(folder, lengths=[300], depths=[50])
    env.reset(seed=0)
    assert env.step(" ")[4]["malformed"]
    assert env.step("eat a sandwich")[4] == {
        "progress": 3 / 11, "success": False, "malformed": False, "error": "wrong_answer"
    }  # fmt: skip
    env.reset(seed=0)
    assert env.step(f"It says: {NEEDLE}")[4]["success"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"lengths": [20]}, "from 300 to"),
        ({"lengths": [300.5]}, "integers"),
        ({"lengths": [300, 300]}, "each once"),
        ({"depths": [101]}, "from 0 to 100"),
        ({"needle": " "}, "needle must be a text"),
        ({"compat": "x"}, "compat must be"),
    ],
)
def test_arguments_are_checked(folder, arguments, said):
    with pytest.raises(ValueError, match=said):
        NIAH(**{"path": folder, **arguments})


def test_folders_without_text_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"folder with \.txt files"):
        NIAH(tmp_path)
    (tmp_path / "a.txt").write_bytes(b" \n")
    with pytest.raises(ValueError, match="hold no words"):
        NIAH(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(BadRow, match="not UTF-8 at byte 3"):
        NIAH(tmp_path)


def test_the_suite_plays_it_in_the_stand_ins_place(folder, monkeypatch, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ACGYM_DATA", str(cache))
    (cache / "niah").symlink_to(folder)
    found = suite_named("acbench")
    assert found["ACB/NIAH-v0"] == {"path": str(cache / "niah")}
    assert "ACB/Needle-v0" not in found
    assert gym.make("ACB/NIAH-v0", **found["ACB/NIAH-v0"]).unwrapped.rows == 400
