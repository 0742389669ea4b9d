"""Workers: the same results as one process, whoever plays what; deaths, errors and interrupts."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.experiment.executors import ParallelExecutor
from acgym.experiment.run import prepare, run_comparison
from acgym.listener import Listener
from acgym.loop import EnvBug
from acgym.record.lines import RecordDamaged, RecordNotWritten, RunExists
from acgym.record.run import Run
from acgym.workers.pool import SHARE, WorkerDied, Workers, cut
from acgym.workers.processes import THREADS, Processes
from acgym.workers.side import WorkerBug, described, raised
from tests.helpers import runs
from tests.helpers.killer import Killer
from tests.helpers.toys import ECHO

ENV = f"tests.helpers.toys:{ECHO}"


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One agent and then two others, played in one process: folder and settings."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    settings = prepare(["random", "oracle", "silent"], [ENV, "ACB/Workflow-v0"], episodes=40, level=1)
    run_comparison(settings, folder)
    return folder, settings


def test_two_workers_find_what_one_process_finds(alone, tmp_path):
    folder, settings = alone
    run_comparison(settings, tmp_path, workers=2)
    assert runs.content(tmp_path, settings.agents) == runs.content(folder, settings.agents)


@pytest.mark.parametrize("agent", ["random", pytest.param("oracle", marks=pytest.mark.slow)])  # shared; played whole
def test_a_worker_that_is_killed_is_replaced(alone, tmp_path, agent):
    folder, settings = alone
    killer = Killer(agent, [7])
    run_comparison(settings, tmp_path, workers=2, listener=killer)
    assert len(killer.killed) == 1
    assert runs.content(tmp_path, settings.agents) == runs.content(folder, settings.agents)


@pytest.mark.slow
def test_a_model_plays_the_same_on_two_workers(tmp_path):
    from tests.helpers.tiny import save_model

    agents = [f"hf:{save_model(tmp_path / name, seed)}" for seed, name in enumerate("ab")]
    agents.append(agents[0] + "+wanda-50")
    settings = prepare(agents, ["ACB/Needle-v0", "ACB/ToolCall-v0"], episodes=12, level=1)
    for workers in (1, 2):
        run_comparison(settings, tmp_path / str(workers), workers=workers)
    one, two = (Run.read(tmp_path / number) for number in "12")
    for agent in agents:
        assert runs.episodes(one.path, one.folder(agent).name) == runs.episodes(two.path, two.folder(agent).name)
        first, second = (run.read_json("agent.json", agent) for run in (one, two))
        assert first["play"]["episodes"] == second["play"]["episodes"] > 0
        assert second["signals"].keys() == first["signals"].keys()
    assert one.read_json("comparison.json").keys() == two.read_json("comparison.json").keys()


def test_the_run_gives_up_when_workers_die_in_a_row():
    with (
        Workers(1, runs.Dies(), print, Listener()) as workers,
        pytest.raises(WorkerDied, match=r"2 workers.*exit status 3"),
    ):
        workers.whole(["a"], 1)
    assert not multiprocessing.active_children()


class Prompt:
    """A worker that is done with whatever it is asked for as soon as it is heard."""

    def __init__(self):
        self.asked = []

    def send(self, message):
        self.asked.append(message)

    def receive(self):
        return b'["done", 0.0, {}]'

    def end(self):
        pass


class OneAfterTheOther:
    """A team in which the worker that was asked first is done first."""

    def start(self, work):
        return Prompt()

    def ready(self, workers, seconds):
        return workers[:1]

    def close(self):
        pass


def test_what_is_to_be_done_when_a_core_is_free_is_done_once():
    free = []

    def idle():
        free.append([len(worker.asked) for worker, _ in pool._busy])

    with Workers(2, None, lambda *told: None, Listener(), OneAfterTheOther(), idle) as pool:
        pool.whole(["a", "b", "c"], 4)
        assert [len(busy) for busy in free] == [1]  # one of the two was still playing the last agent
        pool.whole(["a"], 4)
        pool.share("a", {ENV: range(4)}, lambda episode: None)
    assert len(free) == 1


def test_shares_begin_when_no_whole_agent_is_left():
    with Workers(2, None, lambda *told: None, Listener(), OneAfterTheOther()) as pool:
        team = list(pool._free)
        pool.share("z", {ENV: range(8)}, lambda episode: None, after=["a", "b"], seeds=8)
        each = [[json.loads(message) for message in worker.asked] for worker in team]
    for kinds in ([kind for kind, *_ in asked] for asked in each):
        assert kinds == sorted(kinds, key=["whole", "share"].index)
    asked = [message for messages in each for message in messages]
    whole = sorted((agent, seeds) for kind, agent, seeds in asked if kind == "whole")
    assert whole == [("a", 8), ("b", 8), ("z", 0)]
    shares = [what[ENV] for kind, _, what in asked if kind == "share"]
    assert len(shares) == 4
    assert sorted(seed for share in shares for seed in share) == list(range(8))


def test_what_may_be_broken_is_played_first_and_the_last_agent_is_shared(tmp_path):
    asked = []

    class Recorded(Workers):
        """Workers that note whom they are asked for, and do what they are asked."""

        def _do(self, waiting, write):
            asked.append([(task.agent, task.seeds) for task in waiting])
            super()._do(waiting, write)

    recipes = ["magnitude-50", "wanda-50", "wanda-2:4", "rtn-w8", "rtn-w2"]
    agents = ["reference", *(f"reference+{recipe}" for recipe in recipes)]
    settings = prepare(agents, [ENV], episodes=1)
    with Run.open(tmp_path, settings.to_dict()) as run:
        pool = Recorded(2, None, run.append, Listener(), OneAfterTheOther())
        with pool:
            ParallelExecutor(settings, run, pool, Listener()).all(settings.agents, 1)
    first, magnitude, wanda, patterned, w8, w2 = settings.agents
    whole = [(first, 1), (w2, 1), (w8, 1), (patterned, 1), (wanda, 1), (magnitude, 0), (magnitude, None)]
    assert asked == [[(first, None)], [(first, 1)], whole, [(magnitude, 1)]]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (EnvBug("seed 3 broke"), EnvBug, "^seed 3 broke$"),
        (ZeroDivisionError("here"), WorkerBug, "ZeroDivisionError: here"),
    ],
)
def test_a_workers_error_arrives(error, kind, words):
    with Workers(1, runs.Raises(error), print, Listener()) as workers, pytest.raises(kind, match=words):
        workers.whole(["a"], 1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("a", 1), ValueError),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), ValueError),
        (FileNotFoundError(2, "none", "/x"), FileNotFoundError),
        (PermissionError(13, "no", "/x"), OSError),
        (ConnectionError("no server"), OSError),
        (ModuleNotFoundError("no x", name="x"), ImportError),
        (RecordNotWritten(28, "full", "/x"), RecordNotWritten),
        (RecordDamaged("line 3"), RecordDamaged),
        (RunExists("there"), RunExists),
    ],
)
def test_known_errors_keep_their_kind_and_words(error, kind):
    back = raised(*described(error))
    assert isinstance(back, kind)
    assert str(back) == str(error)
    if isinstance(error, OSError):
        assert (back.errno, back.strerror, back.filename) == (error.errno, error.strerror, error.filename)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 3 * SHARE)), st.integers(1, 9), st.integers(1, 3))
def test_shares_hold_every_seed_once_and_are_even(sizes, workers, finer):
    left = {env: list(range(size)) for env, size in sizes.items()}
    shares = cut(left, workers, finer)
    assert {env: sorted(s for share in shares for s in share.get(env, [])) for env in left} == left
    lengths = [sum(map(len, share.values())) for share in shares]
    assert all(lengths)
    assert not lengths or (max(lengths) - min(lengths) <= 1 and max(lengths) <= SHARE)
    assert len(shares) in (sum(sizes.values()), len(shares) // workers * workers)
    assert len(shares) >= min(sum(sizes.values()), finer * workers)


def test_children_end_when_their_parent_is_killed(tmp_path):
    process = runs.start(
        "play", "random", "ACB/Household-v0", "--episodes", 20000, "--out", tmp_path / "run", workers=2
    )
    try:
        assert runs.wait_for(lambda: runs.lines(tmp_path / "run", "random"))
        born = runs.children(process.pid)
        assert len(born) >= 2
        process.kill()
        assert runs.wait_for(lambda: not any(map(runs.alive, born)), 15)
    finally:
        runs.kill_group(process)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_interrupt_ends_the_run_cleanly(tmp_path, workers, times):
    folder = tmp_path / "run"
    process = runs.start("play", "random", "ACB/Household-v0", "--episodes", 20000, "--out", folder, workers=workers)
    try:
        assert runs.wait_for(lambda: len(runs.lines(folder, "random")) > 20)
        born = runs.children(process.pid)
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everybody hears it
            time.sleep(0.02)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 130 or (times == 2 and process.returncode == -signal.SIGINT), said
        # A second interrupt may meet the interpreter in its own last callbacks, where it can only be printed.
        assert "Traceback" not in (said.partition("Exception ignored")[0] if times == 2 else said)
        assert runs.wait_for(lambda: not any(map(runs.alive, born)), 5)  # Python's own helper ends a little later
        written = runs.lines(folder, "random")
        assert written
        assert all(line.endswith(b"}\n") for line in written)
        assert len(Run.read(folder).episodes("random")) == len(written)
        assert not list(folder.rglob("*.tmp"))
    finally:
        runs.kill_group(process)


def actors(mark):
    """Process ids of the Ray actors that were started with this mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            named = b"ray::_Actor" in (folder / "cmdline").read_bytes()
            if named and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_actors_of_a_ray_cluster_find_the_same_and_are_replaced(alone, tmp_path, monkeypatch):
    folder, settings = alone
    mark = f"acgym-{os.getpid()}-{tmp_path.name}"
    monkeypatch.setenv("ACGYM_TEST", mark)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    killer = Killer("random", [7], lambda: actors(mark))
    run_comparison(settings, tmp_path, workers=2, ray="local", listener=killer)
    assert len(killer.killed) == 1
    assert runs.content(tmp_path, settings.agents) == runs.content(folder, settings.agents)
    assert not actors(mark)


def test_a_cluster_that_is_not_there_is_named(tmp_path, monkeypatch):
    settings = prepare(["oracle"], ["ACB/Workflow-v0"], episodes=1)
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"acgym\[ray\]"):
        run_comparison(settings, tmp_path, ray="127.0.0.1:9")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(("asked", "found"), [(None, str(max(1, (os.cpu_count() or 1) // 2))), ("7", "7")])
def test_a_worker_is_born_with_its_share_of_the_cores(monkeypatch, asked, found):
    """NumPy reads the number as it is loaded, before any line of ours runs there."""
    monkeypatch.delenv(THREADS, raising=False)
    if asked is not None:
        monkeypatch.setenv(THREADS, asked)
    worker = Processes(2).start(runs.__name__)
    environment = Path(f"/proc/{worker.process.pid}/environ")
    try:
        # Until the process has become another program, it shows its parent's environment or none.
        assert runs.wait_for(lambda: f"{THREADS}={found}" in environment.read_text().split("\0"), 10)
    finally:
        worker.end()
    assert os.environ.get(THREADS) == asked
