"""The compression methods: one pure function each, one walk over the layers shared by all.

``parse`` and ``register_method`` load without torch; ``compress`` and what belongs to it load it at their first use.
"""

if __name__ != "acgym.compress":  # a second import under another name would load every class twice
    raise ImportError(
        f"this package is acgym.compress; it was imported as {__name__!r}. Write 'import acgym.compress'."
    )

from importlib import import_module
from typing import TYPE_CHECKING, Any

from acgym.compress.methods.table import register_method
from acgym.compress.options.weights import Options, Word, word
from acgym.compress.recipe import Recipe, Step, parse

if TYPE_CHECKING:
    from acgym.compress.methods.result import Compressed
    from acgym.compress.methods.scaling import Fold
    from acgym.compress.methods.statistics import Statistics
    from acgym.compress.stream.folder import compress_folder
    from acgym.compress.walk.layers import compress
    from acgym.compress.walk.record import CompressionRecord, LayerRecord

__all__ = [
    "Compressed",
    "CompressionRecord",
    "Fold",
    "LayerRecord",
    "Options",
    "Recipe",
    "Statistics",
    "Step",
    "Word",
    "compress",
    "compress_folder",
    "parse",
    "register_method",
    "word",
]

_LAZY = {
    "Compressed": "acgym.compress.methods.result",
    "Statistics": "acgym.compress.methods.statistics",
    "CompressionRecord": "acgym.compress.walk.record",
    "Fold": "acgym.compress.methods.scaling",
    "LayerRecord": "acgym.compress.walk.record",
    "compress": "acgym.compress.walk.layers",
    "compress_folder": "acgym.compress.stream.folder",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: a recipe is checked before torch is loaded."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'acgym.compress' has no attribute {name!r}; it has {', '.join(__all__)}")
