"""ACB/WorfBench-v0 on rows written here in the official form: gold answers, every error, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import acgym  # noqa: F401  (registers the environments)
from acgym.check import check
from acgym.rows import BadRow
from acgym.scorers.matchers import matcher, token_overlap
from tests.helpers.official import official

ID = "ACB/WorfBench-v0"
SYSTEM = "You plan tasks. Keep your output in format:\nNode:\n1.{subtask}\nEdges:\n(START,1)\n(n,END)"
CHAIN = "Node:\n1: go to sink\n2: take cup\n3: go to sink\n4: wash cup\nEdge: (START,1) (1,2) (2,3) (3,4) (4,END)"
FORK = "Node:\n1: list the cities\n2: get the weather\n3: get the prices\nEdge: (START,1) (1,2) (1,3) (2,END) (3,END)"
LONG = (
    "Node:\n" + "\n".join(f"{i}: step {i} of it" for i in range(1, 10)) + "\nEdge: (START,1) "
    "(1,2) (2,3) (3,4) (4,5) (5,6) (6,7) (7,8) (8,9) (9,END)"
)


def row(name: str, source: str, gold: str, **more: Any) -> dict[str, Any]:
    turns = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"Task {name}: do it."},
        {"role": "assistant", "content": gold},
    ]
    return {"id": name, "source": source, "category": "eval", "target": "graph", "conversations": turns, **more}


ROWS = {
    "alfworld": [row("alfworld_1", "alfworld", CHAIN), row("alfworld_2", "alfworld", LONG)],
    "toolbench": [row("17", "toolbench", FORK)],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The official layout: NAME/graph_eval.json, or NAME.json."""
    (tmp_path / "alfworld").mkdir()
    (tmp_path / "alfworld" / "graph_eval.json").write_text(json.dumps(ROWS["alfworld"]))
    (tmp_path / "toolbench.json").write_text(json.dumps(ROWS["toolbench"]))
    return tmp_path


def play(env: gym.Env[Any, Any], reply: str, name: str) -> tuple[float, dict[str, Any], str]:
    """Say one reply in the row ``name``."""
    for seed in range(3):
        _, info = env.reset(seed=seed)
        if info["task"].data["id"] == name:
            shown, reward, _, _, info = env.step(reply)
            return float(reward), info, shown
    raise AssertionError(name)


def test_the_contract_is_kept(folder: Path) -> None:
    for arguments in ({}, {"metric": "graph"}, {"matcher": "tokens"}):
        check(ID, seeds=3, path=str(folder), **arguments)


def test_a_row_is_told_as_it_stands(folder: Path) -> None:
    env = gym.make(ID, path=folder)
    shown, info = env.reset(seed=0)
    assert shown == f"{SYSTEM}\n\n{info['task'].goal}"
    assert info["task"].data["matcher"] == "exact"
    assert env.unwrapped.rows == 3  # type: ignore[attr-defined]
    assert gym.make(ID, path=folder / "toolbench.json").reset(seed=0)[1]["task"].data["id"] == "toolbench_17"


@pytest.mark.parametrize(
    ("metric", "reply", "name", "progress", "error"),
    [
        ("chain", CHAIN, "alfworld_1", 1.0, None),
        ("graph", CHAIN, "alfworld_1", 1.0, None),
        ("chain", CHAIN.replace("take cup", "take mug"), "alfworld_1", 3 / 4, "missing_step"),
        ("chain", LONG.replace("\nEdge", "\n10: rest\nEdge"), "alfworld_2", 18 / 19, "extra_step"),
        ("chain", FORK.replace("1: list the cities\n2: get the weather", "1: get the weather\n2: list the cities"),
         "toolbench_17", 2 / 3, "wrong_order"),
        ("graph", FORK.replace("(3,END)", ""), "toolbench_17", 1.0, None),  # what hangs together is whole
        ("graph", FORK.replace("(1,3) (2,END) (3,END)", "(2,END)"), "toolbench_17", 8 / 10, "wrong_edges"),
    ],
)  # fmt: skip
def test_hand_answers(folder: Path, metric: str, reply: str, name: str, progress: float, error: str | None) -> None:
    reward, info, _ = play(gym.make(ID, path=folder, metric=metric), reply, name)
    assert reward == pytest.approx(progress)
    assert (info["success"], info["error"], info["malformed"]) == (error is None, error, False)


@pytest.mark.parametrize("compat", [None, "acbench"])
def test_what_is_no_workflow_is_malformed_and_worth_nothing(folder: Path, compat: str | None) -> None:
    for reply in ("", "I would wash the cup.", "Node:\n1: wash cup"):
        reward, info, shown = play(gym.make(ID, path=folder, compat=compat), reply, "alfworld_1")
        assert (reward, info["malformed"], info["error"]) == (0.0, True, None)
        assert "no workflow that can be read" in shown


def test_compat_scores_as_the_published_code_does(folder: Path) -> None:
    """It pairs the repeated "go to sink" the wrong way round, and takes the nine steps of LONG for eleven."""
    env = gym.make(ID, path=folder, compat="acbench")
    assert play(env, CHAIN, "alfworld_1")[0] == pytest.approx(0.5)
    assert play(env, LONG, "alfworld_2")[0] == pytest.approx(18 / 20)
    assert play(env, FORK, "toolbench_17")[0] == 1.0
    assert play(env, "Node:\n1.a\nEdge: (START,1)", "toolbench_17")[0] == 0.0


def test_a_matcher_reads_other_words_for_the_same_step(folder: Path) -> None:
    said = FORK.replace("get the weather", "get all the weather").replace("list the cities", "enumerate")
    assert play(gym.make(ID, path=folder), said, "toolbench_17")[0] == pytest.approx(1 / 3)
    assert play(gym.make(ID, path=folder, matcher="tokens"), said, "toolbench_17")[0] == pytest.approx(2 / 3)


def test_random_replies_can_be_read(folder: Path) -> None:
    env = gym.make(ID, path=folder)
    for seed in range(20):
        env.reset(seed=seed)
        assert not env.step(env.unwrapped.random_reply(np.random.default_rng(seed)))[4]["malformed"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"conversations": "no"}, "'conversations' must be a list"),
        ({"conversations": [{"role": "user"}]}, "must be an object with 'role' and a text 'content'"),
        ({"conversations": [{"role": "user", "content": "x"}]}, "one of the assistant, the gold workflow"),
        ({"conversations": row("a", "os", "Node:\n1: a")["conversations"]}, "cannot be read: no edge such as"),
        ({"source": 3}, "'source' must be a text"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = tmp_path / "os.json"
    path.write_text(json.dumps([row("os_1", "os", CHAIN), row("os_2", "os", CHAIN) | change]))
    with pytest.raises(BadRow, match=r"os\.json, row 2 of the list") as caught:
        gym.make(ID, path=path)
    assert reason in str(caught.value)


def test_wrong_arguments_are_answered_with_what_was_expected(tmp_path: Path) -> None:
    for arguments, words in (
        ({"path": tmp_path}, "holds no file of WorfBench"),
        ({"path": tmp_path, "metric": "node"}, "metric must be 'chain' or 'graph'"),
        ({"path": tmp_path, "compat": "x"}, "compat must be None or 'acbench'"),
        ({"path": tmp_path, "matcher": "fuzzy"}, "the matcher must be 'exact', 'tokens', 'embed' or 'embed:FOLDER'"),
    ):
        with pytest.raises(ValueError, match=words):
            gym.make(ID, **arguments)  # type: ignore[arg-type]


def test_token_overlap_by_hand() -> None:
    assert token_overlap("Take the cup.", "take a cup") == pytest.approx(4 / 6)
    assert token_overlap("a a b", "a b b") == pytest.approx(4 / 6)
    assert token_overlap("", "") == token_overlap("...", "...") == 0.0
    assert matcher("tokens").similarity is token_overlap


@pytest.mark.parametrize("path", official("worfbench"), ids=lambda path: path.stem)
def test_gold_answers_of_official_rows_score_one_and_silence_nothing(path: Path) -> None:
    """Not there, not run: the parameters are the files beside this checkout."""
    for arguments in ({}, {"metric": "graph"}, {"matcher": "tokens"}):
        env = gym.make(ID, path=path, **arguments)  # type: ignore[arg-type]
        for seed in range(env.unwrapped.rows):  # type: ignore[attr-defined]
            env.reset(seed=seed)
            assert env.step(env.unwrapped.oracle())[1] == 1.0  # type: ignore[attr-defined]
            env.reset(seed=seed)
            assert env.step("")[1] == 0.0


def test_a_scenario_plays_its_files_alone(folder: Path) -> None:
    env = gym.make(ID, path=str(folder), scenario="embodied").unwrapped
    assert {row.id for row in env._rows} == {"alfworld_1", "alfworld_2"}
    for scenario, words in (("embodid", "scenario must be one of function call"), ("open grounded", "no file of")):
        with pytest.raises(ValueError, match=words):
            gym.make(ID, path=str(folder), scenario=scenario)
    with pytest.raises(ValueError, match="is one file"):
        gym.make(ID, path=str(folder / "toolbench.json"), scenario="embodied")
