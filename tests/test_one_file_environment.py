"""An environment is one file with one register line: nothing else is touched to compare, classify or report it."""

from __future__ import annotations

import json
import sys

import gymnasium as gym
import pytest
from typer.testing import CliRunner

from acgym.analysis.failure import classify
from acgym.cli.app import app
from acgym.record.run import Run, folder_name

FARM = '''
"""A farm: say which of two animals is the larger one, then feed it."""

from gymnasium.envs.registration import register

from acgym.env import Outcome, TextEnv
from acgym.suites import register_suite
from acgym.types import Anchor, Task

SIZES = {"hen": 1, "goat": 2, "cow": 3, "ant": 1, "fox": 2, "whale": 3}
POOLS = {"eval": ("hen", "goat", "cow"), "train": ("ant", "fox", "whale")}


class Farm(TextEnv):
    """Name the larger animal."""

    capability = "long-context retrieval"
    anchors = {level: Anchor(0.5, 0.5) for level in range(1, 6)}

    def draw_task(self, draw, split):
        two = draw.sample(POOLS[split], 2)
        answer = max(two, key=SIZES.get)
        return Task("larger", f"Which is larger: {two[0]} or {two[1]}?", {"two": two}, answer,
                    facts={"length": 6, "depth": 100.0 * two.index(answer)})

    def tell(self):
        return self.task.goal

    def judge(self, action):
        if action not in SIZES:
            return self.malformed("Say the name of an animal.")
        if action == self.task.reference:
            return Outcome("Right.", 1.0, success=True, terminated=True)
        return Outcome("Wrong.", 0.0, terminated=True, error="wrong_argument")

    def oracle(self):
        return self.task.reference

    def random_reply(self, rng):
        return str(rng.choice(self.task.data["two"]))


register("Mine/Farm-v0", Farm, max_episode_steps=3)
register_suite("animals", ["Mine/Farm-v0", ("ACB/Needle-v0", {"level": 1})])
'''
NEW = "Mine/Farm-v0"


@pytest.fixture
def farm(tmp_path, monkeypatch):
    """Write the file, and work beside it."""
    (tmp_path / "one_file_farm.py").write_text(FARM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("one_file_farm", None)
    gym.registry.pop(NEW, None)


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_it_is_compared_classified_exported_and_reported(farm):
    said = run("compare", "oracle", "random", "--suite", "one_file_farm:animals", "--episodes", 12, "--out", "run")
    assert NEW in said
    assert "ACB/Needle-v0" in said
    made = Run.read(farm / "run")
    assert made.settings["envs"] == {NEW: {}, "ACB/Needle-v0": {"level": 1}}

    lost = [episode for episode in made.episodes("random") if episode.env == NEW and not episode.success]
    assert lost
    assert {classify(episode).kind for episode in lost} == {"wrong_argument"}
    assert {episode.capability for episode in lost} == {"long-context retrieval"}

    for form in ("lm-eval", "inspect", "csv", "model-card"):
        run("export", "run", "--to", form)
    card = (farm / "run" / "export-model-card" / folder_name("random") / "model-index.yaml").read_text("utf-8")
    assert card.count("long-context retrieval") == 2, "two environments of one capability"

    page = (farm / "run" / "report.html").read_text("utf-8")
    assert NEW in page
    assert "length, words" in page, "its episodes record a length and a depth, so the heat map shows them"
    comparison = json.loads((farm / "run" / "comparison.json").read_bytes())
    assert comparison["agents"][1]["comparisons"][NEW]["n"] == 12


def test_it_is_checked_and_listed(farm):
    assert "keeps the contract" in run("check", f"one_file_farm:{NEW}")
    listed = run("envs", "--suite", "one_file_farm:animals")
    assert NEW in listed
    assert "ACB/Household-v0" not in listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--suite", "quik"], "did you mean 'quick'"),
        (["--suite", "one_file_farm:cows"], "unknown suite 'cows'"),
        (["--suite", "nowhere:x"], "cannot be imported"),
        (["--suite", "quick", "--env", "ACB/Needle-v0"], "chosen twice"),
    ],
)
def test_a_suite_that_cannot_be_played_is_refused(farm, words, said):
    done = CliRunner().invoke(app, ["compare", "oracle", *words])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
