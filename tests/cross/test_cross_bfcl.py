"""Our verdicts on function calls beside the leaderboard's own checkers, on gold and on gold with one thing changed."""

from __future__ import annotations

import json

import pytest

from acgym.envs.tools.bfcl.env import BFCL
from acgym.envs.tools.bfcl.files import CATEGORIES
from tests.cross import environments
from tests.cross.bfcl_cases import dialogues, single_turn

pytestmark = pytest.mark.cross

SINGLE = [name for name, row in CATEGORIES.items() if row.judge == "calls"]
DIALOGUES = [name for name, row in CATEGORIES.items() if row.judge == "state"]
NOT_ACCEPTED = {"simple_java": 3, "live_simple": 2, "live_multiple": 2}
"""Rows of which the original accepts no answer; docs/bfcl.md names them."""


@pytest.fixture(scope="module")
def folder(published):
    """The data as its authors publish it."""
    return published("bfcl")


@pytest.fixture
def judged(tmp_path, folder):
    """Hand cases to the original; return them with both verdicts."""

    def judge(cases):
        said = list(cases)
        file = tmp_path / "cases.jsonl"
        file.write_text("".join(json.dumps(case) + "\n" for case, _ in said), encoding="utf-8")
        job = {"out": str(tmp_path / "out"), "options": {"folder": str(folder), "cases": str(file)}}
        verdicts = environments.run(environments.python("bfcl"), "in_bfcl.py", job)["verdicts"]
        return [(case, ours, theirs) for (case, ours), theirs in zip(said, verdicts, strict=True)]

    return judge


def differing(rows):
    return [(case, ours, theirs) for case, ours, theirs in rows if ours is not theirs]


@pytest.mark.parametrize("category", SINGLE)
def test_single_calls_are_judged_as_the_original_judges_them(judged, folder, category):
    env = BFCL(category, str(folder))
    rows = judged(single_turn(env, seed=0, at_random=3))
    assert differing(rows) == []
    gold = {}
    for case, ours, _ in rows:
        gold.setdefault(case["id"], ours)  # the first of each row
    assert sum(not ours for ours in gold.values()) == NOT_ACCEPTED.get(category, 0)


@pytest.mark.parametrize("category", DIALOGUES)
def test_dialogues_are_judged_as_the_original_judges_them(judged, folder, category):
    env = BFCL(category, str(folder))
    rows = judged(dialogues(env, seed=0, at_random=2, arguments=4))
    assert differing(rows) == []
    assert {case["id"] for case, ours, _ in rows if ours} == {f"{category}_{i}" for i in range(env.rows)}
