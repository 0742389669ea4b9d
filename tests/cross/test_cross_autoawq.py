"""``acgym compress --backend autoawq``: what AutoAWQ makes is read here, and is about as good as acgym's own AWQ."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from acgym.checkpoint.export import prepare_export, run_export
from tests.cross import environments
from tests.cross.measure import answers, distance, opened
from tests.helpers.tiny import save_model

pytestmark = pytest.mark.cross

TEXT = "the code of the code is in the code of what is said here and there. " * 40


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A model as small as AutoAWQ takes: it clips 64 outputs at a time."""
    return save_model(tmp_path_factory.mktemp("source") / "tiny", layers=2, width=64)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT, "utf-8")
    return file


def by_autoawq(source, recipe, text, out):
    command = ["compress", str(source), recipe, "--out", str(out), "--format", "awq", "--backend", "autoawq"]
    job = {"out": str(out), "options": {"arguments": [*command, "--calibration", str(text)]}}
    return environments.run(environments.python("autoawq"), "in_cli.py", job)


@pytest.mark.parametrize("recipe", ["awq-w4-g32", "awq-w4-g32-noclip-plain"])
def test_autoawq_and_acgym_write_checkpoints_alike_and_about_as_good(recipe, source, text, tmp_path):
    said = by_autoawq(source, recipe, text, tmp_path / "theirs")
    assert said["status"] == 0, said["said"]
    run_export(prepare_export(str(source), recipe, tmp_path / "ours", "awq", text))
    theirs, ours = (load_file(tmp_path / name / "model.safetensors") for name in ("theirs", "ours"))
    assert {n: (t.dtype, t.shape) for n, t in theirs.items()} == {n: (t.dtype, t.shape) for n, t in ours.items()}
    configs = [json.loads((tmp_path / name / "config.json").read_text("utf-8")) for name in ("theirs", "ours")]
    assert configs[0]["quantization_config"] == configs[1]["quantization_config"]
    sheet = json.loads((tmp_path / "theirs/acgym_compression.json").read_text("utf-8"))
    assert sheet["backend"] == {"name": "autoawq", "version": "0.2.9"}
    assert sheet["checkpoint"]["bits_per_weight"] == sheet["compression"]["bits_per_weight"] == 4.625
    assert sheet["compression"]["calibration_tokens"] > 1000
    assert 0 < sheet["logit_error"] < 0.01
    assert "compressed by autoawq 0.2.9 with" in (tmp_path / "theirs/README.md").read_text("utf-8")
    ids = torch.randint(3, 300, (4, 64), generator=torch.Generator().manual_seed(1))
    dense = answers(opened(source), ids)
    lost, own = (distance(answers(opened(tmp_path / name), ids), dense) for name in ("theirs", "ours"))
    assert 0.5 < lost / own < 2
    generation = json.loads((tmp_path / "theirs/generation_config.json").read_text("utf-8"))
    assert generation.get("do_sample") is not True
    assert generation["eos_token_id"] == json.loads((source / "generation_config.json").read_text())["eos_token_id"]


def test_a_family_that_autoawq_does_not_know_is_refused_before_it_is_loaded(source, text, tmp_path):
    config = json.loads((source / "config.json").read_text("utf-8"))
    other = tmp_path / "other"
    other.mkdir()
    for file in source.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "olmo2"}), "utf-8")
    said = by_autoawq(other, "awq-w4-g32", text, tmp_path / "out")
    assert (said["status"], "AutoAWQ knows no 'olmo2' models" in said["said"].replace("\n", " ")) == (2, True)
