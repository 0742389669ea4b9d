"""The suite acbench: official rows where they are here, a stand-in where not; what is not registered is not listed."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import gymnasium as gym
import pytest
from typer.testing import CliRunner

from acgym import suites
from acgym.acbench import SUITE, TASKS, tasks_of
from acgym.agents.scripted import Oracle
from acgym.cli.app import app
from acgym.data.cache import use_folder
from acgym.experiment.run import run_comparison
from acgym.experiment.settings import prepare
from acgym.loop import play
from acgym.report.paper_table import paper_tables
from acgym.report.view_progress import Progress
from acgym.suites import register_suite, suite_named

LINE = "\n".join(["Node:", "1: wash the cup", "2: dry the cup", "Edge: (START,1) (1,2) (2,END)"])


def workflow_rows(folder, source, count):
    folder.mkdir(exist_ok=True)
    rows = [
        {
            "id": f"{source}_{i}",
            "source": source,
            "conversations": [
                {"role": "user", "content": f"Clean cup {i}."},
                {"role": "assistant", "content": LINE.replace("cup", f"cup {i}")},
            ],
        }
        for i in range(count)
    ]
    (folder / f"{source}.json").write_text(json.dumps(rows), "utf-8")


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    """Let each test begin on a machine without data, and leave no suite behind."""
    monkeypatch.setattr(suites, "_SUITES", dict(suites._SUITES))
    monkeypatch.setenv("ACGYM_DATA", str(tmp_path / "cache"))


def test_every_task_has_a_name_of_its_own_and_ids_are_not_shared():
    assert len({task.name for task in TASKS}) == len(TASKS)
    ids = [play.id for task in TASKS for play in (task.native, task.official) if play is not None]
    assert len(set(ids)) == len(ids)
    for task in TASKS:
        assert (task.official is None) == (task.data == "")
        for way in (task.native, task.official):
            assert way is None or (task, "official" if way is task.official else "native") in tasks_of(way.id)


def test_without_data_only_stand_ins_that_are_registered_are_played():
    found = suite_named(SUITE)
    assert "ACB/Needle-v0" in found
    for env in found:
        assert env in gym.registry
        assert [what for _, what in tasks_of(env) if what != "related"] == ["native"]


def test_rows_of_a_folder_that_was_named_are_played_in_the_stand_ins_place(tmp_path):
    workflow_rows(tmp_path / "gold", "os", 3)
    workflow_rows(tmp_path / "gold", "wikihow", 2)
    use_folder("worfbench", tmp_path / "gold")
    found = suite_named(SUITE)
    assert found["ACBench/WorfBench-Embodied-v0"] == {"path": str(tmp_path / "gold")}
    assert "ACBench/WorfBench-OpenGrounded-v0" in found
    assert "ACBench/WorfBench-FunctionCall-v0" not in found, "its files are not in the folder"
    env = gym.make("ACBench/WorfBench-Embodied-v0", path=str(tmp_path / "gold"))
    assert env.unwrapped.rows == 3
    for episode in play(Oracle(), "ACBench/WorfBench-Embodied-v0", range(3), kwargs={"path": str(tmp_path / "gold")}):
        assert episode.success


def test_rows_that_a_user_put_into_the_cache_are_found(tmp_path):
    (tmp_path / "cache").mkdir()
    workflow_rows(tmp_path / "cache" / "worfbench", "lumos", 2)
    assert "ACBench/WorfBench-ProblemSolving-v0" in suite_named(SUITE)


def test_a_set_smaller_than_the_episodes_is_played_once_through(tmp_path):
    workflow_rows(tmp_path / "gold", "os", 3)
    use_folder("worfbench", tmp_path / "gold")
    settings = prepare(["oracle", "random"], suite=SUITE, episodes=10)
    assert settings.suite == SUITE
    assert settings.rows == {"ACBench/WorfBench-Embodied-v0": 3}
    assert settings.total == 2 * (10 * (len(settings.envs) - 1) + 3)
    with pytest.raises(ValueError, match="has 3 rows and 10 episodes"):
        prepare(["oracle"], ["ACB/WorfBench-v0"], episodes=10, kwargs={"path": str(tmp_path / "gold")})


def test_a_folder_that_is_gone_is_one_sentence(tmp_path):
    (tmp_path / "gold").mkdir()
    use_folder("worfbench", tmp_path / "gold")
    (tmp_path / "gold").rmdir()
    with pytest.raises(FileNotFoundError, match=r"'acgym data use worfbench' named .*no such folder"):
        suite_named(SUITE)


def test_a_comparison_plays_each_row_once_and_prints_the_papers_table(tmp_path):
    workflow_rows(tmp_path / "gold", "os", 3)
    use_folder("worfbench", tmp_path / "gold")
    register_suite("small", [("ACBench/WorfBench-Embodied-v0", {"path": str(tmp_path / "gold")}), "ACB/Needle-v0"])
    settings = replace(prepare(["oracle", "random"], suite="small", episodes=4, level=1), suite=SUITE)
    result = run_comparison(settings, tmp_path / "run")
    assert [result.agents[0].scores[env].n for env in settings.envs] == [3, 4]
    (table,) = paper_tables(result)
    assert [[cell.text for cell in row][2:6] for row in table.rows] == [
        ["F1", "official WorfBench-Embodied", "3", "100.0"],
        ["accuracy", "stand-in Needle", "4", "100.0"],
    ]
    progress = Progress(tmp_path / "run").read()
    assert progress["totals"] == [3, 4]
    assert all(row["finished"] for row in progress["agents"])


def test_the_list_says_what_each_plays(tmp_path):
    workflow_rows(tmp_path / "gold", "os", 3)
    use_folder("worfbench", tmp_path / "gold")
    told = CliRunner().invoke(app, ["envs", "--suite", SUITE]).output
    assert re.search(r"ACBench/WorfBench-Embodied-v0 .* WorFBench embodied +official rows", told)
    assert re.search(r"ACB/Needle-v0 .* Needle in a haystack +a stand-in", told)
