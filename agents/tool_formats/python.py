"""Tool formats that write calls as Python: Llama, Gemma's tool_code, MiniCPM3, OLMo 3. Read as syntax, never run."""

from __future__ import annotations

import ast
import json
import keyword
import math
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from acgym.agents.tool_formats.text import Item, Said, blocks, canonical, escape_python
from acgym.text import MAX_ACTION_CHARS
from acgym.tool_calls import made_call
from acgym.types import Call, Json

_DEEPEST = 60
"""Brackets within brackets; Python's own parser gives up at 200."""
_JSON_NAMES: Mapping[str, Json] = {"true": True, "false": False, "null": None}
"""What chat templates leave in Python code that they write with a JSON filter."""
_MASK = "acgym_word_"
"""Stands before an argument's name that is a word of Python's grammar (``from=``), which Python itself refuses."""

_STRING = (
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
    r"|'''(?:[^'\\]|\\.|'(?!''))*+(?:''')?|'[^'\\]*+(?:\\.[^'\\]*+)*+'?"
)
"""A string of Python; one that never ends goes on to the end of the text."""
_WORD_AS_NAME = re.compile(rf"({_STRING})|(?<=[(,\s])({'|'.join(keyword.kwlist)})(?=\s*+=(?!=))", re.DOTALL)
_CALL_ID = re.compile(r"[^\W\d]\w*+(?:\.[^\W\d]\w*+)*+")


@dataclass(frozen=True, slots=True)
class _Block:
    """Marks between which calls stand in Python."""

    opening: re.Pattern[str]
    closing: str

    def read(self, said: str) -> Said | None:
        """Read the Python in every block; None if there is no block, or one is broken."""
        # The end is not looked for in strings, and comments are passed over because an apostrophe in one opens none.
        ends = re.compile(rf"{_STRING}|#[^\n`<]*+|({re.escape(self.closing)})", re.DOTALL)
        behind = re.compile(rf"(?:{re.escape(self.closing)})?")

        def item(text: str, at: int) -> Item | None:
            end = next((match.start() for match in ends.finditer(text, at) if match[1]), len(text))
            calls = python_calls(_unfenced(text[at:end]))
            return Item(calls, end) if calls else None

        return blocks(said, self.opening, item, behind)


_LLAMA = _Block(re.compile(r"<\|python_(?:tag|start)\|>"), "<|python_end|>")
_FENCE = _Block(re.compile(r"```(?:tool_code|python|py|tool_call)[ \t]*+\n"), "```")
_MINICPM = _Block(re.compile(r"<\|tool_call_start\|>"), "<|tool_call_end|>")
_OLMO = _Block(re.compile(r"<function_calls>"), "</function_calls>")


def pythonic(said: str) -> Said | None:
    """``[name(key="value"), ...]`` and nothing else, or between Llama's Python marks: Llama 3.2 and 4."""
    calls = python_calls(said.strip()) if said.lstrip()[:1] == "[" else ()
    return Said("", calls) if calls else _LLAMA.read(said)


def tool_code(said: str) -> Said | None:
    """A fenced block of ``tool_code`` with one call a line, or a bare list of calls as :func:`pythonic`: Gemma 2, 3."""
    return _FENCE.read(said) or pythonic(said)


def minicpm(said: str) -> Said | None:
    """Calls in Python between ``<|tool_call_start|>`` and ``<|tool_call_end|>``, fenced (MiniCPM3) or not (LFM2)."""
    return _MINICPM.read(said)


def olmo(said: str) -> Said | None:
    """Calls in Python, one a line, between ``<function_calls>`` and ``</function_calls>``: OLMo 3."""
    return _OLMO.read(said)


def write_pythonic(calls: Sequence[Call]) -> str:
    """Write calls as Llama 3.2 does; as canonical JSON where a name is no name in Python."""
    return f"[{', '.join(map(_written, calls))}]" if _writable(calls) else canonical(calls)


def write_tool_code(calls: Sequence[Call]) -> str:
    """Write calls as Gemma does when it is asked for tool code."""
    return "```tool_code\n" + "\n".join(map(_written, calls)) + "\n```" if _writable(calls) else canonical(calls)


def write_minicpm(calls: Sequence[Call]) -> str:
    """Write calls as MiniCPM3 does."""
    if not _writable(calls):
        return canonical(calls)
    return "<|tool_call_start|>\n```python\n" + "\n".join(map(_written, calls)) + "\n```\n<|tool_call_end|>"


def write_olmo(calls: Sequence[Call]) -> str:
    """Write calls as OLMo 3 does."""
    if not _writable(calls):
        return canonical(calls)
    return "<function_calls>" + "\n".join(map(_written, calls)) + "</function_calls>"


def python_calls(source: str) -> tuple[Call, ...]:
    """Read calls from Python source: expressions that are calls, lists of calls, or ``print`` of a call.

    The source is parsed, never compiled or run. Arguments must be named, and literals: strings, numbers, ``True``,
    ``None``, ``true``, ``null``, lists, tuples (read as lists) and dicts with text keys.

    Returns:
        The calls in order; none if anything else stands there, or it is longer than MAX_ACTION_CHARS or nested more
        than 60 deep. Never raises.
    """
    if len(source) > MAX_ACTION_CHARS or _depth(source) > _DEEPEST:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know, such as "\d"
            tree = ast.parse(_WORD_AS_NAME.sub(_masked, source.strip()))
        return tuple(_call(node) for statement in tree.body for node in _calls_in(statement))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return ()


def _unfenced(source: str) -> str:
    """Return source without the fence that some models put around it within their own marks."""
    source = source.strip()
    if not source.startswith("```"):
        return source
    return source.partition("\n")[2].rstrip().removesuffix("```")


def _depth(source: str) -> int:
    """Return how deep brackets may be nested; those in strings are counted too, which only refuses more."""
    deepest = depth = 0
    for letter in source:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _masked(match: re.Match[str]) -> str:
    return match[1] or _MASK + match[2]


def _calls_in(statement: ast.stmt) -> Iterator[ast.Call]:
    """Yield the calls of a statement.

    Raises:
        ValueError: if it is anything but calls.
    """
    value = statement.value if isinstance(statement, ast.Expr) else None
    for node in value.elts if isinstance(value, ast.List | ast.Tuple) else [value]:
        if not isinstance(node, ast.Call):
            raise ValueError("not a call")
        inner = node.args[0] if len(node.args) == 1 and not node.keywords else None
        printed = isinstance(node.func, ast.Name) and node.func.id == "print" and isinstance(inner, ast.Call)
        yield inner if printed and isinstance(inner, ast.Call) else node


def _call(node: ast.Call) -> Call:
    """Read a call.

    Raises:
        ValueError: if an argument has no name, is named twice, or is no literal.
    """
    arguments: dict[str, Json] = {}
    if node.args:
        raise ValueError("an argument without a name")
    for word in node.keywords:
        value = _literal(word.value)
        given = value if word.arg is None else {word.arg.removeprefix(_MASK): value}
        if not isinstance(given, dict) or given.keys() & arguments.keys():
            raise ValueError("an argument named twice")
        arguments |= given
    call = made_call(_name(node.func), arguments)
    if call is None:
        raise ValueError("arguments that are not JSON")
    return call


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    if not isinstance(node, ast.Name):
        raise ValueError("not a name")
    return node.id


def _literal(node: ast.expr) -> Json:
    """Return the value of a literal.

    Raises:
        ValueError: if it is no literal that JSON can hold.
    """
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Name(id=name) if name in _JSON_NAMES:
            return _JSON_NAMES[name]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
            return -number if isinstance(sign, ast.USub) else number
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            named = {_key(key): _literal(value) for key, value in zip(keys, values, strict=True)}
            return named
    raise ValueError("not a literal")


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError("a key that is not text")


def _writable(calls: Sequence[Call]) -> bool:
    """Whether all names can be written in Python."""
    return all(_CALL_ID.fullmatch(call.name) and all(map(_is_name, call.name.split("."))) for call in calls)


def _is_name(word: str) -> bool:
    """Whether Python reads a word as this very name; it folds some letters into others."""
    plain = word.isidentifier() and not keyword.iskeyword(word) and unicodedata.normalize("NFKC", word) == word
    return plain and not word.startswith(_MASK) and word != "print"


def _written(call: Call) -> str:
    """Write a call; arguments whose names Python refuses come in a dict behind two stars."""
    named = [f"{key}={_as_python(value)}" for key, value in call.arguments.items() if _is_name(key)]
    others = {key: value for key, value in call.arguments.items() if not _is_name(key)}
    return f"{call.name}({', '.join([*named, *([f'**{_as_python(others)}'] if others else [])])})"


def _as_python(value: Json) -> str:
    if isinstance(value, str):
        return _as_string(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_as_python, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_as_string(key)}: {_as_python(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON value")
    return repr(value)


def _as_string(text: str) -> str:
    r"""Write a string in double quotes; marks of the formats are escaped, and halves of surrogate pairs."""
    shown = escape_python(json.dumps(text, ensure_ascii=False)).replace("<|", "\\x3c|").replace("```", "\\x60``")
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", shown)
