"""Repeated sampling: other draws in each sample, the same ones whenever it is played, nothing played twice, pass@k."""

from __future__ import annotations

import gc
import json

import pytest
from typer.testing import CliRunner

from acgym.analysis.repeats_result import RepeatsResult
from acgym.assemble import models as compare_models
from acgym.assemble.make import agent as make_agent
from acgym.cli.app import app
from acgym.cli.repeat import with_temperature
from acgym.experiment.repeats import ks_of, run_repeats
from acgym.experiment.settings import prepare
from acgym.listener import Listener
from acgym.loop import play
from acgym.record.replay import replay
from acgym.record.run import Run, RunExists, folder_name
from acgym.report.repeat_grids import repeat_grids
from tests.helpers.runs import bare, lines
from tests.helpers.tiny import save_model

NEEDLE = "ACB/Needle-v0"
TOOLS = "ACB/ToolCall-v0"
SAMPLES = 3


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return f"hf:{save_model(tmp_path_factory.mktemp('model') / 'm')}"


@pytest.fixture(scope="module")
def settings(model):
    return prepare([model, f"{model}+rtn-w2-g8"], [NEEDLE, TOOLS], episodes=3, level=1, decoding={"temperature": 1.5})


@pytest.fixture(scope="module")
def played(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, run_repeats(settings, folder, SAMPLES)


def texts(folder, sample, agent):
    rows = Run.read(folder / f"sample-{sample}").episodes(agent)
    return {(row.env, row.seed): [turn.text for turn in row.turns] for row in rows}


@pytest.mark.slow
def test_each_sample_is_a_run_with_other_draws(played, settings):
    folder, result = played
    assert sorted(path.name for path in folder.iterdir()) == ["repeats.json", "sample-1", "sample-2", "sample-3"]
    assert result.sampling_seeds == (0, 1, 2)
    for agent in settings.agents:
        said = [texts(folder, sample, agent) for sample in (1, 2, 3)]
        assert set(said[0]) == {(env, seed) for env in (NEEDLE, TOOLS) for seed in range(3)}
        assert said[0] != said[1] != said[2] != said[0]
        for sample in (1, 2, 3):
            assert replay(Run.read(folder / f"sample-{sample}").episodes(agent)).mismatches == ()


def test_a_sample_is_what_an_agent_with_its_seed_plays(played, settings):
    """Also of the compressed agent, although both are loaded once for all samples."""
    folder, _ = played
    for name in settings.agents:
        alone = make_agent(name, decoding={"temperature": 1.5, "seed": 2})
        for env in (NEEDLE, TOOLS):
            rows = play(alone, env, range(3), kwargs={"level": 1})
            assert {(row.env, row.seed): [turn.text for turn in row.turns] for row in rows}.items() <= texts(
                folder, 3, name
            ).items()
        sheet = Run.read(folder / "sample-3").read_json("agent.json", name)
        assert sheet["facts"]["decoding"] == {"temperature": 1.5, "seed": 2}
        assert sheet["play"]["episodes"] == 6


def test_a_model_is_loaded_and_compressed_once(settings, tmp_path, monkeypatch):
    made = []
    for name in ("local", "compressed"):
        kept = getattr(compare_models, name)
        monkeypatch.setattr(compare_models, name, lambda *a, kept=kept, name=name: made.append(name) or kept(*a))
    run_repeats(settings, tmp_path / "run", 2)
    assert made == ["local", "compressed"]


class Impatient(Listener):
    """Interrupts when so many episodes were heard of."""

    def __init__(self, patience):
        self.patience = patience
        self.heard = []

    def playing(self, agent, env, done, total):
        self.heard.append((agent, env, done, total))
        if len(self.heard) == self.patience:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_interrupted_it_goes_on_and_comes_to_the_same(played, settings, tmp_path):
    folder = tmp_path / "run"
    for patience in (9, 14):
        with pytest.raises(KeyboardInterrupt):
            run_repeats(settings, folder, SAMPLES, Impatient(patience))
        gc.collect()  # the finalisers of what was interrupted run here, not in the middle of another test
    result = run_repeats(settings, folder, SAMPLES)
    assert result == played[1] == RepeatsResult.from_json(json.loads((folder / "repeats.json").read_text()))
    for sample in (1, 2, 3):
        for name in map(folder_name, settings.agents):
            ours, theirs = (
                sorted(json.dumps(bare(json.loads(line))) for line in lines(where / f"sample-{sample}", name))
                for where in (folder, played[0])
            )
            assert ours == theirs


@pytest.mark.slow
def test_more_samples_are_added_and_nothing_is_played_again(settings, tmp_path):
    folder = tmp_path / "run"
    run_repeats(settings, folder, 2)
    before = {path: path.read_bytes() for path in folder.glob("*/*/episodes.jsonl")}
    assert len(before) == 4
    heard = Impatient(0)
    result = run_repeats(settings, folder, 3, heard)
    assert {path: path.read_bytes() for path in before} == before
    assert result.samples == 3
    assert {env for _, env, done, _ in heard.heard if done < 3} == {f"{env}, sample 3 of 3" for env in (NEEDLE, TOOLS)}
    with pytest.raises(RunExists, match=r"other settings: .*episodes is 3 there and 2 now"):
        run_repeats(prepare(settings.agents, [NEEDLE], episodes=2, decoding={"temperature": 1.5}), folder, 2)


def test_a_run_of_another_kind_is_not_written_into(settings, tmp_path):
    with Run.open(tmp_path / "run", {"agents": ["oracle"]}):
        pass
    with pytest.raises(RunExists, match="holds a run that was played once"):
        run_repeats(settings, tmp_path / "run", 2)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("change", "samples", "words"),
    [
        ({}, 1, "from 2 to 1,000, got 1"),
        ({"decoding": {}}, 2, "greedy replies are the same each time"),
        ({"agents": ("oracle",)}, 2, "'oracle' plays the same each time"),
        ({"until": 0.1}, 2, "drop until"),
    ],
)
def test_what_cannot_be_sampled_is_refused_before_anything_is_written(settings, tmp_path, change, samples, words):
    from dataclasses import replace

    with pytest.raises(ValueError, match=words):
        run_repeats(replace(settings, **change), tmp_path / "run", samples)
    assert not (tmp_path / "run").exists()


def test_ks():
    assert [ks_of(samples) for samples in (2, 3, 4, 5, 8, 10)] == [
        [1, 2], [1, 2, 3], [1, 2, 4], [1, 2, 4, 5], [1, 2, 4, 8], [1, 2, 4, 8, 10]
    ]  # fmt: skip


def estimate(value, low, high, left_out=0):
    interval = {"low": low, "high": high}
    return {"k": 1, "any_of_k": value, "any_interval": interval, "all_of_k": value, "all_interval": interval,
            "tasks": 9 - left_out, "left_out": left_out}  # fmt: skip


def test_table_by_hand():
    lost = {"k": 1, "tasks": 9, "any_of_k": -0.25, "any_interval": {"low": -0.5, "high": -0.125}, "all_of_k": 0.0,
            "all_interval": {"low": -0.25, "high": 0.25}}  # fmt: skip
    none = dict.fromkeys(("any_of_k", "any_interval", "all_of_k", "all_interval"))
    agents = [
        {"name": "a", "repeats": {"E/nv-v0": {"1": estimate(0.5, 0.25, 0.75), "2": estimate(1.0, 0.5, 1.0)}}},
        {"name": "a\x1b+b", "repeats": {"E/nv-v0": {"1": estimate(0.25, 0, 1), "2": {**estimate(0, 0, 0, 2), **none}}},
         "differences": {"E/nv-v0": {"1": lost, "2": None}}},
    ]  # fmt: skip
    settings = {"agents": ["a", "a\x1b+b"], "envs": {"E/nv-v0": {}}, "episodes": 9, "decoding": {"temperature": 0.5}}
    written = {"settings": settings, "samples": 2, "sampling_seeds": [0, 1], "k": [1, 2], "dense": "a"}
    read = RepeatsResult.from_json({**written, "agents": agents})
    assert read.to_json() == {**written, "settings": {"seed": 0, "rows": {}, **settings}, "agents": agents}
    [grid] = repeat_grids(read)
    assert grid.title == "E/nv-v0, 2 samples of each episode, temperature 0.5"
    assert [head.split("\n")[0] for head in grid.heads] == ["agent", "episodes", "pass@1", "pass@2", "pass^2"]
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["a", "9", "50.0 (25.0 to 75.0)", "100.0 (50.0 to 100.0)", "100.0 (50.0 to 100.0)"],
        ["a\\x1b+b", "7", "25.0 (0.0 to 100.0)\n-25.0 (-50.0 to -12.5)", "-", "-"],
    ]
    assert [cell.tone for cell in grid.rows[1]] == ["", "", "loss", "", ""]
    assert grid.note.endswith("left out of k = 2: a\\x1b+b 2.")


def test_a_file_that_is_not_what_it_should_be_is_said():
    one = {"name": "a", "repeats": {"E/nv-v0": {"1": estimate(0.5, 0.25, 0.75)}}}
    written = {"settings": {"agents": ["a"], "envs": {"E/nv-v0": {}}, "episodes": 9}, "samples": 2, "k": [1],
               "sampling_seeds": [0, 1], "dense": "a", "agents": [one]}  # fmt: skip
    with pytest.raises(ValueError, match=r"repeats\.json is of format 9, this acgym reads up to 1"):
        RepeatsResult.from_json({**written, "version": 9})
    one["repeats"]["E/nv-v0"]["1"]["tasks"] = "9"
    with pytest.raises(ValueError, match=r"agents\[0\]\.repeats\.E/nv-v0\.1\.tasks must be a whole number, got '9'"):
        RepeatsResult.from_json(written)


def test_a_temperature_is_said_once():
    assert with_temperature({}, None) == {"temperature": 0.7}
    assert with_temperature({"top_p": 0.9}, 1.0) == {"top_p": 0.9, "temperature": 1.0}
    assert with_temperature({"temperature": 0.2}, None) == with_temperature({"temperature": 0.2}, 0.2)
    with pytest.raises(ValueError, match=r"twice: 1 and 0\.2"):
        with_temperature({"temperature": 0.2}, 1.0)


def acgym(*words):
    done = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [str(word) for word in words])
    return done.exit_code, " ".join(done.stdout.split()), " ".join(done.stderr.split())


def test_command_on_the_reference_agent(tmp_path):
    words = ["repeat", "reference", "reference+rtn-w2", "--env", NEEDLE, "--episodes", 4, "--samples", 2]
    words += ["--temperature", "0.5", "--out", tmp_path / "run"]
    status, out, err = acgym(*words)
    assert status == 0, err
    result = json.loads((tmp_path / "run" / "repeats.json").read_text())
    dense, other = result["agents"]
    assert dense["repeats"][NEEDLE]["2"]["all_of_k"] == 1.0
    lost = other["differences"]["all"]["2"]
    assert lost["all_of_k"] == other["repeats"]["all"]["2"]["all_of_k"] - 1
    assert lost["all_interval"]["low"] < lost["all_of_k"] <= lost["all_interval"]["high"]
    assert f"{NEEDLE}, 2 samples of each episode, temperature 0.5" in out
    assert "pass@1 pass@2 pass^2" in out
    assert acgym(*words)[1] == out
    assert "temperature above 0" in acgym("repeat", "reference", "--temperature", 0, "--env", NEEDLE)[2]
