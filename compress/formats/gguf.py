"""Reads GGUF files into dense models that compute what the file means: weights are multiplied out once, on loading."""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from acgym.compress.formats.build import build
from acgym.model_files.gguf import PLAIN, Gguf, read_header
from acgym.types import Json

HELD = torch.bfloat16
"""Stored dtype of a file whose weights are not all of one plain type."""
_MOST_COPIED = 1 << 30
_UINT32 = 4  # a type of GGUF's settings
_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_gguf(path: Path, hold: Callable[[int, torch.dtype], torch.dtype]) -> tuple[Any, dict[str, Json]]:
    """Load a GGUF file: the configuration and the names are transformers', the types are the gguf package's.

    Every quantisation type that gguf decodes is read; inputs stay as they are, whereas llama.cpp rounds those of
    quantised weights to 8 bits, so its outputs differ a little.

    Args:
        path: of the file.
        hold: from the number of weights and their stored dtype to the dtype of the model.

    Returns:
        The model, on the CPU, and what :meth:`acgym.model_files.gguf.Gguf.facts` says of the file.

    Raises:
        ValueError: if the file is damaged, of an architecture that transformers does not read from GGUF, of a type
            that gguf does not decode, or does not hold the model that it describes.
        ImportError: if the package gguf is not installed.
    """
    header = read_header(path)
    with tempfile.TemporaryDirectory() as folder:
        model = _model(_without_words(path, header, Path(folder)), path, header, hold)
    return model, header.facts()


def _model(lean: Path, path: Path, header: Gguf, hold: Callable[[int, torch.dtype], torch.dtype]) -> Any:
    """Make the model of ``lean``, which holds all of ``path`` but perhaps its vocabulary."""
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    types = {tensor.type for tensor in header.tensors.values() if len(tensor.shape) > 1}
    stored = _DTYPES.get(next(iter(types)), HELD) if len(types) == 1 and types <= set(PLAIN) else HELD
    held = sum(tensor.numel for tensor in header.tensors.values())
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that cannot be switched off
        config = AutoConfig.from_pretrained(lean.parent, gguf_file=lean.name, trust_remote_code=False)
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        auto: Any = AutoModelForCausalLM
        with torch.device("meta"):
            bare = auto.from_config(config, trust_remote_code=False)
        claimed = sum(parameter.numel() for parameter in bare.parameters())
        if claimed > 1.01 * held:
            raise ValueError(f"{path} describes a model of {claimed} weights, but holds {held}; copy it again")
        dtype = hold(claimed, stored)
        read: Any = load_gguf_checkpoint
        for asked in (_Flat(bare), bare):
            state = read(str(lean), return_tensors=True, model_to_load=asked, torch_dtype=dtype)["tensors"]
            if all(name in state for name, _ in bare.named_parameters()):
                break
        model = build(path, config, state, dtype)
    model.generation_config = GenerationConfig.from_model_config(config)
    return model


class _Flat:
    """A model as transformers asks for its names, but without parts.

    It makes gguf's table of names anew for every module, which took 50 of 70 seconds for a model of 30 layers; the full
    names of most architectures are known as they are, and need none of the parts.
    """

    def __init__(self, model: Any) -> None:
        self.config, self.state_dict = model.config, model.state_dict

    def named_children(self) -> tuple[()]:
        """Return no parts."""
        return ()


def _without_words(path: Path, header: Gguf, folder: Path) -> Path:
    """Copy a file without the long lists of its tokenizer, which would be read twice, some five seconds each time.

    Returns:
        The copy in ``folder``; ``path`` itself where it is large, and reading its weights takes longer anyway.
    """
    lists = [key for key in header.spans if key.startswith("tokenizer.ggml.") and header.is_long(key)]
    if header.file_bytes > _MOST_COPIED or "tokenizer.ggml.tokens" not in lists:
        return path
    size, said = f"{header.architecture}.vocab_size", b""
    if size not in header.spans:  # it would be told from the list
        words = int(header.settings["tokenizer.ggml.tokens"])
        said = struct.pack("<Q", len(size.encode())) + size.encode() + struct.pack("<II", _UINT32, words)
    kept = [span for key, span in header.spans.items() if key not in lists]
    lean = folder / "model.gguf"
    with path.open("rb") as read, lean.open("wb") as write:
        write.write(struct.pack("<4sIQQ", b"GGUF", 3, len(header.tensors), len(kept) + bool(said)))
        for start, end in kept:
            read.seek(start)
            write.write(read.read(end - start))
        write.write(said)
        start, end = header.described
        read.seek(start)
        write.write(read.read(end - start))
        write.write(bytes(-write.tell() % header.alignment))
        read.seek(end + -end % header.alignment)
        shutil.copyfileobj(read, write, 1 << 20)
    return lean
