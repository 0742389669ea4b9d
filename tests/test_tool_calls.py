"""Tool calls: canonical JSON and Hermes blocks, there and back; nothing a model writes raises."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acgym.tool_calls import parse_reply, read_calls, render_hermes
from acgym.types import Call, calls_to_action

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(), JSON_VALUES | st.sampled_from(["</tool_call>", "<tool_call>", "</think>"]))
CALLS = st.lists(st.builds(Call, st.text(min_size=1), ARGUMENTS), min_size=1, max_size=3).map(tuple)


@given(CALLS)
def test_calls_survive_canonical_json_and_hermes(calls):
    action = calls_to_action(calls)
    assert read_calls(action) == calls
    assert parse_reply(render_hermes(action)) == (action, calls)
    assert parse_reply("I will call a tool.\n" + render_hermes(action)) == (action, calls)


@given(st.text() | st.text(st.sampled_from('<>/_tool_calhink{}[]":,name arguments\\u00')))
@example("<tool_call>{")
@example("<tool_call></tool_call>")
@example("[" * 5000)
@example('{"name": "x", "arguments": {"x": ' + "9" * 5000 + "}}")
@example('{"name": "\ud800"}')
def test_any_text_is_read(text):
    action, calls = parse_reply(text)
    assert calls == read_calls(action)
    assert isinstance(render_hermes(text), str)


@given(st.text().filter(lambda text: "<" not in text and text.lstrip()[:1] not in ("{", "[")))
def test_words_without_a_call_are_the_action(text):
    assert parse_reply(text) == (text, ())
    assert render_hermes(text) == text


def test_hermes_worked_by_hand():
    text = '<tool_call>\n{"name": "find", "arguments": {"x": "é"}}\n</tool_call>'
    assert render_hermes('{"name":"find","arguments":{"x":"é"}}') == text
    assert parse_reply(text) == ('{"name": "find", "arguments": {"x": "é"}}', (Call("find", {"x": "é"}),))


def test_several_calls_become_a_list():
    two = '<tool_call>{"name": "a"}</tool_call> and <tool_call>{"name": "b", "arguments": null}</tool_call>'
    action, calls = parse_reply(two)
    assert json.loads(action) == [{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]
    assert calls == (Call("a", {}), Call("b", {}))


@pytest.mark.parametrize(
    "broken",
    [
        '<tool_call>{"name": "a"</tool_call>',
        '<tool_call>{"name": "a"}</tool_call><tool_call>{"name": </tool_call>',
        '<tool_call>{"name": ""}</tool_call>',
        '<tool_call>{"name": "a", "arguments": []}</tool_call>',
        '<tool_call>{"name": "a", "arguments": {"x": NaN}}</tool_call>',
        '<tool_call>{"name": "a", "arguments": {"x": 1e999}}</tool_call>',
        '<tool_call>{"name": "a", "note": 1}</tool_call>',
        '<tool_call>{"name": "a", "arguments": {}, "parameters": {}}</tool_call>',
        '<tool_call>{"name": "a", "arguments": "x"}</tool_call>',
        '<tool_call>{"name": "a"} and more</tool_call>',
        "<tool_call>a()</tool_call>",
        "<tool_call>",
        '{"name": "a"',
        '[{"name": "a"}, 1]',
        "[]",
        "[1]",
        '{"name": "a"} and more',
    ],
)
def test_a_broken_call_stays_as_it_is(broken):
    assert parse_reply(broken) == (broken, ())


def test_the_last_closing_tag_may_be_missing():
    assert parse_reply('<tool_call>{"name": "a"}') == ('{"name": "a", "arguments": {}}', (Call("a", {}),))


def test_thought_is_no_part_of_the_action():
    call = '<tool_call>{"name": "a"}</tool_call>'
    assert parse_reply(f"<think>maybe {call}?</think>\n\nyes") == ("yes", ())
    assert parse_reply(f"hm</think>{call}")[1] == (Call("a", {}),)


@pytest.mark.parametrize(
    "said",
    [
        {"name": "a", "arguments": {"x": 1}},
        {"name": "a", "parameters": {"x": 1}},
        {"tool_name": "a", "parameters": {"x": 1}, "tool_call_id": "0"},
        {"name": "a", "arguments": '{"x": 1}', "id": 1, "type": "function", "index": 0},
        {"function": {"name": "a", "arguments": {"x": 1}}, "type": "function"},
        [{"name": "a", "parameters": '{"x": 1}'}],
    ],
)
def test_hermes_is_as_tolerant_as_the_other_families_where_it_used_to_read_one_spelling_alone(said):
    """What every other family's reader took was no call here, so a model lost it for the format's sake."""
    for text in (f"<tool_call>{json.dumps(said)}</tool_call>", json.dumps(said)):
        assert parse_reply(text)[1] == (Call("a", {"x": 1}),)


def test_what_an_environment_reads_is_canonical_alone():
    assert read_calls('{"name": "a", "parameters": {"x": 1}}') == ()


@pytest.mark.parametrize("words", ["a </tool_call> b", "<tool_call>", "</think>", "<think>", "</tool_call></think>"])
def test_marks_inside_an_argument_are_part_of_it(words):
    call = json.dumps({"name": "a", "arguments": {"t": words}})
    assert parse_reply(f"So: <tool_call>{call}</tool_call> done")[1] == (Call("a", {"t": words}),)
    assert parse_reply(f"<tool_call>{call}")[1] == parse_reply(call)[1] == (Call("a", {"t": words}),)


def test_a_thought_ends_where_its_mark_stands_outside_of_a_call():
    call = '<tool_call>{"name": "a", "arguments": {"t": "</think>"}}</tool_call>'
    assert parse_reply(f"hm</think>{call}")[1] == (Call("a", {"t": "</think>"}),)
    assert parse_reply("I would write <tool_call>.</think>yes") == ("yes", ())
