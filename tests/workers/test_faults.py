"""Faults with real processes: nothing finished is lost, doubled or torn, and the same command completes the run."""

from __future__ import annotations

import json
import os
import random
import time

import pytest

from acgym.agents.base import Agent
from acgym.experiment.run import prepare, run_comparison
from acgym.loop import play
from acgym.record.run import Run
from acgym.types import Reply
from tests.helpers import runs
from tests.helpers.killer import Killer
from tests.helpers.toys import ECHO

ENV = f"tests.helpers.toys:{ECHO}"
HOUSEHOLD = "ACB/Household-v0"


def finished(folder, agent):
    """Seeds of the finished episodes that lie whole on the disk."""
    rows = [json.loads(line) for line in runs.lines(folder, agent) if line.endswith(b"\n")]
    return [row["seed"] for row in rows if row["outcome"] == "finished"]


def kill_at_random_moments(folder, moments, episodes, workers, chance):
    """Start the same command again and again and kill it; check each time what is on the disk."""
    before: list[int] = []

    def moved_on():
        return len(finished(folder, "random")) > len(before) or process.poll() is not None

    for moment in range(moments):
        process = runs.start("play", "random", HOUSEHOLD, "--episodes", episodes, "--out", folder, workers=workers)
        try:
            if moment % 4 != 3:  # while it plays; else anywhere, also while it starts
                runs.wait_for(moved_on)
            time.sleep(chance.uniform(0, 3 if moment % 4 == 3 else 0.4))
            process.kill()
            process.wait()
            now = finished(folder, "random")
            assert now[: len(before)] == before
            assert len(set(now)) == len(now)
            before = now
        finally:
            runs.kill_group(process)
    return len(before)


def complete_after_kills(tmp_path, moments, episodes, workers, seed):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kept = kill_at_random_moments(killed, moments, episodes, workers, random.Random(seed))
    assert kept
    for folder in (killed, whole):
        process = runs.start("play", "random", HOUSEHOLD, "--episodes", episodes, "--out", folder)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
    assert runs.content(killed, ["random"]) == runs.content(whole, ["random"])


@pytest.mark.slow
def test_a_run_that_was_killed_completes(tmp_path):
    complete_after_kills(tmp_path, 1, 150, 1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_was_killed_at_twenty_moments_completes(tmp_path, workers):
    complete_after_kills(tmp_path, 20, 1500, workers, workers)


@pytest.mark.slow
def test_workers_are_killed_at_twenty_moments(tmp_path):
    moments = random.Random(3).sample(range(1, 2500), 20)
    killer = Killer("random", moments)
    settings = prepare(["random"], [ENV], episodes=2500, level=1)
    run_comparison(settings, tmp_path / "killed", workers=2, listener=killer)
    run_comparison(settings, tmp_path / "whole")
    assert len(killer.killed) == 20
    assert runs.content(tmp_path / "killed", ["random"]) == runs.content(tmp_path / "whole", ["random"])


class Stuck(Agent):
    """Never answers in every third episode; what it said stays."""

    name = "stuck"

    async def reply(self, messages, tools):
        import asyncio

        if len(messages) > 1 and sum(map(ord, messages[0].content)) % 3 == 0:
            await asyncio.Event().wait()
        return Reply("zz", "zz")


def test_an_episode_over_its_time_is_failed_and_holds_nobody():
    started = time.monotonic()
    episodes = play(Stuck(), ECHO, range(30), kwargs={"level": 2}, concurrency=30, time_limit=0.3)
    assert time.monotonic() - started < 5  # all at once, not one after the other
    failed = [episode for episode in episodes if episode.outcome == "failed"]
    assert 0 < len(failed) < 30
    for episode in failed:
        assert episode.failure == "TimeoutError: the episode had not ended after 0.3 s"
        assert (episode.truncated, episode.success, episode.progress) == (True, None, None)
        assert [turn.text for turn in episode.turns] == ["zz"]
    for episode in episodes:
        if episode.outcome == "finished":
            assert episode.seconds < 0.3
            assert not episode.truncated


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_episodes_of_a_model_over_their_time_are_counted_and_never_scored(tmp_path, workers):
    from tests.helpers.tiny import save_model

    agent = f"hf:{save_model(tmp_path / 'model')}"
    settings = prepare([agent], [HOUSEHOLD], episodes=4, level=1, episode_seconds=1e-4)
    result = run_comparison(settings, tmp_path / "run", workers=workers)
    rows = Run.read(tmp_path / "run").episodes(agent)
    assert [(row.outcome, row.truncated, row.success) for row in rows] == [("failed", True, None)] * 4
    score = result.to_json()["agents"][0]["scores"][HOUSEHOLD]
    assert (score["n"], score["n_failed"]) == (0, 4)
    assert "success" not in score


def test_a_time_limit_is_a_setting_and_must_be_one():
    settings = prepare(["oracle"], [HOUSEHOLD], episodes=1, episode_seconds=2.5)
    assert settings.to_dict()["episode_seconds"] == 2.5
    assert "episode_seconds" not in prepare(["oracle"], [HOUSEHOLD], episodes=1).to_dict()
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="more than 0 seconds"):
            prepare(["oracle"], [HOUSEHOLD], episodes=1, episode_seconds=seconds)


def test_memory_does_not_keep_episodes_that_nobody_asked_for():
    heard = []
    assert play(Stuck(), ECHO, range(5), kwargs={"level": 1}, on_episode=heard.append, keep=False) == []
    assert sorted(episode.seed for episode in heard) == list(range(5))


def test_a_file_half_written_by_a_killed_process_is_swept(tmp_path):
    run_comparison(settings := prepare(["oracle"], [HOUSEHOLD], episodes=1), tmp_path)
    dead, own = (tmp_path / "oracle" / f".agent.json.{pid}.tmp" for pid in (2**22 + 1, os.getpid()))
    for file in (dead, own):
        file.write_text("{")
    run_comparison(settings, tmp_path)
    assert (dead.exists(), own.exists()) == (False, True)
