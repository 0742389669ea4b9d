"""Environments that play the rows of a file: order, refusals, and what the contract asks of them."""

from __future__ import annotations

import hashlib
import json
import os
import re

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.agents.scripted import Oracle
from acgym.check import check
from acgym.check import contract as c
from acgym.env import Outcome
from acgym.experiment.settings import prepare
from acgym.loop import play
from acgym.rows import BadRow, Row, RowEnv, read_rows, refuse_repeats
from acgym.types import Task
from tests.helpers.toys import Echo

CAPITALS = "Rows/Capitals-v0"
ROWS = [{"id": f"c{i}", "question": f"The capital of land {i}?", "answer": f"city {i}"} for i in range(7)]


class Capitals(RowEnv):
    """One question, one answer; an empty answer in the file means that there is nothing to say."""

    capability = "knowledge"

    def __init__(self, path, render_mode=None):
        super().__init__(read_rows(path), render_mode)

    def task_of(self, row: Row) -> Task:
        question, answer = row.need("question", str), row.need("answer", (str, int))
        return Task("capital", question, {"line": row.line}, str(answer), source=row.file.name)

    @property
    def silence_may_score(self):
        return self.task.reference == ""

    def tell(self):
        return self.task.goal

    def judge(self, action):
        right = action == self.task.reference
        return Outcome("", float(right), right, True)

    def oracle(self):
        return self.task.reference

    def random_reply(self, rng):
        return f"city {rng.integers(100, 200)}"


if CAPITALS not in gym.registry:
    gym.register(CAPITALS, Capitals, max_episode_steps=2)


def written(folder, rows=ROWS, name="capitals.jsonl"):
    path = folder / name
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def test_a_row_environment_keeps_the_contract_and_the_check_says_what_was_not_asked(tmp_path):
    report = check(CAPITALS, path=str(written(tmp_path)))
    assert report.not_asked == (c.NOT_ASKED["ANCHOR"], c.NOT_ASKED["LEVEL"], c.NOT_ASKED["SPLITS"])


def test_silence_that_is_right_is_no_breach_and_is_said(tmp_path):
    path = written(tmp_path, [*ROWS, {"id": "none", "question": "Say nothing.", "answer": ""}])
    assert c.NOT_ASKED["SILENCE"] in check(CAPITALS, path=str(path)).not_asked


def test_generated_environments_are_asked_every_clause():
    assert check(Echo, seeds=2, max_episode_steps=8).not_asked == ()


def test_seeds_play_the_rows_in_the_order_of_the_hash_of_their_id_round_and_round(tmp_path):
    env = Capitals(written(tmp_path))
    by_hand = sorted((f"c{i}" for i in range(7)), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    played = [env.reset(seed=seed)[1]["task"].data["id"] for seed in range(21)]
    assert played == by_hand * 3
    assert env.reset(seed=3)[1]["task"].hash == env.reset(seed=10)[1]["task"].hash


@given(st.permutations(ROWS))
def test_the_order_of_lines_changes_nothing_but_the_line(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("rows")
    one, other = Capitals(written(folder)), Capitals(written(folder, rows, "other.jsonl"))
    for seed in range(7):
        assert one.reset(seed=seed)[1]["task"].data["id"] == other.reset(seed=seed)[1]["task"].data["id"]


def test_a_reset_without_a_seed_draws_rows_from_the_own_generator(tmp_path):
    env = Capitals(written(tmp_path))
    env.reset(seed=1)
    first = [env.reset()[1]["task"].data["id"] for _ in range(30)]
    env.reset(seed=1)
    assert first == [env.reset()[1]["task"].data["id"] for _ in range(30)]
    assert len(set(first)) > 3


def test_training_and_level_are_refused_with_a_sentence(tmp_path):
    path = str(written(tmp_path))
    with pytest.raises(ValueError, match=r"no split 'train'.*rows of a test file"):
        Capitals(path).reset(seed=0, options={"split": "train"})
    with pytest.raises(ValueError, match="has no argument 'level'"):
        prepare(["oracle"], [CAPITALS], episodes=2, level=2, kwargs={"path": path})


def test_a_comparison_that_would_count_a_row_twice_is_refused(tmp_path):
    path = str(written(tmp_path))
    with pytest.raises(ValueError, match=r"has 7 rows and 8 episodes .* play at most 7 episodes"):
        prepare(["oracle"], [CAPITALS], episodes=8, kwargs={"path": path})
    assert prepare(["oracle"], [CAPITALS], episodes=7, seed=3, kwargs={"path": path}).episodes == 7
    refuse_repeats("other", object(), [1, 1])


def test_an_episode_of_an_environment_without_anchor_records_none(tmp_path):
    episode = play(Oracle(), CAPITALS, [0], kwargs={"path": str(written(tmp_path))})[0]
    assert (episode.success, episode.random_success, episode.random_progress) == (True, None, None)


def test_a_json_list_is_read_as_rows_and_an_id_may_be_missing_or_a_number(tmp_path):
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"id": 5}, {"name": "x"}]), "utf-8")
    assert [(row.id, row.line) for row in read_rows(path)] == [("5", 1), ("list.json:2", 2)]


def test_a_file_is_read_again_only_when_it_changed(tmp_path):
    path = written(tmp_path)
    first = read_rows(path)
    assert read_rows(str(path)) is first
    written(tmp_path, ROWS[:2])
    os.utime(path, ns=(1, 1))
    assert len(read_rows(path)) == 2


BAD = [
    (["{"], "line 1: it is not JSON"),
    ([ROWS[0], "", "[1]", ROWS[1]], "line 3: a row must be an object, it is list"),
    ([ROWS[0], {**ROWS[1], "id": "c0"}], 'line 2, row "c0": line 1 has the same id'),
    ([{**ROWS[0], "id": None}], "line 1: 'id' must be a text or an integer, it is NoneType"),
    ([{"id": "c", "answer": "x"}], "line 1, row \"c\": it has no 'question'"),
    ([{**ROWS[0], "question": 3}], "line 1, row \"c0\": 'question' must be a text, it is int"),
    ([{**ROWS[0], "answer": True}], "line 1, row \"c0\": 'answer' must be a text or an integer, it is bool"),
    (['{"id": "a", "question": {"k": 1, "k": 2}}'], 'line 1: it is not JSON (an object has the key "k" twice)'),
    (["[", json.dumps(ROWS[0]), ", 3]"], "row 2 of the list: a row must be an object, it is int"),
    (["[", '{"id": "a"}', ', {"id": "a"}]'], 'row 2 of the list, row "a": row 1 of the list has the same id'),
    ([""], "has no rows"),
    (["[1,", "", " 2 3]"], "line 3: it begins as a JSON list and is none"),
]


@pytest.mark.parametrize(("rows", "sentence"), BAD)
def test_a_malformed_row_is_named_before_any_play(tmp_path, rows, sentence):
    path = written(tmp_path, rows)
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        Capitals(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_number_may_be_written_without_a_point_and_null_has_a_name(tmp_path):
    row = read_rows(written(tmp_path, [{"n": 3, "x": 0.5, "none": None, "yes": True}]))[0]
    assert (row.need("n", float), row.need("x", float), row.need("none", (str, type(None)))) == (3, 0.5, None)
    assert isinstance(row.need("n", float), int)
    with pytest.raises(BadRow, match="'yes' must be a number, it is bool"):
        row.need("yes", float)
    with pytest.raises(BadRow, match="'n' must be null, it is int"):
        row.need("n", type(None))


def test_bytes_that_are_no_text_and_a_missing_file_are_named(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"id": "\xff"}')
    with pytest.raises(BadRow, match="not UTF-8 at byte 8"):
        read_rows(path)
    with pytest.raises(FileNotFoundError, match="no data file"):
        read_rows(tmp_path / "none.jsonl")


def test_rows_of_two_files_may_not_share_an_id(tmp_path):
    rows = [*read_rows(written(tmp_path)), *read_rows(written(tmp_path, ROWS[:1], "more.jsonl"))]

    class Both(Capitals):
        def __init__(self):
            RowEnv.__init__(self, rows)

    with pytest.raises(BadRow, match="has the same id"):
        Both()
