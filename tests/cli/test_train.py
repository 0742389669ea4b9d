"""The commands train and export-chats: what they take, what they refuse, and what lies there afterwards."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from acgym.cli.app import app
from tests.helpers import small_agent

NEEDLE = "ACB/Needle-v0"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return small_agent.saved(tmp_path_factory.mktemp("models") / "small")


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def said(result):
    return " ".join((result.output + (result.stderr or "")).split())


@pytest.mark.slow
def test_training_from_a_model_goes_on_and_what_comes_out_plays(base, tmp_path):
    out = tmp_path / "run"
    options = ["--from", base, "--env", NEEDLE, "--levels", "1", "--steps", 4, "--tokens-per-step", 100, "--rank", 2]
    first = run("train", out, *options, "--watch-every", 0, "--stop-at", 2)
    assert first.exit_code == 0, first.output
    assert "unfinished adapter" in said(first)
    second = run("train", out, *options, "--watch-every", 2, "--held-out", 1)
    assert second.exit_code == 0, second.output
    assert "step 2 of 4" in said(second)
    assert "The finished adapter" in said(second)
    lines = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4]
    assert json.loads((out / "agent" / "adapter_config.json").read_text())["base_model_name_or_path"] == "small"
    spec = f"hf:{base}@lora:{out / 'agent'}"
    played = run("play", spec, NEEDLE, "--episodes", 1, "--level", 1, "--out", tmp_path / "played")
    assert played.exit_code == 0, played.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "ACB/Nedle-v0"], "Needle-v0"),
        (["--levels", "0-3"], "--levels must be"),
        (["--levels", "6"], "--levels must be"),
        (["--method", "dora"], "--method must be lora or full"),
        (["--mix", "MIX", "--levels", "1"], "drop --env, --suite and --levels"),
        (["--mix", "MIX"], "must be above 0"),
        (["--rank", "0"], "rank must be at least 1"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_a_model_is_loaded(tmp_path, arguments, message):
    mix = tmp_path / "mix.json"
    mix.write_text(json.dumps([{"env": NEEDLE, "share": -1}]))
    named = [str(mix) if one == "MIX" else one for one in arguments]
    result = run("train", tmp_path / "run", "--from", "hf:nowhere/at-all", *named)
    assert result.exit_code == 2
    assert message in said(result)


def test_a_model_with_a_recipe_is_no_start(base, tmp_path):
    result = run("train", tmp_path / "run", "--from", f"hf:{base}+rtn-w8-g32", "--env", NEEDLE)
    assert result.exit_code == 2
    assert "takes a model as it is" in said(result)


def test_chats_of_demonstrations_and_of_runs_are_exported(tmp_path):
    shown = run("export-chats", tmp_path / "a.jsonl", "--levels", "1", "--conversations", 8)
    assert shown.exit_code == 0, shown.output
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 8
    played = run("play", "oracle", NEEDLE, "--episodes", 3, "--level", 1, "--out", tmp_path / "run")
    assert played.exit_code == 0, played.output
    run("export-chats", tmp_path / "b.jsonl", "--run", tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert [row["messages"][-1]["role"] for row in rows] == ["assistant"] * 3
