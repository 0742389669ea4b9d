"""The one walk over a model's decoder layers that every method shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from acgym.compress.fit import Fitted, fit
from acgym.compress.methods.kv_cache import bytes_per_token, text_config
from acgym.compress.methods.table import METHODS
from acgym.compress.options.model import KvOptions
from acgym.compress.plan import Plan, plan
from acgym.compress.recipe import Recipe, Step
from acgym.compress.walk.collector import capture, check_calibration, few_tokens
from acgym.compress.walk.head import check_head, compress_head, output_head
from acgym.compress.walk.layer import Keep, compress_layer
from acgym.compress.walk.projections import Projection, decoder_layers, input_sizes, projections, routers, unreached
from acgym.compress.walk.record import CompressionRecord, LayerRecord, sparsity, storage
from acgym.compress.walk.same_bits import fixed_threads
from acgym.listener import Progress
from acgym.machine import machine

__all__ = ["Keep", "compress", "decoder_layers", "projections"]


def compress(
    model: nn.Module,
    recipe: Recipe | str,
    calibration: Sequence[Sequence[int]] | None = None,
    *,
    progress: Progress | None = None,
    measure: bool = False,
    keep: Keep | None = None,
    ignore: Sequence[str] = (),
    overrides: Mapping[str, Recipe | str] | None = None,
) -> CompressionRecord:
    """Compress the linear projections of a causal language model's decoder layers, in place and simulated.

    Each step of the recipe is one walk: a layer's statistics are collected with its weights as they are, all of its
    projections are compressed from them, and its new outputs are the next layer's inputs. Embeddings are never touched,
    the output head only if an override names it, norms and biases only by methods that fold scales into them. Only one
    layer's statistics are alive at a time. A method that reads no calibration runs no forward pass. The number of
    threads is fixed for the time (:mod:`acgym.compress.walk.same_bits`), so that it does not change the result. What
    one step pruned stays zero in later ones: zero is a point of every grid, and methods that move weights are told
    which those are (``Statistics.zeros``).

    Args:
        model: a transformers causal LM with ``nn.Linear`` projections or stacked experts, on one device, any floating
            dtype. Methods compute in float32 (float64 for float64 weights). It is changed: copy it before if the dense
            one is still needed. After an error midway it is partly compressed and of no use.
        recipe: see :func:`acgym.compress.parse`. Where text does not say a group size and the default does not divide
            the model's inputs, the nearest that does is taken (:func:`acgym.compress.fit.fit`), and noted.
        calibration: token ids of the calibration text, a list per sequence, of any lengths; nothing is padded,
            and those of one length are run together. Not read if no step needs it.
        progress: called after each layer.
        measure: also run methods that need no calibration on the text, to measure their layers' output errors.
        keep: called with each projection's result, once for each step.
        ignore: patterns of full names of projections that are left as they are, such as ``"*.down_proj"``. ``lm_head``
            and routers of experts are unless an override bears their names.
        overrides: pattern to the recipe that those projections get instead, such as ``{"model.layers.0.*": "rtn-w8",
            "lm_head": "rtn-w8-channel"}``; see :func:`acgym.compress.plan.plan`.

    Returns:
        What was done, and what the model would take in packed storage.

    Raises:
        ValueError: before any work: a bad recipe; no decoder layers found; a layer that the options do not fit; weights
            that are not finite; missing or unreadable calibration; a pattern that matches nothing; an override for a
            head that is tied to the embeddings. Midway: inputs or results that are not finite.
    """
    started = time.perf_counter()
    given = fit(recipe, set(input_sizes(model).values())) if isinstance(recipe, str) else Fitted(recipe, ())
    recipe = given.recipe
    chosen, linears = planned(model, recipe, ignore, overrides or {})
    rows = check_calibration(model, calibration, str(recipe)) if measure or chosen.needs_calibration else []
    with fixed_threads():
        done, notes = _take_steps(chosen, model, decoder_layers(model), linears, rows, measure, progress, keep)
        few = few_tokens(chosen.most_needed, (item.in_features for item in linears.values()), sum(map(len, rows)))
        notes = [*given.notes, *notes, *few]
        return _record(chosen, model, linears, rows, done, notes, time.perf_counter() - started)


def planned(
    model: nn.Module, recipe: Recipe, ignore: Sequence[str], overrides: Mapping[str, Recipe | str]
) -> tuple[Plan, dict[str, Projection]]:
    """Return what each projection gets, and those that get something, by full name; arguments as of :func:`compress`.

    Raises:
        ValueError: as :func:`compress`, before any work.
    """
    layers = decoder_layers(model)
    found: dict[str, Projection] = {
        f"{layer}.{name}": item for layer in layers for name, item in projections(layers[layer]).items()
    }
    head = output_head(model)
    gates = [f"{layer}.{name}" for layer in layers for name in routers(layers[layer])]
    chosen = plan(recipe, found, [name for name, _ in model.named_modules()], ignore, overrides, head, gates)
    check_head(model, chosen)
    found |= head
    linears = {name: found[name] for name in chosen.compressed}
    check_weights(chosen, linears)
    return chosen, linears


def _record(
    plan: Plan,
    model: nn.Module,
    linears: Mapping[str, Projection],
    rows: Sequence[Sequence[int]],
    done: Sequence[LayerRecord],
    notes: Sequence[str],
    seconds: float,
) -> CompressionRecord:
    """Write down what was done to a model."""
    bits_per_weight, weight_bytes = storage(model, linears, stored_bits(plan, linears))
    return CompressionRecord(
        recipe=str(plan.recipe),
        simulated=True,
        layers=tuple(done),
        bits_per_weight=bits_per_weight,
        sparsity=sparsity(linears),
        compressed_weights=sum(linear.weight.numel() for linear in linears.values()),
        total_weights=sum(p.numel() for p in model.parameters()),
        weight_bytes=weight_bytes,
        calibration_tokens=sum(map(len, rows)),
        seconds=seconds,
        notes=tuple(notes),
        ignored=plan.ignored,
        overrides=plan.overrides,
        cache_bytes_per_token=_cache_bytes(model, plan.recipe),
        machine=machine(),
    )


def _take_steps(
    plan: Plan,
    model: nn.Module,
    layers: Mapping[str, nn.Module],
    linears: Mapping[str, Projection],
    rows: Sequence[Sequence[int]],
    measure: bool,
    progress: Progress | None,
    keep: Keep | None,
) -> tuple[list[LayerRecord], list[str]]:
    """Take all steps of a plan, one walk each; return what they did to each layer, and the notes."""
    walks = [at for at, step in enumerate(plan.recipe) if METHODS[step.method].model is None]
    heads = [at for at in walks for name in output_head(model) if plan.step(at, name)]
    tell = _counter(progress, len(walks) * len(layers) + len(heads))
    done: list[LayerRecord] = []
    notes = unreached(layers) + plan.notes
    with torch.no_grad(), _evaluating(model):
        for at, step in enumerate(plan.recipe):
            change = METHODS[step.method].load_model()
            if change is not None:
                notes += change(model, step.options)
                continue
            zeros, read = sparsity(linears), measure or plan.needs(at) != "nothing"
            done += _walk(plan, at, model, layers, rows if read else [], notes, tell, keep)
            notes += filled(step, zeros, sparsity(linears))
    return done, notes


def _walk(
    plan: Plan,
    at: int,
    model: nn.Module,
    layers: Mapping[str, nn.Module],
    rows: Sequence[Sequence[int]],
    notes: list[str],
    tell: Callable[[str], None],
    keep: Keep | None,
) -> Iterator[LayerRecord]:
    """Take one step through all layers; without ``rows`` it runs no forward pass."""
    modules = list(layers.values())
    replay = capture(model, modules, rows) if rows else None
    if replay is not None:
        replay.read_behind = any(plan.step(at, name) for name in output_head(model))
    for index, (name, layer) in enumerate(layers.items()):
        yield compress_layer(plan, at, index, name, layer, replay, notes, keep)
        tell(f"{plan.recipe.steps[at]}: {name}")
    for record in compress_head(plan, at, model, modules, replay, rows, notes, keep):
        yield record
        tell(f"{record.step}: {record.name}")


def check_weights(plan: Plan, linears: Mapping[str, Projection]) -> None:
    """Refuse, before any work, a projection that is not finite floating point or that an option does not fit."""
    for name, linear in linears.items():
        weight = linear.weight
        if not weight.is_floating_point():
            raise ValueError(f"{name} holds {weight.dtype}: the model is quantised already; load its dense form")
        if not bool(torch.isfinite(weight).all()):
            raise ValueError(f"the weight of {name} is not finite (NaN or infinity); check the checkpoint")
        for step in plan.steps[name]:
            try:
                step.options.check(linear.in_features)
            except ValueError as error:
                raise ValueError(f"{step} does not fit {name}: {error}") from None


def stored_bits(plan: Plan, linears: Mapping[str, Projection]) -> dict[str, float]:
    """Bits of each projection in storage: what the last of its steps that changes its storage says."""
    bits: dict[str, float] = {}
    for name, linear in linears.items():
        for step in plan.steps[name]:
            stored = step.options.stored_bits(linear.out_features, linear.in_features)
            if stored is not None:
                bits[name] = stored
    return bits


def _cache_bytes(model: nn.Module, recipe: Recipe) -> float | None:
    """Bytes of a cached token if a step of the recipe quantises the cache."""
    chosen = [step.options for step in recipe if isinstance(step.options, KvOptions)]
    return bytes_per_token(text_config(model), chosen[-1]) if chosen else None


def filled(step: Step, before: float, after: float) -> list[str]:
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
