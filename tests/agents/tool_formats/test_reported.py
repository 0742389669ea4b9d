"""What users of neighbouring tools reported of tool calls, by repository and number of the issue or pull request.

The inputs are written here after the reports. ``#`` numbers are those of GitHub; a row says what was reported and what
the reader of that family makes of it now. Other cases stand in test_families.py.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from acgym.agents.tool_formats.families import FORMATS, detect
from acgym.types import Call
from tests.helpers.tool_families import FOLDER

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "log_event",
            "parameters": {
                "type": "object",
                "properties": {"day": {"type": "integer"}, "note": {"type": "string"}},
            },
        },
    }
]


class Report(NamedTuple):
    """A public report, and what is expected."""

    repository: str
    number: int
    reported: str
    format: str
    said: str
    calls: tuple[Call, ...]
    words: str | None = None
    """The words beside the calls; None where they do not matter."""


REPORTS = [
    Report(
        "vllm-project/vllm",
        45167,
        "a closing tag inside a JSON string drops the call",
        "hermes",
        '<tool_call>\n{"name": "note", "arguments": {"body": "ends with </tool_call> here"}}\n</tool_call>',
        (Call("note", {"body": "ends with </tool_call> here"}),),
        "",
    ),
    Report(
        "jundot/omlx",
        2507,
        "a closing tag inside an argument drops the call, in the tagged form too",
        "qwen3-xml",
        "<tool_call>\n<function=note>\n<parameter=body>\ntext with </tool_call> inside\n</parameter>"
        "\n</function>\n</tool_call>",
        (Call("note", {"body": "text with </tool_call> inside"}),),
        "",
    ),
    Report(
        "ollama/ollama",
        16075,
        "a closing mark inside an argument ends the call early",
        "gemma4",
        '<|tool_call>call:note{body:<|"|>say <tool_call|> twice<|"|>,more:[<|"|><tool_call|><|"|>]}<tool_call|>',
        (Call("note", {"body": "say <tool_call|> twice", "more": ["<tool_call|>"]}),),
        "",
    ),
    Report(
        "vllm-project/vllm",
        28806,
        "a call of a tool without parameters loses its empty arguments",
        "hermes",
        '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>',
        (Call("now", {}),),
    ),
    Report(
        "vllm-project/vllm",
        32213,
        "a call without arguments raises a TypeError",
        "glm",
        "<tool_call>get_current_time</tool_call>",
        (Call("get_current_time", {}),),
    ),
    Report(
        "vllm-project/vllm",
        54971,
        "stray tags leak into an argument's key",
        "glm",
        "<tool_call>list_dir\n<arg_key>path</arg_key></arg_key><arg_value>notes/x</arg_value>\n</tool_call>",
        (Call("list_dir", {"path": "notes/x"}),),
    ),
    Report(
        "vllm-project/vllm",
        54971,
        "a repeated opening tag leaks into an argument's key",
        "glm",
        "<tool_call>list_dir\n<arg_key><arg_key>path</arg_key><arg_value>notes/x</arg_value>\n</tool_call>",
        (Call("list_dir", {"path": "notes/x"}),),
    ),
    Report(
        "fw-ai-external/python-sdk",
        119,
        "a stray closing tag leaks into the name of a call without arguments",
        "glm",
        "<tool_call>tool_12</arg_value>",
        (Call("tool_12", {}),),
    ),
    Report(
        "ml-explore/mlx-lm",
        1310,
        "a value that is not of the schema's type drops the call",
        "qwen3-xml",
        "<function=log_event><parameter=day>2026-01-15</parameter></function>",
        (Call("log_event", {"day": "2026-01-15"}),),
    ),
    Report(
        "vllm-project/vllm",
        39771,
        "a parameter without the end of its tag raises a ValueError",
        "qwen3-xml",
        "<tool_call>\n<function=log_event>\n<parameter=day\n</function>\n</tool_call>",
        (),
    ),
    Report(
        "antoinezambelli/forge",
        56,
        "the outer tag is left out",
        "qwen3-xml",
        '<function=bash>\n<parameter=command>\ngrep -r "percentage" . --include="*.py"\n</parameter>\n</function>',
        (Call("bash", {"command": 'grep -r "percentage" . --include="*.py"'}),),
    ),
    Report(
        "lmstudio-ai/lmstudio-bug-tracker",
        1592,
        "call syntax that the model only thinks about is taken for calls",
        "qwen3-xml",
        "<think>\nSome write `<function=...>`, others `<tool_call>`.\n</think>\n\nDone.",
        (),
        "Done.",
    ),
    Report(
        "vllm-project/vllm",
        31677,
        "a second channel behind the recipient becomes part of the name",
        "harmony",
        '<|channel|>commentary to=functions.bash<|channel|>commentary<|message|>{"cmd": "ls"}<|call|>',
        (Call("bash", {"cmd": "ls"}),),
    ),
    Report(
        "ggml-org/llama.cpp",
        15181,
        "the recipient stands before the channel",
        "harmony",
        '<|start|>assistant to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>{"city": "Lima"}',
        (Call("get_weather", {"city": "Lima"}),),
    ),
    Report(
        "waybarrios/vllm-mlx",
        562,
        "a call on the channel of thought, as code, is lost",
        "harmony",
        "<|channel|>analysis<|message|>Let us search.<|end|><|start|>assistant<|channel|>an"
        "alysis to=functions.ffgrep code"
        '<|message|>\n{"path": "", "pattern": "View"}<|call|>',
        (Call("ffgrep", {"path": "", "pattern": "View"}),),
        "",
    ),
    Report(
        "lmstudio-ai/lmstudio-bug-tracker",
        942,
        "arguments that were cut short are an error; they are no call, and nothing is raised",
        "harmony",
        '<|start|>assistant<|channel|>commentary to=functions.f<|constrain|>json<|message|>{"data": {"envs": {}',
        (),
    ),
    Report(
        "lablup/mlxcel",
        654,
        "marks of channels leak into the words",
        "harmony",
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>It is 4.<|return|>",
        (),
        "It is 4.",
    ),
    Report(
        "ggml-org/llama.cpp",
        17376,
        "the mark of the section is written in the singular",
        "kimi",
        "<|tool_call_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_be"
        'gin|>{"x": 1}<|tool_call_end|>'
        "<|tool_call_section_end|>",
        (Call("f", {"x": 1}),),
        "",
    ),
    Report(
        "ikawrakow/ik_llama.cpp",
        955,
        "calls after the first are not recognised",
        "kimi",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>"
        "<|tool_call_begin|>functions.g:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
        (Call("f", {}), Call("g", {})),
    ),
    Report(
        "vllm-project/vllm",
        47901,
        "arguments are dropped after a call that has none",
        "hunyuan",
        '<tool_calls>[{"name": "f", "arguments": {}}, {"name": "g", "arguments": {"x": 1}}]</tool_calls>',
        (Call("f", {}), Call("g", {"x": 1})),
    ),
    Report(
        "vllm-project/vllm",
        52133,
        "an argument that is called name is taken for the call's",
        "hunyuan",
        '<tool_calls>\n[{"name": "f", "arguments": {"name": "g"}}]</tool_calls>',
        (Call("f", {"name": "g"}),),
    ),
    Report(
        "ml-explore/mlx-lm",
        1271,
        "literals of JSON stand in calls of Python",
        "olmo",
        "<function_calls>f(x=null, y=true)\ng(z=false)</function_calls>",
        (Call("f", {"x": None, "y": True}), Call("g", {"z": False})),
    ),
    Report(
        "smg-project/smg",
        305,
        "the name is called tool_name, the arguments parameters",
        "cohere",
        '<|START_ACTION|>\n{"tool_name": "f", "parameters": {"x": "1"}}\n<|END_ACTION|>',
        (Call("f", {"x": "1"}),),
    ),
    Report(
        "vllm-project/vllm",
        30722,
        "nested lists in calls of Python",
        "pythonic",
        "[f(rows=[['a', 1], ['b', [2]]])]",
        (Call("f", {"rows": [["a", 1], ["b", [2]]]}),),
    ),
    Report(
        "vllm-project/vllm",
        16214,
        "JSON between Llama 4's Python marks is left in the words",
        "llama",
        '<|python_start|>{"name": "brave_web_search", "parameters": {"query": "latest news"}}<|python_end|>',
        (Call("brave_web_search", {"query": "latest news"}),),
    ),
    Report(
        "vllm-project/vllm",
        46863,
        "a model of the Python form writes JSON",
        "pythonic",
        '{"type": "function", "name": "Bash", "parameters": {"command": "echo hello", "timeout": 12000}}',
        (Call("Bash", {"command": "echo hello", "timeout": 12000}),),
    ),
    Report(
        "vllm-project/vllm",
        30651,
        "the arguments follow the name at once",
        "mistral",
        '[TOOL_CALLS]create_file{"filePath": "a.txt", "content": "This is a test."}',
        (Call("create_file", {"filePath": "a.txt", "content": "This is a test."}),),
    ),
    Report(
        "vllm-project/vllm",
        30724,
        "a brace in the words before a call",
        "mistral",
        'Use {x}: [TOOL_CALLS][{"name": "f", "arguments": {}}]',
        (Call("f", {}),),
        "Use {x}: ",
    ),
    Report(
        "ml-explore/mlx-lm",
        1374,
        "the list of the older form is rejected",
        "mistral-args",
        '[TOOL_CALLS] [{"name": "calculator", "arguments": {"expression": "2+3"}}]',
        (Call("calculator", {"expression": "2+3"}),),
    ),
    Report(
        "osaurus-ai/vmlx-swift",
        228,
        "a call without arguments is discarded",
        "glm",
        "hm</think><tool_call>list_mailboxes</tool_call>",
        (Call("list_mailboxes", {}),),
        "",
    ),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: f"{report.repository}#{report.number}")
def test_what_was_reported_elsewhere_is_read_here(report):
    words, calls = FORMATS[report.format].take_apart(report.said, tools=TOOLS)
    assert calls == report.calls
    assert report.words is None or words == report.words


WRONG_READER = [
    # repository, number, what was reported, the template, the format that it is
    ("vllm-project/vllm", 11903, "a reader that is not the model's finds no call", "llama", "llama"),
    ("vllm-project/vllm", 21544, "Qwen3-Coder is read as Hermes", "qwen3-xml", "qwen3-xml"),
    ("waybarrios/vllm-mlx", 434, "the tagged form is an alias of Hermes", "qwen3-xml", "qwen3-xml"),
    ("MoonshotAI/Kimi-K2", 19, "no reader of Kimi K2 is known", "kimi", "kimi"),
    ("InternLM/lmdeploy", 3840, "Qwen3 and Qwen3-Coder differ", "hermes", "hermes"),
    ("vllm-project/vllm", 42255, "Nemotron Nano 2 has no reader", "nemotron", "nemotron"),
]


@pytest.mark.parametrize(("repository", "number", "reported", "template", "expected"), WRONG_READER)
def test_the_reader_is_told_from_the_template(repository, number, reported, template, expected):
    found = detect((FOLDER / f"{template}.jinja").read_text("utf-8"))
    assert found is FORMATS[expected], f"{repository}#{number}: {reported}"
