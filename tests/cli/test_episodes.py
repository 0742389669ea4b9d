"""replay, rescore and handoff at the command line: what they say, how they end, what they refuse."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.record.run import Run
from tests.helpers.recorded import episode
from tests.helpers.toys import ECHO

HOUSE = "ACB/Household-v0"


def acgym(*words):
    """Run a command; return exit status, output and errors, each on one line."""
    done = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [str(word) for word in words])
    return done.exit_code, " ".join(done.stdout.split()), " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of the oracle, the random policy and silence."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    words = ["oracle", "random", "silent", "--env", HOUSE, "--episodes", "3", "--level", "1", "--out", folder]
    assert acgym("compare", *words)[0] == 0
    return folder


@pytest.fixture
def copied(folder, tmp_path):
    from shutil import copytree

    return copytree(folder, tmp_path / "copy")


def test_a_run_replays(folder):
    assert acgym("replay", folder)[:2] == (0, f"9 of 9 episodes ({turns(folder)} turns) replayed bit-equal.")
    status, out, _ = acgym("replay", folder, "--agent", "oracle", "--env", HOUSE)
    assert (status, out) == (0, f"3 of 3 episodes ({turns(folder, 'oracle')} turns) replayed bit-equal.")
    limit = gym.spec(HOUSE).max_episode_steps
    assert acgym("replay", folder / "silent" / "episodes.jsonl")[1].startswith(f"3 of 3 episodes ({3 * limit} turns)")


def turns(folder, *agents):
    run = Run.read(folder)
    return sum(len(one.turns) for name in agents or run.agents() for one in run.episodes(name))


def test_what_changed_is_named(copied):
    file = copied / "silent" / "episodes.jsonl"
    file.write_text(file.read_text().replace("is not an action", "is no action", 1))
    status, out, err = acgym("replay", copied)
    assert (status, err) == (1, "")
    assert f"silent, {HOUSE} seed 0, turn 2: observation was " in out
    assert out.endswith("8 of 9 episodes (" + f"{turns(copied)} turns) replayed bit-equal.")


def test_many_changes_are_counted(copied):
    file = copied / "silent" / "episodes.jsonl"
    row = json.loads(file.read_text().splitlines()[0])
    rows = [row | {"seed": seed, "task_hash": f"{seed:016x}"} for seed in range(30)]
    file.write_text("".join(json.dumps(one) + "\n" for one in rows))
    status, out, _ = acgym("replay", file)
    assert status == 1
    assert out.count("the task was") == 20
    assert "... and 10 more" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--agent", "nobody"], "holds no agent 'nobody'; it holds oracle, random, silent"),
        (["--env", "ACB/Needle-v0"], "holds no episodes of ACB/Needle-v0"),
        (["--env", "ACB/Needl-v0"], "did you mean 'ACB/Needle-v0'"),
    ],
)
def test_replay_refuses(folder, words, complaint):
    status, out, err = acgym("replay", folder, *words)
    assert (status, out) == (2, "")
    assert complaint in err


def test_replay_needs_a_run(tmp_path):
    assert acgym("replay", tmp_path)[0] == 2
    (tmp_path / "torn.jsonl").write_text("{}\n")
    assert "line 1: this is not an episode" in acgym("replay", tmp_path / "torn.jsonl")[2]
    (tmp_path / "foreign.jsonl").write_text(episode(env="My/Own-v0").to_line() + "\n")
    assert "--env module:My/Own-v0" in acgym("replay", tmp_path / "foreign.jsonl")[2]


def test_environments_of_other_people_replay(tmp_path):
    words = ["oracle", "random", "--env", f"tests.helpers.toys:{ECHO}", "--episodes", "2", "--out", tmp_path / "run"]
    assert acgym("compare", *words)[0] == 0
    assert acgym("replay", tmp_path / "run", "--env", f"tests.helpers.toys:{ECHO}")[:2] == (
        0, "4 of 4 episodes (12 turns) replayed bit-equal.",
    )  # fmt: skip


def test_a_run_is_scored_again(copied):
    before = json.loads((copied / "comparison.json").read_text())
    (copied / "comparison.json").unlink()
    status, out, err = acgym("rescore", copied)
    assert (status, err) == (0, "")
    assert "silent: Household cannot be measured with so few episodes" in " ".join(out.split())
    assert out.endswith(f"Scored again from the episodes in {copied}.")
    assert json.loads((copied / "comparison.json").read_text()) == before


def test_a_scorer_is_named(copied, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strict_scorer.py").write_text("def judge(episode):\n    return episode.format_errors == 0\n")
    assert acgym("rescore", copied, "--scorer", "strict_scorer:judge")[0] == 0
    made = json.loads((copied / "comparison-strict_scorer_judge.json").read_text())
    assert [row["scores"]["all"]["success"] for row in made["agents"]] == [1.0, 1.0, 0.0]
    status, _, err = acgym("rescore", copied, "--scorer", "nonsense")
    assert (status, "is written 'module:function'" in err) == (2, True)


def test_a_loss_is_handed_off(copied):
    status, out, err = acgym("handoff", copied, "silent", "--lost", "2", "--kept", "0")
    played = len((copied / "silent" / "handoff.jsonl").read_text().splitlines())
    assert (status, err) == (0, f"silent: hand-offs, {played} episodes played")
    assert out.startswith(
        "silent: 0 of 2 lost episodes were past saving for oracle right after the first other decision"
    )
    lines = (copied / "silent" / "handoff.jsonl").read_bytes()
    assert acgym("handoff", copied, "silent", "--lost", "2", "--kept", "0")[1] == out
    assert (copied / "silent" / "handoff.jsonl").read_bytes() == lines
    result = json.loads((copied / "comparison.json").read_text())
    assert result["agents"][2]["handoff"][HOUSE]["lost"]["pairs"] == 2
    assert "By hand-off" in (copied / "report.html").read_text()
    assert acgym("replay", copied / "silent" / "handoff.jsonl")[0] == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["nobody"], "there is no 'nobody'"), (["silent", "--lost", "-1"], "0 or larger, got -1 and 5")],
)
def test_handoff_refuses(folder, words, complaint):
    status, out, err = acgym("handoff", folder, *words)
    assert (status, out) == (2, "")
    assert complaint in err


def test_help_is_for_newcomers():
    for command, words in [("replay", "bit"), ("rescore", "module:function"), ("handoff", "fatal")]:
        status, out, _ = acgym(command, "--help")
        assert status == 0
        assert words in out
