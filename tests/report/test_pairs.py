"""Side-by-side episodes: every pair is told of rightly, and no word of a conversation is lost or made up."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.record.run import Run
from acgym.report.material import Material, Missing
from acgym.report.pairs import MOST_LETTERS, OUTCOMES, conversation, pack, readable
from tests.helpers.recorded import bad, episode, turn
from tests.helpers.report_runs import DENSE, HOSTILE, OTHER, TOOLS, finish, pairs, write_run


def unpack(packed):
    return json.loads(zlib.decompress(base64.b64decode(packed.text)))


def material(run: Run) -> Material:
    return Material(finish(run), run)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return material(write_run(tmp_path_factory.mktemp("made") / "run"))


def rows_of(content, env=TOOLS):
    return {row["seed"]: row for row in content["pairs"] if content["envs"][row["env"]] == env}


def test_rows_by_hand(made):
    content = unpack(pack(made))
    assert (content["dense"], content["agents"]) == (DENSE, [DENSE, OTHER])
    rows = rows_of(content)
    outcomes = [OUTCOMES[rows[seed]["outcome"]] for seed in range(6)]
    assert outcomes == ["both", "both", "both", "lost", "won", "failed"]
    assert [rows[seed].get("turn") for seed in range(6)] == [None, 0, 1, 1, 1, None]
    assert [rows[seed].get("decision") for seed in range(6)] == [None, None, 1, 1, 1, None]
    assert [rows[seed].get("format", False) for seed in range(6)] == [False, False, False, True, False, False]
    assert content["classes"][rows[3]["class"]] == "format"
    assert rows[3]["fatal"] == 1
    assert "class" not in rows[0]


def test_lost_pairs_come_first_and_the_same_ones_last(made):
    content = unpack(pack(made))
    outcomes = [OUTCOMES[row["outcome"]] for row in content["pairs"]]
    assert outcomes[:5] == ["lost"] * 4 + ["won"]
    assert all("turn" not in row for row in content["pairs"][-4:])


def test_conversations_are_those_recorded(made):
    content = unpack(pack(made))
    played = {name: {(e.env, e.seed): e for e in rows} for name, rows in made.episodes.items()}
    for row in content["pairs"]:
        key = content["envs"][row["env"]], row["seed"]
        a, b = (content["episodes"][row[side]] for side in "ab")
        assert a["shared"] == 0
        for said, episode_ in ((a["turns"], played[DENSE][key]), (a["turns"][: b["shared"]] + b["turns"],
                                                                  played[OTHER][key])):  # fmt: skip
            assert [(t[0], t[1], t[2], t[3], t[4], t[5]) for t in said] == [
                (t.role, t.observation, t.text, t.progress, t.malformed, t.error) for t in episode_.turns
            ]
        assert (b["end"], b["success"]) == (played[OTHER][key].final_observation, played[OTHER][key].success)


def test_a_small_page_keeps_what_differs_most(made):
    packed = pack(made, most_bytes=300)
    content = unpack(packed)
    assert 0 < packed.whole < packed.pairs == 12
    assert [("a" in row) for row in content["pairs"]] == [True] * packed.whole + [False] * (12 - packed.whole)
    assert OUTCOMES[content["pairs"][0]["outcome"]] == "lost"


def test_the_same_run_gives_the_same_text(made):
    again = Material(made.result, Run.read(made.run.path))
    assert pack(made) == pack(again)


def test_one_agent_alone(tmp_path):
    run = Run.open(tmp_path / "run", {"agents": [DENSE], "envs": {TOOLS: {"level": 1}}, "episodes": 6})
    with run:
        for one, _ in pairs():
            run.append(DENSE, one)
    rows = rows_of(unpack(pack(material(run))))
    assert [OUTCOMES[rows[seed]["outcome"]] for seed in range(6)] == ["both"] * 4 + ["neither", "both"]
    assert all("b" not in row and row["agent"] == 0 for row in rows.values())


def test_two_versions_of_an_environment_are_named(tmp_path):
    run = Run.open(tmp_path / "run", {"agents": ["x", "y"], "envs": {TOOLS: {"level": 1}}, "episodes": 1})
    with run:
        for name, told in (("x", "one"), ("y", "two")):
            run.append(name, episode([turn("a", 1.0, observation=told)], success=True, agent=name))
    packed = pack(material(run))
    assert packed.pairs == 1
    assert "different versions" in packed.reasons[0]


def test_a_damaged_file_is_a_reason(tmp_path):
    run = write_run(tmp_path / "run")
    shown = material(run)
    file = run.folder(OTHER) / "episodes.jsonl"
    file.write_bytes(b"{}\n" + file.read_bytes())
    with pytest.raises(Missing, match="line 1"):
        pack(Material(shown.result, Run.read(run.path)))


def test_long_words_lose_their_middle():
    text = "a" * 3000 + "b" * 3000
    shown = readable(text)
    assert shown.startswith("a" * 2000 + "\n[... 2,000 letters")
    assert shown.endswith("b" * 2000)
    assert readable("c" * MOST_LETTERS) == "c" * MOST_LETTERS


@given(st.text(alphabet=st.characters(), max_size=40))
def test_no_control_character_survives(text):
    assert readable(text).replace("\n", "").isprintable()


def test_hostile_words_become_visible():
    shown = conversation(episode([bad(HOSTILE)], final_observation=HOSTILE))
    for text in (shown["turns"][0][2], shown["end"]):
        assert r"\x1b[31m" in text
        assert r"\u202e" in text
        assert r"\u2028" in text
        assert "<script>" in text


def test_shared_turns_stop_at_the_first_difference():
    a = episode([turn("a", 0.5), turn("b", 1.0)])
    assert conversation(a, a)["shared"] == 2
    assert conversation(replace(a, turns=a.turns[:1]), a)["shared"] == 1
    other = replace(a, turns=(a.turns[0], replace(a.turns[1], error="wrong_value")))
    assert conversation(other, a)["shared"] == 1
