"""Checkpoints that their own package runs, bitsandbytes for one: loaded by transformers, measured here."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from torch import nn

from acgym.compress.formats.files import WeightFiles
from acgym.model_files.quantisation import Quantisation
from acgym.types import Json

_MARKS = {".weight.absmax": 2, ".SCB": 1}
"""Tensors that bitsandbytes keeps beside a quantised weight, and how many weights a byte of it holds."""


def read_by_transformers(folder: Path, found: Quantisation) -> tuple[nn.Module, dict[str, Json]]:
    """Load a checkpoint of a method whose package does the work, and say what is stored.

    Args:
        folder: holds config.json and safetensors weights.
        found: what config.json says.

    Returns:
        The model, in the dtype and on the device that transformers chooses, and ``quant_method``, ``bits``,
        ``bits_per_weight`` (None if the method is not bitsandbytes), ``weight_bytes`` and ``bytes_on_disk``.

    Raises:
        ValueError: if weights of the model are missing.
        ImportError: by transformers, if the method needs a package that is not installed.
    """
    import transformers

    auto: Any = transformers.AutoModelForCausalLM
    model, report = auto.from_pretrained(
        folder, trust_remote_code=False, use_safetensors=True, dtype="auto", output_loading_info=True
    )
    missing = sorted(set(report["missing_keys"]) & {name for name, _ in model.named_parameters()})
    if missing:
        raise ValueError(f"{folder} lacks {len(missing)} weights of its model, such as {missing[0]}; copy it again")
    widths = {"load_in_4bit": 4, "load_in_8bit": 8}
    bits = next((width for key, width in widths.items() if found.settings.get(key)), found.settings.get("bits"))
    with ExitStack() as stack:
        files = WeightFiles.open(folder, stack)
        sizes = {name: files.get(name).nbytes for name in files.files}
        return model, {
            "quant_method": found.method,
            "bits": bits,
            "bits_per_weight": _bits_per_weight(sizes),
            "weight_bytes": sum(sizes.values()),
            "bytes_on_disk": files.bytes_on_disk,
        }


def _bits_per_weight(sizes: dict[str, int]) -> float | None:
    """Return the bits that all tensors of the quantised weights take, per weight; ``sizes`` are in bytes by name."""
    quantised = {
        name.removesuffix(mark): each for name in sizes for mark, each in _MARKS.items() if name.endswith(mark)
    }
    weights = sum(sizes[f"{name}.weight"] * each for name, each in quantised.items())
    stored = sum(size for name, size in sizes.items() for module in [_module(name)] if module in quantised)
    return 8 * stored / weights if weights else None


def _module(name: str) -> str:
    """Return the module that a tensor belongs to, if it stands for its weight; biases do not."""
    head, mark, _ = name.partition(".weight")
    return head if mark else name.removesuffix(".SCB")
