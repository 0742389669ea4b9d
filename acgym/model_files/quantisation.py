"""How a checkpoint says that its weights are quantised, and what is needed to read it. Loads without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from acgym.model_files.settings import read_settings
from acgym.types import Json

READ_HERE = ("gptq", "awq", "compressed-tensors")
"""Methods whose checkpoints acgym reads by itself, with nothing else installed."""

_EXTRAS = {"bitsandbytes": ("bitsandbytes", "accelerate")}
"""Methods that transformers reads with other packages' help; the extra of acgym has the method's name."""

_OLDER_FILES = {"quantize_config.json": "gptq", "quant_config.json": "awq"}
"""Where AutoGPTQ and AutoAWQ kept the settings before config.json held them, and the method that the file implies."""

_OLDER_NAMES = {"w_bit": "bits", "q_group_size": "group_size", "checkpoint_format": "format", "version": "format"}


@dataclass(frozen=True, slots=True)
class Quantisation:
    """What a checkpoint says of its weights; none of it is checked against the weights yet."""

    method: str
    """``gptq``, ``awq``, ``compressed-tensors``, ``bitsandbytes`` or another, in small letters."""
    settings: Mapping[str, Json]
    """The quantization config as written, with AutoGPTQ's and AutoAWQ's older names of options replaced."""

    @property
    def read_here(self) -> bool:
        """Whether acgym reads it by itself."""
        return self.method in READ_HERE


def quantisation(config: Mapping[str, Json], folder: Path | None = None) -> Quantisation | None:
    """Return how a model's weights are quantised, or None if they are not.

    Args:
        config: what config.json holds.
        folder: the model's folder, to look for the files where older tools kept the settings; None not to look.

    Raises:
        ValueError: if the settings are damaged.
    """
    settings = config.get("quantization_config")
    if settings is not None and not isinstance(settings, dict):
        raise ValueError(f"quantization_config in config.json must be an object, got {type(settings).__name__}")
    implied = ""
    for name, method in _OLDER_FILES.items() if folder is not None and not settings else ():
        if folder is not None and (folder / name).is_file():
            settings, implied = read_settings(folder / name), method
    if not settings:
        return None
    method = settings.get("quant_method") or implied
    if not method and any(settings.get(key) is True for key in ("load_in_4bit", "load_in_8bit")):
        method = "bitsandbytes"
    if not isinstance(method, str) or not method:
        raise ValueError(f"quantization_config in config.json names no quant_method, such as {', '.join(READ_HERE)}")
    method = method.lower()
    if method in ("gptq", "awq"):
        settings = {**settings, **{new: settings[old] for old, new in _OLDER_NAMES.items() if old in settings}}
    return Quantisation(method, settings)


def check_readable(found: Quantisation) -> None:
    """Refuse a quantised checkpoint that cannot be read on this installation, before anything heavy is imported.

    A method that is neither acgym's nor in an extra is left to transformers, which says what it needs.

    Raises:
        ImportError: naming the command that installs what is missing.
        ValueError: for a variant of a layout that acgym does not read.
    """
    missing = [name for name in _EXTRAS.get(found.method, ()) if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"the checkpoint is quantised by {found.method}, which needs {' and '.join(missing)}; "
            f"install with: pip install 'acgym[{found.method}]'"
        )
    known = {"gptq": ("gptq", "gptq_v2"), "awq": ("gemm",)}.get(found.method)
    variant = found.settings.get("format") or (known or ("",))[0]
    if known is not None and str(variant).lower() not in known:
        raise ValueError(
            f"the checkpoint is in the {found.method} layout {variant!r}; acgym reads {' and '.join(known)}. "
            "Get the model in one of these, or convert it with the tool that made it."
        )
    for key in ("sparsity_config", "transform_config") if found.method == "compressed-tensors" else ():
        value = found.settings.get(key)
        if isinstance(value, dict) and value.get("format", "") != "dense" and value:
            raise ValueError(
                f"the checkpoint has a {key} ({value.get('format') or 'with rotations'}), which acgym does not read; "
                "get the model without it"
            )
