"""The probe on tiny random models: a model against itself, the naive full forward, batches, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from scipy import stats

from acgym import metrics
from acgym.probe.run import DenseLogits, Signals, decision_sequences, probe, probe_pair, remember
from acgym.record.episode import Episode, Turn
from tests.helpers.probed import VOCAB, make, random_sequences


def naive(model, sequences):
    """One full forward a sequence, without batches, masks or hooks: logits, hidden states and targets, by sequence."""
    rows = []
    for ids, spans in sequences:
        at = [t for start, end in spans for t in range(start, end)]
        with torch.no_grad():
            out = model(torch.tensor([ids]), output_hidden_states=True)
        before = [t - 1 for t in at]
        rows.append((out.logits[0, before], out.hidden_states[-1][0, before], [ids[t] for t in at]))
    return rows


@pytest.fixture(scope="module")
def pair():
    return make(0), make(1)


@pytest.fixture(scope="module")
def sequences():
    return random_sequences()


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma2"])
def test_signals_equal_the_metrics_of_a_naive_forward(kind, sequences):
    dense, other = make(0, kind), make(1, kind)
    signals = probe_pair(dense, other, sequences, batch_tokens=80)
    rows_dense, rows = naive(dense, sequences), naive(other, sequences)
    z_dense, z = torch.cat([r[0] for r in rows_dense]), torch.cat([r[0] for r in rows])
    targets = [t for r in rows for t in r[2]]
    energies = metrics.energy(z_dense), metrics.energy(z)
    shift = energies[1] - energies[0]
    near = lambda value: pytest.approx(value, rel=2e-4, abs=2e-5)  # noqa: E731
    assert (signals.n_tokens, signals.n_sequences) == (len(z), len(sequences))
    assert signals.erank == near(metrics.erank(torch.cat([r[1] for r in rows])))
    assert signals.diff_erank == near(np.mean([metrics.diff_erank(r[1]) for r in rows]))
    assert signals.energy == near(energies[1].mean())
    assert signals.nll == near(metrics.nll(z, targets))
    assert signals.perplexity == near(metrics.perplexity(z, targets)) == pytest.approx(np.exp(signals.nll))
    assert signals.margin == near(metrics.margin(z).mean())
    assert signals.kl == near(metrics.kl(z_dense, z))
    assert signals.js == near(metrics.js(z_dense, z))
    assert signals.top1_flip == metrics.top1_flip(z_dense, z)
    for k in (3, 10, 20):
        assert signals.topk_jaccard[k] == near(metrics.topk_jaccard(z_dense, z, k))
        assert signals.topk_kendall[k] == near(metrics.topk_kendall(z_dense, z, k))
        assert signals.topk_spearman[k] == near(metrics.topk_spearman(z_dense, z, k))
    assert (signals.energy_shift, signals.energy_abs_shift) == (near(shift.mean()), near(np.abs(shift).mean()))
    assert signals.energy_w1 == near(stats.wasserstein_distance(*energies))
    assert signals.energy_ks == pytest.approx(stats.ks_2samp(*energies).statistic, abs=1e-9)
    assert signals.arrays["energy"] == near(energies[1])
    assert signals.arrays["energy_dense"] == near(energies[0])
    assert signals.arrays["margin_dense"] == near(metrics.margin(z_dense))
    for k in (3, 10, 20):
        assert signals.arrays[f"topk_kendall@{k}"][5] == near(metrics.topk_kendall(z_dense[5], z[5], k))
    ranks = [(metrics.erank(r[1]), metrics.diff_erank(r[1])) for r in rows]
    assert list(signals.arrays["sequence/index"]) == list(range(len(sequences)))
    assert signals.arrays["sequence/erank"] == near([r[0] for r in ranks])
    assert signals.arrays["sequence/diff_erank"] == near([r[1] for r in ranks])


def test_a_model_against_itself(pair, sequences):
    signals = probe_pair(pair[0], pair[0], sequences)
    assert (signals.kl, signals.js, signals.top1_flip, signals.energy_shift, signals.energy_abs_shift) == (0,) * 5
    assert (signals.energy_w1, signals.energy_ks) == (0, 0)
    for by_k in (signals.topk_jaccard, signals.topk_kendall, signals.topk_spearman):
        assert by_k == pytest.approx({3: 1, 10: 1, 20: 1})


def test_an_equal_model_is_a_model_against_itself(sequences):
    """The one short cut of the probe, a model object given twice, says what two equal models say."""
    model, twin = make(0), make(0)
    alike, same = probe_pair(model, twin, sequences), probe_pair(model, model, sequences)
    assert alike.to_dict() == same.to_dict() == remember(model, sequences).signals.to_dict()


def test_another_model_differs(pair, sequences):
    signals = probe_pair(*pair, sequences)
    assert signals.kl > 0.1
    assert signals.top1_flip > 0.5
    assert signals.topk_jaccard[3] < 0.5


def test_batches_do_not_change_the_result(pair, sequences):
    one = probe_pair(*pair, sequences, batch_tokens=1)
    for batch_tokens in (60, 100_000):
        many = probe_pair(*pair, sequences, batch_tokens)
        for name, column in one.arrays.items():
            np.testing.assert_allclose(many.arrays[name], column, rtol=1e-4, atol=1e-5)
        assert many.erank == pytest.approx(one.erank, rel=1e-5)
        assert many.diff_erank == pytest.approx(one.diff_erank, rel=1e-5)
        assert many.topk_kendall == pytest.approx(one.topk_kendall, abs=1e-4)


def test_blocks_do_not_change_the_result(pair, sequences, monkeypatch):
    whole = probe_pair(*pair, sequences).to_dict()
    monkeypatch.setattr("acgym.probe.run.HEAD_BLOCK", 3 * VOCAB)
    monkeypatch.setattr("acgym.probe.run.HEAD_ROWS", 1)
    monkeypatch.setattr("acgym.probe.reduce.BLOCK", 2 * VOCAB)
    cut = probe_pair(*pair, sequences).to_dict()
    for name in ("kl", "js", "energy", "margin"):
        assert cut[name] == pytest.approx(whole[name], rel=1e-5)
    assert cut["topk_spearman"] == pytest.approx(whole["topk_spearman"], rel=1e-5)


def test_layers_are_those_that_transformers_shows(pair, sequences):
    signals = probe(pair[0], sequences, batch_tokens=60, layers="all")
    states = {1: [], 2: []}
    for ids, spans in sequences:
        at = [t - 1 for start, end in spans for t in range(start, end)]
        with torch.no_grad():
            shown = pair[0](torch.tensor([ids]), output_hidden_states=True).hidden_states
            states[1].append(shown[1][0, at])
            hook = pair[0].model.layers[1].register_forward_hook(lambda _, __, out, at=at: states[2].append(out[0, at]))
            pair[0](torch.tensor([ids]))
            hook.remove()
    for layer, rows in states.items():
        assert signals.erank_layers[layer] == pytest.approx(metrics.erank(torch.cat(rows)), rel=1e-4)
    assert signals.erank != pytest.approx(signals.erank_layers[2], rel=1e-3)  # the norm lies between them
    assert probe(pair[0], sequences, layers=[2]).erank_layers == pytest.approx({2: signals.erank_layers[2]}, rel=1e-4)
    assert probe(pair[0], sequences).erank_layers is None
    for layers, words in (([3], "layer 3 is none of the model's 2"), ([0], "count from 1"), ("last", "'final', 'all'")):
        with pytest.raises(ValueError, match=words):
            probe(pair[0], sequences, layers=layers)


def test_energy_at_a_temperature(pair, sequences):
    signals = probe_pair(*pair, sequences, temperature=2.5)
    z = torch.cat([r[0] for r in naive(pair[1], sequences)])
    assert signals.energy == pytest.approx(metrics.energy(z, T=2.5).mean(), rel=1e-4)
    assert (signals.temperature, signals.nll) == (2.5, probe(pair[1], sequences).nll)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        probe(pair[0], sequences, temperature=0)


def test_columns_name_the_token_that_was_predicted(pair, sequences):
    arrays = probe(pair[0], sequences, batch_tokens=50).arrays
    expected = [(i, t) for i, (_, spans) in enumerate(sequences) for start, end in spans for t in range(start, end)]
    assert list(zip(arrays["sequence"], arrays["position"], strict=True)) == expected
    rows = naive(pair[0], sequences)
    expected_nll = [metrics.nll(z, t) for logits, _, ids in rows for z, t in zip(logits, ids, strict=True)]
    assert arrays["nll"] == pytest.approx(expected_nll, rel=1e-4, abs=1e-5)


def test_tokens_after_the_last_decision_and_outside_spans_do_not_matter(pair):
    ids = list(range(20))
    short = probe(pair[0], [(ids[:12], [(5, 12)])])
    long = probe(pair[0], [(ids, [(5, 12)])])
    assert short.to_dict() == long.to_dict()


def test_remembered_logits_give_the_same_as_the_model(pair, sequences):
    dense = remember(pair[0], sequences, batch_tokens=90)
    assert isinstance(dense, DenseLogits)
    there, live = probe_pair(dense, pair[1], sequences, 90), probe_pair(*pair, sequences, 90)
    assert there.to_dict() == live.to_dict()
    with pytest.raises(ValueError, match="of other sequences"):
        probe_pair(dense, pair[1], sequences[:-1], 90)


def test_remembering_too_much_is_refused(pair, sequences, monkeypatch):
    monkeypatch.setattr("acgym.probe.run.MAX_REMEMBERED", 1000)
    with pytest.raises(ValueError, match="more than 1,000; pass the model itself"):
        remember(pair[0], sequences)


def test_probing_alone_measures_no_comparison(pair, sequences):
    alone, both = probe(pair[1], sequences), probe_pair(*pair, sequences)
    assert (alone.erank, alone.diff_erank, alone.energy, alone.nll) == (
        both.erank,
        both.diff_erank,
        both.energy,
        both.nll,
    )
    assert [name for name, value in alone.to_dict().items() if value is None] == [
        "erank_layers", "energy_shift", "energy_abs_shift", "energy_w1", "energy_ks", "topk_jaccard", "topk_kendall",
        "topk_spearman", "kl", "js", "top1_flip",
    ]  # fmt: skip
    kept = {name for name in alone.arrays if not name.startswith("sequence")}
    assert kept == {"position", "energy", "nll", "margin"}


def test_bfloat16_models_are_measured(sequences):
    signals = probe_pair(make(0), make(0).to(torch.bfloat16), sequences)
    assert 0 < signals.kl < 0.05
    assert signals.topk_jaccard[20] > 0.8


def test_a_vocabulary_under_k_is_not_measured_at_k():
    small = make(0, vocab=12)
    signals = probe_pair(small, small, [([1, 2, 3, 4], [(1, 4)])])
    assert signals.topk_jaccard == pytest.approx({3: 1, 10: 1, 20: None})
    assert (signals.topk_kendall[20], signals.topk_spearman[20]) == (None, None)


def test_one_token_has_no_rank(pair):
    signals = probe(pair[0], [([1, 2, 3], [(2, 3)])])
    assert (signals.n_tokens, signals.erank, signals.diff_erank) == (1, None, None)
    assert np.isnan(signals.arrays["sequence/erank"]).all()
    assert signals.perplexity == pytest.approx(np.exp(signals.nll))


def test_round_trips(pair, sequences):
    signals = probe_pair(*pair, sequences)
    arrays = load(save(dict(signals.arrays)))
    again = Signals.from_dict(json.loads(json.dumps(signals.to_dict(), allow_nan=False)), arrays)
    assert again == signals
    assert all(np.array_equal(again.arrays[name], column) for name, column in signals.arrays.items())


def test_the_model_is_left_as_it_was(pair, sequences):
    probe(pair[0], sequences)
    with torch.no_grad():
        assert pair[0](torch.tensor([[1, 2, 3]])).logits.shape == (1, 3, VOCAB)


# --- decision tokens


def turn(kept: int, prompt: range, reply: range) -> Turn:
    return Turn("user", "o", "t", "a", 0.0, 0.0, False, None, "stop", 0.0, kept, tuple(prompt), tuple(reply))


def episode(*turns: Turn, outcome: str = "finished") -> Episode:
    same = ("ACB/X-v0", MappingProxyType({}), "eval", 0, "a", "hash", "kind", (), None, None)
    return Episode(*same, turns, "", outcome, None, True, 1.0, False, 0.0)  # type: ignore[arg-type]


def test_every_generated_token_is_in_one_span():
    growing = episode(turn(0, range(0, 3), range(3, 5)), turn(5, range(5, 6), range(6, 9)))
    assert decision_sequences([growing]) == [(list(range(9)), [(3, 5), (6, 9)])]
    # the third prompt keeps the first reply and rewrites the second, which therefore stands in the first sequence only
    rewritten = episode(
        turn(0, range(0, 3), range(3, 5)), turn(5, range(5, 6), range(6, 9)), turn(6, range(20, 22), range(30, 31))
    )
    assert decision_sequences([rewritten]) == [
        (list(range(9)), [(3, 5), (6, 9)]),
        ([0, 1, 2, 3, 4, 5, 20, 21, 30], [(8, 9)]),
    ]


def test_episodes_without_tokens_or_failed_give_nothing():
    silent = turn(0, range(3), range(0))
    scripted = replace(silent, prompt_ids=None, token_ids=None)
    broken = episode(turn(0, range(3), range(3, 5)), outcome="failed")
    assert decision_sequences([episode(silent), episode(scripted), broken, episode()]) == []
