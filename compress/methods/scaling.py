"""Scales between operations: what a method sees of the projections that read one tensor, and how scales are folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from acgym.compress.methods.statistics import Statistics


@dataclass(frozen=True)
class Fold:
    """The projections that read one tensor X, (in, tokens), and what may be scaled there.

    A scaling method returns s, (channels,), positive, and the walk makes W' = W diag(s[share]) of every weight and
    X' = diag(1 / s[share]) X, by dividing what produces X: the model computes the same as before.
    """

    weights: Mapping[str, Tensor]
    """Full name to weight, (out, in), float32 or float64: those that the step compresses."""
    statistics: Mapping[str, Statistics]
    """Full name to statistics of its inputs. All read X, but an expert only the tokens that chose it."""
    share: Tensor
    """(in,), int64: the channel that scales each feature. The identity, except that query heads of a group share theirs
    in grouped-query attention."""
    channels: int
    after_norm: bool
    """Whether a norm produces X; else a projection does."""

    def mean(self) -> Tensor:
        """Return mean |x| over all tokens and the features of each channel, (channels,); zeros if no token came."""
        first = next(iter(self.weights.values()))
        total, tokens = torch.zeros_like(first[0]), 0
        for seen in self.statistics.values():
            if seen.absolute is not None:
                total, tokens = total + seen.absolute.to(total) * (seen.tokens > 0), tokens + seen.tokens
        return self._reduced(total / max(tokens, 1), "mean")

    def largest(self) -> Tensor:
        """Return max |x| over all tokens and the features of each channel, (channels,); zeros if no token came."""
        first = next(iter(self.weights.values()))
        top = torch.zeros_like(first[0])
        for seen in self.statistics.values():
            if seen.maximum is not None and seen.tokens:
                top = torch.maximum(top, seen.maximum.to(top))
        return self._reduced(top, "amax")

    def largest_weight(self) -> Tensor:
        """Return max |w| over all outputs of all weights and the features of each channel, (channels,)."""
        columns = torch.stack([weight.abs().amax(0) for weight in self.weights.values()])
        return self._reduced(columns.amax(0), "amax")

    def channel_mean(self, features: Tensor) -> Tensor:
        """Return the mean of (in,) values over the features of each channel, (channels,)."""
        return self._reduced(features, "mean")

    def _reduced(self, features: Tensor, how: str) -> Tensor:
        if self.channels == len(features):
            return features
        empty = features.new_zeros(self.channels)
        return empty.scatter_reduce(0, self.share, features, how, include_self=False)


@dataclass
class FoldGroup:
    """One place of a decoder layer where scales can be folded: parameters that make a tensor, and all that read it."""

    producer: str
    """Name inside the layer, for notes."""
    rows: Sequence[tuple[Tensor, float]]
    """Views of the producer's parameters, (channels, ...), and what the model adds to them before it multiplies (1 for
    norms that multiply by 1 + w, else 0): they are divided along the first dimension."""
    readers: Mapping[str, Tensor]
    """Name inside the layer to a view of a weight, (..., in): the projections, and routers that are none."""
    share: Tensor
    """See :class:`Fold`."""
    after_norm: bool = False

    @property
    def channels(self) -> int:
        """Number of scales."""
        return self.rows[0][0].shape[0]

    @property
    def parameters(self) -> list[Tensor]:
        """All that a fold changes."""
        return [*(row for row, _ in self.rows), *self.readers.values()]

    def fold(self, scales: Tensor) -> None:
        """Multiply the readers by scales, (channels,), and divide the producer; computed in float32 or better."""
        self.scale_readers(scales)
        for row, added in self.rows:
            wide = row.double() + added
            row.copy_(wide / scales.double().reshape(-1, *[1] * (row.dim() - 1)) - added)

    def scale_readers(self, scales: Tensor) -> None:
        """Multiply the readers only: the half of a fold that changes what the model computes."""
        for weight in self.readers.values():
            weight.copy_(weight.double() * scales.double()[self.share])
