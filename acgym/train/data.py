"""Training batches for behaviour cloning: demonstrations of environments, and plain recall practice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from acgym.demonstrations import Demonstration, demonstrate
from acgym.draw import Draw
from acgym.envs.names import codes, distinct_names, names
from acgym.seeds import TRAINING_SEEDS
from acgym.train.tokenizer import TURN_END, TURN_START
from acgym.types import Message

RECALL = "recall"
"""Practice that is no environment: say the named values that stand in the question."""
REPEAT = "repeat"
"""Practice that is no environment: say a random line twice again. Copying forms first, within some hundred steps."""
PRACTICE = (RECALL, REPEAT)
LEFT_OF_PRACTICE = 0.05
"""Part of their shares that the practice families keep in the end."""

IGNORE = -100
ROW_TOKENS = 2048
"""Tokens of one batch, padding included."""
WIDTH_STEP = 16
KEPT_STEP = 256


@dataclass(frozen=True, slots=True)
class Batch:
    """Conversations of similar length, padded on the right.

    ids: (conversations, length) int64. targets: same shape, the next token where the agent is to say it, else IGNORE.
    """

    ids: torch.Tensor
    targets: torch.Tensor


def recall_practice(draw: Draw) -> Demonstration:
    """Make a conversation that names values and asks for all of them, in the given or another order."""
    count = draw.between(2, 8)
    names = distinct_names(draw, "train", count)
    numeric = draw.chance(0.5)
    values = draw.sample(codes("train"), count) if numeric else distinct_names(draw, "train", count)
    facts = [f'"{name}" is "{value}".' for name, value in zip(names, values, strict=True)]
    order = draw.shuffled(range(count)) if draw.chance(0.7) else list(range(count))
    asked = ", ".join(f'"{names[i]}"' for i in order)
    question = f"{' '.join(facts)}\nRepeat {asked}."
    answer = " ".join(facts[i] for i in order)
    return Demonstration(RECALL, (Message("user", question), Message("assistant", answer)), ())


def repeat_practice(draw: Draw, words: Sequence[str]) -> Demonstration:
    """Make a conversation that asks for a random line of 4 to 24 words, names and digits twice again."""
    line = "".join(_random_piece(draw, words) for _ in range(draw.between(4, 24)))
    return Demonstration(REPEAT, (Message("user", f"Repeat:{line}\n"), Message("assistant", f"{line}\n{line}")), ())


def _random_piece(draw: Draw, words: Sequence[str]) -> str:
    """Draw a word (half of the time), a quoted name or a digit, each with a space in front."""
    kind = draw.below(4)
    if kind < 2:
        return draw.pick(words)
    return f' "{draw.pick(names("train"))}"' if kind == 2 else f" {draw.below(10)}"


def tokenise(tokenizer: PreTrainedTokenizerFast, demonstration: Demonstration) -> tuple[list[int], list[int]]:
    """Render a demonstration with the chat template.

    Returns:
        (ids, targets) of equal length; ``targets[t]`` is ``ids[t + 1]`` where that token is the agent's (its
        end-of-turn token included), else IGNORE.
    """
    text = tokenizer.apply_chat_template(
        demonstration.as_chat(), tools=[dict(tool) for tool in demonstration.tools] or None, tokenize=False
    )
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    start, end, assistant = map(tokenizer.convert_tokens_to_ids, (TURN_START, TURN_END, "assistant\n"))
    targets = [IGNORE] * len(ids)
    speaking = False
    for t in range(1, len(ids)):
        if ids[t - 1] == start:
            speaking = ids[t] == assistant
        elif speaking:
            targets[t - 1] = ids[t]
            speaking = ids[t] != end
    return ids, targets


class Practice(Dataset[list[Batch]]):
    """Batches by step number: the same seed and step give the same batches in any process, so training can resume.

    Args:
        tokenizer: the reference tokenizer.
        shares: environment id or practice family -> its weight among the conversations.
        seed: of the training run.
        tokens_per_step: lower bound of the real tokens in a step; the last conversation may exceed it.
        steps: number of steps.
        practice_fades_over: steps over which the practice families fade.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        shares: Mapping[str, float],
        seed: int,
        tokens_per_step: int,
        steps: int,
        practice_fades_over: int,
    ) -> None:
        self.tokenizer = tokenizer
        self.shares = dict(shares)
        self.seed = seed
        self.tokens_per_step = tokens_per_step
        self.steps = steps
        self.practice_fades_over = practice_fades_over
        self._words = sorted(t for t in tokenizer.get_vocab() if t[:1] == " " and t[1:].isalpha())
        self._envs: dict[str, gym.Env[str, str]] = {}

    def __len__(self) -> int:
        """Return the number of steps."""
        return self.steps

    def __getitem__(self, step: int) -> list[Batch]:
        """Make the batches of one step: conversations until ``tokens_per_step`` is reached, grouped by length."""
        rng = np.random.default_rng([self.seed, step])
        draw = Draw(rng)
        families = list(self.shares)
        weights = np.array([self._share(family, step) for family in families])
        rows: list[tuple[list[int], list[int]]] = []
        left = self.tokens_per_step
        while left > 0:
            family = families[int(rng.choice(len(families), p=weights / weights.sum()))]
            row = tokenise(self.tokenizer, self._demonstrate(family, rng, draw))
            rows.append(row)
            left -= len(row[0])
        return group(rows)

    def _share(self, family: str, step: int) -> float:
        """Practice fades linearly to a small part of its share."""
        if family not in PRACTICE:
            return self.shares[family]
        return self.shares[family] * max(LEFT_OF_PRACTICE, 1 - step / self.practice_fades_over)

    def _demonstrate(self, env_id: str, rng: np.random.Generator, draw: Draw) -> Demonstration:
        if env_id == RECALL:
            return recall_practice(draw)
        if env_id == REPEAT:
            return repeat_practice(draw, self._words)
        if env_id not in self._envs:
            self._envs[env_id] = gym.make(env_id, level=1, disable_env_checker=True)
        return demonstrate(self._envs[env_id], int(rng.integers(*TRAINING_SEEDS)), "train")


def group(rows: Sequence[tuple[list[int], list[int]]]) -> list[Batch]:
    """Cut conversations, longest first, into batches of about ROW_TOKENS tokens.

    Widths are multiples of WIDTH_STEP, and the number of rows depends on the width alone, or is a quarter, half or
    three quarters of that in the last batch (empty rows fill up): matrix kernels are made anew for every new shape,
    which would cost more than the arithmetic.
    """
    ordered = sorted(rows, key=lambda row: len(row[0]), reverse=True)
    batches: list[Batch] = []
    while ordered:
        width = -(-len(ordered[0][0]) // WIDTH_STEP) * WIDTH_STEP
        count = max(1, ROW_TOKENS // width)
        quarter = max(1, count // 4)
        filled = min(count, -(-len(ordered) // quarter) * quarter)
        batches.append(_pad(ordered[:count], filled, width))
        ordered = ordered[count:]
    return batches


def _pad(rows: Sequence[tuple[list[int], list[int]]], count: int, width: int) -> Batch:
    ids = torch.zeros(count, width, dtype=torch.long)
    targets = torch.full((count, width), IGNORE, dtype=torch.long)
    for i, (row_ids, row_targets) in enumerate(rows):
        ids[i, : len(row_ids)] = torch.tensor(row_ids)
        targets[i, : len(row_targets)] = torch.tensor(row_targets)
    return Batch(ids, targets)


def decisions(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where the agent's tokens are predicted, as flat positions (n,), and these tokens (n,).

    n is a multiple of KEPT_STEP, again for the sake of few shapes: what fills up is position 0 with target IGNORE.
    """
    targets = batch.targets.flatten()
    kept = (targets != IGNORE).nonzero()[:, 0]
    missing = -len(kept) % KEPT_STEP
    wanted = torch.cat([targets[kept], torch.full((missing,), IGNORE)])
    return torch.cat([kept, torch.zeros(missing, dtype=torch.long)]), wanted


def _first_seeds(count: int) -> range:
    return range(TRAINING_SEEDS[0], TRAINING_SEEDS[0] + count)


def corpus(env_ids: Sequence[str], per_env: int) -> dict[str, list[Demonstration]]:
    """Draw demonstrations of the training split to build a tokenizer from."""
    drawn: dict[str, list[Demonstration]] = {}
    for env_id in env_ids:
        env: Any = gym.make(env_id, level=1, disable_env_checker=True)
        drawn[env_id] = [demonstrate(env, seed, "train") for seed in _first_seeds(per_env)]
    rng = np.random.default_rng(0)
    drawn[RECALL] = [recall_practice(Draw(rng)) for _ in range(per_env)]
    return drawn
