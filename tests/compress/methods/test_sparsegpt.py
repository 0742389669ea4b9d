"""SparseGPT against optimal brain surgery column by column, its counts, and its error beside magnitude pruning's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.compress import Statistics, compress, parse
from acgym.compress.methods.magnitude import magnitude
from acgym.compress.methods.masks import smallest
from acgym.compress.methods.sparsegpt import sparsegpt
from acgym.compress.options.weights import SparseGptOptions, Sparsity
from acgym.compress.walk.collector import Collector, capture
from acgym.compress.walk.layers import decoder_layers
from acgym.compress.walk.projections import projections
from tests.helpers.compress_models import linears, make, text


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def correlated(features, tokens=400, seed=1):
    """Inputs X, (features, tokens), whose features are correlated and of different sizes."""
    mixing = normal(features, features, seed=seed) / features**0.5 + torch.eye(features, dtype=torch.float64)
    return torch.exp(normal(features, 1, seed=seed + 1)) * (mixing @ normal(features, tokens, seed=seed + 2))


def seen(x):
    return Statistics(x.shape[1], x.square().sum(1), x @ x.T)


def pruned(weight, x, sparsity, **options):
    return sparsegpt(weight, seen(x), SparseGptOptions(sparsity, **options)).weight


def output_error(weight, got, x):
    return float(((got - weight) @ x).square().sum() / (weight @ x).square().sum())


def surgeon(weight, x, sparsity, damp=0.01, block=128):
    """The paper's algorithm without its speed-ups: a fresh inverse of the Hessian of the columns left, for each column.

    Saliency w^2 / [H^-1]_cc^2 has, in the authors' code, the Cholesky factor's diagonal: its square is the first entry
    of the inverse of the Hessian of the columns from c on.
    """
    w = weight.numpy().astype(np.float64).copy()
    rows, count = w.shape
    h = 2 * (x @ x.T).numpy()
    h += damp * h.diagonal().mean() * np.eye(count)
    first = [np.linalg.inv(h[c:, c:])[0] for c in range(count)]  # row of [H_F]^-1 for each c, F = columns from c on
    pivot = np.array([row[0] for row in first])
    keep = np.ones_like(w, bool)
    step = sparsity[1] if isinstance(sparsity, tuple) else block
    marked = 0
    for c in range(count):
        if c % step == 0:
            score = w[:, c : c + step] ** 2 / pivot[c : c + step]
            if isinstance(sparsity, tuple):
                for r in range(rows):
                    keep[r, c + np.argsort(score[r], kind="stable")[: step - sparsity[0]]] = False
            else:
                size = score.shape[1]
                k = int(rows * (c + size) * sparsity / 100) - marked
                marked += k
                for at in np.argsort(score, axis=None, kind="stable")[:k]:
                    keep[at // size, c + at % size] = False
        for r in range(rows):
            if not keep[r, c]:  # OBS: delta = -w_c / [H^-1]_cc * H^-1_{:,c}
                w[r, c:] -= w[r, c] / pivot[c] * first[c]
                w[r, c] = 0.0
    return torch.from_numpy(w)


@pytest.mark.parametrize("sparsity", [50.0, 30.0, 70.0, (2, 4), (4, 8), (1, 4), (1, 3), (16, 32), (80, 160)])
def test_equals_optimal_brain_surgery_column_by_column(sparsity):
    columns = {(1, 3): 300, (80, 160): 320}.get(sparsity, 288)  # more than two blocks, the last one ragged
    weight, x = normal(6, columns), correlated(columns, 600)
    got = pruned(weight, x, sparsity)
    expected = surgeon(weight, x, sparsity)
    assert torch.equal(got == 0, expected == 0)
    assert torch.allclose(got, expected, atol=1e-8)


def test_worked_by_hand():
    # H = 2 * [[2, 1], [1, 2]], no damping: H^-1 = [[2, -1], [-1, 2]] / 6. The factor's squared diagonal is 1/3 and 1/4,
    # so the scores are 3 w1^2 and 4 w2^2. Zeroing w1 moves w2 by -w1 * (-1/6) / (1/3) = w1 / 2.
    gram = torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    weight = torch.tensor([[1.0, 3.0], [1.0, -0.8], [1.1, 1.0]], dtype=torch.float64)
    got = sparsegpt(weight, Statistics(1, None, gram), SparseGptOptions((1, 2), damp=0.0)).weight
    assert torch.allclose(got, torch.tensor([[0.0, 3.5], [1.0, 0.0], [0.0, 1.55]], dtype=torch.float64))


@given(st.integers(0, 10**6), st.sampled_from([0.0, 10.0, 33.3, 50.0, 99.9]), st.integers(1, 200), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_exactly_so_many_zeros(seed, share, columns, rows):
    weight, x = normal(rows, columns, seed=seed), correlated(columns, 50, seed=seed)
    weight = torch.where(weight == 0, torch.ones_like(weight), weight)
    assert int((pruned(weight, x, share) == 0).sum()) == Sparsity(share).zeros(weight.numel())


@given(st.integers(0, 10**6), st.sampled_from([(2, 4), (4, 8), (1, 4), (3, 4), (1, 2), (4, 4)]))
@settings(max_examples=30, deadline=None)
def test_every_group_keeps_exactly_n(seed, pattern):
    x = correlated(48, 100, seed=seed)
    x[seed % 48] = 0.0  # a dead input is pruned first, and counts
    got = pruned(normal(5, 48, seed=seed), x, pattern)
    assert ((got.reshape(-1, pattern[1]) != 0).sum(1) == pattern[0]).all()


def test_equal_weights_are_cut_at_the_exact_count():
    weight = torch.ones(4, 130, dtype=torch.float64)
    got = sparsegpt(weight, Statistics(1, None, torch.eye(130, dtype=torch.float64)), SparseGptOptions(25.0)).weight
    assert int((got == 0).sum()) == 130


def test_a_ragged_tail_is_refused():
    with pytest.raises(ValueError, match="groups of 4 do not divide its 10 input features"):
        pruned(torch.ones(2, 10, dtype=torch.float64), torch.ones(10, 3, dtype=torch.float64), (2, 4))
    with pytest.raises(ValueError, match=r"sparsegpt-3:7 does not fit .*groups of 7 do not divide its 64"):
        compress(make(), "sparsegpt-3:7", text())


def test_uncorrelated_inputs_of_one_size_leave_magnitude_pruning():
    weight, eye = normal(8, 128), Statistics(1, None, torch.eye(128, dtype=torch.float64))
    assert torch.equal(
        sparsegpt(weight, eye, SparseGptOptions(50.0)).weight, magnitude(weight, eye, Sparsity(50.0)).weight
    )


@pytest.mark.parametrize("sparsity", [50.0, (2, 4), (4, 8)])
def test_errs_less_than_magnitude_on_every_projection_of_a_model(sparsity):
    model = make()
    layers = decoder_layers(model)
    with torch.no_grad():
        replay = capture(model, list(layers.values()), text())
        for index, layer in enumerate(layers.values()):
            collector = Collector(projections(layer), "hessian")
            with collector.collecting():
                replay.hidden = replay.run(index, layer)
            for name, linear in projections(layer).items():
                seen, weight = collector.statistics[name], linear.weight.detach()
                errors = []
                for method, options in ((sparsegpt, SparseGptOptions(sparsity)), (magnitude, Sparsity(sparsity))):
                    delta = method(weight.clone(), seen, options).weight - weight
                    errors.append(float((delta @ seen.gram * delta).sum()))
                assert errors[0] < errors[1], name


def test_half_precision_of_the_result_is_that_of_the_sweep():
    weight, x = normal(16, 256), correlated(256, 500)
    exact = pruned(weight, x, 50.0)
    single = sparsegpt(weight.float(), Statistics(500, None, (x @ x.T).float()), SparseGptOptions(50.0)).weight
    assert single.dtype == torch.float32
    assert ((single == 0) != (exact == 0)).double().mean() < 0.01
    assert output_error(weight, single.double(), x) < 1.01 * output_error(weight, exact, x)


def test_the_scale_of_the_inputs_does_not_matter():
    weight, x = normal(6, 128), correlated(128)
    x[5] = 0  # a dead input must not bring a scale in
    assert torch.equal(pruned(weight, x, 50.0), pruned(weight, x * 4.0**5, 50.0))


def test_dead_inputs_go_first_and_are_noted():
    weight, x = normal(6, 128), correlated(128)
    x[[3, 77]] = 0
    got = sparsegpt(weight, seen(x), SparseGptOptions(10.0))
    assert got.notes == ("2 of 128 inputs are dead (zero on every calibration token)",)
    assert (got.weight[:, [3, 77]] == 0).all()
    assert int((got.weight == 0).sum()) == 76


def test_no_calibration_signal_at_all_still_ends():
    got = sparsegpt(normal(3, 128), seen(torch.zeros(128, 5, dtype=torch.float64)), SparseGptOptions((2, 4)))
    assert ((got.weight.reshape(-1, 4) != 0).sum(1) == 2).all()
    assert "128 of 128 inputs are dead" in got.notes[0]


def test_a_singular_hessian_raises_the_damping_and_says_so():
    weight, x = normal(6, 128), correlated(128, tokens=20)
    got = sparsegpt(weight, seen(x), SparseGptOptions(50.0, damp=0.0))
    assert got.notes == ("damping raised from 0 to 0.01: the Hessian is singular",)
    assert torch.equal(got.weight, pruned(weight, x, 50.0))


def test_recipe_prunes_a_model():
    assert str(parse("sparsegpt-damp0.05-50")) == "sparsegpt-50-damp0.05"
    with pytest.raises(ValueError, match="damping is a share from 0 to 1"):
        parse("sparsegpt-50-damp2")
    with pytest.raises(ValueError, match="does not say its sparsity"):
        parse("sparsegpt")
    model = make()
    record = compress(model, "sparsegpt-2:4", text())
    assert record.sparsity == 0.5
    assert record.bits_per_weight == 16.0
    for linear in linears(model).values():
        assert ((linear.weight.reshape(-1, 4) != 0).sum(1) <= 2).all()


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=12), st.integers(0, 12))
@settings(deadline=None)
def test_the_k_smallest_are_those_of_a_stable_sort(values, k):
    k = min(k, len(values))
    expected = sorted(range(len(values)), key=lambda i: (values[i], i))[:k]
    assert smallest(torch.tensor(values, dtype=torch.float32), k).nonzero().flatten().tolist() == sorted(expected)


@pytest.mark.parametrize("columns", [1, 4, 8, 9])
@pytest.mark.parametrize("rows", [3, 5000])
def test_rows_are_marked_alike_however_many_there_are(rows, columns):
    scores = torch.randint(0, 4, (rows, columns), generator=torch.Generator().manual_seed(columns)).float()  # many ties
    for k in range(columns + 1):
        first = scores.argsort(dim=1, stable=True)[:, :k]
        expected = torch.zeros(rows, columns, dtype=torch.bool).scatter_(1, first, True)
        assert torch.equal(smallest(scores, k), expected), k
