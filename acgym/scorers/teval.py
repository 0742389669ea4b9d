"""T-Eval's scores of single replies: plan, instruct, retrieve, understand, review (Chen et al. 2023, arXiv 2312.14033).

Each function takes what a model said and the reference of one row, never raises on any reply, and returns a score in
[0, 1]. ``compat="acbench"`` gives what the published code computes, see :mod:`acgym.scorers.teval_published`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acgym.scorers import teval_published as published
from acgym.scorers.literals import between, plain, read_value, same
from acgym.scorers.workflow_match import Similarity
from acgym.types import Json

__all__ = ["instruct_score", "plan_f1", "retrieve_score", "review_score", "understand_score"]

FORMATS = ("json", "string")
"""How a row asks for its reply."""
NAME_WEIGHT, ARGS_WEIGHT, THRESHOLD = 0.75, 0.25, 0.8
"""Two calls may stand for each other when 0.75 name likeness + 0.25 argument likeness is above 0.8."""
FINISH = "FinishAction"
"""The call that ends a plan; at the end of a plan it does not count."""

_PIECE = re.compile(r"\. |\n")
_API = re.compile(r"\b[A-Za-z_]\w*\.[A-Za-z_]\w+|\bFinishAction\b")
_GAP = r"[^A-Za-z0-9\n]{0,8}"
_SAID = re.compile(rf"(?i:answer|choice|option)\b{_GAP}(?:(?i:is|was)\b{_GAP})?([A-E])\b(?!')")
_FIRST = re.compile(r"[^A-Za-z0-9]{0,16}([A-Ea-e])(?!\.[A-Za-z]|')(?:[^A-Za-z0-9 ]|[^A-Za-z0-9]*$)")
_ALONE = re.compile(r"(?<![A-Za-z0-9'])([B-E])(?![A-Za-z0-9']|\.[A-Za-z])")


class _Step(NamedTuple):
    name: str
    args: Json


def plan_f1(
    predicted: str,
    gold: Sequence[Mapping[str, Json]],
    *,
    names: Sequence[str] | None = None,
    similarity: Similarity | None = None,
    compat: str | None = None,
) -> float:
    """Score a plan: F1 of the longest run of calls that the reply and the reference have in the same order.

    F1 = 2k / (calls of the reply + calls of the reference), k being the longest common subsequence; ``FinishAction`` at
    an end does not count. Nothing in common is 0, two plans without calls are 1. The order of a plan is that of its
    ``id`` where all are integers, otherwise that of writing. Time is linear in the reply.

    Args:
        predicted: a JSON list of ``{"name", "id", "args"}``, or with ``names`` free text.
        gold: the reference calls, in the same form.
        names: the names of the row's tools: each sentence of the reply is a call of the tool that it names first. As
            sentences have no arguments, only names are compared, unless there is a ``similarity``.
        similarity: compares names, and arguments as text; None compares for equality.
        compat: None or ``"acbench"``.

    Raises:
        ValueError: if ``compat`` is unknown.
    """
    if _compat(compat):
        return published.plan_f1(predicted, gold, names, similarity)
    said, true = _calls(predicted) if names is None else _sentences(predicted, names), _steps(gold)
    if said is None or true is None:
        return 0.0
    if not said and not true:
        return 1.0
    row = [0] * (len(true) + 1)
    for step in said:
        diagonal = 0
        for j, other in enumerate(true, 1):
            above = row[j]
            row[j] = diagonal + 1 if _alike(step, other, names is None, similarity) else max(above, row[j - 1])
            diagonal = above
    return 2 * row[-1] / (len(said) + len(true))


def instruct_score(
    predicted: str,
    gold: Mapping[str, Json],
    template: Mapping[str, str],
    *,
    response_format: str,
    compat: str | None = None,
) -> float:
    """Score a call that must be said in a given form: half for the form, half for what is called.

    The second half is the share of right parts: the action, and each argument that the reference or the reply has. (The
    published code does not count arguments too many, and takes a missing argument for an empty text.)

    Args:
        predicted: what a model said.
        gold: ``{"action": name, "args": {...}}``.
        template: for ``"json"`` the keys under which ``thought``, ``action`` and ``args`` are asked for; for
            ``"string"`` the marks ``thought_start``, ``thought_end``, ``action_start``, ``action_end``, ``args_start``
            and ``args_end``.
        response_format: ``"json"`` or ``"string"``.
        compat: None or ``"acbench"``.

    Raises:
        ValueError: if ``compat`` or ``response_format`` is unknown, or the template lacks a key.
    """
    _check(response_format, template)
    if _compat(compat):
        return published.instruct_score(predicted, gold, template, response_format)
    if response_format == "json":
        value = read_value(between(predicted, "{", "}"))
        keys = [template[key] for key in ("thought", "action", "args")]
        if not isinstance(value, dict) or any(key not in value for key in keys):
            return 0.0
        action, args = value[keys[1]], value[keys[2]]
    else:
        found = published.marked(predicted, template, spaces=True)
        if found is None:
            return 0.0
        action, args = found[0].strip(), read_value(found[1].strip())
    right = int(same(action, gold["action"]))
    shared, total = _arguments(args if isinstance(args, dict) else {}, gold["args"])
    return (1 + (right + shared) / (1 + total)) / 2


def retrieve_score(
    predicted: str,
    gold: str,
    *,
    response_format: str = "json",
    names: Sequence[str] | None = None,
    compat: str | None = None,
) -> float:
    """Score the choice of a tool: 1.0 if the reply names the right tool and no other, else 0.0.

    Args:
        predicted: for ``"json"`` an object with ``name``; for ``"string"`` free text.
        gold: the tool's name.
        response_format: ``"json"`` or ``"string"``.
        names: the tools that there are; free text names those of them that stand in it as words of their own. None
            takes what looks like ``api.method`` (the published code takes ``3.5`` and ``e.g`` for names of tools too).
        compat: None or ``"acbench"``.

    Raises:
        ValueError: if ``compat`` or ``response_format`` is unknown.
    """
    _check(response_format)
    if _compat(compat):
        return published.retrieve_score(predicted, gold, response_format)
    if response_format == "json":
        value = read_value(between(predicted, "{", "}"))
        return float(isinstance(value, dict) and value.get("name") == gold)
    if names is None:
        return float(set(_API.findall(predicted)) == {gold})
    tools = "|".join(map(re.escape, sorted({*names, gold}, key=len, reverse=True)))
    return float(set(re.findall(rf"(?<![\w.])(?:{tools})(?!\.?\w)", predicted)) == {gold})


def understand_score(
    predicted: str, gold: Mapping[str, Json] | str, *, response_format: str = "json", compat: str | None = None
) -> float:
    """Score the arguments of a call: the share of right ones among those that the reference or the reply has.

    Two calls without arguments are 1. (The published code does not count arguments too many, and divides by the
    arguments plus 0.00001.)

    Args:
        predicted: for ``"json"`` an object with ``args``; for ``"string"`` the arguments themselves.
        gold: the reference arguments; a text for ``"string"``, compared up to quotes and spaces around it.
        response_format: ``"json"`` or ``"string"``.
        compat: None or ``"acbench"``.

    Raises:
        ValueError: if ``compat`` or ``response_format`` is unknown.
    """
    _check(response_format)
    if _compat(compat):
        return published.understand_score(predicted, gold, response_format)
    if isinstance(gold, str):
        return float(predicted.strip().strip("'\"") == gold.strip().strip("'\""))
    value = read_value(between(predicted, "{", "}"))
    if response_format == "json":
        value = value.get("args") if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return 0.0
    shared, total = _arguments(value, gold)
    return shared / total if total else 1.0


def review_score(predicted: str, gold: str, *, response_format: str = "string", compat: str | None = None) -> float:
    """Score a judgement of a call among five choices: 1.0 for the right letter, else 0.0.

    The letter is read from a JSON object's ``answer``, from the last "answer: B" or "answer is B", from the start of
    the reply ("B", "(B)", "B. The call failed"), or where one letter of B to E stands alone; a reply that names several
    is none. (The published code reads the first letter behind the first colon, and no JSON at all.)

    Args:
        predicted: what a model said.
        gold: the right letter, ``"A"`` to ``"E"``.
        response_format: ``"json"`` or ``"string"``; matters with ``compat`` only.
        compat: None or ``"acbench"``.

    Raises:
        ValueError: if ``compat`` or ``response_format`` is unknown.
    """
    _check(response_format)
    if _compat(compat):
        return published.review_score(predicted, gold, response_format)
    value = read_value(between(predicted, "{", "}"))
    text = str(value["answer"]) if isinstance(value, dict) and "answer" in value else predicted
    said = _SAID.findall(text)
    first = _FIRST.match(text)
    alone = set(_ALONE.findall(text))
    letter = said[-1] if said else first[1] if first else alone.pop() if len(alone) == 1 else ""
    return float(letter.upper() == gold)


def _arguments(said: Mapping[str, Json], true: Mapping[str, Json]) -> tuple[int, int]:
    """Count the arguments that are right, and all that either side has."""
    right = sum(key in said and same(said[key], value) for key, value in true.items())
    return right, len(said.keys() | true.keys())


def _alike(one: _Step, other: _Step, with_args: bool, similarity: Similarity | None) -> bool:
    if similarity is None:
        return one.name == other.name and (not with_args or same(one.args, other.args))
    likeness = NAME_WEIGHT * similarity(one.name, other.name)
    return likeness + ARGS_WEIGHT * similarity(str(one.args), str(other.args)) > THRESHOLD


def _calls(text: str) -> list[_Step] | None:
    """Read a plan that is a JSON list of calls; None if it is none."""
    value = read_value(between(text, "[", "]"))
    return _steps(value) if isinstance(value, list) else None


def _steps(calls: Sequence[Json]) -> list[_Step] | None:
    """Put calls in order, without the one that ends the plan; arguments that are a text of JSON are read."""
    if any(not isinstance(call, Mapping) or not isinstance(call.get("name"), str) for call in calls):
        return None
    if all(type(call.get("id")) is int for call in calls):
        calls = sorted(calls, key=lambda call: int(call["id"]))
    found = []
    for call in calls:
        args = call.get("args", {})
        value = read_value(args) if isinstance(args, str) else plain(args)
        found.append(_Step(call["name"], value if isinstance(value, dict | list) else args))
    return _ended(found)


def _sentences(text: str, names: Sequence[str]) -> list[_Step]:
    """Read a plan in sentences: each calls the tool that it names first, of several at one place the longest name."""
    pattern = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True)))) if names else None
    found = []
    for piece in _PIECE.split(text):
        named = pattern.search(piece) if pattern else None
        if named and named[0]:
            found.append(_Step(named[0], piece))
    return _ended(found)


def _ended(steps: list[_Step]) -> list[_Step]:
    return steps[:-1] if steps and steps[-1].name == FINISH else steps


def _check(response_format: str, template: Mapping[str, str] | None = None) -> None:
    if response_format not in FORMATS:
        raise ValueError(f"response_format must be 'json' or 'string', got {response_format!r}")
    if template is not None:
        wanted = published.MARKS if response_format == "string" else ("thought", "action", "args")
        missing = [key for key in wanted if not isinstance(template.get(key), str)]
        if missing:
            raise ValueError(
                f"the template of a {response_format} reply must hold {', '.join(wanted)}; lacks {missing}"
            )


def _compat(compat: str | None) -> bool:
    if compat not in (None, "acbench"):
        raise ValueError(f"compat must be None or 'acbench', got {compat!r}")
    return compat is not None
