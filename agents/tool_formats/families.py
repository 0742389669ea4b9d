"""The tool formats by name: how a model family writes a call, and how it is told from a chat template.

Sources: the families' model cards and the chat templates in their tokenizers. Every format reads any text without
raising; calls without arguments and several calls in one reply are legal; values of arguments are kept as the model
wrote them, for the environment to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from acgym.agents.tool_formats import json as in_json
from acgym.agents.tool_formats import python as in_python
from acgym.agents.tool_formats.gemma import FUNCTION_GEMMA, GEMMA_4
from acgym.agents.tool_formats.text import Said, whole_json, without_thought
from acgym.tool_calls import PARSER, render_hermes
from acgym.types import Call, calls_to_action

Read: TypeAlias = Callable[[str], Said | None]
Write: TypeAlias = Callable[[Sequence[Call]], str]


@dataclass(frozen=True, slots=True)
class ToolFormat:
    """How one model family writes tool calls."""

    name: str
    """Names the format in records and options."""
    read: Read
    """Reads a reply without its thought; None if it holds no call, or a broken one."""
    write: Write
    """Writes calls as the family does; what it writes is read back equal."""
    signs: tuple[tuple[str, ...], ...] = ()
    """Texts that tell the family: all of one group stand in the chat template, or are tokens of the tokenizer."""
    marks: tuple[str, ...] = ()
    """Tokens of the format: kept when a reply is decoded, although a tokenizer may call them special."""
    stops: tuple[str, ...] = ()
    """Tokens that end a reply with a call, beside the model's own."""

    def take_apart(self, text: str, opened: bool = False) -> Said:
        """Return the words and the calls of a reply, its thought left out; no calls if one of them is broken.

        Args:
            text: the model's words, verbatim.
            opened: whether the prompt ended inside a thought that the reply goes on with.
        """
        said = without_thought(text, opened)
        calls = whole_json(said) if self.name != PARSER else ()
        return Said("", calls) if calls else self.read(said) or Said(said, ())

    def parse(self, text: str, opened: bool = False) -> tuple[str, tuple[Call, ...]]:
        """Split a reply into the action for the environment and the tool calls in it.

        Args:
            text: the model's words, verbatim, without the end-of-turn token.
            opened: whether the prompt ended inside a thought that the reply goes on with.

        Returns:
            (action, calls). With calls, the action is their canonical JSON. Without, or when one is broken, it is what
            was said after the thought, for the environment to answer as malformed. Never raises.
        """
        words, calls = self.take_apart(text, opened)
        return (calls_to_action(calls), calls) if calls else (words, ())


def _write_hermes(calls: Sequence[Call]) -> str:
    return render_hermes(calls_to_action(tuple(calls)))


_DEEPSEEK_MARKS = tuple(f"<｜tool▁{part}｜>" for part in ("calls▁begin", "call▁begin", "sep", "call▁end", "calls▁end"))

HERMES = ToolFormat(PARSER, in_json.hermes, _write_hermes, (("<tool_call>",),), ("<tool_call>", "</tool_call>"))

_MISTRAL_MARKS = ("[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]")
_PHI_MARKS = ("<|tool_call|>", "<|/tool_call|>", "<tool_call>", "</tool_call>")
_LLAMA_MARKS = ("<|python_tag|>", "<|python_start|>", "<|python_end|>")
_MINICPM_MARKS = ("<|tool_call_start|>", "<|tool_call_end|>", "<|thought_start|>", "<|thought_end|>")

_FORMATS = (
    ToolFormat(
        "functiongemma",
        FUNCTION_GEMMA.read,
        FUNCTION_GEMMA.write,
        (("<start_function_call>",),),
        ("<start_function_call>", "<end_function_call>", "<escape>"),
        ("<start_function_response>",),
    ),
    ToolFormat(
        "gemma4",
        GEMMA_4.read,
        GEMMA_4.write,
        (("<|tool_call>", "<tool_call|>"),),
        ("<|tool_call>", "<tool_call|>", '<|"|>'),
        ("<|tool_response>",),
    ),
    ToolFormat("deepseek", in_json.deepseek, in_json.write_deepseek, (("<｜tool▁call▁begin｜>",),), _DEEPSEEK_MARKS),
    ToolFormat(
        "internlm",
        in_json.internlm,
        in_json.write_internlm,
        (("<|action_start|>", "<|plugin|>"),),
        ("<|action_start|>", "<|plugin|>", "<|action_end|>"),
    ),
    ToolFormat(
        "minicpm", in_python.minicpm, in_python.write_minicpm, (("<|tool_call_start|>",),), marks=_MINICPM_MARKS
    ),
    ToolFormat(
        "mistral-args", in_json.mistral, in_json.write_mistral_args, (("[TOOL_CALLS]", "[ARGS]"),), _MISTRAL_MARKS
    ),
    ToolFormat("mistral", in_json.mistral, in_json.write_mistral, (("[TOOL_CALLS]",),), _MISTRAL_MARKS),
    ToolFormat("phi", in_json.phi, in_json.write_phi, (("<|/tool_call|>",), ("functools[",)), _PHI_MARKS),
    ToolFormat("granite", in_json.phi, in_json.write_granite, (("<|tool_call|>",),), _PHI_MARKS),
    ToolFormat(
        "pythonic",
        in_python.pythonic,
        in_python.write_pythonic,
        (("[func_name1(",), ("<|python_start|>",)),
        _LLAMA_MARKS,
    ),
    ToolFormat("tool-code", in_python.tool_code, in_python.write_tool_code, (("```tool_code",),)),
    HERMES,
    ToolFormat(
        "llama",
        in_json.llama,
        in_json.write_llama,
        (("<|python_tag|>",), ("<|start_header_id|>", '"parameters"')),
        _LLAMA_MARKS,
        ("<|eom_id|>",),
    ),
)
FORMATS = {each.name: each for each in _FORMATS}
"""Name -> format, in the order in which a chat template is searched for their signs."""


def format_named(name: str) -> ToolFormat:
    """Return the format of a name.

    Raises:
        ValueError: if there is none, with the nearest and all known names.
    """
    if name not in FORMATS:
        near = get_close_matches(name.lower(), FORMATS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown tool format {name!r}; {hint}Known: {', '.join(FORMATS)}")
    return FORMATS[name]


def detect(template: str, tokens: Sequence[str] = ()) -> ToolFormat | None:
    """Tell the format from a chat template; where it has no sign, from the tokenizer's added tokens.

    Returns:
        The format; None if there is no sign of any.
    """
    for there in (template, set(tokens)):
        for each in _FORMATS:
            if any(all(sign in there for sign in group) for group in each.signs):
                return each
    return None
