"""The content of comparison.json and agent.json as data: read back equal, old files too, newer ones refused."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from acgym.analysis.comparison import assemble_result
from acgym.analysis.numbers import NotMeasured
from acgym.analysis.result import RESULT, VERSION, ComparisonResult
from acgym.export.run import export_run
from acgym.record.run import Run
from acgym.record.sheet import Sheet
from acgym.report.grids import grids
from acgym.report.legend import legend
from acgym.report.page import render
from acgym.report.verdict import verdict
from tests.helpers.report_runs import NEEDLE, OTHER, finish, write_run
from tests.helpers.results import comparison_row, score_row


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = write_run(tmp_path_factory.mktemp("made") / "run")
    finish(made)
    return made


def test_what_is_on_the_disk_is_read_back_equal(run):
    kept = run.read_json(RESULT)
    read = ComparisonResult.from_json(kept)
    assert read.to_json() == kept
    assert read == assemble_result(run)
    assert (read.version, kept["version"]) == (VERSION, VERSION)
    assert kept["agents"][1]["comparisons"]["all"]["p_holm"] is not None
    assert (read.agents[1].name, read.agents[1].score(NEEDLE).success) == (OTHER, 0.5)
    with pytest.raises(FrozenInstanceError):
        read.dense = "x"


def old_comparison():
    """A file without a version, as it was written before there was one: two environments, one of which failed."""
    row = comparison_row(p_holm=0.5)
    gone = {"reason": "no finished episodes", "n": 0, "n_failed": 100}
    signals = {"n_tokens": 10, "n_sequences": 2, "erank": 3.0, "diff_erank": None, "energy": -1.0, "nll": 0.5}
    sheet = {"facts": {}, "weight_bytes": 10, "calibration": None, "signals": {"tokens_sha256": "x", "by_env": {"A":
             signals}}}  # fmt: skip
    scores = {"A": score_row(), "B": gone, "all": score_row()}
    agents = [
        {"name": "dense", "sheet": sheet, "scores": scores, "comparisons": {}, "signals": {"A": signals, "B": None,
         "all": None}, "divergence": {}, "handoff": None},
        {"name": "dense+q", "sheet": {}, "scores": scores, "comparisons": {"A": row, "B": gone, "all":
         comparison_row(p=0.01)}, "signals": {"A": None, "B": None, "all": None}, "divergence": {}, "handoff": None},
    ]  # fmt: skip
    settings = {"agents": ["dense", "dense+q"], "envs": {"A": {}, "B": {"level": 1}}, "modules": [], "episodes": 100,
                "seed": 0, "calibration": "trajectories", "models": {}}  # fmt: skip
    return {"settings": settings, "dense": "dense", "noise_floor": None, "prediction": None, "anchors": {"A": None,
            "B": {"success": 0.25, "progress": 0.5}}, "agents": agents}  # fmt: skip


def test_a_file_from_before_there_was_a_version_is_read():
    read = ComparisonResult.from_json(json.loads(json.dumps(old_comparison())))
    assert read.version is None
    assert isinstance(read.agents[1].comparisons["B"], NotMeasured)
    assert read.agents[1].comparison("A").adjusted_p == 0.5
    assert read.agents[1].comparison("all").adjusted_p == 0.01  # it was not corrected, and the legend says so
    assert any("of all environments together uncorrected" in line for line in legend(read))
    assert len(grids(read)) == 4
    assert verdict(read)[0].endswith("B not measured.")
    assert "version" not in read.to_json()
    assert ComparisonResult.from_json(read.to_json()) == read


def test_what_a_newer_file_says_beside_is_kept_on_the_way_back():
    newer = {**old_comparison(), "note": {"by": ["x"]}}
    read = ComparisonResult.from_json(newer)
    assert read.more == {"note": {"by": ["x"]}}
    assert read.to_json()["note"] == newer["note"]
    assert read.judged_by("exact").to_json()["note"] == newer["note"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"version": -1}, "version must be 0 or more, got -1"), ({"agents": []}, "at least one agent")],
)
def test_a_format_below_none_and_a_comparison_of_nobody_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        ComparisonResult.from_json({**old_comparison(), **changes})


def test_an_old_run_folder_is_shown_and_exported(run, tmp_path):
    old = run.read_json(RESULT)
    del old["version"]
    for agent in old["agents"]:
        for row in agent["comparisons"].values():
            row.pop("limit", None)
    folder = write_run(tmp_path / "run")
    folder.write_json(RESULT, old)
    assert export_run(folder.path, "csv", tmp_path / "out")
    assert "<h1>" in render(ComparisonResult.from_json(old), Run.read(folder.path))


def test_a_newer_format_is_refused():
    with pytest.raises(ValueError, match=r"comparison.json is of format 99, this acgym reads up to 1: use a newer"):
        ComparisonResult.from_json({"version": 99})
    with pytest.raises(ValueError, match="has no 'settings'; it has agents"):
        ComparisonResult.from_json({"agents": []})


def test_a_data_sheet_keeps_what_it_does_not_know_and_adds_plays_up(tmp_path):
    run = Run.open(tmp_path / "run", {"agents": ["a"]})
    row = {"facts": {"x": [1]}, "bits_per_weight": 3.5, "calibration": None, "compression": {"recipe": "rtn-w3",
           "sparsity": 0.0, "execution": None}, "later": True}  # fmt: skip
    assert Sheet.read(run, "a") == Sheet()
    sheet = Sheet.from_json(row).played(2.0, 3, {"requests": 4}).played(1.0, 1, {"requests": 1})
    sheet.write(run, "a")
    kept = run.read_json("agent.json", "a")
    assert kept == {**row, "version": 1, "play": {"seconds": 3.0, "episodes": 4}, "usage": {"requests": 5}}
    assert Sheet.read(run, "a").to_json() == kept
    assert Sheet.read(run, "a").updated({"bits_per_weight": 2.0}).bits_per_weight == 2.0
    assert sheet.played(9.0, 0, {}) == sheet
    run.write_json("agent.json", {"play": {"seconds": "long"}}, "a")
    with pytest.raises(ValueError, match=r"a: agent.json.play.seconds must be a number, got 'long'"):
        Sheet.read(run, "a")
