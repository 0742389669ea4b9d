"""The second shipped agent: its adapter is whole, small and what its card says, and ``smollm2`` plays with it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM
from typer.testing import CliRunner

from acgym.agents.adapter import merge
from acgym.agents.local import SMOLLM2
from acgym.assemble.folder import fingerprint
from acgym.assemble.spec import model_source, parse_spec
from acgym.cli.app import app
from acgym.model_files.adapter import CONFIG, WEIGHTS, inspect_adapter
from acgym.train.mix import check_mix, read_mix
from tests.helpers import ggufs

ROOT = Path(__file__).resolve().parents[2]

HIDDEN, MLP, KEYS, LAYERS = 576, 1536, 192, 30
SHAPES = {  # module -> (in, out)
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (HIDDEN, KEYS),
    "self_attn.v_proj": (HIDDEN, KEYS),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (HIDDEN, MLP),
    "mlp.up_proj": (HIDDEN, MLP),
    "mlp.down_proj": (MLP, HIDDEN),
}


@pytest.fixture
def base(monkeypatch, tmp_path):
    """A folder that stands for the fetched base: a small GGUF file."""
    monkeypatch.setenv("ACGYM_DATA", str(tmp_path / "cache"))
    folder = tmp_path / "base"
    folder.mkdir()
    ggufs.write(ggufs.dense(), folder / "small.gguf")
    noted = CliRunner().invoke(app, ["data", "use", "smollm2", str(folder)])
    assert noted.exit_code == 0, noted.output
    return folder


def test_the_adapter_has_every_linear_layer_of_the_base_and_no_more():
    tensors = load_file(SMOLLM2 / WEIGHTS)
    rank = inspect_adapter(SMOLLM2).rank
    wanted = {}
    for layer in range(LAYERS):
        for module, (inner, outer) in SHAPES.items():
            name = f"base_model.model.model.layers.{layer}.{module}"
            wanted |= {f"{name}.lora_A.weight": (rank, inner), f"{name}.lora_B.weight": (outer, rank)}
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == wanted
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())
    assert (SMOLLM2 / WEIGHTS).stat().st_size <= 15_000_000


def test_the_card_names_the_file_that_is_there():
    card = (SMOLLM2 / "MODEL_CARD.md").read_text("utf-8")
    (said,) = re.findall(r"[0-9a-f]{64}", card)
    assert hashlib.sha256((SMOLLM2 / WEIGHTS).read_bytes()).hexdigest() == said
    settings = json.loads((SMOLLM2 / CONFIG).read_text("utf-8"))
    assert settings["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"


def test_smollm2_is_the_base_with_the_adapter_and_plain_is_without(base):
    assert model_source(parse_spec("smollm2")) == (str(base), str(SMOLLM2))
    assert model_source(parse_spec("smollm2@plain")) == (str(base), None)
    assert parse_spec("smollm2").defaults == parse_spec("smollm2@plain").defaults == {"level": 1}
    packed = parse_spec("smollm2@plain+rtn-w4-g32@packed@rerun")
    assert (packed.kind, str(packed.recipe), packed.packed, packed.rerun) == ("smollm2@plain", "rtn-w4-g32", True, True)
    assert packed.base == parse_spec("smollm2@plain")
    mine = parse_spec(f"smollm2@plain@lora:{SMOLLM2}+rtn-w4-g32")
    assert model_source(mine) == (str(base), str(SMOLLM2))
    assert mine.base.text == f"smollm2@plain@lora:{SMOLLM2}"
    assert len({fingerprint(parse_spec(text)) for text in ("smollm2", "smollm2@plain")}) == 2
    with pytest.raises(ValueError, match="'smollm2@plain@lora:DIR'"):
        parse_spec(f"smollm2@lora:{SMOLLM2}")


def test_a_base_that_was_not_fetched_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("ACGYM_DATA", str(tmp_path))
    for text in ("smollm2", "smollm2@plain", "smollm2+rtn-w4-g64"):
        with pytest.raises(FileNotFoundError, match="acgym data get smollm2"):
            parse_spec(text)


def test_its_mixes_can_be_trained_on():
    for name in ("first.json", "second.json", "mix.json", "last.json"):
        check_mix(read_mix(json.loads((ROOT / "benchmarks" / "smollm2" / name).read_text("utf-8"))))


@pytest.mark.slow
def test_it_fits_a_model_of_the_bases_shape():
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=HIDDEN,
        intermediate_size=MLP,
        num_hidden_layers=LAYERS,
        num_attention_heads=9,
        num_key_value_heads=3,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    before = {name: float(tensor.norm()) for name, tensor in model.state_dict().items()}
    merge(model, inspect_adapter(SMOLLM2))
    changed = {name for name, tensor in model.state_dict().items() if float(tensor.norm()) != before[name]}
    assert changed == {f"model.layers.{i}.{module}.weight" for i in range(LAYERS) for module in SHAPES}
