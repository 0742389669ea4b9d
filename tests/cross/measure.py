"""How the cross-checks compare: logits of a model, relative distances, and their rounding of inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

import acgym.compress.methods.activations as activations
from acgym.assemble.make import agent


def distance(a: Tensor, b: Tensor) -> float:
    """Return ||a - b|| / ||b||."""
    return float((a - b).norm() / b.norm())


def usual_distance(a: Tensor, b: Tensor) -> float:
    """Return the median distance over the tokens: routers of experts are switches, and send a few tokens elsewhere."""
    pairs = zip(a.flatten(0, -2), b.flatten(0, -2), strict=True)
    return float(torch.tensor([distance(*pair) for pair in pairs]).median())


def opened(spec: str | Path, calibration: Path | None = None) -> Any:
    """Return the model of an agent, in float32; a path means the model in that folder."""
    made: Any = agent(f"hf:{spec}" if isinstance(spec, Path) else spec, calibration=calibration)
    return made.model.float()


def answers(model: Any, ids: Tensor) -> Tensor:
    """Return the logits of (prompts, tokens) ids, each prompt on its own, float32."""
    with torch.no_grad():
        return torch.cat([model(input_ids=row[None]).logits.float() for row in ids])


@contextmanager
def rounding(name: str) -> Iterator[None]:
    """Let models round the inputs of W8A8 projections as compressed-tensors does ("theirs"), or not at all ("none").

    compressed-tensors divides a token by max|x| / 127.5 and clamps to [-128, 127]; vLLM's kernels and acgym divide by
    max|x| / 127. Both are W8A8; which codes come out differs in many places by one.
    """

    def theirs(x: Tensor, form: str) -> Tensor:
        scale = x.abs().amax(-1, keepdim=True) / 127.5
        return torch.round(x / scale.clamp(min=1e-30)).clamp(-128, 127) * scale

    with mock.patch.object(activations, "quantise_tokens", theirs if name == "theirs" else lambda x, form: x):
        yield
