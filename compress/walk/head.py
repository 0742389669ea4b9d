"""The output head: left as it is, unless a recipe is given to it by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import nn

from acgym.compress.methods.table import METHODS
from acgym.compress.plan import Plan
from acgym.compress.walk.collector import Collector
from acgym.compress.walk.layer import Keep, compress_matrices, round_inputs
from acgym.compress.walk.record import LayerRecord
from acgym.compress.walk.replay import Replay, run_behind


def output_head(model: nn.Module) -> dict[str, nn.Linear]:
    """Return the output head, as a rule ``lm_head``, by its full name; nothing if the model has no linear one."""
    head = getattr(model, "get_output_embeddings", lambda: None)()
    return {name: head for name, module in model.named_modules() if module is head and isinstance(head, nn.Linear)}


def check_head(model: nn.Module, plan: Plan) -> None:
    """Refuse to compress a head that shares its weight with the input embeddings.

    Raises:
        ValueError: saying why, and what to do.
    """
    embedding: Any = getattr(model, "get_input_embeddings", lambda: None)()
    for name, head in output_head(model).items():
        if plan.steps.get(name) and head.weight is getattr(embedding, "weight", None):
            raise ValueError(
                f"{name} is tied to the input embeddings, which would change with it; leave its override out, or untie "
                "the model first (tie_word_embeddings=False in config.json, and a copy of the weight)"
            )


def refuse_head(model: nn.Module, overrides: Collection[str]) -> None:
    """Refuse an override for the head where only decoder layers are compressed.

    Raises:
        ValueError: saying what to do.
    """
    for name in output_head(model):
        if name in overrides:
            raise ValueError(
                f"{name} is not compressed when a model is streamed; leave its override out, or compress the whole "
                "model in memory"
            )


def compress_head(
    plan: Plan,
    at: int,
    model: nn.Module,
    layers: Sequence[nn.Module],
    replay: Replay | None,
    rows: Sequence[Sequence[int]],
    notes: list[str],
    keep: Keep | None = None,
) -> list[LayerRecord]:
    """Take one step on the output head, if the plan has one for it; scales are not folded into the norm before it.

    Args:
        plan: what each projection gets.
        at: which step of the plan.
        model: the whole model, changed in place.
        layers: its decoder layers.
        replay: hidden states behind the last layer; None if the step needs no calibration.
        rows: the calibration text.
        notes: gets a line for whatever is out of the ordinary.
        keep: gets the result.

    Returns:
        What was done; nothing without a step. The output error is not measured: logits are as wide as the vocabulary.
    """
    found = output_head(model)
    steps = {name: step for name in found if (step := plan.step(at, name)) is not None}
    done = []
    for name, step in steps.items():
        collector = Collector({name: found[name]}, step.needs)
        with collector.collecting():
            if replay is not None and step.needs != "nothing":
                run_behind(model, layers, replay, rows, found[name])
        notes += collector.check()
        if METHODS[step.method].scales:
            notes.append(f"{step}: {name} is compressed without scales")
        matrices: Mapping[str, nn.Linear] = {name: found[name]}
        seen, pruned = collector.statistics[name], plan.pruned(at, name)
        changed, total = compress_matrices(step, matrices, seen, pruned, notes, keep)
        round_inputs(plan, at, matrices, notes)
        done.append(LayerRecord(str(step), name, None, (changed / total) ** 0.5 if total else 0.0))
    return done
