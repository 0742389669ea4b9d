"""Agents behind a real server: ``transformers serve`` as a process of its own, also one that is killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import acgym
from acgym.experiment.run import Listener, prepare, run_comparison
from acgym.record.run import Run
from tests.helpers.tiny import save_model

pytestmark = pytest.mark.slow

TOOLS = "ACB/ToolCall-v0"
NEEDLE = "ACB/Needle-v0"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Start ``transformers serve`` with a model; return its URL and its process, which ends with the module."""
    running = []

    def start(model, port=0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            port = probe.getsockname()[1]
        log = (tmp_path_factory.mktemp("served") / "log").open("w+")
        command = [
            "-m",
            "transformers.cli.transformers",
            "serve",
            str(model),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, *command, "--device", "cpu", "--dtype", "float32"], env=environment, stdout=log, stderr=log
        )
        running.append(process)
        deadline = time.monotonic() + 120
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                pytest.fail(f"transformers serve did not come up:\n{log.read()[-3000:]}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return f"http://127.0.0.1:{port}/v1", process
            except OSError:
                time.sleep(0.3)

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_reference_agent_behind_transformers_serve_plays_as_it_does_here_but_for_near_ties(served, quick, tmp_path):
    here = Path(acgym.__file__).parents[1] / "agents" / "reference"
    url, _ = served(here)
    spec = f"openai:{here}@{url}"
    settings = prepare(["reference", spec], [NEEDLE, TOOLS], episodes=5, level=1)
    result = run_comparison(settings, tmp_path / "run")
    local, far = result.to_json()["agents"]
    assert far["sheet"]["facts"]["tools"]["mode"] == "native"
    assert far["scores"]["all"]["n"] == 10
    assert far["scores"]["all"]["n_failed"] == 0
    assert far["comparisons"]["all"]["lost"] == far["comparisons"]["all"]["won"] == 0
    run = Run.read(tmp_path / "run")
    actions = [
        {(e.env, e.seed): [turn.action for turn in e.turns] for e in run.episodes(name)} for name in ("reference", spec)
    ]
    # Two programs round differently in bfloat16, and a reply with a near tie may go another way from there.
    assert sum(actions[0][key] == actions[1][key] for key in actions[0]) >= 8
    assert far["sheet"]["usage"]["completion_tokens"] > 100
    assert local["signals"]["all"] is not None
    assert set(far["signals"].values()) == {None}


class Killer(Listener):
    """Kills a process when so many episodes are done."""

    def __init__(self, process, after):
        self.process, self.after = process, after

    def playing(self, agent, env, done, total):
        if done == self.after and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def test_killed_server_fails_episodes_and_the_same_command_goes_on(served, quick, tmp_path, monkeypatch):
    monkeypatch.setenv("ACGYM_REMOTE_CONCURRENCY", "2")
    model = save_model(tmp_path / "model")
    url, process = served(model)
    spec = f"openai:{model}@{url}#text"
    settings = prepare([spec], [NEEDLE], episodes=8, level=1)
    whole = run_comparison(settings, tmp_path / "whole")
    broken = run_comparison(settings, tmp_path / "run", listener=Killer(process, 3))
    row = broken.to_json()["agents"][0]["scores"][NEEDLE]
    assert row["n"] >= 3
    assert row["n_failed"] == 8 - row["n"] > 0
    failures = {episode.failure for episode in Run.read(tmp_path / "run").episodes(spec)} - {None}
    assert all(failure.startswith("Unanswered: no usable answer from") for failure in failures)
    served(model, port=int(url.split(":")[2].split("/")[0]))
    mended = run_comparison(settings, tmp_path / "run")
    for name in ("n", "n_failed", "success", "progress"):
        assert getattr(mended.agents[0].scores[NEEDLE], name) == getattr(whole.agents[0].scores[NEEDLE], name)
    said = [
        {episode.seed: [turn.text for turn in episode.turns] for episode in Run.read(folder).episodes(spec)}
        for folder in (tmp_path / "run", tmp_path / "whole")
    ]
    assert said[0] == said[1]
