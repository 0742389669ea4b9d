"""Scoring old runs again: the same numbers, other scorers, and nothing made of what was torn, edited or left out."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from acgym.agents.scripted import Oracle, Random
from acgym.analysis.comparison import assemble_result
from acgym.experiment.rescore import load_scorer, rescore
from acgym.loop import play
from acgym.record.episode import FORMAT
from acgym.record.lines import RecordDamaged
from acgym.record.run import Run
from tests.helpers.recorded import Faulty
from tests.helpers.toys import ECHO

SETTINGS = {"agents": ["oracle", "random"], "envs": {ECHO: {"level": 2}}, "episodes": 6}


@pytest.fixture
def run(tmp_path):
    with Run.open(tmp_path / "run", SETTINGS) as run:
        for agent in (Oracle(), Random()):
            for made in play(agent, ECHO, range(6), kwargs={"level": 2}):
                run.append(agent.name, made)
    return run


def file_of(run, agent):
    return run.folder(agent) / "episodes.jsonl"


def agent_of(result, name):
    return next(agent for agent in result.to_json()["agents"] if agent["name"] == name)


def test_the_same_episodes_give_the_same_numbers(run):
    result = rescore(run.path)
    assert result.to_json() == run.read_json("comparison.json") == assemble_result(run).to_json()
    assert "<h1>" in (run.path / "report.html").read_text()
    assert agent_of(result, "oracle")["scores"]["all"]["success"] == 1.0
    assert rescore(run.path) == result


@pytest.mark.parametrize(
    ("scorer", "success", "progress"),
    [
        (lambda made: True, 1.0, 1.0), (lambda made: 0.5, 0.0, 0.5), (lambda made: made.seed < 3, 0.5, 0.5),
        (lambda made: made.seed // 5, 1 / 6, 1 / 6),
    ],
)  # fmt: skip
def test_another_scorer_judges_every_episode(run, scorer, success, progress):
    old = rescore(run.path)
    result = rescore(run.path, scorer, "mine:judge")
    for agent in result.to_json()["agents"]:
        assert agent["scores"]["all"]["success"] == pytest.approx(success)
        assert agent["scores"]["all"]["progress"] == pytest.approx(progress)
    assert result.scorer == "mine:judge"
    assert run.read_json("comparison-mine_judge.json") == result.to_json()
    assert (run.path / "report-mine_judge.html").is_file()
    assert run.read_json("comparison.json") == old.to_json()


def test_no_score_is_counted_and_is_no_number(run):
    result = rescore(run.path, lambda made: None if made.seed == 0 else True, "mine:judge")
    score = agent_of(result, "random")["scores"]["all"]
    assert (score["n"], score["n_failed"], score["success"]) == (5, 1, 1.0)
    nothing = rescore(run.path, lambda made: None, "mine:judge")
    score = agent_of(nothing, "random")["scores"]["all"]
    assert (score["n"], score["n_failed"], "success" in score) == (0, 6, False)
    assert "the scorer gave no score" in score["reason"]


@pytest.mark.parametrize("value", [2, -0.1, float("nan"), "1", [1]])
def test_a_score_out_of_range_is_refused(run, value):
    with pytest.raises(ValueError, match=r"a number from 0 to 1, or None; for Toy/Echo-v0 seed 0 it gave"):
        rescore(run.path, lambda made: value, "mine:judge")


def test_failed_episodes_are_not_judged(run):
    whole = file_of(run, "random").read_text().splitlines()
    rows = [json.loads(line) for line in whole]
    rows[0] |= {"outcome": "failed", "failure": "out of memory", "success": None, "progress": None}
    file_of(run, "random").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = rescore(run.path, lambda made: True, "mine:judge")
    assert agent_of(result, "random")["scores"]["all"]["n_failed"] == 1


def test_a_torn_last_line_is_an_episode_short(run):
    file = file_of(run, "random")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"the other run \(random\) lacks 1 of 6 episodes: .* seed 5"):
        rescore(run.path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row | {"progress": 0.25}, "with seed 2 was changed after it was written: its final progress"),
        (lambda row: row | {"success": None}, "it finished, but has no success"),
        (
            lambda row: row | {"format": FORMAT + 1},
            f"line 3: episode format {FORMAT + 1} is newer",
        ),
        (lambda row: row | {"extra": 1}, "line 3: .*fields differ from format"),
    ],
)
def test_an_edited_or_newer_file_is_refused(run, change, words):
    file = file_of(run, "random")
    lines = file.read_text().splitlines(keepends=True)
    lines[2] = json.dumps(change(json.loads(lines[2]))) + "\n"
    file.write_text("".join(lines))
    with pytest.raises(RecordDamaged, match=words):
        rescore(run.path)


def test_runs_of_other_tasks_are_refused(run):
    file = file_of(run, "random")
    file.write_text(file.read_text().replace('"task_hash":"', '"task_hash":"0', 1))
    with pytest.raises(ValueError, match="only pairs can be compared"):
        rescore(run.path)


def test_one_episode_is_a_run(tmp_path):
    agents = [Oracle(), Faulty("q", lambda at: "xx")]
    with Run.open(tmp_path / "one", {**SETTINGS, "agents": ["oracle", "q"], "episodes": 1}) as run:
        for agent in agents:
            run.append(agent.name, play(agent, ECHO, [0], kwargs={"level": 2})[0])
    row = agent_of(rescore(run.path), "q")
    assert row["comparisons"]["all"]["n"] == 1
    assert row["divergence"]["all"]["lost"] == 1
    assert row["divergence"][ECHO]["lost_classes"]["wrong_argument"] == 1


def test_scorers_are_named_module_and_function(tmp_path, monkeypatch):
    (tmp_path / "my_scorer.py").write_text("def judge(episode):\n    return len(episode.turns) == 2\n\nnumber = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_scorer("my_scorer:judge")(play(Oracle(), ECHO, [0], kwargs={"level": 2})[0]) is True
    for spec, words in [
        ("my_scorer", "is written 'module:function'"), (":judge", "is written"), ("no_such_:f", "cannot be imported"),
        ("my_scorer:other", "has no function 'other'"), ("my_scorer:number", "has no function 'number'"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=words):
            load_scorer(spec)
    sys.modules.pop("my_scorer", None)


def test_a_scorer_needs_a_name(run):
    with pytest.raises(ValueError, match="go together"):
        rescore(run.path, lambda made: True)


def test_there_must_be_a_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no run"):
        rescore(tmp_path)


def test_a_hand_off_of_the_old_scores_is_left_out(run):
    from acgym.experiment.handoff import play_handoffs

    play_handoffs(run, "random", {"oracle": Oracle(), "random": Random()}.__getitem__)
    assert agent_of(rescore(run.path), "random")["handoff"]["all"]["lost"]["pairs"] > 0
    assert agent_of(rescore(run.path, lambda made: True, "mine:judge"), "random")["handoff"] is None


def test_a_name_cannot_leave_the_folder(run):
    rescore(run.path, lambda made: True, "../../evil:x")
    assert (run.path / "comparison-______evil_x.json").is_file()


def test_replaced_episodes_keep_the_rest(run):
    from acgym.experiment.rescore import _judged

    [made] = play(Oracle(), ECHO, [0], kwargs={"level": 2})
    assert replace(_judged(made, lambda one: 0.5), success=True, progress=1.0) == made
