"""The prediction section: which signals go with what, which token belongs to which episode, and nothing made up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from acgym.analysis.proxy import BY_RECIPE, prediction
from acgym.record.run import Run
from tests.helpers.results import SIGNALS, comparison_row
from tests.helpers.results import agent as read_agent
from tests.helpers.scored import episode, turn

ENV = "A/B-v0"


def signals(**changes):
    plain = {"erank": 50.0, "diff_erank": 5.0, "nll": 1.0, "energy": -3.0, "energy_shift": 0.0, "margin": 4.0}
    names = ("energy_abs_shift", "energy_w1", "energy_ks", "kl", "js", "top1_flip")
    agreement = {f"topk_{name}": {"3": 1.0, "10": 1.0, "20": None} for name in ("jaccard", "kendall", "spearman")}
    return {**SIGNALS, **plain, **dict.fromkeys(names, 0.0), **agreement, **changes}


def agent(name, lost=None, **changes):
    row = {} if lost is None else {ENV: comparison_row(success_difference=-lost)}
    sheet = {"signals": {"tokens_sha256": "1", "episodes": 25}}
    return {"name": name, "sheet": sheet, "comparisons": row, "signals": {ENV: signals(**changes)}}


def told(run, agents, played):
    return prediction(run, [read_agent(row) for row in agents], played)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, {"envs": {ENV: {}}})


def test_larger_always_means_more_damage(run):
    worse = [
        agent(
            f"r{i}",
            0.1 * i,
            erank=50.0 - i,
            diff_erank=5 - i,
            nll=1.0 + i,
            energy_shift=(-1) ** i * 1.0 * i,
            topk_jaccard={"3": 1 - 0.1 * i, "10": None, "20": None},
            kl=0.1 * i,
            js=0.05 * i,
            margin=4.0 - i,
        )
        for i in range(5)
    ]
    found = told(run, [agent("dense"), *worse], {"dense": [], **{a["name"]: [] for a in worse}})
    table = found["recipes"][ENV]
    assert set(table) == set(BY_RECIPE)
    for name in ("erank", "diff_erank", "nll", "energy_shift", "topk_jaccard@3", "kl", "js", "margin"):
        assert table[name]["kendall"] == pytest.approx(1)
    assert table["topk_jaccard@10"]["reason"].startswith("0 recipes")
    assert "same amount in all 5" in table["top1_flip"]["reason"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_rerun_is_no_recipe_and_no_signals_are_no_section(run):
    again = agent("dense@rerun", 0.0)
    again["sheet"]["rerun"] = {"max_batch": 1}
    some = [agent(f"r{i}", 0.1 * i, kl=float(i)) for i in range(3)]
    empty = {a["name"]: [] for a in (agent("dense"), again, *some)}
    assert told(run, [agent("dense"), again, *some], empty)["recipes"][ENV]["kl"]["n"] == 3
    blind = [{**a, "signals": {ENV: None}} for a in some]
    assert told(run, [agent("dense"), *blind], empty) is None


def test_a_run_from_before_a_signal_was_measured_lacks_it(run):
    old = [agent("dense"), *(agent(f"r{i}", 0.1 * i, kl=float(i)) for i in range(3))]
    for one in old:
        del one["signals"][ENV]["js"], one["signals"][ENV]["margin"]
    table = told(run, old, {a["name"]: [] for a in old})["recipes"][ENV]
    assert table["kl"]["kendall"] == pytest.approx(1)
    assert (table["js"]["n"], table["margin"]["kendall"]) == (0, None)


def tokens(values, energy=None):
    """Two decision tokens an episode; the sequence index counts the episodes with tokens."""
    n = len(values)
    kl = np.repeat(np.array(values, np.float32), 2)
    zero = np.zeros(2 * n, np.float32)
    flat = {"kl": kl, "nll": zero, "energy": zero, "energy_dense": zero, "flip": zero.astype(np.uint8)}
    flat["sequence"] = np.repeat(np.arange(n, dtype=np.int32), 2)
    flat |= {} if energy is None else {"energy": np.array(energy, np.float32)}
    return {f"{ENV}/{name}": array for name, array in flat.items()}


def write(run, name, arrays):
    run.folder(name).mkdir(parents=True)
    save_file(arrays, run.folder(name) / "signals.safetensors")


def test_each_token_counts_for_its_own_episode(run):
    """Episode 1 has no tokens, 4 was not solved by the dense agent; 0 and 3 are lost and have the largest KL."""
    success, still = [1, 1, 1, 1, 0, 1], [0, 1, 1, 0, 0, 1]
    dense = [
        episode(i, bool(s), env=ENV, turns=[turn(tokens=None if i == 1 else 2)], agent="dense")
        for i, s in enumerate(success)
    ]
    other = [episode(i, bool(s), env=ENV, agent="r") for i, s in enumerate(still)]
    played = {"dense": dense[::-1], "r": other}
    write(run, "dense", tokens([0.0] * 5))
    write(run, "r", tokens([0.9, 0.1, 0.8, 5.0, 0.2]))  # seeds 0, 2, 3, 4, 5
    found = told(run, [agent("dense"), agent("r", 0.3)], played)["episodes"]
    assert (found["kl"]["n"], found["kl"]["n_lost"], found["kl"]["auroc"]) == (4, 2, 1.0)
    assert "same in all episodes" in found["top1_flip"]["reason"]
    stale = agent("r", 0.3)
    stale["sheet"]["signals"]["tokens_sha256"] = "2"
    assert told(run, [agent("dense"), stale], played)["episodes"]["kl"]["n"] == 0


def test_a_shift_is_the_size_of_the_mean_and_an_absolute_shift_the_mean_of_sizes(run):
    """Episode 0 is lost: its energies move most, but up and down; those of episode 1 move together."""
    dense = [episode(i, True, env=ENV, turns=[turn(tokens=2)], agent="dense") for i in range(2)]
    other = [episode(i, i == 1, env=ENV, agent="r") for i in range(2)]
    write(run, "dense", tokens([0.0] * 2))
    write(run, "r", tokens([0.0] * 2, energy=[3.0, -3.0, -1.0, -1.0]))
    found = told(run, [agent("dense"), agent("r", 0.5)], {"dense": dense, "r": other})["episodes"]
    assert (found["energy_shift"]["auroc"], found["energy_abs_shift"]["auroc"]) == (0.0, 1.0)


def test_values_kept_by_episode_are_used(run):
    dense = [episode(i, True, env=ENV, agent="dense") for i in range(4)]
    other = [episode(i, i != 2, env=ENV, agent="r") for i in range(4)]
    write(run, "dense", {f"{ENV}/other": np.zeros(1, np.float32)})
    kept = {f"{ENV}/episode/seed": np.arange(4), f"{ENV}/episode/erank": np.array([1, 2, 9, np.nan], np.float32)}
    write(run, "r", kept)
    found = told(run, [agent("dense"), agent("r", 0.2)], {"dense": dense, "r": other})["episodes"]
    assert (found["erank"]["n"], found["erank"]["auroc"]) == (3, 1.0)
