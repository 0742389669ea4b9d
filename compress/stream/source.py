"""A model's folder, seen tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from acgym.model_files.settings import digest_of_ends, read_settings
from acgym.model_files.weights import INDEX, weight_files

_END_BYTES = 1 << 20

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
"""Dtypes of weights that are not quantised, as safetensors spells them."""


@dataclass
class Source:
    """The configuration and the safetensors of a folder; only headers are read until a tensor is asked for."""

    folder: Path
    packed: bool = False
    """Whether weights may be quantised; of such a folder, those that are not can be read."""
    config: Any = field(init=False)
    """The transformers configuration."""
    files: dict[str, Path] = field(init=False)
    """Tensor name -> the file that holds it."""
    shapes: dict[str, tuple[int, ...]] = field(init=False)
    dtypes: dict[str, str] = field(init=False)
    """Tensor name -> dtype as safetensors spells it, such as ``BF16``."""
    dtype: torch.dtype = field(init=False)
    """The floating dtype of the model: the configuration's, else that of its first floating tensor."""

    def __post_init__(self) -> None:
        """Look the folder over.

        Raises:
            ValueError: if it is no model folder, asks for code of its own, is quantised already (unless ``packed``), or
                is damaged.
        """
        self.config = _read_config(self.folder, self.packed)
        self.files = _weight_map(self.folder)
        self.shapes, self.dtypes = {}, {}
        for file in sorted(set(self.files.values())):
            try:
                with safe_open(file, "pt") as tensors:
                    for name in tensors.keys():  # noqa: SIM118 - it is no dictionary
                        piece = tensors.get_slice(name)
                        self.shapes[name], self.dtypes[name] = tuple(piece.get_shape()), piece.get_dtype()
            except (SafetensorError, OSError) as error:
                raise ValueError(f"{file} is damaged or no safetensors file ({error}); copy the model again") from None
        if lost := sorted(set(self.files) - set(self.shapes)):
            raise ValueError(f"{self.folder / INDEX} names {lost[0]}, which {self.files[lost[0]].name} does not hold")
        named = getattr(self.config, "dtype", None)
        floating = (DTYPES[dtype] for dtype in self.dtypes.values() if dtype in DTYPES)
        self.dtype = named if isinstance(named, torch.dtype) else next(floating, torch.float32)

    def read(self, name: str, rounded: torch.dtype, dtype: torch.dtype | None = None) -> Tensor:
        """Return a copy of one tensor on the CPU; the file is closed, so that its pages can go.

        Args:
            name: of the tensor.
            rounded: a floating one is rounded to it.
            dtype: and held in this one; None for the same.
        """
        with safe_open(self.files[name], "pt") as tensors:
            tensor = cast(Tensor, tensors.get_tensor(name))
            if not tensor.is_floating_point():
                return tensor.clone()
            return tensor.to(rounded).to(dtype or rounded, copy=True)

    def config_as(self, dtype: torch.dtype, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return config.json as it is, but for the dtype and, if weights are quantised, how."""
        config = {**read_settings(self.folder / "config.json"), "dtype": str(dtype).removeprefix("torch.")}
        config.pop("torch_dtype", None)  # the older name of the same
        return config if settings is None else {**config, "quantization_config": dict(settings)}

    def small_files(self) -> list[Path]:
        """Return what goes with the weights: tokenizer, chat template, generation settings, licence."""
        skipped = ("config.json", INDEX)
        return [
            path
            for path in sorted(self.folder.iterdir())
            if path.is_file()
            and path.name not in skipped
            and (path.suffix in (".json", ".jinja", ".txt", ".model") or path.name.upper().startswith("LICENSE"))
        ]

    def digest(self) -> str:
        """Identify the folder: SHA-256 over its configuration and each file's name, size and first and last MiB."""
        start = (self.folder / "config.json").read_bytes()
        return digest_of_ends(sorted(set(self.files.values())), _END_BYTES, start)


def _read_config(folder: Path, packed: bool) -> Any:
    file = folder / "config.json"
    if not file.is_file():
        raise ValueError(f"{folder} is no model folder: it has no config.json (save_pretrained writes one)")
    settings = read_settings(file)
    if "auto_map" in settings:
        raise ValueError(f"{folder} asks to run Python code of its own ('auto_map' in config.json); it is never run")
    if "quantization_config" in settings and not packed:
        raise ValueError(f"{folder} is quantised already ('quantization_config' in config.json); use its dense form")
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{file} cannot be read: {' '.join(str(error).split())}") from None


def _weight_map(folder: Path) -> dict[str, Path]:
    """Return tensor name -> file, from the index if there is one, else from the only file."""
    files, index = weight_files(folder), folder / INDEX
    if index.is_file():
        return {name: folder / file for name, file in read_settings(index)["weight_map"].items()}
    [single] = files
    try:
        with safe_open(single, "pt") as tensors:
            return dict.fromkeys(tensors.keys(), single)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{single} is damaged or no safetensors file ({error}); copy the model again") from None
