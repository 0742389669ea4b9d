"""The command line in real processes: what it says, how it ends, and that a stopped run goes on."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.cli.show import show_environments
from acgym.record.run import Run
from acgym.suites import suite_named
from tests.helpers.tiny import save_model

ROOT = Path(__file__).resolve().parents[2]
ENV = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "COLUMNS": "100",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}
MAIN = "from acgym.cli import main; main()"
STRANGER = """
import gymnasium as gym
from tests.helpers.toys import Echo

class Mine(Echo):
    capability = "mine"

gym.register("My/Env-v0", Mine, max_episode_steps=8)
"""
FULL = """
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from acgym.cli.app import main
main()
"""


def start(*words, cwd, code=MAIN):
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=cwd, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def acgym(*words, cwd, **more):
    """Run a command to its end; return exit status, output and errors."""
    process = start(*words, cwd=cwd, **more)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def complaint(err):
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def wait_for(path, lines):
    for _ in range(6000):
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    pytest.fail(f"{path} never had {lines} lines")


def test_help_and_version(tmp_path):
    status, out, _ = acgym("--version", cwd=tmp_path)
    assert (status, out.split()[0]) == (0, "acgym")
    for command, words in [
        ([], "compare play envs check train --version"), (["compare"], "goes on --calibration --seed --level"),
        (["play"], "--show module:ID"), (["check"], "module:ID"), (["train"], "checkpoint --steps"), (["envs"], "list"),
    ]:  # fmt: skip
        said = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"}).invoke(app, [*command, "--help"])
        assert said.exit_code == 0
        assert all(word in said.output.replace("List", "list") for word in words.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare", "refrence"], "did you mean 'reference'"),
        (["compare", "oracle", "--env", "ACB/Nedle-v0"], "did you mean 'ACB/Needle-v0'"),
        (["compare", "reference+gtpq-w4"], "did you mean 'gptq'"),
        (["play", "oracle", "ACB/Needle-v0", "--kwargs", "[1]"], "--kwargs must be a JSON object"),
        (["play", "hf:/nowhere", "ACB/Needle-v0"], "there is no model at '/nowhere'"),
        (["check", "ACB/Nedle-v0"], "did you mean 'ACB/Needle-v0'"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(tmp_path, words, said):
    status, out, err = acgym(*words, cwd=tmp_path)
    assert (status, out) == (2, "")
    assert said in complaint(err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suite", "with_tasks"), [("full", False), ("acbench", True)])
def test_eighty_columns_hold_each_environment_in_whole_words(suite, with_tasks):
    console = Console(width=80, file=io.StringIO())
    ids = list(suite_named(suite))
    show_environments(ids, console, with_tasks)
    said = console.file.getvalue()
    assert all(f" {env_id} " in said for env_id in ids)
    assert "…" not in said


def test_unknown_option_names_the_nearest(tmp_path):
    status, _, err = acgym("compare", "oracle", "--episode", "3", cwd=tmp_path)
    assert status == 2
    assert "--episodes" in err
    assert "Traceback" not in err


def test_scripted_agents_need_no_torch(tmp_path):
    code = "import atexit, os, sys\natexit.register(lambda: 'torch' in sys.modules and os._exit(9))\n" + MAIN
    words = ["compare", "oracle", "random", "silent", "--env", "ACB/Needle-v0", "--episodes", 8, "--level", 1]
    status, out, err = acgym(*words, cwd=tmp_path, code=code)
    assert status == 0, err
    assert "100.0" in out
    assert "the agent has no model" in out
    (run,) = (tmp_path / "runs").iterdir()
    assert str(run.relative_to(tmp_path)) in out
    assert {path.name for path in run.iterdir()} == {
        "manifest.json", "comparison.json", "report.html", "oracle", "random", "silent"
    }  # fmt: skip
    replay = f"replay:{run}/random/episodes.jsonl"
    status, out, err = acgym(*words[:2], replay, *words[4:], "--out", "again", cwd=tmp_path)
    assert status == 0, err
    status, _, err = acgym(*words, "--seed", 1, "--out", run, cwd=tmp_path)
    assert status == 2
    assert "seed is 0 there and 1 now" in complaint(err)
    assert "Choose another --out, or use the same" in err


@pytest.mark.slow
def test_strangers_environment_plays_and_is_checked(tmp_path):
    (tmp_path / "mymodule.py").write_text(STRANGER)
    status, out, err = acgym("play", "oracle", "mymodule:My/Env-v0", "--episodes", 2, "--show", cwd=tmp_path)
    assert status == 0, err
    assert "[user] Echo" in out
    assert "My/Env-v0, 2 episodes" in out
    assert "lost/" not in out
    status, out, _ = acgym("check", "mymodule:My/Env-v0", cwd=tmp_path)
    assert (status, out) == (0, "My/Env-v0 keeps the contract.\n")
    (tmp_path / "mymodule.py").write_text(STRANGER + "\nMine.oracle = lambda self: 'zz'\n")
    status, _, err = acgym("check", "mymodule:My/Env-v0", cwd=tmp_path)
    assert status == 1
    assert "oracle" in err
    assert "Traceback" not in err


def test_interrupt_keeps_finished_episodes(tmp_path):
    words = ["play", "oracle", "ACB/Needle-v0", "--level", 1, "--episodes", 100_000, "--out", "run"]
    process = start(*words, cwd=tmp_path)
    wait_for(tmp_path / "run" / "oracle" / "episodes.jsonl", 20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from here" in err
    assert "Traceback" not in err
    episodes = Run.read(tmp_path / "run").episodes("oracle")
    assert 20 <= len(episodes) < 100_000
    assert all(episode.success for episode in episodes)


@pytest.mark.slow
def test_full_disk_is_said_and_loses_nothing(tmp_path):
    words = ["play", "oracle", "ACB/Needle-v0", "--level", 1, "--episodes", 200, "--out", "run"]
    status, _, err = acgym(*words, cwd=tmp_path, code=FULL)
    assert status == 1
    assert "the episodes before it are safe. Make room and run the same command again" in err.splitlines()[-1]
    assert "Traceback" not in err
    before = Run.read(tmp_path / "run").episodes("oracle")
    assert 0 < len(before) < 200
    assert acgym(*words, cwd=tmp_path)[0] == 0
    assert Run.read(tmp_path / "run").episodes("oracle")[: len(before)] == before


@pytest.mark.slow
def test_killed_run_goes_on_where_it_stopped(tmp_path):
    save_model(tmp_path / "model")
    words = ["compare", "hf:model", "hf:model+rtn-w3-g32", "--env", "ACB/Needle-v0", "--level", 1, "--episodes", 150]
    process = start(*words, "--out", "run", cwd=tmp_path)
    file = tmp_path / "run" / "hf%3Amodel%2Brtn-w3-g32" / "episodes.jsonl"
    wait_for(file, 5)
    process.kill()
    process.communicate()
    before = file.read_bytes()
    kept = before[: before.rfind(b"\n") + 1]
    assert kept.count(b"\n") < 150
    status, _, err = acgym(*words, "--out", "run", cwd=tmp_path)
    assert status == 0, err
    assert file.read_bytes().startswith(kept)
    assert acgym(*words, "--out", "whole", cwd=tmp_path)[0] == 0

    def rows(name):
        for path in sorted((tmp_path / name).glob("*/episodes.jsonl")):
            for line in sorted(path.read_text().splitlines(), key=lambda line: json.loads(line)["seed"]):
                row = json.loads(line)
                del row["seconds"]
                yield path.parent.name, {**row, "turns": [{**turn, "seconds": 0} for turn in row["turns"]]}

    assert list(rows("run")) == list(rows("whole"))
    assert len(list(rows("run"))) == 300


def test_agents_join_a_run_and_short_names_are_taken(tmp_path):
    def run(*words):
        done = CliRunner().invoke(app, [*map(str, words)])
        assert done.exit_code == 0, done.output
        return done.output

    folder = tmp_path / "run"
    run("compare", "oracle", "random", "--env", "Needle", "--episodes", 2, "--level", 1, "--out", folder)
    before = (folder / "oracle" / "episodes.jsonl").read_bytes()
    said = run("compare", "silent", "--add", folder)
    assert "silent" in said
    assert str(folder) in "".join(said.split("\n"))
    assert (folder / "oracle" / "episodes.jsonl").read_bytes() == before
    assert len(Run.read(folder).episodes("silent")) == 2
    assert Run.read(folder).settings["agents"] == ["oracle", "random", "silent"]
    run("compare", "silent", "--add", folder, "--out", tmp_path / "copy")
    refused = CliRunner().invoke(app, ["compare", "silent", "--add", str(folder), "--episodes", "3"])
    assert refused.exit_code == 2


def test_play_and_check_take_short_names(tmp_path):
    for words in (["play", "oracle", "Needle", "--episodes", "1", "--out", str(tmp_path / "run")], ["check", "Needle"]):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        assert "ACB/Needle-v0" in done.output
