"""Calls against gold answers: each rule by a case worked by hand, and texts and types that must not raise."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.scorers.bfcl import TYPES, ast_match, match, match_value
from acgym.scorers.code_literals import read_java, read_javascript
from acgym.types import Call

STRING, INTEGER, FLOAT = {"type": "string"}, {"type": "integer"}, {"type": "float"}
STRINGS, FLOATS = {"type": "array", "items": STRING}, {"type": "array", "items": FLOAT}
DICT, DICTS = {"type": "dict"}, {"type": "array", "items": {"type": "dict"}}
POINT = {"x": [1, 2], "name": ["A b", ""]}

VALUES = [
    # Texts: case, spaces and ,./-_*^ do not count, quotes are all alike.
    ("April 1, 2024", STRING, ["april 1 2024"], None),
    ("it's", STRING, ['it"s'], None),
    ("april!", STRING, ["april"], "wrong_value"),
    (5, STRING, ["5"], "wrong_type"),
    # A text where none of the right values is one is a variable, and is compared to the letter.
    ("x", INTEGER, ["x"], None),
    ("X", INTEGER, ["x"], "wrong_value"),
    # Whole numbers stand for floats, not the other way round; true is no integer.
    (5, FLOAT, [5.0], None),
    (5.0, INTEGER, [5], "wrong_type"),
    (True, INTEGER, [1], "wrong_type"),
    (True, {"type": "boolean"}, [True], None),
    # Lists: in order, texts as above; items are not converted.
    (["a", "B"], STRINGS, [["A", "b"]], None),
    (["b", "a"], STRINGS, [["a", "b"]], "wrong_value"),
    (["a", 1], STRINGS, [["a", "b"]], "wrong_type"),
    ([1, 2], FLOATS, [[1.0, 2.0]], "wrong_type"),
    ([1, 2], FLOATS, [[1, 2]], None),
    ([], STRINGS, ["", ["a"]], None),
    ("a", STRINGS, [["a"]], "wrong_type"),
    # Objects: each key has its right values, and may be left out where an empty text is among them.
    ({"x": 1, "name": "a B"}, DICT, [POINT], None),
    ({"x": 2}, DICT, [POINT], None),
    ({"name": "a b"}, DICT, [POINT], "wrong_value"),
    ({"x": 1, "y": 1}, DICT, [POINT], "wrong_value"),
    ({"x": 3}, DICT, [POINT, {"x": [3]}], None),
    ([{"x": 1}, {"x": 2}], DICTS, [[POINT, POINT]], None),
    ([{"x": 1}], DICTS, [[POINT, POINT]], "wrong_value"),
    (None, STRING, ["a"], "wrong_type"),
]


@pytest.mark.parametrize(("value", "described", "right", "fault"), VALUES)
def test_a_value_is_compared_as_the_leaderboard_does(value, described, right, fault):
    assert match_value(value, described, right, "python") == fault


JAVA = [
    ("5", "integer", None, 5),
    ("5", "long", None, "5"),
    ("5L", "long", None, 5),
    ("5", "float", None, "5"),
    ("-5.5e2f", "float", None, -550.0),
    ("5.5", "double", None, 5.5),
    ("true", "boolean", None, True),
    ("True", "boolean", None, "True"),
    ("anything", "any", None, "anything"),
    ("new int[]{1, 2}", "Array", "integer", [1, 2]),
    ("new int[2]", "Array", "integer", "new int[2]"),
    ('new ArrayList<>(Arrays.asList("a", "b"))', "ArrayList", "String", ["a", "b"]),
    ("new ArrayList<Long>() {{ add(1L); add(2L); }}", "ArrayList", "long", [1, 2]),
    ("new ArrayList<>()", "ArrayList", "String", []),
    ("Arrays.asList(1)", "ArrayList", "integer", "Arrays.asList(1)"),
    ('new HashMap<String, Object>() {{ put("a", 1); put("b", "x"); put("c", 2L); }}', "HashMap", None,
     {"a": 1, "b": "x", "c": 2}),
    ("new HashMap<>()", "HashMap", None, {}),
    ("map", "HashMap", None, "map"),
]  # fmt: skip
JAVASCRIPT = [
    ('"a"', "String", None, "a"),
    ("'a'", "String", None, "a"),
    ("a", "String", None, "a"),
    ("5", "integer", None, 5),
    ("5n", "Bigint", None, 5),
    ("5", "Bigint", None, "5"),
    ("5", "float", None, 5.0),
    ("1e3", "float", None, "1e3"),
    ("false", "Boolean", None, False),
    ("[1, 2]", "array", "integer", [1, 2]),
    ("['a', \"b\"]", "array", "String", ["a", "b"]),
    ("new Array(1, 2)", "array", None, [1, 2]),
    ("[[1, 2], [3, 'x']]", "array", None, [[1, 2], [3, "x"]]),
    ("[]", "array", "String", []),
    ("list", "array", "String", "list"),
    ("{a: 1, 'b': true}", "dict", None, {"a": 1, "b": True}),
    ("{a: [1, 2], b: 'x'}", "dict", None, {"a": [1, 2], "b": "x"}),
    ("{}", "dict", None, {}),
    ("options", "dict", None, "options"),
]


@pytest.mark.parametrize(("text", "named", "items", "value"), JAVA)
def test_java_literals_are_read(text, named, items, value):
    found = read_java(text, named, items)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("text", "named", "items", "value"), JAVASCRIPT)
def test_javascript_literals_are_read(text, named, items, value):
    found = read_javascript(text, named, items)
    assert (found, type(found)) == (value, type(value))


LETTERS = "[]{}(),:\"' \nabtruefalse05.nLfewArrayList<>add.asHMp"


@given(st.text(alphabet=LETTERS, max_size=80), st.sampled_from(["", "new Array(", "["]))
def test_no_text_makes_a_reader_raise(text, head):
    for named in TYPES["java"]:
        read_java(head + text, named, "integer")
        read_java(head + text, named, None)
    for named in TYPES["javascript"]:
        read_javascript(head + text, named, "float")
        read_javascript(head + text, named, None)


F = {"name": "a.f", "parameters": {"type": "dict", "properties": {"x": INTEGER, "y": STRING}, "required": ["x"]}}
G = {"name": "g", "parameters": {"type": "dict", "properties": {}, "required": []}}
GOLD = [{"a.f": {"x": [1], "y": ["a", ""]}}]


def kind(calls, functions=(F, G), gold=GOLD, asked="multiple"):
    fault = match([Call(*call) for call in calls], functions, gold, asked)
    return None if fault is None else fault.kind


def test_a_call_is_compared_as_the_leaderboard_does():
    assert kind([("a.f", {"x": 1})]) is None
    assert kind([("a_f", {"x": 1, "y": "A"})]) is None
    assert kind([("g", {})]) == "wrong_function"
    assert kind([("a.f", {"y": "a"})]) == "missing_parameter"
    assert kind([("a.f", {"x": 1, "z": 1})]) == "unexpected_parameter"
    assert kind([]) == "wrong_count"
    assert kind([("a.f", {"x": 1})], gold=[{"a.f": {"x": [1], "y": ["a"]}}]) == "missing_parameter"


def test_parallel_calls_take_the_first_that_fits():
    two = [{"a.f": {"x": [1, 2]}}, {"a.f": {"x": [1]}}]
    assert kind([("a.f", {"x": 2}), ("a.f", {"x": 1})], gold=two, asked="parallel") is None
    # The first gold call takes the first call that fits, though the second one could have done without it.
    assert kind([("a.f", {"x": 1}), ("a.f", {"x": 2})], gold=two, asked="parallel") == "wrong_value"
    both = [{"g": {}}, {"a.f": {"x": [1]}}]
    assert kind([("a.f", {"x": 1}), ("g", {})], gold=both, asked="parallel") is None
    assert kind([("a.f", {"x": 1}), ("a.f", {"x": 1})], gold=both, asked="parallel") == "wrong_function"
    assert kind([("g", {}), ("a.f", {"x": 3})], gold=both, asked="parallel") == "wrong_value"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from([one[1] for one in VALUES]), st.sampled_from([one[2] for one in VALUES]))
def test_no_value_makes_the_comparison_raise(value, described, right):
    assert match_value(value, described, right, "python") in (None, "wrong_type", "wrong_value")


def test_a_reply_is_read_as_calls_and_scored():
    said = '{"name": "a.f", "arguments": {"x": 1}}'
    assert ast_match(said, GOLD, [F, G]) == 1.0
    assert ast_match(f"<tool_call>{said}</tool_call>", GOLD, [F, G]) == 1.0
    assert ast_match([Call("a.f", {"x": 2})], GOLD, [F, G]) == 0.0
    assert ast_match("", GOLD, [F, G]) == 0.0
    both = [{"g": {}}, {"a.f": {"x": [1]}}]
    assert ast_match(f'[{said}, {{"name": "g"}}]', both, [F, G], kind="parallel") == 1.0
    with pytest.raises(ValueError, match="kind must be one of single, multiple, parallel"):
        ast_match(said, GOLD, [F, G], kind="some")


@given(st.text(max_size=60) | JSON.map(json.dumps), st.sampled_from(["", "<tool_call>", "{"]))
def test_no_reply_raises_and_the_score_is_0_or_1(text, head):
    assert ast_match(head + text, GOLD, [F, G]) in (0.0, 1.0)


@given(st.sampled_from(["f", "a.b", "with_many_words"]), st.sampled_from(["x", "other"]), st.integers(0, 2))
def test_names_are_only_names(function, parameter, value):
    renamed = {
        "name": function,
        "parameters": {"type": "dict", "properties": {parameter: INTEGER}, "required": [parameter]},
    }
    said = json.dumps({"name": function, "arguments": {parameter: value}})
    assert ast_match(said, [{function: {parameter: [1]}}], [renamed], kind="single") == float(value == 1)


def test_a_long_reply_takes_time_in_proportion():
    calls = [Call("a.f", {"x": 2})] * 20_000
    assert ast_match(calls, GOLD * 2, [F, G], kind="parallel") == 0.0
