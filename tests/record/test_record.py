"""The record: what was finished stays, whatever kills the process; nothing is doubled; nothing is misread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acgym.agents.scripted import Oracle, Silent
from acgym.loop import play
from acgym.record.episode import Episode
from acgym.record.lines import RecordDamaged, RunExists, read_episodes
from acgym.record.run import Run, agent_spec, folder_name
from tests.helpers.toys import ECHO

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"agents": ["oracle"], "env": {"id": ECHO, "level": 3}, "seeds": 4}


@pytest.fixture(scope="module")
def episodes():
    played = play(Oracle(), ECHO, range(4), kwargs={"level": 2})
    return [Episode.from_line(episode.to_line()) for episode in played]


@pytest.fixture
def run(tmp_path):
    with Run.open(tmp_path / "run", SETTINGS) as run:
        yield run


def log_of(run: Run) -> Path:
    return run.folder("oracle") / "episodes.jsonl"


def reopened(run: Run) -> Run:
    run.close()
    return Run.open(run.path, SETTINGS)


def test_episodes_come_back_equal_and_in_order(run, episodes):
    for episode in episodes:
        run.append("oracle", episode)
        assert run.episodes("oracle")[-1] == episode
    assert run.episodes("oracle") == episodes == read_episodes(log_of(run))
    assert run.agents() == ["oracle"]
    assert run.episodes("silent") == []
    assert Run.read(run.path).episodes("oracle") == episodes


def test_a_line_of_the_first_format_is_read_without_what_it_did_not_hold(episodes):
    row = json.loads(episodes[0].to_line())
    for name in ("heuristic_success", "heuristic_progress", "error_kinds", "unclear_errors"):
        del row[name]
    with pytest.raises(ValueError, match="error_kinds, heuristic_progress, heuristic_success, unclear_errors"):
        Episode.from_line(json.dumps(row))
    old = Episode.from_line(json.dumps(row | {"format": 1}))
    assert (old.heuristic_success, old.error_kinds["closed"], old.format) == (None, "wrong_order", 1)
    assert Episode.from_line(old.to_line()) == old


def test_the_manifest_says_what_ran(run):
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["settings"] == SETTINGS == Run.read(run.path).settings
    assert len(manifest["settings_sha256"]) == 64
    (session,) = manifest["sessions"]
    assert session["versions"]["python"] == sys.version.split()[0]
    assert {"acgym", "gymnasium", "numpy", "transformers"} <= session["versions"].keys()
    assert manifest["created"] == session["time"]


def test_a_session_with_other_versions_is_written_down(run):
    reopened(run)
    file = run.path / "manifest.json"
    manifest = json.loads(file.read_text())
    assert len(manifest["sessions"]) == 1
    manifest["sessions"][0]["versions"]["numpy"] = "0.1"
    file.write_text(json.dumps(manifest))
    reopened(run)
    assert [s["versions"]["numpy"] == "0.1" for s in json.loads(file.read_text())["sessions"]] == [True, False]


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({**SETTINGS, "seeds": 5}, "seeds is 4 there and 5 now"),
        ({**SETTINGS, "seeds": 4.5, "env": {"id": ECHO, "level": True}}, "env.level is 3 there and true now; seeds is"),
        ({**SETTINGS, "new": None}, "new is not set there"),
        ({"agents": ["oracle"], "seeds": 4}, "env is set there"),
    ],
)
def test_other_settings_are_refused_by_name(run, settings, difference):
    with pytest.raises(RunExists) as caught:
        Run.open(run.path, settings)
    assert difference in str(caught.value)
    assert "Choose another --out, or use the same settings to resume it, or delete the folder" in str(caught.value)


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunExists, match="holds files but no run"):
        Run.open(tmp_path, {})
    with pytest.raises(FileNotFoundError, match="holds no run"):
        Run.read(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_spoiled_manifest_is_named(run):
    (run.path / "manifest.json").write_text('{"settings"')
    with pytest.raises(RecordDamaged, match=r"manifest\.json is not the manifest of a run"):
        Run.open(run.path, SETTINGS)


def test_settings_must_be_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Run.open(tmp_path / "nan", {"x": float("nan")})
    with pytest.raises(TypeError, match="not JSON serializable"):
        Run.open(tmp_path / "set", {"x": {1}})
    assert list(tmp_path.iterdir()) == []


def test_a_process_killed_at_any_byte_loses_one_episode_and_doubles_none(run, episodes):
    for episode in episodes[:2]:
        run.append("oracle", episode)
    run.close()
    file = log_of(run)
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for size in [*range(first, len(whole), 97), len(whole) - 1, len(whole)]:
        file.write_bytes(whole[:size])
        kept = episodes[: 2 if size >= len(whole) - 1 else 1]
        assert run.episodes("oracle") == kept
        with Run.open(run.path, SETTINGS) as again:
            assert again.seeds_left("oracle", ECHO, {"level": 2}, "eval", range(4)) == list(range(len(kept), 4))
            for episode in episodes[len(kept) :]:
                again.append("oracle", episode)
        assert [json.loads(line)["seed"] for line in file.read_bytes().splitlines()] == [0, 1, 2, 3]
        assert run.episodes("oracle") == episodes


def test_damage_in_the_middle_is_named_by_file_and_line(run, episodes):
    for episode in episodes[:3]:
        run.append("oracle", episode)
    run.close()
    lines = log_of(run).read_bytes().splitlines(keepends=True)
    for damaged in (
        b"{}\n",
        b"\n",
        b"\xff\n",
        b"[]\n",
        lines[1][:50] + b"\n",
        lines[1].replace(b'"turns":[', b'"turns":[1,'),
    ):
        log_of(run).write_bytes(lines[0] + damaged + lines[2])
        before = log_of(run).read_bytes()
        with pytest.raises(RecordDamaged, match=r"episodes\.jsonl, line 2: this is not an episode"):
            run.episodes("oracle")
        with pytest.raises(RecordDamaged, match=r"episodes\.jsonl, line 2"):
            reopened(run).append("oracle", episodes[3])
        assert log_of(run).read_bytes() == before


def test_an_episode_is_never_written_twice(run, episodes):
    run.append("oracle", episodes[0])
    for open_again in (False, True):
        with pytest.raises(ValueError, match="already holds the episode"):
            (reopened(run) if open_again else run).append("oracle", replace(episodes[0], seconds=9.0))
    assert run.episodes("oracle") == episodes[:1]


def test_a_failed_episode_may_be_played_again_and_the_last_counts(run, episodes):
    failed = replace(episodes[0], outcome="failed", failure="x", success=None, progress=None)
    for episode in (failed, episodes[1], failed):
        run.append("oracle", episode)
    assert run.episodes("oracle") == [episodes[1], failed]
    assert run.seeds_left("oracle", ECHO, {"level": 2}, "eval", range(3)) == [0, 2]
    reopened(run).append("oracle", episodes[0])
    assert run.episodes("oracle") == [episodes[1], episodes[0]]


def test_seeds_left_tells_arguments_and_splits_apart(run, episodes):
    run.append("oracle", episodes[0])
    assert run.seeds_left("oracle", ECHO, {"level": 2}, "eval", [0, 1]) == [1]
    assert run.seeds_left("oracle", ECHO, {"level": 3}, "eval", [0]) == [0]
    assert run.seeds_left("oracle", ECHO, {"level": 2}, "train", [0]) == [0]
    assert run.seeds_left("silent", ECHO, {"level": 2}, "eval", [0]) == [0]


WRITER = """
import sys
from pathlib import Path
from acgym.record.run import Run
from acgym.record.lines import read_episodes
run = Run.read(sys.argv[1])
for episode in read_episodes(Path(sys.argv[2])):
    run.append("oracle", episode)
"""


def write_elsewhere(run: Run, source: Path, limit: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", limit + WRITER, str(run.path), str(source)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_two_processes_cannot_write_the_same_episodes(run, episodes, tmp_path):
    run.append("oracle", episodes[0])
    source = tmp_path / "source.jsonl"
    source.write_text(episodes[1].to_line() + "\n")
    refused = write_elsewhere(run, source)
    assert "RunExists: another process is writing" in refused.stderr
    run.close()
    assert write_elsewhere(run, source).returncode == 0
    assert run.episodes("oracle") == episodes[:2]


def test_a_full_disk_keeps_every_finished_episode(run, episodes, tmp_path):
    source = tmp_path / "source.jsonl"
    lines = [episode.to_line() + "\n" for episode in episodes]
    source.write_text("".join(lines))
    room = len(lines[0]) + len(lines[1]) + 40
    stopped = write_elsewhere(
        run, source, f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
    )
    assert "RecordNotWritten" in stopped.stderr
    assert "the episodes before it are safe. Make room and run the same command again to resume" in stopped.stderr
    assert log_of(run).read_bytes() == "".join(lines[:2]).encode()
    run.append("oracle", episodes[2])
    assert run.episodes("oracle") == episodes[:3]


def test_json_files_are_replaced_whole(run):
    run.write_json("comparison.json", {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.write_json("comparison.json", {"a": float("nan")})
    assert json.loads((run.path / "comparison.json").read_text()) == {"a": 1}
    run.write_json("comparison.json", ["é", 2])
    assert json.loads((run.path / "comparison.json").read_text()) == ["é", 2]
    assert sorted(os.listdir(run.path)) == ["comparison.json", "manifest.json"]


@pytest.mark.parametrize("name", ["../x.json", "a/b.json", "/etc/x.json", "", "."])
def test_json_files_stay_in_the_folder(run, name):
    with pytest.raises((ValueError, OSError)):
        run.write_json(name, 1)
    assert os.listdir(run.path.parent) == ["run"]
    assert os.listdir(run.path) == ["manifest.json"]


@given(st.text(min_size=1, max_size=16))
@example("..")
@example(".")
@example("../../x")
@example("openai:qwen@http://host:8000/v1")
@example("reference+gptq-w4-g64")
@example("a%2Fb")
@example("\udcff")
def test_folder_names_are_safe_and_reversible(spec):
    name = folder_name(spec)
    assert agent_spec(name) == spec
    assert Path("/runs/r", name).parent == Path("/runs/r")
    assert os.path.normpath(f"/runs/r/{name}") == f"/runs/r/{name}"
    assert name.isascii()
    assert not set(name) & set('/\\:@+ "<>|?*\0')


def test_folder_names_worked_by_hand():
    assert folder_name("oracle") == "oracle"
    assert folder_name("..") == "%2E."
    assert folder_name("hf:a/b+c@d") == "hf%3Aa%2Fb%2Bc%40d"


@pytest.mark.parametrize("spec", ["", "x" * 201, "/" * 67])
def test_unusable_agent_specs_are_refused(spec):
    with pytest.raises(ValueError, match="folder name of 1 to 200 bytes"):
        folder_name(spec)


def test_a_replayed_spec_finds_its_folder(run):
    (episode,) = play(Silent(), ECHO, [0])
    run.append("hf:some/model+awq-w4-g128", episode)
    assert run.agents() == ["hf:some/model+awq-w4-g128"]
    assert run.folder("hf:some/model+awq-w4-g128").parent == run.path


TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)  # lone surrogates too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(VALUES, TEXTS, st.lists(st.integers(0, 2**31)), st.floats(0, 1))
@example({"a": [1e-320, -0.0, 1e308]}, "\ud800", [2**40], 0.1)
@example([[[[1]]]], '"prompt_ids":[1,2]', [], 5e-324)
def test_a_line_is_read_as_pythons_own_parser_reads_it(episodes, value, text, ids, reward):
    """The parser is another one where it can be: same numbers to the last bit, same words, also those it refuses."""
    turn = replace(episodes[0].turns[0], text=text, token_ids=tuple(ids), prompt_ids=None, reward=reward)
    made = replace(episodes[0], kwargs={"value": value}, turns=(turn,))
    read = Episode.from_line(made.to_line())
    assert repr(read) == repr(made)
    assert read.key == made.key
    assert repr(read.kwargs) == repr(json.loads(made.to_line())["kwargs"])


@pytest.mark.parametrize("depth", [500, 100_000])
def test_nesting_that_could_end_the_stack_of_a_later_reader_is_refused_in_a_sentence(depth, episodes):
    line = episodes[0].to_line().replace('"kwargs":{"level":2}', '"kwargs":{"level":' + "[" * depth + "]" * depth + "}")
    with pytest.raises(ValueError, match=r"nested too deeply|recursion limit"):
        Episode.from_line(line)


def test_a_line_of_format_1_is_read_without_what_it_did_not_hold(episodes):
    row = json.loads(episodes[0].to_line())
    assert row["format"] == 2
    assert (row["capability"], row["facts"]) == ("repeating", {})
    for name in ("capability", "facts"):
        del row[name]
    with pytest.raises(ValueError, match="capability, facts"):
        Episode.from_line(json.dumps(row))
    read = Episode.from_line(json.dumps({**row, "format": 1}))
    assert read == replace(episodes[0], capability=None, facts={}, format=1)
    assert read.key == episodes[0].key
