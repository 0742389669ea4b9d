"""What a layout has to hold: how the recipe of a model leaves its weights and activations. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from acgym.compress.options.fp4 import BlockFp4
from acgym.compress.options.fp8 import Fp8Options
from acgym.compress.options.model import KvOptions, SmoothQuantOptions
from acgym.compress.options.weights import Affine, GptqOptions
from acgym.compress.recipe import Recipe

WHOLE = 0
"""A group size: one scale for the whole weight."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How projections are stored."""

    bits: int
    """Width of the integers, or of the 8-bit floats."""
    group: int
    """Neighbouring input features that share a scale; -1: a row; 0: the whole weight."""
    symmetric: bool
    """Whether every zero point is 2^(bits - 1)."""
    act_order: bool = False
    """Whether a group's input features are no neighbours, so that a list of them (g_idx) must be stored."""
    kind: Literal["int", "float"] = "int"
    activations: Literal["int8", "fp8"] | None = None
    """Format to which the inputs of projections are rounded, per token, when the model runs."""

    def groups(self, columns: int) -> int:
        """Number of groups in a row of ``columns`` weights."""
        return columns // self.group if self.group > 0 else 1


def scheme_of(recipe: Recipe) -> Scheme | None:
    """Return how a recipe leaves the weights: as its last step that quantises them does; None if it only prunes.

    Raises:
        ValueError: for what no checkpoint holds: a quantised key-value cache, quantised inputs of dense weights.
    """
    scheme: Scheme | None = None
    inputs: Literal["int8", "fp8"] | None = None
    for step in recipe:
        options = step.options
        if isinstance(options, KvOptions):
            raise ValueError(
                f"no checkpoint holds {step}: how the cache is kept is chosen when a model is served. Leave it out "
                f"here and play the checkpoint as hf:DIR+{step}"
            )
        inputs = options.activations or inputs
        weights = options.weights if isinstance(options, SmoothQuantOptions) else options
        if isinstance(weights, Affine) and weights.bits < 16:
            moved = isinstance(weights, GptqOptions) and weights.act_order and not weights.static_groups
            scheme = Scheme(weights.bits, weights.group, weights.symmetric, moved and weights.group != -1)
        elif isinstance(weights, Fp8Options) and weights.scale == "block" and weights.dynamic:
            raise ValueError(
                f"no format here holds {step}; play it as hf:MODEL+{step}, or write {step}-a16 in the dense format"
            )
        elif isinstance(weights, BlockFp4) or (isinstance(weights, Fp8Options) and weights.scale == "block"):
            scheme = None  # plain weights that hold the values
        elif isinstance(weights, Fp8Options):
            scheme = Scheme(8, -1 if weights.scale == "channel" else WHOLE, True, kind="float")
    if scheme is None and inputs is not None:
        raise ValueError(f"no format holds {recipe}: its activations are quantised and its weights are not")
    return None if scheme is None else replace(scheme, activations=inputs)
