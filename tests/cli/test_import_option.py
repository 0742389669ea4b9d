"""A method and an environment of one's own in one comparison, here and in workers; its report has figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.experiment.settings import prepare
from acgym.record.run import Run

ROOT = Path(__file__).resolve().parents[2]
OWN = """
import gymnasium as gym
import acgym
from acgym.compress import Compressed, register_method
def halve(weight, statistics, options):
    return Compressed(weight / 2)

register_method("halve", halve)
gym.register("My/Env-v0", gym.spec("ACB/Needle-v0").entry_point, max_episode_steps=3)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "env", "more"),
    [("1", "My/Env-v0", ["--import", "own"]), ("2", "My/Env-v0", ["--import", "own"]), ("2", "own:My/Env-v0", [])],
    ids=["here", "in workers", "by the environment's module, in workers"],
)
def test_a_method_and_an_environment_of_ones_own_are_compared(workers, env, more, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    words = ["compare", "reference", "reference+halve", "--env", env, "--episodes", "2", "--workers", workers]
    done = subprocess.run(
        [sys.executable, "-c", "from acgym.cli import main; main()", *words, *more, "--out", "run"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["settings"]["modules"] == ["own"]
    sheet = json.loads((tmp_path / "run" / "reference%2Bhalve" / "agent.json").read_text())
    assert sheet["compression"]["recipe"] == "halve"
    page = (tmp_path / "run" / "report.html").read_text()
    assert page.count("<svg") >= 3
    assert "pip install" not in page


OTHERS = (("repeat", "silent"), ("replay", "run"), ("handoff", "run", "other"), ("probe", "run"), ("train", "out"),
          ("compress", "reference", "rtn-w4", "--out", "out"), ("export", "run", "--to", "csv"))  # fmt: skip


@pytest.mark.parametrize("words", OTHERS, ids=lambda words: words[0])
def test_every_command_that_may_need_a_module_imports_it(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "run")
    result = CliRunner().invoke(app, [*words, "--import", "no_such_module"])
    assert result.exit_code == 2
    assert "the module 'no_such_module' cannot be imported" in " ".join(result.output.split())


def record(folder):
    """An empty run that was made with a module of its own."""
    run = Run.open(folder, prepare(["silent", "random"], ["ACB/Needle-v0"]).to_dict() | {"modules": ["my_own_method"]})
    run.__exit__(None, None, None)


@pytest.mark.parametrize("words", [("probe", "run"), ("handoff", "run", "random")], ids=lambda words: words[0])
def test_what_a_run_was_made_with_is_asked_for_and_never_imported_by_its_own_word(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_own_method.py").write_text("raise SystemExit('a run folder had this imported')")
    record(tmp_path / "run")
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 2
    assert "say once more: --import my_own_method" in " ".join(result.output.split())


def test_a_module_that_there_is_not_is_said(tmp_path):
    result = CliRunner().invoke(app, ["compare", "silent", "random", "--import", "no_such_module"])
    assert result.exit_code == 2
    assert "the module 'no_such_module' cannot be imported" in " ".join(result.output.split())
