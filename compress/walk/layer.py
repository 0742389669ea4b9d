"""One step of a recipe on one decoder layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from acgym.compress.methods.activations import quantise_inputs
from acgym.compress.methods.result import Compressed
from acgym.compress.methods.scaling import Fold, FoldGroup
from acgym.compress.methods.statistics import Statistics
from acgym.compress.methods.table import METHODS
from acgym.compress.plan import Plan
from acgym.compress.recipe import Step
from acgym.compress.walk.collector import Collector, Replay
from acgym.compress.walk.folds import fold_groups
from acgym.compress.walk.projections import Expert, Projection, projections, working
from acgym.compress.walk.record import LayerRecord
from acgym.compress.walk.same_bits import align
from acgym.machine import trim

ERROR_TOKENS = 4096
"""Calibration tokens that a layer's output error is measured on, rounded up to a batch: holding the outputs for all of
them would take as much memory as the hidden states, and to compute them as much time as a quarter of a pass."""
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
    align(layer)
    found = {f"{name}.{key}": projection for key, projection in projections(layer).items()}
    steps = {key: step for key in found if (step := plan.step(at, key)) is not None}
    collector = Collector({key: found[key] for key in steps}, plan.needs(at))
    outputs: list[Tensor] = []
    with collector.collecting():
        if replay is not None:
            outputs = replay.run(index, layer, ERROR_TOKENS, collector.last)
    notes += collector.check()
    statistics = collector.statistics
    trim()  # of what a forward pass leaves: factors are large
    if replay is not None and any(METHODS[step.method].scales for step in steps.values()):
        groups, refused = fold_groups(layer, partial(replay.run_one, index, layer, replay.shortest))
        notes += [f"{name}.{norm} takes no scales: more depends on its output than can be scaled" for norm in refused]
        for group in groups:
            _scale(group, name, found, steps, statistics)
        _note_unscaled(name, groups, steps, notes)
    changed = total = 0.0
    for keys in _together(plan, at, steps, statistics):
        used = statistics[keys[0]]
        matrices = {key: found[key] for key in keys}
        delta, size = compress_matrices(steps[keys[0]], matrices, used, plan.pruned(at, keys[0]), notes, keep)
        changed, total = changed + delta, total + size
        for key in keys:
            del statistics[key]
        if not any(seen is used for seen in statistics.values()):
            used.memo.clear()  # factors are large
    round_inputs(plan, at, found, notes)
    error = None
    if replay is not None:
        error = replay.advance(index, layer, outputs)
    trim()
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
    divided: dict[int, Statistics] = {}
    for key in readers:
        seen = statistics[key]
        if id(seen) not in divided:
            divided[id(seen)] = seen.divided(s[group.share])
        statistics[key] = divided[id(seen)]


def _note_unscaled(layer: str, groups: Sequence[FoldGroup], steps: Mapping[str, Step], notes: list[str]) -> None:
    """Note projections that nothing before them can be scaled for, once for all layers."""
    scaled = {f"{layer}.{reader}" for group in groups for reader in group.readers}
    for step in dict.fromkeys(step for step in steps.values() if METHODS[step.method].scales):
        left = [key for key, own in steps.items() if own == step and key not in scaled]
        names = ", ".join(dict.fromkeys(key.rsplit(".", 1)[1] for key in left))
        note = f"{step}: nothing before {names} takes scales; they are compressed without"
        if left and note not in notes:
            notes.append(note)


def _together(plan: Plan, at: int, steps: Mapping[str, Step], statistics: Mapping[str, Statistics]) -> list[list[str]]:
    """Put together the projections that are compressed as one matrix: see :attr:`Method.rowwise`."""
    groups: dict[object, list[str]] = {}
    for key, step in steps.items():
        alike = METHODS[step.method].is_rowwise(step.options) and statistics[key].tokens > 0
        groups.setdefault((step, plan.pruned(at, key), id(statistics[key])) if alike else key, []).append(key)
    return list(groups.values())


def compress_matrices(
    step: Step,
    matrices: Mapping[str, Projection],
    statistics: Statistics,
    pruned: bool,
    notes: list[str],
    keep: Keep | None,
) -> tuple[float, float]:
    """Compress projections that read the same inputs, stacked; return the squared norms of change and weight before."""
    function = METHODS[step.method].load()
    before = [working(projection.weight) for projection in matrices.values()]
    if function is None:
        return 0.0, sum(float(weight.square().sum()) for weight in before)
    stacked = torch.cat(before)  # a copy in any case
    if pruned:
        statistics = replace(statistics, zeros=stacked == 0)
    names = ", ".join(matrices)
    try:
        result = function(stacked, statistics, step.options)
    except ValueError as error:
        raise ValueError(f"{step} cannot compress {names}: {error}") from error
    if result.weight.shape != stacked.shape:
        raise ValueError(f"{step} returned {tuple(result.weight.shape)} for {names}, expected {tuple(stacked.shape)}")
    if not bool(torch.isfinite(result.weight).all()):
        raise ValueError(f"{step} returned weights that are not finite for {names}")
    changed = total = 0.0
    end = 0
    for (name, projection), weight in zip(matrices.items(), before, strict=True):
        rows = slice(end, end := end + len(weight))
        notes.extend(f"{name}: {note}" for note in result.notes)
        if keep is not None:
            grid = None if result.grid is None else result.grid.rows(rows)
            keep(name, Compressed(result.weight[rows], result.notes, grid))
        rounded = result.weight[rows].to(projection.weight.dtype)
        # Summed before the copy: for a float32 model ``weight`` is the parameter itself.
        changed += float((rounded.to(weight.dtype) - weight).square().sum())
        total += float(weight.square().sum())
        projection.weight.copy_(rounded)
    return changed, total


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
