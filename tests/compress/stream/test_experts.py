"""Streamed compression of mixtures of experts, which checkpoints store one matrix at a time and models hold stacked."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.utils import logging

from acgym.compress import compress
from acgym.compress.formats.stored import pieces
from acgym.compress.stream.folder import compress_folder
from acgym.model_files.weights import weight_files
from acgym.probe.stream import streamed
from tests.helpers.compress_families import make
from tests.helpers.compress_models import text
from tests.helpers.stream_folders import Killed, dying, files, loaded, same

logging.disable_progress_bar()

EXPERTS = {
    "mixtral": "model.layers.1.block_sparse_moe.experts.3.w1.weight",
    "qwen2_moe": "model.layers.1.mlp.experts.3.gate_proj.weight",
    "qwen3_moe": "model.layers.1.mlp.experts.3.gate_proj.weight",
    "deepseek_v3": "model.layers.1.mlp.experts.3.gate_proj.weight",
}
"""Family -> how its checkpoints call one matrix of its fourth expert."""


def saved(folder, family, stacked=False, dtype=torch.float32):
    model = make(family, dtype)
    for name, buffer in model.named_buffers():
        if "correction_bias" in name:  # what transformers keeps in single precision
            buffer.data = torch.randn(buffer.shape)
    model.save_pretrained(folder, max_shard_size="200KB", save_original_format=not stacked)
    return folder


def tensors(folder):
    return {name: tensor for file in weight_files(folder) for name, tensor in load_file(file).items()}


def families(*fast):
    return [pytest.param(family, marks=[] if family in fast else pytest.mark.slow) for family in EXPERTS]


@pytest.mark.parametrize("family", families("mixtral", "deepseek_v3"))
@pytest.mark.parametrize(
    ("recipe", "dtype"), [("awq-w4-g32", torch.float32), ("sparsegpt-50+gptq-w4-g32", torch.bfloat16)]
)
def test_the_result_is_that_of_the_whole_model_bit_for_bit(family, recipe, dtype, tmp_path):
    source, out = saved(tmp_path / "model", family, dtype=dtype), tmp_path / "out"
    assert EXPERTS[family] in tensors(source)
    record = compress_folder(source, recipe, text(4), out)
    whole = loaded(source)
    expected = compress(whole, recipe, text(4))
    assert same(loaded(out), whole)
    assert (record.layers, record.notes, record.sparsity) == (expected.layers, expected.notes, expected.sparsity)
    assert tensors(out).keys() == tensors(source).keys()  # the layout of the source is kept


def test_a_folder_that_holds_experts_stacked_is_read_and_written_so(tmp_path):
    source = saved(tmp_path / "model", "mixtral", stacked=True)
    assert "model.layers.0.mlp.experts.gate_up_proj" in tensors(source)
    compress_folder(source, "rtn-w4-g32", None, tmp_path / "out")
    compress_folder(saved(tmp_path / "apart", "mixtral"), "rtn-w4-g32", None, tmp_path / "other")
    assert tensors(tmp_path / "out").keys() == tensors(source).keys()
    assert same(loaded(tmp_path / "out"), loaded(tmp_path / "other"))


def test_a_kill_changes_no_byte_of_the_result(tmp_path, monkeypatch):
    source, out, recipe = saved(tmp_path / "model", "mixtral"), tmp_path / "out", "sparsegpt-50+gptq-w4-g32"
    compress_folder(source, recipe, text(2), tmp_path / "whole")
    for kills in range(1, 100):
        with monkeypatch.context() as patch:
            dying(patch, 1 + kills % 3 if kills < 25 else kills - 22, before=kills % 2 == 0)
            try:
                compress_folder(source, recipe, text(2), out)
                break
            except Killed:
                continue
    assert kills > 10
    assert files(out) == files(tmp_path / "whole")


def test_a_matrix_of_an_expert_that_is_missing_or_of_another_shape_is_named(tmp_path):
    source = saved(tmp_path / "model", "qwen2_moe")
    index = json.loads((source / "model.safetensors.index.json").read_text())
    lost = "model.layers.1.mlp.experts.2.up_proj.weight"
    del index["weight_map"][lost]
    (source / "model.safetensors.index.json").write_text(json.dumps(index))
    held = tensors(source)
    del held[lost]
    for file in weight_files(source):
        file.unlink()
    save_file(held, source / "model.safetensors")
    (source / "model.safetensors.index.json").unlink()
    with pytest.raises(ValueError, match=f"holds no tensor '{lost}' of Qwen2MoeForCausalLM"):
        compress_folder(source, "rtn-w4-g32", None, tmp_path / "out")
    save_file({**held, lost: torch.zeros(3, 4)}, source / "model.safetensors")
    with pytest.raises(ValueError, match=r"experts.2.up_proj.weight .* has shape \(3, 4\), expected \(64, 64\)"):
        compress_folder(source, "rtn-w4-g32", None, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_streamed_mixture_gives_the_logits_of_the_whole_model(tmp_path):
    source = saved(tmp_path / "model", "mixtral")
    ids = torch.tensor([text(1)[0]])
    with torch.no_grad():
        assert torch.equal(streamed(source)(input_ids=ids).logits, loaded(source)(input_ids=ids).logits)


def test_pieces_are_where_transformers_puts_them(tmp_path):
    """A checkpoint's tensors, put in their places, are the parameters that transformers loads."""
    for family in EXPERTS:
        model = make(family)
        model.save_pretrained(tmp_path / family)
        memory, places = model.state_dict(), pieces(model)
        stored = load_file(tmp_path / family / "model.safetensors")
        assert stored.keys() == places.keys()
        assert all(torch.equal(places[name].of(memory[places[name].name]), stored[name]) for name in stored)
        assert sum(tensor.numel() for tensor in stored.values()) == sum(t.numel() for t in memory.values())
