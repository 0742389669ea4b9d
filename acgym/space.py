"""The text space of observations and actions, and how gymnasium's vector environments share its texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Space
from gymnasium.vector.utils.shared_memory import (
    create_shared_memory,
    read_from_shared_memory,
    write_to_shared_memory,
)

from acgym.text import MAX_ACTION_CHARS

if TYPE_CHECKING:
    from multiprocessing.heap import BufferWrapper

# 256 characters for sampling: controls, ASCII, Latin-1, and a few from every longer UTF-8 width.
_BEYOND_LATIN = dict(zip(range(0xF0, 0x100), "Ωж中日한अع\u2028\u200b\ufeff€—😀𝔘🧪ÿ", strict=True))
_DRAWN_AT_ONCE = 8192
_LONGEST_SAMPLE = 62


class Utf8(Space[str]):
    """Any text that UTF-8 can carry, up to ``max_length`` characters, the empty string included.

    Gymnasium's own ``Text`` admits letters and digits only by default. Surrogates are outside the space. Samples are
    1 to 62 characters, controls and non-Latin letters included; the same seed gives the same samples in any process.
    """

    def __init__(self, max_length: int = MAX_ACTION_CHARS, seed: int | np.random.Generator | None = None) -> None:
        if max_length < 1:
            raise ValueError(f"max_length must be at least 1 character, got {max_length}")
        self.max_length = max_length
        self._forget()
        super().__init__(dtype=str, seed=seed)

    def _forget(self) -> None:
        """Drop what was drawn ahead: a NumPy draw costs as much as making ten samples."""
        self._drawn, self._text, self._next = b"", "", 0

    def seed(self, seed: int | None = None) -> int | Any:
        """Seed the samples; return the seed that was used."""
        self._forget()
        return super().seed(seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no fixed-size array form."""
        return False

    def sample(self, mask: None = None, probability: None = None) -> str:
        """Draw a random text; ``mask`` and ``probability`` are not supported."""
        if mask is not None or probability is not None:
            raise ValueError("Utf8 cannot sample with a mask or a probability; call sample() without arguments")
        if self._next + _LONGEST_SAMPLE >= len(self._drawn):
            self._drawn = self.np_random.bytes(_DRAWN_AT_ONCE)
            self._text = self._drawn.decode("latin-1").translate(_BEYOND_LATIN)
            self._next = 0
        start = self._next + 1
        self._next = start + min(1 + self._drawn[self._next] % _LONGEST_SAMPLE, self.max_length)
        return self._text[start : self._next]

    def contains(self, x: Any) -> bool:
        """Say whether ``x`` is text of the allowed length without surrogates."""
        if not isinstance(x, str) or len(x) > self.max_length:
            return False
        if x.isascii():
            return True
        try:
            x.encode("utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def __repr__(self) -> str:
        """Show the space as it is made."""
        return f"Utf8(max_length={self.max_length})"

    def __eq__(self, other: object) -> bool:
        """Two text spaces are equal when they admit the same lengths."""
        return isinstance(other, Utf8) and other.max_length == self.max_length

    __hash__ = None  # type: ignore[assignment]  # spaces are mutable (their seed) and compare by content

    def to_jsonable(self, sample_n: Iterable[str]) -> list[str]:
        """Return the samples as a JSON list of strings."""
        return list(sample_n)

    def from_jsonable(self, sample_n: Iterable[Any]) -> list[str]:
        """Read samples written by ``to_jsonable``."""
        return [str(sample) for sample in sample_n]


SHARED_BYTES = 1 << 22
"""Most bytes of UTF-8 that one observation may have in memory that processes share; pages that are never written take
no memory."""
_HEAD = 8
"""Bytes in front of a text that say how long it is."""


class SharedTexts(Sequence[str]):
    """The texts of several environments in memory that processes share: a view that always shows the latest ones.

    ``copy.deepcopy`` makes a plain tuple of it, which is what ``AsyncVectorEnv`` hands out (``copy=True``).

    Args:
        count: number of texts.
        longest: characters of the longest text that there may be.
    """

    def __init__(self, count: int, longest: int) -> None:
        from multiprocessing.heap import BufferWrapper

        self._count, self._room = count, min(4 * longest, SHARED_BYTES)
        self._memory: BufferWrapper = BufferWrapper(count * (_HEAD + self._room))
        for index in range(count):
            self.write(index, "")

    def _at(self, index: int) -> memoryview:
        start = range(self._count)[index] * (_HEAD + self._room)
        return self._memory.create_memoryview()[start : start + _HEAD + self._room]

    def write(self, index: int, text: str) -> None:
        """Put a text in the place of an environment's last one.

        Raises:
            ValueError: if it is longer than SHARED_BYTES of UTF-8.
        """
        content = text.encode("utf-8", "surrogatepass")
        if len(content) > self._room:
            raise ValueError(
                f"an observation of {len(content):,} bytes does not fit into shared memory, at most {self._room:,} do; "
                "make the environments with vector_kwargs={'shared_memory': False}"
            )
        place = self._at(index)
        place[_HEAD : _HEAD + len(content)] = content
        place[:_HEAD] = len(content).to_bytes(_HEAD, "little")

    def __getitem__(self, index: Any) -> Any:
        """Return a text, or a tuple of those of a slice."""
        if isinstance(index, slice):
            return tuple(self)[index]
        place = self._at(index)
        length = int.from_bytes(place[:_HEAD], "little")
        return str(place[_HEAD : _HEAD + length], "utf-8", "surrogatepass")

    def __len__(self) -> int:
        """Return the number of texts."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Yield the texts as they are now."""
        return (self[index] for index in range(self._count))

    def __deepcopy__(self, memo: Any) -> tuple[str, ...]:
        """Return the texts as they are now."""
        return tuple(self)

    def __repr__(self) -> str:
        """Show the texts as they are now."""
        return repr(tuple(self))


@create_shared_memory.register(Utf8)
def _create(space: Utf8, n: int = 1, ctx: Any = None) -> SharedTexts:
    return SharedTexts(n, space.max_length)


@read_from_shared_memory.register(Utf8)
def _read(space: Utf8, shared_memory: SharedTexts, n: int = 1) -> SharedTexts:
    return shared_memory


@write_to_shared_memory.register(Utf8)
def _write(space: Utf8, index: int, value: str, shared_memory: SharedTexts) -> None:
    shared_memory.write(index, value)
