"""What a streamed compression notes and refuses: names of files, counts, the record read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acgym.compress.methods import METHODS
from acgym.compress.plan import Plan
from acgym.compress.projections import Projection
from acgym.compress.record import CompressionRecord, LayerRecord


def hidden_file(at: int, index: int) -> str:
    """Name of the file with the hidden states at the input of a layer."""
    return f"step{at}-input{index:05d}.safetensors"


def read_record(content: Mapping[str, Any]) -> CompressionRecord:
    """Return the record of a finished folder."""
    lists = {key: tuple(content[key]) for key in ("notes", "ignored")}
    return CompressionRecord(
        **{**content, **lists, "layers": tuple(LayerRecord(**layer) for layer in content["layers"])}
    )


def check_plan(chosen: Plan, linears: Mapping[str, Projection]) -> None:
    """Refuse steps that do not fit a projection's shape, or whose result plain weights cannot hold."""
    for name, linear in linears.items():
        for step in chosen.steps[name]:
            if METHODS[step.method].model is not None or step.options.activations is not None:
                raise ValueError(
                    f"{step} changes how the model runs, and a folder of plain weights cannot say so; leave it out, or "
                    "compress the model in memory"
                )
            try:
                step.options.check(linear.in_features)
            except ValueError as error:
                raise ValueError(f"{step} does not fit {name}: {error}") from None


def count_zeros(linears: Mapping[str, Projection]) -> int:
    """Count the weights that are exactly zero."""
    return sum(int((linear.weight == 0).sum()) for linear in linears.values())
