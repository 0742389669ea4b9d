"""The simple heuristic of operation: for each sentence a search, then the function that shares most words with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from acgym.text import NotJson, read_json
from acgym.types import Call, Json, ToolSpec, calls_to_action

_SENTENCE = re.compile(r"(?<=[.?!]) ")
_PIECES = re.compile(r'"([^"]+)"|\b((?:[A-Z][\w\'-]+)(?: [A-Z][\w\'-]+)*)|\b(\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}|\d+)')


def overlap(told: Sequence[str], replies: Sequence[str], tools: Sequence[ToolSpec]) -> str:
    """Return the next reply, from observations and own replies alone.

    Each sentence of the request that shares words with a function takes two replies: the search function that shares
    most words with it, asked for the sentence's first name or quotation; then the function that changes something and
    shares most words, with the first id that the search found, the words of its lists that occur in the sentence, and
    the names, quotations, days, times and numbers of the sentence in their order. Then ``Done.``

    Args:
        told: the rules with the request, and results.
        replies: what was said so far.
        tools: the functions.
    """
    functions = [tool["function"] for tool in tools]
    acts = [f for f in functions if not f["name"].startswith(("search", "read", "list", "sum"))]
    sentences = [s for s in _SENTENCE.split(told[0].rpartition("\n")[2]) if acts and _best(s, acts)[0] > 1]
    at, second = divmod(len(replies), 2)
    if at >= len(sentences):
        return "Done."
    sentence = sentences[at]
    pieces = ["".join(found) for found in _PIECES.findall(sentence)]
    act = _best(sentence, acts)[1]
    if not second:
        return _search(act, functions, pieces)
    return calls_to_action((Call(act["name"], _filled(act, sentence, pieces, _first_id(told[-1]))),))


def _best(sentence: str, functions: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Return the function that shares most words with a sentence, and how many."""
    said = _words(sentence)
    scored = [
        (len(said & _words(f"{f['name'].replace('_', ' ')} {f['description']}")), i) for i, f in enumerate(functions)
    ]
    score, i = max(scored, key=lambda pair: (pair[0], -pair[1]))
    return score, functions[i]


def _search(act: dict[str, Any], functions: list[dict[str, Any]], pieces: list[str]) -> str:
    """Search for what a function acts on, by the first name or quotation."""
    kind = next((name.removesuffix("_id") for name in act["parameters"]["properties"] if name.endswith("_id")), "")
    for function in functions:
        properties = function["parameters"]["properties"]
        by = next((name for name in ("title", "subject", "sheet") if name in properties), None)
        if function["name"].startswith(("search", "read_sheet")) and by and (kind in function["name"] or kind == "row"):
            quoted = [piece for piece in pieces if " " in piece] or pieces or [""]
            return calls_to_action((Call(function["name"], {by: quoted[-1]}),))
    return calls_to_action((Call(functions[0]["name"], {}),))


def _filled(act: dict[str, Any], sentence: str, pieces: list[str], key: str) -> dict[str, Json]:
    arguments: dict[str, Json] = {}
    left = list(pieces)
    for name in act["parameters"]["required"]:
        form = act["parameters"]["properties"][name]
        if name.endswith("_id"):
            arguments[name] = key
        elif "enum" in form:
            arguments[name] = next((word for word in form["enum"] if word in sentence), form["enum"][0])
        elif form["type"] == "integer":
            arguments[name] = next((int(piece) for piece in left if piece.isdigit()), 30)
        elif form["type"] == "object":
            arguments[name] = {}
        else:
            arguments[name] = left.pop() if left else ""
    return arguments


def _first_id(result: str) -> str:
    try:
        value = read_json(result)
    except NotJson:
        return ""
    row = value[0] if isinstance(value, list) and value else value
    return str(row.get("id", "")) if isinstance(row, dict) else ""


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z]{3,}", text.lower())} - _COMMON


_COMMON = {
    *("the", "and", "for", "that", "with", "from", "are", "not", "all", "into", "out", "somebody", "another", "who"),
}  # fmt: skip
