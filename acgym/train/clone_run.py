"""A whole training run on a pretrained model: steps, checkpoints, the held-out curve, and the files that come out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from acgym.seeds import TRAINING_SEEDS
from acgym.train.chats import Row
from acgym.train.clone import CloneTrainer, Lessons, batches
from acgym.train.lora import peft_config

AGENT = "agent"
"""Folder of the newest adapter or checkpoint, in that of the run."""
CURVE = "curve.jsonl"
"""File of the held-out curve, one JSON object a line."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When a run saves, looks and stops; none of it changes the weights."""

    save_every: int = 20
    """Steps between checkpoints; one more is written at the end."""
    watch_every: int = 100
    """Steps between points of the curve; one more at the end. 0 for none."""
    held_out: int = 4
    """Conversations of each part that are watched."""
    stop_at: int | None = None
    """Stop at this step; the learning rates are those of the whole run."""


def clone(trainer: CloneTrainer, base: str, report: Callable[[str], None] = print, pace: Pace | None = None) -> bool:
    """Train, or go on training.

    At every checkpoint the agent is written too, to ``agent/`` in the trainer's folder, so that it can be played while
    the training goes on. Where held-out conversations are watched, a line is appended to ``curve.jsonl``: step, tokens,
    seconds, the training loss since the line before (nats per agent token) and, for each part of the mix, ``loss``,
    ``tokens`` (share of agent tokens that greedy choices get right, teacher-forced) and ``conversations`` (share of
    which all are right), over conversations of the evaluation split on seeds that nobody plays.

    Args:
        trainer: the run.
        base: names the model in the adapter's configuration.
        report: is told a line at every checkpoint.
        pace: when to save, look and stop; None for the defaults.

    Returns:
        Whether all steps are done.

    Raises:
        ValueError: if no conversation is short enough to be trained on.
    """
    pace = pace or Pace()
    recipe = trainer.recipe
    last = recipe.steps if pace.stop_at is None else min(pace.stop_at, recipe.steps)
    size = sum(parameter.numel() for parameter in trainer.trained.values())
    report(f"{size / 1e6:.2f}M parameters are trained, step {trainer.step} of {recipe.steps}")
    lessons = Lessons(trainer.agent, recipe)
    watched: dict[str, list[Row]] = {}
    losses: list[float] = []
    recent: list[float] = []
    while trainer.step < last:
        losses.append(trainer.take_step(lessons.step(trainer.step)))
        recent = [*recent, losses[-1]][-pace.save_every :]
        done = trainer.step == last
        if pace.watch_every and (done or trainer.step % pace.watch_every == 0):
            watched = watched or _watched(lessons, pace.held_out)
            _append(trainer, losses, {name: _scores(trainer, rows) for name, rows in watched.items()}, report)
            losses.clear()
        if done or trainer.step % pace.save_every == 0:
            trainer.save()
            write_agent(trainer, trainer.folder / AGENT, base)
            speed, loss = trainer.tokens / trainer.seconds, sum(recent) / len(recent)
            report(f"step {trainer.step}  {trainer.tokens / 1e6:.3f}M tokens  {speed:.0f}/s  loss {loss:.4f}")
    return trainer.step >= recipe.steps


def _watched(lessons: Lessons, count: int) -> dict[str, list[Row]]:
    """Return the rows of the first held-out conversations of each part that are short enough."""
    found: dict[str, list[Row]] = {}
    for part in lessons.recipe.mix:
        drawn = [lessons.rows(part, TRAINING_SEEDS[0] + number, "eval") for number in range(count)]
        rows = [row for one in drawn if one is not None for row in one]
        if rows:
            found[part.name] = rows
    return found


@torch.no_grad()
def _scores(trainer: CloneTrainer, rows: list[Row]) -> dict[str, float]:
    loss = right = said = whole = 0.0
    for ids, targets in batches(rows):
        logits, wanted = trainer.predict(ids, targets)
        loss += float(F.cross_entropy(logits.float(), wanted, reduction="sum"))
        hits = logits.argmax(-1) == wanted
        right, said = right + int(hits.sum()), said + len(hits)
        owner = (targets != -100).nonzero()[:, 0].to(hits.device)
        whole += sum(bool(hits[owner == row].all()) for row in range(len(ids)))
    return {"loss": loss / said, "tokens": right / said, "conversations": whole / len(rows)}


def _append(
    trainer: CloneTrainer, losses: list[float], scores: dict[str, dict[str, float]], report: Callable[[str], None]
) -> None:
    line = {
        "step": trainer.step,
        "tokens": trainer.tokens,
        "seconds": round(trainer.seconds, 1),
        "rate": trainer.optimiser.param_groups[0]["lr"],
        "loss": sum(losses) / len(losses),
        "held_out": scores,
    }
    with (trainer.folder / CURVE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    shown = "  ".join(f"{name}: {one['loss']:.4f}/{one['conversations']:.2f}" for name, one in scores.items())
    report(f"held out at step {trainer.step} (loss/conversations right): {shown}")


def write_agent(trainer: CloneTrainer, folder: Path, base: str) -> None:
    """Write the adapter in peft's format (bfloat16), or the whole checkpoint, as the training left it.

    Args:
        trainer: the run.
        folder: is made; the weights are replaced in one go.
        base: names the model that an adapter belongs to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not trainer.layers:
        trainer.model.save_pretrained(folder)
        trainer.agent.tokenizer.save_pretrained(folder)
        return
    recipe = trainer.recipe
    config: dict[str, Any] = peft_config(trainer.layers, recipe.rank, recipe.alpha, base)
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    rounded: dict[str, Tensor] = {
        name: tensor.to(torch.bfloat16).contiguous() for name, tensor in trainer.tensors().items()
    }
    fresh = folder / "adapter_model.safetensors.new"
    save_file(rounded, fresh, metadata={"format": "pt"})
    os.replace(fresh, folder / "adapter_model.safetensors")
