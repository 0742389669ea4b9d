"""Logits to numbers: the fused float32 pass against the plain float64 metrics, ties, and rows that rank nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym import metrics
from acgym.probe.reduce import reduce_pair, reduce_rows
from acgym.probe.topk import top_ids

SEEDS = st.integers(0, 2**31)
FINE = settings(max_examples=40, deadline=None)


def logits(seed, n, vocab, levels=None):
    generator = torch.Generator().manual_seed(seed)
    if levels:
        return torch.randint(levels, (n, vocab), generator=generator).float()
    return torch.randn(n, vocab, generator=generator) * 4


@FINE
@given(SEEDS, st.integers(1, 400), st.integers(1, 25), st.sampled_from([None, 1, 2, 5, 40]))
def test_top_ids_are_those_of_a_stable_sort(seed, vocab, k, levels):
    k = min(k, vocab)
    z = logits(seed, 4, vocab, levels)
    assert torch.equal(top_ids(z, k), z.sort(dim=1, descending=True, stable=True).indices[:, :k])


def test_ties_across_chunks_go_to_the_lower_id():
    z = torch.zeros(1, 1000)
    z[0, [3, 17, 400, 998, 999]] = 1.0
    assert top_ids(z, 4).tolist() == [[3, 17, 400, 998]]
    assert top_ids(z, 7).tolist() == [[3, 17, 400, 998, 999, 0, 1]]


@FINE
@given(SEEDS, st.sampled_from([1, 2, 12, 60, 500]), st.sampled_from([0.0, 1e-3, 0.3, 5.0]), st.sampled_from([None, 3]))
def test_a_pair_is_what_the_metrics_say(seed, vocab, change, levels):
    dense = logits(seed, 5, vocab, levels)
    other = dense + change * logits(seed + 1, 5, vocab, levels)
    targets = torch.randint(vocab, (5,), generator=torch.Generator().manual_seed(seed))
    found = {name: column.double().numpy() for name, column in reduce_pair(dense, other, targets, 1.5).items()}
    near = lambda value: pytest.approx(value, rel=1e-4, abs=3e-6)  # noqa: E731
    assert found["energy"] == near(metrics.energy(other, T=1.5))
    assert found["energy_dense"] == near(metrics.energy(dense, T=1.5))
    for row in range(5):
        z, y = dense[row], other[row]
        assert found["nll"][row] == near(metrics.nll(y, int(targets[row])))
        assert found["kl"][row] == near(metrics.kl(z, y))
        assert found["js"][row] == near(metrics.js(z, y))
        assert found["flip"][row] == metrics.top1_flip(z, y)
        assert np.isnan(found["margin"][row]) if vocab == 1 else found["margin"][row] == near(metrics.margin(y)[0])
        for k in (3, 10, 20):
            if k > vocab:
                assert f"topk_jaccard@{k}" not in found
                continue
            assert found[f"topk_jaccard@{k}"][row] == near(metrics.topk_jaccard(z, y, k))
            for name, metric in (("kendall", metrics.topk_kendall), ("spearman", metrics.topk_spearman)):
                wanted, value = metric(z, y, k), found[f"topk_{name}@{k}"][row]
                assert np.isnan(value) if wanted is None else value == near(wanted)


def test_small_divergences_are_right_to_a_millionth():
    """Far below float32's resolution of the logits themselves, thanks to differences of centred logits."""
    dense = logits(0, 200, 3000)
    other = dense + 1e-3 * logits(1, 200, 3000)
    found = reduce_pair(dense, other, torch.zeros(200, dtype=torch.long))
    exact = np.array([metrics.kl(z, y) for z, y in zip(dense, other, strict=True)])
    assert np.abs(found["kl"].numpy() - exact).max() < 1e-6
    assert float(found["kl"].mean()) == pytest.approx(exact.mean(), rel=5e-3)
    assert 0 < exact.mean() < 1e-4


@FINE
@given(SEEDS, st.integers(2, 300))
def test_js_is_symmetric_and_bounded_and_zero_for_equals(seed, vocab):
    a, b = logits(seed, 6, vocab) * 5, logits(seed + 1, 6, vocab) * 5
    targets = torch.zeros(6, dtype=torch.long)
    one, two = reduce_pair(a, b, targets), reduce_pair(b, a, targets)
    torch.testing.assert_close(one["js"], two["js"], rtol=1e-4, atol=1e-6)
    assert 0 <= float(one["js"].min()) <= float(one["js"].max()) <= np.log(2) + 1e-7
    same = reduce_pair(a, a.clone(), targets)
    assert not same["kl"].any()
    assert not same["js"].any()
    assert not same["flip"].any()


def test_alone_says_the_same_of_a_model_as_the_pair():
    a, b = logits(0, 50, 70), logits(1, 50, 70)
    targets = torch.arange(50)
    pair = reduce_pair(a, b, targets, 0.7)
    assert all(torch.equal(column, pair[name]) for name, column in reduce_rows(b, targets, 0.7).items())


@pytest.mark.parametrize("vocab", [700, 5000, 32003])
@pytest.mark.parametrize("k", [2, 20])
def test_logits_of_16_bits_are_full_of_ties(vocab, k):
    z = (logits(vocab, 40, vocab) / 2).bfloat16().float()
    top = z.sort(dim=1, descending=True, stable=True)
    assert (top.values[:, k - 1] == top.values[:, k]).any()  # the border itself is a tie in some rows
    assert torch.equal(top_ids(z, k), top.indices[:, :k])
    spread = z[:, ::2]  # not contiguous
    assert torch.equal(top_ids(spread, k), spread.sort(dim=1, descending=True, stable=True).indices[:, :k])


def test_large_offsets_cost_no_precision():
    """Two models whose logits lie a thousand apart, which float32 holds to 6e-5: what they hold is compared exactly."""
    dense = logits(0, 50, 3000)
    other = dense + 0.05 * logits(1, 50, 3000) + 1000
    found = reduce_pair(dense, other, torch.zeros(50, dtype=torch.long))
    exact = np.array([(metrics.kl(z, y), metrics.js(z, y)) for z, y in zip(dense, other, strict=True)])
    assert exact[:, 0].min() > 0.001
    assert np.abs(found["kl"].numpy() - exact[:, 0]).max() < 1e-6
    assert np.abs(found["js"].numpy() - exact[:, 1]).max() < 1e-7
