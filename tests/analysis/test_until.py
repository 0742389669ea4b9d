"""Stopping by itself: where the looks lie, what a look says, when play ends, that it resumes; and the noise floor."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import pairwise

import pytest

from acgym.analysis.numbers import Comparison, NotMeasured
from acgym.analysis.until import at_any_time, look, look_pooled, looks, may_stop
from acgym.assemble.spec import parse_spec
from acgym.experiment.run import prepare, run_comparison
from acgym.record.run import Run, RunExists
from acgym.report.grids import grids
from acgym.report.legend import legend
from acgym.statistics.sequential import confidence_sequence, sequential_p
from acgym.typed import from_json
from tests.helpers.results import comparison_row
from tests.helpers.scored import episode, failed
from tests.helpers.tiny import save_model
from tests.helpers.toys import ECHO

NEEDLE = "ACB/Needle-v0"


def test_looks_grow_and_end_at_the_limit():
    assert looks(160) == [25, 50, 75, 100, 125, 157, 160]
    assert looks(10) == [10]
    assert looks(25) == [25]
    far = looks(100_000)
    assert len(far) < 50
    assert all(b / a > 1.24 for a, b in pairwise(far[4:-1]))


def runs(gains, env="A/B-v0", **fields):
    """Episodes of a dense and another agent whose success differs by -1, 0 or 1."""
    dense = [episode(i, gain <= 0, env=env, **fields) for i, gain in enumerate(gains)]
    other = [episode(i, gain >= 0, env=env, agent="other", **fields) for i, gain in enumerate(gains)]
    return dense, other


def seen(gains, until=0.02, **fields):
    dense, other = runs(gains, **fields)
    return look({"A/B-v0": dense}, {"A/B-v0": other}, until)["A/B-v0"]


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([-1] * 20, "loss"),
        ([1] * 20, "gain"),
        ([0] * 20, "open"),
        ([0] * 900, "narrow"),
        ([1] * 300 + [-1] * 300, "drift"),
    ],
)
def test_verdicts(gains, verdict):
    found = seen(gains)
    assert found.verdict == verdict
    assert found.n == found.tasks == len(gains)
    assert may_stop({"A/B-v0": found}) == (verdict != "open")
    assert found.success_interval == confidence_sequence(gains)
    assert found.p == found.p_holm == sequential_p(gains)


def test_values_come_by_seed_and_not_by_finishing():
    gains = [-1] * 4 + [0] * 100 + [1] * 4
    dense, other = runs(gains)
    shuffled = look({"e": dense[::-1]}, {"e": other[::-1]}, 0.02)["e"]
    assert shuffled.success_interval == confidence_sequence(gains)
    assert shuffled.success_interval != confidence_sequence(gains[::-1])


def test_a_repeated_task_counts_once_and_a_failed_pair_not_at_all():
    dense, other = runs([-1] * 12)
    again = [replace(e, task_hash="one") for e in dense], [replace(e, task_hash="one") for e in other]
    found = look({"e": again[0]}, {"e": again[1]}, 0.02)["e"]
    assert (found.n, found.tasks, found.verdict) == (12, 1, "open")
    gone = look({"e": [*dense, episode(12)]}, {"e": [*other, failed(12, agent="other")]}, 0.02)["e"]
    assert gone == seen([-1] * 12)
    assert look({"e": [failed(0)]}, {"e": [failed(0, agent="other")]}, 0.02) == {}
    assert may_stop({})
    with pytest.raises(ValueError, match="only pairs can be compared"):
        look({"e": dense}, {"e": other[:-1]}, 0.02)


def test_several_environments_share_the_level():
    (dense, other), (quiet, same) = runs([-1] * 14 + [0] * 30), runs([0] * 44)
    both = look({"a": dense, "b": quiet}, {"a": other, "b": same}, 0.02)
    assert both["a"].confidence == 0.975
    assert both["a"].success_interval == confidence_sequence([-1] * 14 + [0] * 30, 0.975)
    assert both["a"].p_holm == 2 * both["a"].p
    pooled = look_pooled({"a": dense, "b": quiet}, {"a": other, "b": same}, 0.02)
    assert pooled.success_interval == confidence_sequence([-0.5] * 14 + [0] * 30)
    assert (pooled.n, pooled.confidence, pooled.p_holm) == (44, 0.95, None)


def test_a_row_says_what_holds_at_any_time():
    row = from_json(Comparison, comparison_row(n=20, n_failed=1, p=0.01, p_holm=0.01, detectable_drop=0.1))
    stated = at_any_time(row, seen([0] * 20))
    assert stated.success_interval == stated.anytime.success_interval != row.success_interval
    assert (stated.p, stated.detectable_drop, stated.anytime.verdict) == (1.0, None, "open")
    assert (stated.p_mid, stated.p_mid_holm) == (None, None)
    drifted = at_any_time(row, seen([1] * 300 + [-1] * 300))
    assert "no one mean" in drifted.reason
    assert drifted.n_failed == 1
    assert at_any_time(NotMeasured("x", n_failed=3), None).n_failed == 3


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = prepare(["oracle", "silent", "random"], [ECHO], level=1, until=0.1, episodes=90)
    return folder, settings, run_comparison(settings, folder)


def test_play_ends_when_nothing_is_open(stopped):
    folder, _, result = stopped
    run = Run.read(folder)
    assert [len(run.episodes(name)) for name in ("oracle", "silent", "random")] == [25, 25, 25]
    assert result.to_json()["agents"][1]["comparisons"][ECHO]["anytime"]["verdict"] == "loss"
    assert run.settings["until"] == 0.1
    first = grids(result)[0]
    assert "at most 90 episodes" in first.title
    assert first.note.startswith("a loss is clear: silent, random")
    assert "anytime-valid" in legend(result)[0]


def test_same_command_decides_the_same(stopped, tmp_path):
    folder, settings, result = stopped
    assert run_comparison(settings, folder) == result
    shutil.copytree(folder, tmp_path / "torn")
    torn = Run.read(tmp_path / "torn")
    shutil.rmtree(torn.folder("random"))
    lines = (torn.folder("oracle") / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    (torn.folder("oracle") / "episodes.jsonl").write_bytes(b"".join(lines[:9]) + lines[9][:30])
    again = run_comparison(settings, tmp_path / "torn")
    for before, after in zip(result.to_json()["agents"], again.to_json()["agents"], strict=True):
        assert after["comparisons"] == before["comparisons"]
    with pytest.raises(RunExists, match="until"):
        run_comparison(prepare(["oracle", "silent", "random"], [ECHO], level=1, episodes=90), folder)


def test_what_stays_open_is_played_to_the_limit(tmp_path):
    settings = prepare(["oracle", "random", "silent"], [ECHO], level=1, until=0.001, episodes=30)
    result = run_comparison(settings, tmp_path / "run")
    assert {agent["scores"][ECHO]["n"] for agent in result.to_json()["agents"]} == {25}
    twin = f"replay:{Run.read(tmp_path / 'run').folder('oracle')}/episodes.jsonl"
    same = run_comparison(prepare(["oracle", twin], [ECHO], level=1, until=0.001, episodes=20), tmp_path / "same")
    assert same.to_json()["agents"][1]["comparisons"][ECHO]["anytime"]["verdict"] == "open"
    assert "still open" in grids(same)[0].note


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"until": 2}, "half-width of an interval between 0 and 1"),
        ({"agents": ["oracle"], "until": 0.02}, "name a second agent"),
        ({"episodes": 0, "until": 0.02}, "episodes must be from 1"),
        ({"noise_floor": True}, "played again it does the same"),
    ],
)
def test_bad_request_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        prepare(**{"agents": ["oracle", "random"], "envs": [ECHO], **given})


def test_defaults():
    assert prepare(["oracle", "random"], [ECHO], until=0.02).episodes == 5000
    plain = prepare(["oracle"], [ECHO])
    assert plain.episodes == 100
    assert "until" not in plain.to_dict()  # runs from before there was one go on


def test_noise_floor_is_the_dense_model_played_again(tmp_path):
    save_model(tmp_path / "m")
    spec = f"hf:{tmp_path}/m"
    assert parse_spec(f"{spec}+rtn-w4@rerun").base.text == spec
    settings = prepare([spec, f"{spec}+rtn-w2-g32"], [NEEDLE], episodes=3, level=1, noise_floor=True)
    assert settings.agents == (spec, f"{spec}@rerun", f"{spec}+rtn-w2-g32")
    result = run_comparison(settings, tmp_path / "run")
    again = result.to_json()["agents"][1]
    assert result.to_json()["noise_floor"] == again["name"] == f"{spec}@rerun"
    assert again["sheet"]["rerun"]["max_batch"] < again["sheet"]["rerun"]["max_batch_before"]
    assert (again["comparisons"][NEEDLE]["lost"], again["signals"][NEEDLE]["kl"]) == (0, 0.0)
    assert "played again differs from itself by +0.0 points, 0 lost and 0 won of 3." in grids(result)[0].note
    assert result.to_json()["prediction"]["recipes"][NEEDLE]["kl"]["n"] == 1  # a re-run is no recipe
