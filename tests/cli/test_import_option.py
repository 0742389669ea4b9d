"""A method and an environment of one's own in one comparison, here and in workers; its report has figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_method_and_an_environment_of_ones_own_are_compared(workers, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    words = ["compare", "reference", "reference+halve", "--env", "My/Env-v0", "--episodes", "2", "--workers", workers]
    done = subprocess.run(
        [sys.executable, "-c", "from acgym.cli import main; main()", *words, "--import", "own", "--out", "run"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["settings"]["modules"] == ["own"]
    sheet = json.loads((tmp_path / "run" / "reference%2Bhalve" / "agent.json").read_text())
    assert sheet["compression"]["recipe"] == "halve"
    page = (tmp_path / "run" / "report.html").read_text()
    assert page.count("<svg") >= 3
    assert "pip install" not in page


def test_a_module_that_there_is_not_is_said(tmp_path):
    from typer.testing import CliRunner

    from acgym.cli.app import app

    result = CliRunner().invoke(app, ["compare", "silent", "random", "--import", "no_such_module"])
    assert result.exit_code == 2
    assert "the module 'no_such_module' cannot be imported" in " ".join(result.output.split())
