"""Tool formats that write a call as one JSON value: Hermes, Llama 3, Mistral, Phi, Granite, InternLM, Cohere, Nemotron.

Each family has a reader (a reply without its thought -> calls, or None) and a writer, its inverse. Readers never raise;
one broken call among several makes all of it no call. A call ends where its JSON ends, whatever marks its strings hold.
What the marks look like is documented in the families' model cards and chat templates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from acgym.agents.tool_formats.text import Item, Said, blocks, escape_json, plain_json
from acgym.text import json_at
from acgym.tool_calls import calls_of, made_call, read_hermes
from acgym.types import Call

_PYTHON_TAG = re.compile(r"<\|python_(?:tag|start)\|>")
_BETWEEN = re.compile(r"[\s;,]*+")
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*+")
_MISTRAL_NAME = re.compile(r"[^\[\]{}\s]++")
_MISTRAL_HEAD = re.compile(rf"({_MISTRAL_NAME.pattern})\s*+(?:\[CALL_ID\]\s*+[^\[\]{{}}\s]*+\s*+)?(?:\[ARGS\])?")
_PHI = re.compile(r"<\|tool_call\|>|<tool_call>|<function_call>|functools(?=\s*+\[)")
_PHI_END = re.compile(r"(?:\s*+(?:<\|/tool_call\|>|</tool_call>|</function_call>))?")
_INTERNLM = re.compile(r"<\|action_start\|>\s*+<\|plugin\|>")
_INTERNLM_END = re.compile(r"(?:\s*+<\|action_end\|>)?")
_COHERE = re.compile(r"<\|START_ACTION\|>|Action:(?=\s*+```json)")
_COHERE_END = re.compile(r"(?:\s*+(?:<\|END_ACTION\|>|```))?")
_FENCE = re.compile(r"\s*+(?:```json)?")
_NEMOTRON = re.compile(r"<TOOLCALL>")
_NEMOTRON_END = re.compile(r"(?:\s*+</TOOLCALL>)?")
_NO_ARGUMENTS = re.compile(r"\s*+(?:\Z|<[｜|]|```|\[TOOL_CALLS\])")
_NOTHING = re.compile("")


def hermes(said: str) -> Said | None:
    """``<tool_call>{"name", "arguments"}</tool_call>``: Qwen2.5, Qwen3, Hermes, and the reference agent."""
    found = read_hermes(said)
    return None if found is None else Said(*found)


def llama(said: str) -> Said | None:
    """``{"name", "parameters"}``, perhaps after ``<|python_tag|>``; several stand one after the other, with ``;``.

    Without the tag there is no mark that tells a call from an answer in JSON, so the whole reply must be calls.
    """
    tag = None if said.lstrip()[:1] in ("{", "[") else _PYTHON_TAG.search(said)
    words = said[: tag.start()] if tag else ""
    rest = (said[tag.end() :] if tag else said).rstrip().removesuffix("<|python_end|>")
    if rest.lstrip()[:1] not in ("{", "["):
        return None
    calls: list[Call] = []
    at = _skip(rest, 0)
    while at < len(rest):
        found = json_at(rest, at)
        some = () if found is None else calls_of(found[0])
        if found is None or not some:
            return None
        calls += some
        at = _skip(rest, found[1])
    return Said(words, tuple(calls))


def write_llama(calls: Sequence[Call]) -> str:
    """Write calls as Llama 3 does."""
    return "; ".join(plain_json({"name": call.name, "parameters": dict(call.arguments)}) for call in calls)


def mistral(said: str) -> Said | None:
    """``[TOOL_CALLS] [{...}]``, or since tokenizer version 11 ``[TOOL_CALLS]name[ARGS]{...}`` for each call."""
    return blocks(said, _MISTRAL, _mistral_item, _NOTHING)


def _mistral_item(text: str, at: int) -> Item | None:
    if text[at : at + 1] in ("[", "{"):
        return _json_item(text, at)
    name = _MISTRAL_HEAD.match(text, at)
    return None if name is None else with_arguments(name[1], text, name.end())


def write_mistral(calls: Sequence[Call]) -> str:
    """Write calls as Mistral's models up to tokenizer version 7 do."""
    return f"[TOOL_CALLS]{plain_json([call.as_json() for call in calls])}"


def write_mistral_args(calls: Sequence[Call]) -> str:
    """Write calls as Mistral's models since tokenizer version 11 do."""
    if not plain_names(_MISTRAL_NAME, calls):
        return write_mistral(calls)
    return "".join(f"[TOOL_CALLS]{call.name}[ARGS]{plain_json(dict(call.arguments))}" for call in calls)


def phi(said: str) -> Said | None:
    """``<|tool_call|>[{...}]<|/tool_call|>`` or ``functools[{...}]``: Phi-3.5, Phi-4; Granite without the end."""
    return blocks(said, _PHI, _json_item, _PHI_END)


def write_phi(calls: Sequence[Call]) -> str:
    """Write calls as Phi-4-mini does."""
    return f"{write_granite(calls)}<|/tool_call|>"


def write_granite(calls: Sequence[Call]) -> str:
    """Write calls as Granite 3 does."""
    return f"<|tool_call|>{plain_json([call.as_json() for call in calls])}"


def internlm(said: str) -> Said | None:
    """``<|action_start|><|plugin|>{"name", "parameters"}<|action_end|>`` for each call: InternLM2.5 and 3."""
    return blocks(said, _INTERNLM, _json_item, _INTERNLM_END)


def write_internlm(calls: Sequence[Call]) -> str:
    """Write calls as InternLM2.5 does."""
    rows = [plain_json({"name": call.name, "parameters": dict(call.arguments)}) for call in calls]
    return "".join(f"<|action_start|><|plugin|>\n{row}<|action_end|>" for row in rows)


def cohere(said: str) -> Said | None:
    """``<|START_ACTION|>[{"tool_call_id", "tool_name", "parameters"}]<|END_ACTION|>``: Command R7B, Command A.

    Command R and R+ write the list in a fence behind ``Action:``.
    """
    return blocks(said, _COHERE, _cohere_item, _COHERE_END)


def _cohere_item(text: str, at: int) -> Item | None:
    fence = _FENCE.match(text, at)
    return _json_item(text, fence.end() if fence else at)


def write_cohere(calls: Sequence[Call]) -> str:
    """Write calls as Command A does."""
    rows = [
        {"tool_call_id": str(n), "tool_name": call.name, "parameters": dict(call.arguments)}
        for n, call in enumerate(calls)
    ]
    listed = ",\n".join(f"    {plain_json(row)}" for row in rows)
    return f"<|START_ACTION|>[\n{listed}\n]<|END_ACTION|>"


def nemotron(said: str) -> Said | None:
    """``<TOOLCALL>[{"name", "arguments"}]</TOOLCALL>``: Nemotron Nano 2, Nemotron Ultra."""
    return blocks(said, _NEMOTRON, _json_item, _NEMOTRON_END)


def write_nemotron(calls: Sequence[Call]) -> str:
    """Write calls as Nemotron Nano 2 does."""
    return f"<TOOLCALL>{plain_json([call.as_json() for call in calls])}</TOOLCALL>"


def _json_item(text: str, at: int) -> Item | None:
    """Read calls that are one JSON value."""
    found = json_at(text, at)
    calls = () if found is None else calls_of(found[0])
    return None if found is None or not calls else Item(calls, found[1])


def with_arguments(name: str, text: str, at: int) -> Item | None:
    """Read the JSON object of a call whose name is known; nothing at all means no arguments."""
    found = ({}, at) if _NO_ARGUMENTS.match(text, at) else json_at(text, at)
    call = None if found is None else made_call(name, found[0])
    return None if found is None or call is None else Item((call,), found[1])


def plain_names(shape: re.Pattern[str], calls: Sequence[Call]) -> bool:
    """Whether all names can be written as they are, outside of JSON."""
    return all(shape.fullmatch(call.name) and escape_json(call.name) == call.name for call in calls)


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at
