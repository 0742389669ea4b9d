"""The methods as pure functions: grids, RTN, pruning masks, and GPTQ against a column-by-column reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.compress.methods.gptq import _order, gptq, inverse_factor
from acgym.compress.methods.grid import fake_quantise, grid, quantise_groups
from acgym.compress.methods.magnitude import magnitude
from acgym.compress.methods.rtn import rtn
from acgym.compress.methods.statistics import Statistics
from acgym.compress.methods.wanda import wanda, wanda_mask
from acgym.compress.options.weights import Affine, GptqOptions, Sparsity

NONE = Statistics()


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def correlated(features, tokens=400, seed=1):
    """Inputs X, (features, tokens), whose features are correlated and of different sizes."""
    mixing = normal(features, features, seed=seed) / features**0.5 + torch.eye(features, dtype=torch.float64)
    sizes = torch.exp(normal(features, 1, seed=seed + 1))
    return sizes * (mixing @ normal(features, tokens, seed=seed + 2))


def seen(x):
    return Statistics(x.shape[1], x.square().sum(1), x @ x.T)


def test_asymmetric_grid_worked_by_hand():
    scale, zero = grid(torch.tensor([[-1.0, 0.0, 0.4, 2.0]]), 2, symmetric=False)
    assert scale.item() == 1.0  # (2 - -1) / 3
    assert zero.item() == 1.0
    got = fake_quantise(torch.tensor([[-1.0, 0.0, 0.4, 2.0]]), scale, zero, 2)
    assert got.tolist() == [[-1.0, 0.0, 0.0, 2.0]]


def test_symmetric_grid_worked_by_hand():
    weight = torch.tensor([[-3.0, -1.1, 0.9, 1.0]])
    scale, zero = grid(weight, 2, symmetric=True)
    assert (scale.item(), zero.item()) == (2.0, 2.0)  # 2 * 3 / 3
    assert fake_quantise(weight, scale, zero, 2).tolist() == [[-4.0, -2.0, 0.0, 0.0]]  # -1.5, 0.5: halves to even


@given(st.integers(0, 10**6), st.sampled_from([2, 3, 4, 8]), st.booleans(), st.sampled_from([1e-6, 1.0, 1e6]))
@settings(max_examples=60, deadline=None)
def test_rounding_moves_no_weight_by_more_than_half_a_step(seed, bits, symmetric, size):
    weight = normal(4, 32, seed=seed) * size
    scale, _ = grid(weight.reshape(4, 2, 16), bits, symmetric)
    got = quantise_groups(weight, bits, 16, symmetric)
    # An asymmetric grid has its zero point rounded to it, which shifts the ends by up to half a step more.
    reach = 0.5 if symmetric else 1.0
    assert ((got - weight).reshape(4, 2, 16).abs() <= scale * (reach + 1e-9)).all()
    assert all(len(group.unique()) <= 2**bits for group in got.reshape(8, 16))


@given(st.integers(0, 10**6), st.sampled_from([2, 3, 4, 8]))
@settings(max_examples=40, deadline=None)
def test_a_weight_already_on_its_grid_stays(seed, bits):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**bits, (3, 2, 32))
    codes[..., 0], codes[..., 1] = 0, 2**bits - 1
    weight = torch.from_numpy((codes - int(rng.integers(0, 2**bits))) * 0.25).reshape(3, 64)
    assert torch.allclose(quantise_groups(weight, bits, 32, symmetric=False), weight, atol=1e-12)


def test_groups_of_zeros_and_of_one_sign_are_finite():
    weight = torch.stack(
        [torch.zeros(16), torch.linspace(1, 2, 16), torch.linspace(-2, -1, 16), torch.full((16,), 5.0)]
    )
    for symmetric in (True, False):
        got = quantise_groups(weight, 8, 16, symmetric)
        assert torch.allclose(got, weight, atol=0.02)
        assert (got[0] == 0).all()
        scale, zero = grid(weight, 8, symmetric)
        assert ((zero >= 0) & (zero <= 255)).all()
        assert (fake_quantise(torch.zeros(4, 1), scale, zero, 8) == 0).all()


@pytest.mark.parametrize("method", [rtn, gptq])
def test_sixteen_bits_are_the_identity(method):
    weight = normal(5, 12, dtype=torch.float32)
    options = GptqOptions(16)
    assert torch.equal(method(weight, seen(correlated(12)), options).weight, weight)


def test_a_group_that_does_not_divide_names_the_sizes_that_do():
    with pytest.raises(ValueError, match=r"groups of 128 do not divide its 96 .* use g8, g12, g16, .*g48, channel"):
        rtn(normal(4, 96), NONE, Affine(4))


def brute_force_mask(scores, k):
    """The k smallest of each row, ties to the lower index, by Python's sort of (score, index)."""
    mask = np.zeros(scores.shape, bool)
    for row, values in enumerate(scores):
        mask[row, [i for _, i in sorted((v, i) for i, v in enumerate(values))[:k]]] = True
    return mask


WHOLE = st.integers(-3, 3)  # few values, so that ties are common


@given(
    st.lists(st.lists(WHOLE, min_size=8, max_size=8), min_size=1, max_size=5),
    st.lists(st.integers(0, 2), min_size=8, max_size=8),
    st.sampled_from([0.0, 25.0, 30.0, 50.0, 99.0]),
)
@settings(deadline=None)
def test_wanda_prunes_exactly_k_per_row_by_the_formula(rows, squares, share):
    weight = torch.tensor(rows, dtype=torch.float64)
    norm = torch.tensor(squares, dtype=torch.float64).sqrt()
    mask = wanda_mask(weight, norm, Sparsity(share))
    k = int(8 * share / 100)
    assert (mask.sum(1) == k).all()
    assert np.array_equal(mask.numpy(), brute_force_mask((weight.abs() * norm).numpy(), k))


@given(st.lists(WHOLE, min_size=48, max_size=48), st.sampled_from([(2, 4), (4, 8), (1, 4), (3, 4), (1, 2)]))
@settings(deadline=None)
def test_n_of_m_keeps_exactly_n_in_every_group(values, pattern):
    n, m = pattern
    weight = torch.tensor(values, dtype=torch.float64).reshape(2, 24) + 10  # no zero of its own
    for got in (
        magnitude(weight, NONE, Sparsity(pattern)).weight,
        wanda(weight, Statistics(1, torch.arange(1.0, 25.0)), Sparsity(pattern)).weight,
    ):
        assert ((got.reshape(-1, m) != 0).sum(1) == n).all()
        assert torch.equal(got[got != 0], weight[got != 0])


def test_wanda_worked_by_hand():
    weight = torch.tensor([[4.0, -1.0, 3.0, 2.0], [1.0, 1.0, -1.0, 1.0]])
    norms_squared = torch.tensor([1.0, 100.0, 1.0, 4.0])  # scores 4, 10, 3, 4 and 1, 10, 1, 2
    got = wanda(weight, Statistics(1, norms_squared), Sparsity(50.0)).weight
    assert got.tolist() == [[0.0, -1.0, 0.0, 2.0], [0.0, 1.0, 0.0, 1.0]]


def test_magnitude_compares_within_the_whole_matrix():
    weight = torch.tensor([[1.0, 2.0, -3.0, 4.0], [-5.0, 6.0, 7.0, -8.0]])
    got = magnitude(weight, NONE, Sparsity(50.0)).weight
    assert got.tolist() == [[0.0] * 4, [-5.0, 6.0, 7.0, -8.0]]
    ties = magnitude(torch.ones(2, 3), NONE, Sparsity(50.0)).weight
    assert ties.tolist() == [[0.0] * 3, [1.0] * 3]


def test_a_ragged_tail_is_refused():
    for method in (magnitude, wanda):
        with pytest.raises(ValueError, match="groups of 4 do not divide its 10 input features"):
            method(torch.ones(2, 10), Statistics(1, torch.ones(10)), Sparsity((2, 4)))


def test_a_statistic_that_was_not_collected_is_named():
    with pytest.raises(ValueError, match="needs='norm'"):
        wanda(torch.ones(2, 8), NONE, Sparsity(50.0))
    with pytest.raises(ValueError, match="needs='hessian'"):
        gptq(torch.ones(2, 128), NONE, GptqOptions(4))


def by_groups(diagonal, size):
    """Columns sorted within groups, and the groups by their largest, one after the other."""
    groups = [list(range(start, start + size)) for start in range(0, len(diagonal), size)]
    groups = [sorted(group, key=lambda column: -diagonal[column]) for group in groups]
    return np.concatenate(sorted(groups, key=lambda group: -diagonal[group[0]]))


def obq_reference(weight, x, options):
    """GPTQ column by column with the dense inverse Hessian, eliminated one variable at a time, in float64 NumPy."""
    w = weight.numpy().astype(np.float64).copy()
    columns = w.shape[1]
    h = 2 * (x @ x.T).numpy()
    order = np.argsort(-h.diagonal(), kind="stable") if options.act_order else np.arange(columns)
    if options.group_order and not options.act_order:
        order = by_groups(h.diagonal(), columns if options.group == -1 else options.group)
    w, h = w[:, order], h[np.ix_(order, order)]
    inverse = np.linalg.inv(h + options.damp * h.diagonal().mean() * np.eye(columns))
    size = columns if options.group == -1 else options.group
    top = 2**options.bits - 1

    def numpy_grid(values):
        low, high = np.minimum(values.min(1), 0), np.maximum(values.max(1), 0)
        if options.symmetric:
            high = np.maximum(high, -low)
            return 2 * high / top, np.full_like(high, (top + 1) // 2)
        scale = (high - low) / top
        return scale, np.round(-low / scale)

    fixed = [numpy_grid(weight.numpy()[:, i : i + size]) for i in range(0, columns, size)]
    for i in range(columns):
        if options.static_groups:
            scale, zero = fixed[order[i] // size]
        elif i % size == 0:
            scale, zero = numpy_grid(w[:, i : i + size])
        rounded = scale * (np.clip(np.round(w[:, i] / scale) + zero, 0, top) - zero)
        error = (w[:, i] - rounded) / inverse[i, i]
        w[:, i + 1 :] -= np.outer(error, inverse[i, i + 1 :])
        w[:, i] = rounded
        inverse -= np.outer(inverse[:, i], inverse[i]) / inverse[i, i]
    return torch.from_numpy(w[:, np.argsort(order)])


def equal_but_for_ties(got, wanted, symmetric):
    """Compare weights; of symmetric groups a few rows may go another way.

    The largest weight of a symmetric group lies half way between two codes (scale = 2 max / top), so that the last bit
    of a sum, which differs between processors and numbers of threads, decides; the rest of its row follows.
    """
    same = (got - wanted).abs().amax(1) <= 1e-9
    return float(same.double().mean()) >= (0.75 if symmetric else 1.0)


@pytest.mark.parametrize("act_order", [False, True])
@pytest.mark.parametrize(
    ("group", "symmetric", "static"),
    [
        (-1, False, False),
        (128, False, False),
        (64, True, False),
        (48, False, True),
        (96, False, False),
        (192, False, False),
    ],
)
def test_gptq_equals_the_column_by_column_algorithm(act_order, group, symmetric, static):
    columns = 288 if group in (48, 96, -1) else 384  # more than two blocks
    weight, x = normal(12, columns), correlated(columns, 500)
    options = GptqOptions(3, group, symmetric, act_order, static, 0.01, group_order=False)
    got = gptq(weight, seen(x), options)
    assert got.notes == ()
    assert equal_but_for_ties(got.weight, obq_reference(weight, x, options), symmetric)


@pytest.mark.parametrize(("group", "static"), [(128, False), (32, False), (48, True), (192, False), (-1, False)])
@pytest.mark.parametrize("symmetric", [False, True])
def test_gptq_with_reordered_groups_equals_the_column_by_column_algorithm(group, static, symmetric):
    columns = 288 if group in (48, -1) else 384
    weight, x = normal(12, columns), correlated(columns, 500)
    options = GptqOptions(3, group, symmetric, static_groups=static, group_order=True)
    got = gptq(weight, seen(x), options)
    assert equal_but_for_ties(got.weight, obq_reference(weight, x, options), symmetric)
    size = columns if group == -1 else group
    assert torch.equal(got.grid.groups, torch.arange(columns) // size)  # neighbours: no list of them is needed
    assert torch.allclose(got.grid.weight(got.grid.codes(got.weight)), got.weight, atol=1e-12)


def test_the_order_of_groups_by_hand():
    diagonal = torch.tensor([1.0, 5.0, 2.0, 2.0, 7.0, 7.0, 0.0, 5.0])
    order = _order(diagonal, GptqOptions(4, 2, group_order=True))
    assert order.places.tolist() == [4, 5, 1, 0, 7, 6, 2, 3]
    assert _order(diagonal, GptqOptions(4, 2, act_order=True, group_order=True)).places.tolist()[:2] == [4, 5]
    assert _order(diagonal, GptqOptions(4, 2, group_order=False)).places is None


def test_orders_do_not_share_a_factor():
    weight, x = normal(6, 64), correlated(64, 200)
    together = seen(x)
    for options in (GptqOptions(3, 32, group_order=False), GptqOptions(3, 32), GptqOptions(3, 16)):
        assert torch.equal(gptq(weight, together, options).weight, gptq(weight, seen(x), options).weight)


def test_gptq_in_float32_agrees_with_float64_on_almost_every_weight():
    weight, x = normal(32, 128), correlated(128)
    exact = gptq(weight, seen(x), GptqOptions(4)).weight
    single = gptq(weight.float(), Statistics(400, None, (x @ x.T).float()), GptqOptions(4)).weight
    assert single.dtype == torch.float32
    assert ((single - exact).abs() > 1e-4).double().mean() < 0.01  # a rare weight sits on a rounding boundary


def output_error(weight, got, x):
    return float(((got - weight) @ x).square().sum() / (weight @ x).square().sum())


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize(
    "options", [{}, {"symmetric": True}, {"act_order": True}, {"group": -1, "static_groups": True}]
)
def test_gptq_errs_less_than_rtn(bits, options):
    for seed in range(3):
        weight, x = normal(24, 128, seed=seed), correlated(128, seed=10 + seed)
        chosen = GptqOptions(bits, **options)
        plain = rtn(weight, NONE, Affine(bits, chosen.group, chosen.symmetric)).weight
        assert output_error(weight, gptq(weight, seen(x), chosen).weight, x) < 0.8 * output_error(weight, plain, x)


def test_gptq_with_uncorrelated_inputs_is_rtn():
    weight = normal(8, 128)
    statistics = Statistics(1, None, torch.diag(torch.linspace(1, 9, 128, dtype=torch.float64)))
    expected = rtn(weight, NONE, Affine(3)).weight
    assert torch.equal(gptq(weight, statistics, GptqOptions(3)).weight, expected)


@given(st.integers(-6, 6))
@settings(max_examples=10, deadline=None)
def test_gptq_does_not_depend_on_the_scale_of_the_inputs(power):
    weight, x = normal(6, 128), correlated(128)
    x[5] = 0  # a dead input must not bring a scale in
    assert torch.equal(
        gptq(weight, seen(x), GptqOptions(4)).weight, gptq(weight, seen(x * 4.0**power), GptqOptions(4)).weight
    )


def test_dead_inputs_become_zero_and_are_noted():
    weight, x = normal(6, 128), correlated(128)
    x[[3, 77]] = 0
    got = gptq(weight, seen(x), GptqOptions(4, act_order=True))
    assert got.notes == ("2 of 128 inputs are dead (zero on every calibration token)",)
    assert (got.weight[:, [3, 77]] == 0).all()
    assert (got.weight[:, :3] != 0).any()


def test_a_singular_hessian_raises_the_damping_and_says_so():
    weight, x = normal(6, 128), correlated(128, tokens=20)
    got = gptq(weight, seen(x), GptqOptions(4, damp=0.0))
    assert got.notes == ("damping raised from 0 to 0.01: the Hessian is singular",)
    assert torch.equal(got.weight, gptq(weight, seen(x), GptqOptions(4, damp=0.01)).weight)
    assert torch.isfinite(got.weight).all()


def test_no_calibration_signal_at_all_still_ends():
    got = gptq(normal(3, 128), seen(torch.zeros(128, 5, dtype=torch.float64)), GptqOptions(4))
    assert (got.weight == 0).all()
    assert "128 of 128 inputs are dead" in got.notes[0]


@pytest.mark.parametrize("size", [1, 256, 257, 701])
def test_triangles_of_any_size_are_inverted(size):
    generator = torch.Generator().manual_seed(size)
    x = torch.randn(size, 2 * size, generator=generator, dtype=torch.float64)
    factor, _ = inverse_factor(x @ x.T, 0.01)
    damped = x @ x.T + 0.01 * (x @ x.T).diagonal().mean() * torch.eye(size, dtype=torch.float64)
    assert torch.allclose(factor.T @ factor @ damped, torch.eye(size, dtype=torch.float64), atol=1e-10)
    assert torch.equal(factor, factor.triu())


def test_the_factor_is_the_cholesky_factor_of_the_inverse():
    h = 2 * correlated(40) @ correlated(40).T
    factor, damp = inverse_factor(h, 0.05)
    damped = h + 0.05 * h.diagonal().mean() * torch.eye(40, dtype=torch.float64)
    assert damp == 0.05
    assert torch.allclose(factor, torch.linalg.cholesky(torch.linalg.inv(damped), upper=True), rtol=1e-8, atol=1e-12)
    assert torch.equal(factor, factor.triu())
    alive = torch.tensor([i != 7 for i in range(41)])
    with_dead = torch.zeros(41, 41, dtype=torch.float64)
    with_dead[alive.outer(alive)] = h.flatten()
    assert torch.allclose(inverse_factor(with_dead, 0.05)[0][alive][:, alive], factor, rtol=1e-8, atol=1e-12)
