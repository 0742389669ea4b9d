"""Streamed compression into packed formats: the same tensors as in memory, also after a kill, and read back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import acgym
from acgym.checkpoint.export import prepare_export, run_export
from acgym.checkpoint.stream import run_stream
from acgym.compress.formats.read import read_checkpoint
from acgym.compress.formats.verify import ExportDiffers
from acgym.compress.stream import work as stream_work
from acgym.compress.stream.folder import compress_folder
from tests.helpers.checkpoints import assert_equal, tensors
from tests.helpers.compress_models import text
from tests.helpers.stream_folders import Killed, dying, files, saved
from tests.helpers.tiny import TEXT, save_model

PRUNED_AFTER = "gptq-w4-g32+wanda-50"
ROUNDED_BEFORE = "act-int8+gptq-w8-channel-sym"
"""Chains whose second step needs what the first one left: the grids; the rounding of inputs."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A model of two layers in bfloat16."""
    folder = save_model(tmp_path_factory.mktemp("model") / "tiny", layers=2)
    weights = load_file(folder / "model.safetensors")
    save_file({name: t.bfloat16() for name, t in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}), "utf-8")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT, "utf-8")
    return file


CASES = [
    ("gptq", "gptq-w4-g32-sym"),
    ("gptq", "gptq-w3-g16-actorder"),
    ("gptq", PRUNED_AFTER),
    ("awq", "awq-w4-g32"),
    ("compressed-tensors", "sparsegpt-50+gptq-w4-g32"),
    ("compressed-tensors", "smoothquant-w8a8"),
    ("compressed-tensors", ROUNDED_BEFORE),
    ("compressed-tensors", "fp8"),
    ("compressed-tensors", "fp8-tensor-a16"),
    ("dense", "wanda-2:4"),
]


@pytest.mark.parametrize(("form", "recipe"), CASES, ids=["-".join(case) for case in CASES])
def test_a_streamed_checkpoint_is_the_one_written_from_memory(form, recipe, source, corpus, tmp_path):
    whole = run_export(prepare_export(str(source), recipe, tmp_path / "whole", form, corpus))
    sheet = run_stream(str(source), recipe, tmp_path / "out", form, corpus)
    assert_equal(tmp_path / "out", tmp_path / "whole")
    for own, other in ((sheet["compression"], whole["compression"]), (sheet["checkpoint"], whole["checkpoint"])):
        skipped = {"seconds", "bytes_on_disk"}
        assert {k: v for k, v in own.items() if k not in skipped} == {
            k: v for k, v in json.loads(json.dumps(other)).items() if k not in skipped
        }
    assert (sheet["logit_error"], sheet["calibration"]) == (None, whole["calibration"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]
    played = acgym.agent(f"hf:{tmp_path / 'out'}")
    ids = torch.arange(24)[None]
    expected = acgym.agent(f"hf:{tmp_path / 'whole'}").model(input_ids=ids).logits
    assert torch.equal(played.model(input_ids=ids).logits, expected)
    assert played.checkpoint == ({} if form == "dense" else sheet["checkpoint"])


def test_projections_that_are_ignored_stay_as_they_are_in_both_ways(source, corpus, tmp_path):
    given = {"format": "compressed-tensors", "calibration": corpus, "ignore": ["*.down_proj"]}
    run_export(prepare_export(str(source), "gptq-w4-g32", tmp_path / "whole", **given))
    run_stream(str(source), "gptq-w4-g32", tmp_path / "out", **given)
    assert_equal(tmp_path / "out", tmp_path / "whole")
    name = "model.layers.1.mlp.down_proj"
    assert torch.equal(tensors(tmp_path / "out")[f"{name}.weight"], tensors(source)[f"{name}.weight"])
    assert name in json.loads((tmp_path / "out/config.json").read_text())["quantization_config"]["ignore"]
    acgym.agent(f"hf:{tmp_path / 'out'}")


@pytest.mark.parametrize(("recipe", "form"), [(PRUNED_AFTER, "gptq"), (ROUNDED_BEFORE, "compressed-tensors")])
def test_a_kill_between_any_two_writes_changes_no_byte_of_the_result(recipe, form, tmp_path, monkeypatch):
    source, out = saved(tmp_path / "model", num_hidden_layers=2), tmp_path / "out"
    compress_folder(source, recipe, text(2), tmp_path / "whole", format=form)
    expected = files(tmp_path / "whole")
    for kills in range(1, 100):
        with monkeypatch.context() as patch:
            # Each run gets a little further; what follows the layers is written in one go.
            dying(patch, 1 + kills % 4 if kills < 25 else kills - 22, before=kills % 2 == 0)
            try:
                compress_folder(source, recipe, text(2), out, format=form)
                break
            except Killed:
                assert not out.exists() or files(out).keys() >= expected.keys()
    assert kills > 10
    assert files(out) == expected


ROOT = Path(__file__).resolve().parents[3]
RUN = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.helpers.checkpoints import assert_equal, tensors
from tests.helpers.compress_models import text
from acgym.compress.stream.folder import compress_folder

def progress(done, total, label):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)

compress_folder({source!r}, {recipe!r}, text(2), {out!r}, format="gptq", progress=progress)
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_where_it_was(tmp_path):
    source, out = saved(tmp_path / "model"), tmp_path / "out"
    where = {"root": str(ROOT), "source": str(source), "out": str(out)}
    program = RUN.format(recipe=PRUNED_AFTER, **where)
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    calls = []
    compress_folder(source, PRUNED_AFTER, text(2), out, format="gptq", progress=lambda *call: calls.append(call[:2]))
    assert calls == [(4, 6), (5, 6), (6, 6)]
    compress_folder(source, PRUNED_AFTER, text(2), tmp_path / "whole", format="gptq")
    assert files(out) == files(tmp_path / "whole")


@pytest.mark.parametrize(
    ("form", "damage", "said"),
    [
        ("gptq", lambda t: t["model.layers.1.mlp.up_proj.qweight"][1].bitwise_xor_(1 << 8), "layers.1.mlp.up_proj"),
        ("gptq", lambda t: t.pop("model.layers.1.mlp.up_proj.g_idx"), "where its layout should take"),
        (
            "dense",
            lambda t: t["model.layers.1.mlp.up_proj.weight"][3].add_(0.25),
            r"1.mlp.up_proj.weight differs",
        ),
        ("dense", lambda t: t["lm_head.weight"][3].add_(0.25), "lm_head.weight differs"),
    ],
    ids=["integer", "lost", "plain", "head"],
)
def test_a_shard_that_is_not_what_was_in_memory_does_not_count(form, damage, said, tmp_path, monkeypatch):
    source, out = saved(tmp_path / "model"), tmp_path / "out"
    real = stream_work.save_file

    def damaged(state, path, **kwargs):
        state = {name: tensor.clone() for name, tensor in state.items()}
        if any(name.startswith(("model.layers.1.", "lm_head")) for name in state):
            with suppress(KeyError):  # it is in another shard
                damage(state)
        real(state, path, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(stream_work, "save_file", damaged)
        with pytest.raises(ExportDiffers, match=said):
            compress_folder(source, "rtn-w4-g32", None, out, format=form)
    assert not out.exists()
    compress_folder(source, "rtn-w4-g32", None, out, format=form)
    compress_folder(source, "rtn-w4-g32", None, tmp_path / "whole", format=form)
    assert files(out) == files(tmp_path / "whole")


def test_a_size_that_no_formula_gives_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("acgym.compress.formats.gptq.stored_bytes", lambda scheme, rows, columns: rows * columns)
    with pytest.raises(ExportDiffers, match="bytes of weights where its layout should take"):
        compress_folder(saved(tmp_path / "model"), "rtn-w4-g32", None, tmp_path / "out", format="gptq")


@pytest.mark.parametrize(
    ("form", "recipe", "more", "said"),
    [
        ("gguf", "rtn-w4-g32", {}, "unknown format 'gguf'; known: gptq, awq, compressed-tensors, dense"),
        ("awq", "rtn-w3-g32", {}, "4 bits only"),
        ("gptq", "wanda-50", {}, "nothing to pack"),
        ("gptq", "rtn-w3-g36", {}, "groups of 36 do not divide"),
        ("awq", "rtn-w4-g32", {"overrides": {"*.down_proj": "rtn-w4-g64"}}, "leave out the overrides"),
        ("gptq", "rtn-w4-g32", {"ignore": ["*.nope"]}, "matches no module"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_before_any_work(form, recipe, more, said, tmp_path):
    source = saved(tmp_path / "model")
    with pytest.raises(ValueError, match=said):
        compress_folder(source, recipe, text(2), tmp_path / "out", format=form, **more)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


@pytest.mark.parametrize(("form", "left"), [("awq", None), ("compressed-tensors", ["lm_head"])])
def test_tied_embeddings_are_written_once_and_the_head_is_named(form, left, tmp_path):
    source = save_model(tmp_path / "model", family="Qwen2", layers=2)
    run_export(prepare_export(str(source), "rtn-w4-g32", tmp_path / "whole", form))
    run_stream(str(source), "rtn-w4-g32", tmp_path / "out", form)
    assert_equal(tmp_path / "out", tmp_path / "whole")
    assert "lm_head.weight" not in tensors(tmp_path / "out")
    settings = json.loads((tmp_path / "out/config.json").read_text("utf-8"))["quantization_config"]
    assert settings.get("ignore") == left
    model, _ = read_checkpoint(tmp_path / "out", lambda parameters, stored: torch.float32)
    assert model.lm_head.weight is model.model.embed_tokens.weight
