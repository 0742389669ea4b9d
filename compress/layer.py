"""One step of a recipe on one decoder layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from acgym.compress.activations import quantise_inputs
from acgym.compress.calibration import Collector, Compressed, Replay, Statistics
from acgym.compress.folds import fold_groups
from acgym.compress.methods import METHODS
from acgym.compress.plan import Plan
from acgym.compress.projections import Expert, Projection, projections, working
from acgym.compress.recipe import Step
from acgym.compress.record import LayerRecord
from acgym.compress.scaling import Fold, FoldGroup

Keep: TypeAlias = Callable[[str, Compressed], None]
"""Called with the full name of each projection and what a step made of it; packed formats are written from its grid."""


def compress_layer(
    plan: Plan,
    at: int,
    index: int,
    name: str,
    layer: nn.Module,
    replay: Replay | None,
    notes: list[str],
    keep: Keep | None = None,
) -> LayerRecord:
    """Take one step on all projections of one layer and move the replay behind it.

    Args:
        plan: what each projection gets.
        at: which step of the plan.
        index: the layer's place among the decoder layers.
        name: the layer's full name.
        layer: changed in place.
        replay: hidden states at the layer's input; None if the step needs no calibration and none is measured.
        notes: gets a line for whatever is out of the ordinary.
        keep: gets each projection's result.
    """
    found = {f"{name}.{key}": projection for key, projection in projections(layer).items()}
    steps = {key: step for key in found if (step := plan.step(at, key)) is not None}
    collector = Collector({key: found[key] for key in steps}, plan.needs(at))
    outputs: list[Tensor] = []
    with collector.collecting():
        if replay is not None:
            outputs = replay.run(index, layer)
    notes += collector.check()
    statistics = collector.statistics
    if replay is not None and any(METHODS[step.method].scales for step in steps.values()):
        groups, refused = fold_groups(layer, partial(replay.run_one, index, layer, replay.shortest))
        notes += [f"{name}.{norm} takes no scales: more depends on its output than can be scaled" for norm in refused]
        for group in groups:
            _scale(group, name, found, steps, statistics)
        _note_unscaled(name, groups, steps, notes)
    changed = total = 0.0
    for key, step in steps.items():
        if plan.pruned(at, key):
            statistics[key].zeros = found[key].weight == 0
        delta, size = _compress(step, key, found[key], statistics[key], notes, keep)
        changed, total = changed + delta, total + size
    round_inputs(plan, at, found, notes)
    error = None
    if replay is not None:
        replay.hidden = replay.run(index, layer)
        error = _relative_error(outputs, replay.hidden)
    return LayerRecord(str(plan.recipe.steps[at]), name, error, (changed / total) ** 0.5 if total else 0.0)


def _scale(
    group: FoldGroup,
    layer: str,
    found: Mapping[str, Projection],
    steps: Mapping[str, Step],
    statistics: dict[str, Statistics],
) -> None:
    """Find the scales of one group, fold them, and bring the statistics up to date.

    A group whose readers get different steps is left alone; readers that get none are scaled, but have no say.
    """
    readers = [key for reader in group.readers if (key := f"{layer}.{reader}") in steps]
    own = {steps[key] for key in readers}
    if len(own) != 1:
        return
    step = own.pop()
    scales = METHODS[step.method].load_scales()
    if scales is None:
        return
    fold = Fold(
        {key: working(found[key].weight) for key in readers},
        {key: statistics[key] for key in readers},
        group.share,
        group.channels,
        group.after_norm,
    )
    s = scales(fold, step.options)
    if s is None:
        return
    if s.shape != (group.channels,) or not bool((torch.isfinite(s) & (s > 0)).all()):
        raise ValueError(
            f"{step} found scales for {layer}.{group.producer} that are not {group.channels} positive numbers"
        )
    group.fold(s)
    for key in readers:
        statistics[key] = statistics[key].divided(s[group.share])


def _note_unscaled(layer: str, groups: Sequence[FoldGroup], steps: Mapping[str, Step], notes: list[str]) -> None:
    """Note projections that nothing before them can be scaled for, once for all layers."""
    scaled = {f"{layer}.{reader}" for group in groups for reader in group.readers}
    for step in dict.fromkeys(step for step in steps.values() if METHODS[step.method].scales):
        left = [key for key, own in steps.items() if own == step and key not in scaled]
        names = ", ".join(dict.fromkeys(key.rsplit(".", 1)[1] for key in left))
        note = f"{step}: nothing before {names} takes scales; they are compressed without"
        if left and note not in notes:
            notes.append(note)


def _compress(
    step: Step, name: str, projection: Projection, statistics: Statistics, notes: list[str], keep: Keep | None
) -> tuple[float, float]:
    """Compress one projection; return the squared norms of its change and of its weight before."""
    function = METHODS[step.method].load()
    weight = working(projection.weight)
    if function is None:
        return 0.0, float(weight.square().sum())
    try:
        result = function(weight.clone(), statistics, step.options)
    except ValueError as error:
        raise ValueError(f"{step} cannot compress {name}: {error}") from error
    if result.weight.shape != weight.shape:
        raise ValueError(f"{step} returned {tuple(result.weight.shape)} for {name}, expected {tuple(weight.shape)}")
    if not bool(torch.isfinite(result.weight).all()):
        raise ValueError(f"{step} returned weights that are not finite for {name}")
    notes.extend(f"{name}: {note}" for note in result.notes)
    if keep is not None:
        keep(name, result)
    rounded = result.weight.to(projection.weight.dtype)
    # Summed before the copy: for a float32 model ``weight`` is the parameter itself.
    sums = float((rounded.to(weight.dtype) - weight).square().sum()), float(weight.square().sum())
    projection.weight.copy_(rounded)
    return sums


def round_inputs(plan: Plan, at: int, found: Mapping[str, Projection], notes: list[str]) -> None:
    """Make projections round their inputs where step ``at`` says so; stacked experts can round those of the first.

    Args:
        plan: what each projection gets.
        at: which step of the plan.
        found: full name to projection of one layer.
        notes: gets a line for experts of which only the first matrix rounds its inputs.
    """
    inside: set[str] = set()
    for name, projection in found.items():
        step = plan.step(at, name)
        form = None if step is None else step.options.activations
        if form is None:
            continue
        if not isinstance(projection, Expert):
            quantise_inputs(projection, form)
        elif projection.part == "gate_up_proj":
            quantise_inputs(projection.experts, form)
        else:
            inside.add(name.rsplit(".", 2)[0])
    notes += [f"{name}: the inputs of its down_proj stay in 16 bits (stacked experts)" for name in sorted(inside)]


def _relative_error(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    """||after - before|| / ||before|| over all sequences."""
    changed = sum(float((b.float() - a.float()).square().sum()) for a, b in zip(before, after, strict=True))
    total = sum(float(a.float().square().sum()) for a in before)
    return float((changed / total) ** 0.5) if total else 0.0
