"""The simple heuristic of tool calling: for each sentence the tool with the most words in common, literal values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from acgym.text import NotJson, read_json
from acgym.types import Call, Json, ToolSpec, calls_to_action

_CLAUSE = re.compile(r", then |[.;?!:/+] (?:and |also,? |then |after that, |next, )*|\. ")
_TOLD = re.compile(r'the (\w+) is "?([\w.-]+?)"?(?=[.,]|$)', re.IGNORECASE)


def overlap(told: Sequence[str], tools: Sequence[ToolSpec]) -> str:
    """Return the next reply, from all observations so far.

    Each sentence of the request is one call of the tool whose name and description share most words with it. An
    argument is what follows its name in the sentence, or else the value that an earlier result gives under that name;
    one that must be given and is not is asked of the user. A sentence that shares no word with the tool's name is left
    out; one that says one word of the name's last two and not the other is refused. Then the answer: the value of the
    last result whose name the last sentence has, or ``Done.``

    Args:
        told: request and results.
        tools: what can be called.
    """
    known: dict[str, Json] = {}
    made = asked = 0
    for result in told[1:]:
        heard = _read(result)
        asked += "user" in heard
        made += "user" not in heard
        known |= dict(_TOLD.findall(str(heard.pop("user", "")))) | heard
    refused = set()
    calls = []
    clauses = [clause for clause in _CLAUSE.split(told[0].rpartition("\n")[2].rstrip(".")) if clause]
    for clause in clauses:
        call, missing = _call(clause, tools, known)
        *_, kind, noun = ["", *call.name.split("_")]
        said = _words(clause)
        if len(tools) == 3:  # none of them looks alike
            calls.append((call, missing))
        elif {kind, noun} <= said or {kind, f"{noun}s"} <= said:
            calls += _looks(clause, call, tools, known)
            codes = re.findall(r'"([^"]*)"', clause) if f"{noun}s" in said else []
            calls += [(Call(call.name, {**call.arguments, noun: code}), []) for code in codes] or [(call, missing)]
        elif noun in said:
            refused.add(noun)
    if made < len(calls):
        call, missing = calls[made]
        if missing and asked < 2 and any(tool["function"]["name"] == "ask_user" for tool in tools):
            about = call.name.partition("_")[2].replace("_", " ")
            return calls_to_action((Call("ask_user", {"question": f"What is the {missing[0]} of the {about}?"}),))
        return calls_to_action((call,))
    last = clauses[-1] if clauses else ""
    answer = next((value for name, value in known.items() if name in _words(last)), None)
    end = "Done." if answer is None else f"Answer: {answer}"
    return f"{end}\nRefused: {', '.join(sorted(refused))}" if refused else end


def _looks(clause: str, call: Call, tools: Sequence[ToolSpec], known: dict[str, Json]) -> list[tuple[Call, list[str]]]:
    """Return a look-up for each other thing that the sentence names and a tool finds, the last one first."""
    found = []
    for tool in tools:
        name = tool["function"]["name"]
        if name.startswith("find_") and name != call.name:
            phrase = name.removeprefix("find_").replace("_", " ")
            key = phrase.split(" ")[-1]
            at = clause.find(phrase)
            if at >= 0 and phrase.replace(" ", "_") != call.name.partition("_")[2]:
                code = re.search(rf'{phrase} "([^"]*)"', clause)
                value = code[1] if code else known.get(key)
                found.append((at, Call(name, {} if value is None else {key: value})))
    return [(one, []) for _, one in sorted(found, key=lambda row: -row[0])]


def _call(clause: str, tools: Sequence[ToolSpec], known: dict[str, Json]) -> tuple[Call, list[str]]:
    """Choose the tool for a sentence and fill it in; also return the names that must be given and are not."""
    said = _words(clause)

    def shared(tool: ToolSpec) -> tuple[int, int]:
        function = tool["function"]
        return len(said & _words(function["name"].replace("_", " "))), len(said & _words(function["description"]))

    function = max(tools, key=shared)["function"]
    schema = function["parameters"]
    arguments: dict[str, Json] = {}
    for name, form in schema["properties"].items():
        value = _literal(clause, name, form) if name in schema["required"] or name not in ("page", "fresh") else None
        value = known.get(name) if value is None else value
        if value is not None:
            arguments[name] = value
    return Call(function["name"], arguments), [name for name in schema["required"] if name not in arguments]


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
