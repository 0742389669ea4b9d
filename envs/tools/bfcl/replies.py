"""The calls in a reply: canonical call JSON, or calls as text in Python's syntax, parsed and never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from acgym.scorers.bfcl import Language
from acgym.text import excerpt
from acgym.tool_calls import read_calls
from acgym.types import Call, Json

_STRING = re.compile(r"""'[^'\\\n]*(?:\\.[^'\\\n]*)*'|"[^"\\\n]*(?:\\.[^"\\\n]*)*\"""", re.DOTALL)
_FENCE = re.compile(r"\A```[a-z]*\n?(.*?)\n?```\Z", re.DOTALL)
_STARTS = re.compile(r"\[?\s*[A-Za-z_][\w.]*\s*\(")
_PLAIN = re.compile(r"[\w\s.,=:+\-\[\]{}()'\"]*")
# Calls of literals need none of these; an expression that nests as deep as it is long needs one of them.
_NESTS = re.compile(r"[-+]\s*[-+]|[\w\])}'\"]\s*[-+]|[\])}'\"]\s*[\[({]|\w\s*\[|(?:\.\s*\w+\s*){20}")
_WORDS = re.compile(r"\b(?:not|lambda|if|else|for|in|is|and|or|await|yield|async)\b")
_EXPONENTS = re.compile(r"\d[eE][-+]\d")
_MAX_DEPTH = 50


class _NoCalls(Exception):
    """The text is no list of calls."""


def calls_in(action: str, language: Language = "python") -> tuple[Call, ...]:
    """Return the calls in a reply, in order; empty when there are none or any cannot be read. Never raises.

    Args:
        action: the reply: one canonical call object or a list of them (:func:`acgym.tool_calls.read_calls`), or text
            such as ``[f(a=1), g.h(b="x")]``, the brackets and a code fence being optional.
        language: in Java and JavaScript, values that are not quoted are taken as the source code that they are.

    In calls as text, values are literals, a bare name stands for its own text (a variable), and arguments without a
    name are not read, as the leaderboard does it.
    """
    calls = read_calls(action)
    if calls:
        return calls
    text = action.strip()
    fenced = _FENCE.match(text)
    if fenced:
        text = fenced[1].strip()
        calls = read_calls(text)
        if calls:
            return calls
    if not _STARTS.match(text) or text[-1:] not in (")", "]"):
        return ()
    try:
        return _python_calls(text, language)
    except _NoCalls:
        return ()


def gold_call(text: str, parameters: Mapping[str, Sequence[str]]) -> Call:
    """Return a gold call, written as text in Python's syntax; arguments without a name are named by their place.

    Args:
        text: such as ``"sort('a.txt')"``.
        parameters: function -> its parameters in order.

    Raises:
        ValueError: if it is no call of one of the functions with literal arguments.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        call = _call(tree, text, "python")
        names = parameters[call.name]
        placed = [_value(arg) for arg in tree.args] if isinstance(tree, ast.Call) else []
        return Call(call.name, {**dict(zip(names, placed, strict=False)), **call.arguments})
    except (_NoCalls, KeyError, SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{excerpt(text)} is no call of a function of the row") from None


def looks_broken(action: str) -> bool:
    """Say whether a reply without readable calls was meant as one: it begins as JSON or holds a call's tag."""
    return action.lstrip()[:1] in ("{", "[") or "<tool_call>" in action


def _python_calls(text: str, language: Language) -> tuple[Call, ...]:
    _refuse_nesting(text)
    try:
        lines = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _NoCalls from None
    nodes: list[ast.expr] = []
    for line in lines:
        if not isinstance(line, ast.Expr):
            raise _NoCalls
        nodes += line.value.elts if isinstance(line.value, ast.List | ast.Tuple) else [line.value]
    return tuple(_call(node, text, language) for node in nodes)


def _refuse_nesting(text: str) -> None:
    """Refuse text that a parser could only read by going deep, before it is parsed; linear in its length."""
    outside = _EXPONENTS.sub("0", _STRING.sub(" '' ", text))
    if not _PLAIN.fullmatch(outside) or _NESTS.search(outside) or _WORDS.search(outside):
        raise _NoCalls
    depth = 0
    for char in outside:
        depth += (char in "([{") - (char in ")]}")
        if depth > _MAX_DEPTH:
            raise _NoCalls


def _call(node: ast.expr, text: str, language: Language) -> Call:
    if not isinstance(node, ast.Call):
        raise _NoCalls
    name = ast.unparse(node.func)
    if not re.fullmatch(r"[\w.]+", name):
        raise _NoCalls
    arguments: dict[str, Json] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise _NoCalls
        arguments[keyword.arg] = _value(keyword.value) if language == "python" else _source(keyword.value, text)
    return Call(name, arguments)


def _source(node: ast.expr, text: str) -> Json:
    """Return a value of another language: quoted text without its quotes, anything else as it stands."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ast.get_source_segment(text, node) or ""


def _value(node: ast.expr) -> Json:
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str | int | float)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        number = node.operand.value
        if (
            isinstance(number, int | float)
            and not isinstance(number, bool)
            and isinstance(node.op, ast.USub | ast.UAdd)
        ):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [_value(key) for key in node.keys if key is not None]
        if all(isinstance(key, str | int | float) for key in keys):
            return dict(zip(keys, (_value(item) for item in node.values), strict=True))
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call | ast.Attribute):
        return ast.unparse(node)
    raise _NoCalls
