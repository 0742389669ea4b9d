"""The public scorers: the three cases in which the published code departs from the definition."""

from __future__ import annotations

import pytest

from acgym.scorers import graph_f1, node_chain_f1, plan_f1

DIAMOND = "Node:\n1: a\n2: b\n3: c\n4: d\nEdge: (START,1) (1,2) (1,3) (2,4) (3,4) (4,END)"
RENUMBERED = "Node:\n1: a\n2: b\n3: d\n4: c\nEdge: (START,1) (1,2) (1,4) (2,3) (4,3) (3,END)"
STRANGE = "Node:\n1: x\n2: y\n3: z\nEdge: (START,1) (1,2) (2,3) (3,END)"
THREE = STRANGE.replace("x", "a").replace("y", "b").replace("z", "c")
EIGHT = "Node:\n" + "\n".join(f"{i}: step {i} here" for i in range(1, 9))
EIGHT += "\nEdge: (START,1) " + " ".join(f"({i},{i + 1})" for i in range(1, 8)) + " (8,END)"


def test_an_equal_graph_with_other_numbers():
    assert graph_f1(RENUMBERED, DIAMOND) == 1.0
    assert graph_f1(RENUMBERED, DIAMOND, compat="acbench") == pytest.approx(0.5)


def test_a_plan_in_which_nothing_is_right():
    assert node_chain_f1(STRANGE, THREE) == 0.0
    assert node_chain_f1(STRANGE, THREE, compat="acbench") == pytest.approx(0.333, abs=5e-4)
    said = (
        '[{"id": 0, "name": "x", "args": {}}, {"id": 1, "name": "y", "args": {}}, {"id": 2, "name": "z", "args": {}}]'
    )
    gold = [{"id": i, "name": name, "args": {}} for i, name in enumerate("abc")]
    assert plan_f1(said, gold) == 0.0
    assert plan_f1(said, gold, compat="acbench") == pytest.approx(0.333, abs=5e-4)


def test_a_perfect_answer_of_eight_steps():
    assert node_chain_f1(EIGHT, EIGHT) == 1.0
    assert node_chain_f1(EIGHT, EIGHT, compat="acbench") == pytest.approx(0.889, abs=5e-4)
