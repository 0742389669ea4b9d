"""Reads new tokens of many conversations in one forward pass, without padding: all layers see one long row of tokens,
and only attention is computed conversation by conversation.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from acgym.agents.engine.attention import NAME, Group, Plan, Recorder
from acgym.agents.engine.kv_pool import Block, LayerShape, Pool, States
from acgym.agents.engine.serving import out_of_memory

_MULTIPLE = 16
"""Rows of a matrix product are filled up to a multiple of this: some kernels are compiled anew for every shape."""
_LOCKS: WeakKeyDictionary[Any, Lock] = WeakKeyDictionary()
"""One lock a model: its attention is exchanged for the time of a pass, and agents may share a model."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What one conversation contributes to a forward pass."""

    states: States
    """Keys and values of the tokens before; those of ``ids`` are appended."""
    ids: Sequence[int]
    """New tokens, at least one."""
    asked: int
    """For how many of the last new tokens the logits of the next token are wanted."""


class VarlenReader:
    """Runs a transformers causal language model over segments.

    Make it with :func:`reader_of`, which finds out whether the model can be read in this way.

    Args:
        model: in eval mode. All its memory of earlier tokens must be in its attention.
        shapes: layer -> what it remembers of a token.
    """

    def __init__(self, model: Any, shapes: Mapping[int, LayerShape]) -> None:
        self.model = model
        self.shapes = dict(shapes)
        self.tokens = 0
        """Tokens read so far."""
        configs = {id(module.config): module.config for module in model.modules() if hasattr(module, "config")}
        self.turns_at = _turns_at(model)
        """Length above which the model tells positions in another way (longrope), all of a conversation's; or None."""
        self._configs = list(configs.values())
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._quantise = getattr(model, "acgym_quantise_cache", None)
        # A mask of four dimensions is handed on as it is: ours is never looked at.
        self._no_mask = torch.zeros(1, 1, 1, 1, device=model.device, dtype=model.dtype)

    @torch.inference_mode()
    def read(self, segments: Sequence[Segment]) -> Tensor:
        """Read the segments, and write their keys and values behind those of their states.

        Conversations longer than :attr:`turns_at` must have :attr:`States.long` set from their first token on.

        Returns:
            Logits of the next token after each token that was asked for, in the order of the segments, (all asked,
            vocabulary), in the model's dtype.
        """
        kinds = [[s for s in segments if s.states.long is long] for long in (False, True)]
        if all(kinds):
            read = {id(s): rows for kind in kinds for s, rows in self._read_apart(kind)}
            return torch.cat([read[id(segment)] for segment in segments])
        # All new tokens are one row, (1, tokens), ordered as their conversations lie in the pool. This is the varlen
        # layout of FlashAttention (Dao 2307.08691); starts[i] and ends[i] are what its cu_seqlens says.
        for segment in segments:  # all before the first is looked up: who makes room may move others
            segment.states.make_room(segment.states.length + len(segment.ids))
        row = sorted(range(len(segments)), key=lambda i: _block_row(segments[i].states))
        ids: list[int] = []
        positions: list[int] = []
        starts = [0] * len(segments)
        for i in row:
            seen = segments[i].states.length
            starts[i] = len(ids)
            ids += segments[i].ids
            positions += range(seen, seen + len(segments[i].ids))
        ends = [start + len(segment.ids) for start, segment in zip(starts, segments, strict=True)]
        asked = [at for end, each in zip(ends, segments, strict=True) for at in range(end - each.asked, end)]
        device = self.model.device
        plan = Plan(list(_grouped([segments[i] for i in row], device)), device, self._quantise)
        logits = self._forward(ids, positions, asked, plan, bool(kinds[1]))
        for segment in segments:
            segment.states.length += len(segment.ids)
        self.tokens += len(ids)
        return logits

    def _read_apart(self, segments: list[Segment]) -> Iterator[tuple[Segment, Tensor]]:
        """Read segments that are of one kind, and tell which logits are whose."""
        yield from zip(segments, torch.split(self.read(segments), [each.asked for each in segments]), strict=True)

    def _forward(
        self, ids: list[int], positions: list[int], asked: list[int], plan: Plan | Recorder, long: bool = False
    ) -> Tensor:
        """Run the model over one row of tokens."""
        free = -(len(ids) + long) % _MULTIPLE + long if len(ids) > _MULTIPLE else int(long)
        # The farthest position decides how all are told: a free place stands there.
        place = cast(int, self.turns_at) if long else 0
        device = self.model.device
        wanted = torch.tensor(asked, dtype=torch.long, device=device)
        with self._attending():
            logits = self.model(
                input_ids=torch.tensor([ids + [0] * free], device=device),
                position_ids=torch.tensor([positions + [place] * free], device=device),
                attention_mask=self._no_mask,
                use_cache=False,
                acgym_plan=plan,
                **({"logits_to_keep": wanted} if self._keeps else {}),
            ).logits[0]
        return cast(Tensor, logits if self._keeps else logits[wanted])

    @contextmanager
    def _attending(self) -> Iterator[None]:
        """Let every layer attend by the plan meanwhile."""
        with _LOCKS.setdefault(self.model, Lock()):
            before = [config._attn_implementation for config in self._configs]
            try:
                for config in self._configs:
                    config._attn_implementation = NAME
                yield
            finally:
                for config, name in zip(self._configs, before, strict=True):
                    config._attn_implementation = name


def _block_row(states: States) -> tuple[int, int]:
    return cast(Block, states.block).number, states.row


def _grouped(segments: Sequence[Segment], device: torch.device) -> Iterator[Group]:
    """Put neighbours on a block together whose numbers of new tokens differ little."""
    start, at = 0, 0
    group: list[Segment] = []
    for segment in [*segments, None]:
        if group and (segment is None or not _fits(group, segment)):
            rows = [len(each.ids) for each in group]
            seen = [each.states.length for each in group]
            yield Group(cast(Block, group[0].states.block), group[0].states.row, seen, rows, start, device)
            start, group = at, []
        if segment is not None:
            group.append(segment)
            at += len(segment.ids)


def _fits(group: Sequence[Segment], segment: Segment) -> bool:
    """Say whether a segment is the next row of a group's block, and would not be mostly padding in it."""
    block, row = _block_row(group[-1].states)
    counts = [len(segment.ids), *(len(each.ids) for each in group)]
    return _block_row(segment.states) == (block, row + 1) and max(counts) <= max(8, 2 * min(counts))


@dataclass(frozen=True, slots=True)
class NotReadable:
    """A model whose own forward pass must be used."""

    why: str


@torch.inference_mode()
def reader_of(model: Any) -> VarlenReader | NotReadable:
    """Return a reader for a model, if it gives the same logits through it as by itself; else why it does not.

    It does not where a layer keeps a memory outside its attention (state-space layers), or attends by other rules than
    :func:`acgym.agents.engine.attention.attend` knows (learned sinks, distances as biases, chunks).

    Raises:
        RuntimeError: if memory runs out.
    """
    if not getattr(model, "_supports_attention_backend", False):
        return NotReadable("transformers does not let the attention of this architecture be exchanged")
    ids = [[i % model.config.get_text_config().vocab_size for i in range(3, 3 + n)] for n in (5, 8)]
    recorder = Recorder()
    probing = VarlenReader(model, {})
    try:
        probing._forward([*ids[1]], [*range(8)], [], recorder)
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError, KeyError) as error:
        if out_of_memory(error):
            raise
        return NotReadable(f"its layers do not call an exchanged attention as they should ({type(error).__name__})")
    if not _windows_are_told(model, recorder.windows):
        return NotReadable("a layer keeps its window in a mask, or attends in chunks")
    reader = VarlenReader(model, recorder.shapes)
    quantise, reader._quantise = reader._quantise, None  # of the model as it is, whatever its cache is rounded to
    pool = Pool(recorder.shapes, 1 << 20)
    states = [States(pool), States(pool)]
    reader.read([Segment(states[0], ids[0][:3], 0), Segment(states[1], ids[1][:7], 0)])
    got = reader.read([Segment(states[1], ids[1][7:], 1), Segment(states[0], ids[0][3:], 1)]).float()
    with _LOCKS.setdefault(model, Lock()):
        own = torch.cat(
            [model(input_ids=torch.tensor([row], device=model.device)).logits[:, -1] for row in reversed(ids)]
        ).float()
    reader.tokens, reader._quantise = 0, quantise
    near = 0.01 if torch.finfo(model.dtype).eps < 1e-6 else 0.2
    if bool((got - own).abs().max() <= near * own.std()):
        return reader
    return NotReadable("its logits are others without padding: a memory outside its attention, or rules of its own")


def _turns_at(model: Any) -> int | None:
    """Return the length above which a model with longrope uses its long factors; None for other models."""
    ropes = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    return int(ropes["original_max_position_embeddings"]) if ropes.get("rope_type") == "longrope" else None


def _windows_are_told(model: Any, told: Mapping[int, int | None]) -> bool:
    """Say whether the layers hand on the windows that the configuration names: a mask's would not be seen."""
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
        return all(each == window for each in told.values())
    windows = {"full_attention": None, "sliding_attention": getattr(config, "sliding_window", None)}
    return all(kinds[i] in windows and told[i] == windows[kinds[i]] for i in told)
