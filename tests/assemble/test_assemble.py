"""Agent specs: what they mean, what is refused before anything is loaded, and the agents that come of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import acgym
from acgym.assemble.folder import fingerprint
from acgym.assemble.models import Models
from acgym.assemble.spec import parse_spec
from acgym.compress import parse
from acgym.compress.methods.result import Compressed
from acgym.listener import Listener
from acgym.types import Message
from tests.helpers.compress_models import registered
from tests.helpers.registry import PLAYED
from tests.helpers.tiny import save_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("oracle", ("oracle", "oracle", None, None)),
        (" reference ", ("reference", "reference", None, None)),
        ("reference+GPTQ-w4", ("reference+gptq-w4-g128", "reference", None, "gptq-w4-g128")),
        ("reference+wanda-2:4", ("reference+wanda-2:4", "reference", None, "wanda-2:4")),
        ("reference+wanda-2:4+rtn-w8", ("reference+wanda-2:4+rtn-w8-g128", "reference", None, "wanda-2:4+rtn-w8-g128")),
        ("hf:owner/name+wanda-2:4", ("hf:owner/name+wanda-2:4", "hf", "owner/name", "wanda-2:4")),
    ],
)
def test_spec_is_taken_apart(text, spec):
    found = parse_spec(text)
    assert (found.text, found.kind, found.source, found.recipe and str(found.recipe)) == spec
    assert parse_spec(found.text) == found
    assert found.base.recipe is None
    assert parse_spec(found.base.text) == found.base


def test_path_with_a_plus_is_not_cut(model, tmp_path):
    odd = tmp_path / "a+gptq-w4"
    odd.symlink_to(model)
    assert parse_spec(f"hf:{odd}").source == str(odd)
    assert parse_spec(f"hf:{odd}+rtn-w3-g32").recipe == parse("rtn-w3-g32")
    assert parse_spec(f"hf:{odd}+rtn-w3-g32").source == str(odd)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("refrence", "did you mean 'reference'"),
        ("oracel+rtn-w4", "did you mean 'oracle'"),
        ("", "unknown agent ''"),
        ("reference+gtpq-w4", "did you mean 'gptq'"),
        ("reference+wandaa-2:4", "did you mean 'wanda'"),
        ("reference+gptq-w9", "gptq-w9"),
        ("reference+", "recipe is empty"),
        ("hf:owner/name+rnt-w4", "did you mean 'rtn'"),
        ("oracle+rtn-w4", "has no model"),
        ("hf", "should be written 'hf:PATH-OR-ID'"),
        ("hf:", "should be written 'hf:PATH-OR-ID'"),
        ("oracle:x", "should be written 'oracle'"),
        ("replay", "should be written 'replay:FILE'"),
    ],
)
def test_bad_spec_is_refused_with_what_to_write(text, said):
    with pytest.raises(ValueError, match=said):
        parse_spec(text)


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model at"):
        parse_spec(f"hf:{tmp_path}/none")
    with pytest.raises(FileNotFoundError, match="no episode file"):
        parse_spec(f"replay:{tmp_path}/none.jsonl")
    with pytest.raises(FileNotFoundError, match="no model at"):
        parse_spec("./none")


def test_a_models_path_may_stand_without_its_kind(tmp_path, monkeypatch):
    model = save_model(tmp_path / "model")
    (tmp_path / "model.gguf").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert parse_spec("./model").text == "hf:./model"
    assert parse_spec("model+rtn-w8-g16").text == "hf:model+rtn-w8-g16"
    assert parse_spec(f"{model}+rtn-w8-g16@packed@rerun") == parse_spec(f"hf:{model}+rtn-w8-g16@packed@rerun")
    with pytest.raises(ValueError, match=r"model\.gguf"):
        parse_spec("./model.gguf")
    (tmp_path / "oracle").mkdir()
    assert parse_spec("oracle").kind == "oracle"


def test_an_agent_of_a_script_is_named_as_it_is():
    spec = parse_spec("python:mine+rtn-w3@rerun")
    assert (spec.kind, spec.source, spec.recipe, spec.rerun) == ("python", "mine+rtn-w3@rerun", None, False)
    with pytest.raises(ValueError, match="is written 'python:NAME'"):
        parse_spec("python:")
    models = Models.of({"agents": [spec.text], "envs": {}, "calibration": "trajectories"}, Listener())
    with pytest.raises(ValueError, match=r"is an agent of the script that made the run, and is not here"):
        models.make(spec)


def broken_model(model, folder, fault):
    folder.mkdir()
    for path in model.iterdir():
        if not (fault == "template" and path.name == "chat_template.jinja"):
            (folder / path.name).write_bytes(path.read_bytes())
    if fault == "pickle":
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    if fault == "code":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}}))
    if fault == "config":
        (folder / "config.json").unlink()
    return folder


@pytest.mark.parametrize(
    ("fault", "said"),
    [("template", "no chat template"), ("pickle", "only pickled"), ("code", "auto_map"), ("config", "no config.json")],
)
def test_unsafe_or_unusable_model_is_refused(model, tmp_path, fault, said):
    with pytest.raises(ValueError, match=said):
        parse_spec(f"hf:{broken_model(model, tmp_path / fault, fault)}+rtn-w3")


def test_refusals_load_no_torch(tmp_path):
    code = """
import json, sys
from acgym.experiment.run import prepare
said = []
for agents, envs, kwargs in [
    (["refrence"], [], {}), (["reference+gtpq-w4"], [], {}), (["oracle"], ["ACB/Nedle-v0"], {}),
    (["oracle"], ["ACB/Needle-v0"], {"lenght": 3}), (["hf:/nowhere"], [], {}), ([], [], {}),
]:
    try:
        prepare(agents, envs, kwargs=kwargs)
    except (ValueError, FileNotFoundError) as error:
        said.append(str(error))
print(json.dumps([said, sorted({"torch", "transformers"} & set(sys.modules))]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    said, loaded = json.loads(done.stdout)
    assert len(said) == 5
    assert loaded == []


def test_level_default_is_the_reference_agents():
    assert parse_spec("reference+rtn-w3").defaults == {"level": 1}
    assert parse_spec("oracle").defaults == {}


def test_fingerprint_follows_the_weights_and_nothing_else(model, tmp_path):
    copy = broken_model(model, tmp_path / "copy", "none")
    first = fingerprint(parse_spec(f"hf:{model}"))
    assert first == fingerprint(parse_spec(f"hf:{copy}+rtn-w3-g32"))
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert first != fingerprint(parse_spec(f"hf:{copy}"))
    assert fingerprint(parse_spec("oracle")) is None
    assert fingerprint(parse_spec("hf:owner/name")) is None


def test_strangers_method_compresses_by_name(model):
    def zero(weight, statistics, options):
        return Compressed(weight * 0)

    with registered("zero", zero):
        agent = acgym.agent(f"hf:{model}+zero")
        assert agent.name == f"hf:{model}+zero"
        assert not torch.any(agent.model.model.layers[0].mlp.up_proj.weight)
        reply = agent.chat({"tools": ()})("hello")
    assert isinstance(reply, str)
    with pytest.raises(ValueError, match="unknown compression method 'zero'"):
        acgym.agent(f"hf:{model}+zero")


def test_agents_are_named_by_their_canonical_spec(model):
    assert acgym.agent("oracle").name == "oracle"
    dense, coarse = acgym.agent(f"hf:{model}"), acgym.agent(f"hf:{model}+RTN-w2-g32")
    assert (dense.name, coarse.name) == (f"hf:{model}", f"hf:{model}+rtn-w2-g32")
    ids = [dense.prompts.ids([Message("user", "hello")], ())]
    assert not torch.equal(dense.model(torch.tensor(ids)).logits, coarse.model(torch.tensor(ids)).logits)


def test_calibration_decides_the_weights(model, tmp_path):
    (tmp_path / "text").write_text("the code of bel is 12, of ado 7.\n" * 40)
    file, same, other = (
        acgym.agent(f"hf:{model}+gptq-w3-g32{suffix}", calibration=calibration).model.model.layers[0].mlp.up_proj.weight
        for suffix, calibration in [
            ("@4x32", tmp_path / "text"),
            (f"@text:{tmp_path}/text,4x32", "trajectories"),
            ("", f"text:{tmp_path}/text,9x16,seed5"),
        ]
    )
    assert torch.equal(file, same)
    assert not torch.equal(file, other)
    with pytest.raises(FileNotFoundError, match="no calibration text"):
        acgym.agent(f"hf:{model}+gptq-w3-g32", calibration=tmp_path / "none")


def test_capabilities_are_registered():
    import gymnasium as gym

    assert len({gym.make(env).unwrapped.capability for env in PLAYED}) == 4


def test_check_module_is_callable():
    from acgym.check import check
    from tests.helpers.toys import ECHO

    assert acgym.check(ECHO, seeds=20) == acgym.check.check(ECHO, seeds=20) == check(ECHO, seeds=20)
