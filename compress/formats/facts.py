"""What a record says of a quantised checkpoint: layout, widths, and the bytes that its weights take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from acgym.compress.formats.compressed_tensors_config import input_format, weight_groups
from acgym.compress.formats.files import WeightFiles
from acgym.compress.formats.gptq import widths
from acgym.compress.methods.activations import Format
from acgym.model_files.quantisation import Quantisation, quantisation
from acgym.types import Json


@dataclass(slots=True)
class Sizes:
    """What the weights take in the file."""

    weights: int = 0
    """Quantised weights."""
    packed_bytes: int = 0
    """Bytes of all tensors that belong to them: integers, scales, zero points, indices."""
    other_bytes: int = 0
    names: list[str] = field(default_factory=list)
    """Names of the quantised projections."""


def facts_of(found: Quantisation, sizes: Sizes, form: Format | None, bytes_on_disk: int) -> dict[str, Json]:
    """Return what a record says of a checkpoint in one of acgym's layouts.

    Args:
        found: what its config.json says.
        sizes: of its weights.
        form: the format to which inputs of projections are rounded.
        bytes_on_disk: of the weight files.

    Returns:
        See :func:`acgym.compress.formats.read.read_checkpoint`.
    """
    settings: Mapping[str, Json] = found.settings
    facts: dict[str, Json] = {"quant_method": found.method, "format": settings.get("format")}
    if found.method == "compressed-tensors":
        groups = [group["weights"] for group in weight_groups(settings)]
        first = groups[0] if len({json.dumps(group, sort_keys=True) for group in groups}) == 1 else {}
        whole = first.get("strategy") == "channel"
        facts |= {"bits": first.get("num_bits"), "group_size": -1 if whole else first.get("group_size")}
        facts |= {"symmetric": first.get("symmetric"), "act_order": first.get("actorder") == "group"}
    else:
        symmetric = settings.get("sym") if found.method == "gptq" else settings.get("zero_point") is False
        facts |= {"bits": settings["bits"], "group_size": settings.get("group_size"), "symmetric": symmetric}
        facts |= {"act_order": bool(settings.get("desc_act"))}
        if found.method == "gptq" and len(mixed := widths(settings)) > 1:
            facts |= {"bits": None, "mixed_bits": sorted(mixed)}
    if settings.get("kv_cache_scheme"):
        facts["not_simulated"] = "the checkpoint asks for a quantised key-value cache; it is kept as it is"
    return facts | {
        "activations": None if form is None else f"{form} per token",
        "bits_per_weight": 8 * sizes.packed_bytes / sizes.weights,
        "weight_bytes": sizes.packed_bytes + sizes.other_bytes,
        "bytes_on_disk": bytes_on_disk,
    }


def facts_from_headers(files: WeightFiles, config: Mapping[str, Json], folder: Path, weights: int) -> dict[str, Json]:
    """Return the facts of a checkpoint of acgym's without reading a tensor; of plain weights only the bytes.

    Args:
        files: all of its weight files.
        config: its config.json.
        folder: where it is.
        weights: how many weights are quantised.
    """
    packed = {f"{module}.{part}" for module, parts in files.quantised().items() for part in parts}
    total, inside = (sum(map(files.nbytes, names)) for names in (files.files, packed))
    found = quantisation(config, folder)
    if found is None:
        return {"weight_bytes": total, "bytes_on_disk": files.bytes_on_disk}
    form = input_format(found.settings) if found.method == "compressed-tensors" else None
    return facts_of(found, Sizes(weights, inside, total - inside), form, files.bytes_on_disk)
