"""Checkpoints written by ``acgym compress`` are loaded by transformers, GPTQModel and compressed-tensors."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from acgym.cli.app import app
from tests.cross.material import trajectories
from tests.cross.measure import answers, distance, opened, rounding, usual_distance

pytestmark = pytest.mark.cross

EXPORTS = {
    "gptq-sym": ("reference", "gptq-w4-g128-sym", "gptq"),
    "gptq-asym": ("tiny-llama", "gptq-w4-g128", "gptq"),
    "gptq-actorder": ("tiny-llama", "gptq-w4-g128-sym-actorder", "gptq"),
    "gptq-biases": ("tiny-qwen2", "gptq-w4-g64-sym", "gptq"),
    "gptq-8-bits": ("tiny-llama", "gptq-w8-channel-sym", "gptq"),
    "gptq-2-bits": ("tiny-llama", "gptq-w2-g32", "gptq"),
    "gptq-pruned": ("tiny-llama", "sparsegpt-2:4+gptq-w4-g128-sym", "gptq"),
    "awq": ("tiny-llama", "awq-w4-g128", "awq"),
    "awq-biases": ("tiny-qwen2", "awq-w4-g64", "awq"),
    "awq-tied": ("reference", "awq-w4-g128", "awq"),
    "ct-sym": ("reference", "gptq-w4-g128-sym", "compressed-tensors"),
    "ct-asym": ("tiny-llama", "awq-w4-g128", "compressed-tensors"),
    "ct-8-bits": ("tiny-qwen2", "rtn-w8-channel-sym", "compressed-tensors"),
    "ct-w8a8": ("tiny-llama", "smoothquant-w8a8", "compressed-tensors"),
    "ct-fp8": ("tiny-llama", "fp8", "compressed-tensors"),
    "dense-pruned": ("reference", "wanda-2:4", "dense"),
    "experts-gptq": ("tiny-qwen3_moe", "gptq-w4-g128-sym", "gptq"),
    "experts-awq": ("tiny-qwen3_moe", "awq-w4-g128", "awq"),
    "experts-ct": ("tiny-mixtral", "gptq-w4-g128-sym", "compressed-tensors"),
}
BY_GPTQMODEL = ["experts-gptq", "experts-awq"]
"""Those that transformers does not load: it stacks experts."""
PACKING = 2.0**-9
"""What is lost in 16-bit scales, multiplied out in half precision: about 2^-11 of each weight, several layers deep."""
KERNEL = 0.05
"""Packed layers on a CPU compute in bfloat16."""


@pytest.fixture(scope="module")
def text(given):
    """A calibration text for all: the reference agent's conversations in words."""
    from acgym.agents.local import REFERENCE, load

    file = given / "calibration.txt"
    tokenizer = load(str(REFERENCE)).tokenizer
    file.write_text("\n".join(tokenizer.decode(row) for row in trajectories()[::3]), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def exported(given, text, tmp_path_factory):
    """Name of each export to its folder."""
    folder = tmp_path_factory.mktemp("exported")
    for name, (model, recipe, form) in EXPORTS.items():
        command = ["compress", str(given / model), recipe, "--format", form, "--out", str(folder / name)]
        done = CliRunner().invoke(app, [*command, "--calibration", str(text)])
        assert done.exit_code == 0, f"{name}: {done.output}"
    return folder


@pytest.fixture(scope="module")
def loaded(exported, run, tmp_path_factory):
    """What transformers with GPTQModel and compressed-tensors makes of all exports, in its own environment."""
    out = tmp_path_factory.mktemp("loaded") / "logits"
    checkpoints = {name: str(exported / name) for name in EXPORTS}
    options = {"decompress": ["ct-asym"], "gptqmodel": BY_GPTQMODEL}
    report = run("gptqmodel", "in_transformers.py", {"out": str(out), "checkpoints": checkpoints, "options": options})
    return out, report["errors"]


@pytest.mark.parametrize("name", EXPORTS)
def test_export_gives_our_logits_in_another_environment(name, loaded, given, text):
    model, recipe, _ = EXPORTS[name]
    folder, errors = loaded
    assert name not in errors, errors[name]
    theirs = load_file(folder / f"{name}.safetensors")
    compressed = opened(f"hf:{given / model}+{recipe}", text)
    with rounding("theirs") if name == "ct-w8a8" else nullcontext():
        ours = answers(compressed, theirs["ids"])
    off = usual_distance if name.startswith("experts") else distance
    assert off(theirs["unpacked"], ours) < PACKING
    assert off(theirs["served"], ours) < KERNEL
    dense = answers(opened(given / model), theirs["ids"])
    assert off(dense, ours) > 2 * PACKING  # the recipe did something
    assert torch.isfinite(theirs["served"]).all()
