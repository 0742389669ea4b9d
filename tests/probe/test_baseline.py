"""What a comparison keeps of the signals: an index of seed and turn, ranks of layers, and why something is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from acgym.agents.local import LocalAgent
from acgym.loop import play
from acgym.probe.baseline import Baseline, Tokens, layers_to_watch, probe_own, write_signals
from acgym.probe.run import probe_pair
from tests.helpers.small_agent import loaded

NEEDLE = "ACB/Needle-v0"
SEEDS = [4, 2, 9]


class Records:
    """A run of one agent."""

    def __init__(self, episodes):
        self.rows = episodes

    def episodes(self, agent):
        return self.rows


@pytest.fixture(scope="module")
def first():
    return LocalAgent(loaded(0), "first", max_new_tokens=5)


@pytest.fixture(scope="module")
def run(first):
    return Records(play(first, NEEDLE, SEEDS, kwargs={"level": 1}))


@pytest.fixture(scope="module")
def baseline(first, run):
    return Baseline.of(Tokens.of(run, "first"), first)


@pytest.fixture(scope="module")
def other():
    return LocalAgent(loaded(1), "other", max_new_tokens=5)


def test_arrays_say_seed_and_turn_and_what_was_lost(baseline, run, first, other, tmp_path):
    sheet, measured = baseline.measure(other, None)
    write_signals(measured, tmp_path)
    arrays = load_file(tmp_path / "signals.safetensors")
    found = {name.removeprefix(f"{NEEDLE}/"): array for name, array in arrays.items()}
    wanted = [
        (e.seed, i) for e in sorted(run.rows, key=lambda e: e.seed) for i, t in enumerate(e.turns) for _ in t.token_ids
    ]
    assert list(zip(found["seed"].tolist(), found["turn"].tolist(), strict=True)) == wanted
    assert found["episode/seed"].tolist() == found["episode_value/seed"].tolist() == sorted(SEEDS)
    lost = {name for name in found if name.startswith("episode/")}
    agreement = {f"topk_{name}@{k}" for name in ("jaccard", "kendall", "spearman") for k in (3, 10, 20)}
    names = {"seed", "erank", "diff_erank", "margin", "js", "energy_w1", "energy_ks"} | agreement
    assert lost == {f"episode/{name}" for name in names}
    for seed in SEEDS:
        of_seed = found["seed"] == seed
        at = found["episode_value/seed"] == seed
        assert found["episode_value/kl"][at] == pytest.approx(found["kl"][of_seed].mean(), rel=1e-5)
        assert found["episode/js"][at] == pytest.approx(found["js"][of_seed].mean(), rel=1e-5)
    own = baseline.own[NEEDLE].arrays["sequence/erank"]
    np.testing.assert_allclose(found["episode/erank"], own - found["sequence/erank"], rtol=1e-4)
    signals = sheet["by_env"][NEEDLE]
    assert set(signals["erank_layers"]) == {"1", "2"}
    json.dumps(sheet, allow_nan=False)


def test_the_first_agent_is_measured_once(baseline, first, monkeypatch):
    monkeypatch.setattr(first.model, "forward", None)  # its model is not asked again
    sheet, measured = baseline.measure(first, None)
    assert (measured[NEEDLE].kl, measured[NEEDLE].top1_flip) == (0, 0)
    assert "reason" not in sheet


def test_without_room_for_logits_the_signals_are_the_same(baseline, run, first, other, monkeypatch):
    monkeypatch.setattr("acgym.probe.baseline.MAX_LOGITS", 0)
    live = Baseline.of(Tokens.of(run, "first"), first)
    assert live.logits is None
    for agent in (first, other):
        kept, made = (y.measure(agent, first)[0]["by_env"] for y in (baseline, live))
        assert made == kept
    assert "too large to keep" in live.measure(other, None)[0]["reason"]


def test_a_broken_model_is_named_with_its_environment(baseline):
    broken = LocalAgent(loaded(1), "broken")
    with torch.no_grad():
        broken.model.lm_head.weight.fill_(torch.nan)
    sheet, measured = baseline.measure(broken, None)
    n = baseline.tokens.count
    assert sheet["reason"] == (
        f"the model's logits must be finite, but at {n} of {n} decision tokens they are not ({NEEDLE})"
    )
    assert (measured, sheet["by_env"]) == ({}, {})


def test_own_episodes_and_observations(run, first):
    own = probe_own(first, run)[NEEDLE]
    assert own.kl is None
    assert own.n_tokens == sum(len(t.token_ids) for e in run.rows for t in e.turns)
    assert own.arrays["turn/n"].sum() == own.n_tokens
    told = probe_own(first, run, observations=True, layers="final", temperature=2)[NEEDLE]
    assert told.n_tokens == sum(len(t.prompt_ids) for e in run.rows for t in e.turns) - len(SEEDS)
    assert (told.temperature, told.erank_layers) == (2, None)
    twice = probe_pair(first.model, first.model, Tokens.of(run, "first").by_env[NEEDLE], layers="all")
    assert twice.erank_layers == pytest.approx(own.erank_layers)


def test_wide_models_are_watched_at_some_layers(first):
    assert layers_to_watch(first.model.config) == "all"
    wide = type("Wide", (), {"config": replace_config(hidden_size=4096, num_hidden_layers=32)})
    assert layers_to_watch(wide.config) == [4, 8, 12, 16, 20, 24, 28, 32]
    flat = type("Flat", (), {"config": replace_config(hidden_size=4096, num_hidden_layers=3)})
    assert layers_to_watch(flat.config) == [1, 2, 3]


def replace_config(**changes):
    from transformers import LlamaConfig

    return LlamaConfig(**changes)
