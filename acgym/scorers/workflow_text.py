"""Workflow answers in the WorfBench text format, read into a graph."""

from __future__ import annotations

import re
from typing import NamedTuple

# Each pattern is matched against one line, from its start, and no two neighbouring repeats take the same characters, so
# that reading is linear in the text.
_HEAD = re.compile(
    r"[ \t>#*_`-]*nodes?(?:[ \t]+list)?[ \t*_`\r]*(?:[:：][ \t*_`\r]*(.*)|$)",
    re.IGNORECASE,
)
_EDGE_HEAD = re.compile(r"[ \t>#*_`-]*edges?(?:[ \t]+list)?[ \t*_`\r]*(?:[:：]|$)", re.IGNORECASE)
_EDGE_HEAD_WITHIN = re.compile(r"\bedges?[ \t]*[:：](?=[ \t]*(?:\(|START\b))", re.IGNORECASE)
_NODE = re.compile(
    r"[ \t>#*_`+•\"'“|-]*(?:(?:node|step)[ \t]+)?[(\[]?([0-9]{1,6})[ \t*_`]*(?:[:：.)\]|]|[-–—](?=[ \t]))"
    r"(?:[*_`]+(?=[ \t]))?:?[ \t]*(\S.*)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:^|(?<=[ \t;,]))([0-9]{1,6})[:.)][ \t]")
_BLANK = re.compile(r"[ \t\r]*(?:(?:```|\|).*)?$")  # a line of a table that has no number is its heading
_EDGE = re.compile(
    r"[(\[]\s*[\"']?(START|[0-9]{1,6})[\"']?\s*(?:,|-{1,2}>|→)\s*[\"']?(END|[0-9]{1,6})[\"']?\s*[)\]]", re.IGNORECASE
)
_ARROW = re.compile(r"(?<!\w)(START|[0-9]{1,6})\s*(?:-{1,2}>|→)\s*(?=(END|[0-9]{1,6})\b)", re.IGNORECASE)

UNKNOWN = -1
"""What stands in an edge for a number that no node has."""

_AROUND = ("**", "__", "``", "*", "_", "`", '"', "'")
_AT_END = " \t\r.;,!"
_OPENED = re.compile(r"\*{1,3}|_{1,3}|`{1,3}|[\"'“]")
_NEEDS = ("(needs:", "(takes:")
"""How a remark begins that stands behind a step where the environments list it."""


class Workflow(NamedTuple):
    """A directed graph of steps between START and END."""

    nodes: list[str]
    """Step texts; ``nodes[0]`` is node 1."""
    edges: list[tuple[int, int]]
    """Pairs of node numbers: START is 0, the steps are 1 to n, END is n + 1, a number without a node is -1."""


class _Parts(NamedTuple):
    """What was found: whether there is a line ``Node:``, the numbered steps below it, the edges behind them."""

    headed: bool
    steps: list[tuple[str, str]]
    pairs: list[tuple[str, str]]


def parse_workflow(text: str) -> Workflow | None:
    """Read a workflow; return None when there are no nodes or no edges to be found (see :func:`missing_part`).

    The format is ``Node:``, lines ``1: step``, and ``Edge: (START,1) (1,2) (2,END)``. What stands before the last line
    that starts with ``Node:`` is ignored. Read leniently where the published parser is not:

    * ``1.step`` and ``1:step`` without a space, ``1) step``, ``(1) step``, ``1 - step``, ``**1**: step``,
      ``**1: step**``, ``Step 1: step``, rows of a table (``| 1 | step |``), and list marks before the number
      (``- 1: step``);
    * ``Nodes:``, ``Node list:``, ``### Nodes``, and so for edges; fences of Markdown; edges on several lines;
      ``(1 -> 2)`` and ``("1","2")`` for ``(1,2)``, and where none has brackets, ``START -> 1, 1 -> 2``;
    * the first step on the line of ``Node:``, a plan that stands on that line whole, and ``Node:`` before each step.

    Read strictly where it is not: a node is a line that starts with its number, so that "step 2. of" inside a sentence
    is no node, and edges stand after the nodes. A list that is told again behind a line of prose counts once. Without a
    line that starts with ``Edge:`` the nodes end at the first line that is none (some gold rows of WorfBench go on in
    prose). Numbers in edges are those written before the nodes; where one is written twice, nodes count from 1. Step
    texts are kept as they are written; :func:`normal` makes them comparable. Linear in the length of the text.
    """
    parts = _find_parts(text)
    if not parts.steps or not parts.pairs:
        return None
    labels = [int(label) for label, _ in parts.steps]
    if len(set(labels)) < len(labels):
        labels = list(range(1, len(labels) + 1))
    number = {str(label): place for place, label in enumerate(labels, 1)}
    number["START"], number["END"] = 0, len(labels) + 1
    edges = [(number.get(_plain(a), UNKNOWN), number.get(_plain(b), UNKNOWN)) for a, b in parts.pairs]
    return Workflow([step.strip() for _, step in parts.steps], edges)


def missing_part(text: str) -> str | None:
    """Say what keeps :func:`parse_workflow` from reading ``text``, as a clause; None for a text that it reads."""
    parts = _find_parts(text)
    if not parts.headed:
        return 'there is no line "Node:"'
    if not parts.steps:
        return 'no numbered step such as "1: step" stands below the line "Node:"'
    return None if parts.pairs else "no edge such as (START,1) stands behind the steps"


def normal(text: str) -> str:
    """Make alike what does not change a step.

    That is case, spaces, a final period or exclamation mark, Markdown or quotes around the whole, and behind it the
    remark of a list of steps that was copied with it, ``(needs: nothing)``.
    """
    bare = _unmarked(" ".join(text.casefold().split()))
    opened = bare.rfind("(")
    if opened > 0 and bare.endswith(")") and bare.startswith(_NEEDS, opened):
        return _unmarked(bare[:opened].rstrip())
    return bare


def _unmarked(text: str) -> str:
    """Take off a final period and the marks around the whole; a text of nothing else stays."""
    while True:
        bare = text.rstrip(_AT_END)
        if bare[:1].isalnum():  # no mark begins so
            return bare
        for mark in _AROUND:
            if len(bare) > 2 * len(mark) and bare.startswith(mark) and bare.endswith(mark):
                bare = bare[len(mark) : -len(mark)].strip()
                break
        else:
            return bare or text
        if mark in bare:  # the marks belong to two words, not to the whole
            return text.rstrip(_AT_END) or text
        text = bare


def _find_parts(text: str) -> _Parts:
    lines = text.split("\n")
    heads = [(place, found[1] or "") for place, line in enumerate(lines) if (found := _head(line))]
    if not heads:
        return _Parts(False, [], [])
    first = _first_of_list(heads, lines)
    for place, inline in heads[first:]:
        lines[place] = inline
    steps, rest = _below(lines[heads[first][0] :])
    return _Parts(True, steps, _EDGE.findall(rest) or _ARROW.findall(rest))


def _head(line: str) -> re.Match[str] | None:
    """Match a line ``Node:`` that has nothing behind it, or the first step."""
    found = _HEAD.match(line)
    return found if found and (_BLANK.match(found[1] or "") or _NODE.match(found[1])) else None


def _first_of_list(heads: list[tuple[int, str]], lines: list[str]) -> int:
    """Find the head that opens the last list: the last one, unless each step has a ``Node:``, counted on, before it."""
    first = len(heads) - 1
    while first > 0:
        (before, upper), (place, lower) = heads[first - 1], heads[first]
        a, b = _NODE.match(upper), _NODE.match(lower)
        if not (a and b and int(b[1]) == int(a[1]) + 1 and all(map(_BLANK.match, lines[before + 1 : place]))):
            break
        first -= 1
    return first


def _below(lines: list[str]) -> tuple[list[tuple[str, str]], str]:
    """Split what follows ``Node:`` into the numbered steps and the text that holds the edges."""
    within = _EDGE_HEAD_WITHIN.search(lines[0])
    if within:
        lines = [lines[0][: within.start()], lines[0][within.start() :], *lines[1:]]
    end = next((place for place, line in enumerate(lines) if _EDGE_HEAD.match(line)), None)
    if end is None:
        others = (place for place, line in enumerate(lines) if not _NODE.match(line) and not _BLANK.match(line))
        end = next(others, len(lines))
    steps = _steps(lines[:end])
    if len(steps) == 1 and _NODE.match(lines[0]):
        steps = _split_line(lines[0])
    return steps, "\n".join(lines[end:])


def _steps(lines: list[str]) -> list[tuple[str, str]]:
    """Take the numbered lines; a number that comes again behind a line of prose starts the list a second time."""
    steps: list[tuple[str, str]] = []
    seen: set[int] = set()
    broken = False
    for line in lines:
        node = _NODE.match(line)
        if node is None:
            broken = broken or bool(steps and not _BLANK.match(line))
        elif broken and int(node[1]) in seen:
            break
        else:
            seen.add(int(node[1]))
            steps.append((node[1], _closed(line[: node.start(1)], node[2])))
    return steps


def _closed(before: str, step: str) -> str:
    """Take off a step the closing mark, or the bar of a table, whose opening stands before its number."""
    if "|" in before:
        return step.partition("|")[0]
    marks = _OPENED.findall(before)
    if not marks:
        return step
    mark, bare = marks[-1].replace("“", "”"), step.rstrip(_AT_END)
    return bare[: -len(mark)] if bare.endswith(mark) and (mark == "”" or bare.count(mark) % 2) else step


def _split_line(line: str) -> list[tuple[str, str]]:
    """Split a line that holds all steps, ``1: wash pot 2: boil leek``, at the numbers that count on from the first."""
    first = _NODE.match(line)
    assert first is not None
    marks = [(int(first[1]), first.start(2), first.start(1))]
    for mark in _NUMBER.finditer(line, first.start(2)):
        if int(mark[1]) == marks[-1][0] + 1:
            marks.append((int(mark[1]), mark.end(), mark.start(1)))
    ends = [start for _, _, start in marks[1:]] + [len(line)]
    return [(str(label), line[start:end]) for (label, start, _), end in zip(marks, ends, strict=True)]


def _plain(label: str) -> str:
    """Write a label in one way: no leading zeros, START and END in capitals."""
    return str(int(label)) if label.isdigit() else label.upper()
