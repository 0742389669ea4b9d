"""Exports: every format is written, read back and played; and what is in the way is said before anything is done."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import acgym
from acgym.agents.local import load
from acgym.checkpoint.card import RECORD
from acgym.checkpoint.export import prepare_export, run_export
from acgym.checkpoint.job import MARKER
from acgym.checkpoint.stream import run_stream
from acgym.cli.app import app
from acgym.compress import compress
from acgym.compress.formats.verify import ExportDiffers, outputs_of, relative_error, verify_weights
from tests.helpers.tiny import save_model

TEXT = "the code of the code is in the code of what is said here and there. " * 40


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT, "utf-8")
    return file


@pytest.fixture
def exported(model, text, tmp_path):
    """A gptq export of the tiny model."""
    run_export(prepare_export(str(model), "gptq-w4-g32-sym", tmp_path / "made", "gptq", text))
    return tmp_path / "made"


CASES = [
    ("gptq", "gptq-w4-g32-sym", {"format": "gptq", "bits": 4, "group_size": 32, "symmetric": True}),
    ("gptq", "gptq-w3-g16-actorder", {"format": "gptq_v2", "bits": 3, "group_size": 16, "act_order": True}),
    ("gptq", "rtn-w2-channel", {"bits": 2, "group_size": -1, "symmetric": False}),
    ("awq", "awq-w4-g32", {"quant_method": "awq", "format": "gemm", "bits": 4, "group_size": 32}),
    ("compressed-tensors", "gptq-w8-g32", {"format": "pack-quantized", "bits": 8, "symmetric": False}),
    ("compressed-tensors", "smoothquant-w8a8", {"format": "int-quantized", "activations": "int8 per token"}),
    ("compressed-tensors", "fp8", {"format": "float-quantized", "activations": "fp8 per token"}),
    ("dense", "wanda-2:4", {}),
    ("dense", "gptq-w4-g32", {}),
]


@pytest.mark.parametrize(("form", "recipe", "facts"), CASES, ids=[f"{form}-{recipe}" for form, recipe, _ in CASES])
def test_an_export_plays_as_the_model_in_memory(form, recipe, facts, model, text, tmp_path):
    sheet = run_export(prepare_export(str(model), recipe, tmp_path / "made", form, text))
    made = acgym.agent(f"hf:{tmp_path / 'made'}")
    memory = acgym.agent(f"hf:{model}+{recipe}", calibration=text)
    got, wanted = outputs_of(made.model), outputs_of(memory.model)
    assert relative_error(got.logits, wanted.logits) < 2e-3
    assert got.rounded == wanted.rounded
    assert facts.items() <= dict(made.checkpoint).items()
    assert made.facts.get("checkpoint", {}) == dict(made.checkpoint)
    kept = json.loads((tmp_path / "made" / RECORD).read_text("utf-8"))
    assert kept == json.loads(json.dumps(sheet))
    assert kept["compression"]["recipe"] == str(acgym.compress.parse(recipe))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made"]
    assert not (tmp_path / "made" / MARKER).exists()
    assert made.tokenizer.chat_template == memory.tokenizer.chat_template
    assert made.model.generation_config.eos_token_id == memory.model.generation_config.eos_token_id


def test_a_pruned_export_keeps_every_weight_and_its_zeros(model, text, tmp_path):
    run_export(prepare_export(str(model), "wanda-2:4", tmp_path / "made", "dense", text))
    stored = load_file(tmp_path / "made/model.safetensors")["model.layers.0.mlp.up_proj.weight"]
    assert ((stored.reshape(-1, 4) == 0).sum(1) == 2).all()
    assert "quantization_config" not in json.loads((tmp_path / "made/config.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("form", "recipe", "said"),
    [
        ("gguf", "rtn-w4", "unknown format 'gguf'; known: gptq, awq, compressed-tensors, dense"),
        ("awq", "rtn-w3", "4 bits only"),
        ("gptq", "wanda-2:4", "nothing to pack; use --format dense"),
        ("gptq", "gptq-w4+kv-int8", "no checkpoint holds kv-int8"),
        ("dense", "smoothquant-w8a8", "use another format"),
        ("gptq", "gptqq-w4", "unknown compression method"),
    ],
)
def test_what_a_format_cannot_hold_is_said_before_the_model_is_loaded(form, recipe, said, model, tmp_path):
    with pytest.raises(ValueError, match=said):
        prepare_export(str(model), recipe, tmp_path / "made", form)
    assert list(tmp_path.iterdir()) == []


def test_a_shape_that_fills_no_words_is_refused_before_compression(model, tmp_path):
    folder = tmp_path / "odd"
    save_model(folder)
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**{**json.loads((folder / "config.json").read_text("utf-8")), "intermediate_size": 36})
    LlamaForCausalLM(config).save_pretrained(folder)
    with pytest.raises(ValueError, match=r"mlp.gate_proj: .* 36 output features do not fill; use compressed-tensors"):
        run_export(prepare_export(str(folder), "rtn-w4-channel", tmp_path / "made", "gptq"))


def too_large(folder, model):
    """A model some of whose scales do not fit into 16 bits."""
    shutil.copytree(model, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"][0, 0] = 1e7
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


def test_a_format_that_cannot_hold_the_weights_leaves_nothing_in_the_way_of_another(model, tmp_path):
    large, out = too_large(tmp_path / "large", model), tmp_path / "made"
    with pytest.raises(ValueError, match="does not fit into 16 bits; use the dense format"):
        run_export(prepare_export(large, "rtn-w4-g32", out, "gptq"))
    assert [path.name for path in tmp_path.iterdir()] == ["large"]
    run_export(prepare_export(large, "rtn-w4-g32", out, "dense"))
    assert (out / "config.json").is_file()


def test_nor_does_a_streamed_one(model, tmp_path):
    large, out = too_large(tmp_path / "large", model), tmp_path / "made"
    with pytest.raises(ValueError, match="does not fit into 16 bits; use the dense format"):
        run_stream(large, "rtn-w4-g32", out, "gptq")
    assert [path.name for path in tmp_path.iterdir()] == ["large"]
    run_stream(large, "rtn-w4-g32", out, "dense")
    assert (out / "config.json").is_file()


def test_an_existing_folder_is_never_written_over(exported, model, text):
    with pytest.raises(ValueError, match="exists already; choose another --out"):
        prepare_export(str(model), "gptq-w4-g32-sym", exported, "gptq", text)


def test_an_unfinished_export_is_taken_over_by_the_same_command_only(model, text, tmp_path):
    job = prepare_export(str(model), "rtn-w4-g32", tmp_path / "made", "gptq")
    job.partial.mkdir()
    (job.partial / MARKER).write_text(json.dumps(job.settings), "utf-8")
    (job.partial / "model.safetensors").write_bytes(b"half of it")
    with pytest.raises(ValueError, match="unfinished export of something else"):
        prepare_export(str(model), "rtn-w3-g32", tmp_path / "made", "gptq")
    run_export(prepare_export(str(model), "rtn-w4-g32", tmp_path / "made", "gptq"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made"]


def test_an_export_that_differs_is_found(exported, model, text):
    memory = load(str(model)).model
    ids = load(str(model)).tokenizer.encode(TEXT, add_special_tokens=False)
    compress(memory, "gptq-w4-g32-sym", [ids[:512]])
    weights = load_file(exported / "model.safetensors")
    size = sum(tensor.nbytes for tensor in weights.values())
    with pytest.raises(ExportDiffers, match="should take"):
        verify_weights(memory, exported, size + 4)
    weights["model.layers.0.mlp.up_proj.qweight"][1, 1] ^= 1 << 8  # one integer, by one step
    save_file(weights, exported / "model.safetensors", {"format": "pt"})
    with pytest.raises(ExportDiffers, match=r"model.layers.0.*differs by up to"):
        verify_weights(memory, exported, size)


def test_a_quantised_source_is_refused(exported, tmp_path):
    with pytest.raises(ValueError, match="quantised already; export from the dense model"):
        run_export(prepare_export(str(exported), "rtn-w4-g32", tmp_path / "again", "gptq"))


def test_the_command_says_what_it_made_and_refuses_in_one_sentence(model, text, tmp_path):
    words = ["compress", str(model), "rtn-w4-g32", "--out", str(tmp_path / "made"), "--format", "compressed-tensors"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert "4.75 bits per weight" in first.stdout
    second = CliRunner().invoke(app, words)
    assert (second.exit_code, second.stdout) == (2, "")
    assert second.stderr.startswith("error: ")
    assert "exists already" in second.stderr


def test_an_export_compares_and_its_record_says_what_it_is(exported, model, tmp_path):
    from acgym.assemble.models import Models
    from acgym.listener import Listener

    shutil.move(exported, tmp_path / "m")
    spec = acgym.assemble.spec.parse_spec(f"hf:{tmp_path / 'm'}")
    made = Models.of({"envs": {}, "agents": [spec.text], "calibration": "trajectories"}, Listener())
    _, facts = made.make(spec)
    assert facts["facts"]["checkpoint"]["quant_method"] == "gptq"
    assert facts["bits_per_weight"] == pytest.approx(4 + (16 + 4) / 32 + 32 / 32)  # g_idx: 32 bits for 32 outputs
    assert facts["weight_bytes"] == facts["facts"]["checkpoint"]["weight_bytes"]
    assert torch.is_tensor(load_file(tmp_path / "m/model.safetensors")["model.layers.0.mlp.up_proj.g_idx"])
