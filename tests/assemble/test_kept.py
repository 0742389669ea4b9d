"""What a model played for its calibration is kept in the run's folder: played once, used again, and never trusted."""

from __future__ import annotations

import json

import pytest

from acgym.assemble.models import keep, kept
from acgym.calibrate.sample import Drawn, digest_of
from acgym.calibrate.spec import DEFAULT, parse_calibration
from acgym.experiment.run import prepare, run_comparison
from acgym.listener import Listener
from acgym.record.run import EPISODES, Run
from acgym.record.sheet import SHEET
from tests.helpers.tiny import save_model

SEQUENCES = [[3, 4, 5], [7]]


def drawn(calibration=DEFAULT):
    return Drawn(SEQUENCES, {"calibration": str(calibration), "tokens_sha256": digest_of(SEQUENCES)})


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, {})


def test_what_is_kept_comes_back(run):
    keep(run, "hf:a", DEFAULT, drawn())
    assert kept(run, "hf:a", DEFAULT) == drawn()


@pytest.mark.parametrize(
    ("model", "spec"), [("hf:b", str(DEFAULT)), ("hf:a", "trajectories,seed1"), ("hf:a", "trajectories,64x128")]
)
def test_another_model_or_calibration_is_not_taken_for_it(run, model, spec):
    keep(run, "hf:a", DEFAULT, drawn())
    assert kept(run, model, parse_calibration(spec)) is None


def test_files_of_the_users_own_are_not_copied(run, tmp_path):
    keep(run, "hf:a", parse_calibration("text:words.txt"), drawn())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("7", "8"),
        lambda text: text.replace("7", "-7"),
        lambda text: json.dumps({**json.loads(text), "sequences": [["3"]]}),
        lambda text: "[]",
        lambda text: "[" * 100_000,
        lambda text: "",
    ],
    ids=["torn", "edited", "negative", "words", "another shape", "nested", "empty"],
)
def test_what_is_not_as_it_was_is_not_used(run, tmp_path, broken):
    keep(run, "hf:a", DEFAULT, drawn())
    (file,) = tmp_path.glob("calibration-*.json")
    file.write_text(broken(file.read_text()))
    assert kept(run, "hf:a", DEFAULT) is None


class Stages(Listener):
    """Counts who calibrates."""

    def __init__(self):
        self.calibrated = 0

    def stage(self, agent, what):
        self.calibrated += what == "calibrating"


@pytest.mark.slow
def test_a_run_that_goes_on_does_not_play_for_its_calibration_again(tmp_path):
    model = f"hf:{save_model(tmp_path / 'model')}"
    settings = prepare([model, f"{model}+wanda-50", f"{model}+gptq-w4-g32"], ["ACB/Needle-v0"], episodes=2, level=1)
    folder, heard, facts = tmp_path / "run", [], []
    for _ in range(3):
        stages = Stages()
        run_comparison(settings, folder, listener=stages)
        run = Run.read(folder)
        heard.append(stages.calibrated)
        facts.append([run.read_json(SHEET, name)["calibration"] for name in settings.agents[1:]])
        for name in settings.agents[1:]:
            (run.folder(name) / EPISODES).unlink()
        if len(heard) == 2:
            next(folder.glob("calibration-*.json")).unlink()
    assert heard == [1, 0, 1]
    assert facts[0] == facts[1] == facts[2]
