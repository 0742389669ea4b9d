"""Logits and hidden states in, numbers out: how a compressed model differs inside. NumPy only."""

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
