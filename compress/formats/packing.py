"""What of a model is packed, in which layout and under which names; the tensors that stand for one projection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from torch import Tensor, nn

from acgym.compress.formats.layouts import LAYOUTS, Kept, store_projection
from acgym.compress.formats.scheme import Scheme
from acgym.compress.formats.stored import Piece, by_parameter
from acgym.compress.walk.projections import Expert, Projection, decoder_layers, place, projections, routers
from acgym.types import Json


class Part(NamedTuple):
    """Rows of a projection that are a linear module of their own in a checkpoint."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Packing:
    """How a compressed model is stored. Without packed projections (format ``dense``) it is stored as it is."""

    format: str
    scheme: Scheme | None
    parts: Mapping[str, Mapping[str, Part]]
    """Full name of each packed projection -> the modules that stand for it in the checkpoint, by full name. One with
    all rows as a rule; two, gate and up, for the first matrix of an expert."""
    left: tuple[str, ...] = ()
    """Names in the checkpoint of the matrices that stay as they are, lm_head included."""

    def tensors(self, name: str, kept: Kept, weight: Tensor) -> dict[str, Tensor]:
        """Return the tensors that stand for one packed projection, by full name.

        Args:
            name: full name of the projection.
            kept: what ``compress`` handed on.
            weight: (out, in), as it is in the compressed model.

        Raises:
            ValueError: as :func:`acgym.compress.formats.layouts.store_projection`.
        """
        assert self.scheme is not None
        return {
            f"{module}.{part}": tensor
            for module, rows in self.parts[name].items()
            for part, tensor in store_projection(self.format, self.scheme, name, kept, weight, slice(*rows)).items()
        }

    def stored_bytes(self, name: str, columns: int) -> int:
        """Return the bytes that a packed projection with ``columns`` input features takes, by its layout's formula."""
        assert self.scheme is not None
        parts, layout = self.parts[name].values(), LAYOUTS[self.format]
        return sum(layout.stored_bytes(self.scheme, rows.stop - rows.start, columns) for rows in parts)

    def settings(self) -> dict[str, Json] | None:
        """Return quantization_config; None for plain weights."""
        if not self.parts or self.scheme is None:
            return None
        # The other layouts take it for granted that the head stays as it is.
        head = self.format == "compressed-tensors"
        return LAYOUTS[self.format].settings(self.scheme, [name for name in self.left if head or name != "lm_head"])


def packing_of(
    model: Any, format: str, scheme: Scheme | None, places: Mapping[str, Piece | None], ignored: Collection[str] = ()
) -> Packing:
    """Say how a model is stored, and refuse one that the format cannot hold.

    Args:
        model: compressed or not, on any device, also the meta device.
        format: ``gptq``, ``awq``, ``compressed-tensors`` or ``dense``.
        scheme: how the recipe leaves the weights; None for plain weights.
        places: where the tensors of its checkpoints stand in it (:func:`acgym.compress.formats.stored.pieces`).
        ignored: full names of the projections that stay as they are.

    Raises:
        ValueError: naming the projection.
    """
    if format == "dense" or scheme is None:
        return Packing(format, None, {})
    _refuse_rounded_experts(model, scheme)
    inside = by_parameter(places)
    found = {name: item for name, item in all_projections(model).items() if name not in ignored}
    parts = {name: _parts(name, projection, inside) for name, projection in found.items()}
    for name, projection in found.items():
        _check_shape(name, projection.in_features, parts[name], format, scheme)
        if isinstance(projection, Expert) and format != "compressed-tensors":
            _check_names(name, parts[name], format)
    return Packing(format, scheme, parts, tuple(sorted(_left(model, places, parts))))


def all_projections(model: nn.Module) -> dict[str, Projection]:
    """Return full name to projection in the decoder layers."""
    return {
        f"{layer}.{name}": projection
        for layer, module in decoder_layers(model).items()
        for name, projection in projections(module).items()
    }


def ignored_names(model: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Return the full names of routers, and of projections that match a pattern (:mod:`fnmatch`, case matters)."""
    gates = {f"{layer}.{name}" for layer, module in decoder_layers(model).items() for name in routers(module)}
    found = all_projections(model)
    return [name for name in found if name in gates or any(fnmatchcase(name, pattern) for pattern in patterns)]


def _parts(name: str, projection: Projection, inside: Mapping[str, Mapping[str, Piece]]) -> dict[str, Part]:
    """Return the modules of a checkpoint that hold a projection's rows.

    Args:
        name: full name of the projection.
        projection: on any device.
        inside: name of each parameter -> the checkpoint's tensors that are parts of it.
    """
    parameter, start = place(name, projection)
    size, columns = projection.weight.numel(), projection.in_features
    parts: dict[str, Part] = {}
    for stored, piece in inside.get(parameter, {}).items():
        if not start <= piece.offset < start + size:
            continue
        if not stored.endswith(".weight") or piece.strides != (columns, 1) or piece.shape[1:] != (columns,):
            break
        first = (piece.offset - start) // columns
        parts[stored.removesuffix(".weight")] = Part(first, first + piece.shape[0])
    if sum(rows.stop - rows.start for rows in parts.values()) != projection.out_features:
        raise ValueError(
            f"{name} is one matrix of stacked experts, and the model's checkpoints keep them stacked: no loader knows "
            "a packed form of that; use --format dense"
        )
    return parts


def _check_shape(name: str, columns: int, parts: Mapping[str, Part], format: str, scheme: Scheme) -> None:
    """Refuse a projection whose shape the format cannot hold."""
    if scheme.group > 0 and columns % scheme.group:
        raise ValueError(f"{name}: groups of {scheme.group} do not divide its {columns} input features")
    for rows in parts.values():
        try:
            LAYOUTS[format].check_shape(scheme, rows.stop - rows.start, columns)
        except ValueError as error:
            raise ValueError(f"{name}: {error}, or --ignore '*.{name.rsplit('.', 1)[1]}'") from None


def _check_names(name: str, parts: Iterable[str], format: str) -> None:
    """Refuse experts whose old names GPTQModel does not look for: it knows those that the model has in memory."""
    expert = name.rpartition(".")[0]
    odd = next((module for module in parts if not module.startswith(f"{expert}.")), None)
    if odd is not None:
        raise ValueError(
            f"{name} is {odd} in checkpoints, and GPTQModel, which loads {format} checkpoints of experts, looks for it "
            f"under {expert}; use --format compressed-tensors"
        )


def _refuse_rounded_experts(model: nn.Module, scheme: Scheme) -> None:
    """Refuse experts whose inputs should be rounded: in memory those of their second matrix are not."""
    expert = next((name for name, item in all_projections(model).items() if isinstance(item, Expert)), None)
    if scheme.activations and expert is not None:
        raise ValueError(
            f"{expert} is one matrix of stacked experts: not all of their inputs can be rounded in memory, so a "
            "checkpoint with quantised activations would be another model; use a recipe for weights only"
        )


def _left(
    model: nn.Module, places: Mapping[str, Piece | None], parts: Mapping[str, Mapping[str, Part]]
) -> Iterator[str]:
    """Go through the matrices that stay as they are: those of linear modules, and routers in the decoder layers."""
    packed = {module for modules in parts.values() for module in modules}
    layers = tuple(f"{layer}." for layer in decoder_layers(model))
    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    for name, piece in places.items():
        module, _, leaf = name.rpartition(".")
        if piece is None or leaf != "weight" or len(piece.shape) != 2 or module in packed:
            continue
        if piece.name in linear or piece.name.startswith(layers):
            yield module
    for name in linear - {piece.name for piece in places.values() if piece is not None}:  # a head that is tied
        yield name.removesuffix(".weight")
