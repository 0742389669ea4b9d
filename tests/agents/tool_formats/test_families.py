"""Every tool format reads what it writes, takes any text without raising, and tells calls from words and thought."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acgym.agents.tool_formats.families import FORMATS, detect, format_named
from acgym.agents.tool_formats.python import python_calls
from acgym.agents.tool_formats.text import OPENERS, without_thought
from acgym.tool_calls import parse_reply, read_calls
from acgym.types import Call

MARKS = [mark for each in FORMATS.values() for mark in each.marks] + ["</think>", "<think>", "```", "[/THINK]"]
NASTY = [
    'a "b"',
    "it's",
    "a\nb",
    "\\",
    "\\u003c",
    "é 𝔘 \u2028",
    "\x00",
    "```\n",
    "call:f{x:1}",
    "f(x=1)",
    "true",
    "{}",
    "#",
]
STRINGS = st.text() | st.sampled_from(MARKS + NASTY) | st.lists(st.sampled_from(MARKS + NASTY), max_size=4).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=6,
)
PLAIN_NAMES = st.sampled_from(["get_weather", "now", "a.b", "from", "class", "print", "x1", "function", "ünï"])
NAMES = PLAIN_NAMES | STRINGS.filter(bool)
CALLS = st.lists(
    st.builds(Call, NAMES, st.dictionaries(NAMES | st.just(""), VALUES, max_size=4)), min_size=1, max_size=3
)
NOISE = st.text(st.sampled_from("<|>[]{}()\"'\\:,=;`_ \n｜▁aef01tools calls")) | st.lists(
    st.sampled_from([*MARKS, *NASTY, "[TOOL_CALLS]f", "[", "{", '"name": "f"', "f(", ")", "function", "```json\n"])
).map("".join)
EACH = pytest.mark.parametrize("name", FORMATS)


@EACH
@given(CALLS.map(tuple))
@settings(max_examples=25)
def test_calls_are_read_back_as_they_were_written(name, calls):
    text = FORMATS[name].write(calls)
    action, found = FORMATS[name].parse(text)
    assert found == calls == read_calls(action)
    assert FORMATS[name].parse(f"<think>{'hm'}</think>\n\n{text}") == (action, calls)


@EACH
@given(st.text() | NOISE, st.booleans())
@settings(max_examples=25)
@example("[" * 19_000, False)
@example("-" * 19_000, False)
@example("[f(x=" + "-" * 19_000 + "1)]", False)
@example("[f(x=" + "(" * 5_000, False)
@example("[f(x=" + "1+" * 9_000 + "1)]", False)
@example("[f" + ".f" * 9_000 + "()]", False)
@example("<start_function_call>call:f" + "{x:" * 6_000, False)
@example('[TOOL_CALLS]f[ARGS]{"x": ' * 500, False)
@example("<tool_call>" * 1_000, True)
def test_any_text_is_read(name, text, opened):
    action, calls = FORMATS[name].parse(text, opened)
    assert calls == read_calls(action) or not calls
    words, again = FORMATS[name].take_apart(text, opened)
    assert again == calls
    assert calls or words == action


@given(st.text() | NOISE)
def test_hermes_reads_as_ever_whatever_has_no_open_thought(text):
    if not any(mark in text for mark in OPENERS):
        assert FORMATS["hermes"].parse(text) == parse_reply(text)


PARIS, NOW = Call("get_weather", {"city": "Paris", "days": 3}), Call("now", {})
BY_HAND = [
    ("hermes", 'Let me see.\n<tool_call>\n{"name": "now"}\n</tool_call>', "Let me see.\n", (NOW,)),
    ("llama", '{"name": "get_weather", "parameters": {"city": "Paris", "days": 3}}', "", (PARIS,)),
    ("llama", 'I look.<|python_tag|>{"name": "now", "parameters": {}}', "I look.", (NOW,)),
    ("llama", '{"type": "function", "name": "now", "parameters": null}', "", (NOW,)),
    ("llama", '{"name": "now"}; {"name": "now"}', "", (NOW, NOW)),
    ("llama", '<|python_start|>{"name": "now"}<|python_end|>', "", (NOW,)),
    ("pythonic", '[get_weather(city="Paris", days=3), now()]', "", (PARIS, NOW)),
    ("pythonic", "<|python_tag|>[get_weather(city='Paris', days=3)]", "", (PARIS,)),
    ("mistral", '[TOOL_CALLS] [{"name": "now", "arguments": {}, "id": "a1b2c3d4e"}]', "", (NOW,)),
    ("mistral", '[TOOL_CALLS][{"name": "now", "arguments": "{}"}]', "", (NOW,)),
    (
        "mistral",
        'So:[TOOL_CALLS]get_weather[ARGS]{"city": "Paris", "days": 3}[TOOL_CALLS]now[ARGS]',
        "So:",
        (PARIS, NOW),
    ),
    ("mistral-args", "[TOOL_CALLS]now[CALL_ID]a1b2c3d4e[ARGS]{}", "", (NOW,)),
    ("mistral-args", "[TOOL_CALLS]now{}", "", (NOW,)),
    ("phi", '<|tool_call|>[{"name": "now", "arguments": {}}]<|/tool_call|>', "", (NOW,)),
    ("phi", 'functools[{"name": "now", "arguments": {}}, {"name": "now"}]', "", (NOW, NOW)),
    ("granite", '<tool_call>[{"name": "now", "arguments": {}}]', "", (NOW,)),
    ("granite", '<function_call> {"name": "now", "arguments": {}}', "", (NOW,)),
    (
        "internlm",
        'I look.<|action_start|><|plugin|>\n{"name": "now", "parameters": {}}<|action_end|>',
        "I look.",
        (NOW,),
    ),
    ("internlm", '<|action_start|><|plugin|>{"name": "now", "parameters": {}}', "", (NOW,)),
    (
        "minicpm",
        "<|thought_start|>\nf(x=1)?\n<|thought_end|>\n<|tool_call_start|>\n```python\n"
        'get_weather(city="Paris",days=3)\nnow()\n```\n<|tool_call_end|>\nThere.',
        "\nThere.",
        (PARIS, NOW),
    ),
    ("minicpm", "<|tool_call_start|>[now()]<|tool_call_end|>", "", (NOW,)),
    (
        "deepseek",
        "hm</think>\nI look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n"
        '{"city": "Paris", "days": 3}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n'
        "```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "I look.\n",
        (PARIS, NOW),
    ),
    ("deepseek", "<｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>", "", (NOW,)),
    ("tool-code", 'Sure.\n```tool_code\nprint(get_weather(city="Paris", days=3))\nnow()\n```', "Sure.\n", (PARIS, NOW)),
    ("tool-code", "[now()]", "", (NOW,)),
    (
        "functiongemma",
        "<start_function_call>call:get_weather{city:<escape>Paris<escape>,days:3}<end_function_call>"
        "<start_function_call>call:now{}<end_function_call>",
        "",
        (PARIS, NOW),
    ),
    ("gemma4", '<|tool_call>call:get_weather{city:<|"|>Paris<|"|>,days:3}<tool_call|>', "", (PARIS,)),
    ("phi", '{"name": "now", "arguments": {}}', "", (NOW,)),
    ("pythonic", "I look.<|python_start|>[now()]<|python_end|>", "I look.", (NOW,)),
    (
        "olmo",
        "I look.\n<function_calls>get_weather(city='Paris', days=3)\nnow()</function_calls>",
        "I look.\n",
        (PARIS, NOW),
    ),
    ("olmo", "<function_calls>\nnow()\n", "", (NOW,)),
    (
        "qwen3-xml",
        "I look.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n3\n"
        "</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call>",
        "I look.\n\n",
        (PARIS, NOW),
    ),
    (
        "qwen3-xml",
        "<function=get_weather><parameter=city>Paris</parameter><parameter=days>3</parameter></function>",
        "",
        (PARIS,),
    ),
    (
        "glm",
        "I look.\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_va"
        "lue>\n<arg_key>days</arg_key>\n"
        "<arg_value>3</arg_value>\n</tool_call>\n<tool_call>now\n</tool_call>",
        "I look.\n\n",
        (PARIS, NOW),
    ),
    (
        "glm",
        "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Paris</arg_value><arg_key>days</arg_"
        "key><arg_value>3</arg_value>",
        "",
        (PARIS,),
    ),
    (
        "harmony",
        "<|channel|>analysis<|message|>Where? now()<|end|><|start|>assistant<|channel|>comm"
        "entary<|message|>I look.<|end|>"
        "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|"
        '>{"city": "Paris", "days": 3}',
        "I look.",
        (PARIS,),
    ),
    ("harmony", " to=functions.now<|channel|>commentary json<|message|>{}<|call|>", "", (NOW,)),
    (
        "cohere",
        '<|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "now", "parameters": {}}\n]<|END_ACTION|>',
        "",
        (NOW,),
    ),
    ("cohere", 'Action: ```json\n[\n    {"tool_name": "now", "parameters": {}}\n]```', "", (NOW,)),
    (
        "nemotron",
        'I look.<TOOLCALL>[{"name": "now", "arguments": {}}, {"name": "now"}]</TOOLCALL>',
        "I look.",
        (NOW, NOW),
    ),
    (
        "hunyuan",
        '<think>\nhm\n</think>\n<answer>\nI look.\n<tool_calls>[{"name": "now", "arguments": {}}]</to'
        "ol_calls>\n</answer>",
        "I look.\n",
        (NOW,),
    ),
    (
        "hunyuan",
        '<tool_calls>\n<tool_call>get_weather\n```json\n{"city": "Paris", "days": 3}\n```\n'
        "</tool_call>\n<tool_call>now\n"
        "```json\n{}\n```\n</tool_call>\n</tool_calls>",
        "",
        (PARIS, NOW),
    ),
    (
        "kimi",
        "I look.<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
        '{"city": "Paris", "days": 3}<|tool_call_end|><|tool_call_begin|>functions.now:1<|tool_call_argument_begin|>{}'
        "<|tool_call_end|><|tool_calls_section_end|>",
        "I look.",
        (PARIS, NOW),
    ),
    ("mistral", '{"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}', "", (NOW,)),
]


@pytest.mark.parametrize(("name", "text", "words", "calls"), BY_HAND, ids=lambda value: str(value)[:30])
def test_replies_worked_by_hand(name, text, words, calls):
    assert FORMATS[name].take_apart(text) == (words, calls)
    assert json.loads(FORMATS[name].parse(text)[0]) in (
        [call.as_json() for call in calls],
        *[call.as_json() for call in calls[:1] if len(calls) == 1],
    )


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("llama", 'I say {"name": "now", "parameters": {}}'),
        ("llama", '{"name": "now", "parameters": []}'),
        ("llama", '{"name": "now", "parameters": {}, "arguments": {}}'),
        ("llama", '{"name": "now", "parameters": {"x": 1e999}}'),
        ("llama", '{"name": "now", "parameters": {"x": NaN}}'),
        ("llama", '{"name": "now"} and {"name": "now"}'),
        ("llama", '{"city": "Paris"}'),
        ("llama", "<|python_tag|>import os"),
        ("mistral", '[TOOL_CALLS][{"name": "now"'),
        ("mistral", '[TOOL_CALLS][{"name": "now"}, {"city": 1}]'),
        ("mistral", "[TOOL_CALLS]now[ARGS][1, 2]"),
        ("mistral", "[TOOL_CALLS]now[ARGS]{"),
        ("mistral", "[TOOL_CALLS]"),
        ("phi", "functools are nice"),
        ("phi", "<|tool_call|>now()"),
        ("internlm", "<|action_start|><|interpreter|>\nprint(1)<|action_end|>"),
        ("internlm", "<|action_start|><|plugin|>\n{}<|action_end|>"),
        ("deepseek", "<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{<｜tool▁call▁end｜>"),
        ("minicpm", "<|tool_call_start|>\n```python\nnow(\n```\n<|tool_call_end|>"),
        ("minicpm", "now()"),
        ("pythonic", 'get_weather(city="Paris")'),
        ("pythonic", '[get_weather("Paris")]'),
        ("pythonic", "[get_weather(city=Paris)]"),
        ("pythonic", "[get_weather(city=f())]"),
        ("pythonic", "[get_weather(city=f'{x}')]"),
        ("pythonic", "[get_weather(city=__import__('os').system('true'))]"),
        ("pythonic", "[now(x=1, x=2)]"),
        ("pythonic", "[now(x=1, **{'x': 2})]"),
        ("pythonic", "[now(**x)]"),
        ("pythonic", "[now(x={1: 2})]"),
        ("pythonic", "[now(x=b'1')]"),
        ("pythonic", "[now(x=1j)]"),
        ("pythonic", "[now(x={1, 2})]"),
        ("pythonic", "[now(x=...)]"),
        ("pythonic", "[now(x=1e999)]"),
        ("pythonic", "[now(), 1]"),
        ("pythonic", "[now() for x in y]"),
        ("pythonic", "[(lambda: 1)()]"),
        ("pythonic", "[]"),
        ("tool-code", "```tool_code\nimport os\nnow()\n```"),
        ("tool-code", "```tool_code\nx = now()\n```"),
        ("functiongemma", "<start_function_call>call:now{x:<escape>1}<end_function_call>"),
        ("functiongemma", "<start_function_call>call:now{x:1,x:2}<end_function_call>"),
        ("functiongemma", "<start_function_call>now()<end_function_call>"),
        ("functiongemma", "<start_function_call>call:now{x 1}<end_function_call>"),
        ("qwen3-xml", "<tool_call>\n<function=now>\n<parameter=x>\n1\n"),
        ("qwen3-xml", "<tool_call>\n<function=now>\n<parameter=x>\n1\n</parameter>"),
        ("qwen3-xml", "<function=now><parameter=x>1</parameter><parameter=x>2</parameter></function>"),
        ("glm", "<tool_call>get_wea"),
        ("glm", "<tool_call>now\n<arg_key>x</arg_key>\n<arg_value>1"),
        ("glm", '<tool_call>{"name": "now"'),
        ("harmony", '<|channel|>commentary to=functions.now <|constrain|>json<|message|>{"x": <|call|>'),
        ("cohere", '<|START_ACTION|>[{"tool_name": "now"'),
        ("nemotron", "<TOOLCALL>now()</TOOLCALL>"),
        ("hunyuan", "<tool_calls>\n<tool_call>now\n```json\n{}\n```"),
        ("olmo", "<function_calls>import os</function_calls>"),
        ("kimi", "<|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{"),
        ("kimi", "<|tool_call_begin|>0<|tool_call_begin|>"),
    ],
)
def test_what_is_no_call_stays_as_it_is(name, broken):
    assert FORMATS[name].parse(broken) == (broken, ())


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        ("f(x=True, y=None, z=false, w=null)", {"x": True, "y": None, "z": False, "w": None}),
        ("f(x=-1, y=+2.5, z=(1, 'a'), w={'a': [1]})", {"x": -1, "y": 2.5, "z": [1, "a"], "w": {"a": [1]}}),
        ("f(from='Paris', class='b', to='from = x')", {"from": "Paris", "class": "b", "to": "from = x"}),
        (r"f(x='\d', y=r'\d', z='a' 'b')", {"x": r"\d", "y": r"\d", "z": "ab"}),
        ("f(\n  x=1,  # one\n)", {"x": 1}),
        ("f(**{'a b': 1}, x=2)", {"a b": 1, "x": 2}),
    ],
)
def test_python_literals(source, arguments):
    assert python_calls(source) == (Call("f", arguments),)


def test_python_is_bounded_in_length_and_depth():
    assert python_calls("f(x=" + "[" * 59 + "]" * 59 + ")") != ()
    assert python_calls("f(x=" + "[" * 60 + "]" * 60 + ")") == ()
    assert python_calls(f"f(x='{'a' * 19_000}')") != ()
    assert python_calls(f"f(x='{'a' * 20_000}')") == ()


def test_thought_is_told_from_words():
    assert without_thought("<think>a</think>\n\nb") == without_thought("a</think>b", opened=True) == "b"
    assert FORMATS["llama"].parse("a</think>b</think>c") == ("b</think>c", ())
    assert FORMATS["cohere"].parse("<|START_THINKING|>a<|END_THINKING|>b") == ("b", ())
    assert FORMATS["llama"].thought("a</think>b") == "a</think>"
    assert without_thought("[THINK]a[/THINK]b") == "b"
    assert without_thought("b [THINK]a[/THINK]") == "b [THINK]a[/THINK]"
    assert without_thought("a", opened=True) == without_thought("<think>a") == ""
    assert without_thought(" a ") == " a "
    call = FORMATS["llama"].write([NOW])  # a mark outside of the call: what stands before it was thought
    assert FORMATS["llama"].parse(f"{call}</think>no") == ("no", ())
    assert FORMATS["llama"].parse(f"maybe {call}", opened=True) == ("", ())


def test_channels_leave_the_words_that_were_meant_for_the_user():
    said = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>It is there."
    assert FORMATS["harmony"].parse(said) == ("It is there.", ())
    assert FORMATS["harmony"].thought(said) == "hm"
    assert FORMATS["hunyuan"].parse("<think>\nhm\n</think>\n<answer>\nIt is there.\n</answer>") == ("It is there.", ())


INSIDE = [
    *MARKS,
    "a </tool_call> b",
    "</tool_calls>",
    "</TOOLCALL>",
    "</function_calls>",
    "```\n",
    "# it's",
    3 * "'",
    3 * '"',
]


@EACH
def test_no_mark_inside_an_argument_ends_a_call_or_is_lost(name):
    """The words reach the environment as the model wrote them; escapes would hide whether a reader looks for marks."""
    for words in INSIDE:
        call = Call("f", {"t": f"a {words} b"})
        text = FORMATS[name].write([call])
        for written, plain in (("\\u003c", "<"), ("\\x3c", "<"), ("\\x60", "`"), ("\\u005b", "[")):
            text = text.replace(written, plain)
        for around in (text, f"{text}\n"):
            assert FORMATS[name].parse(around)[1] == (call,), (words, around)


WEATHER = {
    "function": {
        "name": "f",
        "parameters": {
            "properties": {
                "s": {"type": "string"},
                "n": {"type": "integer"},
                "b": {"type": "boolean"},
                "l": {"type": "array"},
            }
        },
    }
}


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if each.bare])
def test_bare_values_get_their_types_from_the_tool_and_else_from_the_text(name):
    sent = {"s": "42", "n": "42", "b": "True", "l": '["a", 1]', "u": "7", "w": "two words"}
    pairs = {
        "qwen3-xml": [f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in sent.items()],
        "glm": [f"<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n" for key, value in sent.items()],
    }[name]
    head, end = {"qwen3-xml": ("<function=f>\n", "</function>"), "glm": ("f\n", "")}[name]
    text = f"<tool_call>{head}{''.join(pairs)}{end}</tool_call>"
    known = {"s": "42", "n": 42, "b": True, "l": ["a", 1], "u": 7, "w": "two words"}
    assert FORMATS[name].parse(text, tools=[WEATHER])[1] == (Call("f", known),)
    assert FORMATS[name].parse(text)[1] == (Call("f", {**known, "s": 42}),)
    wrong = text.replace(">\n42\n<", ">\nmany\n<").replace(">42<", ">many<")
    assert FORMATS[name].parse(wrong, tools=[WEATHER])[1] == (Call("f", {**known, "s": "many", "n": "many"}),)


def test_a_value_of_a_wrong_type_is_left_to_the_environment():
    for name, each in FORMATS.items():
        call = Call("get_weather", {"city": 7, "days": "three", "extra": [None]})
        assert each.parse(each.write([call]))[1] == (call,), name


def test_formats_are_found_by_name_and_a_typo_gets_a_hint():
    assert format_named("mistral") is FORMATS["mistral"]
    with pytest.raises(ValueError, match=r"unknown tool format 'mistrall'; did you mean 'mistral'.*Known: .*hermes"):
        format_named("mistrall")


def test_formats_are_told_by_signs_in_the_template_then_by_tokens():
    assert detect("{{ '[TOOL_CALLS]' }}").name == "mistral"
    assert detect("{{ '[TOOL_CALLS]' + name + '[ARGS]' }}").name == "mistral-args"
    assert detect("{{ messages }}", ["<s>", "[TOOL_CALLS]"]).name == "mistral"
    assert detect("{{ messages }}", ["[ARGS]", "[TOOL_CALLS]"]).name == "mistral-args"
    assert detect("{{ messages }}", ["<s>"]) is None
