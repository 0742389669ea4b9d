"""What a streamed compression notes and refuses: names of files, counts, the record read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from acgym.compress.plan import Plan
from acgym.compress.walk.collector import few_tokens
from acgym.compress.walk.layers import filled, stored_bits
from acgym.compress.walk.projections import Projection, unreached
from acgym.compress.walk.record import CompressionRecord, LayerRecord, storage
from acgym.machine import machine


def hidden_file(at: int, index: int) -> str:
    """Name of the file with the hidden states at the input of a layer."""
    return f"step{at}-input{index:05d}.safetensors"


def read_record(content: Mapping[str, Any]) -> CompressionRecord:
    """Return the compression record of a finished folder."""
    lists = {key: tuple(content[key]) for key in ("notes", "ignored")}
    return CompressionRecord(
        **{**content, **lists, "layers": tuple(LayerRecord(**layer) for layer in content["layers"])}
    )


def record_of(
    plan: Plan,
    model: nn.Module,
    layers: Mapping[str, nn.Module],
    linears: Mapping[str, Projection],
    done: Sequence[Mapping[str, Any]],
    rows: Sequence[Sequence[int]],
) -> CompressionRecord:
    """Put the record together from what the journal holds.

    Args:
        plan: what was done.
        model: the skeleton.
        layers: its decoder layers by name.
        linears: full name to projection of all that were compressed.
        done: the journal's entry of each layer, step by step.
        rows: the calibration.
    """
    weights = sum(linear.weight.numel() for linear in linears.values())
    notes, share = unreached(layers) + plan.notes, 0.0
    for at, step in enumerate(plan.recipe):
        entries = done[at * len(layers) : (at + 1) * len(layers)]
        notes += dict.fromkeys(note for entry in entries for note in entry["notes"])
        before, share = (sum(entry["zeros"][i] for entry in entries) / weights for i in (0, 1))
        notes += filled(step, before, share)
    notes += few_tokens(plan.most_needed, (item.in_features for item in linears.values()), sum(map(len, rows)))
    bits_per_weight, weight_bytes = storage(model, linears, stored_bits(plan, linears))
    return CompressionRecord(
        recipe=str(plan.recipe),
        simulated=True,
        layers=tuple(LayerRecord(**entry["record"]) for entry in done),
        bits_per_weight=bits_per_weight,
        sparsity=share,
        compressed_weights=weights,
        total_weights=sum(p.numel() for p in model.parameters()),
        weight_bytes=weight_bytes,
        calibration_tokens=sum(map(len, rows)),
        seconds=sum(entry["seconds"] for entry in done),
        notes=tuple(notes),
        ignored=plan.ignored,
        overrides=plan.overrides,
        machine=machine(),
    )


def check_plan(chosen: Plan, linears: Mapping[str, Projection], packed: bool) -> None:
    """Refuse steps that do not fit a projection's shape, or whose result the format cannot hold.

    Args:
        chosen: what each projection gets.
        linears: full name to projection.
        packed: whether the format packs weights, and so can say that inputs are rounded.
    """
    for name, linear in linears.items():
        for step in chosen.steps[name]:
            if step.options.activations is not None and not packed:
                raise ValueError(f"dense weights cannot say that activations are quantised ({step}); leave it out")
            try:
                step.options.check(linear.in_features)
            except ValueError as error:
                raise ValueError(f"{step} does not fit {name}: {error}") from None


def count_zeros(linears: Mapping[str, Projection]) -> int:
    """Count the weights that are exactly zero."""
    return sum(int((linear.weight == 0).sum()) for linear in linears.values())
