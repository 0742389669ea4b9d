"""``acgym probe``: along own episodes and on the dense agent's, with other layers and temperature, resumed, refused."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from acgym.analysis.comparison import assemble_result
from acgym.analysis.probe_result import ProbeOptions, ProbeResult, own_signals
from acgym.assemble import models as compare_models
from acgym.assemble.make import agent as make_agent
from acgym.cli.app import app
from acgym.cli.probe import layers_of
from acgym.experiment.reprobe import probe_run
from acgym.experiment.run import run_comparison
from acgym.experiment.settings import prepare
from acgym.probe.baseline import probe_own
from acgym.record.run import Run
from acgym.report.page import render
from acgym.report.probe_grids import probe_grids, probe_notes
from tests.helpers.tiny import save_model

NEEDLE = "ACB/Needle-v0"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of a model, of it compressed, and of an agent without a model; the files of the model."""
    folder = tmp_path_factory.mktemp("made")
    model = f"hf:{save_model(folder / 'm')}"
    agents = [model, f"{model}+rtn-w3-g8", "oracle"]
    run_comparison(prepare(agents, [NEEDLE], episodes=3, level=1), folder / "run")
    return folder


@pytest.fixture
def run(made, tmp_path):
    from shutil import copytree

    return Run.read(copytree(made / "run", tmp_path / "run"))


def names(run):
    return run.settings["agents"]


def signals(result, number):
    return result.agents[number].signals.to_json()


def test_own_episodes_are_what_the_function_measures(run):
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    result = probe_run(run, [], ProbeOptions(own=True))
    for i, name in enumerate(names(run)[:2]):
        wanted = probe_own(make_agent(name), run)[NEEDLE]
        assert signals(result, i)["by_env"] == {NEEDLE: wanted.to_dict()}
        assert signals(result, i) == run.read_json("signals-own.json", name)
        arrays = load_file(run.folder(name) / "signals-own.safetensors")
        np.testing.assert_array_equal(arrays[f"{NEEDLE}/turn/nll"], wanted.arrays["turn/nll"])
        assert wanted.n_tokens == sum(len(turn.token_ids) for e in run.episodes(name) for turn in e.turns)
    assert signals(result, 2)["reason"] == "it has no model here"
    assert {path: path.read_bytes() for path in before} == before  # what was compared stays as it is
    assert ProbeResult.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_the_dense_agents_tokens_are_what_the_comparison_measured(run):
    result = probe_run(run, [], ProbeOptions())
    for i, name in enumerate(names(run)[:2]):
        kept = run.read_json("agent.json", name)["signals"]["by_env"]
        assert signals(result, i)["by_env"] == kept
    assert kept[NEEDLE]["kl"] > 0


def test_layers_temperature_and_told_tokens_are_chosen(run):
    plain, other = probe_run(run, [], ProbeOptions()), probe_run(run, [], ProbeOptions(layers="final", temperature=3.0))
    one, two = (signals(result, 1)["by_env"][NEEDLE] for result in (plain, other))
    assert (two["erank_layers"], two["temperature"], two["kl"]) == (None, 3.0, one["kl"])
    assert one["erank_layers"].keys() == {"1"}
    assert two["energy"] < one["energy"]
    told = signals(probe_run(run, names(run)[:1], ProbeOptions(own=True, told=True)), 0)["by_env"][NEEDLE]
    rows = run.episodes(names(run)[0])
    assert told["n_tokens"] == sum(len(turn.prompt_ids) for e in rows for turn in e.turns) - len(rows)
    assert (run.folder(names(run)[0]) / "signals-own-told.safetensors").is_file()


def test_what_was_measured_is_not_measured_again(run, monkeypatch):
    first = probe_run(run, names(run)[:1], ProbeOptions(own=True))
    loaded = []
    kept = compare_models.local
    monkeypatch.setattr(compare_models, "local", lambda *a: loaded.append(a[0].text) or kept(*a))
    assert probe_run(run, names(run)[:1], ProbeOptions(own=True)) == first
    assert loaded == []
    both = probe_run(run, [], ProbeOptions(own=True))  # as after an interruption: one of two was done
    assert (both.agents[0], loaded) == (first.agents[0], [names(run)[0]])
    probe_run(run, [], ProbeOptions(own=True, temperature=2.0))
    assert len(loaded) == 2
    file = run.folder(names(run)[1]) / "episodes.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))  # other tokens: measured anew
    assert signals(probe_run(run, [], ProbeOptions(own=True, temperature=2.0)), 1) != signals(both, 1)
    assert len(loaded) == 3


def test_what_cannot_be_is_refused(run, made):
    with pytest.raises(ValueError, match=r"no agent 'nobody'; it has hf:.*, oracle"):
        probe_run(run, ["nobody"], ProbeOptions())
    with pytest.raises(ValueError, match="layer 9 is none of the model's 1"):
        probe_run(run, [], ProbeOptions(own=True, layers=(9,)))
    with pytest.raises(ValueError, match="temperature must be above 0, got 0"):
        probe_run(run, ["oracle"], ProbeOptions(temperature=0))
    changed = Run(run.path, {**run.settings, "models": dict.fromkeys(run.settings["models"], "0" * 16)})
    with pytest.raises(ValueError, match="not those that the run was made with"):
        probe_run(changed, [], ProbeOptions(own=True))


@pytest.mark.parametrize(
    ("text", "layers"), [(None, None), ("all", "all"), ("final", "final"), ("3", (3,)), ("1, 6,12", (1, 6, 12))]
)
def test_layers_option(text, layers):
    assert layers_of(text) == layers


@pytest.mark.parametrize("text", ["last", "0", "1,,2", "1,x", "-1", ""])
def test_wrong_layers_are_refused(text):
    with pytest.raises(ValueError, match="--layers must be all, final, or numbers from 1"):
        layers_of(text)


def test_tables(run):
    find = partial(probe_run, run, [])
    signals_of, layers = probe_grids(find(ProbeOptions(own=True)))
    assert signals_of.title == f"{NEEDLE}: tokens generated in its own episodes"
    assert [len(row) for row in signals_of.rows] == [8] * 3
    assert [cell.text for cell in signals_of.rows[2]] == ["oracle", *["-"] * 7]
    assert (layers.heads, len(layers.rows)) == (("agent", "1"), 2)
    compared = probe_grids(find(ProbeOptions(layers="final", told=True)))
    assert [(len(grid.heads), grid.title) for grid in compared] == [
        (15, f"{NEEDLE}: tokens told in the episodes of {names(run)[0]}")
    ]
    assert [cell.text for cell in compared[0].rows[0]][8:] == ["0.000", "0.0000", "0.0000", "0.0", *["1.000"] * 3]
    notes = probe_notes(find(ProbeOptions(own=True, temperature=2.0)))
    assert "different texts" in notes[0]
    assert notes[1:] == ["Energies at temperature 2.", "- oracle: it has no model here."]


def test_the_report_shows_what_was_measured_along_own_episodes(run):
    assert own_signals(run, names(run)) is None
    result = probe_run(run, names(run)[:1], ProbeOptions(own=True, layers="final"))
    found = own_signals(run, names(run))
    [grid] = probe_grids(found)
    assert grid == probe_grids(replace(result, agents=found.agents))[0]
    assert [row[1].text for row in grid.rows] == [grid.rows[0][1].text, "-", "-"]
    assert [note for note in probe_notes(found) if note.endswith("oracle: not measured.")]
    page = render(assemble_result(run), run)
    assert '<section id="own">' in page
    assert f"{NEEDLE}: tokens generated in its own episodes" in page


def acgym(*words):
    done = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [str(word) for word in words])
    return done.exit_code, " ".join(done.stdout.split()), " ".join(done.stderr.split())


@pytest.mark.slow
def test_command_on_the_reference_agent(tmp_path):
    play = [
        "reference",
        "reference+rtn-w2",
        "--env",
        NEEDLE,
        "--episodes",
        2,
        "--workers",
        1,
        "--out",
        tmp_path / "run",
    ]
    assert acgym("compare", *play)[0] == 0
    status, out, err = acgym("probe", tmp_path / "run", "--own")
    assert status == 0, err
    assert f"{NEEDLE}: tokens generated in its own episodes" in out
    assert f"{NEEDLE}: effective rank behind layer agent 1 2 3 4" in out
    assert (tmp_path / "run" / "reference%2Brtn-w2-g128" / "signals-own.json").is_file()
    assert "tokens generated in its own episodes" in (tmp_path / "run" / "report.html").read_text()
    assert acgym("probe", tmp_path / "run", "--own")[1] == out
    status, _, err = acgym("probe", tmp_path / "run", "--layers", "5")
    assert (status, "layer 5 is none of the model's 4" in err) == (2, True)
    assert acgym("probe", tmp_path)[0] == 2
