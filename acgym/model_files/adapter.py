"""A low-rank adapter on disk, in the peft library's format: what of it is understood, told without torch.

Format: ``adapter_config.json`` and ``adapter_model.safetensors``. What is not understood is refused: weights that were
merged wrongly would play as another model.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acgym.types import Json

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

_HARMLESS = frozenset(
    (
        *("peft_type", "task_type", "auto_mapping", "base_model_name_or_path", "revision", "inference_mode"),
        *("peft_version", "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules"),
        "layers_to_transform",
        *("layers_pattern", "fan_in_fan_out", "bias", "use_rslora", "init_lora_weights", "runtime_config"),
        *("megatron_core", "qalora_group_size"),
    )
)
"""Settings that are read here, or that say nothing which the tensors do not say."""
_MOST_RANK = 1 << 16


@dataclass(frozen=True, slots=True)
class Adapter:
    """What is known of an adapter before its weights are read."""

    folder: Path
    rank: int
    """As its configuration says; each pair of matrices has the rank of its shapes, which must be this one."""
    scale: float
    """What B A is multiplied with: alpha / r, or alpha / sqrt(r) (rsLoRA)."""
    sha256: str
    """Of the weights' file and the scale, 64 hexadecimal digits."""

    def facts(self) -> dict[str, Json]:
        """Return what a record says of it."""
        return {"rank": self.rank, "scale": self.scale, "sha256": self.sha256}


def inspect_adapter(source: str | Path) -> Adapter:
    """Look an adapter over, and refuse what is not understood.

    Raises:
        FileNotFoundError: if the folder or one of the two files is not there.
        ValueError: if the configuration is damaged, or asks for what is not merged here: another method than LoRA,
            DoRA, ranks or alphas by pattern, biases, modules that were trained whole, new tokens, replicated layers, or
            a start (PiSSA, OLoRA, ...) that also changed the base model.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no adapter at {str(source)!r}; expected a folder with {CONFIG} and {WEIGHTS}"
        )
    config = _read(folder / CONFIG)
    if not (folder / WEIGHTS).is_file():
        pickled = " (adapter_model.bin can run code when read)" if (folder / "adapter_model.bin").exists() else ""
        raise FileNotFoundError(f"{folder} has no {WEIGHTS}{pickled}; save the adapter with safe_serialization=True")
    _refuse_others(folder, config)
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if type(rank) is not int or not 1 <= rank <= _MOST_RANK:
        raise ValueError(f"{folder / CONFIG} is damaged: expected a whole number above 0 as 'r', got {rank!r}")
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not math.isfinite(alpha):
        raise ValueError(f"{folder / CONFIG} is damaged: expected a number as 'lora_alpha', got {alpha!r}")
    scale = alpha / math.sqrt(rank) if config.get("use_rslora") is True else alpha / rank
    digest = hashlib.sha256(f"{scale!r}\n".encode())
    with (folder / WEIGHTS).open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return Adapter(folder, rank, scale, digest.hexdigest())


def _refuse_others(folder: Path, config: Mapping[str, Json]) -> None:
    """Refuse every setting that would make another model than W + scale B A."""
    kind, bias, start = config.get("peft_type"), config.get("bias", "none"), config.get("init_lora_weights", True)
    if kind != "LORA":
        raise ValueError(f"{folder} holds an adapter of the type {kind!r}; acgym merges LORA only")
    if bias != "none":
        raise ValueError(f"{folder} holds biases too ('bias': {bias!r}); acgym merges adapters with 'none' only")
    if not isinstance(start, bool) and start not in (None, "gaussian"):
        raise ValueError(
            f"the adapter in {folder} began as {start!r}, which may have changed its base model too; acgym merges "
            "those that began as zero; merge it with peft (merge_and_unload), save the model and name that"
        )
    odd = [key for key, value in config.items() if key not in _HARMLESS and value not in (None, False, {}, [], "")]
    if config.get("fan_in_fan_out"):
        odd.append("fan_in_fan_out")
    if odd:
        raise ValueError(
            f"the adapter in {folder} asks for {', '.join(map(repr, sorted(odd)[:4]))}, which acgym does not merge; "
            "merge it with peft (merge_and_unload), save the model and name that"
        )


def _read(file: Path) -> dict[str, Json]:
    if not file.is_file():
        raise FileNotFoundError(f"{file.parent} is no adapter: it has no {CONFIG} (peft's save_pretrained writes one)")
    try:
        value = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: it is not JSON ({error}). Copy the adapter again.") from None
    if not isinstance(value, dict):
        raise ValueError(f"{file} is damaged: expected an object, got {type(value).__name__}. Copy the adapter again.")
    return value
