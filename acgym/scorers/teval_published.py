"""T-Eval's scores as the published code computes them, defects included, to explain published numbers.

What differs from :mod:`acgym.scorers.teval`:

* plans: the matching of largest weight that networkx finds is taken, not the best one, and its longest increasing run
  counts at least 1, so that a plan in which nothing matches scores above 0; one call without ``name``, ``id`` or
  ``args`` makes the whole plan unreadable; in sentences the tool listed first wins where two names start at one place;
* instruct: arguments too many are not counted, a missing argument equals an empty text;
* retrieve: in free text anything of the form ``word.word`` is a tool that was named;
* understand: values are compared as Python writes them, arguments too many are not counted, a perfect answer scores
  n / (n + 0.00001);
* review: the first character behind the first colon is the answer; a JSON reply always scores 0.

Where the published code stops with an error the score is 0.0. Marks of a template are taken as they are, where it takes
them for regular expressions. Read from github.com/open-compass/T-Eval (Apache-2.0), which ACBench copies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from acgym.scorers.literals import MISSING, literal
from acgym.scorers.workflow_match import Similarity
from acgym.types import Json

MARKS = ("thought_start", "thought_end", "action_start", "action_end", "args_start", "args_end")
NAME_WEIGHT, ARGS_WEIGHT, THRESHOLD = 0.75, 0.25, 0.8

_TOOL = re.compile(r"\w+(\.\w+)?")  # words are consumed whole: the pattern "word.word" by itself is quadratic


def load(text: str, opening: str = "", closing: str = "") -> object:
    """Read a value: what stands behind a JSON fence, cut to the given characters; ``MISSING`` if it is none."""
    if "```json" in text:
        text = text[text.find("```json") + len("```json") :].strip("`")
    if opening:
        text = text[text.find(opening) :]
    if closing:
        text = text[: text.rfind(closing) + len(closing)]
    value = literal(text)
    for attempt in (text, text.replace("'", '"')):
        if value is MISSING:
            try:
                value = json.loads(attempt)
            except (ValueError, RecursionError):
                value = MISSING
    return value


def plan_f1(predicted: str, gold: Sequence[Json], names: Sequence[str] | None, similarity: Similarity | None) -> float:
    """Return the published F1 of a plan."""
    said = _calls(load(predicted, "[", "]")) if names is None else _sentences(predicted, names)
    true = _calls(list(gold))
    if not said or not true:
        return 0.0
    said, true = (sorted(plan, key=lambda call: call[0]) for plan in (said, true))
    short, wanted = (plan[:-1] if plan[-1][1] == "FinishAction" else plan for plan in (said, true))
    if not short or not wanted:
        return 0.0
    match = _match(short, wanted, similarity)
    longest: dict[int, int] = {}
    for i in sorted(match):
        longest[match[i]] = 1 + max((size for place, size in longest.items() if place < match[i]), default=0)
    run = max(longest.values(), default=1)
    return 2 * run / (len(short) + len(wanted))


_Call = tuple[int, str, str]


def _calls(value: object) -> list[_Call]:
    """Read (id, name, arguments as text) of each call; nothing if one of them lacks a part."""
    if not isinstance(value, list):
        return []
    try:
        return [(int(call["id"]), str(call["name"]), str(call["args"])) for call in value]
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, RecursionError):
        return []


def _sentences(text: str, names: Sequence[str]) -> list[_Call]:
    found: list[_Call] = []
    for piece in text.replace(". ", "\n").split("\n"):
        places = [(piece.find(name), rank) for rank, name in enumerate(names) if name in piece]
        if places and names[min(places)[1]]:
            found.append((len(found), names[min(places)[1]], piece))
    return found


def _match(said: Sequence[_Call], true: Sequence[_Call], similarity: Similarity | None) -> dict[int, int]:
    import networkx

    alike = similarity or (lambda one, other: float(one == other))
    graph: Any = networkx.Graph()
    for i, (_, name, args) in enumerate(said):
        for j, (_, other, others) in enumerate(true):
            weight = NAME_WEIGHT * alike(name, other) + ARGS_WEIGHT * alike(args, others)
            if weight > THRESHOLD:
                graph.add_edge(i, str(j), weight=weight)
    ends = [pair if isinstance(pair[0], int) else pair[::-1] for pair in networkx.max_weight_matching(graph)]
    return {i: int(j) for i, j in ends}


def instruct_score(
    predicted: str, gold: Mapping[str, Json], template: Mapping[str, str], response_format: str
) -> float:
    """Return the mean of the published format and argument scores."""
    args: object
    if response_format == "json":
        value = load(predicted)
        if not isinstance(value, dict) or any(template[key] not in value for key in ("thought", "action", "args")):
            return 0.0
        action, args = value[template["action"]], value[template["args"]]
    else:
        found = marked(predicted, template)
        if found is None:
            return 0.0
        action, args = found[0].strip(), literal(found[1].strip())
    held = args if isinstance(args, dict) else {}
    right = int(action == gold["action"])
    right += sum(bool(held.get(key, "") == value) for key, value in gold["args"].items())
    share: float = right / (len(gold["args"]) + 1)
    return (1 + share) / 2


def marked(text: str, template: Mapping[str, str], spaces: bool = False) -> tuple[str, str] | None:
    """Cut action and arguments out of a reply in marks; of several places for a mark the last that fits, as there.

    Args:
        text: the reply.
        template: the six marks.
        spaces: allow spaces and line breaks where two marks meet.

    Returns:
        Action and arguments, or None where the marks are not all there in their order. Linear in the text.
    """
    start, *joints, end = (template[key] for key in MARKS)
    stop = text.rfind(end)
    found: list[str] = []
    for one, other in ((joints[2], joints[3]), (joints[0], joints[1])):
        inner = text.rfind(other if spaces else one + other, 0, max(stop, 0))
        outer = text.rfind(one, 0, inner) if spaces and inner >= 0 else inner
        if stop < 0 or outer < 0 or (spaces and text[outer + len(one) : inner].strip()):
            return None
        found.append(text[inner + len(other if spaces else one + other) : stop])
        stop = outer
    return (found[1], found[0]) if 0 <= text.find(start) <= stop - len(start) else None


def retrieve_score(predicted: str, gold: str, response_format: str) -> float:
    """Return the published 0 or 1."""
    if response_format == "json":
        value = load(predicted, "{", "}")
        return float(isinstance(value, dict) and "name" in value and str(value["name"]) == gold)
    if gold not in predicted:
        return 0.0
    named = {found[0] for found in _TOOL.finditer(predicted) if found[1]}
    if "FinishAction" in predicted:
        named.add("FinishAction")
    return float(named <= {gold})


def understand_score(predicted: str, gold: Mapping[str, Json] | str, response_format: str) -> float:
    """Return the published share of right arguments."""
    if isinstance(gold, str) or response_format == "string":
        return float(predicted.strip("'").strip('"') == str(gold))
    value = load(predicted, "{", "}")
    args = value.get("args") if isinstance(value, dict) else None
    held = args if isinstance(args, dict) else {}
    if not isinstance(value, dict):
        return 0.0
    if not gold:
        return float(not held)
    return sum(key in held and str(held[key]) == str(true) for key, true in gold.items()) / (len(gold) + 1e-5)


def review_score(predicted: str, gold: str, response_format: str) -> float:
    """Return the published 0 or 1."""
    if response_format == "json":
        return 0.0
    said = predicted[predicted.find(":") + 1 :].strip()
    return float(said[:1] in ("A", "B", "C", "D", "E") and said[:1] == gold)
