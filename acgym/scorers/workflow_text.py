"""Workflow answers in the WorfBench text format, read into a graph."""

from __future__ import annotations

import re
from typing import NamedTuple

_NODE_HEAD = re.compile(r"^[ \t*#]*nodes?[ \t*]*:[ \t*\r]*$", re.IGNORECASE | re.MULTILINE)
_EDGE_HEAD = re.compile(r"^[ \t*#]*edges?[ \t*]*:", re.IGNORECASE | re.MULTILINE)
_NODE = re.compile(r"^[ \t]*([0-9]{1,6})[ \t]*[:.][ \t]*(\S.*)$", re.MULTILINE)
_NODE_BLOCK = re.compile(r"(?:[ \t\r]*\n|[ \t]*[0-9]{1,6}[ \t]*[:.][ \t]*\S.*(?:\n|$))*")
_EDGE = re.compile(r"\(\s*(START|[0-9]{1,6})\s*,\s*(END|[0-9]{1,6})\s*\)", re.IGNORECASE)

UNKNOWN = -1
"""What stands in an edge for a number that no node has."""


class Workflow(NamedTuple):
    """A directed graph of steps between START and END."""

    nodes: list[str]
    """Step texts; ``nodes[0]`` is node 1."""
    edges: list[tuple[int, int]]
    """Pairs of node numbers: START is 0, the steps are 1 to n, END is n + 1, a number without a node is -1."""


def parse_workflow(text: str) -> Workflow | None:
    """Read a workflow; return None when there are no nodes or no edges to be found.

    The format is ``Node:``, lines ``1: step``, and ``Edge: (START,1) (1,2) (2,END)``. What stands before the last line
    that is ``Node:`` is ignored. Read leniently where the published parser is not: ``1.step`` and ``1:step`` without a
    space, ``Nodes:`` and ``Edges:``, edges on several lines. Read strictly where it is not: a node is a line that
    starts with its number, so that "step 2. of" inside a sentence is no node, and edges stand after the nodes. Without
    a line that starts with ``Edge:`` the nodes end at the first line that is none (some gold rows of WorfBench go on in
    prose). Numbers in edges are those written before the nodes; where one is written twice, nodes count from 1.
    """
    heads = list(_NODE_HEAD.finditer(text))
    if not heads:
        return None
    start = heads[-1].end() + 1
    edge_head = _EDGE_HEAD.search(text, start)
    block = edge_head or _NODE_BLOCK.match(text, start)
    found = _NODE.findall(text[start : edge_head.start() if edge_head else block.end() if block else start])
    pairs = _EDGE.findall(text, block.end() if block else start)
    if not found or not pairs:
        return None
    labels = [int(label) for label, _ in found]
    if len(set(labels)) < len(labels):
        labels = list(range(1, len(labels) + 1))
    number = {str(label): place for place, label in enumerate(labels, 1)}
    number["START"], number["END"] = 0, len(labels) + 1
    edges = [(number.get(_plain(a), UNKNOWN), number.get(_plain(b), UNKNOWN)) for a, b in pairs]
    return Workflow([step.strip() for _, step in found], edges)


def _plain(label: str) -> str:
    """Write a label in one way: no leading zeros, START and END in capitals."""
    return str(int(label)) if label.isdigit() else label.upper()
