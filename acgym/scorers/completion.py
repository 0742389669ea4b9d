"""A line of Python that completes a function, compared by its syntax tree; nothing is ever run."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

MAX_LINE = 300
"""A longer line is no completion."""
_FENCE = re.compile(r"^\s*(?:```\w*|>>>)\s*")
_LEAD = re.compile(r"^(?:answer\s*[:=]\s*)?`*(?:return\b)?", re.IGNORECASE)


def read_call(reply: str) -> ast.Call | None:
    """Return the call on the last line of a reply that is one, with or without ``return``, fence or ``Answer:``.

    At most the last 60 lines are tried. None if no line is a call.
    """
    for line in reversed(reply.splitlines()[-60:]):
        said = _LEAD.sub("", _FENCE.sub("", line).strip().strip("*")).strip().rstrip("`").strip()
        if not said.endswith(")") or len(said) > MAX_LINE:
            continue
        try:
            tree = ast.parse(said, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(tree.body, ast.Call):
            return tree.body
    return None


def arguments_of(call: ast.Call, parameters: Sequence[str]) -> dict[str, str] | None:
    """Return parameter -> expression of a call, whether given by place or by name; None for one that does not bind.

    Expressions are written anew from their syntax tree, so that spaces, quotes and brackets make no difference.
    """
    if len(call.args) > len(parameters) or any(isinstance(arg, ast.Starred) for arg in call.args):
        return None
    bound = dict(zip(parameters, map(ast.unparse, call.args), strict=False))
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg not in parameters or keyword.arg in bound:
            return None
        bound[keyword.arg] = ast.unparse(keyword.value)
    return bound


def is_call(reply: str, name: str, parameters: Sequence[str], wanted: Mapping[str, str]) -> tuple[bool, bool] | None:
    """Say whether the call in a reply is of the right function, and whether it is right as a whole.

    Args:
        reply: any text.
        name: of the function, with its module (``rates.settle``); the name alone is the same.
        parameters: of the function, in order.
        wanted: parameter -> expression, as ``ast.unparse`` writes it.

    Returns:
        Both; None if no line of the reply is a call.
    """
    call = read_call(reply)
    if call is None:
        return None
    function = ast.unparse(call.func) in (name, name.rpartition(".")[2])
    return function, function and arguments_of(call, parameters) == dict(wanted)
