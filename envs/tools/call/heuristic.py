"""The simple heuristic of tool calling: for each sentence the tool with the most words in common, literal values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from acgym.text import NotJson, read_json
from acgym.types import Call, Json, ToolSpec, calls_to_action

_CLAUSE = re.compile(r", then |\. Then |\. ")


def overlap(told: Sequence[str], tools: Sequence[ToolSpec]) -> str:
    """Return the next reply, from all observations so far.

    Each sentence of the request is one call of the tool whose name and description share most words with it. An
    argument is what follows its name in the sentence, or else the value that an earlier result gives under that name.
    Then the answer: the value of the last result whose name the last sentence has, or ``Done.``

    Args:
        told: request and results.
        tools: what can be called.
    """
    clauses = [clause for clause in _CLAUSE.split(told[0].rpartition("\n")[2].rstrip(".")) if clause]
    known: dict[str, Json] = {}
    for result in told[1:]:
        known |= _read(result)
    made = len(told) - 1
    if made < len(clauses):
        return calls_to_action((_call(clauses[made], tools, known),))
    last = _words(clauses[-1])
    answer = next((value for name, value in known.items() if name in last and clauses[-1].find(name) >= 0), None)
    return "Done." if answer is None else f"Answer: {answer}"


def _call(clause: str, tools: Sequence[ToolSpec], known: dict[str, Json]) -> Call:
    """Choose the tool for a sentence and fill it in."""
    said = _words(clause)

    def shared(tool: ToolSpec) -> tuple[int, int]:
        function = tool["function"]
        return len(said & _words(function["name"].replace("_", " "))), len(said & _words(function["description"]))

    function = max(tools, key=shared)["function"]
    schema = function["parameters"]
    arguments: dict[str, Json] = {}
    for name, form in schema["properties"].items():
        value = _literal(clause, name, form)
        value = known.get(name) if value is None else value
        if value is not None:
            arguments[name] = value
    return Call(function["name"], arguments)


def _literal(clause: str, name: str, form: dict[str, Any]) -> Json:
    """Return what follows a parameter's name in the sentence, as its type; None if nothing does."""
    found = re.search(rf'\b{re.escape(name)} (?:"([^"]*)"|([\w.-]+))', clause)
    if found is None:
        return None
    said = found[1] if found[1] is not None else found[2].rstrip(".")
    if form.get("type") in ("integer", "number"):
        return float(said) if re.fullmatch(r"\d+\.\d+", said) else int(said) if said.isdecimal() else None
    return said if "enum" not in form or said in form["enum"] else None


def _read(result: str) -> dict[str, Json]:
    try:
        value = read_json(result)
    except NotJson:
        return {}
    return value if isinstance(value, dict) and "error" not in value and "done" not in value else {}


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
