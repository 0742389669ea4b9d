"""The one walk over a model's decoder layers that every method shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor, nn

from acgym.compress.calibration import Collector, Replay, Statistics, capture, check_calibration
from acgym.compress.methods import METHODS
from acgym.compress.recipe import Recipe, Step, parse
from acgym.compress.record import CompressionRecord, LayerRecord, sparsity, storage

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called after each layer with layers done, layers in all (of all steps), and what was done last."""


def compress(
    model: nn.Module,
    recipe: Recipe | str,
    calibration: Sequence[Sequence[int]] | None = None,
    *,
    progress: Progress | None = None,
    measure: bool = False,
) -> CompressionRecord:
    """Compress the linear projections of a causal language model's decoder layers, in place and simulated.

    Each step of the recipe is one walk: a layer's statistics are collected with its weights as they are, all of its
    projections are compressed from them, and its new outputs are the next layer's inputs. Embeddings, norms, biases and
    the output head are never touched. Only one layer's statistics are alive at a time. A method that reads no
    calibration runs no forward pass.

    Args:
        model: a transformers causal LM with ``nn.Linear`` projections, on one device, any floating dtype. Methods
            compute in float32 (float64 for float64 weights). It is changed: copy it before if the dense one is still
            needed. After an error midway it is partly compressed and of no use.
        recipe: see :func:`acgym.compress.parse`.
        calibration: token ids of the calibration text, a list per sequence, of any lengths; each is run on its own,
            without padding. Not read if no step needs it.
        progress: called after each layer.
        measure: also run methods that need no calibration on the text, to measure their layers' output errors.

    Returns:
        What was done, and what the model would take in packed storage.

    Raises:
        ValueError: before any work: a bad recipe; no decoder layers found; a layer that the options do not fit; weights
            that are not finite; missing or unreadable calibration. Midway: inputs or results that are not finite.
    """
    started = time.perf_counter()
    recipe = parse(recipe) if isinstance(recipe, str) else recipe
    layers = decoder_layers(model)
    linears = {f"{layer}.{name}": linear for layer in layers for name, linear in projections(layers[layer]).items()}
    _check_weights(recipe, linears)
    rows = check_calibration(model, calibration, str(recipe)) if measure or recipe.needs_calibration else []
    tell = _counter(progress, len(recipe) * len(layers))
    done: list[LayerRecord] = []
    notes = _unreached(layers, linears)
    with torch.no_grad(), _evaluating(model):
        for step in recipe:
            zeros = sparsity(linears)
            done += _walk(step, model, layers, rows if measure or step.needs != "nothing" else [], notes, tell)
            notes += _filled(step, zeros, sparsity(linears))
    bits_per_weight, weight_bytes = storage(model, linears, _stored_bits(recipe, linears))
    return CompressionRecord(
        recipe=str(recipe),
        simulated=True,
        layers=tuple(done),
        bits_per_weight=bits_per_weight,
        sparsity=sparsity(linears),
        compressed_weights=sum(linear.weight.numel() for linear in linears.values()),
        total_weights=sum(p.numel() for p in model.parameters()),
        weight_bytes=weight_bytes,
        calibration_tokens=sum(map(len, rows)),
        seconds=time.perf_counter() - started,
        notes=tuple(notes),
    )


def decoder_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return name to decoder layer: the longest outermost ``nn.ModuleList`` whose members all hold an ``nn.Linear``.

    Raises:
        ValueError: if there is none.
    """
    found: dict[str, nn.ModuleList] = {}
    for name, module in model.named_modules():  # parents come before their children
        inner = any(name.startswith(f"{outer}.") for outer in found)
        if isinstance(module, nn.ModuleList) and len(module) and not inner and all(map(projections, module)):
            found[name] = module
    if not found:
        raise ValueError(
            f"no decoder layers found in {type(model).__name__}: expected an nn.ModuleList whose members hold "
            "nn.Linear projections, as in Llama or Qwen2 models of transformers"
        )
    name = max(found, key=lambda name: len(found[name]))
    return {f"{name}.{index}": layer for index, layer in enumerate(found[name])}


def projections(layer: nn.Module) -> dict[str, nn.Linear]:
    """Return name to linear projection inside a layer."""
    return {name: module for name, module in layer.named_modules() if isinstance(module, nn.Linear)}


def _walk(
    step: Step,
    model: nn.Module,
    layers: Mapping[str, nn.Module],
    rows: Sequence[Sequence[int]],
    notes: list[str],
    tell: Callable[[str], None],
) -> Iterator[LayerRecord]:
    """Take one step through all layers; without ``rows`` it runs no forward pass."""
    replay = capture(model, list(layers.values()), rows) if rows else None
    for index, (name, layer) in enumerate(layers.items()):
        yield _compress_layer(step, index, name, layer, replay, notes)
        tell(f"{step}: {name}")


def _compress_layer(
    step: Step, index: int, name: str, layer: nn.Module, replay: Replay | None, notes: list[str]
) -> LayerRecord:
    """Compress all projections of one layer and move the replay behind it."""
    linears = {f"{name}.{key}": linear for key, linear in projections(layer).items()}
    collector = Collector(linears, step.needs)
    outputs: list[Tensor] = []
    with collector.collecting():
        if replay is not None:
            outputs = replay.run(index, layer)
    collector.check()
    changed = total = 0.0
    for key, linear in linears.items():
        delta, size = _compress_linear(step, key, linear, collector.statistics[key], notes)
        changed, total = changed + delta, total + size
    error = None
    if replay is not None:
        replay.hidden = replay.run(index, layer)
        error = _relative_error(outputs, replay.hidden)
    return LayerRecord(str(step), name, error, (changed / total) ** 0.5 if total else 0.0)


def _compress_linear(
    step: Step, name: str, linear: nn.Linear, statistics: Statistics, notes: list[str]
) -> tuple[float, float]:
    """Compress one projection; return the squared norms of its change and of its weight before."""
    weight = linear.weight.detach()
    weight = weight if weight.dtype == torch.float64 else weight.float()
    try:
        result = METHODS[step.method].load()(weight.clone(), statistics, step.options)
    except ValueError as error:
        raise ValueError(f"{step} cannot compress {name}: {error}") from error
    if result.weight.shape != weight.shape:
        raise ValueError(f"{step} returned {tuple(result.weight.shape)} for {name}, expected {tuple(weight.shape)}")
    if not bool(torch.isfinite(result.weight).all()):
        raise ValueError(f"{step} returned weights that are not finite for {name}")
    notes.extend(f"{name}: {note}" for note in result.notes)
    rounded = result.weight.to(linear.weight.dtype)
    # Summed before the copy: for a float32 model ``weight`` is the parameter itself.
    sums = float((rounded.to(weight.dtype) - weight).square().sum()), float(weight.square().sum())
    linear.weight.copy_(rounded)
    return sums


def _relative_error(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    """||after - before|| / ||before|| over all sequences."""
    changed = sum(float((b.float() - a.float()).square().sum()) for a, b in zip(before, after, strict=True))
    total = sum(float(a.float().square().sum()) for a in before)
    return float((changed / total) ** 0.5) if total else 0.0


def _check_weights(recipe: Recipe, linears: Mapping[str, nn.Linear]) -> None:
    """Refuse, before any work, a projection that is not finite floating point or that an option does not fit."""
    for name, linear in linears.items():
        if not linear.weight.is_floating_point():
            raise ValueError(f"{name} holds {linear.weight.dtype}: the model is quantised already; load its dense form")
        if not bool(torch.isfinite(linear.weight).all()):
            raise ValueError(f"the weight of {name} is not finite (NaN or infinity); check the checkpoint")
        for step in recipe:
            try:
                step.options.check(linear.in_features)
            except ValueError as error:
                raise ValueError(f"{step} does not fit {name}: {error}") from None


def _stored_bits(recipe: Recipe, linears: Mapping[str, nn.Linear]) -> dict[str, float]:
    """Bits of each projection in storage: what the last step that changes its storage says."""
    bits: dict[str, float] = {}
    for step in recipe:
        for name, linear in linears.items():
            stored = step.options.stored_bits(linear.out_features, linear.in_features)
            if stored is not None:
                bits[name] = stored
    return bits


def _unreached(layers: Mapping[str, nn.Module], linears: Mapping[str, nn.Linear]) -> list[str]:
    """Note matrices in the layers that are no ``nn.Linear`` (stacked experts) and therefore stay as they are."""
    reached = {id(linear.weight) for linear in linears.values()}
    missed = sum(
        p.numel() for layer in layers.values() for p in layer.parameters() if p.dim() > 1 and id(p) not in reached
    )
    return [f"{missed} weights inside the decoder layers are not in nn.Linear and stay in 16 bits"] if missed else []


def _filled(step: Step, before: float, after: float) -> list[str]:
    """Note a step that gave pruned weights a value again."""
    if after >= before - 0.01:
        return []
    return [f"{step} filled pruned weights: zeros fell from {before:.1%} to {after:.1%}"]


def _counter(progress: Progress | None, total: int) -> Callable[[str], None]:
    """Count layers for ``progress``."""
    done = 0

    def tell(label: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total, label)

    return tell


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Run in evaluation mode (no dropout) and restore each module's mode after."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
