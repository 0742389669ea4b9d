"""Packed exports of mixtures of experts: one linear module for each matrix of each expert, under its usual name."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

import acgym
from acgym.checkpoint.export import prepare_export, run_export
from acgym.checkpoint.stream import run_stream
from acgym.compress.formats.verify import logit_error, outputs_of
from tests.helpers.checkpoints import assert_equal
from tests.helpers.tiny import TEXT, save_model

GATE = ["*.shared_expert_gate"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    base = tmp_path_factory.mktemp("models")
    families = ("Mixtral", "Qwen2Moe", "Qwen3Moe")
    return {family: save_model(base / family, family=family, layers=2) for family in families}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT, "utf-8")
    return file


CASES = [
    ("Qwen3Moe", "gptq", "gptq-w4-g32-sym", [], "mlp.experts.3.gate_proj.qweight"),
    ("Qwen3Moe", "awq", "awq-w4-g32", [], "mlp.experts.3.up_proj.qweight"),
    ("Qwen2Moe", "gptq", "gptq-w4-g16-actorder", GATE, "mlp.experts.0.down_proj.g_idx"),
    ("Mixtral", "compressed-tensors", "gptq-w4-g32", [], "block_sparse_moe.experts.3.w1.weight_packed"),
    ("Mixtral", "compressed-tensors", "fp8-tensor-a16", [], "block_sparse_moe.experts.3.w3.weight_scale"),
    ("Mixtral", "dense", "wanda-2:4", [], "block_sparse_moe.experts.3.w2.weight"),
]


@pytest.mark.parametrize(("family", "form", "recipe", "ignore", "name"), CASES, ids=lambda value: str(value))
def test_experts_are_packed_one_by_one(family, form, recipe, ignore, name, models, corpus, tmp_path):
    source = str(models[family])
    run_export(prepare_export(source, recipe, tmp_path / "made", form, corpus, ignore))
    stored = load_file(tmp_path / "made/model.safetensors")
    assert f"model.layers.1.{name}" in stored
    assert not [key for key in stored if key.endswith("gate_up_proj")]
    made = acgym.agent(f"hf:{tmp_path / 'made'}")
    if not ignore:
        memory = acgym.agent(f"hf:{source}+{recipe}", calibration=corpus)
        assert logit_error(made.model, outputs_of(made.model).logits, outputs_of(memory.model).logits) < 2e-3
    run_stream(source, recipe, tmp_path / "out", form, corpus, ignore=ignore)
    assert_equal(tmp_path / "out", tmp_path / "made")
    ids = torch.arange(24)[None]
    streamed = acgym.agent(f"hf:{tmp_path / 'out'}").model(input_ids=ids).logits
    assert torch.equal(streamed, made.model(input_ids=ids).logits)


def test_a_token_that_a_router_sends_elsewhere_is_no_difference_and_a_wrong_weight_is(models):
    model = acgym.agent(f"hf:{models['Qwen3Moe']}").model
    wanted = outputs_of(model).logits
    turned = wanted.clone()
    turned[0, ::3] += 1.0  # as if a third of the tokens went to other experts
    assert logit_error(model, turned, wanted) == 0.0
    model.model.layers[1].self_attn.o_proj.weight.data[:4] *= 1.5
    assert logit_error(model, outputs_of(model).logits, wanted) > 0.02
    dense = acgym.agent("reference").model
    assert logit_error(dense, turned, wanted) > 0.02


@pytest.mark.parametrize(
    ("form", "key"), [("gptq", "dynamic"), ("awq", "modules_to_not_convert"), ("compressed-tensors", "ignore")]
)
def test_routers_are_named_among_what_stays(form, key, models, corpus, tmp_path):
    run_export(prepare_export(str(models["Qwen3Moe"]), "rtn-w4-g32", tmp_path / "made", form, corpus))
    settings = json.loads((tmp_path / "made/config.json").read_text("utf-8"))["quantization_config"]
    assert "model.layers.1.mlp.gate" in str(list(settings[key])).replace("\\", "")


@pytest.mark.parametrize(
    ("family", "form", "recipe", "said"),
    [
        ("Mixtral", "gptq", "rtn-w4-g32", r"looks for it under model.layers.0.mlp.experts.0; use --format compressed"),
        ("Qwen3Moe", "compressed-tensors", "fp8", "not all of their inputs can be rounded"),
    ],
)
def test_what_no_loader_knows_is_refused_before_compression(family, form, recipe, said, models, tmp_path):
    with pytest.raises(ValueError, match=said):
        run_export(prepare_export(str(models[family]), recipe, tmp_path / "made", form))
    with pytest.raises(ValueError, match=said):
        run_stream(str(models[family]), recipe, tmp_path / "made", form)
    assert list(tmp_path.iterdir()) == []


def test_experts_that_checkpoints_keep_stacked_are_refused(models, tmp_path):
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    stacked = save_model(tmp_path / "stacked", family="Qwen3Moe")
    model = AutoModelForCausalLM.from_pretrained(stacked)
    model.save_pretrained(stacked, save_original_format=False)
    said = r"keep them stacked: no loader knows .* use --format dense"
    with pytest.raises(ValueError, match=said):
        run_export(prepare_export(str(stacked), "rtn-w4-g32", tmp_path / "made", "gptq"))
    with pytest.raises(ValueError, match=said):
        run_stream(str(stacked), "rtn-w4-g32", tmp_path / "made", "gptq")
    run_stream(str(stacked), "rtn-w4-g32", tmp_path / "made", "dense")
