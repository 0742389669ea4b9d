"""acgym: measure what a language-model agent loses when it is compressed.

``import acgym`` registers the environments (``gym.make("ACB/ToolCall-v0")``) and loads neither torch nor transformers:
everything that needs them is imported at its first use.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

# In a checkout the sub-packages lie beside this folder (envs/, agents/, compress/), not inside it; in an installation
# they lie inside. A strict editable installation is a tree of links made once: following the link back to the checkout
# lets modules and weights that were added afterwards be found, and makes the links matter to type checkers only.
_HERE = Path(__file__).resolve().parent
if not (_HERE / "envs").is_dir():
    __path__[:] = [str(_HERE), str(_HERE.parent)]

from acgym import envs, plugins  # noqa: E402  (needs the path above; importing envs registers the environments)

if TYPE_CHECKING:
    from acgym import check, loop, metrics, probe, record, statistics, types
    from acgym.agents.base import Agent
    from acgym.agents.function import FunctionAgent
    from acgym.assemble.make import agent
    from acgym.assemble.registered import register_agent
    from acgym.compress import register_method
    from acgym.experiment.compare import compare
    from acgym.loop import play, play_async
    from acgym.results.comparison import ComparisonResult, open_run
    from acgym.scorers.workflow_graph import graph_f1, node_chain_f1
    from acgym.suites import register_suite

__version__ = "0.1.0"
__all__ = [
    "Agent",
    "ComparisonResult",
    "FunctionAgent",
    "agent",
    "check",
    "compare",
    "envs",
    "graph_f1",
    "loop",
    "metrics",
    "node_chain_f1",
    "open_run",
    "play",
    "play_async",
    "probe",
    "record",
    "register_agent",
    "register_method",
    "register_suite",
    "statistics",
    "types",
]

_OBJECTS = {
    "Agent": "acgym.agents.base",
    "ComparisonResult": "acgym.results.comparison",
    "FunctionAgent": "acgym.agents.function",
    "agent": "acgym.assemble.make",
    "compare": "acgym.experiment.compare",
    "graph_f1": "acgym.scorers.workflow_graph",
    "node_chain_f1": "acgym.scorers.workflow_graph",
    "open_run": "acgym.results.comparison",
    "play": "acgym.loop",
    "play_async": "acgym.loop",
    "register_agent": "acgym.assemble.registered",
    "register_method": "acgym.compress",
    "register_suite": "acgym.suites",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that ``import acgym`` stays light."""
    if name in _OBJECTS:
        return getattr(import_module(_OBJECTS[name]), name)
    if name in __all__:
        return import_module(f"acgym.{name}")
    raise AttributeError(f"module 'acgym' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    """List the public names, those not yet imported included."""
    return sorted([*globals(), *__all__])


plugins.load_plugins(plugins.ENVIRONMENTS)  # last: they import this package
