"""Compression from folder to folder, a layer at a time: equal to compression in memory, and resumable after a kill."""

from __future__ import annotations

import gc
import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from acgym.assemble.spec import parse_spec
from acgym.cli.app import app
from acgym.compress import compress
from acgym.compress.stream.folder import compress_folder
from tests.helpers.compress_models import make, text
from tests.helpers.stream_folders import Killed, dying, files, loaded, same, saved
from tests.helpers.tiny import save_model

LLAMA: dict[str, Any] = {"family": "llama"}
QWEN: dict[str, Any] = {"family": "qwen2", "shards": "60KB", "dtype": torch.bfloat16, "tie_word_embeddings": True}
MORE = pytest.mark.slow


@pytest.mark.parametrize(
    ("recipe", "model"),
    [
        ("sparsegpt-50+gptq-w4-g64", LLAMA),
        ("gptq-w3-g32-actorder", QWEN),
        ("awq-w4-g32", QWEN),
        pytest.param("awq-w4-g32", LLAMA, marks=MORE),
        pytest.param("rtn-w4-g32", LLAMA, marks=MORE),
        pytest.param("wanda-2:4", QWEN, marks=MORE),
        pytest.param("sparsegpt-50+gptq-w4-g64", QWEN, marks=MORE),
        pytest.param("awq-w4-g32", {"family": "mistral", "sliding_window": 4}, marks=MORE),
    ],
)
def test_the_result_is_that_of_the_whole_model_bit_for_bit(tmp_path, recipe, model):
    source, out = saved(tmp_path / "model", **model), tmp_path / "out"
    record = compress_folder(source, recipe, text(4), out)
    whole = loaded(source)
    expected = compress(whole, recipe, text(4))
    assert same(loaded(out), whole)
    for name in type(record).__slots__:
        if name != "seconds":
            assert getattr(record, name) == getattr(expected, name), name
    assert not (tmp_path / "out.unfinished").exists()


CHAIN = "sparsegpt-50+gptq-w4-g64"


def test_a_kill_between_any_two_writes_changes_no_byte_of_the_result(tmp_path, monkeypatch):
    source, out = saved(tmp_path / "model", num_hidden_layers=2), tmp_path / "out"
    compress_folder(source, CHAIN, text(2), tmp_path / "whole")
    expected = files(tmp_path / "whole")
    for kills in range(1, 100):
        with monkeypatch.context() as patch:
            # Each run gets a little further; what follows the layers is written in one go.
            dying(patch, 1 + kills % 3 if kills < 25 else kills - 22, before=kills % 2 == 0)
            try:
                compress_folder(source, CHAIN, text(2), out)
                break
            except Killed:
                assert not out.exists() or files(out).keys() >= expected.keys()
                (out.with_name("out.unfinished") / "left.tmp").touch() if not out.exists() else None
    assert kills > 10  # 4 layers, their hidden states and journal, the small files
    assert files(out) == expected


ROOT = Path(__file__).resolve().parents[3]
RUN = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.helpers.compress_models import text
from acgym.compress.stream.folder import compress_folder

def progress(done, total, label):
    print(done, total, label, flush=True)
    if done == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

compress_folder({source!r}, {recipe!r}, text(2), {out!r}, progress=progress)
"""


def test_a_killed_process_goes_on_where_it_was(tmp_path):
    source, out = saved(tmp_path / "model"), tmp_path / "out"
    program = RUN.format(root=str(ROOT), source=str(source), recipe=CHAIN, out=str(out))
    killed = subprocess.run([sys.executable, "-c", program, "4"], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not out.exists()
    calls = []
    compress_folder(source, CHAIN, text(2), out, progress=lambda *call: calls.append(call[:2]))
    assert calls == [(4, 6), (5, 6), (6, 6)]
    compress_folder(source, CHAIN, text(2), tmp_path / "whole")
    assert files(out) == files(tmp_path / "whole")


def test_a_finished_folder_is_not_made_again(tmp_path):
    source, out = saved(tmp_path / "model"), tmp_path / "out"
    out.mkdir()  # an empty folder is no obstacle
    record = compress_folder(source, "rtn-w4-g32", None, out)
    assert compress_folder(source, "rtn-w4-g32", None, out, progress=pytest.fail) == record
    with pytest.raises(FileExistsError, match="something else than this compression"):
        compress_folder(source, "rtn-w3-g32", None, out)
    assert json.loads((out / "config.json").read_text())["hidden_size"] == 64
    assert (out / "tokenizer_config.json").read_text() == "{}"


def test_an_unfinished_folder_of_other_settings_is_not_continued(tmp_path, monkeypatch):
    source, out = saved(tmp_path / "model"), tmp_path / "out"
    with monkeypatch.context() as patch:
        dying(patch, 4, before=False)
        with pytest.raises(Killed):
            compress_folder(source, "wanda-50", text(2), out)
    with pytest.raises(FileExistsError, match="another calibration and recipe; go on with the same"):
        compress_folder(source, "gptq-w4-g32", text(3), out)
    (tmp_path / "out.unfinished" / "unfinished.json").write_text("{")
    with pytest.raises(FileExistsError, match="damaged"):
        compress_folder(source, "wanda-50", text(2), out)
    (tmp_path / "out.unfinished" / "unfinished.json").unlink()
    with pytest.raises(FileExistsError, match=r"in the way: it holds .* and no journal"):
        compress_folder(source, "wanda-50", text(2), out)


def test_two_processes_do_not_write_one_folder(tmp_path):
    source, out = saved(tmp_path / "model"), tmp_path / "out"

    def again(done, total, label):
        with pytest.raises(FileExistsError, match="another process is writing"):
            compress_folder(source, "rtn-w4-g32", None, out)

    compress_folder(source, "rtn-w4-g32", None, out, progress=again)


def test_a_disk_that_gets_full_is_said_and_nothing_is_lost(tmp_path):
    source, out = saved(tmp_path / "model"), tmp_path / "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))  # a layer takes 150 kB
    try:
        with pytest.raises(OSError, match=r"cannot write .* 0 finished layers are kept; make room"):
            compress_folder(source, "rtn-w4-g32", None, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not out.exists()
    assert not list((tmp_path / "out.unfinished").glob("*.safetensors"))
    compress_folder(source, "rtn-w4-g32", None, out)


def test_a_disk_without_room_is_refused_before_any_work(tmp_path, monkeypatch):
    source = saved(tmp_path / "model")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=r"needs 0\.00 GB more, and the disk has 0\.00 GB free"):
        compress_folder(source, "rtn-w4-g32", None, tmp_path / "out", progress=pytest.fail)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("gptq-w4-g32", "needs calibration text"),
        ("rtn-w4-g48", "does not fit model.layers.0.self_attn.q_proj: groups of 48"),
        ("smoothquant-w8a8", "dense weights cannot say that activations are quantised"),
        ("kv-int8", "no checkpoint holds kv-int8"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused_before_any_work(tmp_path, recipe, said):
    source = saved(tmp_path / "model")
    with pytest.raises(ValueError, match=said):
        compress_folder(source, recipe, None if "needs" in said else text(2), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def edited(folder, name, change):
    file = folder / name
    settings = json.loads(file.read_text())
    change(settings)
    file.write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: edited(f, "config.json", lambda c: c.update(auto_map={})), "code of its own"),
        (lambda f: edited(f, "config.json", lambda c: c.update(quantization_config={})), "quantised already"),
        (lambda f: edited(f, "config.json", lambda c: c.update(intermediate_size=64)), "has shape .* expected"),
        (
            lambda f: edited(f, "config.json", lambda c: c.update(num_hidden_layers=4)),
            "holds no tensor 'model.layers.3",
        ),
        (lambda f: edited(f, "config.json", lambda c: c.update(model_type="nope")), "cannot be read"),
        (lambda f: next(f.glob("model-*")).write_bytes(b"no"), "damaged or no safetensors"),
        (lambda f: next(f.glob("model-*")).unlink(), "which is not there"),
        (lambda f: (f / "model.safetensors.index.json").write_text("[]"), "expected an object with a weight_map"),
        (lambda f: (f / "model.safetensors.index.json").unlink(), r"holds \d+ weight files and no index"),
        (
            lambda f: edited(f, "model.safetensors.index.json", lambda i: i["weight_map"].update(x="../x.safetensors")),
            "in the same folder",
        ),
    ],
)
def test_a_folder_that_is_no_model_is_refused_before_any_work(tmp_path, damage, said):
    source = saved(tmp_path / "model", shards="60KB")
    damage(source)
    with pytest.raises(ValueError, match=said):
        compress_folder(source, "rtn-w4-g32", None, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_weights_that_are_not_finite_stop_at_their_layer(tmp_path):
    model = make()
    model.model.layers[1].mlp.up_proj.weight.data[0, 0] = float("nan")
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(ValueError, match=r"the weight of model\.layers\.1\.mlp\.up_proj is not finite"):
        compress_folder(tmp_path / "model", "rtn-w4-g32", None, tmp_path / "out")


def weights_alive():
    gc.collect()
    found = [item for item in gc.get_objects() if type(item) is torch.nn.Parameter and item.device.type == "cpu"]
    return sum(item.numel() for item in found)


def test_no_layer_is_in_memory_between_two(tmp_path):
    source, before, seen = saved(tmp_path / "model"), weights_alive(), []
    compress_folder(source, "gptq-w4-g32", text(2), tmp_path / "out", progress=lambda *_: seen.append(weights_alive()))
    assert len(seen) == 3
    assert max(seen) <= before


def test_the_command_streams_a_folder_with_calibration_text(tmp_path):
    source = save_model(tmp_path / "model")
    (tmp_path / "text.txt").write_text("the code of ado is bel " * 40)
    out = tmp_path / "out"
    command = ["compress", str(source), "gptq-w4-g32", "--stream", "--out", str(out)]
    said = CliRunner().invoke(app, command)
    assert (said.exit_code, "it cannot play; give --calibration" in said.stderr.replace("\n", " ")) == (2, True)
    said = CliRunner().invoke(app, [*command, "--calibration", f"text:{tmp_path / 'text.txt'},4x32"])
    assert said.exit_code == 0, said.output
    assert "in the dense format: 4.62 bits per weight" in said.output.replace("\n", " ")
    assert "every layer was read back and compared" in said.output.replace("\n", " ")
    sheet = json.loads((out / "acgym_compression.json").read_text())
    assert (sheet["source"], sheet["calibration"]) == (f"hf:{source}", f"text:{tmp_path / 'text.txt'},4x32")
    assert (out / "README.md").read_text().startswith("# out\n")
    said = CliRunner().invoke(app, [*command, "--format", "gguf"])
    assert (said.exit_code, "unknown format 'gguf'" in said.stderr) == (2, True)
    assert parse_spec(f"hf:{out}").source == str(out)
