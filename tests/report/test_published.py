"""The published numbers: whole, labelled, and shown beside nothing but the same model and recipe."""

from __future__ import annotations

import pytest

from acgym.report.cells import DASH
from acgym.report.published import model_key, numbers, published, recipe_key
from tests.helpers.results import comparison_row, read, score_row

FILES = ("agentboard", "needle", "topk", "worfbench")


@pytest.mark.parametrize("file", FILES)
def test_every_number_has_its_source(file):
    rows = numbers(file)
    assert len(rows) > 100
    assert all(row.source.startswith(("repo-history: ", "figure-decoded: ")) for row in rows)
    assert all((0 if file != "topk" else -1) <= row.value <= 1 for row in rows)
    assert len({row[:4] for row in rows}) == len(rows)


def test_an_unknown_file_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="agentboard, needle, topk, worfbench"):
        numbers("../needle")


@pytest.mark.parametrize(
    ("file", "model", "recipe", "task", "metric", "value"),
    [
        ("agentboard", "Qwen2.5-7B-Instruct", "gptq-w4", "tool-query", "progress_rate", 0.423),
        ("agentboard", "internlm2_5-7b-chat", "wanda-50", "tool-operation", "progress_rate", 0.180),
        ("agentboard", "Qwen2.5-7B-Instruct", "dense", "scienceworld", "success_rate", 0.122),
        ("worfbench", "Qwen2.5-7B-Instruct", "sparsegpt-2:4", "webshop", "node_chain_f1", 0.747),
        ("worfbench", "Llama-3.1-8B-Instruct", "gptq-w4", "wikihow", "node_chain_f1", 0.415),
        ("worfbench", "Qwen2.5-14B-Instruct", "dense", "toolbench", "node_chain_f1", 0.729),
        ("needle", "Qwen2.5-7B-Instruct", "dense", "1k-32k", "word_overlap", 0.986),
        ("needle", "internlm2_5-7b-chat", "magnitude-2:4", "9k-16k", "word_overlap", 0.165),
    ],
)
def test_numbers_by_hand(file, model, recipe, task, metric, value):
    (found,) = [row for row in numbers(file) if row[:4] == (model, recipe, task, metric)]
    assert round(found.value, 3) == value


@pytest.mark.parametrize(
    ("recipe", "key"),
    [
        ("gptq-w4-g128", "gptq-w4"), ("gptq-w4-g128-actorder@text:a.txt,64x512", "gptq-w4"), ("gptq-w8", "gptq-w8"),
        ("gptq-w8a8", "gptq-w8a8"), ("smoothquant-w8a8-alpha0.8", "smoothquant-w8a8"), ("awq-w4-g128-sym", "awq-w4"),
        ("wanda-2:4", "wanda-2:4"), ("sparsegpt-50", "sparsegpt-50"), ("magnitude-50", "magnitude-50"),
        ("acbench-gptq", "gptq-w4"), ("acbench-wanda-2:4", "wanda-2:4"), ("acbench-smoothquant", "smoothquant-w8a8"),
        ("wanda-50+gptq-w4", None), ("kv-int4", None), ("halve", None), ("fp8-tensor", None),
    ],
)  # fmt: skip
def test_recipe_keys(recipe, key):
    assert recipe_key(recipe) == key


def test_checkpoints_that_say_so_in_their_name():
    assert model_key("hf:Qwen/Qwen2.5-7B-Instruct") == ("qwen257binstruct", "dense")
    assert model_key("hf:./models/Qwen2.5-1.5B-Instruct-GPTQ-Int4/") == ("qwen2515binstruct", "gptq-w4")
    assert model_key("reference") == ("", "dense")


def result(names, envs=("ACB/Needle-v0", "ACB/ToolCall-v0", "Mine/Needle-v0")):
    changed = comparison_row(success_difference=-0.05)
    agents = [{"name": name, "scores": {env: score_row(success=0.75) for env in envs}, "comparisons":
               {} if i == 0 else dict.fromkeys(envs, changed)} for i, name in enumerate(names)]  # fmt: skip
    return read({"settings": {"envs": {env: {} for env in envs}}, "dense": names[0], "agents": agents})


def test_numbers_stand_beside_the_same_model_and_recipe():
    dense = "hf:Qwen/Qwen2.5-7B-Instruct"
    found = published(result([dense, f"{dense}+gptq-w4-g64", f"{dense}+wanda-50+rtn-w4", "hf:Other/Model-7B"]))
    assert [grid.title.split(" here")[0] for grid in found] == ["ACB/Needle-v0", "ACB/ToolCall-v0"]
    cells = [[cell.text for cell in row] for row in found[0].rows]
    assert cells == [
        [dense, "75.0", "99.4", "98.3", "98.3", "98.6"],
        [f"{dense}+gptq-w4-g64", "75.0 (-5.0)", "99.8 (+0.3)", "98.3 (+0.0)", "97.6 (-0.7)", "98.3 (-0.3)"],
    ]
    assert "figure-decoded: pprp/ACBench assets/needle/Qwen2.5_7b_GPTQ_full_64_40k.png" in found[0].note
    assert "repo-history" in found[1].note


def test_a_number_that_nobody_published_is_a_dash():
    dense = "hf:meta-llama/Llama-3.1-8B-Instruct"
    (grid,) = published(result([dense, f"{dense}+gptq-w8a8"], envs=("ACB/Workflow-v0",)))
    tasks = [head.partition("\n")[0] for head in grid.heads[2:]]
    assert tasks == ["toolbench", "toolalpaca", "alfworld", "webshop", "os", "lumos", "wikihow"]
    shown = dict(zip(tasks, (cell.text for cell in grid.rows[0][2:]), strict=True))
    assert (shown["alfworld"], shown["webshop"]) == (DASH, "57.6")
    assert len(grid.rows) == 1  # nothing of the dense 8B model was published


def test_other_models_and_agents_have_none():
    assert published(result(["reference", "reference+gptq-w4", "oracle"])) == []
