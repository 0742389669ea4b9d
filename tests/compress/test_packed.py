"""Packed execution: torch's integer products give what the simulated weights give."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from acgym.assemble.make import compressed, local
from acgym.assemble.spec import parse_spec
from acgym.compress import Compressed, compress
from acgym.compress.methods.activations import input_format
from acgym.compress.methods.grid import Grid, grid
from acgym.compress.packed import linear as kernels
from acgym.compress.packed.convert import GridKeeper, pack, packed_record
from acgym.compress.packed.linear import Int4Linear, Int8Linear, PackedLinear, W8A8Linear
from acgym.loop import play
from acgym.report.legend import _execution
from tests.helpers.compress_models import linears, logits, make, registered, text
from tests.helpers.results import agent

TOLERANCE = 2**-7
"""Error of a packed product over sum |x| max |w|: inputs, scales and weights are rounded to bfloat16, 2^-9 each."""


def quantised(out, columns, bits, group, symmetric, seed):
    """A random weight on a grid, and the grid."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(out, columns, generator=generator)
    scale, zero = grid(weight.reshape(out, -1, group), bits, symmetric)
    made = Grid(bits, symmetric, scale[..., 0], zero[..., 0], torch.arange(columns) // group)
    return made.weight(made.codes(weight)), made


def linear_of(weight, bias=None):
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    linear.weight.data = weight.clone()
    if bias is not None:
        linear.bias.data = bias.clone()
    return nn.ModuleDict({"up": linear})


def error(found, expected):
    return float((found.double() - expected.double()).norm() / expected.double().norm())


@settings(deadline=None, max_examples=40)
@given(
    out=st.integers(1, 70),
    blocks=st.integers(1, 5),
    group=st.sampled_from([32, 64, 96, 128, 256, 0]),
    bits=st.sampled_from([2, 3, 4, 8]),
    symmetric=st.booleans(),
    tokens=st.sampled_from([1, 3, 17]),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
    seed=st.integers(0, 99),
)
def test_a_packed_product_is_that_of_the_simulated_weight(out, blocks, group, bits, symmetric, tokens, dtype, seed):
    columns = (group or 32) * blocks
    weight, made = quantised(out, columns, bits, group or columns, symmetric, seed)
    bias = torch.randn(out)
    model = linear_of(weight, bias)
    report = pack(model, {"up": made})
    x = torch.randn(2, tokens, columns, generator=torch.Generator().manual_seed(seed)).to(dtype)
    found = model["up"](x)
    assert report.kernels == {"up": "int4" if bits < 8 else "int8" if (group or columns) == columns else "2 x int4"}
    assert found.dtype == torch.promote_types(dtype, bias.dtype)
    assert found.shape == (2, tokens, out)
    expected = x.double() @ weight.double().T
    size = x.double().abs().sum(-1, keepdim=True) * weight.double().abs().amax(1) + bias.double().abs()
    assert bool(((found.double() - bias.double() - expected).abs() <= TOLERANCE * size).all())


def test_columns_that_act_order_spread_are_gathered():
    weight, made = quantised(32, 128, 4, 32, False, 0)
    spread = torch.randperm(128, generator=torch.Generator().manual_seed(1))
    model = linear_of(weight[:, spread])
    report = pack(model, {"up": Grid(4, False, made.scale, made.zero, made.groups[spread])})
    x = torch.randn(3, 128)
    assert report.kernels == {"up": "int4"}
    assert model["up"].order is not None
    assert error(model["up"](x), x @ weight[:, spread].T) < TOLERANCE


def test_w8a8_by_hand():
    # Codes 130 and 126 are +2 and -2, the scale is 0.5: W = [[1, -1]] padded with zeros.
    codes = torch.full((1, 32), 128)
    codes[0, :2] = torch.tensor([130, 126])
    module = W8A8Linear(codes, torch.tensor([[0.5]]), torch.tensor([[128.0]]), torch.tensor([10.0]))
    x = torch.zeros(2, 32)
    x[0, :2] = torch.tensor([127.0, 1.4])  # the token's step is 1: 1.4 becomes 1
    assert module(x).tolist() == [[10 + 127 - 1], [10]]


def test_the_bytes_are_those_of_the_integers_and_scales():
    weight, made = quantised(48, 256, 4, 64, False, 0)
    model = linear_of(weight, torch.zeros(48))
    report = pack(model, {"up": made})
    packed = 48 * 256 / 2 + 48 * 4 * 2 * 2  # nibbles; two bfloat16 numbers for each group
    assert model["up"].weight_bytes == packed
    assert report.bits_per_weight == 8 * packed / (48 * 256) == 4.5
    assert report.weight_bytes == packed + 48 * 4
    weight, made = quantised(48, 256, 8, 256, True, 0)
    assert pack(linear_of(weight), {"up": made}).weight_bytes == 48 * 256 + 48 * 2


def tolerance(simulated):
    """Twice what running the whole simulated model in bfloat16 changes: as much as packed execution may change."""
    row = text(1)[0]
    return 2 * error(logits(copy.deepcopy(simulated).bfloat16(), row), logits(simulated, row))


RECIPES = [
    ("rtn-w4-g64", "int4"),
    ("gptq-w3-g32-actorder", "int4"),
    ("awq-w4-g32", "int4"),
    ("rtn-w2-g64", "int4"),
    ("rtn-w8-g32", "2 x int4"),
    ("rtn-w8-channel", "int8"),
    ("rtn-w8-channel-sym", "int8"),
    ("smoothquant-w8a8", "w8a8"),
    ("wanda-2:4+gptq-w4-g64", "int4"),
]


@pytest.mark.parametrize(("recipe", "kernel"), RECIPES)
@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_every_recipe_of_integers_runs_packed(recipe, kernel, family):
    keeper, model = GridKeeper(), make(family)
    record = compress(model, recipe, text(3), keep=keeper)
    simulated = copy.deepcopy(model)
    names = set(linears(model))
    report = pack(model, keeper.grids)
    assert set(report.kernels) == names
    assert set(report.kernels.values()) == {kernel}
    assert not any(isinstance(m, nn.Linear) for m in model.model.modules())
    assert error(logits(model, text(1)[0]), logits(simulated, text(1)[0])) < tolerance(simulated)
    stated = packed_record(record, report)
    assert not stated.simulated
    assert stated.execution == f"packed on the CPU (21 {kernel})"
    assert stated.bits_per_weight >= record.bits_per_weight  # scales of groups that torch lacks are repeated
    assert copy.deepcopy(model).model.layers[0].mlp.up_proj.kernel == kernel


def test_narrow_integers_are_said_to_take_four_bits():
    keeper, model = GridKeeper(), make()
    compress(model, "rtn-w3-g64", keep=keeper)
    assert pack(model, keeper.grids).notes == ("3-bit integers are held in 4 bits: no product of torch reads 3",)


def test_what_cannot_be_packed_stays_simulated_and_is_named():
    keeper, model = GridKeeper(), make(intermediate_size=144)
    record = compress(model, "rtn-w4-g16", keep=keeper)
    with pytest.raises(ValueError, match=r"nothing can run packed: its groups are no multiple of 32"):
        pack(model, keeper.grids)
    keeper, model = GridKeeper(), make(intermediate_size=144)
    record = compress(model, "rtn-w4-channel", keep=keeper)
    report = pack(model, keeper.grids)
    assert set(report.simulated) == {f"model.layers.{i}.mlp.down_proj" for i in range(3)}
    assert report.execution == "packed on the CPU (18 int4, 3 simulated)"
    assert (
        "model.layers.0.mlp.down_proj runs simulated: its groups are no multiple of 32 of its 144 inputs"
        in packed_record(record, report).notes
    )


def test_weights_that_left_their_grid_are_not_packed():
    with registered("shift", lambda weight, s, o: Compressed(weight + 0.01)):
        keeper, model = GridKeeper(), make()
        compress(model, "rtn-w4-g64+shift", keep=keeper)
        with pytest.raises(ValueError, match="a later step has moved its weights off their grid"):
            pack(model, keeper.grids)


def test_pruning_after_rounding_stays_on_a_grid_that_has_zero():
    keeper, model = GridKeeper(), make()
    compress(model, "rtn-w4-g64+magnitude-50", keep=keeper)
    simulated = logits(model, [1, 2, 3])
    assert len(pack(model, keeper.grids).kernels) == 21
    assert error(logits(model, [1, 2, 3]), simulated) < 0.03


def test_wrong_names_and_packed_models_are_refused():
    keeper, model = GridKeeper(), make()
    compress(model, "rtn-w4-g64", keep=keeper)
    made = next(iter(keeper.grids.values()))
    with pytest.raises(ValueError, match=r"no module 'model.layers.9.mlp'"):
        pack(model, {"model.layers.9.mlp": made})
    with pytest.raises(ValueError, match=r"is a LlamaMLP, expected an nn\.Linear"):
        pack(model, {"model.layers.0.mlp": made})
    with pytest.raises(ValueError, match="no projection is quantised"):
        pack(model, {})
    pack(model, keeper.grids)
    with pytest.raises(ValueError, match=r"is a Int4Linear, expected an nn\.Linear; is it packed already"):
        pack(model, keeper.grids)


def test_inputs_that_are_rounded_stay_rounded():
    with registered("shift", lambda weight, s, o: Compressed(weight)):
        keeper, model = GridKeeper(), make()
        compress(model, "rtn-w4-g64+smoothquant-w16a8", text(2), keep=keeper)
        simulated = logits(model, [1, 2, 3])
        pack(model, keeper.grids)
        assert input_format(model.model.layers[0].mlp.up_proj) == "int8"
        assert error(logits(model, [1, 2, 3]), simulated) < 0.03


@pytest.mark.parametrize("kernel", ["int4", "int8", "w8a8"])
def test_a_torch_without_the_kernel_is_refused_by_name(kernel, monkeypatch):
    kernels.require(kernel)
    monkeypatch.setitem(kernels._NEEDED, kernel, ("_no_such_product",))
    with pytest.raises(ValueError, match=f"has no _no_such_product, which packed {kernel} execution"):
        kernels.require(kernel)


def test_the_kernels_take_no_ragged_inputs():
    # torch's int8 kernel reads past the end of such a weight.
    weight, made = quantised(8, 40, 8, 40, True, 0)
    with pytest.raises(ValueError, match="40 inputs are no multiple of 32"):
        pack(linear_of(weight), {"up": made})


@pytest.fixture(scope="module")
def reference():
    agent = local(parse_spec("reference"))
    rows = [ids for e in play(agent, "ACB/ToolCall-v0", range(4), kwargs={"level": 1}) for ids, _ in e.sequences()]
    return agent, rows


@pytest.mark.parametrize(
    ("recipe", "alike"),
    [
        ("gptq-w4-g64", 0.99),
        ("rtn-w8", 0.99),
        ("smoothquant-w8a8", 0.98),  # a last bit of an activation turns into a whole step of its 8-bit grid
        pytest.param("rtn-w3", 0.98, marks=pytest.mark.slow),
        pytest.param("rtn-w2", 0.9, marks=pytest.mark.slow),  # broken by two bits: near ties everywhere
        pytest.param("rtn-w8-channel", 0.99, marks=pytest.mark.slow),
        pytest.param("awq-w4", 0.99, marks=pytest.mark.slow),
    ],
)
def test_the_packed_reference_agent_says_what_the_simulated_one_says(reference, recipe, alike):
    dense, rows = reference
    spec = parse_spec(f"reference+{recipe}@packed")
    simulated, packed = (compressed(dense, s, rows)[0].model for s in (parse_spec(f"reference+{recipe}"), spec))
    ours, theirs = (torch.cat([logits(model, row)[0] for row in rows]) for model in (packed, simulated))
    assert any(isinstance(module, PackedLinear) for module in packed.modules())
    assert error(ours, theirs) < (0.03 if "w2" not in recipe else 0.1)
    assert float((ours.argmax(-1) == theirs.argmax(-1)).float().mean()) >= alike


def test_specs_say_packed_before_rerun():
    spec = parse_spec("reference+gptq-w4@packed@rerun")
    assert (spec.text, spec.packed, spec.rerun) == ("reference+gptq-w4-g128@packed@rerun", True, True)
    assert not parse_spec("reference+gptq-w4").packed
    for text_ in ("reference@packed", "reference+wanda-50@packed", "oracle@packed", "reference+fp8@packed"):
        with pytest.raises(ValueError, match="no recipe that makes integers"):
            parse_spec(text_)


def test_modules_describe_themselves():
    weight, made = quantised(16, 64, 8, 64, True, 0)
    module = Int8Linear(made.codes(weight), made.scale, made.zero, None)
    assert "in_features=64, out_features=16, kernel=int8" in repr(module)
    assert isinstance(module, PackedLinear)
    assert not list(module.parameters())
    assert not issubclass(Int4Linear, nn.Linear)


def test_tables_say_which_figures_are_measured():
    def one(name, **record):
        return agent({"name": name, "sheet": {"compression": record} if record else {}})

    packed = one("b", simulated=False, execution="packed on the CPU (28 int4)")
    simulated = one("c", simulated=True)
    assert _execution([one("a")]) == []
    assert _execution([packed]) == ["b runs packed on the CPU (28 int4): bits, MB and times are measured."]
    assert _execution([simulated])[0].startswith("Compression is simulated")
    assert _execution([packed, simulated])[1].startswith("All other compression is simulated")
