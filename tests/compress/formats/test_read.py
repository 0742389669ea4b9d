"""Quantised checkpoints of others: older files, foreign habits, missing extras, and files that lie."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

import acgym
from acgym.agents.local import inspect_source, load
from acgym.checkpoint.export import prepare_export, run_export
from acgym.compress.formats.read import read_checkpoint
from acgym.model_files.quantisation import quantisation
from acgym.model_files.weights import weight_files
from tests.helpers.tiny import save_model

PROJECTION = "model.layers.0.mlp.up_proj"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """One export of each kind."""
    base = tmp_path_factory.mktemp("sources")
    model = save_model(base / "model")
    for name, form, recipe in (
        ("gptq", "gptq", "rtn-w4-g16-sym"),
        ("awq", "awq", "rtn-w4-g16"),
        ("packed", "compressed-tensors", "rtn-w4-g16"),
        ("w8a8", "compressed-tensors", "rtn-w8-channel-sym+act-int8"),
    ):
        run_export(prepare_export(str(model), recipe, base / name, form))
    return base


@pytest.fixture
def folder(request, sources, tmp_path):
    """A copy of one of them, to be changed."""
    return shutil.copytree(sources / request.param, tmp_path / request.param)


def change_config(folder, **changes):
    file = folder / "config.json"
    config = json.loads(file.read_text("utf-8"))
    config["quantization_config"] = {**config["quantization_config"], **changes}
    file.write_text(json.dumps(config), "utf-8")


def change_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "model.safetensors")


def read(folder):
    return read_checkpoint(folder, lambda parameters, stored: torch.float32)


def same_weights(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("folder", ["gptq"], indirect=True)
def test_files_as_auto_gptq_wrote_them_are_read(folder, sources):
    """Settings in a file of their own, an odd file name, and a bias of zeros for projections that have none."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    settings = config.pop("quantization_config")
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    kept = {name: settings[name] for name in ("bits", "group_size", "sym", "desc_act")}
    (folder / "quantize_config.json").write_text(json.dumps({**kept, "damp_percent": 0.01}), "utf-8")
    change_weights(folder, lambda weights: weights.update({f"{PROJECTION}.bias": torch.zeros(32).half()}))
    (folder / "model.safetensors").rename(folder / "gptq_model-4bit-16g.safetensors")
    assert same_weights(read(folder)[0], read(sources / "gptq")[0])
    inspect_source(str(folder))


@pytest.mark.parametrize("folder", ["gptq"], indirect=True)
def test_both_versions_of_gptq_mean_the_same_weights(folder, sources):
    def second_version(weights):
        for name in [name for name in weights if name.endswith("qzeros")]:
            weights[name] = weights[name] + 0x11111111

    change_weights(folder, second_version)
    change_config(folder, checkpoint_format="gptq_v2")
    model, facts = read(folder)
    assert same_weights(model, read(sources / "gptq")[0])
    assert facts["format"] == "gptq_v2"


@pytest.mark.parametrize("folder", ["awq"], indirect=True)
def test_settings_as_auto_awq_once_named_them_are_read(folder, sources):
    config = json.loads((folder / "config.json").read_text("utf-8"))
    del config["quantization_config"]
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    older = {"zero_point": True, "q_group_size": 16, "w_bit": 4, "version": "GEMM"}
    (folder / "quant_config.json").write_text(json.dumps(older), "utf-8")
    model, facts = read(folder)
    assert same_weights(model, read(sources / "awq")[0])
    assert (facts["bits"], facts["group_size"]) == (4, 16)


@pytest.mark.parametrize("folder", ["packed"], indirect=True)
def test_weights_in_several_files_are_read(folder, sources):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, held in parts.items():
        save_file({name: weights[name] for name in held}, folder / file)
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    assert same_weights(read(folder)[0], read(sources / "packed")[0])
    for bad in ("../model-1.safetensors", "model-3.safetensors", "config.json", 7):
        index["weight_map"][names[0]] = bad
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
        with pytest.raises(ValueError, match=r"not the plain name|is not there|damaged"):
            weight_files(folder)


LIES = [
    ("gptq", {}, lambda w: w[f"{PROJECTION}.g_idx"].add_(1), "up_proj .*g_idx names groups 1 to 2"),
    ("gptq", {}, lambda w: w.pop(f"{PROJECTION}.scales"), "its scales is missing"),
    ("gptq", {"bits": 8}, None, "damaged"),
    ("gptq", {"bits": "4"}, None, "must be one of 2, 3, 4, 8"),
    ("gptq", {"checkpoint_format": "marlin"}, None, "layout 'marlin'; acgym reads gptq and gptq_v2"),
    ("awq", {"version": "gemv"}, None, "layout 'gemv'; acgym reads gemm"),
    ("gptq", {}, lambda w: w.pop("model.norm.weight"), "lacks 1 weights of its model, such as model.norm.weight"),
    ("gptq", {}, lambda w: w.update({f"{PROJECTION}.bias": torch.ones(32)}), "no place for, such as .*up_proj.bias"),
    ("packed", {"config_groups": {}}, None, "no config_groups"),
    ("packed", {"sparsity_config": {"format": "sparse-24-bitmask"}}, None, "sparse-24-bitmask"),
    ("packed", {"transform_config": {"config_groups": {"R1": {}}}}, None, "with rotations"),
    ("packed", {}, lambda w: w[f"{PROJECTION}.weight_shape"].fill_(2**40), "weight_shape"),
    (
        "w8a8",
        {"config_groups": {"a": {"weights": {}, "input_activations": {"num_bits": 4}}}},
        None,
        "does not simulate",
    ),
    ("w8a8", {}, lambda w: w.update({f"{PROJECTION}.weight": torch.zeros(32, 32).int()}), "must be int8 or float8"),
]


@pytest.mark.parametrize(("folder", "config", "weights", "said"), LIES, indirect=["folder"])
def test_a_checkpoint_that_lies_is_refused_in_a_sentence(folder, config, weights, said):
    change_config(folder, **config)
    if weights is not None:
        change_weights(folder, weights)
    with pytest.raises(ValueError, match=said):
        read(folder)


@pytest.mark.parametrize("folder", ["gptq"], indirect=True)
def test_a_config_of_a_huge_model_takes_no_memory(folder):
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"hidden_size": 2**20, "intermediate_size": 2**20, "num_hidden_layers": 1}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ValueError, match="the two do not belong together"):
        read(folder)


@pytest.mark.parametrize("folder", ["gptq"], indirect=True)
def test_a_torn_file_is_refused(folder):
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged"):
        acgym.agent(f"hf:{folder}")


@pytest.mark.parametrize("folder", ["gptq"], indirect=True)
def test_a_missing_extra_names_the_command_that_installs_it(folder, monkeypatch):
    monkeypatch.setattr("acgym.model_files.quantisation.find_spec", lambda name: None)
    change_config(folder, quant_method="bitsandbytes", load_in_4bit=True)
    with pytest.raises(ImportError, match=r"pip install 'acgym\[bitsandbytes\]'"):
        acgym.agent(f"hf:{folder}")


def test_the_method_of_a_checkpoint():
    assert quantisation({}) is None
    assert quantisation({"quantization_config": {"load_in_8bit": True}}).method == "bitsandbytes"
    assert quantisation({"quantization_config": {"quant_method": "GPTQ", "bits": 4}}).read_here
    with pytest.raises(ValueError, match="names no quant_method"):
        quantisation({"quantization_config": {"bits": 4}})
    with pytest.raises(ValueError, match="must be an object"):
        quantisation({"quantization_config": "int4"})


@pytest.mark.parametrize("folder", ["gptq"], indirect=True)
def test_quantised_weights_are_not_loaded_without_a_reader(folder):
    with pytest.raises(ValueError, match=r"make the agent with acgym.agent"):
        load(str(folder))
