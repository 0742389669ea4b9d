"""Low-rank adapters are added to the weights as peft adds them, and what is not understood is refused in a sentence."""

from __future__ import annotations

import json
import math

import pytest
import torch
from safetensors.torch import save_file

from acgym.agents.adapter import merge, terms
from acgym.agents.local import load
from acgym.assemble.folder import fingerprint
from acgym.assemble.make import local, unmerged
from acgym.assemble.spec import parse_spec
from acgym.model_files.adapter import CONFIG, WEIGHTS, inspect_adapter
from tests.helpers import small_agent

SETTINGS = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none", "target_modules": ["q_proj"]}
LAYER = "model.layers.0.self_attn.q_proj"


def write(folder, settings=None, tensors=None, **changes):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(1)
    pair = {"A": torch.randn(2, 32), "B": torch.randn(32, 2)}
    named = {f"base_model.model.{LAYER}.lora_{letter}.weight": tensor for letter, tensor in pair.items()}
    (folder / CONFIG).write_text(json.dumps({**SETTINGS, **(settings or {}), **changes}))
    save_file(named if tensors is None else tensors(named), folder / WEIGHTS)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return small_agent.saved(tmp_path_factory.mktemp("models") / "small")


@pytest.mark.parametrize(("settings", "scale"), [({}, 2.0), ({"use_rslora": True}, 4 / math.sqrt(2))])
def test_the_product_is_added_to_its_layer_alone(base, tmp_path, settings, scale):
    adapter = inspect_adapter(write(tmp_path / "a", settings))
    model, plain = (small_agent.loaded().model for _ in range(2))
    merge(model, adapter)
    a, b = (terms(tmp_path / "a", scale)[f"base_model.model.{LAYER}.lora_{letter}.weight"] for letter in "AB")
    wanted = plain.get_submodule(LAYER).weight + scale * b @ a
    assert torch.allclose(model.get_submodule(LAYER).weight, wanted, atol=1e-6)
    others = {name for name, tensor in plain.state_dict().items() if not torch.equal(tensor, model.state_dict()[name])}
    assert others == {f"{LAYER}.weight"}


def test_specs_take_an_adapter_and_record_its_hash(base, tmp_path):
    folder = write(tmp_path / "a+b")  # a name that looks as if a recipe followed
    spec = parse_spec(f"hf:{base}@lora:{folder}+rtn-w4-g32@rerun")
    assert (spec.source, spec.adapter, str(spec.recipe), spec.rerun) == (str(base), str(folder), "rtn-w4-g32", True)
    assert spec.base.text == f"hf:{base}@lora:{folder}"
    assert spec.base == parse_spec(spec.base.text)
    agent = local(spec)
    assert agent.facts["checkpoint"] == {"adapter": inspect_adapter(folder).facts()}
    bare, kept = unmerged(spec.base)
    assert kept is not None
    assert torch.equal(bare.model.get_submodule(LAYER).weight, load(str(base)).model.get_submodule(LAYER).weight)
    plain = fingerprint(parse_spec(f"hf:{base}"))
    before = fingerprint(spec)
    write(folder, lora_alpha=8)
    assert len({plain, before, fingerprint(spec)}) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "LOHA"}, "type 'LOHA'"),
        ({"use_dora": True}, "'use_dora'"),
        ({"rank_pattern": {"q_proj": 4}}, "'rank_pattern'"),
        ({"alpha_pattern": {"q_proj": 4}}, "'alpha_pattern'"),
        ({"modules_to_save": ["lm_head"]}, "'modules_to_save'"),
        ({"layer_replication": [[0, 1]]}, "'layer_replication'"),
        ({"trainable_token_indices": [3]}, "'trainable_token_indices'"),
        ({"something_new": 1}, "'something_new'"),
        ({"bias": "all"}, "biases"),
        ({"init_lora_weights": "pissa"}, "began as 'pissa'"),
        ({"fan_in_fan_out": True}, "'fan_in_fan_out'"),
        ({"r": 0}, "above 0 as 'r'"),
        ({"r": True}, "above 0 as 'r'"),
        ({"lora_alpha": "much"}, "number as 'lora_alpha'"),
    ],
)
def test_settings_that_mean_another_model_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        inspect_adapter(write(tmp_path / "a", changes))


FIRST = f"base_model.model.{LAYER}.lora_A.weight"
SECOND = f"base_model.model.{LAYER}.lora_B.weight"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (lambda t: {FIRST: t[FIRST]}, "only A of"),
        (lambda t: {**t, FIRST: torch.randn(3, 32)}, "expected .2, 32."),
        (lambda t: {**t, FIRST: torch.full((2, 32), torch.nan)}, "NaN or infinity"),
        (lambda t: {**t, "base_model.model.lm_head.weight": torch.randn(4, 4)}, "does not merge"),
        (lambda t: {n.replace("layers.0", "layers.7"): v for n, v in t.items()}, "does not have"),
        (lambda t: {n.replace("self_attn.q_proj", "input_layernorm"): v for n, v in t.items()}, "linear layers only"),
        (lambda t: {}, "no matrices"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(tmp_path, tensors, message):
    model = small_agent.loaded().model
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        merge(model, inspect_adapter(write(tmp_path / "a", tensors=tensors)))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_what_is_not_there_or_torn_is_said(base, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no adapter"):
        parse_spec(f"hf:{base}@lora:{tmp_path / 'none'}")
    folder = write(tmp_path / "a")
    (folder / WEIGHTS).write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="is damaged"):
        local(parse_spec(f"hf:{base}@lora:{folder}"))
    (folder / WEIGHTS).unlink()
    (folder / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="can run code"):
        inspect_adapter(folder)
    (folder / CONFIG).write_text("[")
    with pytest.raises(ValueError, match="not JSON"):
        inspect_adapter(folder)
    with pytest.raises(ValueError, match="hf:BASE@lora:"):
        parse_spec(f"reference@lora:{folder}")
    with pytest.raises(ValueError, match="Name both: hf:BASE@lora:"):
        parse_spec(f"hf:{_with_config(folder)}")


def _with_config(folder):
    (folder / "config.json").write_text("{}")
    return folder
