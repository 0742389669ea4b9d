"""Memory for keys and values: blocks whose rows have one size, so that neighbours can be attended to in one call.

A conversation's keys and values lie in one row, one behind the other, and not in pages (PagedAttention, Kwon et al.
2309.06180): plain attention kernels read a row as it is. Rows that are too short are exchanged for longer ones; sizes
grow by a quarter, so that at most a third of a longer row is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

_SMALLEST = 64
"""Positions of the smallest row."""
_MOST_ROWS = 16
_BLOCK_POSITIONS = 4096
"""About the most positions on one block: long rows gain nothing from being neighbours."""


@dataclass(frozen=True, slots=True)
class LayerShape:
    """What one layer remembers of a token."""

    heads: int
    """Key-value heads."""
    key_size: int
    value_size: int
    dtype: torch.dtype
    device: torch.device

    @property
    def token_bytes(self) -> int:
        """Bytes of one token's keys and values."""
        return self.heads * (self.key_size + self.value_size) * self.dtype.itemsize


class Block:
    """Rows for conversations, all of one length: layer -> keys, values, (rows, positions, heads, head size) each.

    Positions that nobody wrote to are zero: masked attention multiplies them by nothing, and nothing times
    anything but a number (an infinity that another conversation left) would not be nothing.
    """

    def __init__(self, number: int, rows: int, capacity: int, shapes: Mapping[int, LayerShape]) -> None:
        self.number = number
        self.capacity = capacity
        self.holders: list[States | None] = [None] * rows
        self.layers = {i: (_zeros(rows, capacity, s, s.key_size), _zeros(rows, capacity, s, s.value_size))
                       for i, s in shapes.items()}  # fmt: skip
        self.flat = {i: (keys.flatten(0, 1), values.flatten(0, 1)) for i, (keys, values) in self.layers.items()}
        """The same memory as :attr:`layers`, rows one behind the other: (rows * positions, heads, head size)."""
        self._used = [False] * rows

    @property
    def free(self) -> int:
        """How many rows nobody holds."""
        return self.holders.count(None)

    def enter(self, states: States) -> int:
        """Give the first free row to ``states``."""
        row = self.holders.index(None)
        if self._used[row]:
            for part in (part for layer in self.layers.values() for part in layer):
                part[row].zero_()
        self.holders[row], self._used[row] = states, True
        return row


class Pool:
    """All blocks; makes them and lets them go as they are needed.

    Args:
        shapes: layer -> what it remembers of a token.
        block_bytes: about the most bytes of one block; a row longer than that has one of its own.
    """

    def __init__(self, shapes: Mapping[int, LayerShape], block_bytes: int) -> None:
        self.shapes = dict(shapes)
        self.block_bytes = block_bytes
        self.token_bytes = sum(shape.token_bytes for shape in shapes.values())
        self.bytes = 0
        """Bytes of all blocks, free rows included."""
        self._blocks: dict[int, list[Block]] = {}
        self._made = 0

    @staticmethod
    def capacity(length: int) -> int:
        """Return the positions of the row that ``length`` tokens get: sizes grow by a quarter."""
        size = _SMALLEST
        while size < length:
            size = -(-size * 5 // 4 // 32) * 32
        return size

    def row_bytes(self, length: int) -> int:
        """Return the bytes of the row that ``length`` tokens get."""
        return self.capacity(length) * self.token_bytes

    @torch.inference_mode()
    def enter(self, states: States, length: int) -> tuple[Block, int]:
        """Find a row of at least ``length`` positions for ``states``."""
        capacity = self.capacity(length)
        blocks = self._blocks.setdefault(capacity, [])
        block = next((block for block in blocks if block.free), None)
        if block is None:
            block = Block(self._made, self._rows(capacity), capacity, self.shapes)
            self._made += 1
            blocks.append(block)
            self.bytes += self._size(block)
        return block, block.enter(states)

    @torch.inference_mode()
    def leave(self, block: Block, row: int) -> None:
        """Take a row back. Conversations move together where a block can be spared."""
        block.holders[row] = None
        blocks = self._blocks[block.capacity]
        emptiest = max(blocks, key=lambda block: block.free)
        elsewhere = sum(other.free for other in blocks if other is not emptiest)
        staying = [states for states in emptiest.holders if states is not None]
        if elsewhere < len(staying):
            return
        blocks.remove(emptiest)
        self.bytes -= self._size(emptiest)
        for states in staying:
            other = next(other for other in blocks if other.free)
            states.move(other, other.enter(states))

    def _rows(self, capacity: int) -> int:
        most = self.block_bytes // max(1, capacity * self.token_bytes)
        return max(1, min(_MOST_ROWS, _BLOCK_POSITIONS // capacity, most))

    def _size(self, block: Block) -> int:
        return len(block.holders) * block.capacity * self.token_bytes


def _zeros(rows: int, capacity: int, shape: LayerShape, size: int) -> Tensor:
    return torch.zeros(rows, capacity, shape.heads, size, dtype=shape.dtype, device=shape.device)


class States:
    """Keys and values of one conversation's first tokens, in a row of a block.

    Whoever gives them up calls :meth:`release`; until then the row is theirs.

    Args:
        pool: where rows come from.
    """

    __slots__ = ("_pool", "block", "length", "long", "row")

    def __init__(self, pool: Pool) -> None:
        self.length = 0
        """Tokens whose keys and values are there in every layer."""
        self.long = False
        """Whether they were read as part of a long conversation; see :attr:`VarlenReader.turns_at`."""
        self.block: Block | None = None
        """Where the row is; None before the first token and after the release."""
        self.row = 0
        self._pool = pool

    @property
    def bytes(self) -> int:
        """Bytes of the row, free positions included."""
        return 0 if self.block is None else self.block.capacity * self._pool.token_bytes

    def make_room(self, length: int) -> None:
        """See to it that the row holds ``length`` tokens."""
        if self.block is not None and self.block.capacity >= length:
            return
        old, row = self.block, self.row
        self.move(*self._pool.enter(self, length))
        if old is not None:
            self._pool.leave(old, row)

    def move(self, block: Block, row: int) -> None:
        """Go on in another row, which is theirs already."""
        if self.block is not None:
            _copy(self.block, self.row, block, row, self.length)
        self.block, self.row = block, row

    def first(self, length: int, room: int) -> States:
        """Copy the states of the first ``length`` tokens into a row for ``room`` tokens."""
        copy = States(self._pool)
        copy.make_room(max(length, room))
        if self.block is not None and copy.block is not None:
            _copy(self.block, self.row, copy.block, copy.row, length)
        copy.length, copy.long = length, self.long
        return copy

    def release(self) -> None:
        """Give the row back, and with it all that is remembered."""
        block, self.block, self.length = self.block, None, 0
        if block is not None:
            self._pool.leave(block, self.row)


@torch.inference_mode()
def _copy(old: Block, old_row: int, new: Block, new_row: int, length: int) -> None:
    """Copy the first ``length`` positions of a row in every layer."""
    for index, parts in old.layers.items():
        for source, target in zip(parts, new.layers[index], strict=True):
            target[new_row, :length] = source[old_row, :length]
