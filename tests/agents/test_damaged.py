"""Every way to damage a model folder is answered by the real command with one sentence, before a word is played."""

from __future__ import annotations

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from acgym.agents.dense_model import refuse_gaps
from acgym.agents.local import load
from acgym.cli.app import app
from tests.helpers.tiny import save_model

Q = "model.layers.0.self_attn.q_proj.weight"
EVIL = "model.\x1b[31mEVIL.weight"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("models") / "tiny", layers=2)


def config(**changes):
    return settings("config.json", **changes)


def settings(name, **changes):
    def spoil(at):
        (at / name).write_text(json.dumps({**json.loads((at / name).read_text()), **changes}))

    return spoil


def weights(change):
    def spoil(at):
        held = load_file(at / "model.safetensors")
        change(held)
        save_file(held, at / "model.safetensors", {"format": "pt"})

    return spoil


def write(name, content):
    return lambda at: (at / name).write_bytes(content)


def cut(name, size):
    return lambda at: (at / name).write_bytes((at / name).read_bytes()[:size])


def indexed(file, one="one.safetensors", metadata=True):
    """Split the weights over two files, of which the index names the second ``file``."""

    def spoil(at):
        held = load_file(at / "model.safetensors")
        (at / "model.safetensors").unlink()
        (at / "sub").mkdir()
        save_file({name: held[name] for name in held if name != Q}, at / one, {"format": "pt"})
        if not metadata:
            save_file({Q: held[Q]}, at / file, {"format": "pt"})
        names = {name: file if name == Q else one for name in held}
        (at / "model.safetensors.index.json").write_text(
            json.dumps({**({"metadata": {}} if metadata else {}), "weight_map": names})
        )
        torch.save({Q: held[Q]}, at / "w.bin")
        if file == "bin.safetensors":
            torch.save({Q: held[Q]}, at / file)
        save_file({Q: held[Q]}, at.parent / "outside.safetensors", {"format": "pt"})

    return spoil


def larger_tokenizer(at):
    held = json.loads((at / "tokenizer.json").read_text("utf-8"))
    held["model"]["vocab"] += [[f"zz{n}", -20.0] for n in range(100)]
    (at / "tokenizer.json").write_text(json.dumps(held), "utf-8")


def two_sets(at):
    write("model.safetensors.index.json", b'{"weight_map": {"a": "b.safetensors"}}')(at)
    shutil.copy(at / "model.safetensors", at / "b.safetensors")


DAMAGE = {
    "a weight is missing": (weights(lambda w: w.pop(Q)), f"lacks 1 weights ({Q})"),
    "another architecture": (config(model_type="gpt2", architectures=["GPT2LMHeadModel"]), "belong together"),
    "a near architecture": (config(model_type="qwen3", architectures=["Qwen3ForCausalLM"]), "lacks 4 weights"),
    "fewer layers": (config(num_hidden_layers=1), "has no place for"),
    "a weight too many": (weights(lambda w: w.update({Q.replace("q_", "x_"): torch.ones(2, 2)})), "has no place for"),
    "a tied head that is not": (weights(lambda w: w.pop("lm_head.weight")), "lm_head.weight"),
    "no layers": (config(num_hidden_layers=0), "'num_hidden_layers' above 0, got 0"),
    "less than no layers": (config(num_hidden_layers=-1), "'num_hidden_layers' above 0, got -1"),
    "a part of a layer that there is not": (
        weights(lambda w: w.update({"model.layers.9.\x1b[31mx.weight": torch.ones(2)})),
        "holds 1 weights (model.layers.9.\\x1b[31mx.weight) that its model has no place for",
    ),
    "a deep part of a layer": (
        weights(lambda w: w.update({"model.layers.0.a.b.weight": torch.ones(2)})),
        "model.layers.0.a.b.weight) that its model has no place for",
    ),
    "no base of rotations": (config(rope_theta=0), "'rope_theta' above 0, got 0"),
    "no base of rotations, inside": (config(rope_parameters={"rope_theta": 0.0}), "'rope_theta' above 0, got 0.0"),
    "no positions": (config(max_position_embeddings=0), "'max_position_embeddings' above 0, got 0"),
    "NaN": (weights(lambda w: w[Q][0].fill_(float("nan"))), f"NaN or infinity in 1 weights ({Q})"),
    "infinity": (weights(lambda w: w[Q][0].fill_(float("-inf"))), f"NaN or infinity in 1 weights ({Q})"),
    "another shape": (weights(lambda w: w.update({Q: torch.ones(2, 3)})), f"holds {Q} with the shape (2, 3)"),
    "another width": (config(hidden_size=64), "with the shape"),
    "a huge width": (config(hidden_size=2**20, intermediate_size=2**20), "belong together"),
    "a billion layers": (config(num_hidden_layers=10**9), "describes 1000000000 layers"),
    "garbage": (write("model.safetensors", b"garbage" * 100), "model.safetensors is damaged"),
    "an empty file": (write("model.safetensors", b""), "model.safetensors is damaged"),
    "a torn file": (cut("model.safetensors", 5000), "model.safetensors is damaged"),
    "pickle by another name": (lambda at: torch.save({}, at / "model.safetensors"), "model.safetensors is damaged"),
    "zero heads": (config(num_attention_heads=0), "cannot be loaded"),
    "zero key heads": (config(num_key_value_heads=0), "cannot be loaded"),
    "heads that do not divide": (config(num_key_value_heads=3, head_dim=None), "with the shape"),
    "text where a number belongs": (config(hidden_size="32"), "expected int, got str"),
    "a list where a number belongs": (config(num_hidden_layers=[2]), "expected int, got list"),
    "a negative number": (config(hidden_size=-32), "cannot be loaded"),
    "an unknown family": (config(model_type="xyz"), "model type `xyz`"),
    "a family that is a list": (config(model_type=["llama"]), "cannot be loaded"),
    "an unknown activation": (config(hidden_act="xyz"), "cannot be loaded"),
    "positions that are text": (config(rope_parameters="x"), "rope_parameters"),
    "a window that is text": (config(max_position_embeddings="long"), "max_position_embeddings"),
    "a dtype that there is not": (config(dtype="float31"), "float31"),
    "a larger tokenizer": (larger_tokenizer, "but the model knows"),
    "a torn tokenizer": (cut("tokenizer.json", 200), "cannot be loaded"),
    "a tokenizer that is a list": (write("tokenizer.json", b"[]"), "cannot be loaded"),
    "no tokenizer": (lambda at: (at / "tokenizer.json").unlink(), "cannot be loaded"),
    "a torn template": (write("chat_template.jinja", b"{% for m in"), "chat template"),
    "a binary template": (write("chat_template.jinja", b"\xff\xfe"), "cannot be loaded"),
    "a template that says nothing": (write("chat_template.jinja", b" "), "chat template"),
    "an end that is text": (settings("generation_config.json", eos_token_id="</s>"), "expected whole numbers"),
    "a bound that is text": (settings("generation_config.json", max_new_tokens="many"), "expected whole numbers"),
    "an end that there is not": (settings("generation_config.json", eos_token_id=10**6), "the model knows"),
    "torn ends": (write("generation_config.json", b"{"), "generation_config.json is damaged"),
    "code, deep in the config": (config(sub=[{"auto_map": {"AutoModel": "evil.M"}}]), "'auto_map' in config.json"),
    "a kernel from elsewhere": (config(_attn_implementation="evil/kernel"), "a kernel from elsewhere"),
    "kernels from elsewhere": (config(attn_implementation={"": "evil/kernel"}), "a kernel from elsewhere"),
    "weights by another name": (config(transformers_weights="w.bin"), "'transformers_weights'"),
    "an adapter": (write("adapter_config.json", b"{}"), "holds an adapter"),
    "an index to pickle": (indexed("w.bin"), "names 'w.bin'"),
    "an index to pickle, renamed": (indexed("bin.safetensors"), "bin.safetensors is damaged"),
    "an index to elsewhere": (indexed("../outside.safetensors"), "names '../outside.safetensors'"),
    "an index to what is not there": (indexed("two.safetensors"), "names 'two.safetensors'"),
    "an index to elsewhere alone": (indexed("../outside.safetensors", one="../one.safetensors"), "not the plain name"),
    "an index to a folder alone": (indexed("sub/x.safetensors", one="sub/x.safetensors"), "not the plain name of a"),
    "an index without metadata": (indexed("two.safetensors", metadata=False), 'Add "metadata": {}'),
    "an index that is a list": (write("model.safetensors.index.json", b"[]"), "index.json is damaged"),
    "an index without names": (write("model.safetensors.index.json", b'{"weight_map": {}}'), "index.json is damaged"),
    "two sets of weights": (two_sets, "an index that names other files"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_folder_is_refused_in_one_sentence(case, whole, tmp_path, capfd):
    spoil, said = DAMAGE[case]
    folder = shutil.copytree(whole, tmp_path / "model")
    spoil(folder)
    words = ["play", f"hf:{folder}", "ACB/Needle-v0", "--episodes", "1", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, words)
    heard = result.output + "".join(capfd.readouterr())
    assert result.exit_code == 2, (heard, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert said in " ".join(heard.split())
    assert heard.count("error:") == 1
    assert "Traceback" not in heard
    assert "\x1b" not in heard
    assert not list((tmp_path / "run").glob("*/episodes.jsonl"))


@pytest.mark.parametrize("family", ["Llama", "Qwen2", "Mixtral", "Qwen2Moe", "Qwen3Moe"])
def test_a_whole_folder_is_loaded(family, tmp_path):
    """Also one whose head is tied to its embedding and not stored, and one whose experts are stored one by one."""
    assert load(str(save_model(tmp_path, family=family))).model.config.model_type == family.lower().replace(
        "moe", "_moe"
    )


def test_weights_in_several_files_are_loaded(whole, tmp_path):
    folder = shutil.copytree(whole, tmp_path / "model")
    indexed("two.safetensors")(folder)
    save_file({Q: load_file(whole / "model.safetensors")[Q]}, folder / "two.safetensors", {"format": "pt"})
    both = load(str(folder)).model.state_dict(), load(str(whole)).model.state_dict()
    assert all(torch.equal(both[0][name], both[1][name]) for name in both[1])


def test_names_of_tensors_do_not_steer_the_terminal(whole, tmp_path, capfd):
    folder = shutil.copytree(whole, tmp_path / "model")
    weights(lambda w: w.update({EVIL: torch.ones(2)}))(folder)
    load(str(folder))  # a part of another model: it is not asked for, and not reported raw
    weights(lambda w: w.pop(Q) is None or w.update({Q.replace("q_", "\x1b[2Jq_"): torch.ones(2)}))(folder)
    with pytest.raises(ValueError, match="lacks 1 weights") as refused:
        load(str(folder))
    assert "\x1b" not in "".join(capfd.readouterr()) + str(refused.value)


def test_pickle_is_never_opened(whole, tmp_path, monkeypatch):
    folder = shutil.copytree(whole, tmp_path / "model")
    monkeypatch.setattr(pickle, "Unpickler", None)
    monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("pickled weights were read"))
    for file in ("w.bin", "bin.safetensors"):
        at = shutil.copytree(folder, tmp_path / file)
        indexed(file)(at)
        with pytest.raises(ValueError, match=r"names 'w.bin'|is damaged"):
            load(str(at))


def test_of_a_hub_id_only_what_the_index_names_is_fetched_and_it_is_looked_over_first(whole, tmp_path, monkeypatch):
    folder = shutil.copytree(whole, tmp_path / "model")
    asked = []
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download",
        lambda source, allow_patterns, **_: asked.extend(allow_patterns) or str(folder),
    )
    assert load("some/model").model.config.hidden_size == 32
    assert "model.safetensors" in asked
    assert not {"*.bin", "*.safetensors", "*"} & set(asked)
    indexed("w.bin")(folder)
    asked.clear()
    with pytest.raises(ValueError, match=r"names 'w\.bin'"):
        load("some/model")
    assert "w.bin" not in asked


def test_a_model_without_layers_is_refused_however_it_came_about(whole):
    model = load(str(whole)).model
    model.config.num_hidden_layers = 0
    with pytest.raises(ValueError, match="describes 0 layers; expected at least 1"):
        refuse_gaps(whole, model, {"missing_keys": (), "mismatched_keys": (), "unexpected_keys": ()})
