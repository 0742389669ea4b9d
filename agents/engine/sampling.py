"""Chooses tokens by chance that depends on nothing but a key and a position."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

_FIRST_LOOK = 64
"""Tokens among which a nucleus is looked for first; sorting the whole vocabulary would take longer than the model."""


def prompt_key(ids: Sequence[int]) -> int:
    """Return 64 bits that stand for a prompt's tokens."""
    return int.from_bytes(hashlib.blake2b(array("q", ids).tobytes(), digest_size=8).digest(), "little")


def uniform(seed: int, key: int, position: int) -> float:
    """Return a number in [0, 1) for a position of a reply: Philox (Salmon et al. 2011), keyed by seed and prompt.

    Args:
        seed: of the agent, below 2^64.
        key: see :func:`prompt_key`.
        position: of the token in the reply, from 0 on.
    """
    philox = np.random.Philox(key=np.array([seed, key], np.uint64), counter=np.array([position, 0, 0, 0], np.uint64))
    return float(int(philox.random_raw()) >> 11) * 2.0**-53


def sample(logits: Tensor, draws: Sequence[float], temperature: float, top_p: float, top_k: int) -> list[int]:
    """Draw one token from each row, by inverting the distribution function in the order of the vocabulary.

    So a token changes only if the draw lies at the edge of its probability: rounding hardly ever changes it.

    Args:
        logits: (rows, vocabulary), any float dtype; -inf for what must not be said.
        draws: a number in [0, 1) for each row.
        temperature: above 0.
        top_p: in (0, 1]; 1 for all.
        top_k: 0 for all. Tokens as likely as the last that is kept are kept too.

    Returns:
        Token ids, one a row.
    """
    # The largest logit is taken off first: a small temperature must not overflow.
    scores = logits.float()
    scores = (scores - scores.amax(-1, keepdim=True)) / temperature
    if 0 < top_k < scores.shape[-1]:
        least = scores.topk(top_k).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    chances = torch.softmax(scores.double(), -1)
    if top_p < 1:
        chances = chances.masked_fill(chances < _least_of_nucleus(chances, top_p), 0.0)
    reached = chances.cumsum(-1)
    aims = torch.tensor(draws, dtype=torch.float64, device=logits.device)[:, None] * reached[:, -1:]
    chosen = torch.searchsorted(reached, aims, right=True).clamp_(max=logits.shape[-1] - 1)
    return cast(list[int], chosen[:, 0].tolist())


def _least_of_nucleus(chances: Tensor, top_p: float) -> Tensor:
    """Return the smallest probability in each row's nucleus, (rows, 1)."""
    look = min(_FIRST_LOOK, chances.shape[-1])
    while True:
        best = chances.topk(look).values
        before = best.cumsum(-1) - best  # a token is in the nucleus if those before it do not reach the sum
        if look == chances.shape[-1] or bool((before[:, -1] >= top_p).all()):
            return best.masked_fill(before >= top_p, torch.inf).amin(-1, keepdim=True)
        look = min(8 * look, chances.shape[-1])
