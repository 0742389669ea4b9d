"""Trains the reference agent: behaviour cloning on the oracle's demonstrations of the training split."""

from __future__ import annotations

import copy
import json
import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from acgym.envs.names import HEADS, TAILS
from acgym.suites import QUICK, capability_of, suite_named
from acgym.train.checkpoint import Checkpoint, check_recipe, read, write
from acgym.train.data import IGNORE, PRACTICE, RECALL, REPEAT, Batch, Practice, corpus, decisions
from acgym.train.heads import merge_heads
from acgym.train.precision import mixed
from acgym.train.tokenizer import build_tokenizer
from acgym.train.watch import exact_share, held_out, hidden_states

SHARES: Mapping[str, float] = {"tool calling": 0.28, "workflow generation": 0.22}
"""What the agent that ships with the package was trained on: capability -> its share of the conversations, where it is
not OTHER_SHARE."""
OTHER_SHARE = 0.2
PRACTICE_SHARES: Mapping[str, float] = {RECALL: 0.6, REPEAT: 5.0}


def default_shares() -> dict[str, float]:
    """Return environment (the first of each capability) or practice family -> its share of the conversations."""
    shares = {env: SHARES.get(str(capability_of(env)), OTHER_SHARE) for env in suite_named(QUICK)}
    return {**shares, **PRACTICE_SHARES}


LONGEST_REPLY = 128
"""Tokens that the finished agent may say in one turn; the longest reply of the oracle has 114."""


@dataclass(frozen=True)
class TrainingRecipe:
    """Everything that decides the trained weights."""

    hidden_size: int = 256
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 4
    mlp_size: int = 640
    rope_base: float = 10_000.0
    steps: int = 3_600
    tokens_per_step: int = 8_192
    matrix_rate: float = 0.01
    """Peak learning rate of Muon, which updates the weight matrices."""
    other_rate: float = 2e-3
    """Peak learning rate of AdamW, which updates embeddings and norms."""
    warm_up_steps: int = 100
    decay_share: float = 0.3
    """Last part of the steps over which both rates fall linearly to zero."""
    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=default_shares)
    """Share of each family among the conversations (they need not sum to one)."""
    practice_fades_over: int = 800
    """Steps over which the two practice families fade to a twentieth of their shares."""

    def __post_init__(self) -> None:
        """Refuse numbers that no training can be done with."""
        for name in ("steps", "tokens_per_step", "warm_up_steps", "practice_fades_over"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.decay_share <= 1:
            raise ValueError(f"decay_share must be in [0, 1], got {self.decay_share}")
        if not self.shares or min(self.shares.values()) < 0 or sum(self.shares.values()) <= 0:
            raise ValueError(f"shares must be 0 or larger, and at least one above 0, got {dict(self.shares)}")


def make_tokenizer(env_ids: Sequence[str], per_env: int = 1_500) -> PreTrainedTokenizerFast:
    """Build the reference tokenizer from demonstrations of the training split."""
    drawn = corpus(env_ids, per_env)
    texts: list[str] = []
    constant: list[str] = []
    for family in drawn.values():
        lines: Counter[str] = Counter()
        for demonstration in family:
            lines.update(set(demonstration.messages[0].content.split("\n")))
            texts += [message.content for message in demonstration.messages]
            texts += [json.dumps(tool, ensure_ascii=False) for tool in demonstration.tools]
        constant += [line for line, count in lines.items() if count > 0.95 * len(family) and len(line) > 8]
    return build_tokenizer(texts, (*HEADS, *TAILS), sorted(set(constant)))


def make_model(recipe: TrainingRecipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Make the untrained model, a plain Llama with tied embeddings."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=math.ceil(len(tokenizer) / 16) * 16,
        hidden_size=recipe.hidden_size,
        intermediate_size=recipe.mlp_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.key_value_heads,
        max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": recipe.rope_base},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


class Trainer:
    """Holds model, optimisers and step; knows how to take a step, to save itself and to go on from a checkpoint.

    Args:
        recipe: what decides the weights.
        folder: where tokenizer and checkpoint lie, or will. A tokenizer that lies there is used; else one is built.
        compiled: compile the model: a third less time per step on a CPU, after a minute of compiling.
        before: the run that this one goes on from, where it has no checkpoint of its own yet: its tokenizer, and its
            model with the recipe's number of key-value heads. None to begin with random weights.

    Raises:
        ValueError: if the folder's checkpoint is damaged or was made by another recipe; see ``check_recipe``.
    """

    def __init__(
        self, recipe: TrainingRecipe, folder: Path, compiled: bool = True, before: Trainer | None = None
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if before is None:
            self.tokenizer = _folder_tokenizer(folder, lambda: make_tokenizer(_environments(recipe)))
            self.model = make_model(recipe, self.tokenizer)
        else:
            self.tokenizer = _folder_tokenizer(folder, lambda: before.tokenizer)
            self.model = merge_heads(before.model, recipe.key_value_heads)
        matrices = [p for n, p in self.model.named_parameters() if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in self.model.named_parameters() if p.ndim != 2 or "embed" in n]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(matrices, lr=recipe.matrix_rate, weight_decay=0.01, adjust_lr_fn="original"),
            torch.optim.AdamW(others, lr=recipe.other_rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        # Dynamic: compiled once for all shapes.
        self._hidden_states = torch.compile(hidden_states, dynamic=True) if compiled else hidden_states
        self.step = 0
        self.tokens = 0
        self.seconds = 0.0
        checkpoint = read(folder)
        if checkpoint is not None:
            check_recipe(folder, checkpoint, asdict(recipe))
            self._go_on_from(checkpoint)

    def rate(self) -> float:
        """Return the learning-rate factor of the next step: warm-up, then 1, then a linear fall to zero."""
        warm = min(1.0, (self.step + 1) / self.recipe.warm_up_steps)
        left = (self.recipe.steps - self.step) / max(1, self.recipe.decay_share * self.recipe.steps)
        return min(warm, 1.0, left)

    def take_step(self, batches: Sequence[Batch]) -> float:
        """Train on the batches of one step; return the mean loss (nats per agent token)."""
        started = time.perf_counter()
        factor = self.rate()
        for optimiser, peak in zip(self.optimisers, (self.recipe.matrix_rate, self.recipe.other_rate), strict=True):
            optimiser.param_groups[0]["lr"] = peak * factor
            optimiser.zero_grad(set_to_none=True)
        spoken = sum(int((batch.targets != IGNORE).sum()) for batch in batches)
        total = 0.0
        for batch in batches:
            kept, wanted = decisions(batch)
            with mixed():
                logits = self.model.lm_head(self._hidden_states(self.model, batch.ids).flatten(0, 1)[kept])
            loss = F.cross_entropy(logits.float(), wanted, ignore_index=IGNORE, reduction="sum")
            (loss / spoken).backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self.tokens += sum(batch.ids.numel() for batch in batches)
        self.seconds += time.perf_counter() - started
        return total / spoken

    def batches(self, last: int | None = None) -> Iterator[list[Batch]]:
        """Yield the batches of the steps up to ``last`` (default: all) that are left, made in another process."""
        recipe = self.recipe
        practice = Practice(
            self.tokenizer, recipe.shares, recipe.seed, recipe.tokens_per_step, recipe.steps, recipe.practice_fades_over
        )
        steps = range(self.step, recipe.steps if last is None else last)
        return iter(DataLoader(practice, batch_size=None, sampler=steps, num_workers=1, prefetch_factor=8))

    def save(self) -> None:
        """Write a checkpoint; a kill in the middle leaves the one before it."""
        tensors = {
            "model." + name: tensor for name, tensor in self.model.state_dict().items() if name != "lm_head.weight"
        }
        for i, optimiser in enumerate(self.optimisers):
            for j, slots in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{i}.{j}.{slot}": torch.as_tensor(value) for slot, value in slots.items()}
        write(self.folder, Checkpoint(tensors, self.step, self.tokens, self.seconds, asdict(self.recipe)))

    def _go_on_from(self, checkpoint: Checkpoint) -> None:
        weights = {
            name.removeprefix("model."): tensor
            for name, tensor in checkpoint.tensors.items()
            if name.startswith("model.")
        }
        self.model.load_state_dict({**weights, "lm_head.weight": weights["model.embed_tokens.weight"]})
        for i, optimiser in enumerate(self.optimisers):
            slots: dict[int, dict[str, torch.Tensor]] = {}
            for name, tensor in checkpoint.tensors.items():
                if name.startswith(f"optimiser.{i}."):
                    _, _, j, slot = name.split(".", 3)
                    slots.setdefault(int(j), {})[slot] = tensor
            optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
        self.step, self.tokens, self.seconds = checkpoint.step, checkpoint.tokens, checkpoint.seconds

    def export(self, folder: Path) -> None:
        """Write the finished agent: float16 weights, configuration, tokenizer and chat template.

        Each weight is rounded to float16 (relative error at most 2^-11 above 6e-5); the agent plays in float32.
        """
        rounded: Any = copy.deepcopy(self.model)
        rounded.generation_config.max_new_tokens = LONGEST_REPLY
        rounded.half().save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def _environments(recipe: TrainingRecipe) -> list[str]:
    return [family for family in recipe.shares if family not in PRACTICE]


def _folder_tokenizer(folder: Path, make: Callable[[], PreTrainedTokenizerFast]) -> PreTrainedTokenizerFast:
    """Read the tokenizer that lies in ``folder``, or make one and put it there, ``tokenizer.json`` last."""
    if not (folder / "tokenizer.json").exists():
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            make().save_pretrained(fresh)
            for file in sorted(Path(fresh).iterdir(), key=lambda file: file.name == "tokenizer.json"):
                os.replace(file, folder / file.name)
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder)
    return tokenizer


def train(
    recipe: TrainingRecipe,
    folder: Path,
    report: Callable[[str], None] = print,
    every: int = 250,
    stop_at: int | None = None,
    before: Trainer | None = None,
) -> Trainer:
    """Train, or go on training, in ``folder``.

    Args:
        recipe: what decides the weights.
        folder: see :class:`Trainer`.
        report: is told a line at every checkpoint: loss (nats per agent token), and for each environment the shares
            of held-out conversations / of their agent tokens that greedy choices get right when teacher-forced.
        every: steps between checkpoints; one more is written at the end.
        stop_at: stop at this step; the recipe's learning rates are those of the whole run.
        before: see :class:`Trainer`.
    """
    trainer = Trainer(recipe, folder, before=before)
    size = sum(p.numel() for p in trainer.model.parameters())
    report(f"{size / 1e6:.2f}M parameters, vocabulary {len(trainer.tokenizer)}, step {trainer.step} of {recipe.steps}")
    last = recipe.steps if stop_at is None else min(stop_at, recipe.steps)
    if trainer.step >= last:
        return trainer
    watched = held_out(trainer.tokenizer, _environments(recipe))
    losses: list[float] = []
    for batches in trainer.batches(last):
        losses.append(trainer.take_step(batches))
        if trainer.step % every == 0 or trainer.step == last:
            trainer.save()
            report(_progress(trainer, sum(losses) / len(losses), watched))
            losses.clear()
    return trainer


def _progress(trainer: Trainer, loss: float, watched: Mapping[str, list[Batch]]) -> str:
    with mixed():
        scores = {env_id: exact_share(trainer.model, rows) for env_id, rows in watched.items()}
    shown = "  ".join(f"{e.removeprefix('ACB/')[:-3]} {s:.2f}/{t:.4f}" for e, (s, t) in scores.items())
    pace = trainer.tokens / trainer.seconds
    return f"step {trainer.step}  {trainer.tokens / 1e6:.1f}M tokens  {pace:.0f}/s  loss {loss:.4f}  {shown}"
