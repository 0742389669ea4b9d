"""Scores of a workflow against a gold workflow: node-chain F1, graph F1 and edge F1."""

from __future__ import annotations

from acgym.scorers.pairing import MAX_TRIES
from acgym.scorers.workflow_match import THRESHOLD, Similarity, best_chain, best_edges, largest_component
from acgym.scorers.workflow_text import Workflow, parse_workflow

__all__ = ["THRESHOLD", "Similarity", "Workflow", "edge_f1", "graph_f1", "node_chain_f1", "parse_workflow"]


def node_chain_f1(
    predicted_text: str, gold_text: str, *, compat: str | None = None, similarity: Similarity | None = None
) -> float:
    """Score the order of steps: F1 of the longest chain that both the prediction and the gold workflow admit.

    f1_chain = 2PR / (P + R), P = k / |predicted nodes|, R = k / |gold nodes| (Qiao et al. 2025, arXiv 2410.07869),
    where k is the size of the largest set of matched steps whose predicted order is part of some linear extension of
    the gold graph. All linear extensions count (the published code tries the first 20); nothing matched is k = 0.

    Where texts repeat, the pairing of equal texts that serves the score best counts. It is found exactly wherever there
    are at most 120 pairings, and mostly with more; the search is bounded (:func:`acgym.scorers.pairing.best_pairing`),
    and where it ends early the result is at most too low, and does not depend on how the gold steps are numbered.

    Args:
        predicted_text: what a model said; 0.0 when no workflow can be read from it.
        gold_text: the reference workflow.
        compat: None for the definition above; ``"acbench"`` for what the published ACBench code computes.
        similarity: compares two step texts; a maximum-weight matching above 0.6 is taken. None matches texts that are
            equal up to case, spaces, a final period, and Markdown or quotes around the whole; with ``compat`` up to
            case and spaces.

    Returns:
        A score in [0, 1].

    Raises:
        ValueError: if ``gold_text`` is not a workflow, or ``compat`` is unknown.
    """
    if _is_compat(compat):
        from acgym.scorers.worfbench import node_chain_f1 as published

        return published(predicted_text, gold_text, similarity)
    predicted, gold = parse_workflow(predicted_text), _gold(gold_text)
    return 0.0 if predicted is None else chain_score(predicted, gold, similarity)


def graph_f1(
    predicted_text: str, gold_text: str, *, compat: str | None = None, similarity: Similarity | None = None
) -> float:
    """Score the structure: F1 of the largest connected part that the prediction shares with the gold workflow.

    P = k / |predicted nodes|, R = k / |gold nodes|, START and END count as nodes, and k is the size of the largest
    weakly connected component of the gold edges that the prediction has too, its nodes mapped to those they match.
    (The published code compares node numbers without mapping them.) No shared edge is k = 0. Edges that only the
    prediction has cost nothing, and not every gold edge is needed: what counts is what hangs together. See
    :func:`edge_f1` for a score that counts edges.

    Where texts repeat, the pairing of equal texts that serves the score best counts. Finding it is the problem of the
    largest common connected subgraph, which has no fast exact method: it is exact for up to 120 pairings, and mostly
    with more. Beyond the bound of the search (:func:`acgym.scorers.pairing.best_pairing`) the result is at most too
    low. In either case it does not depend on how steps are numbered, and the gold workflow numbered anew scores as
    itself (:func:`acgym.scorers.pairing.canonical_order` names the graphs for which this can fail).

    Args, returns and errors are those of :func:`node_chain_f1`.
    """
    if _is_compat(compat):
        from acgym.scorers.worfbench import graph_f1 as published

        return published(predicted_text, gold_text, similarity)
    predicted, gold = parse_workflow(predicted_text), _gold(gold_text)
    return 0.0 if predicted is None else graph_score(predicted, gold, similarity)


def edge_f1(predicted_text: str, gold_text: str, *, similarity: Similarity | None = None) -> float:
    """Score the edges: F1 of the predicted edges, mapped to gold nodes, against the gold edges. Not in the paper.

    Where texts repeat, the pairing that maps most edges counts, as in :func:`graph_f1`.
    """
    predicted, gold = parse_workflow(predicted_text), _gold(gold_text)
    return 0.0 if predicted is None else edge_score(predicted, gold, similarity)


def chain_score(
    predicted: Workflow, gold: Workflow, similarity: Similarity | None = None, *, tries: int = MAX_TRIES
) -> float:
    """Compute :func:`node_chain_f1` of two graphs; ``tries`` bounds the search where texts repeat."""
    return f1(best_chain(predicted, gold, similarity, tries), len(predicted.nodes), len(gold.nodes))


def graph_score(
    predicted: Workflow, gold: Workflow, similarity: Similarity | None = None, *, tries: int = MAX_TRIES
) -> float:
    """Compute :func:`graph_f1` of two graphs; ``tries`` bounds the search where texts repeat."""
    best = best_edges(predicted, gold, similarity, largest_component, tries)
    return f1(best, len(predicted.nodes) + 2, len(gold.nodes) + 2)


def edge_score(
    predicted: Workflow, gold: Workflow, similarity: Similarity | None = None, *, tries: int = MAX_TRIES
) -> float:
    """Compute :func:`edge_f1` of two graphs; ``tries`` bounds the search where texts repeat."""
    best = best_edges(predicted, gold, similarity, len, tries)
    return f1(best, len(set(predicted.edges)), len(set(gold.edges)))


def f1(shared: int, predicted: int, gold: int) -> float:
    """Return 2PR / (P + R) for P = shared / predicted and R = shared / gold, that is 2 shared / (predicted + gold)."""
    return 2 * shared / (predicted + gold) if shared else 0.0


def _gold(text: str) -> Workflow:
    gold = parse_workflow(text)
    if gold is None:
        raise ValueError(
            f"the gold text is not a workflow; expected 'Node:', '1: step', 'Edge: (START,1)', got {text!r}"
        )
    return gold


def _is_compat(compat: str | None) -> bool:
    if compat not in (None, "acbench"):
        raise ValueError(f"compat must be None or 'acbench', got {compat!r}")
    return compat is not None
