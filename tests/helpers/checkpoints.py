"""Compares checkpoints on the disk."""

from __future__ import annotations

import json

import torch
from safetensors.torch import load_file

from acgym.compress.formats.files import weight_files


def tensors(folder):
    """All tensors of a folder by name, whatever file they are in."""
    return {name: tensor for file in weight_files(folder) for name, tensor in load_file(file).items()}


def assert_equal(one, other):
    left, right = tensors(one), tensors(other)
    assert left.keys() == right.keys()
    assert [name for name in left if left[name].dtype != right[name].dtype] == []
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    ours, theirs = (json.loads((folder / "config.json").read_text("utf-8")) for folder in (one, other))
    assert [ours.get(key) for key in ("dtype", "quantization_config")] == [
        theirs.get(key) for key in ("dtype", "quantization_config")
    ]
