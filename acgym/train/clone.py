"""Trains a pretrained model on the oracle's demonstrations: what one run needs, its steps, and how it goes on."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from acgym.agents.local import LocalAgent
from acgym.demonstrations import demonstrate
from acgym.seeds import TRAINING_SEEDS
from acgym.train.chats import Row, spoken
from acgym.train.checkpoint import Checkpoint, check_recipe, read, write
from acgym.train.data import IGNORE
from acgym.train.lora import LoraLinear, attach, load_terms, peft_tensors
from acgym.train.mix import Part
from acgym.train.precision import computes_bfloat16, mixed

BATCH_TOKENS = 2048
"""Tokens of one forward pass, padding included; a longer conversation goes alone."""
NEAR = 0.9
"""A conversation shares a pass with a longer one only if it has at least this part of its length: less padding."""


@dataclass(frozen=True, slots=True)
class CloneRecipe:
    """Everything but the model that decides the trained weights."""

    mix: tuple[Part, ...]
    method: Literal["lora", "full"] = "lora"
    rank: int = 16
    alpha: float = 32.0
    rate: float | None = None
    """Peak learning rate of AdamW; None for 1e-3 (LoRA) or 2e-5 (full)."""
    steps: int = 400
    tokens_per_step: int = 3_000
    """Lower bound of the tokens in a step; the last conversation may exceed it."""
    warm_up_steps: int = 20
    decay_share: float = 0.5
    """Last part of the steps over which the rate falls linearly to zero."""
    longest: int = 2_048
    """A conversation with more tokens is left out, and another one drawn."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that no training can be done with."""
        for name in ("rank", "steps", "tokens_per_step", "warm_up_steps", "longest"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.method not in ("lora", "full"):
            raise ValueError(f"the method must be 'lora' or 'full', got {self.method!r}")
        if not 0 <= self.decay_share <= 1:
            raise ValueError(f"decay_share must be in [0, 1], got {self.decay_share}")
        for name, value in (("rate", self.peak), ("alpha", self.alpha)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be above 0, got {value}")

    @property
    def peak(self) -> float:
        """The peak learning rate."""
        return self.rate if self.rate is not None else 1e-3 if self.method == "lora" else 2e-5

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON."""
        return {**asdict(self), "mix": [part.to_dict() for part in self.mix], "rate": self.peak}


class Lessons:
    """Conversations by step number: the same seed and step give the same ones in any process.

    Args:
        agent: whose template and tool format they are written in.
        recipe: says the mix and how much a step takes.
    """

    def __init__(self, agent: LocalAgent, recipe: CloneRecipe) -> None:
        self.prompts, self.recipe = agent.prompts, recipe
        self.longest = min(recipe.longest, agent.window)
        self._envs: dict[str, gym.Env[str, str]] = {}

    def step(self, step: int) -> list[Row]:
        """Return the rows of a step.

        Raises:
            ValueError: if next to no conversation of the mix is short enough.
        """
        rng = np.random.default_rng([self.recipe.seed, step])
        weights = np.array([part.share for part in self.recipe.mix])
        rows: list[Row] = []
        left, long = self.recipe.tokens_per_step, 0
        while left > 0:
            part = self.recipe.mix[int(rng.choice(len(weights), p=weights / weights.sum()))]
            found = self.rows(part, int(rng.integers(*TRAINING_SEEDS)))
            if found is None:
                long += 1
                if long > 100:
                    raise ValueError(f"100 conversations in a row were longer than {self.longest} tokens; allow more")
                continue
            rows += found
            left -= sum(len(row.ids) for row in found)
        return rows

    def rows(self, part: Part, seed: int, split: Literal["train", "eval"] = "train") -> list[Row] | None:
        """Return one conversation's rows; None if one is longer than is trained on."""
        if part.name not in self._envs:
            self._envs[part.name] = gym.make(part.env, disable_env_checker=True, **part.kwargs)
        found = spoken(self.prompts, demonstrate(self._envs[part.name], seed, split))
        return None if any(len(row.ids) > self.longest for row in found) else found


def batches(rows: Sequence[Row]) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut rows, longest first, into batches of (ids, targets), both (rows, length) int64, padded on the right."""
    ordered = sorted(rows, key=lambda row: len(row.ids), reverse=True)
    while ordered:
        width = len(ordered[0].ids)
        near = sum(len(row.ids) >= NEAR * width for row in ordered)
        count = max(1, min(near, BATCH_TOKENS // width))
        taken, ordered = ordered[:count], ordered[count:]
        ids = torch.zeros(len(taken), width, dtype=torch.long)
        targets = torch.full((len(taken), width), IGNORE, dtype=torch.long)
        for i, row in enumerate(taken):
            ids[i, : len(row.ids)] = torch.tensor(row.ids)
            targets[i, : len(row.ids)] = torch.tensor(row.targets)
        yield ids, targets


class CloneTrainer:
    """Holds model, optimiser and step; knows how to take a step, to save itself and to go on from a checkpoint.

    Args:
        agent: the pretrained model, uncompressed; its model is changed.
        recipe: what decides the weights.
        folder: where the checkpoint lies, or will.
        start: low-rank terms to begin with, as an adapter's file holds them; None for fresh ones.

    Raises:
        ValueError: if the checkpoint is damaged or was made by another recipe or model (the mix may change: which
            step had which is kept in the checkpoint); or ``start`` does not fit.
    """

    def __init__(
        self, agent: LocalAgent, recipe: CloneRecipe, folder: Path, start: Mapping[str, Tensor] | None = None
    ) -> None:
        self.agent, self.recipe, self.folder = agent, recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.model: Any = agent.model
        self.layers: dict[str, LoraLinear] = {}
        self._facts = {"model": _identity(self.model), **recipe.to_dict()}
        torch.manual_seed(recipe.seed)
        if recipe.method == "lora":
            fast = computes_bfloat16() or self.model.device.type != "cpu"
            self.layers = attach(self.model, recipe.rank, recipe.alpha, torch.bfloat16 if fast else torch.float32)
            if start is not None:
                load_terms(self.layers, start)
        else:
            self.model.float().requires_grad_(True)
        self.trained = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        self.optimiser = torch.optim.AdamW(self.trained.values(), lr=recipe.peak, betas=(0.9, 0.98), weight_decay=0.0)
        self.step = self.tokens = 0
        self.seconds = 0.0
        self.mixes: list[Any] = [[0, self._facts["mix"]]]
        self._plain = _head_is_all(self.model)
        checkpoint = read(folder)
        if checkpoint is not None:
            self._go_on_from(checkpoint)

    def rate(self) -> float:
        """Return the learning rate of the next step: warm-up, then the peak, then a linear fall to zero."""
        recipe = self.recipe
        left = (recipe.steps - self.step) / max(1, recipe.decay_share * recipe.steps)
        return recipe.peak * min(1.0, (self.step + 1) / recipe.warm_up_steps, left)

    def take_step(self, rows: Sequence[Row]) -> float:
        """Train on the rows of one step; return the mean loss (nats per agent token)."""
        started = time.perf_counter()
        self.optimiser.param_groups[0]["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        said = sum(end - start for row in rows for start, end in row.spans)
        total = 0.0
        for ids, targets in batches(rows):
            logits, wanted = self.predict(ids, targets)
            loss = F.cross_entropy(logits.float(), wanted, reduction="sum")
            (loss / said).backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            self.tokens += ids.numel()
        torch.nn.utils.clip_grad_norm_(self.trained.values(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.seconds += time.perf_counter() - started
        return total / said

    def predict(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits where the agent speaks, (tokens, vocabulary), and what it is to say, (tokens,)."""
        ids, targets = ids.to(self.model.device), targets.to(self.model.device)
        kept = targets != IGNORE
        with mixed() if self.recipe.method == "full" and self.model.device.type == "cpu" else nullcontext():
            if self._plain:
                hidden = self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state
                return self.model.get_output_embeddings()(hidden[kept]), targets[kept]
            return self.model(input_ids=ids, use_cache=False).logits[kept], targets[kept]

    def save(self) -> None:
        """Write a checkpoint; a kill in the middle leaves the one before it."""
        tensors = {f"model.{name}": parameter.data for name, parameter in self.trained.items()}
        for j, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.0.{j}.{slot}": torch.as_tensor(value) for slot, value in slots.items()}
        facts = {**self._facts, "mixes": self.mixes}
        write(self.folder, Checkpoint(tensors, self.step, self.tokens, self.seconds, facts))

    def tensors(self) -> dict[str, Tensor]:
        """Return the low-rank terms, named as peft names them."""
        return peft_tensors(self.layers)

    def _go_on_from(self, checkpoint: Checkpoint) -> None:
        made_by = dict(checkpoint.recipe)
        self.mixes = made_by.pop("mixes", self.mixes)
        now = self._facts["mix"]
        if made_by.get("mix") != now:
            self.mixes = [*self.mixes, [checkpoint.step, now]]
        check_recipe(self.folder, replace(checkpoint, recipe={**made_by, "mix": now}), self._facts)
        with torch.no_grad():
            for name, parameter in self.trained.items():
                parameter.copy_(checkpoint.tensors[f"model.{name}"])
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in checkpoint.tensors.items():
            if name.startswith("optimiser.0."):
                _, _, j, slot = name.split(".", 3)
                slots.setdefault(int(j), {})[slot] = tensor
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": slots, "param_groups": groups})
        self.step, self.tokens, self.seconds = checkpoint.step, checkpoint.tokens, checkpoint.seconds


def _identity(model: Any) -> str:
    """Name the weights of a model, wherever its files lie: 16 digits of SHA-256 over shapes and first numbers."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        first = parameter.detach().flatten()[:256].float().cpu().numpy().tobytes()
        digest.update(f"{name} {tuple(parameter.shape)}\n".encode() + first)
    return digest.hexdigest()[:16]


@torch.no_grad()
def _head_is_all(model: Any) -> bool:
    """Whether logits are the head's product alone; some models scale or bound them."""
    ids = torch.tensor([[0, 1, 2]], device=model.device)
    logits = model(input_ids=ids, use_cache=False).logits
    hidden = getattr(model.base_model(input_ids=ids, use_cache=False), "last_hidden_state", None)
    return hidden is not None and torch.allclose(model.get_output_embeddings()(hidden), logits)
