"""Keys and values of one conversation."""

from __future__ import annotations

import torch

from acgym.agents.shelves import Pool, Shelf


class States:
    """Keys and values of one conversation's first tokens, in a row of a shelf.

    Whoever gives them up calls :meth:`release`; until then the row is theirs.

    Args:
        pool: where rows come from.
    """

    __slots__ = ("_pool", "length", "long", "row", "shelf")

    def __init__(self, pool: Pool) -> None:
        self.length = 0
        """Tokens whose keys and values are there in every layer."""
        self.long = False
        """Whether they were read as part of a long conversation; see :attr:`RaggedReader.turns_at`."""
        self.shelf: Shelf | None = None
        """Where the row is; None before the first token and after the release."""
        self.row = 0
        self._pool = pool

    @property
    def bytes(self) -> int:
        """Bytes of the row, free positions included."""
        return 0 if self.shelf is None else self.shelf.capacity * self._pool.token_bytes

    def make_room(self, length: int) -> None:
        """See to it that the row holds ``length`` tokens."""
        if self.shelf is not None and self.shelf.capacity >= length:
            return
        old, row = self.shelf, self.row
        self.move(*self._pool.enter(self, length))
        if old is not None:
            self._pool.leave(old, row)

    def move(self, shelf: Shelf, row: int) -> None:
        """Go on in another row, which is theirs already."""
        if self.shelf is not None:
            _copy(self.shelf, self.row, shelf, row, self.length)
        self.shelf, self.row = shelf, row

    def first(self, length: int, room: int) -> States:
        """Copy the states of the first ``length`` tokens into a row for ``room`` tokens."""
        copy = States(self._pool)
        copy.make_room(max(length, room))
        if self.shelf is not None and copy.shelf is not None:
            _copy(self.shelf, self.row, copy.shelf, copy.row, length)
        copy.length, copy.long = length, self.long
        return copy

    def release(self) -> None:
        """Give the row back, and with it all that is remembered."""
        shelf, self.shelf, self.length = self.shelf, None, 0
        if shelf is not None:
            self._pool.leave(shelf, self.row)


@torch.inference_mode()
def _copy(old: Shelf, old_row: int, new: Shelf, new_row: int, length: int) -> None:
    """Copy the first ``length`` positions of a row in every layer."""
    for index, parts in old.layers.items():
        for source, target in zip(parts, new.layers[index], strict=True):
            target[new_row, :length] = source[old_row, :length]
