"""The files of an agent's model: their fingerprint and their size."""

from __future__ import annotations

from pathlib import Path

from acgym.assemble.spec import AgentSpec, model_folder, model_source
from acgym.model_files.gguf import read_header
from acgym.model_files.settings import digest_of_ends

_MODEL_FILES = (".safetensors", ".json", ".jinja", ".model", ".txt")
_END_BYTES = 4 << 20


def fingerprint(spec: AgentSpec) -> str | None:
    """Identify the model files of a spec, so that a run is never continued with other weights under the same path.

    Returns:
        16 hexadecimal digits over the names, sizes and the first and last 4 MiB of the files that make the model and
        its adapter; None for an agent without a model, or a model that is named by its hub id.
    """
    folder = model_folder(spec)
    if folder is None:
        return None
    files = [folder] if folder.is_file() else _files(folder)
    adapter = model_source(spec)[1]
    files += [] if adapter is None else _files(Path(adapter).expanduser())
    return digest_of_ends(files, _END_BYTES)[:16]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in _MODEL_FILES and path.is_file())


def weight_bytes(source: Path) -> int:
    """Return the bytes of a folder's weights, or what those of a GGUF file take in 16 bits."""
    if source.is_file():
        return 2 * sum(tensor.numel for tensor in read_header(source).tensors.values())
    return sum(file.stat().st_size for file in source.glob("*.safetensors"))
