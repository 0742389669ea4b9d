"""Exports: the numbers of the run, in forms that the tools' own readers accept."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet
import pytest
import yaml
from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.export.exported import standard_error
from acgym.export.forms import FORMS
from acgym.export.run import export_run
from acgym.export.tables import _cell
from acgym.record.run import folder_name
from acgym.statistics.paired import Interval, wilson
from tests.helpers.report_runs import DENSE, HOSTILE, NEEDLE, OTHER, TOOLS, finish, write_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    run = write_run(tmp_path_factory.mktemp("made") / "run", words=HOSTILE)
    return run, finish(run)


def test_lm_eval_results(made, tmp_path):
    files = export_run(made[0].path, "lm-eval", tmp_path)
    assert [file.parent.name for file in files] == [folder_name(DENSE), folder_name(OTHER)]
    row = json.loads(files[1].read_bytes())
    assert row["results"][NEEDLE]["success,none"] == 0.5
    assert row["results"][NEEDLE]["alias"] == NEEDLE
    interval = wilson(3, 6)
    error = row["results"][NEEDLE]["success_stderr,none"]
    assert error == pytest.approx((interval.high - interval.low) / 3.92, rel=1e-3)
    assert row["n-samples"][TOOLS] == {"original": 6, "effective": 5}
    assert set(row["results"]) == set(row["configs"]) == set(row["versions"]) == set(row["n-shot"])
    assert row["model_name"] == OTHER


def test_standard_error_by_hand():
    assert standard_error(Interval(0.4, 0.6)) == pytest.approx(0.05102, abs=1e-5)


def test_inspect_logs(made, tmp_path):
    files = export_run(made[0].path, "inspect", tmp_path, [OTHER])
    assert {file.parent.name for file in files} == {folder_name(OTHER)}
    assert len(files) == 2
    logs = {row["eval"]["task"]: row for row in (json.loads(file.read_bytes()) for file in files)}
    log = logs[TOOLS]
    assert (log["version"], log["status"]) == (2, "success")
    assert (log["results"]["total_samples"], log["results"]["completed_samples"]) == (6, 5)
    by_id = {sample["id"]: sample for sample in log["samples"]}
    assert by_id[3]["scores"] == {"success": {"value": 0}, "progress": {"value": 0.5}}
    assert [message["role"] for message in by_id[3]["messages"]] == ["user", "assistant"] * 2 + ["user"]
    assert by_id[3]["output"]["completion"] == "needle in words"
    assert "scores" not in by_id[5]
    assert by_id[5]["error"]["message"] == "out of memory"
    assert by_id[0]["messages"][0]["content"].encode("utf-8")  # no lone surrogate, which UTF-8 cannot hold


def read_csv(file):
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def test_csv_and_parquet_say_the_same(made, tmp_path):
    texts = {file.stem: read_csv(file) for file in export_run(made[0].path, "csv", tmp_path)}
    tables = {
        file.stem: pyarrow.parquet.read_table(file).to_pylist()
        for file in export_run(made[0].path, "parquet", tmp_path)
    }
    assert {name: len(rows) for name, rows in tables.items()} == {"episodes": 24, "scores": 6, "comparisons": 3}
    for name, rows in tables.items():
        assert [{key: str(_cell(value)) for key, value in row.items()} for row in rows] == texts[name]
    failed = [row for row in tables["episodes"] if row["outcome"] == "failed"]
    assert [(row["success"], row["progress"], row["failure"]) for row in failed] == [(None, None, "out of memory")]


def test_no_cell_of_a_spreadsheet_is_a_formula():
    for text in ("=HYPERLINK(1)", "+1", "-1", "@x", "\tx"):
        assert _cell(text) == f"'{text}"
    assert [_cell(value) for value in (-0.5, None, True, "hf:x")] == [-0.5, "", "true", "hf:x"]


def test_model_index_is_read_by_the_hub(made, tmp_path):
    files = export_run(made[0].path, "model-card", tmp_path)
    block = yaml.safe_load(files[1].read_bytes())
    name, results = model_index_to_eval_results(block["model-index"])
    assert name == "Qwen2.5-7B-Instruct+gptq-w4-g128"
    values = {(row.dataset_name, row.metric_type): row.metric_value for row in results}
    assert values[NEEDLE, "success"] == 0.5
    assert values[NEEDLE, "success_difference"] == -0.5
    assert ModelCardData(model_name=name, eval_results=results).to_yaml()
    assert "success_difference" not in files[0].read_text("utf-8")
    tasks = {row["dataset"]["name"]: row["task"]["name"] for row in block["model-index"][0]["results"]}
    assert tasks == {NEEDLE: "long-context retrieval", TOOLS: TOOLS}, "an old record does not say its capability"


def test_an_unknown_form_or_agent_is_refused_before_anything_is_written(made, tmp_path):
    with pytest.raises(ValueError, match="lm-eval, inspect, csv, parquet, model-card"):
        export_run(made[0].path, "excel", tmp_path / "out")
    with pytest.raises(ValueError, match="compares no agent 'nobody'"):
        export_run(made[0].path, "csv", tmp_path / "out", ["nobody"])
    with pytest.raises(FileNotFoundError, match="holds no run"):
        export_run(tmp_path, "csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_comparison_is_refused(tmp_path):
    run = write_run(tmp_path / "run")
    run.write_json("comparison.json", {"agents": [1]})
    with pytest.raises(ValueError, match="is not a comparison"):
        export_run(run.path, "csv", tmp_path / "out")


@pytest.mark.parametrize("form", FORMS)
def test_command(form, made, tmp_path):
    done = CliRunner().invoke(app, ["export", str(made[0].path), "--to", form, "--out", str(tmp_path / form)])
    assert done.exit_code == 0, done.output
    written = sorted(str(path) for path in (tmp_path / form).rglob("*") if path.is_file())
    assert sorted(done.output.split()) == written
    refused = CliRunner().invoke(app, ["export", str(made[0].path), "--to", "x"])
    assert refused.exit_code == 2
