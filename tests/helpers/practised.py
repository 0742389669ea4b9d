"""Training data of a small recipe, which any process makes the same."""

from __future__ import annotations

from acgym.train.data import RECALL, REPEAT, Practice
from tests.helpers import small_agent

NEEDLE = "ACB/Needle-v0"


def practice():
    shares = {NEEDLE: 0.5, "ACB/ToolCall-v0": 0.5, RECALL: 1.0, REPEAT: 1.0}
    return Practice(small_agent.tokenizer(), shares, seed=0, tokens_per_step=256, steps=6, practice_fades_over=4)
