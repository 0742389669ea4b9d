"""The same comparison along an argument."""

from __future__ import annotations

import json
from functools import partial

import pytest

from acgym.experiment.settings import prepare
from acgym.experiment.vary import prepare_varied, read_vary, run_varied
from acgym.record.run import Run

ENV = "ACB/Needle-v0"


def varied(text="level=1,2", agents=("oracle", "silent"), episodes=6, kwargs=None, level=None, **more):
    make = partial(prepare, list(agents), [ENV], episodes=episodes, **more)
    return prepare_varied(text, lambda dose, given: make(level=dose, kwargs=given), kwargs or {}, level)


def test_values_are_json_or_text():
    assert read_vary("n_tools=5,10") == ("n_tools", [5, 10])
    assert read_vary(" mode = a, 2.5,true") == ("mode", ["a", 2.5, True])
    for bad in ("level", "level=", "level=1", "=1,2", "level=1,,2", "level=1,1"):
        with pytest.raises(ValueError, match="--vary"):
            read_vary(bad)


def test_what_cannot_be_is_refused_before_anything_is_played():
    for text, more, words in [
        ("level=1,9", {}, "level"),
        ("level=1,x", {}, "whole number"),
        ("leve=1,2", {}, "did you mean"),
        ("level=1,2", {"level": 3}, "given twice"),
        ("length=500,900", {"kwargs": {"length": 700}}, "given twice"),
        ("level=1,2", {"until": 0.1}, "--until"),
    ]:
        with pytest.raises(ValueError, match=words):
            varied(text, **more)


def test_every_value_has_a_run_and_the_same_command_goes_on(tmp_path):
    asked = varied()
    found = run_varied(asked, tmp_path / "v", margin=0.1)
    assert [curve.agent for curve in found.curves] == ["oracle", "silent"]
    assert [dose.success for dose in found.curves[0].doses] == [1.0, 1.0]
    assert [dose.difference for dose in found.curves[1].doses] == [-1.0, -1.0]
    assert json.loads((tmp_path / "v" / "curve.json").read_text()) == found.to_json()
    folder = tmp_path / "v" / found.folders[1]
    assert {e.kwargs["level"] for e in Run.read(folder).episodes("silent")} == {2}
    assert json.loads((folder / "comparison.json").read_text())["margin"] == 0.1
    kept = (folder / "silent" / "episodes.jsonl").read_bytes()
    lines = (folder / "oracle" / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "oracle" / "episodes.jsonl").write_bytes(b"".join(lines[:3]))  # interrupted
    again = run_varied(varied(), tmp_path / "v", margin=0.1)
    assert again == found
    assert (folder / "silent" / "episodes.jsonl").read_bytes() == kept
