"""Logits and hidden states in, numbers out: how a compressed model differs inside. NumPy only."""

from typing import TYPE_CHECKING, Any

from acgym.metrics.agreement import (
    energy,
    jaccard,
    js,
    kendall,
    kl,
    margin,
    nll,
    perplexity,
    spearman,
    top1_flip,
    topk_jaccard,
    topk_kendall,
    topk_spearman,
)
from acgym.metrics.rank import diff_erank, erank, erank_from_moments

if TYPE_CHECKING:
    from acgym.scorers.workflow_graph import graph_f1, node_chain_f1

__all__ = [
    "diff_erank",
    "energy",
    "erank",
    "erank_from_moments",
    "graph_f1",
    "jaccard",
    "js",
    "kendall",
    "kl",
    "margin",
    "nll",
    "node_chain_f1",
    "perplexity",
    "spearman",
    "top1_flip",
    "topk_jaccard",
    "topk_kendall",
    "topk_spearman",
]


def __getattr__(name: str) -> Any:
    """Offer the workflow scorers here too, imported at their first use: they load scipy and networkx."""
    if name in ("graph_f1", "node_chain_f1"):
        from acgym.scorers import workflow_graph

        return getattr(workflow_graph, name)
    raise AttributeError(f"module 'acgym.metrics' has no attribute {name!r}; it has {', '.join(__all__)}")
