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
from acgym.agents.tool_formats import named, tagged
from acgym.agents.tool_formats import python as in_python
from acgym.agents.tool_formats.gemma import FUNCTION_GEMMA, GEMMA_4
from acgym.agents.tool_formats.text import Said, typed, without_thought
from acgym.tool_calls import PARSER, after_thought, render_hermes, whole_json
from acgym.types import Call, ToolSpec, calls_to_action

Read: TypeAlias = Callable[[str], Said | None]
Write: TypeAlias = Callable[[Sequence[Call]], str]


def _made_id(name: str, at: int, number: int) -> str:
    """Make an id of nine letters and digits, which Mistral's templates insist on; another one for every call."""
    return f"c{at % 10_000:04d}{number % 10_000:04d}"


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
    bare: bool = False
    """Whether arguments are written as bare text: the types come from the tool's schema, else from the text."""
    thinks: Callable[[str], str] | None = None
    """Finds what was thought in a reply that marks it in the format's own way; None if it stands at the beginning."""
    channels: bool = False
    """Whether words are marked too, so that only what :meth:`take_apart` finds goes back as what was said."""
    call_id: Callable[[str, int, int], str] = _made_id
    """Makes the id of a call from its name, the number of its message and its number in there."""

    def take_apart(self, text: str, opened: bool = False, tools: Sequence[ToolSpec] = ()) -> Said:
        """Return the words and the calls of a reply, its thought left out; no calls if one of them is broken.

        Args:
            text: the model's words, verbatim.
            opened: whether the prompt ended inside a thought that the reply goes on with.
            tools: the tools that may be called; they tell types where the format does not.
        """
        said = self._spoken(text, opened)
        words, calls = self._read(said, tools) or (said, ())
        return Said(words, calls)

    def thought(self, text: str, opened: bool = False) -> str:
        """Return what a reply says that was thought, with its marks; the arguments are those of :meth:`take_apart`."""
        if self.thinks is not None:
            return self.thinks(text)
        return text[: len(text) - len(self._spoken(text, opened))]

    def _spoken(self, text: str, opened: bool) -> str:
        said = without_thought(text, opened)
        return after_thought(said, self._read) if said == text else said

    def _read(self, said: str, tools: Sequence[ToolSpec] = ()) -> Said | None:
        calls = whole_json(said)
        if calls:
            return Said("", calls)
        found = self.read(said)
        if found is None or not self.bare:
            return found
        return Said(found.words, tuple(typed(call, tools) for call in found.calls))

    def parse(self, text: str, opened: bool = False, tools: Sequence[ToolSpec] = ()) -> tuple[str, tuple[Call, ...]]:
        """Split a reply into the action for the environment and the tool calls in it.

        Args:
            text: the model's words, verbatim, without the end-of-turn token.
            opened: whether the prompt ended inside a thought that the reply goes on with.
            tools: as for :meth:`take_apart`.

        Returns:
            (action, calls). With calls, the action is their canonical JSON. Without, or when one is broken, it is what
            was said after the thought, for the environment to answer as malformed. Never raises.
        """
        words, calls = self.take_apart(text, opened, tools)
        return (calls_to_action(calls), calls) if calls else (words, ())

    def untyped(self, calls: Sequence[Call]) -> tuple[Call, ...]:
        """Return calls as they are read back where no tool tells the types of their arguments."""
        return tuple(typed(call) for call in calls) if self.bare else tuple(calls)


def _write_hermes(calls: Sequence[Call]) -> str:
    return render_hermes(calls_to_action(tuple(calls)))


_DEEPSEEK_MARKS = tuple(f"<｜tool▁{part}｜>" for part in ("calls▁begin", "call▁begin", "sep", "call▁end", "calls▁end"))

HERMES = ToolFormat(PARSER, in_json.hermes, _write_hermes, (("<tool_call>",),), ("<tool_call>", "</tool_call>"))

_MISTRAL_MARKS = ("[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]")
_PHI_MARKS = ("<|tool_call|>", "<|/tool_call|>", "<tool_call>", "</tool_call>")
_LLAMA_MARKS = ("<|python_tag|>", "<|python_start|>", "<|python_end|>")
_MINICPM_MARKS = ("<|tool_call_start|>", "<|tool_call_end|>", "<|thought_start|>", "<|thought_end|>")

_GLM_MARKS = (*HERMES.marks, "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>")
_COHERE_MARKS = ("<|START_ACTION|>", "<|END_ACTION|>", "<|START_THINKING|>", "<|END_THINKING|>")
_KIMI_PARTS = ("calls_section_begin", "calls_section_end", "call_begin", "call_end", "call_argument_begin")
_KIMI_MARKS = tuple(f"<|tool_{part}|>" for part in _KIMI_PARTS)
_HARMONY_MARKS = tuple(f"<|{part}|>" for part in ("start", "channel", "message", "constrain", "call", "end", "return"))

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
    ToolFormat("deepseek", named.deepseek, named.write_deepseek, (("<｜tool▁call▁begin｜>",),), _DEEPSEEK_MARKS),
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
    ToolFormat(
        "kimi", named.kimi, named.write_kimi, (("<|tool_call_argument_begin|>",),), _KIMI_MARKS, call_id=named.kimi_id
    ),
    ToolFormat(
        "harmony",
        named.harmony,
        named.write_harmony,
        (("<|channel|>", "<|message|>"),),
        _HARMONY_MARKS,
        ("<|call|>",),
        thinks=named.harmony_thought,
        channels=True,
    ),
    ToolFormat(
        "cohere", in_json.cohere, in_json.write_cohere, (("<|START_ACTION|>",), ("Action:", "tool_name")), _COHERE_MARKS
    ),
    ToolFormat("nemotron", in_json.nemotron, in_json.write_nemotron, (("<TOOLCALL>",),), ("<TOOLCALL>", "</TOOLCALL>")),
    ToolFormat("hunyuan", named.hunyuan, named.write_hunyuan, (("<tool_calls>",),), ("<tool_calls>", "</tool_calls>")),
    ToolFormat("olmo", in_python.olmo, in_python.write_olmo, (("<function_calls>",),)),
    ToolFormat("qwen3-xml", tagged.qwen, tagged.write_qwen, (("<function=", "<parameter="),), HERMES.marks, bare=True),
    ToolFormat("glm", tagged.glm, tagged.write_glm, (("<arg_key>", "<arg_value>"),), _GLM_MARKS, bare=True),
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
