"""The output head: untouched unless an override bears its name, then compressed from what it really reads."""

from __future__ import annotations

import copy
import json
import re

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import acgym.compress.walk.layer as layer_module
import acgym.compress.walk.replay as replay_module
from acgym.cli.app import app
from acgym.compress import Compressed, compress, parse
from acgym.compress.methods.activations import input_format
from acgym.compress.packed.convert import GridKeeper, pack
from acgym.compress.packed.linear import Int8Linear
from acgym.compress.stream.folder import compress_folder
from acgym.compress.walk.head import output_head
from tests.helpers.compress_families import families
from tests.helpers.compress_families import make as family_model
from tests.helpers.compress_models import VOCABULARY, linears, logits, make, registered, text
from tests.helpers.tiny import save_model

ROWS = text(6)


@pytest.mark.parametrize("overrides", [{}, {"*": "rtn-w8-g32"}, {"*l*": "rtn-w8-g32"}])
def test_no_pattern_touches_the_head(overrides):
    model, dense = make(), make()
    record = compress(model, "rtn-w4-g32", overrides=overrides)
    assert torch.equal(model.lm_head.weight, dense.lm_head.weight)
    assert record.compressed_weights == sum(linear.weight.numel() for linear in linears(model).values())


@pytest.mark.parametrize("recipe", ["rtn-w8-channel", "rtn-w4-g32", "magnitude-50", "fp8"])
def test_an_override_by_name_gives_the_head_what_a_projection_gets(recipe):
    model, dense = make(), make()
    record = compress(model, "rtn-w4-g32", overrides={"lm_head": recipe})
    twin = make(intermediate_size=VOCABULARY)  # one of its projections holds the same weight
    twin.model.layers[0].mlp.up_proj.weight.data.copy_(dense.lm_head.weight)
    compress(twin, recipe)
    assert torch.equal(model.lm_head.weight, twin.model.layers[0].mlp.up_proj.weight)
    assert not torch.equal(model.lm_head.weight, dense.lm_head.weight)
    assert torch.equal(model.model.embed_tokens.weight, dense.model.embed_tokens.weight)
    assert record.layers[-1].name == "lm_head"
    assert record.layers[-1].output_error is None
    assert record.layers[-1].weight_error > 0
    assert record.compressed_weights == sum(p.weight.numel() for p in [*linears(model).values(), model.lm_head])
    assert record.overrides == {"lm_head": str(parse(recipe))}


@pytest.mark.parametrize("family", families("llama", "phi", "gemma2", "qwen2_moe"))
def test_the_head_sees_the_inputs_that_the_compressed_layers_give_it(family, monkeypatch):
    monkeypatch.setattr(layer_module, "ERROR_TOKENS", 1)
    monkeypatch.setattr(replay_module, "BATCH_TOKENS", 1)
    seen = {}

    def spy(weight, statistics, options):
        seen[tuple(weight.shape)] = (statistics.tokens, statistics.gram.clone())
        return Compressed((weight * 4).round() / 4)

    model = family_model(family)
    ((name, head),) = output_head(model).items()
    assert name == "lm_head"
    with registered("spy", spy, needs="hessian"):
        if head.weight is model.get_input_embeddings().weight:
            with pytest.raises(ValueError, match="lm_head is tied to the input embeddings"):
                compress(model, "rtn-w8-g32", ROWS, overrides={"lm_head": "spy"})
            return
        before = copy.deepcopy(head.weight)
        compress(model, "rtn-w4-g32", ROWS, overrides={"lm_head": "spy"})
    assert not torch.equal(head.weight, before)
    inputs = []
    hook = head.register_forward_pre_hook(lambda _, args: inputs.append(args[0].flatten(0, -2)))
    for row in ROWS:
        logits(model, row)
    hook.remove()
    x = torch.cat(inputs)
    tokens, gram = seen[tuple(head.weight.shape)]
    assert tokens == len(x) == sum(map(len, ROWS))
    assert torch.allclose(gram, x.T @ x, rtol=1e-3, atol=1e-3 * float(gram.diagonal().max()))
    assert all("forward" not in module.__dict__ for module in model.modules())


def test_gptq_rounds_the_head_better_than_rtn_and_chains_keep_its_zeros():
    errors = {}
    for recipe in ("rtn-w3-g32", "gptq-w3-g32"):
        model = make()
        dense = model.lm_head.weight.clone()
        compress(model, "rtn-w16", ROWS, overrides={"lm_head": recipe})
        with torch.no_grad():
            hidden = torch.cat([model.model(torch.tensor([row])).last_hidden_state[0] for row in ROWS])
            errors[recipe] = float((hidden @ (model.lm_head.weight - dense).T).norm())
    assert errors["gptq-w3-g32"] < 0.9 * errors["rtn-w3-g32"]
    model, ticks = make(), []
    overrides = {"lm_head": "wanda-2:4+gptq-w4-g32"}
    record = compress(
        *(model, "rtn-w8-g32+rtn-w8-g32", ROWS),
        overrides=overrides,
        progress=lambda done, total, label: ticks.append((done, total)),
    )
    assert ((model.lm_head.weight.reshape(-1, 4) == 0).sum(1) >= 2).all()
    assert [layer.name for layer in record.layers].count("lm_head") == 2
    assert ticks == [(done, 8) for done in range(1, 9)]


def test_rounded_inputs_and_missing_scales_are_seen_to():
    model = make()
    record = compress(model, "rtn-w8-g32", ROWS, overrides={"lm_head": "smoothquant-w8a8"})
    assert "smoothquant-w8a8: lm_head is compressed without scales" in " ".join(record.notes)
    assert input_format(model.lm_head) == "int8"


def test_a_packed_head_gives_the_logits_of_the_simulated_one():
    model, keeper = make().bfloat16(), GridKeeper()
    compress(model, "rtn-w4-g32", overrides={"lm_head": "rtn-w8-channel"}, keep=keeper)
    expected = logits(model, ROWS[2]).double()
    report = pack(model, keeper.grids)
    assert isinstance(model.lm_head, Int8Linear)
    assert report.kernels["lm_head"] == "int8"
    assert float((logits(model, ROWS[2]).double() - expected).norm() / expected.norm()) < 0.03


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"lm_haed": "rtn-w8"}, "'lm_haed' matches no projection of the model; the nearest projection is 'lm_head'"),
        ({"lm_*": "rtn-w8"}, "'lm_*' matches no projection of the model; the nearest projection is 'lm_head'"),
        ({"lm_head": "rtn-w4-g48"}, "does not fit lm_head: groups of 48 do not divide"),
        ({"lm_head": "gptq-w4-g32"}, "needs calibration text"),
    ],
)
def test_overrides_that_make_no_sense_are_refused_before_any_work(overrides, said):
    model, dense = make(), make()
    with pytest.raises(ValueError, match=re.escape(said)):
        compress(model, "rtn-w4-g32", overrides=overrides)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), dense.parameters(), strict=True))


@pytest.mark.parametrize("ignored", ["lm_head", "*head"])
def test_an_ignored_head_stays_whatever_its_override_says(ignored):
    model, dense = make(), make()
    compress(model, "rtn-w4-g32", ignore=[ignored], overrides={"lm_head": "rtn-w8-g32"})
    assert torch.equal(model.lm_head.weight, dense.lm_head.weight)


def test_the_head_may_be_all_that_is_compressed():
    model, dense = make(), make()
    record = compress(model, "rtn-w4-g32", ignore=["model.*"], overrides={"lm_head": "rtn-w8-g32"})
    assert record.compressed_weights == model.lm_head.weight.numel()
    assert {n for n, p in model.named_parameters() if not torch.equal(p, dense.get_parameter(n))} == {"lm_head.weight"}


def test_a_streamed_model_keeps_its_head_and_says_so(tmp_path):
    source = save_model(tmp_path / "model")
    with pytest.raises(ValueError, match="lm_head is not compressed when a model is streamed"):
        compress_folder(source, "rtn-w4-g32", None, tmp_path / "out", overrides={"lm_head": "rtn-w8-g32"})
    assert not (tmp_path / "out").exists()


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in ("compress", *words)])


@pytest.mark.parametrize("stream", [False, True])
def test_the_command_takes_overrides(stream, tmp_path):
    source = save_model(tmp_path / "model", layers=2)
    words = [source, "rtn-w4-g32", "--out", tmp_path / "made", "--override", "*.0.*=rtn-w8-g32"]
    done = run(*words, *(["--stream"] if stream else ["--override", "lm_head=rtn-w2-g32"]))
    assert done.exit_code == 0, done.output
    stored, dense = {}, load_file(source / "model.safetensors")
    for file in (tmp_path / "made").glob("*.safetensors"):
        stored |= load_file(file)

    def values(name):
        return max(len(set(row.tolist())) for row in stored[name].reshape(-1, 32))

    assert values("model.layers.1.mlp.up_proj.weight") <= 16 < values("model.layers.0.mlp.up_proj.weight")
    assert torch.equal(stored["model.embed_tokens.weight"], dense["model.embed_tokens.weight"])
    assert values("lm_head.weight") <= 4 or stream
    sheet = json.loads((tmp_path / "made/acgym_compression.json").read_text("utf-8"))
    expected = {"*.0.*": "rtn-w8-g32"} | ({} if stream else {"lm_head": "rtn-w2-g32"})
    assert sheet["compression"]["overrides"] == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--override", "*.0.*"], "--override takes PATTERN=RECIPE, such as '*.0.*=rtn-w8', got '*.0.*'"),
        (["--override", "a=rtn-w8", "--override", "a=rtn-w4"], "--override names 'a' twice"),
        (["--override", "*.0.*=rnt-w8"], "did you mean 'rtn'"),
        (
            ["--override", "*.0.*=rtn-w8", "--format", "gptq"],
            "a checkpoint in the gptq format holds all weights in one way",
        ),
        (["--override", "*.0.*=smoothquant-w8a8"], "dense weights cannot say that activations are quantised"),
        (
            ["--override", "lm_haed=gptq-w8-g32"],
            "matches no projection of the model; the nearest projection is 'lm_head'",
        ),
        (["--override", "lm_head=rtn-w8-g32", "--stream"], "lm_head is not compressed when a model is streamed"),
    ],
)
def test_the_command_refuses_overrides_in_one_sentence(words, said, tmp_path, monkeypatch):
    monkeypatch.setattr("acgym.checkpoint.export.draw", lambda *_: pytest.fail("it was calibrated before"))
    source = save_model(tmp_path / "model")
    done = run(source, "rtn-w4-g32", "--out", tmp_path / "made", *words)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]
