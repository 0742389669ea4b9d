"""Workflow scores: cases worked by hand, brute force over linear extensions, published behaviour, real gold rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations, pairwise, permutations, product
from pathlib import Path

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acgym
from acgym.scorers.pairing import MORE_COPIES
from acgym.scorers.workflow_graph import chain_score, edge_f1, edge_score, graph_f1, graph_score, node_chain_f1
from acgym.scorers.workflow_match import ancestors, best_edges, largest_component
from acgym.scorers.workflow_text import Workflow, parse_workflow
from tests.helpers.cost import growth
from tests.helpers.official import official

ROWS = official("worfbench")
Edges = list[tuple[int, int]]


def write(nodes: list[str], edges: str) -> str:
    return "Node:\n" + "\n".join(f"{i}: {node}" for i, node in enumerate(nodes, 1)) + f"\nEdge: {edges}"


def chain(nodes: list[str]) -> str:
    ends = ["START", *map(str, range(1, len(nodes) + 1)), "END"]
    return write(nodes, " ".join(f"({a},{b})" for a, b in pairwise(ends)))


GOLD = chain(["a", "b", "c"])
DIAMOND = write(["a", "b", "c", "d"], "(START,1) (1,2) (1,3) (2,4) (3,4) (4,END)")
RENUMBERED = write(["a", "b", "d", "c"], "(START,1) (1,2) (1,4) (2,3) (4,3) (3,END)")
REVERSED = write(["d", "c", "b", "a"], "(START,4) (4,3) (4,2) (3,1) (2,1) (1,END)")


@pytest.mark.parametrize(
    ("predicted", "gold", "correct", "published"),
    [
        (GOLD, GOLD, (1.0, 1.0, 1.0), (1.0, 1.0)),
        (chain(["x", "a", "b", "c"]), GOLD, (6 / 7, 8 / 11, 6 / 9), (6 / 7, 6 / 11)),
        (RENUMBERED, DIAMOND, (0.75, 1.0, 1.0), (0.75, 0.5)),
        (REVERSED, DIAMOND, (0.5, 1.0, 1.0), (0.5, 1 / 6)),
        (chain(["x", "y", "z"]), GOLD, (0.0, 0.0, 0.0), (1 / 3, 0.2)),
        (chain(["c", "b", "a"]), GOLD, (1 / 3, 0.0, 0.0), (1 / 3, 1.0)),
        (chain(list("abcdefgh")), chain(list("abcdefgh")), (1.0, 1.0, 1.0), (16 / 18, 1.0)),
        (write(["a", "c", "b", "d"], "(START,1) (1,2) (1,3) (2,4) (3,4) (4,END)"), DIAMOND, (1.0,) * 3, (1.0, 1.0)),
        (write(["a", "b", "c"], "(START,2) (2,END)"), GOLD, (1.0, 0.0, 0.0), (1.0, 0.2)),
        (write(["a"], "(START,1) (1,END)"), GOLD, (0.5, 0.5, 2 / 6), (0.5, 0.5)),
        (write(["START", "END"], "(START,END)"), GOLD, (0.0, 0.0, 0.0), (0.0, None)),
        ("no plan at all", GOLD, (0.0, 0.0, 0.0), (0.0, 0.0)),
        ("", GOLD, (0.0, 0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_by_hand(predicted: str, gold: str, correct: tuple[float, ...], published: tuple[float, float | None]) -> None:
    assert (node_chain_f1(predicted, gold), graph_f1(predicted, gold), edge_f1(predicted, gold)) == pytest.approx(
        correct
    )
    assert node_chain_f1(predicted, gold, compat="acbench") == pytest.approx(published[0])
    if published[1] is not None:
        assert graph_f1(predicted, gold, compat="acbench") == pytest.approx(published[1])


def test_public_names_lead_here() -> None:
    assert acgym.node_chain_f1 is node_chain_f1
    assert acgym.graph_f1 is graph_f1


@pytest.mark.parametrize(
    ("text", "nodes", "edges"),
    [
        (GOLD, ["a", "b", "c"], [(0, 1), (1, 2), (2, 3), (3, 4)]),
        ("Nodes:\n1.a\n 2 . b c \nEdges:\n( START , 1 )\n(1,2)(2,END)", ["a", "b c"], [(0, 1), (1, 2), (2, 3)]),
        ("Node:\n1: old\nEdge: (START,1)\nBetter.\n**Node:**\n1: new\n**Edge:** (START,1)", ["new"], [(0, 1)]),
        ("Node:\n1: as in step 2. of (1,END)\nEdge: (START,1)", ["as in step 2. of (1,END)"], [(0, 1)]),
        ("Node:\n4: a\n2: b\nEdge: (START,4) (04,2) (2,END)", ["a", "b"], [(0, 1), (1, 2), (2, 3)]),
        ("Node:\n1: a\n1: b\nEdge: (START,1) (1,2) (2,END)", ["a", "b"], [(0, 1), (1, 2), (2, 3)]),
        ("Node:\n1: a\nEdge: (START,1) (1,7) (0,1)", ["a"], [(0, 1), (1, -1), (-1, 1)]),
        ("Node:\n1: a\n\n2: b\nSo the edges are:\n1. (Start, 1)\n- (1, 2)", ["a", "b"], [(0, 1), (1, 2)]),
        ("Node:\r\n1: a\r\nEdge: (START,1)\r\n", ["a"], [(0, 1)]),
    ],
)  # fmt: skip
def test_what_is_read(text: str, nodes: list[str], edges: Edges) -> None:
    assert parse_workflow(text) == Workflow(nodes, edges)


@pytest.mark.parametrize("text", ["", "Node:", "Node:\nEdge: (START,1)", "Node:\n1: a", "Node:\n1: a\nEdge: none",
                                  "1: a\nEdge: (START,1)", "A Node: b\n1: a\nEdge: (START,1)"])  # fmt: skip
def test_what_is_no_workflow(text: str) -> None:
    assert parse_workflow(text) is None


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="the gold text is not a workflow"):
        graph_f1(GOLD, "nothing")
    with pytest.raises(ValueError, match="compat must be None or 'acbench', got 'worfbench'"):
        node_chain_f1(GOLD, GOLD, compat="worfbench")


@pytest.mark.parametrize(
    "edges",
    ["(START,1) (1,2) (2,1) (2,END)", "(1,1)", "(9,9) (START,END)", "(START,999999) (2,1)", "(3,START) (END,1) (1,2)"],
)
def test_cycles_and_strange_numbers_only_lower_the_score(edges: str) -> None:
    strange = write(["a", "b", "c"], edges)
    for compat in (None, "acbench"):
        assert node_chain_f1(strange, GOLD, compat=compat) == 1.0
        assert 0.0 <= graph_f1(strange, GOLD, compat=compat) < 1.0
        assert 0.0 <= node_chain_f1(GOLD, strange, compat=compat) <= 1.0
        assert 0.0 <= graph_f1(GOLD, strange, compat=compat) <= 1.0


@st.composite
def graphs(draw: st.DrawFn, most: int = 6) -> Workflow:
    """A random acyclic gold workflow whose steps stand in no particular order."""
    n = draw(st.integers(1, most))
    order = draw(st.permutations(range(1, n + 1)))
    pairs = [(order[i], order[j]) for i, j in combinations(range(n), 2)]
    inner = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    sources = [v for v in range(1, n + 1) if all(b != v for _, b in inner)]
    sinks = [v for v in range(1, n + 1) if all(a != v for a, _ in inner)]
    return Workflow(
        [f"s{v}" for v in range(1, n + 1)], [*((0, v) for v in sources), *inner, *((v, n + 1) for v in sinks)]
    )


def common_subsequence(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        above = row[:]
        for j, y in enumerate(b, 1):
            row[j] = above[j - 1] + 1 if x == y else max(above[j], row[j - 1])
    return row[-1]


def extensions(gold: Workflow) -> list[list[str]]:
    """All linear extensions, by trying every order."""
    numbers = range(1, len(gold.nodes) + 1)
    return [
        [gold.nodes[v - 1] for v in order]
        for order in permutations(numbers)
        if all(order.index(a) < order.index(b) for a, b in gold.edges if a in numbers and b in numbers)
    ]


@given(graphs(), st.data())
@settings(max_examples=150)
def test_node_chain_f1_is_the_best_over_all_linear_extensions(gold: Workflow, data: st.DataObject) -> None:
    said = data.draw(st.permutations([*gold.nodes, "x", "y"]))[: data.draw(st.integers(1, len(gold.nodes) + 2))]
    longest = max(common_subsequence(said, order) for order in extensions(gold))
    assert chain_score(Workflow(said, []), gold) == pytest.approx(2 * longest / (len(said) + len(gold.nodes)))


@given(graphs(), st.data())
@settings(max_examples=100)
def test_repeated_texts_are_paired_as_well_as_can_be(gold: Workflow, data: st.DataObject) -> None:
    gold = gold._replace(nodes=[data.draw(st.sampled_from("abc")) for _ in gold.nodes])
    said = data.draw(st.lists(st.sampled_from("abcx"), min_size=1, max_size=5))
    matched = sum(min(said.count(text), gold.nodes.count(text)) for text in "abc")
    longest = max(common_subsequence(said, order) for order in extensions(gold))
    score = chain_score(Workflow(said, []), gold)
    assert score <= 2 * matched / (len(said) + len(gold.nodes)) + 1e-12
    assert score == pytest.approx(2 * longest / (len(said) + len(gold.nodes)))


def text_of(graph: Workflow, numbers: list[int]) -> str:
    """Write a workflow with its nodes in another order; ``numbers[i]`` is the new number of node i + 1."""
    names = {0: "START", len(graph.nodes) + 1: "END", **{i: str(number) for i, number in enumerate(numbers, 1)}}
    placed = sorted(zip(numbers, graph.nodes, strict=True))
    return write([node for _, node in placed], " ".join(f"({names[a]},{names[b]})" for a, b in graph.edges))


@given(graphs(), st.data())
@settings(max_examples=100)
def test_numbering_is_no_part_of_a_graph(gold: Workflow, data: st.DataObject) -> None:
    plain = list(range(1, len(gold.nodes) + 1))
    same = text_of(gold, data.draw(st.permutations(plain)))
    whole = largest_component(gold.edges) / (len(gold.nodes) + 2)
    assert whole == 1.0
    assert graph_f1(same, text_of(gold, plain)) == 1.0
    assert edge_f1(same, text_of(gold, plain)) == 1.0


def test_published_code_stops_after_twenty_orders() -> None:
    """Six independent steps have 720 orders; one that is not among the first 20 scores less than it should."""
    gold = write(list("abcdef"), " ".join(f"(START,{i}) ({i},END)" for i in range(1, 7)))
    said = [write(list(order), "(START,1)") for order in ("abcdef", "fedcba")]
    assert [node_chain_f1(text, gold) for text in said] == [1.0, 1.0]
    assert min(node_chain_f1(text, gold, compat="acbench") for text in said) < 1.0


@pytest.mark.parametrize(
    ("predicted", "gold", "chain_f1", "shape_f1"),
    [
        ("aab", "aab", 2 / 3, 1.0),
        ("abab", "abab", 1 / 2, 1.0),
        ("aba", "ab", 2 / 5, 4 / 9),
        ("abcdae", "abcdae", 2 / 3, 1.0),
        ("abcabcab", "abcabcab", 2 / 9, 1.0),
        ("ababab", "bababa", 1 / 6, 1.0),
        ("aabbcc", "abcabc", 1 / 2, 1.0),
    ],
)
def test_repeated_texts_score_in_compat_what_the_published_code_gives(
    predicted: str, gold: str, chain_f1: float, shape_f1: float
) -> None:
    """Values of the published code, run with an embedder that tells all texts apart.

    Of the matchings of largest weight it takes one that pairs repeated texts out of order.
    """
    said, true = chain(list(predicted)), chain(list(gold))
    assert node_chain_f1(said, true, compat="acbench") == pytest.approx(chain_f1)
    assert graph_f1(said, true, compat="acbench") == pytest.approx(shape_f1)


def brute_force(said: Workflow, gold: Workflow) -> tuple[int, int]:
    """The largest component and the most edges shared, over all pairings of equal texts, by trying each."""
    best_component = best_count = 0
    spots = [[0, *(i for i, text in enumerate(said.nodes, 1) if text == node)] for node in gold.nodes]
    for chosen in product(*spots):
        if any(chosen.count(i) > 1 for i in chosen if i):
            continue
        number = {i: j for j, i in enumerate(chosen, 1) if i}
        number |= {0: 0, len(said.nodes) + 1: len(gold.nodes) + 1}
        shared = {(number[a], number[b]) for a, b in said.edges if a in number and b in number} & set(gold.edges)
        best_component, best_count = max(best_component, largest_component(shared)), max(best_count, len(shared))
    return best_component, best_count


@given(graphs(4), graphs(4), st.data())
@settings(max_examples=60, deadline=None)
def test_graph_and_edge_f1_find_the_best_pairing_of_repeated_texts(
    said: Workflow, gold: Workflow, data: st.DataObject
) -> None:
    gold = gold._replace(nodes=[data.draw(st.sampled_from("ab")) for _ in gold.nodes])
    said = said._replace(nodes=[data.draw(st.sampled_from("abx")) for _ in said.nodes])
    component, count = brute_force(said, gold)
    assert graph_score(said, gold) == pytest.approx(2 * component / (len(said.nodes) + len(gold.nodes) + 4))
    assert edge_score(said, gold) == pytest.approx(2 * count / (len(said.edges) + len(gold.edges)))


@given(graphs(10), st.data())
@settings(max_examples=60, deadline=None)
def test_numbering_is_no_part_of_a_graph_where_texts_repeat(gold: Workflow, data: st.DataObject) -> None:
    """Up to one text ten times: 3,628,800 pairings."""
    texts = data.draw(st.sampled_from(["a", "ab", "abc"]))
    gold = gold._replace(nodes=[data.draw(st.sampled_from(texts)) for _ in gold.nodes])
    plain = list(range(1, len(gold.nodes) + 1))
    same = text_of(gold, data.draw(st.permutations(plain)))
    assert graph_f1(same, text_of(gold, plain)) == 1.0
    assert edge_f1(same, text_of(gold, plain)) == 1.0
    alike = data.draw(st.sampled_from([None, lambda a, b: float(a == b)]))
    assert graph_f1(same, text_of(gold, plain), similarity=alike) == 1.0


@given(graphs(9), graphs(9), st.data())
@settings(max_examples=30, deadline=None)
def test_unlike_graphs_score_alike_however_they_are_numbered(
    said: Workflow, gold: Workflow, data: st.DataObject
) -> None:
    said = said._replace(nodes=[data.draw(st.sampled_from("ab")) for _ in said.nodes])
    gold = gold._replace(nodes=[data.draw(st.sampled_from("ab")) for _ in gold.nodes])
    a, b = (list(range(1, len(graph.nodes) + 1)) for graph in (said, gold))
    other = text_of(said, data.draw(st.permutations(a))), text_of(gold, data.draw(st.permutations(b)))
    assert graph_f1(*other) == graph_f1(text_of(said, a), text_of(gold, b))
    assert edge_f1(*other) == edge_f1(text_of(said, a), text_of(gold, b))
    assert node_chain_f1(text_of(said, a), other[1]) == node_chain_f1(text_of(said, a), text_of(gold, b))


def test_one_text_many_times_in_a_row_and_as_a_star() -> None:
    """Six steps of one text: numbered backwards it is the same graph; a star shares START, its centre and a leaf."""
    row = chain(["a"] * 6)
    backwards = write(["a"] * 6, "(START,6) (6,5) (5,4) (4,3) (3,2) (2,1) (1,END)")
    star = write(["a"] * 6, "(START,1) (1,2) (1,3) (1,4) (1,5) (1,6) (2,END)")
    assert graph_f1(backwards, row) == edge_f1(backwards, row) == 1.0
    assert graph_f1(star, row) == pytest.approx(2 * 3 / 16)
    assert edge_f1(star, row) == pytest.approx(2 * 3 / 14)  # (2,END) cannot be shared beside (1,2): the row goes on


def tries(said: Workflow, gold: Workflow, most: int) -> int:
    """Count the pairings, whole and partial, that are measured."""
    calls = 0

    def counted(edges: list[tuple[int, int]]) -> int:
        nonlocal calls
        calls += 1
        return len(edges)

    best_edges(said, gold, None, counted, tries=most)
    return calls


@pytest.mark.parametrize("copies", [1, 2, 4, 8, 16])
def test_repeated_steps_cost_a_bounded_number_of_tries(copies: int) -> None:
    """Ten steps, each written ``copies`` times in reverse: the pairings to try are copies ** 10."""
    gold, said = parse_workflow(chain(list("abcdefghij"))), parse_workflow(chain(list("jihgfedcba") * copies))
    assert gold is not None
    assert said is not None
    assert tries(said, gold, 100) <= 100 + 2 * 10 * (1 + MORE_COPIES)


@given(graphs(9), graphs(9), st.data())
@settings(max_examples=40, deadline=None)
def test_a_search_that_finds_nothing_better_ends(said: Workflow, gold: Workflow, data: st.DataObject) -> None:
    """Also where the first pairing is the best and no descent reaches an end."""
    said = said._replace(nodes=[data.draw(st.sampled_from("ab")) for _ in said.nodes])
    gold = gold._replace(nodes=[data.draw(st.sampled_from("ab")) for _ in gold.nodes])
    assert tries(said, gold, 1) <= 2 + 9 * 10 + 10


@pytest.mark.parametrize("compat", [None, "acbench"])
@pytest.mark.parametrize("score", [node_chain_f1, graph_f1])
def test_scores_of_long_replies_take_time_in_proportion(compat: str | None, score: Callable[..., float]) -> None:
    def call(n: int) -> None:
        ring = " ".join(f"({i},{i % n + 1})" for i in range(1, n + 1))
        score(write(["a", "b"] * (n // 2), ring), chain(["a", "b"] * 3), compat=compat)

    assert growth(call, 250) < 24


def test_similarity_takes_the_heaviest_matching_above_the_threshold() -> None:
    alike = {("x", "a"): 0.9, ("x", "b"): 0.8, ("y", "a"): 0.8, ("y", "b"): 0.1, ("z", "c"): 0.6}
    predicted, gold = chain(["x", "y", "z"]), chain(["a", "b", "c"])
    score = node_chain_f1(predicted, gold, similarity=lambda p, g: alike.get((p, g), 0.0))
    assert score == pytest.approx(1 / 3)  # x to b and y to a weigh 1.6; they are inverted; 0.6 is not above 0.6
    assert graph_f1(predicted, predicted, similarity=lambda p, g: float(p == g)) == 1.0
    assert node_chain_f1(predicted, predicted, similarity=lambda p, g: float(p == g), compat="acbench") == 1.0


def test_case_and_spaces_do_not_matter() -> None:
    assert node_chain_f1(chain(["Boil  the LEEK ", "b"]), chain(["boil the leek", "B"])) == 1.0


def test_ancestors_by_hand() -> None:
    assert ancestors(4, [(0, 1), (0, 2), (1, 3), (2, 3)]) == [set(), {0}, {0}, {0, 1, 2}]
    assert ancestors(2, [(0, 1), (1, 0)]) == [{0, 1}, {0, 1}]


def generated_rows() -> list[str]:
    env = gym.make("ACB/Workflow-v0", level=4)
    return [env.reset(seed=seed)[1]["task"].reference for seed in range(50)]


@pytest.mark.parametrize("path", [None, *ROWS], ids=lambda path: path.stem if path else "generated")
def test_every_gold_row_scores_one_against_itself(path: Path | None) -> None:
    """Also the two rows of wikihow that tell their steps a second time in prose: the first telling is the list."""
    golds = (
        generated_rows()
        if path is None
        else [row["conversations"][-1]["content"] for row in json.loads(path.read_text())]
    )
    assert golds
    for text in golds:
        assert parse_workflow(text) is not None
        assert node_chain_f1(text, text) == 1.0
        assert graph_f1(text, text) == 1.0
        assert edge_f1(text, text) == 1.0


@given(st.text(max_size=300), st.booleans())
@settings(max_examples=150)
def test_no_text_raises(text: str, headed: bool) -> None:
    said = f"Node:\n1: {text}\nEdge: (START,1) {text}" if headed else text
    for compat in (None, "acbench"):
        assert 0.0 <= node_chain_f1(said, GOLD, compat=compat) <= 1.0
        assert 0.0 <= graph_f1(said, GOLD, compat=compat) <= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Node:\n" + "1: a\n" * 4000 + "Edge: " + "(START,1)" * 100,
        "Node:\n1: a\nEdge: (START," + "9" * 20000 + ")",
        "Node:\n" * 4000,
        "(" * 20000,
        "Node:\n1: a\nEdge:" + " (" * 9000,
        "Node:\n" + "\n \t" * 6000,
        "Node\n" + "1: \x00" * 4000,
    ],
    ids=range(7),
)
def test_long_replies_cost_little_and_score_little(text: str) -> None:
    for compat in (None, "acbench"):
        assert node_chain_f1(text, GOLD, compat=compat) <= 0.5
        assert graph_f1(text, GOLD, compat=compat) <= 0.5
