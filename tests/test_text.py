"""The text space, quoting, and reading JSON that a model wrote."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acgym.space import Utf8
from acgym.text import MAX_ACTION_CHARS, MAX_JSON_DEPTH, NotJson, excerpt, read_json

ROOT = Path(__file__).resolve().parent.parent
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
"""All code points, surrogates included."""
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(ANY_TEXT)
@example("\ud800")
@example("")
def test_the_space_holds_what_utf8_can_carry(text):
    surrogates = any("\ud800" <= c <= "\udfff" for c in text)
    assert (text in Utf8(10**6)) is not surrogates


@pytest.mark.parametrize(("text", "inside"), [("", True), ("abc", True), ("abcd", False), ("éé\x00", True)])
def test_the_space_counts_characters(text, inside):
    assert (text in Utf8(3)) is inside


@pytest.mark.parametrize("thing", [None, 1, b"a", ["a"], np.str_("a").encode()])
def test_only_text_is_in_the_space(thing):
    assert thing not in Utf8()


def test_text_of_numpy_is_text():
    assert np.str_("a") in Utf8()


@given(st.integers(0, 2**32 - 1), st.integers(1, 70))
def test_samples_lie_in_the_space_and_follow_the_seed(seed, length):
    one, other = Utf8(length, seed=seed), Utf8(length)
    other.seed(seed)
    samples = [one.sample() for _ in range(5)]
    assert samples == [other.sample() for _ in range(5)]
    assert all(sample in one and 1 <= len(sample) <= min(62, length) for sample in samples)


def test_samples_reach_every_length_and_every_width():
    space = Utf8(seed=0)
    samples = [space.sample() for _ in range(5000)]
    assert {len(sample) for sample in samples} == set(range(1, 63))
    characters = set("".join(samples))
    assert len(characters) == 256
    assert {len(c.encode()) for c in characters} == {1, 2, 3, 4}
    assert {"\x00", "\n", "\x1b", '"', "{", "é"} <= characters


def test_samples_are_equal_under_every_hash_seed():
    code = "from acgym.space import Utf8; s = Utf8(seed=3); print(ascii([s.sample() for _ in range(20)]))"
    said = {
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True).stdout
        for seed in "012"
    }
    space = Utf8(seed=3)
    assert said == {ascii([space.sample() for _ in range(20)]).encode() + b"\n"}


def test_a_space_is_a_value():
    assert Utf8(5) == Utf8(5, seed=1)
    assert Utf8(5) != Utf8(6)
    assert Utf8(5) != 5
    assert repr(Utf8(5)) == "Utf8(max_length=5)"
    assert Utf8().max_length == MAX_ACTION_CHARS
    assert Utf8().is_np_flattenable is False
    copy = pickle.loads(pickle.dumps(Utf8(5, seed=2)))
    assert copy == Utf8(5)
    assert copy.sample() == Utf8(5, seed=2).sample()


def test_a_space_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="max_length must be at least 1 character, got 0"):
        Utf8(0)
    for arguments in ({"mask": 1}, {"probability": 1}):
        with pytest.raises(ValueError, match="cannot sample with a mask or a probability"):
            Utf8().sample(**arguments)


@given(st.lists(st.text()))
def test_samples_survive_json(texts):
    space = Utf8()
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(texts)))) == texts


@given(ANY_TEXT, st.integers(1, 80))
def test_a_quote_is_short_printable_ascii_on_one_line(text, limit):
    quote = excerpt(text, limit)
    assert quote.isascii()
    assert quote.isprintable()
    assert len(quote) <= 10 * limit + 5
    assert quote.endswith("...") == (len(text) > limit) or text.endswith("...")


@pytest.mark.parametrize(
    ("text", "quote"),
    [("", '""'), ("a b", '"a b"'), ("a\nb\x00", '"a\\x0ab\\x00"'), ("é€", '"\\xe9\\u20ac"'), ("abcd", '"abc"...')],
)
def test_quotes_worked_by_hand(text, quote):
    assert excerpt(text, 3 if text == "abcd" else 60) == quote


@given(JSON_VALUES)
def test_json_comes_back(value):
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}")])
def test_depth_is_bounded_wherever_the_caller_stands(opening, closing):
    allowed, deeper = (opening * n + "1" + closing * n for n in (MAX_JSON_DEPTH, MAX_JSON_DEPTH + 1))
    assert read_json(allowed) == json.loads(allowed)
    assert refusal(deeper) == "it is nested too deeply"

    def stand_lower(frames: int) -> str | None:
        return stand_lower(frames - 1) if frames else refusal(deeper)

    assert stand_lower(sys.getrecursionlimit() // 2) == "it is nested too deeply"


@given(st.lists(st.text(st.sampled_from('[]{}"\\,:x'), max_size=30), max_size=40))
def test_brackets_in_strings_and_side_by_side_are_no_depth(texts):
    value = [{"k": ["[" * 200, text]} for text in texts]
    assert read_json(json.dumps(value)) == value


@given(ANY_TEXT | st.text(st.sampled_from('{}[]",:0123456789.eE+-truefalsnINity \\u')))
@example("[" * 100_000)
@example('{"a":' * 100_000)
@example("9" * 5000)
@example("-Infinity")
@example('"\\ud800"')
def test_any_text_is_json_or_is_refused_with_a_reason(text):
    reason = refusal(text)
    assert reason is None or 0 < len(reason) <= 80


def refusal(text: str) -> str | None:
    try:
        read_json(text)
    except NotJson as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "it is nested too deeply"),
        ("NaN", "NaN is not a JSON value"),
        ("[-Infinity]", "-Infinity is not a JSON value"),
        ("[1e999]", "1e999 is beyond the largest number"),
        ("", "Expecting value"),
        ("1 2", "Extra data"),
    ],
)
def test_reasons_worked_by_hand(text, reason):
    with pytest.raises(NotJson) as caught:
        read_json(text)
    assert str(caught.value) == reason
