"""A reader's time grows with the text, not with its square: one hostile reply must not hold up an episode.

Measured in processor time, best of a few runs, at one length and at eight times that length. A linear reader needs
eight times as long, a quadratic one 64 times; the bound lies between, and what takes a few milliseconds is not judged.
"""

from __future__ import annotations

import time

import pytest

from acgym.agents.remote.wire import read_reply
from acgym.agents.tool_formats.chat import ToolSyntax
from acgym.agents.tool_formats.families import FORMATS
from acgym.text import NotJson, excerpt, json_at, printable, read_json
from acgym.tool_calls import parse_reply, read_calls, render_hermes, shared_out

SHORT, LONG = 2_500, 20_000
MOST = 24.0
UNJUDGED = 0.006  # seconds
RUNS = 3

PIECES = [
    " ",
    "\n",
    "a",
    "a ",
    '"',
    "'",
    '\\"',
    '"\\"',
    "`",
    "``` ",
    "```python\n",
    "```tool_code\nf(x='",
    "<",
    "[",
    "{",
    "}{",
    '{"',
    "[{",
    "(",
    "f(",
    "from ",
    "x=",
    "#'",
    "<think>",
    "</think>",
    "</think><tool_call>",
    '<tool_call>{"name": "f", "arguments": {"x": "</think>"}}</tool_call>',
    '{"name": "f"}; ',
    "[f()]",
    "functools",
    "functools[",
    "call:f{",
    "<start_function_call>call:f{x:1}",
    "<|tool_call>call:f{x:",
    "<function=f>",
    "<function=f><parameter=x>",
    "<parameter=x>\n1\n</parameter>\n",
    "<function=f>\n</function>",
    "<arg_key>x</arg_key>",
    "<arg_key>",
    "</arg_key>",
    "<tool_call>f<arg_key>x</arg_key><arg_value>1</arg_value>",
    "<tool_calls>",
    "<tool_calls>[",
    "<tool_call>f\n```json\n{}\n```\n</tool_call>",
    '<tool_calls>[{"name": "f"}]</tool_calls>',
    "<|message|>",
    "<|channel|>final<|message|>a",
    "<|channel|>commentary to=functions.f<|message|>{}<|call|>",
    "to=",
    "<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}",
    "<|tool_call_begin|>functions.f ",
    "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f ```json",
    "<｜tool▁call▁begin｜> ",
    "[TOOL_CALLS]f[ARGS]{}",
    "[TOOL_CALLS]f [CALL_ID] ",
    "Action: ",
]
"""What a hostile text repeats."""
HEADS = {
    "functiongemma": ["<start_function_call>call:f{x", "<start_function_call>call:f{x:", "<start_function_call>call:f"],
    "gemma4": ["<|tool_call>call:f{x:", "<|tool_call>call:f{x", "<|tool_call>call:f{"],
    "deepseek": ["<｜tool▁call▁begin｜>function<｜tool▁sep｜>", "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{"],
    "internlm": ["<|action_start|><|plugin|>{"],
    "minicpm": ["<|tool_call_start|>f(x=", "<|tool_call_start|>\n```python\n"],
    "mistral": ["[TOOL_CALLS]f", "[TOOL_CALLS][{"],
    "mistral-args": ["[TOOL_CALLS]f[ARGS]{"],
    "phi": ["<|tool_call|>[{"],
    "pythonic": ["[f(x=", "<|python_start|>[f(x="],
    "tool-code": ["```tool_code\n", "```tool_code\nf(x="],
    "kimi": ["<|tool_call_begin|>functions.f", "<|tool_call_begin|>f<|tool_call_argument_begin|>{"],
    "harmony": ["<|channel|>commentary to=functions.f<|message|>", "<|channel|>final<|message|>"],
    "nemotron": ["<TOOLCALL>[{"],
    "hunyuan": ["<tool_calls><tool_call>f", "<answer>"],
    "olmo": ["<function_calls>", "<function_calls>f(x="],
    "qwen3-xml": ["<function=f>\n<parameter=x>\n", "<function=f>\n<parameter=", "<function="],
    "glm": ["<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>", "<tool_call>f\n<arg_key>", "<tool_call>f"],
    "hermes": ['<tool_call>{"name": "', '<tool_call>{"name": "f"}'],
    "llama": ['{"name": "f"}'],
}
"""What stands before it, once."""


def growth(read, head, piece):
    """How many times as long eight times the text takes; 0 where that is too short to be judged."""
    best = []
    for length in (LONG, SHORT):
        text = (head + piece * (length // len(piece) + 1))[:length]
        taken = []
        for _ in range(RUNS):
            start = time.process_time()
            read(text)
            taken.append(time.process_time() - start)
            if taken[-1] < UNJUDGED and not best:
                return 0.0
        best.append(min(taken))
    return best[0] / best[1] if best[1] else 0.0


def worst(read, heads=("",)):
    """The worst growth over all texts of these beginnings, and its text."""
    return max((growth(read, head, piece), head, piece) for head in heads for piece in PIECES)


@pytest.mark.parametrize(
    "name", [n if n in ("hermes", "llama", "mistral") else pytest.param(n, marks=pytest.mark.slow) for n in FORMATS]
)
def test_every_reader_takes_time_in_proportion_to_the_text(name):
    syntax = ToolSyntax(FORMATS[name])
    ratio, *text = worst(syntax.parse, ["", *FORMATS[name].marks[:2], *HEADS.get(name, ())])
    assert ratio < MOST, text


def refused_json(text):
    """Read what is no JSON."""
    with pytest.raises(NotJson):
        read_json("[" + text)


READERS = {
    "parse_reply": parse_reply,
    "read_calls": read_calls,
    "read_json": refused_json,
    "json_at": lambda text: json_at(text, 0),
    "render_hermes": render_hermes,
    "shared_out": lambda text: shared_out(text, 2),
    "excerpt": excerpt,
    "printable": printable,
    "read_reply": lambda text: read_reply({"choices": [{"message": {"content": text}}]}),
}


@pytest.mark.parametrize("name", READERS)
def test_so_does_what_they_share(name):
    ratio, *text = worst(READERS[name], ("", "{", '{"name": "f", "arguments": "'))
    assert ratio < MOST, text


def test_a_quadratic_reader_would_be_found():
    import re

    lazy = re.compile(r"\s*([^\s:][^:]*?)\s*:")
    assert growth(lambda text: lazy.match(text), "a", " ") > MOST
