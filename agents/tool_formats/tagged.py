"""Tool formats that write every argument between tags of its own, as bare text: Qwen3-Coder and Qwen3.5, GLM-4.5.

Nothing is escaped, so a value ends only at a closing tag that is followed by the next tag of the form. Readers leave
all values text; :func:`acgym.agents.tool_formats.text.typed` gives them their types. Sources: the chat templates of
Qwen3-Coder-30B-A3B-Instruct (Nemotron 3 writes the same) and GLM-4.5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from acgym.agents.tool_formats.text import Item, Said, blocks, canonical, escape_json, typed
from acgym.types import Call, Json

_QWEN = re.compile(r"(?:<tool_call>\s*+)?<function=")
_QWEN_NAME = re.compile(r"([^\s<>]++)>")
_QWEN_KEY = re.compile(r"\s*+<parameter=([^\n<>]++)>\n?")
_QWEN_VALUE_END = re.compile(r"\n?</parameter>(?=\s*+(?:<parameter=|</function>))")
_QWEN_END = re.compile(r"\s*+</function>")
_QWEN_CLOSING = re.compile(r"(?:\s*+</tool_call>)?")
_GLM = re.compile(r"<tool_call>")
_GLM_NAME = re.compile(r"\s*+([^\s<{\[][^\n<]*+)\n?(?:</arg_value>)?")
_GLM_KEY = re.compile(r"\s*+(?:<arg_key>\s*+)++([^\n<>]++)(?:</arg_key>\s*+)++<arg_value>")
_GLM_VALUE_END = re.compile(r"</arg_value>(?=\s*+(?:<arg_key>|</tool_call>|<tool_call>|\Z))")
_GLM_END = re.compile(r"\s*+</tool_call>")
_GLM_CLOSING = re.compile(r"(?:\s*+</tool_call>)?")


def qwen(said: str) -> Said | None:
    """``<tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>``: Qwen3-Coder, Qwen3.5."""
    return blocks(said, _QWEN, _qwen_item, _QWEN_CLOSING)


def _qwen_item(text: str, at: int) -> Item | None:
    name = _QWEN_NAME.match(text, at)
    found = None if name is None else _pairs(text, name.end(), _QWEN_KEY, _QWEN_VALUE_END)
    end = None if found is None else _QWEN_END.match(text, found[1])
    return None if name is None or found is None or end is None else Item((Call(name[1], found[0]),), end.end())


def glm(said: str) -> Said | None:
    """``<tool_call>NAME``, then ``<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>`` an argument: GLM-4.5."""
    return blocks(said, _GLM, _glm_item, _GLM_CLOSING)


def _glm_item(text: str, at: int) -> Item | None:
    name = _GLM_NAME.match(text, at)
    found = None if name is None else _pairs(text, name.end(), _GLM_KEY, _GLM_VALUE_END)
    if name is None or found is None:
        return None
    whole = bool(found[0]) or name[0].endswith("</arg_value>") or _GLM_END.match(text, found[1])
    return Item((Call(name[1].rstrip(), found[0]),), found[1]) if whole else None  # a name alone may be cut short


def _pairs(
    text: str, at: int, opening: re.Pattern[str], closing: re.Pattern[str]
) -> tuple[dict[str, Json], int] | None:
    """Read keys and values from a position on, and say where they end; None if one never ends or a key comes twice."""
    found: dict[str, Json] = {}
    while key := opening.match(text, at):
        end = closing.search(text, key.end())
        if end is None or key[1].strip() in found:
            return None
        found[key[1].strip()] = text[key.end() : end.start()]
        at = end.end()
    return found, at


def write_qwen(calls: Sequence[Call]) -> str:
    """Write calls as Qwen3-Coder does; as canonical JSON where a value cannot be told from another."""

    def row(call: Call) -> str:
        pairs = [f"<parameter={key}>\n{_bare(value)}\n</parameter>\n" for key, value in call.arguments.items()]
        return f"<tool_call>\n<function={call.name}>\n{''.join(pairs)}</function>\n</tool_call>"

    return _checked("\n".join(map(row, calls)), calls, qwen)


def write_glm(calls: Sequence[Call]) -> str:
    """Write calls as GLM-4.5 does; as canonical JSON where a value cannot be told from another."""

    def row(call: Call) -> str:
        pairs = [
            f"<arg_key>{key}</arg_key>\n<arg_value>{_bare(value)}</arg_value>\n"
            for key, value in call.arguments.items()
        ]
        return f"<tool_call>{call.name}\n{''.join(pairs)}</tool_call>"

    return _checked("\n".join(map(row, calls)), calls, glm)


def _bare(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _checked(text: str, calls: Sequence[Call], read: Callable[[str], Said | None]) -> str:
    """Return the text if it is read back equal, and no word of it ends a thought; else canonical JSON."""
    found = read(text) if escape_json(text) == text else None
    same = found is not None and json.dumps([typed(call).as_json() for call in found.calls]) == json.dumps(
        [call.as_json() for call in calls]
    )
    return text if same else canonical(calls)
