"""Simple heuristics of the six abilities: searches for words, first values, fixed choices."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from acgym.types import Json

_WORD = re.compile(r"[a-z]{3,}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CODE = re.compile(r"\b[A-Z]+[- ]?\d[\w-]*|\b\w+@[\w.]+|\b\d{4}-\d\d-\d\d")
_WISH = re.compile(r"\n(?:The user wants|\d users want):\n")
_CLAUSE = re.compile(r"[.;:?!,]\s|\band\b|\bthen\b")
_NUMBER = re.compile(r"\b\d[\d,]*(?:\.\d+)?")


def stems(text: str) -> set[str]:
    """Words cut to five letters, names opened."""
    return {word[:5] for word in _WORD.findall(_CAMEL.sub(" ", text.replace("_", " ")).lower())}


def ranked(text: str, documents: Sequence[set[str]]) -> list[int]:
    """Order documents by the rare words that they share with a text, the most first."""
    often = Counter(word for document in documents for word in document)
    said = stems(text)
    scores = [
        sum(math.log(1 + len(documents) / often[word]) for word in sorted(said & document)) / (4 + len(document)) ** 0.5
        for document in documents
    ]
    return sorted(range(len(documents)), key=lambda i: -scores[i])


def listed(told: str, title: str) -> list[str]:
    """Return the numbered lines below a title."""
    rows = told.rpartition(f"{title}:\n")[2].split("\n")
    return [row.partition(". ")[2] for row in rows if re.match(r"\d+\. ", row)]


def best_tools(told: str) -> list[str]:
    """For each request, name the tool whose name and description share most rare words with it."""
    rows = told.partition("Tools:\n")[2].partition("\nRequests:")[0].split("\n")
    documents = [stems(row) for row in rows]
    names = [row[2:].partition("(")[0] for row in rows]
    return [names[ranked(text, documents)[0]] for text in listed(told, "Requests")]


def mentioned(told: str) -> list[str]:
    """For each clause of what the user wants, name the tool that shares most rare words with it; each tool once."""
    body = told.partition("Tools:\n")[2]
    mark = _WISH.search(body)
    docs, wish = (body[: mark.start()], body[mark.end() :]) if mark else (body, "")
    rows = docs.split("\n")
    documents = [stems(row) for row in rows]
    names = [row[2:].partition("(")[0] for row in rows]
    clauses = _CLAUSE.split(wish)
    best = [ranked(clause, documents)[0] for clause in clauses if stems(clause)]
    return list(dict.fromkeys(names[i] for i in best)) or names[:1]


def first_values(request: str, properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Json]:
    """Fill arguments with what stands in a request: an enum's word, else the next number or code."""
    numbers = [float(n.replace(",", "")) for n in _NUMBER.findall(request)]
    codes = _CODE.findall(request)
    made: dict[str, Json] = {}
    for name, form in properties.items():
        value: Json = None
        if "enum" in form:
            value = next((v for v in form["enum"] if stems(str(v)) & stems(request)), None)
            value = form["enum"][0] if value is None and name in required else value
        elif form.get("type") in ("integer", "number"):
            value = numbers.pop(0) if numbers else None
            value = int(value) if isinstance(value, float) and value.is_integer() else value
        elif form.get("type") == "string" and (codes or name in required):
            value = codes.pop(0) if codes else ""
        elif form.get("type") == "boolean" and stems(name) & stems(request):
            value = True
        if value is not None:
            made[name] = value
    return made


def filled(told: str) -> list[tuple[str, dict[str, Json]]]:
    """For each request, its function and the first values of its parameters."""
    found = []
    for block in told.split("\nFunction ")[1:]:
        documentation, _, rest = block.partition(": ")[2].partition("\n")
        tool = json.loads(documentation)
        said = rest.partition(": ")[2].partition("\n")[0]
        form = tool["parameters"]
        found.append((tool["name"], first_values(said, form["properties"], form["required"])))
    return found


_BROKEN = re.compile(
    r"5\d\d|server|service|timed? ?out|unavailable|not reach|could not|down for|database|internal|restart", re.I
)
_SITUATION = re.compile(r"^Request: (.*)\nTool: .*\nCall: \w+\((.*)\)\nResult: (.*)$", re.MULTILINE)
_VALUE = re.compile(r'"([^"]*)"(?!:)')
_CODELIKE = re.compile(r"[a-z].*\d|@| \D")
"""Letters before digits, as ids have them, or an address; days, times and numbers are said in other ways."""
_FINE = re.compile(r"\bdone\b|success|complete|confirm|no (?:limit|error|permission)|through", re.I)
_BAD = re.compile(r"4(?:00|04|22)|must|no such|not found|does not exist|unknown|invalid|no \w+ is|needs", re.I)


def by_codes(told: str) -> list[str]:
    """Judge situations by the call's words and codes, and by what comes back.

    Where none of them stands in the request, no call was needed; where some do and a code does not, it is wrong; else
    what a service says is judged by the words that such messages have, and anything else is solved.
    """
    labels = []
    for said, call, row in _SITUATION.findall(told):
        spaced = said.casefold().replace(" ", "")
        values = [value.casefold().replace(" ", "") for value in _VALUE.findall(call)]
        there = [value in spaced for value in values]
        codes = [bool(_CODELIKE.search(value)) for value in values]
        if values and not any(there) and all(codes):
            labels.append("not_needed")
        elif any(code and not found for code, found in zip(codes, there, strict=True)):
            labels.append("wrong_arguments")
        elif '"error": ' not in row and ('"message": ' not in row or _FINE.search(row.rpartition('"message": ')[2])):
            labels.append("solved")
        elif _BROKEN.search(row):
            labels.append("tool_error")
        else:
            labels.append("wrong_arguments" if _BAD.search(row) else "refused")
    return labels


def likeliest_options(told: str) -> list[str]:
    """For each situation, the option that shares most rare words with what was said in it.

    Options that end, that repeat a call, or that hold a code which stands nowhere else come last.
    """
    chosen = []
    for block in re.split(r"^Situation \d+$", told, flags=re.MULTILINE)[1:]:
        before, _, after = block.partition("\nOptions:\n")
        options = [row[3:] for row in after.split("\n") if re.match(r"[A-Z]\) ", row)]
        open_ones = [option for option in options if not _idle(option, before)] or options
        if options:
            best = open_ones[ranked(before, [stems(option) for option in open_ones])[0]]
            chosen.append("ABCDEFGH"[options.index(best)])
    return chosen


def _idle(option: str, before: str) -> bool:
    done = option.startswith("All that was asked") or f"Call: {option}\n" in before
    return done or any(code not in before for code in _CODE.findall(option) if not code[:2].isdigit())


_QUOTED = re.compile(r'"([a-z_]+)"')
_PLACEHOLDERS = ("function_name", "some_argument", "another")
_EXAMPLE = re.compile(
    r"^(\S+?)a short sentence(\S+)\n(\S+?)function_name(\S+)\n(.+?)\s*(?:\{|some_argument)", re.MULTILINE
)


def usual_format(form: str, told: str) -> dict[str, Json]:
    """Guess a form: an example's keys or marks, else keys in the order in which the second sentence names them."""
    if form == "json":
        described = told if '": "a short' in told else told.partition(". ")[2]
        keys = [key for key in dict.fromkeys(_QUOTED.findall(described)) if key not in _PLACEHOLDERS]
        return {"keys": [*keys, "thought", "action", "args"][:3], "style": "object", "extra": None, "pair": []}
    found = _EXAMPLE.search(told)
    last = told.rstrip().rpartition("}")[2] if found else ""
    marks = (
        [*found.groups(), last] if found else ["<thought>", "</thought>", "<action>", "</action>", "<args>", "</args>"]
    )
    return {"marks": marks, "style": "json"}
