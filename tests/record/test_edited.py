"""Records that somebody edited: every wrong type is answered with a sentence, and only regular files are touched."""

from __future__ import annotations

import json
import os
from dataclasses import fields

import pytest

from acgym.agents.scripted import Oracle
from acgym.files import NotRegular
from acgym.loop import play
from acgym.record.episode import Episode, Turn
from acgym.record.lines import RecordDamaged, read_episodes
from acgym.record.run import MANIFEST, Run
from tests.helpers.toys import ECHO

DEEP = b'{"a":' + b"[" * 400 + b"]" * 400 + b"}"
SETTINGS = {"agents": ["oracle"], "envs": {ECHO: {"level": 2}}, "episodes": 1, "seed": 0, "models": {}}
WRONG = (5, -1.5, "x", None, True, [], {}, [[5]], {"a": [None]}, "\ud800")
ROW = json.loads(next(iter(play(Oracle(), ECHO, [0], kwargs={"level": 2}))).to_line())


def fits(kind, name, wrong):
    """Whether a wrong value happens to be a right one."""
    hints = {f.name: str(f.type) for f in fields(kind)}[name]
    known = {
        "str": isinstance(wrong, str),
        "int": type(wrong) is int,
        "float": type(wrong) in (int, float),
        "bool": type(wrong) is bool,
        "None": wrong is None,
        "Mapping[str": isinstance(wrong, dict),
        "tuple[Json": isinstance(wrong, list),
        "tuple[Turn": wrong == [],
        "tuple[int": wrong == [],
    }
    if name in ("role", "split", "outcome", "format"):
        return False
    if name in ("facts", "error_kinds", "unclear_errors"):  # of numbers, of texts
        return wrong == ([] if name == "unclear_errors" else {})
    return any(known.get(part.strip().split(",")[0].rstrip("]"), False) for part in hints.split("|"))


@pytest.mark.parametrize("name", [f.name for f in fields(Episode) if f.init])
def test_each_field_of_an_episode_is_of_its_type(name):
    for wrong in WRONG:
        line = json.dumps({**ROW, name: wrong})
        if fits(Episode, name, wrong):
            assert json.loads(Episode.from_line(line).to_line())[name] == wrong
        elif name != "format" or wrong != 5:
            with pytest.raises(ValueError, match=r"\w+.*: .+|differ"):
                Episode.from_line(line)
    if name not in ("format",):
        with pytest.raises(ValueError, match=name):
            Episode.from_line(json.dumps({key: value for key, value in ROW.items() if key != name}))


@pytest.mark.parametrize("name", [f.name for f in fields(Turn)])
def test_each_field_of_a_turn_is_of_its_type(name):
    for wrong in WRONG:
        line = json.dumps({**ROW, "turns": [{**ROW["turns"][0], name: wrong}]})
        if fits(Turn, name, wrong):
            Episode.from_line(line)
        else:
            with pytest.raises(ValueError, match=rf"turns\.0\.{name}"):
                Episode.from_line(line)


@pytest.mark.parametrize(
    "line",
    ["5", "[]", "null", '"x"', "{}", "{", "[" * 10_000, "", "\ud800", "{" + '"a":' * 5000, json.dumps({**ROW, "x": 1})],
)
def test_what_is_no_episode_is_refused(line):
    with pytest.raises(ValueError, match=r"\w"):
        Episode.from_line(line)


def test_a_line_with_a_surrogate_is_checked_as_well():
    for wrong in ({"seed": "0"}, {"turns": [{**ROW["turns"][0], "reward": None}]}):
        with pytest.raises(ValueError, match=r"seed: |turns\.0\.reward: "):
            Episode.from_line(json.dumps({**ROW, "agent": "\ud800", **wrong}))


@pytest.fixture
def folder(tmp_path):
    with Run.open(tmp_path / "run", SETTINGS) as run:
        run.append("oracle", Episode.from_line(json.dumps(ROW)))
    return tmp_path / "run"


def edit(folder, **changes):
    """Change the manifest; settings with the digest that belongs to them."""
    from acgym.record.manifest import digest_of

    manifest = {**json.loads((folder / MANIFEST).read_text()), **changes}
    if "settings" in changes and "settings_sha256" not in changes:
        manifest["settings_sha256"] = digest_of(changes["settings"])
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["created", "settings", "settings_sha256", "sessions"])
def test_each_field_of_a_manifest_is_of_its_type(name, folder):
    Run.read(folder)
    whole = (folder / MANIFEST).read_text()
    for wrong in WRONG:
        if not (name == "created" and isinstance(wrong, str)) and not (
            name == "settings" and wrong in ({}, {"a": [None]})
        ):
            edit(folder, **{name: wrong})
            with pytest.raises(RecordDamaged, match=r"manifest\.json.*"):
                Run.read(folder)
            (folder / MANIFEST).write_text(whole)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_is_of_its_type(name, folder):
    for wrong in (5.5, "x", None, True, [[5]], {"a": [None]}):
        edit(folder, settings={**SETTINGS, name: wrong})
        with pytest.raises(RecordDamaged, match=rf"settings\.{name}"):
            Run.read(folder)


def test_settings_that_were_changed_are_seen_by_their_digest(folder):
    old = json.loads((folder / MANIFEST).read_text())["settings_sha256"]
    edit(folder, settings={**SETTINGS, "episodes": 2}, settings_sha256=old)
    with pytest.raises(RecordDamaged, match="the settings were changed after they were written"):
        Run.read(folder)


def test_a_setting_that_is_not_there_is_named(folder):
    edit(folder, settings={"episodes": 1})
    with pytest.raises(RecordDamaged, match="has no 'agents' among its settings"):
        Run.read(folder).settings["agents"]


@pytest.mark.parametrize("content", [b"[]", b"5", b"{", b"\xff", b'{"a":' * 99_999, DEEP])
def test_other_files_of_a_run_are_objects(content, folder):
    for agent in (None, "oracle"):
        at = folder if agent is None else Run.read(folder).folder(agent)
        (at / "agent.json").write_bytes(content)
        with pytest.raises(RecordDamaged, match=r"agent\.json is damaged: "):
            Run.read(folder).read_json("agent.json", agent)


@pytest.mark.parametrize("name", [MANIFEST, "oracle/episodes.jsonl", "oracle/agent.json"])
@pytest.mark.parametrize("make", ["link", "broken link", "pipe", "folder"])
def test_only_regular_files_are_read_or_written(name, make, folder, tmp_path):
    """A link is not written through, a pipe is not waited for."""
    file, outside = folder / name, tmp_path / "outside"
    outside.write_bytes(b"of value, without a line end")
    file.unlink(missing_ok=True)
    if make == "pipe":
        os.mkfifo(file)
    elif make == "folder":
        file.mkdir()
    else:
        file.symlink_to(outside if make == "link" else tmp_path / "nothing")

    def touch():
        with Run.open(folder, SETTINGS) as run:
            run.read_json("agent.json", "oracle")
            run.append("oracle", Episode.from_line(json.dumps({**ROW, "seed": 1})))

    with pytest.raises((NotRegular, RecordDamaged), match=r"is a link|is no regular file"):
        touch()
    if name.endswith("jsonl"):
        with pytest.raises(NotRegular):
            read_episodes(file)
    assert outside.read_bytes() == b"of value, without a line end"
    assert not (tmp_path / "nothing").exists()


def test_a_link_that_waits_for_a_temporary_file_is_not_written_through(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"of value")
    (folder / f".x.json.{os.getpid()}.tmp").symlink_to(outside)
    Run.read(folder).write_json("x.json", {"a": 1})
    assert outside.read_bytes() == b"of value"
    assert Run.read(folder).read_json("x.json") == {"a": 1}
