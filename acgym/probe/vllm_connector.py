"""Loaded by vLLM inside its own processes: hands over the hidden states that it extracts, in files that are whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from vllm.distributed.kv_transfer.kv_connector.v1 import example_hidden_states_connector as example

STATES = "hidden_states"
"""Name of the tensor in a file: (tokens of the prompt, layers, width)."""


class HiddenStates(example.ExampleHiddenStatesConnector):  # type: ignore[misc]
    """vLLM's example, but for the writing.

    The example copies through a GPU's pinned memory and lets readers wait for a lock. This one works on every device,
    and a file has its name once it is complete.
    """

    def _submit_async_write(self, pending: Any) -> None:
        """Write a finished request's hidden states; called by the example before their memory is used again."""
        if not self._is_tp_rank_zero:
            return
        blocks = torch.tensor(pending.block_ids)[:, None] * self._block_size
        slots = (blocks + torch.arange(self._block_size)).flatten().to(self._kv_cache.device)
        found = example.extract_from_kv_cache(self._kv_cache, slots, len(pending.token_ids))
        file = Path(pending.filename)
        partial = file.with_suffix(".partial")
        save_file({STATES: found.cpu().contiguous()}, partial)
        os.replace(partial, file)
