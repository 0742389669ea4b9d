"""A causal language model taken apart: its body gives hidden states, its head turns rows of them into logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from acgym.record.tokens import Batch

Layers: TypeAlias = Literal["final", "all"] | Sequence[int]
"""Which hidden states are watched beside those that enter the output head: none, all decoder layers, or some of them by
number, from 1."""
See: TypeAlias = Callable[[int, Tensor], None]
"""Is handed the number of a decoder layer and its output at the kept positions, (n, d)."""

CHECKED_TOKENS = 16


class Split:
    """A model in two parts, so that logits exist for a block of rows at a time and only where they are wanted.

    Args:
        model: a causal language model of transformers, in evaluation mode, on any device, of any float type.
        layers: whose outputs are watched.

    Raises:
        ValueError: if the model is in training mode, has no such layers, or does not make its logits from the last
            hidden states of its body alone.
    """

    def __init__(self, model: PreTrainedModel, layers: Layers = "final") -> None:
        if model.training:
            raise ValueError("the model is in training mode, where dropout adds noise; call model.eval() first")
        self.model: Any = model
        self.body: Any = model.base_model
        self.vocab = int(model.config.get_text_config().vocab_size)
        self.device: torch.device = _device(model.get_input_embeddings)
        self.head_device: torch.device = _device(model.get_output_embeddings)
        stack = decoder_layers(self.body)
        self.watched = {number: stack[number - 1] for number in layer_numbers(layers, len(stack))}
        self._checked = False

    def hidden(self, batch: Batch, see: See | None = None) -> Tensor:
        """Return the hidden states that predict the decision tokens of a batch, (n, d), and show watched layers' ones.

        Padding is on the right, where no token to its left can see it: no mask is needed.

        Raises:
            ValueError: for a token id outside the vocabulary.
        """
        self._check(batch)
        longest = max(len(ids) for ids in batch.ids) - 1
        padded = torch.tensor([[*ids[:-1], *[0] * (longest + 1 - len(ids))] for ids in batch.ids], device=self.device)
        flat = torch.tensor([row * longest + at - 1 for row, _, at in batch.kept])
        with ExitStack() as hooks:
            if see is not None:
                for number, layer in self.watched.items():
                    hooks.callback(layer.register_forward_hook(_show(number, flat, see)).remove)
            return _rows(self.body(input_ids=padded, use_cache=False), flat)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the float32 logits, (n, vocab), of rows of hidden states, with whatever the model does after its head.

        The model's own forward pass runs with its body answering at once.
        """
        rows = hidden.to(self.head_device)[None]
        ids = torch.zeros(rows.shape[:2], dtype=torch.long, device=self.head_device)
        with _answering(self.body, rows):
            logits: Tensor = self.model(input_ids=ids, use_cache=False).logits
        return logits[0].float()

    def _check(self, batch: Batch) -> None:
        """Refuse ids outside the vocabulary and, once, a model that is not its body and a head."""
        for ids in batch.ids:
            if not 0 <= min(ids) <= max(ids) < self.vocab:
                odd = next(token for token in ids if not 0 <= token < self.vocab)
                raise ValueError(
                    f"token id {odd} is not in the model's vocabulary of {self.vocab}; was it the same tokenizer?"
                )
        if not self._checked:
            some = torch.tensor([batch.ids[0][:CHECKED_TOKENS]], device=self.device)
            seen: list[Tensor] = []
            whole = self._watched(some, seen)
            if not seen:  # some families leave out a level: OPT's model calls the decoder inside its body
                self.body = self.model.get_decoder()
                whole = self._watched(some, seen)
            parts = self.logits(seen[0][0]) if seen and self.body is not self.model else whole[:0]
            if whole.shape != parts.shape or not torch.allclose(whole, parts.to(whole), 1e-2, 1e-3, equal_nan=True):
                name = type(self.model).__name__
                raise ValueError(f"{name} does not make its logits from its last hidden states alone; cannot probe it")
            self._checked = True

    def _watched(self, ids: Tensor, seen: list[Tensor]) -> Tensor:
        """Return the logits of the whole model, and note the hidden states that its body hands on."""
        hook = self.body.register_forward_hook(lambda _, __, output: seen.append(_last(output)))
        try:
            logits: Tensor = self.model(input_ids=ids, use_cache=False).logits[0].float()
        finally:
            hook.remove()
        return logits


def _device(embeddings: Callable[[], Any]) -> torch.device:
    found: torch.device = next(embeddings().parameters()).device
    return found


def decoder_layers(body: nn.Module) -> list[nn.Module]:
    """Return the decoder layers: the members of the longest outermost ``nn.ModuleList``; none if there is no list."""
    found: dict[str, nn.ModuleList] = {}
    for name, module in body.named_modules():  # parents come before their children
        if isinstance(module, nn.ModuleList) and not any(name.startswith(f"{outer}.") for outer in found):
            found[name] = module
    return max((list(stack) for stack in found.values()), key=len, default=[])


def layer_numbers(layers: Layers, depth: int) -> list[int]:
    """Return the numbers of the watched decoder layers, 1 to ``depth``, rising.

    Raises:
        ValueError: for another word, or a number out of range.
    """
    if isinstance(layers, str):
        if layers not in ("final", "all"):
            raise ValueError(f"layers must be 'final', 'all' or numbers of decoder layers, got {layers!r}")
        return list(range(1, depth + 1)) if layers == "all" else []
    numbers = sorted(set(layers))
    if odd := [number for number in numbers if not 1 <= number <= depth]:
        raise ValueError(f"layer {odd[0]} is none of the model's {depth} decoder layers, which count from 1")
    return numbers


def _show(number: int, flat: Tensor, see: See) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_: nn.Module, __: Any, output: Any) -> None:
        see(number, _rows(output, flat))

    return hook


def _last(output: Any) -> Tensor:
    """Return the hidden states of what a body or a layer returned."""
    found = output if isinstance(output, Tensor) else output[0]
    if not isinstance(found, Tensor) or found.dim() != 3:
        raise ValueError("expected hidden states (batch, tokens, width) from the model's body and layers")
    return found


def _rows(output: Any, flat: Tensor) -> Tensor:
    states = _last(output).flatten(0, 1)
    return states[flat.to(states.device)]


class _Answer:
    """What a body that did not run returns: the hidden states, and None for everything else."""

    def __init__(self, rows: Tensor) -> None:
        self.last_hidden_state = rows

    def __getitem__(self, index: int) -> Tensor:
        return (self.last_hidden_state,)[index]

    def __getattr__(self, name: str) -> None:
        return None


@contextmanager
def _answering(body: Any, rows: Tensor) -> Iterator[None]:
    own = body.__dict__.get("forward")
    body.forward = lambda *_, **__: _Answer(rows)
    try:
        yield
    finally:
        del body.forward
        if own is not None:
            body.forward = own
