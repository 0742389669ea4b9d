"""The scenarios in which needs follow from what steps mean: cases by hand, and a second solver on drawn tasks."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise, permutations
from random import Random
from typing import Any

import gymnasium as gym
import pytest

from acgym.draw import Draw
from acgym.envs.workflow.decompose import draw_list
from acgym.envs.workflow.library import SCENARIOS, goals
from acgym.envs.workflow.workflow import Workflow
from acgym.suites import suite_named
from acgym.types import Split, Task
from tests.helpers.workflow_tasks import HAND

SPLITS: tuple[Split, ...] = ("eval", "train")
IDS = {
    "function_call": "ACB/WorkflowFunctions-v0",
    "problem_solving": "ACB/WorkflowProblem-v0",
    "embodied": "ACB/WorkflowEmbodied-v0",
    "open_grounded": "ACB/WorkflowOpen-v0",
}
CHAIN = "(START,1) (1,2) (2,3) (3,4) (4,END)"
LINES = ["Boil the egg", "Peel the boiled egg", "Get a plate", "Lay the peeled egg on the plate"]


def opened(data: dict[str, Any] = HAND) -> Workflow:
    env = Workflow(level=4, scenario=data["scenario"])
    env.reset(seed=0)
    env._task = Task("by hand", "Serve a boiled egg", data, "")
    return env


def plan(nodes: list[str], edges: str = CHAIN) -> str:
    return "Node:\n" + "\n".join(f"{i}: {node}" for i, node in enumerate(nodes, 1)) + f"\nEdge: {edges}"


def test_the_hand_task_is_told_without_needs() -> None:
    told = opened().tell()
    assert told.endswith(
        "Goal: Serve a boiled egg\nAlready done:\n- Clean your hands\nSteps:\n- Get a plate\n- Freeze the plate\n"
        "- Boil the egg\n- Peel the boiled egg\n- Wash both hands\n- Lay the peeled egg on the plate\n"
        "- Shell the hot egg"
    )
    assert "listed twice in different words" in told


@pytest.mark.parametrize(
    ("reply", "progress", "error"),
    [
        (plan(LINES), 1.0, None),
        (plan(["Get a plate", *LINES[:2], LINES[3]]), 1.0, None),
        (plan([LINES[0], LINES[2], LINES[1], LINES[3]]), 1.0, None),
        (plan(["cook the EGG in water.", "Shell hot egg", "**Fetch a plate**", LINES[3]]), 1.0, None),
        # the graph of the library, and one with more edges than needed
        (plan(LINES, "(START,1) (START,3) (1,2) (2,4) (3,4) (4,END)"), 1.0, None),
        (plan(LINES, "(START,1) (1,2) (1,3) (2,3) (2,4) (3,4) (1,4) (4,END)"), 1.0, None),
        # chain 3 of 4, all needs kept by the edges
        (plan([LINES[1], LINES[0], *LINES[2:]], "(START,2) (2,1) (1,4) (START,3) (3,4) (4,END)"), 0.875, "wrong_order"),
        # chain whole; kept 2 of 3 needs
        (plan(LINES, "(START,1) (START,2) (START,3) (2,4) (3,4) (4,END)"), (1 + 2 / 3) / 2, "wrong_edges"),
        # a cycle keeps nothing of what it goes through
        (plan(LINES, CHAIN + " (2,1)"), (1 + 2 / 3) / 2, "wrong_edges"),
        (plan(LINES[:3], "(START,1) (1,2) (2,3) (3,END)"), None, "missing_step"),
        (plan([*LINES, "Freeze the plate"]), None, "extra_step"),
        (plan([*LINES, "Shell the hot egg"]), None, "repeated_step"),
        (plan([*LINES, "Wash both hands"]), None, "done_step"),
        (plan([*LINES, "Sing"]), None, "unknown_step"),
    ],
)
def test_hand_answers(reply: str, progress: float | None, error: str | None) -> None:
    env = opened()
    _, reward, terminated, _, info = env.step(reply)
    assert (terminated, info["error"], info["success"]) == (True, error, error is None)
    assert (reward == pytest.approx(progress)) if progress is not None else 0 < reward < 1


def test_functions_are_read_by_their_names() -> None:
    data = {
        **HAND,
        "scenario": "function_call",
        "listed": ["find_it: Id of a thing", "drop: Delete an id", "send_it: Send an id"],
        "is": [0, -1, 1],
        "steps": [["find_it: Id of a thing", "get_id: A thing's id"], ["send_it: Send an id", "mail: Mail an id"]],
        "after": [[], [0]],
        "done": [],
        "past": [],
    }
    for nodes in (["find_it", "send_it"], ["`get_id(thing='x')`", "mail: Mail an id"], ["Call find_it", "send_it()"]):
        assert opened(data).step(plan(nodes, "(START,1) (1,2) (2,END)"))[1] == 1.0, nodes
    assert opened(data).step(plan(["find_it", "drop"], "(START,1) (1,2) (2,END)"))[4]["error"] == "extra_step"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_id_of_its_own_plays_what_the_argument_plays(scenario: str) -> None:
    one, other = gym.make(IDS[scenario], level=2), gym.make("ACB/Workflow-v0", level=2, scenario=scenario)
    assert one.unwrapped.anchor == other.unwrapped.anchor
    assert one.unwrapped.heuristic_anchor == other.unwrapped.heuristic_anchor
    assert one.reset(seed=0)[1]["task"].data["scenario"] == other.reset(seed=0)[1]["task"].data["scenario"] == scenario


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(ValueError, match="told, function_call"):
        Workflow(scenario="cooking")


def test_the_suite_plays_all() -> None:
    assert set(suite_named("workflow")) == {"ACB/Workflow-v0", *IDS.values(), "ACB/WorkflowRun-v0"}


def can_be_done(order: list[str], data: dict[str, Any]) -> bool:
    """Do the lines one by one: the second solver, which knows no graph and no score."""
    done: set[int] = set()
    for line in order:
        step = next((i for i, says in enumerate(data["steps"]) if line in says), None)
        if step is None or step in done or any(before not in done for before in data["after"][step]):
            return False
        done.add(step)
    return len(done) == len(data["steps"])


def answers(data: dict[str, Any], rng: Random) -> list[list[str]]:
    """List right and wrong answers: all orders of few steps, many of more; paraphrases; lines too many or too few."""
    steps = range(len(data["steps"]))
    orders = list(permutations(steps)) if len(steps) <= 5 else [tuple(rng.sample(steps, len(steps))) for _ in range(60)]
    found = [[rng.choice(data["steps"][step]) for step in order] for order in orders]
    for _ in range(20):  # orders that can be done, drawn step by step, and what is next to them
        order: list[int] = []
        while len(order) < len(steps):
            ready = [s for s in steps if s not in order and all(b in order for b in data["after"][s])]
            order.append(rng.choice(ready))
        lines = [rng.choice(data["steps"][step]) for step in order]
        place = rng.randrange(len(lines) - 1)
        swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
        wrong = rng.choice([line for line, step in zip(data["listed"], data["is"], strict=True) if step < 0])
        found += [lines, swapped, lines[:place] + lines[place + 1 :], [*lines, wrong], [*lines, lines[place]]]
        found.append([*lines[:place], wrong, *lines[place + 1 :]])
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_second_solver_finds_no_other_answer(scenario: str) -> None:
    """200 drawn tasks, 50 a scenario: an answer is accepted if and only if its lines can be done one after another."""
    rng = Random(7)
    right = wrong = 0
    for level in (1, 3, 4, 5):
        env = Workflow(level=level, scenario=scenario)
        for seed in range(14 if level < 4 else 11):
            _, info = env.reset(seed=seed)
            data = info["task"].data
            for lines in rng.sample(answers(data, rng), 25):
                nodes = [line.partition(":")[0] for line in lines] if scenario == "function_call" else lines
                chain = " ".join(f"({i},{i + 1})" for i in range(1, len(lines)))
                outcome = env.judge(plan(nodes, f"(START,1) {chain} ({len(lines)},END)"))
                assert outcome.success == can_be_done(lines, data), (level, seed, lines)
                assert outcome.success == (outcome.progress == 1.0) == (outcome.error is None)
                right, wrong = right + outcome.success, wrong + (not outcome.success)
    assert right > 100
    assert wrong > 100


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_wording_of_the_library_is_read_in_a_plan(scenario: str) -> None:
    env = Workflow(level=1, scenario=scenario)
    env.reset(seed=0)
    for split, goal in [(each, goal) for each in SPLITS for goal in goals(scenario, each)]:
        for chosen in range(3):
            data = draw_list(Draw(env.np_random), split, 1, scenario, goal, [])
            env._task = Task("all", goal.says[0], data, "")
            lines = [step.says[chosen] for step in goal.steps]
            nodes = [line.partition(":")[0] for line in lines] if scenario == "function_call" else lines
            chain = " ".join(f"({i},{i + 1})" for i in range(1, len(lines)))
            outcome = env.judge(plan(nodes, f"(START,1) {chain} ({len(lines)},END)"))
            assert outcome.success, (goal.name, outcome.observation)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_sentence_makes_up_more_than_two_percent(scenario: str) -> None:
    """Lines of 1,500 prompts at level 3, rules and labels left out."""
    env = Workflow(level=3, scenario=scenario)
    found: Counter[str] = Counter()
    total = 1500
    for seed in range(total):
        told, _ = env.reset(seed=seed, options={"split": "train" if seed % 2 else "eval"})
        task = told.partition("You can reply")[2].partition("\n")[2]
        found.update({line.removeprefix("- ") for line in task.splitlines() if not line.endswith(":")})
    line, count = found.most_common(1)[0]
    assert count <= 0.02 * total, line


@pytest.mark.parametrize("level", [1, 3, 5])
def test_words_of_the_list_do_not_say_the_order(level: int) -> None:
    """The lines are shuffled, and no step says first, then or finally."""
    for scenario in SCENARIOS:
        env = Workflow(level=level, scenario=scenario)
        sorted_lists = 0
        for seed in range(60):
            data = env.reset(seed=seed)[1]["task"].data
            places = [step for step in data["is"] if step >= 0]
            sorted_lists += all(a <= b for a, b in pairwise(places))
            assert not any(re.search(r"\b(?:first of all|finally|lastly|next,)", line) for line in data["listed"])
        assert sorted_lists <= 10
