"""Text against a reference: pure scorers of single replies, as papers define them.

The public names are imported at their first use, so that the door costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acgym.scorers.bfcl import ast_match
    from acgym.scorers.matchers import matcher
    from acgym.scorers.teval import instruct_score, plan_f1, retrieve_score, review_score, understand_score
    from acgym.scorers.workflow_graph import edge_f1, graph_f1, node_chain_f1

__all__ = [
    "ast_match",
    "edge_f1",
    "graph_f1",
    "instruct_score",
    "matcher",
    "node_chain_f1",
    "plan_f1",
    "retrieve_score",
    "review_score",
    "understand_score",
]

_HOMES = {
    **dict.fromkeys(["edge_f1", "graph_f1", "node_chain_f1"], "workflow_graph"),
    "ast_match": "bfcl",
    "matcher": "matchers",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    if name in __all__:
        home = _HOMES.get(name, "teval")
        return getattr(import_module(f"acgym.scorers.{home}"), name)
    raise AttributeError(f"module 'acgym.scorers' has no attribute {name!r}; it has {', '.join(__all__)}")
