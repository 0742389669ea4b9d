"""The compression methods: one pure function each, one walk over the layers shared by all.

``parse`` and ``register_method`` load without torch; ``compress`` and what belongs to it load it at their first use.
"""

if __name__ != "acgym.compress":  # a second import under another name would load every class twice
    raise ImportError(
        f"this package is acgym.compress; it was imported as {__name__!r}. Write 'import acgym.compress'."
    )

from importlib import import_module
from typing import TYPE_CHECKING, Any

from acgym.compress.methods import register_method
from acgym.compress.options import Options, Word, word
from acgym.compress.recipe import Recipe, Step, parse

if TYPE_CHECKING:
    from acgym.compress.calibration import Compressed, Statistics
    from acgym.compress.record import CompressionRecord, LayerRecord
    from acgym.compress.scaling import Fold
    from acgym.compress.stream import compress_folder
    from acgym.compress.walk import compress

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
    "Compressed": "acgym.compress.calibration",
    "Statistics": "acgym.compress.calibration",
    "CompressionRecord": "acgym.compress.record",
    "Fold": "acgym.compress.scaling",
    "LayerRecord": "acgym.compress.record",
    "compress": "acgym.compress.walk",
    "compress_folder": "acgym.compress.stream",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: a recipe is checked before torch is loaded."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'acgym.compress' has no attribute {name!r}; it has {', '.join(__all__)}")
