"""ACB/LongBench-v0 on rows written here in the official form: every data set, every error, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import acgym  # noqa: F401  (registers the environments)
from acgym.check import check
from acgym.envs.context.longbench_prompts import ASKED
from acgym.rows import BadRow
from acgym.scorers.longbench import METRICS

ID = "ACB/LongBench-v0"
CLASSES = ["City", "State", "Food"]
ANSWERS = {"class": ["City"], "number": ["Paragraph 97"], "code": ["return x + 1"]}


def row(dataset: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    metric = METRICS.get(dataset, "f1")
    return {
        "input": f"What does {dataset} ask {{here}}?",
        "context": f"A long text of {dataset} with {{braces}}. " * 3,
        "answers": ANSWERS.get(metric, ["the blue harbour", "a harbour"]),
        "length": 21,
        "dataset": dataset,
        "language": "en",
        "all_classes": CLASSES if metric == "class" else None,
        "_id": name or f"id-{dataset}",
        **more,
    }


def file(folder: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_the_contract_is_kept(tmp_path: Path) -> None:
    check(ID, seeds=21, path=str(file(tmp_path, *map(row, METRICS))))


def test_every_data_set_is_asked_with_its_context_and_question(tmp_path: Path) -> None:
    assert set(ASKED) == set(METRICS)
    env = gym.make(ID, path=file(tmp_path, *map(row, METRICS)))
    seen = set()
    for seed in range(21):
        shown, info = env.reset(seed=seed)
        task = info["task"]
        seen.add(task.kind)
        assert task.data["context"] in shown
        assert task.data["input"] in shown or task.kind in ("gov_report", "multi_news", "vcsum", "passage_count", "lcc")
        assert (task.facts, task.data["max_new_tokens"]) == ({"length": 21.0}, ASKED[task.kind].max_new_tokens)
    assert seen == set(METRICS)


@pytest.mark.parametrize(
    ("dataset", "reply", "progress", "error"),
    [
        ("hotpotqa", "The blue harbour.", 1.0, None),
        ("hotpotqa", "blue", 2 / 3, "partial_answer"),
        ("hotpotqa", "Rome", 0.0, "wrong_answer"),
        ("gov_report", "the harbour", 0.8, "partial_answer"),
        ("trec", "City\nFood", 1.0, None),
        ("trec", "City, Food", 0.5, "partial_answer"),
        ("passage_retrieval_en", "Paragraph 97", 1.0, None),
        ("passage_count", "98", 0.0, "wrong_answer"),
        ("lcc", "# so\nreturn x", 0.8, "partial_answer"),
        ("hotpotqa_e", "a harbour", 1.0, None),
    ],
)
def test_hand_answers(tmp_path: Path, dataset: str, reply: str, progress: float, error: str | None) -> None:
    env = gym.make(ID, path=file(tmp_path, row(dataset)))
    env.reset(seed=0)
    _, reward, ended, _, info = env.step(reply)
    assert reward == pytest.approx(progress)
    assert (ended, info["success"], info["error"], info["malformed"]) == (True, error is None, error, False)


def test_a_blank_reply_is_malformed_and_worth_nothing(tmp_path: Path) -> None:
    env = gym.make(ID, path=file(tmp_path, row("qasper")))
    for reply in ("", " \n"):
        env.reset(seed=0)
        _, reward, _, _, info = env.step(reply)
        assert (reward, info["malformed"], info["error"]) == (0.0, True, None)


def test_a_folder_plays_the_files_that_are_there(tmp_path: Path) -> None:
    for name in ("lcc", "trec"):
        file(tmp_path, row(name), row(name, f"other-{name}"), name=f"{name}.jsonl")
    file(tmp_path, row("lcc", "not-played"), name="notes.jsonl")
    env = gym.make(ID, path=tmp_path)
    assert {env.reset(seed=seed)[1]["task"].kind for seed in range(4)} == {"lcc", "trec"}
    assert env.unwrapped.rows == 4  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dataset": "squad"}, "'dataset' must be one of narrativeqa"),
        ({"answers": []}, "'answers' must be a list of texts, of which one at least is not blank"),
        ({"answers": [" "]}, "of which one at least is not blank"),
        ({"answers": [3]}, "must be a list of texts"),
        ({"context": None}, "'context' must be a text"),
        ({"all_classes": "City"}, "'all_classes' must be a list of texts or null"),
        ({"all_classes": None}, "a row of trec must have 'all_classes'"),
        ({"_id": "first"}, "line 1 has the same id"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRow, match=r"rows\.jsonl, line 2") as caught:
        gym.make(ID, path=file(tmp_path, row("trec", "first"), row("trec") | change))
    assert reason in str(caught.value)


def test_wrong_paths_are_answered_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no file of LongBench; expected NAME\.jsonl"):
        gym.make(ID, path=tmp_path)
