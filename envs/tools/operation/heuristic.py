"""The simple heuristic of operation: for each sentence a search, then the function that shares most words with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from acgym.text import NotJson, read_json
from acgym.types import Call, Json, ToolSpec, calls_to_action

_SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z\"])")
_QUOTED = re.compile(r'"([^"]+)"')
_PERSON = re.compile(r"\b([A-Z][a-z]+ [A-Z][a-z]+)\b")
_ABOUT = re.compile(
    r"\b(?:about|under|subject|mail|message) ([A-Z][\w' -]*?)(?= by| from| that|,|\.| to | as | into |$)"
)
_FORMS = {
    "day": re.compile(r"(\d{4}-\d{2}-\d{2})"),
    "due": re.compile(r"(\d{4}-\d{2}-\d{2})"),
    "start": re.compile(r"\b(\d{1,2}:\d{2})\b"),
    "room": re.compile(r"\b(?:room|to|in) ([A-Z][a-z]+)\b"),
    "sheet": re.compile(r"[Ss]heet ([A-Z][a-z]+)"),
    "customer": re.compile(r"\b(?:of|from|for|customer) ([A-Z][a-z]+ [A-Z][a-z]+)"),
    "column": re.compile(r"\bthe (count|minimum|shelf|supplier|euros|state|city|approved|course|hours|passed)\b"),
    "value": re.compile(r"\b(?:be|to|write|say) (\w+)"),
}
"""What a value looks like in a sentence, by the parameter that it goes to."""


def overlap(told: Sequence[str], replies: Sequence[str], tools: Sequence[ToolSpec]) -> str:
    """Return the next reply, from observations and own replies alone.

    Each sentence of the request that shares at least two words with a function that changes something takes two
    replies: a search for what the sentence names, then that function, with the row that the search found (in a sheet,
    the one that holds a name of the sentence) and with what looks like its arguments. Then ``Done.``

    Args:
        told: the rules with the request, and results.
        replies: what was said so far.
        tools: the functions.
    """
    functions = [tool["function"] for tool in tools]
    acts = [f for f in functions if not f["name"].startswith(("search", "read", "list", "sum"))]
    request = told[0].rpartition("\n")[2]
    sentences = [s for s in _SENTENCE.split(request) if acts and _best(s, acts)[0] > 1]
    at, second = divmod(len(replies), 2)
    if at >= len(sentences):
        return "Done."
    sentence = sentences[at]
    act = _best(sentence, acts)[1]
    if not second:
        return _search(act, functions, sentence)
    return calls_to_action((Call(act["name"], _filled(act, sentence, _found(told[-1], sentence))),))


def _best(sentence: str, functions: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Return the function that shares most words with a sentence, and how many."""
    said = _words(sentence)
    scored = [
        (len(said & _words(f"{f['name'].replace('_', ' ')} {f['description']}")), i) for i, f in enumerate(functions)
    ]
    score, i = max(scored, key=lambda pair: (pair[0], -pair[1]))
    return score, functions[i]


def _search(act: dict[str, Any], functions: list[dict[str, Any]], sentence: str) -> str:
    """Search for what a function acts on, by what the sentence names it."""
    kind = next((name.removesuffix("_id") for name in act["parameters"]["properties"] if name.endswith("_id")), "")
    looks = [f for f in functions if f["name"] == ("read_sheet" if kind == "row" else f"search_{kind}".rstrip("s"))]
    looks = looks or [f for f in functions if f["name"].startswith(f"search_{kind}")] or functions[:1]
    properties = looks[0]["parameters"]["properties"]
    arguments = {}
    for name in ("title", "subject", "sheet"):
        value = _value(name, sentence, []) if name in properties else None
        if value is not None:
            arguments[name] = value
    return calls_to_action((Call(looks[0]["name"], arguments),))


def _filled(act: dict[str, Any], sentence: str, row: dict[str, Json]) -> dict[str, Json]:
    arguments: dict[str, Json] = {}
    quoted = _QUOTED.findall(sentence)
    for name, form in act["parameters"]["properties"].items():
        value: Json = None
        if name.endswith("_id"):
            value = row.get("id", "")
        elif "enum" in form:
            value = next((word for word in form["enum"] if re.search(rf"\b{word}\b", sentence)), None)
        elif form["type"] == "integer":
            value = next((int(number) for number in re.findall(r"\b(\d+) minutes", sentence)), None)
        elif form["type"] == "array":
            value = _PERSON.findall(sentence)
        elif form["type"] != "object":
            value = _value(name, sentence, quoted)
        if value is not None:
            arguments[name] = int(value) if name == "value" and str(value).isdecimal() else value
    return arguments


def _value(name: str, sentence: str, quoted: list[str]) -> Json:
    """Return what looks like the value of a parameter."""
    if name in _FORMS:
        found = _FORMS[name].findall(sentence)
        return found[-1] if found else None
    if name in ("to", "assignee", "people", "from"):
        found = _PERSON.findall(_QUOTED.sub("", sentence))
        return found[-1] if found else None
    if name == "subject" and not quoted:
        about = _ABOUT.search(sentence)
        return about[1] if about else None
    quoted = quoted or _QUOTED.findall(sentence)
    return (quoted[0] if name in ("title", "subject") else quoted[-1]) if quoted else None


def _found(result: str, sentence: str) -> dict[str, Json]:
    """Return the row of a result that the sentence names most of, the first of several."""
    try:
        value = read_json(result)
    except NotJson:
        return {}
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return max(rows, key=lambda row: sum(str(cell) in sentence for cell in row.values()), default={})


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z]{3,}", text.lower())} - _COMMON


_COMMON = {
    *("the", "and", "for", "that", "with", "from", "are", "not", "all", "into", "out", "somebody", "another", "who"),
}  # fmt: skip
