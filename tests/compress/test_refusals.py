"""What the walk refuses, what it only notes, and methods registered by others."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch

from acgym.compress import Compressed, Options, compress
from acgym.compress.walk.layers import decoder_layers
from tests.helpers.compress_models import VOCABULARY, linears, make, registered, text


@dataclasses.dataclass(frozen=True)
class Rounding(Options):
    digits: int = 2

    def stored_bits(self, rows, columns):
        return 10.0 * rows * columns


def test_a_registered_method_is_run_like_any_other():
    def decimal(weight, statistics, options):
        return Compressed((weight * 10**options.digits).round() / 10**options.digits, ("rounded",))

    with registered("decimal", decimal, options=Rounding):
        model = make()
        record = compress(model, "decimal-digits1")
    assert all(torch.equal((linear.weight * 10).round() / 10, linear.weight) for linear in linears(model).values())
    assert record.bits_per_weight == 10.0
    assert record.notes[0] == "model.layers.0.self_attn.q_proj: rounded"


def test_results_that_are_no_weights_are_refused():
    name = "model.layers.0.self_attn.q_proj"
    with (
        registered("broken", lambda w, s, o: Compressed(w / 0)),
        pytest.raises(ValueError, match=f"not finite for {name}"),
    ):
        compress(make(), "broken")
    with registered("cut", lambda w, s, o: Compressed(w[:1])), pytest.raises(ValueError, match=r"returned \(1, 64\)"):
        compress(make(), "cut")
    with registered("blind", lambda w, s, o: Compressed(w * s.norm)), pytest.raises(ValueError, match=f"{name}: norms"):
        compress(make(), "blind")


def unchanged(model):
    return all(torch.equal(p, q) for p, q in zip(model.parameters(), make().parameters(), strict=True))


@pytest.mark.parametrize(
    ("recipe", "calibration", "expected"),
    [
        ("gptq-w4-g64", None, "gptq-w4-g64 needs calibration text: a list of token-id lists, got none"),
        ("rtn-w4-g64+wanda-50", [], "rtn-w4-g64+wanda-50 needs calibration text"),
        ("wanda-50", [[1], []], "calibration sequence 1 is empty"),
        ("wanda-50", [[1], [5, VOCABULARY]], "sequence 1 holds token id 96, but the model's vocabulary has 96"),
        ("wanda-50", [[-1]], "holds token id -1"),
        (
            "rtn-w4-g128",
            None,
            "rtn-w4-g128 does not fit model.layers.0.self_attn.q_proj: groups of 128 do not divide its 64",
        ),
        ("magnitude-50+wanda-2:5", [[1]], "wanda-2:5 does not fit model.layers.0.self_attn.q_proj"),
        ("gtpq-w4", None, "did you mean 'gptq'?"),
    ],
)
def test_bad_input_is_refused_before_any_work(recipe, calibration, expected):
    model = make()
    with pytest.raises(ValueError, match=re.escape(expected)):
        compress(model, recipe, calibration)
    assert unchanged(model)


def test_weights_and_inputs_that_are_not_finite_are_named():
    model = make()
    model.model.layers[1].mlp.up_proj.weight.data[3, 4] = float("nan")
    with pytest.raises(ValueError, match=r"the weight of model\.layers\.1\.mlp\.up_proj is not finite"):
        compress(model, "rtn-w4-g64")
    model = make()
    model.model.layers[1].post_attention_layernorm.weight.data[0] = float("inf")
    with pytest.raises(ValueError, match=r"the inputs of model\.layers\.1\.mlp\.gate_proj are not finite"):
        compress(model, "wanda-50", text(2))


def test_a_model_without_decoder_layers_is_refused():
    with pytest.raises(ValueError, match=r"no decoder layers found in Sequential.*Llama"):
        compress(torch.nn.Sequential(torch.nn.Linear(8, 8)), "rtn-w4")


def test_the_outermost_list_is_the_decoder_even_if_a_layer_holds_a_longer_one():
    expert = [torch.nn.ModuleDict({"experts": torch.nn.ModuleList([torch.nn.Linear(4, 4) for _ in range(9)])})]
    model = torch.nn.ModuleDict({"layers": torch.nn.ModuleList(expert * 2)})
    assert list(decoder_layers(model)) == ["layers.0", "layers.1"]


def test_weights_out_of_reach_are_noted():
    model = make()
    model.model.layers[2].stacked = torch.nn.Parameter(torch.zeros(2, 8, 8))
    assert compress(model, "rtn-w4-g64").notes == (
        "128 weights inside the decoder layers are not in nn.Linear and stay in 16 bits: model.layers.2.stacked",
    )


def test_a_projection_that_no_token_reaches_is_named():
    model = make()
    model.model.layers[0].idle = torch.nn.Linear(64, 64)
    with pytest.raises(ValueError, match=r"model\.layers\.0\.idle saw no token"):
        compress(model, "wanda-50", text(2))
