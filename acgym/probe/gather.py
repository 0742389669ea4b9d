"""What a walk over batches of tokens has shown so far: a model's hidden states and logits, reduced at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acgym.probe.signals import Signals, mean_defined, pooled
from acgym.record.tokens import Batch

if TYPE_CHECKING:
    from torch import Tensor

    from acgym.probe.ranks import Moments
    from acgym.probe.reduce import Side


class Gathered:
    """What a walk over the batches of a plan has shown so far."""

    def __init__(self, plan: Sequence[Batch], temperature: float = 1.0) -> None:
        if not temperature > 0:
            raise ValueError(f"the temperature must be above 0, got {temperature}")
        self.plan = plan
        self.temperature = temperature
        self.moments: dict[int, Moments] = {}
        """Number of a decoder layer -> its hidden states; 0 for those that enter the output head."""
        self.ranks: dict[int, tuple[float | None, float | None]] = {}
        """Sequence -> ERank and Diff-eRank of its decision tokens."""
        self.parts: list[dict[str, NDArray[Any]]] = []
        self.broken: Counter[str] = Counter()
        """What was not finite -> at how many tokens, in the order of the forward pass."""

    def see(self, layer: int, hidden: Tensor) -> None:
        """Take in a batch's hidden states of one layer, (n, d)."""
        from acgym.probe.ranks import Moments

        name = f"hidden states behind layer {layer}" if layer else "hidden states"
        self.moments.setdefault(layer, Moments()).add(self._finite(hidden, name))

    def see_final(self, batch: int, hidden: Tensor) -> None:
        """Take in the hidden states that enter the output head, (n, d), of one batch of the plan."""
        import torch

        from acgym.probe.ranks import sequence_ranks

        self.see(0, hidden)
        owners = [sequence for _, sequence, _ in self.plan[batch].kept]
        if not self.broken:
            counts = list(Counter(owners).values())
            found = [sequence_ranks(rows) for rows in torch.split(hidden, counts)]
            self.ranks |= dict(zip(dict.fromkeys(owners), found, strict=True))

    def add(self, batch: int, rows: slice, logits: Tensor, dense: Tensor | Side | None) -> Side:
        """Take in the logits, (n, vocab) float32, of some rows of one batch, and the dense model's if there are any.

        Returns:
            The logits, with what was found out about them.
        """
        import torch

        from acgym.probe.reduce import Side, reduce_pair, reduce_rows

        kept = np.array(self.plan[batch].kept[rows], dtype=np.int32)
        targets = torch.tensor(self.plan[batch].targets[rows], device=logits.device)
        finite = self._finite(logits, "logits")
        if dense is None:
            side = Side.of(finite, 2)
            columns = reduce_rows(side, targets, self.temperature)
        else:
            width = (dense.z if isinstance(dense, Side) else dense).shape[1]
            if width != logits.shape[1]:
                raise ValueError(
                    f"both models need one vocabulary, got {width} and {logits.shape[1]} tokens; logits of "
                    "different vocabularies cannot be compared token by token"
                )
            side = Side.of(finite)
            first = side if dense is logits else dense  # what was remembered is known to be finite
            first = self._finite(first, "dense logits") if isinstance(first, torch.Tensor) else first
            columns = reduce_pair(first, side, targets, self.temperature)
        part = {name: column.cpu().numpy() for name, column in columns.items()}
        self.parts.append({"sequence": kept[:, 1], "position": kept[:, 2], **part})
        return side

    def signals(self) -> Signals:
        """Return the signals of everything seen.

        Raises:
            ValueError: if something was not finite.
        """
        columns = {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
        n = len(columns["position"])
        for name, count in self.broken.items():
            raise ValueError(f"the model's {name} must be finite, but at {count} of {n} decision tokens they are not")
        order = np.lexsort((columns["position"], columns["sequence"]))
        columns = {name: column[order] for name, column in columns.items()}
        index = sorted(self.ranks)
        ranks = np.array([self.ranks[i] for i in index], dtype=np.float64)  # None becomes NaN
        layers = {layer: self.moments[layer].erank() for layer in sorted(self.moments)}
        erank = layers.pop(0)
        return Signals(
            n_tokens=n,
            n_sequences=len(index),
            erank=erank,
            diff_erank=mean_defined(ranks[:, 1]),
            temperature=self.temperature,
            erank_layers=layers or None,
            **pooled(columns),
            arrays={
                **columns,
                "sequence/index": np.array(index, dtype=np.int32),
                "sequence/erank": ranks[:, 0].astype(np.float32),
                "sequence/diff_erank": ranks[:, 1].astype(np.float32),
            },
        )

    def _finite(self, values: Tensor, name: str) -> Tensor:
        """Count the rows that are not finite, and return the values with zeros in their place."""
        import torch

        bad = ~torch.isfinite(values.sum(1, dtype=torch.float32))
        if not bool(bad.any()):
            return values
        self.broken[name] += int(bad.sum())
        return values.masked_fill(bad[:, None], 0.0)
