"""Model folders for the tests of streamed compression, and a kill at any moment."""

from __future__ import annotations

import os

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from tests.helpers.compress_models import make

logging.disable_progress_bar()


def saved(folder, family="llama", shards="50GB", dtype=None, **changes):
    model = make(family, **changes)
    if dtype is not None:
        model = model.to(dtype)
    model.save_pretrained(folder, max_shard_size=shards)
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


def loaded(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()


def files(folder):
    """Every file's bytes but the record's, which holds seconds."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "acgym_compression.json"}


def same(first, second):
    left, right = first.state_dict(), second.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


class Killed(BaseException):
    """Stands for a kill: no code of ours catches it."""


def dying(monkeypatch, moment, before):
    """Die at the ``moment``-th rename, just before it or just after."""
    real, seen = os.replace, []

    def replace(source, target):
        seen.append(target)
        if before and len(seen) == moment:
            raise Killed
        real(source, target)
        if len(seen) == moment:
            raise Killed

    monkeypatch.setattr(os, "replace", replace)
