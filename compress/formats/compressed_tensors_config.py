"""Reads the config groups of a compressed-tensors checkpoint: widths of weights, and what is done to activations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from acgym.compress.methods.activations import Format
from acgym.types import Json

_FORMATS: dict[Any, Format | None] = {"int": "int8", "float": "fp8"}


def weight_groups(found: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """Go through the config groups that quantise weights.

    Raises:
        ValueError: if there are none, or they are no objects.
    """
    groups = found.get("config_groups")
    if not isinstance(groups, dict) or not groups:
        raise ValueError("quantization_config has no config_groups")
    for group in groups.values():
        if not isinstance(group, dict):
            raise ValueError("config_groups in quantization_config must hold objects")
        if isinstance(group.get("weights"), dict):
            yield group


def widths(found: Mapping[str, Json]) -> list[int]:
    """Return the width of the weights in each config group.

    Raises:
        ValueError: for one that does not exist.
    """
    found_widths = [group["weights"].get("num_bits") for group in weight_groups(found)]
    odd = [bits for bits in found_widths if isinstance(bits, bool) or not isinstance(bits, int) or not 2 <= bits <= 8]
    if odd:
        raise ValueError(f"num_bits in quantization_config must be 2 to 8, got {odd[0]!r}")
    return found_widths


def input_format(found: Mapping[str, Json]) -> Format | None:
    """Return the format to which the inputs of quantised projections are rounded, per token; None if they are not.

    Raises:
        ValueError: for another quantisation of activations, which would have to be simulated and is not.
    """
    kinds: set[Any] = set()
    for group in weight_groups(found):
        inputs = group.get("input_activations")
        wanted = {"num_bits": 8, "strategy": "token", "dynamic": True, "symmetric": True}
        if inputs and (not isinstance(inputs, dict) or any(inputs.get(key) != wanted[key] for key in wanted)):
            raise ValueError(
                "the checkpoint quantises its inputs in a way that acgym does not simulate; it knows 8 bits, "
                "symmetric, per token, dynamic"
            )
        kinds.add(_FORMATS.get(str(inputs.get("type")), "unknown") if inputs else None)
    if len(kinds) != 1 or not kinds <= {None, *get_args(Format)}:
        raise ValueError("the checkpoint quantises the inputs of some projections and not of others, or in two ways")
    form: Format | None = kinds.pop()
    return form
