"""Where scales can be folded in a decoder layer: found by watching it run once, and proved before they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from acgym.compress.methods.scaling import FoldGroup
from acgym.compress.walk.projections import Expert, is_experts, projections

Run = Callable[[], Tensor]
"""Runs the layer on one calibration sequence: returns (1, tokens, width)."""

SLACK = 1e-3
"""A fold is proved if it moves the layer's output by at most this share of what half of it does."""


def fold_groups(layer: nn.Module, run: Run) -> tuple[list[FoldGroup], list[str]]:
    """Find the places of a layer where scales can be folded.

    Candidates are every norm with all that read exactly its output (also a router and stacked experts), and every
    projection with a sibling that it may feed channel by channel: value to output projection, up to down projection,
    fused or not, also inside experts. What a module is called does not matter. Each candidate is proved: folded with
    random powers of two, which floating point carries exactly, it must leave the layer's output on a calibration
    sequence as it was, while the readers' half of the fold alone must not. What fails is not returned.

    Args:
        layer: the decoder layer; as it was when this returns.
        run: runs it on one calibration sequence.

    Returns:
        Groups, in the order in which they are found, norms first; and the names of norms whose output is read by
        matrices but that cannot take scales, because something else depends on it.
    """
    watch = _Watch()
    with watch.watching(layer):
        before = run()
    proof = _Proof(run, before)
    groups: list[FoldGroup] = []
    refused: list[str] = []
    for candidates in (*_after_norms(layer, watch), *_between_siblings(layer, watch), *_inside_experts(layer)):
        proved = next((batch for batch in candidates if proof.holds(batch)), None)
        groups += proved or []
        if proved is None and candidates and candidates[0][0].after_norm:
            refused.append(candidates[0][0].producer)
    return groups, refused


@dataclass
class _Watch:
    """Who wrote and who read which memory while a layer ran."""

    written: dict[tuple[int, int], str] = field(default_factory=dict)
    """Address and size of a norm's output to the norm's name."""
    read: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Module that multiplies to address and size of what it read."""
    alive: list[Tensor] = field(default_factory=list)
    """All outputs seen: memory that is let go could be written again."""

    @contextmanager
    def watching(self, layer: nn.Module) -> Iterator[None]:
        """Look on while the layer runs."""
        hooks = []
        for name, module in layer.named_modules():
            if _is_norm(module):
                hooks.append(module.register_forward_hook(partial(self._wrote, name)))
            elif _matrices(module):
                hooks.append(module.register_forward_pre_hook(partial(self._reads, name), with_kwargs=True))
        try:
            yield
        finally:
            self.alive.clear()
            for hook in hooks:
                hook.remove()

    def _wrote(self, name: str, module: nn.Module, args: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            self.alive.append(output)
            self.written[output.data_ptr(), output.numel()] = name

    def _reads(self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
        if tensors:
            self.alive.append(tensors[0])
            self.read[name] = (tensors[0].data_ptr(), tensors[0].numel())


def _is_norm(module: nn.Module) -> bool:
    """Say whether a module multiplies each feature by a weight of its own."""
    weight = module._parameters.get("weight")
    return weight is not None and weight.dim() == 1


def _matrices(module: nn.Module) -> dict[str, Tensor]:
    """Return the matrices that a module multiplies its input by, (out, in) each: its weight, or its experts'."""
    if is_experts(module):
        return {f"{i}.gate_up_proj": Expert(module, i, "gate_up_proj").weight for i in range(_count(module))}
    weight = module._parameters.get("weight")
    if weight is None or weight.dim() != 2 or isinstance(module, nn.Embedding):
        return {}
    return {"": weight.detach()}


def _count(experts: nn.Module) -> int:
    both: Any = experts
    return int(both.gate_up_proj.shape[0])


def _after_norms(layer: nn.Module, watch: _Watch) -> Iterator[list[list[FoldGroup]]]:
    """Yield for each norm its group, once for norms that multiply by w and once for those by 1 + w."""
    for place, name in watch.written.items():
        norm = layer.get_submodule(name)
        rows = [parameter.detach() for parameter in norm.parameters(recurse=False)]
        readers: dict[str, Tensor] = {}
        for reader in (reader for reader, read in watch.read.items() if read == place):
            for key, weight in _matrices(layer.get_submodule(reader)).items():
                readers[f"{reader}.{key}".rstrip(".")] = weight
        size = rows[0].shape[0]
        if (
            readers
            and all(weight.shape[-1] == size for weight in readers.values())
            and all(len(r) == size for r in rows)
        ):
            share = torch.arange(size, device=rows[0].device)
            yield [
                [FoldGroup(name, [(row, added * (i == 0)) for i, row in enumerate(rows)], readers, share, True)]
                for added in (0.0, 1.0)
            ]


def _between_siblings(layer: nn.Module, watch: _Watch) -> Iterator[list[list[FoldGroup]]]:
    """Yield for each projection the groups that would feed it, from the nearest sibling that ran before."""
    order = list(watch.read)
    for reader in order:
        module, parent = layer.get_submodule(reader), reader.rpartition(".")[0]
        if not isinstance(module, nn.Linear) or watch.read[reader] in watch.written:
            continue
        siblings = [name for name in order[: order.index(reader)] if name.rpartition(".")[0] == parent]
        head = getattr(layer.get_submodule(parent), "head_dim", None)
        yield [
            [group]
            for name in reversed(siblings)
            if isinstance(sibling := layer.get_submodule(name), nn.Linear)
            for group in _feeding(name, sibling, reader, module, head)
        ]


def _feeding(
    name: str, producer: nn.Linear, reader_name: str, reader: nn.Linear, head: int | None
) -> Iterator[FoldGroup]:
    """Yield the ways in which rows of one projection may be the input features of another.

    All rows (``up_proj``, ``v_proj``), or the last of a fused one (``gate_up_proj``, ``qkv_proj``). With fewer value
    heads than query heads, consecutive query heads share a value head.
    """
    size, made = reader.in_features, producer.out_features
    counts = [made, made // 2] if made == 2 * size else [made]
    if made > size and (made - size) % 2 == 0:
        counts.insert(0, (made - size) // 2)
    for count in dict.fromkeys(counts):
        if count > size or size % count:
            continue
        features = torch.arange(size, device=reader.weight.device)
        if count < size:
            if not head or count % head:
                continue
            features = features // head // (size // count) * head + features % head
        rows = [parameter.detach()[-count:] for parameter in producer.parameters(recurse=False)]
        yield FoldGroup(name, [(row, 0.0) for row in rows], {reader_name: reader.weight.detach()}, features)


def _inside_experts(layer: nn.Module) -> Iterator[list[list[FoldGroup]]]:
    """Yield for each stack of experts the groups from its up to its down matrices, all experts at once."""
    found = projections(layer)
    for name, module in layer.named_modules():
        if is_experts(module):
            batch = []
            for index in range(_count(module)):
                up, down = found[f"{name}.{index}.gate_up_proj"], found[f"{name}.{index}.down_proj"]
                inner = down.in_features
                batch.append(
                    FoldGroup(
                        f"{name}.{index}.gate_up_proj",
                        [(up.weight[inner:], 0.0)],
                        {f"{name}.{index}.down_proj": down.weight},
                        torch.arange(inner, device=up.weight.device),
                    )
                )
            yield [batch]


@dataclass
class _Proof:
    """Tries candidates on one calibration sequence and puts back what they changed."""

    run: Run
    before: Tensor
    """The layer's output, (1, tokens, width)."""

    def holds(self, batch: Sequence[FoldGroup]) -> bool:
        """Say whether the layer computes the same with all groups of a batch folded, and not with half a fold."""
        parameters = [parameter for group in batch for parameter in group.parameters]
        saved = [parameter.clone() for parameter in parameters]
        generator = torch.Generator().manual_seed(0)
        scales = [self._powers(group, generator) for group in batch]
        # 1 + w is not halved exactly in 8 bits of mantissa; what holds w alone is.
        rounded = any(added for group in batch for _, added in group.rows)
        slack = max(SLACK, 16 * torch.finfo(self.before.dtype).eps) if rounded else SLACK
        try:
            for group, s in zip(batch, scales, strict=True):
                group.fold(s)
            folded = self._moved()
            for parameter, old in zip(parameters, saved, strict=True):
                parameter.copy_(old)
            for group, s in zip(batch, scales, strict=True):
                group.scale_readers(s)
            half = self._moved()
            return half > 0 and folded <= slack * half
        finally:
            for parameter, old in zip(parameters, saved, strict=True):
                parameter.copy_(old)

    def _powers(self, group: FoldGroup, generator: torch.Generator) -> Tensor:
        """Draw a scale for each channel from 1/4, 1/2, 1, 2, 4."""
        exponents = torch.randint(-2, 3, (group.channels,), generator=generator)
        return torch.exp2(exponents.to(group.rows[0][0].device, torch.float64))

    def _moved(self) -> float:
        """Return how far the layer's output is from what it was."""
        return float((self.run() - self.before).double().norm())
