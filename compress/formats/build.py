"""Builds a model of a configuration and a whole set of weights, or refuses in a sentence what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def build(source: Path, config: Any, state: dict[str, Tensor], dtype: torch.dtype) -> Any:
    """Make the model that a configuration describes, with exactly these weights.

    Args:
        source: the folder or file that both come from; for messages.
        config: a transformers configuration.
        state: name in the model -> tensor.
        dtype: of the model.

    Raises:
        ValueError: if the configuration describes a larger model, or the weights lack some of its tensors, hold others,
            or do not fit.
    """
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
    held, claimed = sum(t.numel() for t in state.values()), sum(p.numel() for p in skeleton.parameters())
    if claimed > 1.01 * held:
        raise ValueError(
            f"the configuration of {source} describes a model of {claimed} weights, but the files hold {held}; the two "
            "do not belong together"
        )
    try:
        model, report = type(skeleton).from_pretrained(
            None, config=config, state_dict=state, dtype=dtype, output_loading_info=True
        )
    except (RuntimeError, KeyError) as error:
        raise ValueError(f"the weights in {source} do not fit its configuration: {error}") from None
    missing = sorted(report["missing_keys"])
    if missing:
        raise ValueError(f"{source} lacks {len(missing)} weights of its model, such as {missing[0]}; copy it again")
    # AutoGPTQ writes biases of zeros for projections that have none.
    spare = [key for key in sorted(report["unexpected_keys"]) if key.endswith((".weight", ".bias"))]
    spare = [key for key in spare if bool(state[key].count_nonzero())]
    if spare:
        raise ValueError(f"{source} holds weights that its model has no place for, such as {spare[0]}")
    return model
