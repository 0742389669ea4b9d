"""The commands that ask about a margin, along an argument, and for a recipe: on scripted agents."""

from __future__ import annotations

import csv

from typer.testing import CliRunner

from acgym.cli.app import app

ENV = ["--env", "ACB/Needle-v0"]


def told(*arguments):
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    return done.exit_code, " ".join(done.output.split())


def test_a_margin_is_asked_asked_again_and_exported(tmp_path):
    code, said = told("compare", "oracle", "silent", *ENV, "--episodes", 30, "--margin", 0.05, "--out", tmp_path / "r")
    assert code == 0
    assert "Not worse than 5 points?" in said
    assert "Not worse than 5 points: no in Needle." in said
    assert "Degenerate replies" in said
    assert "Tokens and turns" in said
    code, said = told("rescore", tmp_path / "r", "--margin", 0.5)
    assert (code, "Not worse than 50 points?" in said) == (0, True)
    assert "Not worse than 50 points?" in told("rescore", tmp_path / "r")[1]  # it is kept
    assert told("export", tmp_path / "r", "--to", "csv", "--out", tmp_path / "x")[0] == 0
    [row, *_] = csv.DictReader((tmp_path / "x" / "comparisons.csv").open(encoding="utf-8"))
    assert (row["margin"], row["not_worse"], row["tokens_ratio"]) == ("0.5", "no", "")
    assert float(row["turns_ratio"]) > 1
    scores = list(csv.DictReader((tmp_path / "x" / "scores.csv").open(encoding="utf-8")))
    assert int(scores[-1]["degenerate_silent"]) > 0


def test_wrong_margins_and_axes_are_sentences(tmp_path):
    for arguments, words in [
        (("--margin", 2), "0.02 for two points"),
        (("--vary", "level"), "--vary is written"),
        (("--vary", "level=1,2", "--workers", 2), "leave --workers, --ray and --add out"),
    ]:
        code, said = told("compare", "oracle", "silent", *ENV, "--out", tmp_path / "r", *arguments)
        assert code == 2
        assert words in said


def test_an_axis_and_a_race_are_told(tmp_path):
    code, said = told(
        "compare", "oracle", "silent", *ENV, "--episodes", 8, "--vary", "level=1,2", "--out", tmp_path / "v"
    )
    assert code == 0
    assert "silent: loses in Needle from level=1 on." in said
    code, said = told("choose", "oracle", "--margin", 0.1, "--among", "silent", *ENV, "--out", tmp_path / "c")
    assert code == 0
    assert "silent: worse than that in Needle, after 25 episodes." in said
