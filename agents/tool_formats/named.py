"""Tool formats that write a call's name before its JSON: DeepSeek, Kimi K2, Hunyuan, harmony (gpt-oss).

Readers and writers are as in :mod:`acgym.agents.tool_formats.json`. Sources: the chat templates of DeepSeek-V3 and
V3.1, Kimi-K2-Instruct and Hunyuan, and OpenAI's description of the harmony response format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from acgym.agents.tool_formats.json import plain_names, with_arguments
from acgym.agents.tool_formats.text import Item, Said, blocks, canonical, plain_json
from acgym.text import json_at
from acgym.tool_calls import calls_of
from acgym.types import Call

_DEEPSEEK = re.compile(r"(?:<｜tool▁calls▁begin｜>\s*+)?<｜tool▁call▁begin｜>")
_DEEPSEEK_NAME = re.compile(
    r"\s*+(?:function<｜tool▁sep｜>([^\s<`{][^\n<`{]*+)(?:\s*+```(?:json)?)?|([^\n<]++)<｜tool▁sep｜>)"
)
_DEEPSEEK_PLAIN = re.compile(r"[^\s<`{](?:[^\n<`{]*[^\s<`{])?")
_DEEPSEEK_END = re.compile(r"(?:\s*+```)?(?:\s*+<｜tool▁call▁end｜>)?(?:\s*+<｜tool▁calls▁end｜>)?")
_KIMI = re.compile(r"(?:<\|tool_calls?_section_begin\|>\s*+)?<\|tool_call_begin\|>")
_KIMI_NAME = re.compile(r"\s*+(?:functions\.)?([^\s<|:]++)(?::[0-9]++)?\s*+<\|tool_call_argument_begin\|>")
_KIMI_END = re.compile(r"(?:\s*+<\|tool_call_end\|>)?(?:\s*+<\|tool_calls?_section_end\|>)?")
_KIMI_PLAIN = re.compile(r"(?!functions\.)[^\s<|:]+")
_HUNYUAN = re.compile(r"<tool_calls>")
_JSON = re.compile(r"\s*+[\[{]")
_HUNYUAN_END = re.compile(r"(?:\s*+</tool_calls>)?")
_HUNYUAN_CALL = re.compile(r"\s*+<tool_call>\s*+([^\s<`{}\[\]]++)\s*+(?:```json)?")
_HUNYUAN_CALL_END = re.compile(r"(?:\s*+```)?\s*+</tool_call>")
_ANSWER = re.compile(r"\s*+<answer>\s*+")
_RECIPIENT = re.compile(r"\bto=(?:functions\.)?([^\s<]++)")
_CHANNEL = re.compile(r"<\|channel\|>\s*+(\w++)")
_END_OF_BODY = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_END_OF_CALL = re.compile(r"\s*+(?:<\|(?:call|end)\|>)?")
_HARMONY_PLAIN = re.compile(r"(?!functions\.)[^\s<]+")


def deepseek(said: str) -> Said | None:
    """DeepSeek's tokens: a name and a fenced JSON block (V3, R1), or the name and the JSON alone (V3.1)."""
    return blocks(said, _DEEPSEEK, _deepseek_item, _DEEPSEEK_END)


def _deepseek_item(text: str, at: int) -> Item | None:
    name = _DEEPSEEK_NAME.match(text, at)
    return None if name is None else with_arguments((name[1] or name[2]).strip(), text, name.end())


def write_deepseek(calls: Sequence[Call]) -> str:
    """Write calls as DeepSeek-R1 and V3 do."""
    if not plain_names(_DEEPSEEK_PLAIN, calls):
        return canonical(calls)
    rows = [f"{call.name}\n```json\n{plain_json(dict(call.arguments))}\n```" for call in calls]
    rows = [f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{row}<｜tool▁call▁end｜>" for row in rows]
    return "<｜tool▁calls▁begin｜>" + "\n".join(rows) + "<｜tool▁calls▁end｜>"


def kimi(said: str) -> Said | None:
    """``<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{...}<|tool_call_end|>``: Kimi K2.

    The marks around all calls of a turn may be missing, and say ``calls`` or ``call``.
    """
    return blocks(said, _KIMI, _kimi_item, _KIMI_END)


def _kimi_item(text: str, at: int) -> Item | None:
    name = _KIMI_NAME.match(text, at)
    return None if name is None else with_arguments(name[1], text, name.end())


def kimi_id(name: str, at: int, number: int) -> str:
    """Make the id that Kimi K2 gives a call: its template writes nothing else of the name."""
    return f"functions.{name}:{at // 2 + number}"


def write_kimi(calls: Sequence[Call]) -> str:
    """Write calls as Kimi K2 does."""
    if not plain_names(_KIMI_PLAIN, calls):
        return canonical(calls)
    rows = [
        f"<|tool_call_begin|>{kimi_id(call.name, 0, n)}<|tool_call_argument_begin|>{plain_json(dict(call.arguments))}"
        for n, call in enumerate(calls)
    ]
    listed = "".join(f"{row}<|tool_call_end|>" for row in rows)
    return f"<|tool_calls_section_begin|>{listed}<|tool_calls_section_end|>"


def hunyuan(said: str) -> Said | None:
    """``<tool_calls>[{"name", "arguments"}]</tool_calls>``, or a name and fenced JSON for each call: Hunyuan.

    What its reasoning models say stands between ``<answer>`` and ``</answer>``, which are no words.
    """
    opened = _ANSWER.match(said)
    if opened:
        said = said[opened.end() :].rstrip().removesuffix("</answer>").rstrip()
    found = blocks(said, _HUNYUAN, _hunyuan_item, _HUNYUAN_END)
    return Said(said, ()) if found is None and opened and "<tool_calls>" not in said else found


def _hunyuan_item(text: str, at: int) -> Item | None:
    if _JSON.match(text, at):
        found = json_at(text, at)
        some = () if found is None else calls_of(found[0])
        return None if found is None or not some else Item(some, found[1])
    calls: list[Call] = []
    while name := _HUNYUAN_CALL.match(text, at):
        item = with_arguments(name[1], text, name.end())
        end = None if item is None else _HUNYUAN_CALL_END.match(text, item.end)
        if item is None or end is None:
            return None
        calls += item.calls
        at = end.end()
    return Item(tuple(calls), at) if calls else None


def write_hunyuan(calls: Sequence[Call]) -> str:
    """Write calls as Hunyuan-A13B does."""
    return f"<tool_calls>{plain_json([call.as_json() for call in calls])}</tool_calls>"


class _Message(NamedTuple):
    channel: str
    body: str
    call: Call | None
    """None for a message to the user, or to itself."""


class _Broken(ValueError):
    """A message to a tool holds no JSON object."""


def harmony(said: str) -> Said | None:
    """``<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{...}<|call|>``: gpt-oss.

    A message that names a recipient is a call, whatever its channel; the recipient may stand before the channel. What
    is said on the channel ``analysis`` is thought; the words of all others are what was said.
    """
    if "<|message|>" not in said:
        return None
    try:
        found = list(_messages(said))
    except _Broken:
        return None
    words = "\n".join(each.body for each in found if each.call is None and each.channel != "analysis")
    return Said(words, tuple(each.call for each in found if each.call is not None))


def harmony_thought(text: str) -> str:
    """Return what was said on the channel ``analysis``."""
    try:
        return "\n".join(each.body for each in _messages(text) if each.call is None and each.channel == "analysis")
    except _Broken:
        return ""


def _messages(said: str) -> Iterator[_Message]:
    """Take a reply apart into its messages.

    Raises:
        _Broken: at a call whose arguments are no JSON object.
    """
    at = 0
    while (start := said.find("<|message|>", at)) >= 0:
        head, at = said[at:start], start + len("<|message|>")
        channels, recipient = _CHANNEL.findall(head), _RECIPIENT.search(head)
        channel = channels[-1] if channels else ""
        if recipient:
            item = with_arguments(recipient[1], said, at)
            if item is None:
                raise _Broken
            end = _END_OF_CALL.match(said, item.end)
            at = end.end() if end else item.end
            yield _Message(channel, "", item.calls[0])
            continue
        stop = _END_OF_BODY.search(said, at)
        yield _Message(channel, said[at : stop.start() if stop else len(said)], None)
        at = len(said) if stop is None else stop.start() if stop[0] in ("<|start|>", "<|channel|>") else stop.end()


def write_harmony(calls: Sequence[Call]) -> str:
    """Write calls as gpt-oss does."""
    if not plain_names(_HARMONY_PLAIN, calls):
        return canonical(calls)
    heads = [f"<|channel|>commentary to=functions.{call.name} <|constrain|>json<|message|>" for call in calls]
    rows = [f"{head}{plain_json(dict(call.arguments))}<|call|>" for head, call in zip(heads, calls, strict=True)]
    return "<|start|>assistant".join(rows)
