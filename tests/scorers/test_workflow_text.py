"""Reading plans as they are written: every form means the same, what is no plan is said, long texts cost little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.scorers.workflow_graph import edge_f1, graph_f1, node_chain_f1
from acgym.scorers.workflow_text import Workflow, missing_part, normal, parse_workflow
from tests.helpers.cost import growth

GOLD = "Node:\n1: wash pot\n2: boil leek\nEdge: (START,1) (1,2) (2,END)"
EDGES = "Edge: (START,1) (1,2) (2,END)"

FORMS = {
    "list mark": f"Node:\n- 1: wash pot\n- 2: boil leek\n{EDGES}",
    "star": f"Node:\n* 1. wash pot\n* 2. boil leek\n{EDGES}",
    "bracket": f"Node:\n1) wash pot\n2) boil leek\n{EDGES}",
    "brackets": f"Node:\n(1) wash pot\n(2) boil leek\n{EDGES}",
    "dot": f"Node:\n1. wash pot\n2. boil leek\n{EDGES}",
    "no space": f"Node:\n1.wash pot\n2:boil leek\n{EDGES}",
    "first step on the heading": f"Node: 1: wash pot\n2: boil leek\n{EDGES}",
    "Node: before each step": f"Node: 1: wash pot\n\nNode: 2: boil leek\n{EDGES}",
    "a draft, then Node: before each step": f"{GOLD}\nBetter:\n**Node**: 1: wash pot\n**Node**: 2: boil leek\n{EDGES}",
    "steps in one line": f"Node: 1: wash pot 2: boil leek\n{EDGES}",
    "steps in one line, commas": f"Node: 1. wash pot, 2. boil leek\n{EDGES}",
    "all in one line": f"Node: 1: wash pot 2: boil leek {EDGES}",
    "bold number": f"Node:\n**1**: wash pot\n**2**: boil leek\n{EDGES}",
    "bold number and colon": f"Node:\n**1:** wash pot\n**2:** boil leek\n{EDGES}",
    "bold number with dot": f"Node:\n**1.** wash pot\n**2.** boil leek\n{EDGES}",
    "bold step": f"Node:\n1: **wash pot**\n2: **boil leek**\n{EDGES}",
    "quotes": f"Node:\n1: \"wash pot\"\n2: 'boil leek'.\n{EDGES}",
    "code": f"Node:\n1: `wash pot`\n2: `boil leek`\n{EDGES}",
    "full stop": f"Node:\n1: wash pot.\n2: Boil leek. \n{EDGES}",
    "Step 1": f"Node:\nStep 1: wash pot\nStep 2: boil leek\n{EDGES}",
    "fence": f"Here it is:\n```\n{GOLD}\n```\nDone.",
    "fence with a language": f"```text\n{GOLD}\n```",
    "two fences": f"```\nNode:\n1: wash pot\n2: boil leek\n```\n```\n{EDGES}\n```",
    "headings": f"## Nodes:\n1: wash pot\n2: boil leek\n\n## Edges:\n{EDGES[6:]}",
    "bold headings": f"**Node**:\n1: wash pot\n2: boil leek\n**Edge**: {EDGES[6:]}",
    "Edges": GOLD.replace("Edge:", "Edges:"),
    "edges in a list": "Node:\n1: wash pot\n2: boil leek\nEdges:\n- (START, 1)\n- (1, 2)\n- (2, END)",
    "arrows": "Node:\n1: wash pot\n2: boil leek\nEdge: (START -> 1) (1 -> 2) (2→END)",
    "windows": GOLD.replace("\n", "\r\n"),
    "quoted": "> " + GOLD.replace("\n", "\n> "),
    "bold line": f"Node:\n**1: wash pot**\n**2: boil leek**\n{EDGES}",
    "bold line with full stop": f"Node:\n**1: wash pot**.\n**Step 2: boil leek.**\n{EDGES}",
    "bold line in a list": f"Node:\n- **1: wash pot**\n- **2: boil leek**\n{EDGES}",
    "code line": f"Node:\n`1: wash pot`\n`2: boil leek`\n{EDGES}",
    "quoted line": f'Node:\n"1: wash pot",\n“2: boil leek”\n{EDGES}',
    "exclamation": f"Node:\n1: wash pot!\n2: boil leek!\n{EDGES}",
    "needs copied": f"Node:\n1: wash pot (needs: nothing)\n2: **boil leek** (needs: wash pot).\n{EDGES}",
    "dash": f"Node:\n1 - wash pot\n2 – boil leek\n{EDGES}",
    "wide colon": f"Node：\n1：wash pot\n2：boil leek\n{EDGES}",
    "table": f"Node:\n| 1 | wash pot |\n| 2 | boil leek |\n{EDGES}",
    "table with heading": f"### Nodes\n\n| No | Step |\n|---|---|\n| 1 | wash pot |\n| 2 | boil leek |\n\n{EDGES[6:]}",
    "headings without colon": f"### Nodes\n1: wash pot\n2: boil leek\n\n### Edges\n{EDGES[6:]}",
    "lists": f"Node list:\n1: wash pot\n2: boil leek\nEdge list: {EDGES[6:]}",
    "bare arrows": "Node:\n1: wash pot\n2: boil leek\nEdge: START -> 1, 1 -> 2, 2 -> END",
    "bare arrows in one chain": "Node:\n1: wash pot\n2: boil leek\nEdges:\n- START → 1 --> 2 -> END",
    "quoted ends": 'Node:\n1: wash pot\n2: boil leek\nEdge: ("START","1") (\'1\', "2") ("2","END")',
    "told again in prose": f"Node:\n1: wash pot\n2: boil leek\nThat is:\n1. **Wash pot** now.\n2. Then boil.\n{EDGES}",
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_meant_is_read(form: str) -> None:
    text = FORMS[form]
    assert missing_part(text) is None
    assert (node_chain_f1(text, GOLD), graph_f1(text, GOLD), edge_f1(text, GOLD)) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("Node:\n1: go to cabinet 2: it is open\n2: b\nEdge: (START,1)", ["go to cabinet 2: it is open", "b"]),
        ("Node: 1: wait 10. minutes 2: go on\nEdge: (START,1)", ["wait 10. minutes", "go on"]),
        ("Node:\n1: sand the edge: smooth\n2: b\nEdge: (START,1)", ["sand the edge: smooth", "b"]),
        ("Node:\n1: a\nas I said\n2: b\nEdge: (START,1)", ["a", "b"]),
        ("Node:\n1: a\n1: b\nEdge: (START,1)", ["a", "b"]),
        ("Node:\n* 1: take *that*\n* 2: b\nEdge: (START,1)", ["take *that*", "b"]),
    ],
)
def test_numbers_and_words_inside_steps_stay_there(text: str, nodes: list[str]) -> None:
    found = parse_workflow(text)
    assert found is not None
    assert found.nodes == nodes


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("", 'there is no line "Node:"'),
        ("1: a\nEdge: (START,1)", 'there is no line "Node:"'),
        ("Node: wash pot\nEdge: (START,1)", 'there is no line "Node:"'),
        ("Node:\n- wash pot\nEdge: (START,1)", 'no numbered step such as "1: step" stands below the line "Node:"'),
        ("Node:\n1: a\nEdge: 1 to 2", "no edge such as (START,1) stands behind the steps"),
        (GOLD, None),
    ],
)
def test_what_is_missing_is_said(text: str, clause: str | None) -> None:
    assert missing_part(text) == clause
    assert (parse_workflow(text) is None) == (clause is not None)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("  Wash   the POT. ", "wash the pot"),
        ("**wash pot**", "wash pot"),
        ('"wash pot".', "wash pot"),
        ("`wash` and `dry`", "`wash` and `dry`"),
        ("say 'no'", "say 'no'"),
        ("...", "..."),
        ("Wash pot!", "wash pot"),
        ("wash pot (needs: boil leek, dry cup)", "wash pot"),
        ('wash pot (takes: "red"; makes: "blue")', "wash pot"),
        ("wash pot (the red one)", "wash pot (the red one)"),
        ("(needs: nothing)", "(needs: nothing)"),
        ("", ""),
    ],
)
def test_normal_form(text: str, same: str) -> None:
    assert normal(text) == same


@given(st.text(max_size=60))
def test_the_normal_form_is_stable_and_never_empty(text: str) -> None:
    """Quotes inside quotes may leave a second layer; a text that is not blank keeps something to compare."""
    assert bool(normal(text)) == bool(text.split())
    assert normal(f" {text}\t") == normal(text)


@given(st.lists(st.sampled_from(["Node:", "1: a", "- 2) b", "**3**: c", "Edge: (START,1)", "(1,2)", "x", "```", ""])))
def test_pieces_in_any_order_are_read_or_refused(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = parse_workflow(text)
    assert (found is None) == (missing_part(text) is not None)
    if found is not None:
        assert isinstance(found, Workflow)
        assert all(-1 <= end <= len(found.nodes) + 1 for edge in found.edges for end in edge)


@pytest.mark.parametrize(
    "piece",
    ["Node:\n", "Node: ", "(", "( ", "(START,", "- ", "** ", "1: ", "\n1) ", "Node:\n1: a ", "Node: 1: a 2: ",
     "\nNode: 1: a\nNode: 2: b", "edge: ",
     "\n \t", "`", "step ", "1 **", "| ", "|1|", "1 -> ", "START ->", "1 - ", '"', "- 1: a\nx\n", "(1,2) "],
)  # fmt: skip
def test_reading_is_linear_in_hostile_text(piece: str) -> None:
    """Eight times the text takes about eight times as long; a quadratic reader takes 64 times as long."""
    assert growth(lambda n: parse_workflow("Node:\n1: a" + piece * n + "\nEdge: (START,1)"), 2000) < 24
    assert growth(lambda n: parse_workflow(piece * n), 2000) < 24
