"""Packed integers and the layouts: bit-exact round trips, cases worked by hand, and what is refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.compress.formats import awq, compressed_tensors, gptq
from acgym.compress.formats.bits import pack, unpack, words_for
from acgym.compress.formats.layouts import Kept, store_projection
from acgym.compress.formats.scheme import Scheme, scheme_of
from acgym.compress.methods.grid import Grid
from acgym.compress.methods.result import Compressed
from acgym.compress.recipe import parse

BITS = st.sampled_from([2, 3, 4, 8])


def random_grid(bits, rows, columns, groups, symmetric, seed=0, act_order=False):
    """A grid whose scales are exact in 16 bits, and codes on it."""
    generator = torch.Generator().manual_seed(seed)
    scale = (torch.rand(rows, groups, generator=generator) + 0.01).half().float()
    zero = torch.randint(0, 2**bits, (rows, groups), generator=generator).float()
    zero = torch.full_like(zero, 2 ** (bits - 1)) if symmetric else zero
    place = torch.arange(columns) // (columns // groups)
    place = place[torch.randperm(columns, generator=generator)] if act_order else place
    codes = torch.randint(0, 2**bits, (rows, columns), generator=generator)
    return Grid(bits, symmetric, scale, zero, place), codes


def stream(words, bits, count):
    """The integers of a row of words, by Python's own whole numbers: an independent way to read the layout."""
    number = sum((int(word) % 2**32) << (32 * i) for i, word in enumerate(words))
    return [(number >> (bits * i)) % 2**bits for i in range(count)]


@given(BITS, st.integers(1, 4), st.integers(1, 150), st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_packing_loses_nothing_and_is_one_stream_of_bits(bits, rows, count, seed):
    codes = torch.randint(0, 2**bits, (rows, count), generator=torch.Generator().manual_seed(seed))
    words = pack(codes, bits)
    assert words.dtype == torch.int32
    assert words.shape == (rows, words_for(count, bits))
    assert torch.equal(unpack(words, bits, count).long(), codes)
    assert [stream(row, bits, count) for row in words] == codes.tolist()


def test_packed_words_worked_by_hand():
    assert pack(torch.tensor([[1, 2, 3, 4, 5, 6, 7, 15]]), 4).tolist() == [[0xF7654321 - 2**32]]
    assert pack(torch.tensor([[1, 0, 255, 128]]), 8).tolist() == [[0x80FF0001 - 2**32]]
    # Of 3 bits the eleventh integer straddles: its two low bits end the first word, its high bit begins the second.
    straddling = torch.zeros(1, 32, dtype=torch.long)
    straddling[0, 10] = 0b101
    assert pack(straddling, 3).tolist() == [[0x40000000, 1, 0]]
    straddling = torch.zeros(1, 32, dtype=torch.long)
    straddling[0, 21] = 0b111
    assert pack(straddling, 3).tolist() == [[0, -(2**31), 0b11]]


def test_packing_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="0 to 15 for 4 bits, got 0 to 16"):
        pack(torch.tensor([[0, 16]]), 4)
    with pytest.raises(ValueError, match="take 1 words, got 2"):
        unpack(torch.zeros(1, 2, dtype=torch.int32), 4, 8)
    with pytest.raises(ValueError, match="must be int32, got int64"):
        unpack(torch.zeros(1, 1, dtype=torch.int64), 4, 8)


@given(
    BITS,
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_gptq_holds_a_grid_exactly(bits, rows, columns, groups, symmetric, act_order, seed):
    grid, codes = random_grid(bits, 32 * rows, 32 * columns * groups, groups, symmetric, seed, act_order)
    stored = gptq.pack_linear(grid, codes)
    scheme = Scheme(bits, 32 * columns, symmetric, act_order)
    found = gptq.settings(scheme, [])
    assert found["checkpoint_format"] == ("gptq" if symmetric else "gptq_v2")
    assert torch.equal(gptq.unpack_linear(stored, found), grid.weight(codes))
    assert sum(tensor.nbytes for tensor in stored.values()) == gptq.stored_bytes(scheme, *codes.shape)
    assert stored["qweight"].shape == (codes.shape[1] * bits // 32, codes.shape[0])


def test_symmetric_gptq_stores_its_zero_points_less_one():
    grid, codes = random_grid(4, 32, 32, 1, symmetric=True)
    stored = gptq.pack_linear(grid, codes)
    assert set(stored["qzeros"].flatten().tolist()) == {0x77777777}
    assert stream(stored["qweight"][:, 3], 4, 32) == codes[3].tolist()


@given(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 2]), st.booleans(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_awq_holds_a_grid_exactly(rows, columns, groups, symmetric, seed):
    grid, codes = random_grid(4, 8 * rows, 8 * columns * groups, groups, symmetric, seed)
    stored = awq.pack_linear(grid, codes)
    scheme = Scheme(4, 8 * columns, symmetric)
    assert torch.equal(awq.unpack_linear(stored, awq.settings(scheme, [])), grid.weight(codes))
    assert sum(tensor.nbytes for tensor in stored.values()) == awq.stored_bytes(scheme, *codes.shape)


def test_awq_interleaves_eight_outputs():
    grid, _ = random_grid(4, 8, 8, 1, symmetric=True)
    codes = torch.arange(8)[:, None].expand(8, 8)  # output i holds i
    assert set(awq.pack_linear(grid, codes)["qweight"].flatten().tolist()) == {0x75316420}


@given(BITS, st.integers(1, 40), st.integers(1, 20), st.sampled_from([1, 3]), st.booleans(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_compressed_tensors_holds_a_grid_exactly(bits, rows, columns, groups, symmetric, seed):
    grid, codes = random_grid(bits, rows, columns * groups, groups, symmetric, seed)
    stored = compressed_tensors.pack_linear(grid, codes)
    scheme = Scheme(bits, columns, symmetric)
    found = compressed_tensors.settings(scheme, [])
    assert torch.equal(compressed_tensors.unpack_linear(stored, found), grid.weight(codes))
    assert sum(tensor.nbytes for tensor in stored.values()) == compressed_tensors.stored_bytes(scheme, *codes.shape)
    assert ("weight_zero_point" in stored) != symmetric


def test_integers_of_three_bits_that_do_not_straddle_are_read():
    grid, codes = random_grid(3, 4, 64, 1, symmetric=True)
    older = torch.cat([pack(codes[:, i : i + 10], 3) for i in range(0, 64, 10)], 1)  # ten to a word
    found = compressed_tensors.settings(Scheme(3, -1, True), [])
    stored = {**compressed_tensors.pack_linear(grid, codes), "weight_packed": older}
    assert torch.equal(compressed_tensors.unpack_linear(stored, found), grid.weight(codes))


def test_eight_bit_weights_and_floats_are_held_exactly():
    grid, codes = random_grid(8, 6, 10, 1, symmetric=True)
    w8a8 = Scheme(8, -1, True, activations="int8")
    stored = compressed_tensors.plain_int8(grid, codes)
    assert stored["weight"].dtype == torch.int8
    assert torch.equal(compressed_tensors.unpack_linear(stored, {}), grid.weight(codes))
    assert sum(t.nbytes for t in stored.values()) == compressed_tensors.stored_bytes(w8a8, 6, 10)
    values = torch.randn(6, 10).to(torch.float8_e4m3fn).float()
    values[:, 0] = 448.0
    for whole in (True, False):
        weight = values * (0.37 if whole else torch.rand(6, 1) + 0.1)
        stored = compressed_tensors.plain_fp8(weight, whole)
        assert torch.equal(stored["weight"].float(), values)
        assert torch.allclose(compressed_tensors.unpack_linear(stored, {}), weight, rtol=1e-6)
        fp8 = Scheme(8, 0 if whole else -1, True, kind="float")
        assert sum(t.nbytes for t in stored.values()) == compressed_tensors.stored_bytes(fp8, 6, 10)


@pytest.mark.parametrize(
    ("recipe", "scheme"),
    [
        ("gptq-w4-g64", Scheme(4, 64, False)),
        ("gptq-w4-g64-sym-actorder", Scheme(4, 64, True, act_order=True)),
        ("gptq-w4-actorder-static", Scheme(4, 128, False)),
        ("rtn-w8+wanda-50", Scheme(8, 128, False)),
        ("sparsegpt-2:4+gptq-w4", Scheme(4, 128, False)),
        ("smoothquant-w8a8", Scheme(8, -1, True, activations="int8")),
        ("fp8", Scheme(8, -1, True, kind="float", activations="fp8")),
        ("fp8-tensor-a16", Scheme(8, 0, True, kind="float")),
        ("wanda-2:4", None),
        ("rtn-w16", None),
    ],
)
def test_scheme_of_a_recipe(recipe, scheme):
    assert scheme_of(parse(recipe)) == scheme


@pytest.mark.parametrize(
    ("layout", "recipe", "said"),
    [
        (gptq, "fp8", "integer weights only"),
        (gptq, "smoothquant-w8a8", "inputs left as they are"),
        (awq, "gptq-w3", "4 bits only"),
        (awq, "gptq-w4-actorder", "neighbouring inputs"),
        (compressed_tensors, "gptq-w4-actorder", "-static"),
        (compressed_tensors, "rtn-w4+act-int8", "w8-channel-sym"),
    ],
)
def test_a_layout_refuses_what_it_cannot_hold(layout, recipe, said):
    with pytest.raises(ValueError, match=said):
        layout.refuse(scheme_of(parse(recipe)))


def test_what_no_checkpoint_holds_is_refused():
    with pytest.raises(ValueError, match="no checkpoint holds kv-int8"):
        scheme_of(parse("gptq-w4+kv-int8"))
    with pytest.raises(ValueError, match="its activations are quantised and its weights are not"):
        scheme_of(parse("act-int8"))


def test_pruning_after_rounding_stays_on_the_grid_and_other_changes_are_refused():
    grid, codes = random_grid(4, 8, 32, 2, symmetric=False)
    kept = Kept()
    kept("a", Compressed(grid.weight(codes), grid=grid))
    pruned = grid.weight(codes).masked_fill(torch.rand(8, 32) < 0.5, 0.0)
    kept("a", Compressed(pruned))
    assert torch.equal(kept.weights["a"].grid.weight(kept.weights["a"].codes), pruned)
    with pytest.raises(ValueError, match="changed the quantised weights of a; put the quantising step last"):
        kept("a", Compressed(pruned * 1.5))


def test_a_scale_out_of_range_and_a_projection_on_no_grid_are_refused():
    grid, codes = random_grid(4, 32, 32, 1, symmetric=True)
    huge = Grid(4, True, grid.scale * 1e6, grid.zero, grid.groups)
    kept = Kept()
    kept("a", Compressed(huge.weight(codes), grid=huge))
    with pytest.raises(ValueError, match="a scale of a does not fit into 16 bits"):
        store_projection("gptq", Scheme(4, -1, True), "a", kept, huge.weight(codes))
    with pytest.raises(ValueError, match="left b on a grid"):
        store_projection("gptq", Scheme(4, -1, True), "b", kept, huge.weight(codes))


def stored_gptq():
    grid, codes = random_grid(4, 32, 64, 2, symmetric=False)
    return gptq, gptq.pack_linear(grid, codes), gptq.settings(Scheme(4, 32, False), [])


def stored_awq():
    grid, codes = random_grid(4, 32, 64, 2, symmetric=False)
    return awq, awq.pack_linear(grid, codes), awq.settings(Scheme(4, 32, False), [])


def stored_packed():
    grid, codes = random_grid(4, 32, 64, 2, symmetric=False)
    return (
        compressed_tensors,
        compressed_tensors.pack_linear(grid, codes),
        compressed_tensors.settings(Scheme(4, 32, False), []),
    )


@pytest.mark.parametrize(
    ("make", "part", "change", "said"),
    [
        (stored_gptq, "g_idx", lambda t: t + 1, "g_idx names groups 1 to 2, but there are groups 0 to 1"),
        (stored_gptq, "g_idx", lambda t: t - 1, "groups -1 to 0"),
        (stored_gptq, "g_idx", lambda t: t[:-1], "g_idx must be 64 integers"),
        (stored_gptq, "g_idx", lambda t: t.float(), "g_idx must be 64 integers"),
        (stored_gptq, "qweight", lambda t: t.long(), "qweight must be int32"),
        (stored_gptq, "qweight", lambda t: t[:, :-1], "do not fit each other"),
        (stored_gptq, "qzeros", lambda t: t[:, :-1], "take 4 words, got 3"),
        (stored_gptq, "qzeros", None, "qzeros is missing"),
        (stored_gptq, "scales", lambda t: t * float("nan"), "not finite"),
        (stored_gptq, "scales", lambda t: t.int(), "floating-point"),
        (stored_gptq, "scales", lambda t: t[:0], "scales must be"),
        (stored_awq, "qweight", lambda t: t[:-1], "do not fit each other"),
        (stored_awq, "qzeros", lambda t: t[:1], r"qzeros must be \(2, 4\)"),
        (stored_awq, "scales", lambda t: t[0], "of 2 dimensions"),
        (
            stored_packed,
            "weight_shape",
            lambda t: torch.tensor([32, 10**12]),
            "not 1000000000000 integers of any width",
        ),
        (stored_packed, "weight_shape", lambda t: torch.tensor([31, 64]), "does not fit its packed weight"),
        (stored_packed, "weight_shape", lambda t: torch.tensor([32, -64]), "does not fit its packed weight"),
        (stored_packed, "weight_scale", lambda t: t[:5], "do not divide its 32 outputs"),
        (stored_packed, "weight_scale", lambda t: t[:, :1], "weight_zero_point has 2 groups, its weight_scale 1"),
        (stored_packed, "weight_packed", lambda t: t.float(), "weight_packed must be int32"),
        (stored_packed, "weight_packed", None, "its weight is missing"),
        (stored_packed, "weight_scale", lambda t: t / 0, "finite"),
    ],
)
def test_damaged_projections_are_refused(make, part, change, said):
    layout, stored, found = make()
    layout.unpack_linear(stored, found)
    damaged = {name: tensor for name, tensor in stored.items() if name != part}
    if change is not None:
        damaged[part] = change(stored[part])
    with pytest.raises(ValueError, match=said):
        layout.unpack_linear(damaged, found)


@pytest.mark.parametrize("bits", [5, "4", None, True, 10**9])
def test_a_width_that_does_not_exist_is_refused(bits):
    layout, stored, found = stored_gptq()
    with pytest.raises(ValueError, match="bits in quantization_config must be one of 2, 3, 4, 8"):
        layout.unpack_linear(stored, {**found, "bits": bits})
