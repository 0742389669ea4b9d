"""ACB/Workflow-v0: a task worked by hand, every error, splits, the levels' promises, hostile replies."""

from __future__ import annotations

import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acgym  # noqa: F401  (registers the environments)
from acgym.envs.names import names
from acgym.envs.workflow.graphs import NOUNS, SIZES, VERBS, execution_order, layout, small_plans
from acgym.envs.workflow.workflow import Workflow, write_plan
from acgym.scorers.workflow_graph import edge_f1, graph_f1, node_chain_f1
from acgym.types import Task, canonical_json

LEVELS = (1, 2, 3, 4, 5)
STEPS = ["boil leek", "wash pot", "serve soup", "cut bread", "fold coat"]
NEEDS = [[1], [], [0, 3], [], [1]]
GOLD = """\
Node:
1: wash pot
2: cut bread
3: boil leek
4: serve soup
Edge: (START,1) (START,2) (1,3) (3,4) (2,4) (4,END)"""
HAND = Task("by hand", "serve soup", {"steps": STEPS, "needs": NEEDS, "goal": 2, "style": "needs"}, GOLD)
RULES = """\
Write the plan that reaches the goal.
List only the steps that the goal needs. Put each step after the steps it needs. Copy the steps word for word.
Write an edge (a,b) if step number b needs step number a, (START,b) if it needs nothing, and (a,END) for the goal.
Use this format:
Node:
1: first step
2: second step
Edge: (START,1) (1,2) (2,END)
"""


def opened(task: Task = HAND) -> tuple[Workflow, str]:
    env = Workflow(level=1)
    env.reset(seed=0)
    env._task = task
    return env, env.tell()


def plan(nodes: list[str], edges: str) -> str:
    return "Node:\n" + "\n".join(f"{i}: {node}" for i, node in enumerate(nodes, 1)) + f"\nEdge: {edges}"


def test_the_hand_task_is_told_whole() -> None:
    _, shown = opened()
    assert shown == RULES + (
        "You can reply at most 3 times.\n"
        "Goal: serve soup\nSteps:\n- boil leek (needs: wash pot)\n- wash pot (needs: nothing)\n"
        "- serve soup (needs: boil leek, cut bread)\n- cut bread (needs: nothing)\n- fold coat (needs: wash pot)"
    )


@pytest.mark.parametrize(
    ("style", "more", "ending"),
    [
        (
            "sentences",
            {"order": [[2, 1], [1, 0], [0, 0], [3, 1], [4, 1]]},
            "Needs:\nTo serve soup, first boil leek and cut bread.\nOnly after wash pot: boil leek.\n"
            "To fold coat, first wash pot.",
        ),
        (
            "prose",
            {"order": [[4, 0], [2, 0], [0, 1], [1, 1], [3, 0]]},
            "Needs:\nOnly after wash pot: fold coat. Only after boil leek and cut bread: serve soup. "
            "To boil leek, first wash pot.",
        ),
        (
            "materials",
            {"makes": ["a", "b", "c", "d", "e"]},
            'Steps:\n- boil leek (takes: "b"; makes: "a")\n- wash pot (takes: nothing; makes: "b")\n'
            '- serve soup (takes: "a", "d"; makes: "c")\n- cut bread (takes: nothing; makes: "d")\n'
            '- fold coat (takes: "b"; makes: "e")',
        ),
    ],
)
def test_every_style_tells_all_needs(style: str, more: dict[str, Any], ending: str) -> None:
    _, shown = opened(Task("by hand", "serve soup", {**HAND.data, "style": style, **more}, GOLD))
    assert shown.startswith(RULES + "A step ")
    assert shown.endswith(ending)


def test_the_oracle_walks_back_numbers_and_writes() -> None:
    env, _ = opened()
    assert env.oracle() == (
        "- serve soup < boil leek, cut bread\n- boil leek < wash pot\n- cut bread < nothing\n- wash pot < nothing\n"
        "- wash pot 1 < START\n- cut bread 2 < START\n- boil leek 3 < wash pot 1\n"
        "- serve soup 4 < boil leek 3, cut bread 2\n" + GOLD
    )


FOUR = ["wash pot", "cut bread", "boil leek", "serve soup"]
EDGES = "(START,1) (START,2) (1,3) (3,4) (2,4) (4,END)"


@pytest.mark.parametrize(
    ("reply", "progress", "error"),
    [
        (GOLD, 1.0, None),
        ("I think.\n" + GOLD.replace("Node:", "**Nodes:**").replace(": ", ". ") + "\nDone.", 1.0, None),
        (plan(["cut bread", "wash pot", *FOUR[2:]], "(START,1) (START,2) (2,3) (3,4) (1,4) (4,END)"), 1.0, None),
        # wrong order: chain 3 of 4, graph and edges whole
        (plan(["wash pot", "boil leek", "serve soup", "cut bread"], "(START,1) (START,4) (1,2) (2,3) (4,3) (3,END)"),
         (0.75 + 1) / 2, "wrong_order"),
        # one edge too many: graph F1 1, edge F1 12/13
        (plan(FOUR, EDGES + " (1,4)"), (1 + 12 / 13) / 2, "wrong_edges"),
        # (2,4) missing: graph F1 1, edge F1 10/11
        (plan(FOUR, "(START,1) (START,2) (1,3) (3,4) (4,END)"), (1 + 10 / 11) / 2, "wrong_edges"),
        # one step too many: chain 8/9, graph 12/13, edges 12/14
        (plan([*FOUR, "fold coat"], EDGES + " (1,5) (5,END)"), None, "extra_step"),
        (plan([*FOUR, "serve soup"], EDGES), None, "extra_step"),
        # one step missing: chain 2*3/7, edges 2*4/10
        (plan(["wash pot", *FOUR[2:]], "(START,1) (1,2) (2,3) (3,END)"), (6 / 7 + 0.8) / 2, "missing_step"),
        (plan(["wash the pot", *FOUR[1:]], EDGES), None, "unknown_step"),
        (plan(["x"], "(START,1)"), 0.0, "unknown_step"),
    ],
)  # fmt: skip
def test_hand_answers(reply: str, progress: float | None, error: str | None) -> None:
    env, _ = opened()
    shown, reward, terminated, truncated, info = env.step(reply)
    expected = (node_chain_f1(reply, GOLD) + min(graph_f1(reply, GOLD), edge_f1(reply, GOLD))) / 2
    assert reward == pytest.approx(expected if progress is None else progress)
    assert (terminated, truncated) == (True, False)
    assert info == {"progress": reward, "success": error is None, "malformed": False, "error": error}
    assert shown


@pytest.mark.parametrize("reply", ["", "wash pot", "Node:\n1: wash pot", "Node:\nEdge: (START,1)", "1: a\nEdge: (1,2)"])
def test_what_cannot_be_read_changes_nothing(reply: str) -> None:
    env, _ = opened()
    shown, reward, terminated, _, info = env.step(reply)
    assert (reward, terminated) == (0.0, False)
    assert info == {"progress": 0.0, "success": False, "malformed": True, "error": None}
    assert "Node:" in shown
    assert env.step(env.oracle())[1] == 1.0


def test_execution_order_waits_for_every_user() -> None:
    """0 needs 1 and 2, 2 needs 1: plain breadth-first order would put 1 after 2."""
    assert execution_order([[1, 2], [], [1]], 0) == [1, 2, 0]
    assert write_plan(["g", "a", "b"], [[1, 2], [], [1]], [1, 2, 0]) == (
        "Node:\n1: a\n2: b\n3: g\nEdge: (START,1) (1,2) (1,3) (2,3) (3,END)"
    )


@pytest.mark.parametrize("split", ["eval", "train"])
@pytest.mark.parametrize("level", LEVELS)
def test_oracle_scores_one_on_every_task(level: int, split: str) -> None:
    env = gym.make("ACB/Workflow-v0", level=level)
    fewest, most = SIZES[level].needed
    for seed in range(100):
        shown, info = env.reset(seed=seed, options={"split": split})
        data = info["task"].data
        needed = execution_order(data["needs"], data["goal"])
        assert fewest <= len(needed) <= most
        assert len(set(data["steps"])) == len(data["steps"]) == len(needed) + SIZES[level].extra
        assert all(step in shown for step in data["steps"])
        oracle = env.unwrapped.oracle()
        assert oracle.endswith(info["task"].reference)
        _, reward, terminated, _, last = env.step(oracle)
        assert (reward, terminated, last["success"], last["error"]) == (1.0, True, True, None)


@pytest.mark.parametrize("split", ["eval", "train"])
def test_level_1_is_a_tree_of_distinct_words(split: str) -> None:
    env = Workflow(level=1)
    for seed in range(200):
        _, info = env.reset(seed=seed, options={"split": split})
        data = info["task"].data
        needed = execution_order(data["needs"], data["goal"])
        users = [below for step in needed for below in data["needs"][step]]
        assert sorted(users) == sorted(set(needed) - {data["goal"]})
        assert max(len(below) for below in data["needs"]) <= 2
        words = [word for step in data["steps"] for word in step.split()]
        assert len(set(words)) == len(words) == 2 * len(data["steps"])


def test_words_are_told_apart() -> None:
    assert len(set(VERBS) | set(NOUNS)) == len(VERBS) + len(NOUNS)
    assert all(re.fullmatch("[a-z]+", word) for word in VERBS + NOUNS)


def core(step: str) -> str:
    return f"{step.split()[0]} {step.split()[-1]}"


@pytest.mark.parametrize("level", LEVELS)
def test_splits_share_no_step_no_layout_and_no_material(level: int) -> None:
    seen: dict[str, set[str]] = {"eval": set(), "train": set()}
    env = Workflow(level=level)
    for split, found in seen.items():
        for seed in range(300):
            _, info = env.reset(seed=seed, options={"split": split})
            data = info["task"].data
            found.add(layout(data["needs"], data["goal"]))
            found.update(core(step) for step in data["steps"])
            found.update(f"material {name}" for name in data.get("makes", ()))
    assert len(seen["eval"]) > 100
    assert not seen["eval"] & seen["train"]
    assert not set(names("eval")) & set(names("train"))


def test_level_1_layouts_are_split_about_one_to_three() -> None:
    """Two trees of 3 in 4! listings with 4 choices for the extra step, four trees of 4 in 5! listings with 5."""
    for needed, all_of_them in ((3, 2 * 24 * 4), (4, 4 * 120 * 5)):
        kept, trained = small_plans("eval", needed), small_plans("train", needed)
        assert len(kept) + len(trained) == all_of_them
        assert 0.15 < len(kept) / all_of_them < 0.35


def test_harder_levels_have_steps_that_look_alike() -> None:
    env = Workflow(level=4)
    alike = 0
    for seed in range(30):
        steps = env.reset(seed=seed)[1]["task"].data["steps"]
        alike += len(steps) - len({core(step) for step in steps})
    assert alike > 10


@pytest.mark.parametrize("level", LEVELS)
def test_same_seed_same_task_and_tasks_are_json(level: int) -> None:
    one, two = Workflow(level=level), Workflow(level=level)
    shown, info = one.reset(seed=7)
    two.reset(seed=3)
    again, info_again = two.reset(seed=7)
    assert shown == again
    assert info["task"].hash == info_again["task"].hash
    assert one.reset(seed=8)[0] != shown
    assert canonical_json(info["task"].data)


@pytest.mark.parametrize("level", LEVELS)
def test_random_replies_can_be_read(level: int) -> None:
    env = Workflow(level=level)
    rng = np.random.default_rng(0)
    for seed in range(50):
        env.reset(seed=seed)
        *_, terminated, _, info = env.step(env.random_reply(rng))
        assert terminated
        assert not info["malformed"]


HOSTILE = [
    "\x00" * 500,
    "x" * 10_000_000,
    "[" * 20_000,
    "\ud800Node:\n1: \udfff\nEdge: (START,1)",
    "Node:\n" + "1: wash pot\n" * 1500 + "Edge: (START,1)",
    "Node:\n1: a\nEdge: " + "(1,1)" * 3900,
    "Node:\n1: a\nEdge: (START," + "9" * 19_000 + ")",
    "Node:\n" * 3000,
]


@pytest.mark.parametrize("reply", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_replies_are_answered(reply: str) -> None:
    env, _ = opened()
    shown, reward, _, _, info = env.step(reply)
    assert env.observation_space.contains(shown)
    assert len(shown) < 300
    assert 0.0 <= reward < 0.1
    assert not info["success"]


@given(st.text(max_size=200), st.booleans())
@settings(max_examples=200)
def test_no_text_raises_or_solves(text: str, headed: bool) -> None:
    env, _ = opened()
    shown, reward, _, _, info = env.step(f"Node:\n1: {text}\nEdge: (START,1) (1,END) {text}" if headed else text)
    assert env.observation_space.contains(shown)
    assert 0.0 <= reward < 1.0
    assert set(info) == {"progress", "success", "malformed", "error"}
