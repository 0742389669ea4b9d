"""JSON to dataclasses and back: nothing is lost, and what does not fit is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest

from acgym.typed import Written, from_json, to_json


@dataclass(frozen=True)
class Inner(Written):
    kind: Literal["a", "b"] = field(metadata={"json": "class"})
    share: float | None = None


@dataclass(frozen=True)
class Gone(Written):
    reason: str


@dataclass(frozen=True)
class Outer(Written):
    omit_none: ClassVar[bool] = True
    name: str
    rows: tuple[Inner, ...]
    either: Mapping[str, Gone | Inner]
    count: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


ROW = {"name": "x", "rows": [{"class": "a", "share": 1}], "either": {"e": {"reason": "no"}, "f": {"class": "b",
       "share": None}}, "count": 3, "unknown": {"kept": [1]}, "other": None}  # fmt: skip


def test_nothing_is_lost_on_the_way():
    read = from_json(Outer, ROW)
    assert read.rows[0] == Inner("a", 1)
    assert isinstance(read.either["e"], Gone)
    assert read.more == {"unknown": {"kept": [1]}, "other": None}
    assert read.to_json() == to_json(read) == ROW
    null = {**ROW, "count": None}
    assert from_json(Outer, null).count is None
    assert from_json(Outer, null).to_json() == null
    assert "count" not in from_json(Outer, {k: v for k, v in ROW.items() if k != "count"}).to_json()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 5}, "f.json.name must be text, got 5"),
        ({"rows": {}}, "f.json.rows must be a list"),
        ({"rows": [{"class": "c"}]}, r"f.json.rows\[0\].class must be one of a, b, got 'c'"),
        ({"rows": [{"class": "a", "share": "1"}]}, r"f.json.rows\[0\].share must be a number"),
        ({"rows": [{"class": "a", "share": True}]}, r"f.json.rows\[0\].share must be a number"),
        ({"rows": [{}]}, r"f.json.rows\[0\] has no 'class'; it has nothing"),
        ({"either": {"e": 3}}, "f.json.either.e must be an object"),
        ({"count": 1.5}, "f.json.count must be a whole number"),
        ({"either": []}, "f.json.either must be an object"),
    ],
)
def test_what_does_not_fit_is_named(change, said):
    with pytest.raises(ValueError, match=said):
        from_json(Outer, {**ROW, **change}, "f.json")
    with pytest.raises(ValueError, match=r"f.json must be an object, got \[\]"):
        from_json(Outer, [], "f.json")
