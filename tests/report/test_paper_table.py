"""The paper's table: its metrics, paired intervals, what was played, and published numbers where they match."""

from __future__ import annotations

from acgym.report.paper_table import paper_tables
from tests.helpers.results import comparison_row, read, score_row

DENSE = "hf:Qwen/Qwen2.5-7B-Instruct"
EMBODIED, NEEDLE, PDDL = "ACBench/WorfBench-Embodied-v0", "ACB/Needle-v0", "ACBench/PDDL-v0"


def result(*names, envs=(EMBODIED, NEEDLE, PDDL), suite="acbench"):
    changed = comparison_row(progress_difference=-0.125, success_difference=-0.05)
    agents = [{"name": name, "scores": {env: score_row(success=0.25, progress=0.75) for env in envs}, "comparisons":
               {} if i == 0 else dict.fromkeys(envs, changed)} for i, name in enumerate(names)]  # fmt: skip
    settings = {"envs": {env: {} for env in envs}, "suite": suite, "rows": {PDDL: 60}}
    return read({"settings": settings, "dense": names[0], "agents": agents})


def shown(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_each_task_has_the_metrics_of_the_paper():
    (table,) = paper_tables(result(DENSE, f"{DENSE}+gptq-w4-g128"))
    assert [row[:4] for row in shown(table)] == [
        ["WorFBench embodied", "Workflow generation", "F1", "official WorfBench-Embodied"],
        ["Needle in a haystack", "Long context", "accuracy", "stand-in Needle"],
        ["PDDL", "Real-world application", "PR", "official PDDL"],
        ["PDDL", "Real-world application", "SR", "official PDDL"],
    ]
    assert [row[5:8] for row in shown(table)] == [
        ["75.0", "75.0", "-12.5 (-10.0 to +10.0)"],
        ["75.0", "75.0", "-12.5 (-10.0 to +10.0)"],
        ["75.0", "75.0", "-12.5 (-10.0 to +10.0)"],
        ["25.0", "25.0", "-5.0 (-10.0 to +10.0)"],
    ]
    assert "Not played" in table.note
    assert "ScienceWorld" in table.note
    assert "PDDL" not in table.note.partition("Not played")[2].partition(".")[0]


def test_published_numbers_stand_beside_the_same_model_recipe_and_metric():
    (table,) = paper_tables(result(DENSE, f"{DENSE}+gptq-w4-g128"))
    last = [row[-1] for row in shown(table)]
    assert last[0] == "alfworld 48.3\nwebshop 73.5\nos 82.6", "no uncompressed 7B model was published there"
    assert last[1].split("\n")[-1] == "1k-32k 98.3 (-0.3)"
    assert last[2:] == ["22.9 (-10.7)", "10.0 (-3.3)"]
    assert "repo-history" in table.note


def test_one_table_for_each_compressed_agent_and_one_for_a_lone_one():
    assert len(paper_tables(result(DENSE, "oracle", "random"))) == 2
    (alone,) = paper_tables(result("oracle"))
    assert [row[-1] for row in shown(alone)] == ["-"] * 4
    assert len(alone.heads) == len(alone.rows[0]) == 7


def test_another_suite_has_no_such_table():
    assert paper_tables(result(DENSE, "oracle", suite=None)) == []
