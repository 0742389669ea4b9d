"""What a compression did and what it would save: errors per layer, bits per weight, bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn

from acgym.compress.walk.projections import Projection, identity
from acgym.types import Json

DENSE_BITS = 16
"""Bits of a weight that is not quantised, whatever dtype it is held in: models are served in 16 bits."""


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """What one step did to one decoder layer, or to the output head where an override names it."""

    step: str
    """The step, as written in the recipe; for the head, in its override."""
    name: str
    """Name of the layer in the model, such as ``model.layers.0``, or of the head."""
    output_error: float | None
    """||f'(X) - f(X)|| / ||f(X)|| over the first 4,096 calibration tokens, Frobenius norms: f is the layer before the
    step, f' after it, and X its input with all earlier layers compressed. None if the step was not run on calibration
    text, and for the head, whose outputs are as wide as the vocabulary."""
    weight_error: float
    """||W' - W|| / ||W|| over all projections of the layer, Frobenius norm, before against after the step. Where the
    step folded scales into the weights, W is the weight with its scales."""


@dataclass(frozen=True, slots=True)
class CompressionRecord:
    """The data sheet of a compressed model. Plain values: ``dataclasses.asdict`` gives JSON.

    Unless ``execution`` says packed, the compression is simulated: weights hold the values that packed storage would
    hold, in the model's own dtype, so outputs are those of the compressed model while memory and speed are those of the
    dense one, and ``bits_per_weight`` and ``weight_bytes`` say what packed storage would take.
    """

    recipe: str
    """Canonical recipe."""
    simulated: bool
    """False if projections run on packed integers (:func:`acgym.compress.packed.convert.pack`): then
    ``bits_per_weight`` and ``weight_bytes`` are measured in memory."""
    layers: tuple[LayerRecord, ...]
    """One entry for each step and decoder layer."""
    bits_per_weight: float
    """Mean over the compressed weights (the projections in the decoder layers): integers, 16-bit scales, zero points.
    Pruned weights count 16 bits, zeros included: dense storage does not shrink by pruning."""
    sparsity: float
    """Share of the compressed weights that are exactly zero, in [0, 1]; coarse grids have zeros too."""
    compressed_weights: int
    """Number of weights in the projections that were compressed."""
    total_weights: int
    """Number of weights in the whole model, tied ones counted once."""
    weight_bytes: int
    """Bytes of the whole model in packed storage: compressed projections as above, all else (embeddings, head, norms,
    biases) in 16 bits, tied ones counted once."""
    calibration_tokens: int
    """Tokens of the calibration text; 0 if none was read."""
    seconds: float
    """Wall-clock seconds of the compression."""
    notes: tuple[str, ...]
    """What was out of the ordinary: dead inputs, raised damping, weights that could not be reached."""
    ignored: tuple[str, ...] = ()
    """Patterns of the projections that were left as they are, as given."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Pattern to the recipe that its projections got instead, as given."""
    cache_bytes_per_token: float | None = None
    """Bytes that one token takes in a quantised key-value cache; None if the recipe leaves the cache in 16 bits."""
    execution: str = "simulated in floating point"
    """How the model runs; ``packed on the CPU (28 int4)`` where projections run on packed integers."""
    machine: Mapping[str, Json] = field(default_factory=dict)
    """What the last bits hang on (:func:`acgym.machine.machine`); ``threads`` as compression set them."""


def storage(model: nn.Module, linears: Mapping[str, Projection], bits: Mapping[str, float]) -> tuple[float, int]:
    """Return bits per compressed weight and bytes of the whole model.

    Args:
        model: the model.
        linears: name to compressed projection.
        bits: name to the bits that the projection's weight takes; 16 each where it is missing.
    """
    compressed = {identity(linear): name for name, linear in linears.items()}
    packed = sum(bits.get(name, DENSE_BITS * linears[name].weight.numel()) for name in compressed.values())
    weights = sum(linears[name].weight.numel() for name in compressed.values())
    rest = sum(p.numel() for p in model.parameters()) - weights
    return packed / weights, -int(-(packed + DENSE_BITS * rest) // 8)


def sparsity(linears: Mapping[str, Projection]) -> float:
    """Return the share of the projections' weights that are exactly zero, in [0, 1]."""
    zeros = sum(int((linear.weight == 0).sum()) for linear in linears.values())
    return zeros / sum(linear.weight.numel() for linear in linears.values())
