"""The simple heuristic of questions: follow names and ids by shared words, then say the field or the number of rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from acgym.text import NotJson, read_json
from acgym.types import Call, Json, ToolSpec, calls_to_action

_COUNTS = re.compile(r"how many|how often|count |number of", re.IGNORECASE)
_NAME = re.compile(r"(?:[A-Z][\w']+)(?: (?:(?:of|the|to|and|in|on|from|for|at) )*[A-Z][\w']+)*")
_TURNS = 4
"""Calls that are made before an answer is given."""


def overlap(told: Sequence[str], replies: Sequence[str], tools: Sequence[ToolSpec]) -> str:
    """Return the next reply, from observations and own replies alone.

    Finds the thing that the question names with the ``find`` function that shares most words with the question, then
    calls the functions that take an id with the last id seen, the one that shares most words first. The answer is the
    number of rows of the last list if the question counts, else the value of the field that shares most words with it,
    else the name in the last result.

    Args:
        told: the rules with the question, and results.
        replies: what was said so far.
        tools: the functions.
    """
    question = told[0].rpartition("\n")[2]
    said = _words(question)
    functions = sorted((tool["function"] for tool in tools), key=lambda f: -_shared(f, said))
    results = [_read(result) for result in told[1:]]
    found = next((result for result in reversed(results) if result), None)
    if not replies or (found is None and len(replies) < _TURNS):
        finders = [
            f for f in functions if "name" in f["parameters"]["properties"] or "title" in f["parameters"]["properties"]
        ]
        names = sorted(_NAME.findall(question), key=len, reverse=True) or [""]
        if finders:
            finder = finders[len(replies) % len(finders)]
            parameter = "title" if "title" in finder["parameters"]["properties"] else "name"
            return calls_to_action(
                (Call(finder["name"], {parameter: names[len(replies) // len(finders) % len(names)]}),)
            )
    if found is None:
        return "Answer: 1"
    if len(replies) < _TURNS:
        made = " ".join(replies)
        for function in functions:
            needs = function["parameters"]["required"]
            value = _id_for(needs[0], found) if len(needs) == 1 else None
            if value is not None and f'"{function["name"]}"' not in made:
                return calls_to_action((Call(function["name"], {needs[0]: value}),))
    return f"Answer: {_answer(question, said, found)}"


def _shared(function: dict[str, Any], said: set[str]) -> int:
    return len(said & _words(f"{function['name'].replace('_', ' ')} {function['description']}"))


def _id_for(parameter: str, rows: list[dict[str, Json]]) -> Json:
    """Return the id that a parameter may mean: a field of that name, else the first row's own id."""
    return rows[0].get(parameter, rows[0].get("id"))


def _answer(question: str, said: set[str], rows: list[dict[str, Json]]) -> Json:
    fields = [name for name in rows[0] if not name.endswith("id")]
    best = max(fields, key=lambda name: len(said & _words(name.replace("_", " "))), default=None)
    known = best is not None and said & _words(best.replace("_", " "))
    if _COUNTS.search(question) and not known:
        return len(rows)
    if known:
        return rows[0][str(best)]
    name = next((field for field in ("name", "title") if field in rows[0]), None)
    return rows[0][name] if name else len(rows)


def _read(result: str) -> list[dict[str, Json]]:
    """Return the rows of a result; none for an error."""
    try:
        value = read_json(result)
    except NotJson:
        return []
    rows = value.get("rows", [value] if "id" in value else []) if isinstance(value, dict) else []
    return [row for row in rows if isinstance(row, dict)]


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z]+", text.lower())}
