"""Checkpoints written by GPTQModel, AutoAWQ and llm-compressor are read here and give their logits."""

from __future__ import annotations

import pytest
from safetensors.torch import load_file

from acgym.assemble.make import agent
from tests.cross.measure import answers, distance, opened, rounding

pytestmark = pytest.mark.cross

HALF = 2.0**-9
"""Scales and zero points of half precision, multiplied in half precision by the one and in float32 by the other."""
EXACT = 1e-5

GPTQ = ("gptqmodel", "gptq", ())
MIXED = (*GPTQ[:2], (("dynamic", '{".*mlp[.]down_proj.*": {"bits": 8, "group_size": 32}}'),))
AWQ = ("gptqmodel", "awq", ())
AUTOAWQ = ("autoawq", "awq", ())
W4A16 = ("llmcompressor", "gptq", (("scheme", "W4A16"),))
W8A8 = ("llmcompressor", "smoothquant-gptq", (("scheme", "W8A8"),))
AWQ_ASYM = ("llmcompressor", "awq", (("scheme", "W4A16_ASYM"),))
SPARSEGPT = ("llmcompressor", "sparsegpt", (("pattern", "2:4"),))
WANDA = ("llmcompressor", "wanda", ())


def theirs(folder):
    found = load_file(folder / "logits.safetensors")
    return found["ids"], found["logits"]


@pytest.mark.parametrize(
    ("made", "model", "tolerance"),
    [
        (GPTQ, "tiny-llama", HALF),
        (GPTQ, "tiny-qwen2", HALF),  # biases
        ((*GPTQ[:2], (("desc_act", True), ("act_group_aware", False))), "tiny-llama", HALF),
        ((*GPTQ[:2], (("bits", 8), ("group_size", -1), ("act_group_aware", False))), "tiny-llama", HALF),
        (MIXED, "tiny-llama", HALF),  # 8 bits for some modules
        (AWQ, "tiny-llama", HALF),
        (AUTOAWQ, "tiny-qwen2", HALF),
        (W4A16, "tiny-qwen2", EXACT),
        (W4A16, "reference", EXACT),  # tied embeddings
        (AWQ_ASYM, "tiny-llama", EXACT),
        (SPARSEGPT, "tiny-llama", EXACT),
        (WANDA, "tiny-llama", EXACT),
    ],
    ids=lambda value: (
        "-".join([*value[:2], *(name for name, _ in value[2])]) if isinstance(value, tuple) else str(value)
    ),
)
def test_checkpoint_of_another_toolkit_gives_its_logits(written, given, made, model, tolerance):
    folder = written(made[0], made[1], model, made[2])
    ids, logits = theirs(folder)
    ours = answers(opened(folder), ids)
    assert distance(ours, logits) < tolerance
    clear = 5 if ("bits", 8) in made[2] else 10
    assert distance(answers(opened(given / model), ids), logits) > clear * tolerance  # it is compressed


def test_w8a8_gives_their_logits_under_their_rounding_of_inputs(written):
    folder = written(W8A8[0], W8A8[1], "tiny-llama", W8A8[2])
    ids, logits = theirs(folder)
    with rounding("theirs"):
        assert distance(answers(opened(folder), ids), logits) < EXACT
    with rounding("none"):
        noise = distance(answers(opened(folder), ids), logits)
    assert 0.001 < noise < 0.1
    assert distance(answers(opened(folder), ids), logits) < 2 * noise


@pytest.mark.parametrize(
    ("made", "model", "facts"),
    [
        (GPTQ, "tiny-qwen2", {"quant_method": "gptq", "bits": 4, "group_size": 128, "symmetric": True}),
        (AUTOAWQ, "tiny-qwen2", {"quant_method": "awq", "bits": 4, "group_size": 128, "symmetric": False}),
        (W8A8, "tiny-llama", {"quant_method": "compressed-tensors", "bits": 8, "activations": "int8 per token"}),
    ],
    ids=["gptqmodel", "autoawq", "llmcompressor"],
)
def test_checkpoint_of_another_toolkit_says_what_it_is(written, made, model, facts):
    folder = written(made[0], made[1], model, made[2])
    assert facts.items() <= agent(f"hf:{folder}").checkpoint.items()
